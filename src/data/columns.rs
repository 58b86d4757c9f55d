//! The columns of a table by their names: a file may have them in another order than the one that a run was trained on.

use std::collections::{HashMap, HashSet};

use crate::data::table::{Table, numbered};
use crate::error::{Error, Result};

/// Names that a message lists.
const SHOWN: usize = 5;

/// How the columns of a table were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// By their names.
    ByName,
    /// By their places, since the table has no names, or the wanted ones are numbers that it does not have.
    ByPosition,
}

/// Puts the columns of `table`, which comes from `origin`, into the order of `wanted`, and gives them these names.
///
/// # Errors
///
/// [`Error::Data`] where the table has other columns, which it names.
pub fn arrange(table: &mut Table, wanted: &[String], origin: &str) -> Result<Matched> {
    let found = table.column_names();
    if found == wanted {
        return Ok(Matched::ByName);
    }
    let set = |names: &[String]| names.iter().cloned().collect::<HashSet<_>>();
    let (in_table, in_run) = (set(&found), set(wanted));
    let are_numbered = wanted.iter().enumerate().all(|(index, name)| *name == numbered(index));
    // A header may give such names, too: where the table has just these, they decide.
    if table.names.is_none() || (are_numbered && in_table != in_run) {
        if table.columns != wanted.len() {
            let problem = format!(
                "has {} columns, but the settings are for {}; give a table with these, or begin a new run",
                table.columns,
                wanted.len()
            );
            return Err(Error::data(origin, problem));
        }
        table.names = Some(wanted.to_vec());
        return Ok(Matched::ByPosition);
    }
    let absent = |names: &[String], other: &HashSet<String>| {
        names.iter().filter(|name| !other.contains(*name)).cloned().collect::<Vec<_>>()
    };
    let (missing, new) = (absent(wanted, &in_table), absent(&found, &in_run));
    if !missing.is_empty() || !new.is_empty() {
        let part = |what: &str, names: &[String]| match names {
            [] => None,
            names => Some(format!("{what} {}", listed(names))),
        };
        let parts: Vec<String> = [part("missing", &missing), part("new", &new)].into_iter().flatten().collect();
        let problem = format!(
            "has other columns than the run: {}; it needs {}; rename or add them",
            parts.join("; "),
            listed(wanted)
        );
        return Err(Error::data(origin, problem));
    }
    if in_run.len() != wanted.len() || in_table.len() != found.len() {
        let mut seen = HashSet::new();
        let twice = found.iter().chain(wanted).find(|name| {
            !seen.insert((*name).clone()) && {
                let count = |names: &[String]| names.iter().filter(|other| other == name).count();
                count(&found) > 1 || count(wanted) > 1
            }
        });
        let name = twice.map_or("", String::as_str);
        let problem = format!("several columns are called `{name}`, so that another order cannot be told; rename them");
        return Err(Error::data(origin, problem));
    }
    let place: HashMap<&String, usize> = found.iter().enumerate().map(|(index, name)| (name, index)).collect();
    let order: Vec<usize> = wanted.iter().map(|name| place[name]).collect();
    let mut row_as_it_was = vec![0.0; table.columns];
    for row in table.values.chunks_exact_mut(order.len()) {
        row_as_it_was.copy_from_slice(row);
        row.iter_mut().zip(&order).for_each(|(value, &from)| *value = row_as_it_was[from]);
    }
    table.names = Some(wanted.to_vec());
    Ok(Matched::ByName)
}

/// The first names of a list, for a message.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_string()).collect()
    }

    fn table(given: Option<&[&str]>) -> Table {
        Table { names: given.map(names), columns: 3, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }
    }

    #[test]
    fn names_decide_the_order() {
        let run = names(&["a", "b", "c"]);
        for (given, values, matched) in [
            (Some(&["a", "b", "c"][..]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Matched::ByName),
            (Some(&["c", "a", "b"]), [2.0, 3.0, 1.0, 5.0, 6.0, 4.0], Matched::ByName),
            (Some(&["b", "a", "c"]), [2.0, 1.0, 3.0, 5.0, 4.0, 6.0], Matched::ByName),
            (None, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Matched::ByPosition),
        ] {
            let mut table = table(given);
            assert_eq!(arrange(&mut table, &run, "t").unwrap(), matched, "{given:?}");
            assert_eq!((&table.values[..], table.column_names()), (&values[..], run.clone()), "{given:?}");
        }
        // A run on data without names takes any.
        let mut named = table(Some(&["c", "a", "b"]));
        let numbers: Vec<String> = (0..3).map(numbered).collect();
        assert_eq!(arrange(&mut named, &numbers, "t").unwrap(), Matched::ByPosition);
        assert_eq!(arrange(&mut table(None), &numbers, "t").unwrap(), Matched::ByName);
        // But names that look like numbers are names.
        let mut swapped = table(Some(&["column_2", "column_1", "column_3"]));
        assert_eq!(arrange(&mut swapped, &numbers, "t").unwrap(), Matched::ByName);
        assert_eq!((&swapped.values[..], swapped.names), (&[2.0, 1.0, 3.0, 5.0, 4.0, 6.0][..], Some(numbers)));
    }

    #[test]
    fn other_sets_are_named() {
        let refused = |given: Option<&[&str]>, run: &[&str]| {
            arrange(&mut table(given), &names(run), "t.csv").unwrap_err().to_string()
        };
        let problem = refused(Some(&["a", "x", "c"]), &["a", "b", "c"]);
        assert_eq!(
            problem,
            "t.csv: has other columns than the run: missing `b`; new `x`; it needs `a`, `b`, `c`; rename or add them"
        );
        assert!(refused(Some(&["a", "b", "c"]), &["a", "b"]).contains(": new `c`; it"));
        assert!(refused(Some(&["a", "b", "c"]), &["a", "b", "c", "d"]).contains(": missing `d`; it"));
        assert!(refused(Some(&["a", "a", "b"]), &["b", "a", "a"]).contains("several columns are called `a`"));
        assert!(refused(Some(&["a", "b", "b"]), &["b", "a", "a"]).contains("several columns are called `"));
        assert!(refused(None, &["a", "b"]).contains("has 3 columns, but the settings are for 2"));
        let many: Vec<String> = (0..20).map(|index| format!("n{index}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(refused(Some(&["a", "b", "c"]), &many).contains("`n4` and 15 more"));
        // The same columns in the same order may share a name.
        let mut same = table(Some(&["a", "a", "b"]));
        assert_eq!(arrange(&mut same, &names(&["a", "a", "b"]), "t").unwrap(), Matched::ByName);
    }
}
