//! Which of several runs in one folder are no longer there.

use std::path::Path;

use crate::folder::run_folder::{replica, replicas};
use crate::history::end::End;
use crate::history::legs::Legs;
use crate::numbers::counted_replicas;

/// No more are looked for, whatever a file or the name of a folder says.
const MOST: usize = 10_000;
/// Replicas that are missing and named in a line.
const MOST_NAMED: usize = 4;

/// The names of the replicas of the folder `path` whose folders are gone: those below the last one that is there, and those that the
/// common `run.json` or the history of a replica tells of.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let there = replicas(path);
    let last = there.last().map_or(0, |last| last.saturating_add(1));
    let ended = End::read(path).map_or(0, |end| end.replicas());
    let begun = |&number: &usize| Legs::read(&path.join(replica(number))).ok()??.replicas();
    let count = last.max(ended).max(there.iter().find_map(begun).unwrap_or(0)).min(MOST);
    (0..count).filter(|number| there.binary_search(number).is_err()).map(replica).collect()
}

/// That those with these `names` are gone; `None` where there are none.
pub(crate) fn told(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(format!("{one} is missing")),
        [first, .., last] if names.len() > MOST_NAMED => {
            Some(format!("{} are missing, {first} to {last}", counted_replicas(names.len())))
        }
        all => Some(format!("{} are missing", all.join(", "))),
    }
}
