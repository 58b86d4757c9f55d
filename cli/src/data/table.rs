//! Reading tables of one's own: text or an array of NumPy, as they are, or as the columns of a run.

use std::fmt::Write;

use gannet::data::npy::Array;
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};
use gannet_tables::{Codec, ColumnForm, Domain, Elements, Form, Note, ReadOptions, SettingNames, Table};

use crate::data::data_file::DataFile;
use crate::data::reading::Reading;
use crate::data::reading_limit;
use crate::folder::contents::Contents;
use crate::numbers::{counted, number};
use crate::terminal::output::one_line;

/// What a table is read as.
pub(crate) enum ReadAs<'a> {
    /// As it is, and as a user decides.
    Decided {
        /// What the user decides.
        reading: &'a Reading,
        /// The column of labels.
        labels: Option<&'a str>,
        /// How messages name these.
        names: SettingNames,
    },
    /// As the columns of a run, of whose text a user decided this. No setting helps a table that is none of it.
    Known(&'a Codec, &'a Reading),
}

impl ReadAs<'_> {
    /// What the user decides.
    fn reading(&self) -> &Reading {
        match self {
            Self::Decided { reading, .. } | Self::Known(_, reading) => reading,
        }
    }

    /// What the reader of tables is told, which may take so many bytes.
    fn options(&self, most: u64) -> ReadOptions {
        match self {
            Self::Decided { reading, labels, names } => {
                reading.options(most, *names).with_labels(labels.map(str::to_string))
            }
            Self::Known(_, reading) => reading.options(most, SettingNames::None),
        }
    }
}

/// Reads the table `file`, of which `contents` are known. The run may take `limit` bytes.
///
/// # Errors
///
/// What cannot be read, and what to do about it.
pub(crate) fn read(file: &DataFile, contents: &Contents, read_as: &ReadAs<'_>, limit: Option<u64>) -> Result<Table> {
    let most = reading_limit::for_reading(limit).saturating_sub(file.held());
    let options = read_as.options(most);
    let known = if let ReadAs::Known(codec, _) = read_as { Some(codec) } else { None };
    let origin = file.origin().display().to_string();
    let table = match (contents, known) {
        (Contents::Text, None) => gannet_tables::read(&*file.input()?, &options),
        (Contents::Text, Some(codec)) => gannet_tables::read_as(&*file.input()?, codec.form(), &options),
        // The array is there until its columns are.
        (Contents::Npy, known) => file.array(read_as.reading().array.as_deref(), most / 2).and_then(|array| {
            let (columns, elements) = match &array {
                Array::Numbers { columns, values, bits: 16 } => (*columns, Elements::Halves(values)),
                Array::Numbers { columns, values, bits: 32 } => (*columns, Elements::Singles(values)),
                Array::Numbers { columns, values, .. } => (*columns, Elements::Doubles(values)),
                Array::Integers { columns, values } => (*columns, Elements::Integers(values)),
                Array::Unsigned { columns, values } => (*columns, Elements::Unsigned(values)),
                _ => return Err(file.instead(contents, "a table")),
            };
            match known {
                None => Table::of_numbers(None, columns, elements, &options),
                Some(codec) => Table::of_numbers_as(None, columns, elements, codec.form()),
            }
        }),
        (other, _) => Err(file.instead(other, "a file of samples")),
    };
    table
        .map_err(|error| of_file(error, &origin))
        .map_err(|error| reading_limit::of_reading(error, limit, file.origin()))
}

/// How the rows of a table that was read from `origin` become samples.
///
/// # Errors
///
/// A table in which there is nothing to learn.
pub(crate) fn fit(
    table: &Table,
    labels: Option<&str>,
    reading: &Reading,
    (origin, names): (&str, SettingNames),
) -> Result<Codec> {
    Codec::fit_with_names(table, labels, reading.numbers, names)
        .and_then(|codec| codec.reaching_beyond(reading.beyond / 100.0))
        .map_err(|error| of_file(error, origin))
}

/// An error about a table, which is that of the file `origin`.
fn of_file(error: Error, origin: &str) -> Error {
    match error {
        Error::Data { origin: found, problem } if found == "table" => Error::data(origin, problem),
        other => other,
    }
}

/// The column of classes in a table.
///
/// # Errors
///
/// A table that has no such column.
pub(crate) fn check_labels(form: &Form, labels: &str, origin: &str) -> Result<()> {
    use gannet_settings::nearest::suggestion;
    if form.columns.iter().any(|column| column.name == labels) {
        return Ok(());
    }
    let names = form.columns.iter().map(|column| column.name.as_str());
    Err(Error::data(origin, format!("labels: the table has no column `{labels}`{}", suggestion(labels, names))))
}

/// Refuses a table that has labels of other classes.
///
/// # Errors
///
/// [`Error::Data`] that tells the classes.
pub(crate) fn check_known(table: &Table, labels: &str, classes: &[String], origin: &str) -> Result<()> {
    let unknown = table.notes().iter().find_map(|note| match note {
        Note::Unknown { column, cells } if column == labels => Some(*cells),
        _ => None,
    });
    unknown.map_or(Ok(()), |cells| {
        let (rows, known) = (counted(cells, "label"), classes.join(", "));
        let are = if cells == 1 { "is" } else { "are" };
        let problem = format!("{rows} in column `{labels}` {are} none of the classes of the run; these are {known}");
        Err(Error::data(origin, problem))
    })
}

/// Columns that are told, and notes.
const MOST_COLUMNS: usize = 32;
const MOST_NOTES: usize = 8;
/// Letters of a name and of a text.
const LETTERS: usize = 24;

/// What the columns of a table are, in lines of which the first begins at the cursor and the others with `indent`.
pub(crate) fn columns_text(form: &Form, indent: &str) -> String {
    let shown: Vec<[String; 3]> = form
        .columns
        .iter()
        .take(MOST_COLUMNS)
        .map(|column| [short(&column.name), kind_text(column), values_text(column)])
        .collect();
    let width = |place: usize| shown.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
    let (names, kinds) = (width(0), width(1));
    let mut text = String::new();
    for (index, [name, kind, values]) in shown.iter().enumerate() {
        let start = if index == 0 { "" } else { indent };
        writeln!(text, "{start}{}", format!("{name:names$}  {kind:kinds$}  {values}").trim_end()).ok();
    }
    let more = form.columns.len().saturating_sub(MOST_COLUMNS);
    if more > 0 {
        writeln!(text, "{indent}and {} more", thousands(more as u64)).ok();
    }
    text
}

/// What a column was taken for, in words.
pub(crate) fn kind_text(column: &ColumnForm) -> String {
    column.kind.name().replace('_', " ")
}

/// The values of a column, in a few words.
pub(crate) fn values_text(column: &ColumnForm) -> String {
    let mut text = match &column.domain {
        // Of runs that were made before a table had a form the range is not known.
        Domain::Numbers { range: [f64::MIN, f64::MAX], .. } => "numbers".to_string(),
        Domain::Numbers { range: [least, greatest], .. } => match column.range() {
            Some(ends) if ends.iter().all(|end| end.chars().count() <= LETTERS) => ends.join(" to "),
            _ => format!("{} to {}", number(*least), number(*greatest)),
        },
        Domain::Integers { .. } | Domain::Dates { .. } => {
            column.range().map_or_else(String::new, |ends| ends.join(" to "))
        }
        Domain::Categories { categories, rest } => {
            let more = categories.len().saturating_sub(3);
            let mut names: Vec<String> = categories.iter().take(3).map(|category| short(&category.text)).collect();
            names.extend((more > 0).then(|| format!("{more} more")));
            names.extend(rest.as_ref().map(|rest| format!("others as `{}`", short(&rest.text))));
            names.join(", ")
        }
        Domain::Constant { text } => format!("{}, kept", short(text)),
        Domain::Counter { first, width } => {
            format!("not learned; new rows are counted from {first:0width$}", width = usize::from(*width))
        }
        _ => "not learned; new rows have none".to_string(),
    };
    if column.missing_cells > 0 && column.kind.is_learned() {
        write!(text, "; {} missing", thousands(column.missing_cells)).ok();
    }
    text
}

/// A name or a text, at most so long.
fn short(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LETTERS {
        return line.into_owned();
    }
    line.chars().take(LETTERS - 3).chain("...".chars()).collect()
}

/// The columns of a table that are constant in the form that it was read as, and have so many other cells.
pub(crate) fn differing(table: &Table) -> Vec<(String, u64)> {
    let of = |note: &Note| match note {
        Note::Differs { column, cells, .. } => Some((column.clone(), *cells)),
        _ => None,
    };
    table.notes().iter().filter_map(of).collect()
}

/// What a user should know about how a table was read, with settings as `names` calls them: notes that ask for nothing that the columns do
/// not show are left out, and many are summed up.
pub(crate) fn notes(table: &Table, names: SettingNames) -> Vec<String> {
    let told = |note: &&Note| {
        !matches!(note, Note::LeftOut { .. } | Note::Missing { .. } | Note::Lines { comments: 0, blanks: 0 })
    };
    let mut notes: Vec<String> = table.notes().iter().filter(told).map(|note| note.told(names)).collect();
    let more = notes.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        notes.truncate(MOST_NOTES);
        notes.push(format!("{} more of this kind", counted(more as u64, "note")));
    }
    notes
}
