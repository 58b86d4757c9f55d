//! The names of columns, and which of them a caller wants.

use gannet::{Error, Result};

use crate::input::Input;
use crate::options::ReadOptions;
use crate::text::listed;

/// The names of columns with these headings; those without one are numbered.
pub(crate) fn names(headings: &[String]) -> Vec<String> {
    let name = |(index, heading): (usize, &String)| {
        if heading.is_empty() { format!("column_{}", index + 1) } else { heading.clone() }
    };
    headings.iter().enumerate().map(name).collect()
}

/// The places of the columns that a caller wants, in the order of the file.
pub(crate) fn selected(names: &[String], options: &ReadOptions, input: &Input) -> Result<Vec<usize>> {
    let wanted = options.columns.as_deref().unwrap_or_default();
    let asked = wanted.iter().chain(&options.drop).chain(options.kinds.keys());
    let unknown: Vec<&String> = asked.filter(|name| !names.contains(name)).collect();
    if !unknown.is_empty() {
        let problem = format!("has no column {}; it has {}", listed(&unknown), listed(names));
        return Err(input.error(problem));
    }
    let is_kept = |name: &String| {
        options.columns.as_ref().is_none_or(|columns| columns.contains(name)) && !options.drop.contains(name)
    };
    let places: Vec<usize> = (0..names.len()).filter(|&place| is_kept(&names[place])).collect();
    if places.is_empty() {
        return Err(Error::setting("drop", "no column is left; keep at least one"));
    }
    Ok(places)
}
