//! Reading tables: as they are, or as the columns of a form that is known.

use gannet::Result;

use crate::form::Form;
use crate::input::Input;
use crate::load::load;
use crate::options::ReadOptions;
use crate::survey::survey;
use crate::table::Table;

/// Reads a table, and finds out what the options leave open. The file is read twice: once to decide, once for the values.
///
/// # Errors
///
/// [`Error::Data`](gannet::Error::Data) for what is no table, with line, column and the cure where there are such;
/// [`Error::InvalidSetting`](gannet::Error::InvalidSetting) for a kind that a column cannot have;
/// [`Error::Io`](gannet::Error::Io) where the system refuses to read; [`Error::MemoryLimit`](gannet::Error::MemoryLimit),
/// before more is taken than the options allow; [`Error::OutOfMemory`](gannet::Error::OutOfMemory).
pub fn read(input: &Input, options: &ReadOptions) -> Result<Table> {
    let survey = survey(input, options, None)?;
    load(input, survey, options, None)
}

/// Reads another table as the columns of `form`, which is of one that was read before: those of the same names, in the order of the form,
/// with the form's categories. The dialect, and how numbers and dates are written, may be others. A value that is none of the categories
/// is one of the rest, whose index is that after the last category. What the options say about columns and kinds does not count.
///
/// # Errors
///
/// As [`read`]; [`Error::Data`](gannet::Error::Data) where the table has other columns, or a column has values of another kind.
pub fn read_as(input: &Input, form: &Form, options: &ReadOptions) -> Result<Table> {
    form.validate()?;
    let survey = survey(input, options, Some(form))?;
    let mut table = load(input, survey, options, Some(form))?;
    table.form = form.clone();
    Ok(table)
}
