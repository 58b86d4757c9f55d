//! Whether tables can be compared: they have the same columns.

use gannet::{Error, Result};

use crate::form::{ColumnForm, Domain};
use crate::table::Table;

/// Checks that `other`, called `what`, has the columns of `table`: the same names, kinds and categories, and dates in the same units.
/// How numbers and dates are written may differ.
pub(crate) fn check_same_form(table: &Table, other: &Table, what: &str) -> Result<()> {
    let (columns, others) = (&table.form.columns, &other.form.columns);
    if columns.len() != others.len() {
        return Err(Error::shape(what, format!("{} columns", columns.len()), format!("{}", others.len())));
    }
    for (column, found) in columns.iter().zip(others) {
        let difference = if column.name != found.name {
            Some((format!("column `{}`", column.name), format!("column `{}`", found.name)))
        } else if column.kind != found.kind {
            Some((format!("`{}` as {}", column.name, column.kind), format!("{}", found.kind)))
        } else if !has_same_values(column, found) {
            let values = match &column.domain {
                Domain::Dates { .. } => "units",
                _ => "categories",
            };
            Some((format!("the same {values} of `{}`", column.name), "others".to_string()))
        } else {
            None
        };
        if let Some((expected, found)) = difference {
            return Err(Error::shape(what, expected, found));
        }
    }
    Ok(())
}

/// Whether an index or a date means the same in both columns.
fn has_same_values(column: &ColumnForm, other: &ColumnForm) -> bool {
    match (&column.domain, &other.domain) {
        (Domain::Categories { categories, .. }, Domain::Categories { categories: others, .. }) => {
            categories.len() == others.len() && categories.iter().zip(others).all(|(one, two)| one.text == two.text)
        }
        (Domain::Dates { format, .. }, Domain::Dates { format: other, .. }) => format.unit() == other.unit(),
        _ => true,
    }
}
