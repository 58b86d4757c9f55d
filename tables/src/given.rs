//! Rows of a file that has some of a form's columns, one after another, in memory that does not grow with their number.

use std::collections::BTreeMap;
use std::io::Read;

use gannet::Result;
use gannet::internals::numbers::{counted, thousands};

use crate::complaint::finding;
use crate::cure::SettingNames;
use crate::encoding::{Decoded, Encoding};
use crate::form::{ColumnForm, Domain, Form};
use crate::input::Input;
use crate::kind::Kind;
use crate::load::Places;
use crate::marks::Marks;
use crate::options::ReadOptions;
use crate::pass::length_problem;
use crate::record::{Record, Split};
use crate::records::Records;
use crate::select::names;
use crate::sniff::sniff;
use crate::survey::{Beginning, head_text, text};
use crate::table::Value;
use crate::text::{listed, shown};

/// The rows of a file that has some of the columns of a form, under their names and in any order. A cell that is empty is not given.
///
/// ```
/// use gannet_tables::{GivenRow, GivenRows, Input, ReadOptions, Value, read};
///
/// let people = "city,age\nParis,31\nRome,NA\nParis,27\nRome,64\nParis,40\n";
/// let table = read(&Input::bytes("people.csv", people), &ReadOptions::default())?;
/// let input = Input::bytes("given.csv", "age\n33\nNA\n");
/// let mut rows = GivenRows::open(&input, table.form(), &ReadOptions::default())?;
/// let mut row = GivenRow::default();
/// assert!(rows.next(&mut row)?);
/// assert!(row.cells[0].is_none());
/// let age = row.cells[1].as_ref().unwrap();
/// assert_eq!((age.text.as_str(), age.value), ("33", Value::Integer(33)));
/// assert!(rows.next(&mut row)? && !rows.next(&mut row)?);
/// # Ok::<(), gannet::Error>(())
/// ```
pub struct GivenRows<'a> {
    input: &'a Input,
    form: &'a Form,
    records: Records<Decoded<Box<dyn Read + 'a>>>,
    marks: Marks,
    /// The column of the form of each cell.
    columns: Vec<usize>,
    /// Whether a delimiter stands behind the last cell of each row.
    is_trailing: bool,
    /// The places of the categories of each column of the form; none of columns of other kinds.
    places: Vec<Option<Places>>,
    /// The line of the header.
    header: u64,
    /// Cells beyond the range of a column.
    outside: BTreeMap<usize, u64>,
    /// Rows of which no cell is given.
    open: u64,
    /// Whether the file was taken for Windows-1252.
    is_windows: bool,
    /// How messages name settings.
    names: SettingNames,
}

/// What is given of a row.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GivenRow {
    /// The line that it begins on.
    pub line: u64,
    /// Of each column of the form the cell, if it is given.
    pub cells: Vec<Option<GivenCell>>,
}

/// A cell that is given.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GivenCell {
    /// Its text, as the file has it.
    pub text: String,
    /// What it says.
    pub value: Value,
}

impl std::fmt::Debug for GivenRows<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GivenRows")
            .field("origin", &self.input.origin())
            .field("columns", &self.columns)
            .finish()
    }
}

impl<'a> GivenRows<'a> {
    /// Opens a file whose first row has names of columns of `form`.
    ///
    /// # Errors
    ///
    /// [`Error::Data`](gannet::Error::Data) for what is no table, for a column that the form does not have, for a name that stands twice, and for a file without
    /// rows; [`Error::Io`](gannet::Error::Io) where the system refuses to read.
    pub fn open(input: &'a Input, form: &'a Form, options: &ReadOptions) -> Result<Self> {
        form.validate()?;
        let Beginning { head, is_whole, mut encoding, has_mark } = Beginning::of(input, options)?;
        let mut start = head_text(&head, is_whole, &encoding);
        let is_windows = start.is_none() && options.encoding.is_none() && !has_mark;
        if is_windows {
            encoding = Encoding::Windows1252;
            start = head_text(&head, is_whole, &encoding);
        }
        let start =
            start.ok_or_else(|| input.error("is not in the encoding that it seems to have; save it as UTF-8"))?;
        let sniffed = sniff(&start, options);
        // The delimiter of the form is taken where it makes names of columns: a column alone may hold what looks like another.
        let mut split = Split { delimiter: form.dialect.delimiter, ..sniffed.split };
        let is_known = |found: &[Heading]| found.iter().all(|heading| heading.is_unnamed || heading.is_known(form));
        if sniffed.dialect.has_delimiter_line
            || !header(start.as_bytes(), input, split)?.is_some_and(|(_, found)| is_known(&found))
        {
            split = sniffed.split;
        }
        let mut records = Records::new(text(input, &encoding)?, input.origin(), split);
        let empty = || {
            input.error(
                "holds no rows; give the names of some of the run's columns, and a row for each that is to be filled",
            )
        };
        let (line, mut found) = records.next()?.map(named).ok_or_else(empty)?;
        let is_trailing = found.len() > 1 && found.last().is_some_and(|last| last.is_unnamed && !last.is_known(form));
        if is_trailing {
            found.pop();
        }
        let columns = matched(form, &found, input)?;
        let places = form.columns.iter().map(|column| match &column.domain {
            Domain::Categories { categories, rest } => {
                Some(Places::of(categories, column.kind == Kind::Boolean, rest.is_none()))
            }
            _ => None,
        });
        let (places, marks) = (places.collect(), Marks::new(options.missing.as_deref()));
        let outside = BTreeMap::new();
        Ok(Self {
            input,
            form,
            records,
            marks,
            columns,
            is_trailing,
            places,
            header: line,
            outside,
            open: 0,
            is_windows,
            names: options.setting_names,
        })
    }

    /// The places in the form of the columns that the file has.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Reads the next row into `row`; `false` where there is none. A blank line is no row.
    ///
    /// # Errors
    ///
    /// [`Error::Data`](gannet::Error::Data) that names line and column of a cell that no row of the form can have; [`Error::Io`](gannet::Error::Io) where the system refuses to
    /// read.
    pub fn next(&mut self, row: &mut GivenRow) -> Result<bool> {
        let outcome = self.read(row);
        if outcome.is_err() && self.records.source().has_met_other_bytes() {
            return Err(self.input.error("is not UTF-8 throughout; save it as UTF-8"));
        }
        outcome
    }

    fn read(&mut self, row: &mut GivenRow) -> Result<bool> {
        let Self { input, form, records, marks, columns, is_trailing, places, header, outside, open, names, .. } = self;
        let Some(record) = records.next_of_any()? else { return Ok(false) };
        let length = columns.len() + usize::from(*is_trailing);
        if record.len() != length {
            return Err(input.error(length_problem(record.line, record.len(), *header, length, *names)));
        }
        if *is_trailing && record.cells().last().is_some_and(|cell| !cell.text.is_empty()) {
            let problem = format!(
                "line {}, column {length}: the column has no name in the first row; name it as the run does, or leave it out",
                record.line
            );
            return Err(input.error(problem));
        }
        row.line = record.line;
        row.cells.clear();
        row.cells.resize_with(form.columns.len(), || None);
        for (place, (cell, &column)) in record.cells().zip(&*columns).enumerate() {
            let cell = String::from_utf8_lossy(cell.text);
            if cell.is_empty() {
                continue;
            }
            let of = &form.columns[column];
            let value = value(of, places[column].as_ref(), &cell, marks).map_err(|problem| {
                let name = shown(&of.name);
                input.error(format!("line {}, column {} (`{name}`): {problem}", record.line, place + 1))
            })?;
            if !form.dialect.encoding.has(&cell) {
                return Err(input.error(format!(
                    "line {}, column {} (`{}`): `{}` has characters that the encoding of the run's table, {}, has not; write it \
                     without them, or train on a table in UTF-8",
                    record.line,
                    place + 1,
                    shown(&of.name),
                    shown(&cell),
                    form.dialect.encoding.name()
                )));
            }
            if is_outside(&of.domain, value) {
                *outside.entry(column).or_default() += 1;
            }
            row.cells[column] = Some(GivenCell { text: cell.into_owned(), value });
        }
        *open += u64::from(row.cells.iter().all(Option::is_none));
        Ok(true)
    }

    /// What a user should know of the rows that were read: cells beyond the range of the data, rows of which nothing is given.
    pub fn notes(&self) -> Vec<String> {
        let told = "the bytes are not UTF-8, so they were read as Windows-1252 (Latin-1); save the file as UTF-8 if that is wrong";
        let encoding = self.is_windows.then(|| told.to_string());
        let outside = self.outside.iter().map(|(column, cells)| {
            let name = shown(&self.form.columns[*column].name);
            let what = if *cells == 1 { "is" } else { "are" };
            format!(
                "{} {what} beyond the range of `{name}` in the data, and taken for its end where rows are compared",
                counted(*cells, "cell")
            )
        });
        let open = (self.open > 0).then(|| match self.open {
            1 => "1 row has empty cells alone; it is filled by any generated row".to_string(),
            rows => format!("{} rows have empty cells alone; they are filled by any generated rows", thousands(rows)),
        });
        encoding.into_iter().chain(outside).chain(open).collect()
    }
}

/// A cell of the header.
struct Heading {
    /// The name of the column: that of its place, such as `column_3`, where the cell is empty.
    name: String,
    /// Whether it is.
    is_unnamed: bool,
}

impl Heading {
    /// Whether it is a column of `form`.
    fn is_known(&self, form: &Form) -> bool {
        form.position(&self.name).is_some()
    }
}

/// The line and the cells of a header.
fn named(record: Record<'_>) -> (u64, Vec<Heading>) {
    let texts: Vec<String> = record.cells().map(|cell| String::from_utf8_lossy(cell.text).into_owned()).collect();
    let each = names(&texts).into_iter().zip(&texts);
    (record.line, each.map(|(name, text)| Heading { name, is_unnamed: text.is_empty() }).collect())
}

/// The header of text that is split so.
fn header(text: &[u8], input: &Input, split: Split) -> Result<Option<(u64, Vec<Heading>)>> {
    Ok(Records::new(text, input.origin(), split).next().unwrap_or(None).map(named))
}

/// The places in `form` of the columns `found` in a file.
fn matched(form: &Form, found: &[Heading], input: &Input) -> Result<Vec<usize>> {
    if let Some(place) = found.iter().position(|heading| heading.is_unnamed && !heading.is_known(form)) {
        let problem =
            format!("column {} has no name in the first row; name it as the run does, or leave it out", place + 1);
        return Err(input.error(problem));
    }
    let found: Vec<&String> = found.iter().map(|heading| &heading.name).collect();
    let known: Vec<&str> = form.columns.iter().map(|column| column.name.as_str()).collect();
    let new: Vec<&String> = found.iter().copied().filter(|name| !known.contains(&name.as_str())).collect();
    if !new.is_empty() {
        let problem = format!(
            "has other columns than the run: new {}; the run has {}; rename them, or leave them out (the first row has the names)",
            listed(&new),
            listed(&known)
        );
        return Err(input.error(problem));
    }
    let is_twice = |name: &&&String| {
        found.iter().filter(|other| **other == **name).count() > 1
            || known.iter().filter(|other| **other == name.as_str()).count() > 1
    };
    if let Some(name) = found.iter().find(is_twice) {
        return Err(input.error(format!("several columns are called `{}`; rename them", shown(name))));
    }
    Ok(found.iter().filter_map(|name| form.position(name)).collect())
}

/// What a cell says in a column; or what is wrong with it.
fn value(
    column: &ColumnForm,
    places: Option<&Places>,
    cell: &str,
    marks: &Marks,
) -> std::result::Result<Value, String> {
    let missing = || match column.missing {
        _ if marks.find(cell.as_bytes()).is_none() => None,
        Some(_) => Some(Ok(Value::Missing)),
        None => Some(Err(format!(
            "`{}` is a missing value, of which the run's column has none; leave the cell empty to have it filled",
            shown(cell)
        ))),
    };
    if marks.are_given()
        && let Some(missing) = missing()
    {
        return missing;
    }
    let read = match &column.domain {
        Domain::Numbers { format, .. } => format.read(cell.as_bytes()).map(Value::Number),
        Domain::Integers { format, .. } => format.read_integer(cell.as_bytes()).map(Value::Integer),
        Domain::Dates { format, .. } => format.read(cell.as_bytes()).map(Value::Date),
        Domain::Categories { .. } => {
            places.and_then(|places| places.find(cell)).map(|place| Value::Category(u32::from(place)))
        }
        _ => return Ok(Value::Generated),
    };
    if let Some(value) = read {
        return Ok(value);
    }
    if let Some(missing) = missing() {
        return missing;
    }
    match &column.domain {
        Domain::Categories { categories, rest } => match (rest, u32::try_from(categories.len())) {
            (Some(_), Ok(place)) => Ok(Value::Category(place)),
            _ => {
                let known: Vec<&str> = categories.iter().map(|category| category.text.as_str()).collect();
                Err(format!(
                    "`{}` is none of the run's categories, such as {}; correct it, or leave the cell empty",
                    shown(cell),
                    listed(&known)
                ))
            }
        },
        _ => Err(format!(
            "{}; write it as the run's table does, as in `{}`, or leave the cell empty",
            finding(cell, column.kind).0,
            column.range().map_or_else(String::new, |[least, _]| shown(&least))
        )),
    }
}

/// Whether a value is beyond the range of its column.
fn is_outside(domain: &Domain, value: Value) -> bool {
    match (domain, value) {
        (Domain::Numbers { range: [least, greatest], .. }, Value::Number(number)) => {
            number < *least || number > *greatest
        }
        (Domain::Integers { range: [least, greatest], .. }, Value::Integer(number))
        | (Domain::Dates { range: [least, greatest], .. }, Value::Date(number)) => {
            number < *least || number > *greatest
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReadOptions, read};

    fn form(text: &str) -> Form {
        read(&Input::bytes("run.csv", text), &ReadOptions::default()).unwrap().form().clone()
    }

    fn people() -> Form {
        let row = |row: u32| {
            let age = if row.is_multiple_of(7) { "NA".to_string() } else { (20 + row * row % 53).to_string() };
            format!(
                "{};{age};{},5;2020-01-{:02};{}\n",
                ["Paris", "Rome"][row as usize % 2],
                row * 7 % 41,
                1 + row % 28,
                row
            )
        };
        form(&("city;age;size;day;id\n".to_string() + &(0..60).map(row).collect::<String>()))
    }

    /// The texts of the cells that are given, and what they say.
    type Cells = Vec<Option<(String, Value)>>;

    /// The cells of each row.
    fn rows(form: &Form, file: &str) -> Result<Vec<Cells>> {
        let input = Input::bytes("given.csv", file);
        let mut rows = GivenRows::open(&input, form, &ReadOptions::default())?;
        let (mut row, mut all) = (GivenRow::default(), Vec::new());
        while rows.next(&mut row)? {
            all.push(row.cells.iter().map(|cell| cell.as_ref().map(|cell| (cell.text.clone(), cell.value))).collect());
        }
        Ok(all)
    }

    #[test]
    fn cells_are_found_by_name_and_keep_their_text() {
        let form = people();
        let given = |text: &str, value| Some((text.to_string(), value));
        let found = rows(&form, "size;city\n03,50;Rome\n;Paris\n").unwrap();
        assert_eq!(found[0], [given("Rome", Value::Category(1)), None, given("03,50", Value::Number(3.5)), None, None]);
        assert_eq!(found[1], [given("Paris", Value::Category(0)), None, None, None, None]);
        // A column alone, whose decimal commas are no delimiters; another delimiter; a mark; a column that is not learned.
        assert_eq!(rows(&form, "size\n1,5\n2,5\n").unwrap()[1][2], given("2,5", Value::Number(2.5)));
        let found = rows(&form, "age,day,id\nNA,2020-01-05,x7\n41,,\n").unwrap();
        assert_eq!(
            found[0][1..],
            [
                given("NA", Value::Missing),
                None,
                given("2020-01-05", Value::Date(18_266)),
                given("x7", Value::Generated)
            ]
        );
        assert_eq!(found[1][1..], [given("41", Value::Integer(41)), None, None, None]);
    }

    #[test]
    fn what_no_row_can_have_is_refused() {
        let form = people();
        for (file, parts) in [
            ("", &["holds no rows"][..]),
            ("town;age\nParis;3\n", &["new `town`", "`city`", "leave them out"]),
            ("age;age\n3;4\n", &["several columns are called `age`"]),
            (
                "city\nParis\nOslo\n",
                &["line 3, column 1 (`city`)", "`Oslo` is none of the run's categories", "`Paris`, `Rome`"],
            ),
            (",city\n0,Paris\n", &["column 1 has no name in the first row"]),
            ("city,age,\nParis,3,\nRome,4,x\n", &["line 3, column 3: the column has no name"]),
            ("city\nNA\n", &["line 2", "a missing value", "leave the cell empty"]),
            ("age\n4.5\n", &["line 2, column 1 (`age`)", "not whole", "as in `20`", "leave the cell empty"]),
            ("age\nold\n", &["line 2, column 1 (`age`)", "is text in a column of whole numbers; write it as"]),
            ("day\n05.01.2020\n", &["line 2", "written in another way", "as in `2020-01-01`"]),
            ("city;age\nParis\n", &["line 2 has 1 cell where line 1 has 2"]),
            ("city;age\nParis;\"3\n", &["a quote does not end"]),
            ("\x00\x01\x02", &["no text"]),
            ("PK\x03\x04\0", &["Excel"]),
        ] {
            let problem = rows(&form, file).unwrap_err().to_string();
            assert!(
                problem.starts_with("given.csv") && parts.iter().all(|part| problem.contains(part)),
                "{file:?}: {problem}"
            );
        }
    }

    #[test]
    fn what_is_unusual_is_told() {
        let form = people();
        let input = Input::bytes("given.csv", "age;city\n3;Rome\n\n;\n900;\n40;\n");
        let mut rows = GivenRows::open(&input, &form, &ReadOptions::default()).unwrap();
        assert_eq!(rows.columns(), [1, 0]);
        let mut row = GivenRow::default();
        let mut lines = Vec::new();
        while rows.next(&mut row).unwrap() {
            lines.push(row.line);
        }
        assert_eq!(lines, [2, 4, 5, 6]);
        let notes = rows.notes().join("; ");
        assert!(
            notes.contains("2 cells are beyond the range of `age`") && notes.contains("1 row has empty cells alone"),
            "{notes}"
        );
        // A delimiter behind each row makes no column.
        let found = self::rows(&form, "city,age,\nRome,3,\nParis,,\n").unwrap();
        assert_eq!(found.iter().map(|row| row.iter().flatten().count()).collect::<Vec<_>>(), [2, 1]);
        // In a file of one column a quote tells an empty cell from a blank line.
        let found = self::rows(&form, "city\n\"\"\n\nRome\n\"\"\n").unwrap();
        assert_eq!(found.iter().map(|row| row[0].is_some()).collect::<Vec<_>>(), [false, true, false]);
        // Bytes that are no UTF-8 are those of Windows, unless they come late.
        let towns = self::form(&("town,x\n".to_string() + &"Köln,1\nBonn,2\n".repeat(20)));
        let input = Input::bytes("given.csv", &b"town\nK\xf6ln\n"[..]);
        let mut rows = GivenRows::open(&input, &towns, &ReadOptions::default()).unwrap();
        assert!(rows.next(&mut row).unwrap() && rows.notes()[0].contains("Windows-1252"), "{:?}", rows.notes());
        assert_eq!(row.cells[0].as_ref().unwrap().text, "Köln");
        // What the run's encoding does not have cannot be kept.
        let bytes = [&b"town,x\n"[..], &b"K\xf6ln,a\nBonn,b\nUlm,c\n".repeat(20)].concat();
        let latin = read(&Input::bytes("run.csv", bytes), &ReadOptions::default()).unwrap().form().clone();
        let mut free = latin;
        free.columns[0] = ColumnForm::new("town", Kind::FreeText, Domain::Nothing);
        assert!(self::rows(&free, "town\nCafé €\n").is_ok());
        let problem = self::rows(&free, "town\nŁódź\n").unwrap_err().to_string();
        assert!(
            problem.contains("line 2, column 1 (`town`): `Łódź` has characters") && problem.contains("Windows"),
            "{problem}"
        );
        let late = [b"town\n".to_vec(), b"Bonn\n".repeat(60_000), b"K\xf6ln\n".to_vec()].concat();
        let input = Input::bytes("given.csv", late);
        let mut rows = GivenRows::open(&input, &towns, &ReadOptions::default()).unwrap();
        let error = std::iter::from_fn(|| {
            rows.next(&mut row).map_or_else(|error| Some(Some(error)), |more| more.then_some(None))
        });
        let error = error.flatten().next().unwrap().to_string();
        assert!(error.contains("is not UTF-8 throughout; save it"), "{error}");
    }
}
