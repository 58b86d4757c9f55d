//! The columns of another file by their names: it may have them in another order than the one that a form is of.

use std::collections::{HashMap, HashSet};

use gannet::internals::numbers::counted;
use gannet::{Error, Result};

use crate::form::Form;
use crate::text::{listed, shown};

/// How the columns of a file were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// By their names.
    ByName,
    /// By their places, since one of the two has no names.
    ByPosition,
}

/// The place, among the columns `found` in a file, of each column of `form`. Columns that the form has dropped may be there or not.
///
/// # Errors
///
/// [`Error::Data`], about `origin`, where the file has other columns, which it names.
pub(crate) fn matched(form: &Form, found: &[String], has_names: bool, origin: &str) -> Result<(Matched, Vec<usize>)> {
    let wanted: Vec<&String> = form.columns.iter().map(|column| &column.name).collect();
    let in_order = |found: &[&String]| found.len() == wanted.len() && found.iter().eq(wanted.iter());
    let dropped: HashSet<&String> = form.dropped.iter().collect();
    let kept: Vec<usize> = (0..found.len()).filter(|&place| !dropped.contains(&found[place])).collect();
    let kept_names: Vec<&String> = kept.iter().map(|&place| &found[place]).collect();
    if in_order(&kept_names) {
        return Ok((Matched::ByName, kept));
    }
    if !has_names || form.dialect.header.is_none() {
        return by_position(form, (found, has_names), origin);
    }
    let (in_file, in_form): (HashSet<_>, HashSet<_>) =
        (kept_names.iter().copied().collect(), wanted.iter().copied().collect());
    let absent = |names: &[&String], other: &HashSet<&String>| {
        names.iter().filter(|name| !other.contains(*name)).map(|name| (*name).clone()).collect::<Vec<_>>()
    };
    let (missing, new) = (absent(&wanted, &in_file), absent(&kept_names, &in_form));
    if !missing.is_empty() || !new.is_empty() {
        let part = |what: &str, names: &[String]| match names {
            [] => None,
            names => Some(format!("{what} {}", listed(names))),
        };
        let parts: Vec<String> = [part("missing", &missing), part("new", &new)].into_iter().flatten().collect();
        let cure = match (missing.is_empty(), new.is_empty()) {
            (true, _) => "leave the new ones out",
            (_, true) => "add what is missing",
            _ => "rename or add them",
        };
        let problem =
            format!("has other columns than the run: {}; it needs {}; {cure}", parts.join("; "), listed(&wanted));
        return Err(Error::data(origin, problem));
    }
    let twice = |names: &[&String]| {
        let mut seen = HashSet::new();
        names.iter().find(|name| !seen.insert(**name)).map(|name| (*name).clone())
    };
    if let Some(twice) = twice(&kept_names).or(twice(&wanted)) {
        let problem = format!(
            "several columns are called `{}`, so that another order cannot be told; rename them",
            shown(&twice)
        );
        return Err(Error::data(origin, problem));
    }
    let places: HashMap<&String, usize> = kept.iter().map(|&place| (&found[place], place)).collect();
    Ok((Matched::ByName, wanted.iter().filter_map(|name| places.get(*name).copied()).collect()))
}

/// The columns by their places.
fn by_position(form: &Form, (found, has_names): (&[String], bool), origin: &str) -> Result<(Matched, Vec<usize>)> {
    if found.len() != form.columns.len() {
        let problem = format!(
            "has {} without names, but the run has {}; give a table with these, or begin a new run",
            counted(found.len() as u64, "column"),
            form.columns.len()
        );
        return Err(Error::data(origin, problem));
    }
    // Nothing is to be said where neither has names.
    let matched = if form.dialect.header.is_none() && !has_names { Matched::ByName } else { Matched::ByPosition };
    Ok((matched, (0..found.len()).collect()))
}
