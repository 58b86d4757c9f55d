//! The first pass over a table: its encoding, its dialect, its columns and the kind of each.

use std::io::Read;

use gannet::{Error, Result};

use crate::contents::looks_like;
use crate::decide::{Context, Decision, Problem, decide};
use crate::dialect::{Dialect, Header, Trailing};
use crate::encoding::{Decoded, Encoding, detect};
use crate::form::{ColumnForm, Form};
use crate::header::{First, first_row, is_units};
use crate::identity::{Matched, matched};
use crate::input::Input;
use crate::kind::Kind;
use crate::marks::Marks;
use crate::note::Note;
use crate::options::{MAX_CATEGORIES, ReadOptions};
use crate::records::{Cell, Record, Records, Split};
use crate::select::{names, selected};
use crate::sniff::{Sniffed, sniff};
use crate::tally::Tally;
use crate::text::shown;

/// Bytes that a file is judged by before it is read.
const HEAD: usize = 1 << 18;
/// Texts that are remembered of all columns together, and of one.
const REMEMBERED: usize = 1 << 18;
const REMEMBERED_OF_ONE: [usize; 2] = [64, 8192];

/// What a table has, and how it is read a second time.
pub(crate) struct Survey {
    pub(crate) form: Form,
    /// The rows of the table.
    pub(crate) rows: u64,
    /// Cells of a row of the file.
    pub(crate) width: usize,
    /// The place of each column of the form in the file.
    pub(crate) places: Vec<usize>,
    /// Records before the first row.
    pub(crate) skipped: u64,
    pub(crate) split: Split,
    pub(crate) notes: Vec<Note>,
}

/// A cell of one of the first rows.
struct Lead {
    cells: Vec<(String, bool)>,
    line: u64,
}

impl Lead {
    fn of(record: Record<'_>) -> Self {
        let cells = record.cells().map(|cell| (String::from_utf8_lossy(cell.text).into_owned(), cell.is_quoted));
        Self { cells: cells.collect(), line: record.line }
    }

    fn texts(&self) -> Vec<String> {
        self.cells.iter().map(|(text, _)| text.clone()).collect()
    }
}

/// All rows of a file, counted and tallied.
struct Pass {
    first: Lead,
    second: Option<Lead>,
    tallies: Vec<Tally>,
    /// Rows after the first two.
    rows: u64,
    comments: u64,
    blanks: u64,
    ends_with_line_end: bool,
}

/// Text of `input` in an encoding, behind its byte order mark.
pub(crate) fn text<'a>(input: &'a Input, dialect: &Dialect) -> Result<Decoded<Box<dyn Read + 'a>>> {
    let mut reader = input.open()?;
    if dialect.has_byte_order_mark {
        let mut mark = vec![0; dialect.encoding.byte_order_mark().len()];
        reader.read_exact(&mut mark).map_err(|source| input.refused(source))?;
    }
    Ok(Decoded::new(reader, &dialect.encoding))
}

/// Looks at a whole table; where `known` is given, as one of that form.
pub(crate) fn survey(input: &Input, options: &ReadOptions, known: Option<&Form>) -> Result<Survey> {
    let (head, is_whole) = head(input)?;
    if let Some(what) = looks_like(&head) {
        return Err(input.error(format!("is {what}")));
    }
    let no_text = || input.error("holds bytes that are no text, so it is no table; save the table as CSV in UTF-8");
    let (mut encoding, has_mark) = match (&options.encoding, detect(&head)) {
        (Some(encoding), found) => {
            let has_mark = found.is_some_and(|(found, has_mark)| has_mark && found == *encoding);
            (encoding.clone(), has_mark)
        }
        (None, found) => found.ok_or_else(no_text)?,
    };
    let mut notes = Vec::new();
    // What is not UTF-8 after all is found out at its first byte that is none: then all begins anew.
    loop {
        let dialect = Dialect { encoding, has_byte_order_mark: has_mark, ..Dialect::default() };
        match attempt(input, &head, is_whole, dialect, Wanted { options, known }) {
            Attempt::Done(result) => {
                let mut survey = result?;
                notes.append(&mut survey.notes);
                survey.notes = notes;
                return Ok(survey);
            }
            Attempt::NotUtf8 if options.encoding.is_none() && !has_mark => {
                encoding = Encoding::Windows1252;
                notes.push(Note::Encoding(encoding.name().to_string()));
            }
            Attempt::NotUtf8 => {
                return Err(input.error("is not UTF-8 throughout; name its encoding, or save it as UTF-8"));
            }
        }
    }
}

/// What a caller wants of a table.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    options: &'a ReadOptions,
    /// The form that the table has to have.
    known: Option<&'a Form>,
}

enum Attempt {
    Done(Result<Survey>),
    NotUtf8,
}

/// Looks at a whole table in an encoding.
fn attempt(input: &Input, head: &[u8], is_whole: bool, dialect: Dialect, wanted: Wanted<'_>) -> Attempt {
    let options = wanted.options;
    let Some(head) = head_text(head, is_whole, &dialect) else { return Attempt::NotUtf8 };
    if head.trim().is_empty() && is_whole {
        return Attempt::Done(Err(input.error("holds no rows; give a table with a row a sample")));
    }
    let mut sniffed = sniff(&head, options);
    sniffed.dialect.encoding = dialect.encoding;
    sniffed.dialect.has_byte_order_mark = dialect.has_byte_order_mark;
    let text = match text(input, &sniffed.dialect) {
        Ok(text) => text,
        Err(error) => return Attempt::Done(Err(error)),
    };
    let marks = Marks::new(options.missing.as_deref());
    let mut records = Records::new(text, input.origin(), sniffed.split);
    match pass(&mut records, input, options, &marks) {
        Err(_) if records.source().has_met_other_bytes() => Attempt::NotUtf8,
        Err(error) => Attempt::Done(Err(error)),
        Ok(pass) => Attempt::Done(conclude(pass, sniffed, input, wanted, &marks)),
    }
}

/// The first bytes of a file, and whether they are all.
fn head(input: &Input) -> Result<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    let read = input.open()?.take(HEAD as u64).read_to_end(&mut head);
    read.map_err(|source| input.refused(source))?;
    let is_whole = head.len() < HEAD;
    Ok((head, is_whole))
}

/// The whole lines of the first bytes as text; `None` where they are not in the encoding.
fn head_text(head: &[u8], is_whole: bool, dialect: &Dialect) -> Option<String> {
    let mark = if dialect.has_byte_order_mark { dialect.encoding.byte_order_mark().len() } else { 0 };
    let mut decoded = Decoded::new(head.get(mark..)?, &dialect.encoding);
    let (mut text, mut block) = (Vec::new(), vec![0; HEAD]);
    loop {
        match decoded.read(&mut block) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(&block[..read]),
            // The last character may be cut.
            Err(_) if !is_whole && head.len() - text.len() - mark < 4 => break,
            Err(_) => return None,
        }
    }
    if !is_whole {
        let last = text.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        text.truncate(last.map_or(text.len(), |last| last + 1));
    }
    String::from_utf8(text).ok()
}

/// Reads all rows.
fn pass<R: Read>(records: &mut Records<R>, input: &Input, options: &ReadOptions, marks: &Marks) -> Result<Pass> {
    let Some(first) = records.next()?.map(Lead::of) else {
        return Err(input.error("holds no rows; give a table with a row a sample"));
    };
    let second = records.next()?.map(Lead::of);
    let columns = second.as_ref().unwrap_or(&first).cells.len();
    let (first_length, second_line) = (first.cells.len(), second.as_ref().map_or(first.line, |second| second.line));
    if first_length != columns && first_length + 1 != columns {
        return Err(input.error(length_problem(second_line, columns, first.line, first_length)));
    }
    let limit = (REMEMBERED / columns.max(1)).clamp(REMEMBERED_OF_ONE[0], REMEMBERED_OF_ONE[1]);
    let limit = limit.max(2 * options.max_categories.min(MAX_CATEGORIES));
    // Which column that is, its name will tell.
    let wants_categories = options.kinds.values().any(|kind| *kind == Kind::Categorical);
    let mut tallies = vec![Tally::new(limit, wants_categories); columns];
    let mut rows = 0;
    // What the tallies take: their own size, their sketches and tables, and the text in those.
    let mut taken = input.held() + (columns * size_of::<Tally>()) as u64;
    while let Some(record) = records.next()? {
        if record.len() != columns {
            return Err(input.error(length_problem(record.line, record.len(), second_line, columns)));
        }
        let mut added = 0;
        for (cell, tally) in record.cells().zip(&mut tallies) {
            added += tally.add(cell, record.line, rows + 2, marks);
        }
        rows += 1;
        if added > 0 {
            taken += added as u64;
            check_limit(taken, options.memory_limit)?;
        }
    }
    let counts = records.counts();
    Ok(Pass {
        first,
        second,
        tallies,
        rows,
        comments: counts.comments,
        blanks: counts.blanks,
        ends_with_line_end: counts.ends_with_line_end,
    })
}

/// Refuses more memory than the limit.
pub(crate) fn check_limit(needed: u64, limit: u64) -> Result<()> {
    if needed > limit { Err(Error::MemoryLimit { needed, limit }) } else { Ok(()) }
}

/// What to do about a row of another length.
pub(crate) fn length_problem(line: u64, found: usize, other_line: u64, expected: usize) -> String {
    let cells = |count: usize| if count == 1 { "1 cell".to_string() } else { format!("{count} cells") };
    let cure = if found > expected {
        "put cells that hold the delimiter in quotes, or name the delimiter"
    } else {
        "complete it, or leave it out"
    };
    format!("line {line} has {} where line {other_line} has {}; {cure}", cells(found), cells(expected))
}

/// Decides what the columns are.
fn conclude(mut pass: Pass, sniffed: Sniffed, input: &Input, wanted: Wanted<'_>, marks: &Marks) -> Result<Survey> {
    let Wanted { options, known } = wanted;
    let mut notes = Vec::new();
    let Sniffed { mut dialect, split, comment_before, is_comma_unclear } = sniffed;
    if is_comma_unclear {
        notes.push(Note::CommaInOneColumn { as_one_column: pass.tallies.len() == 1 });
    }
    if pass.comments + pass.blanks > 0 {
        notes.push(Note::Lines { comments: pass.comments, blanks: pass.blanks });
    }
    let width = pass.tallies.len();
    // A row that ends with a delimiter has an empty cell behind its last one.
    let last_is_empty = |lead: &Lead| lead.cells.last().is_some_and(|(text, _)| text.is_empty());
    let is_short = pass.first.cells.len() < width;
    let is_trailing = width > 1
        && (is_short || last_is_empty(&pass.first))
        && pass.second.as_ref().is_none_or(last_is_empty)
        && pass.tallies.last().is_some_and(|tally| tally.values() == 0 && only_empty(tally, marks));
    if is_trailing {
        pass.tallies.pop();
        if let Some(second) = &mut pass.second {
            second.cells.pop();
        }
        if !is_short {
            pass.first.cells.pop();
        }
        dialect.trailing = if is_short { Trailing::Rows } else { Trailing::All };
    }
    let is_short = is_short && !is_trailing;
    let columns = pass.tallies.len();
    // The second line is units, or a row.
    let mut units = None;
    let total = pass.rows + 1 + u64::from(pass.second.is_some());
    if let Some(second) = pass.second.take() {
        if options.header != Some(false) && is_units(&second.texts(), &pass.tallies, pass.rows, marks) {
            notes.push(Note::Units(second.texts()));
            units = Some(second.texts());
        } else {
            add(&mut pass.tallies, &second, 1, marks);
        }
    }
    let below = total - 1 - u64::from(units.is_some());
    let first = match options.header {
        _ if is_short => First::Names,
        Some(true) => First::Names,
        Some(false) => First::Row,
        None => first_row(&pass.first.texts(), &pass.tallies, below, marks),
    };
    let mut headings = None;
    let mut skipped = u64::from(units.is_some());
    match first {
        First::Row => add(&mut pass.tallies, &pass.first, 0, marks),
        First::Counts => {
            notes.push(Note::CountLine);
            skipped += 1;
        }
        First::Names | First::NumericNames | First::AssumedNames => {
            let texts = pass.first.texts();
            match first {
                First::NumericNames => notes.push(Note::NumericHeader(texts.clone())),
                First::AssumedNames => notes.push(Note::HeaderAssumed),
                _ => {}
            }
            let is_quoted = pass.first.cells.iter().all(|(text, is_quoted)| *is_quoted || text.is_empty())
                && pass.first.cells.iter().any(|(_, is_quoted)| *is_quoted);
            dialect.header = Some(Header { is_quoted, is_short, prefix: String::new() });
            headings = Some(if is_short { [vec![String::new()], texts].concat() } else { texts });
            skipped += 1;
        }
    }
    if headings.is_none() {
        dialect.header = None;
        if let Some((prefix, comment)) = comment_before.filter(|_| options.header != Some(false)) {
            let texts = cells_of(&comment, split, input);
            if texts.len() == columns && texts.iter().any(|text| text.chars().any(char::is_alphabetic)) {
                dialect.header = Some(Header { prefix, ..Header::default() });
                headings = Some(texts);
            }
        }
    }
    let rows = total - skipped;
    if rows == 0 {
        return Err(input.error("holds a header and no row; give a table with a row a sample"));
    }
    dialect.units = units;
    dialect.has_final_line_end = pass.ends_with_line_end;
    let headings = headings.unwrap_or_else(|| vec![String::new(); columns]);
    let names = names(&headings);
    let places = match known {
        None => selected(&names, options, input)?,
        Some(form) => {
            let (how, places) = matched(form, &names, dialect.header.is_some(), &input.origin().display().to_string())?;
            if how == Matched::ByPosition {
                notes.push(Note::ByPosition);
            }
            places
        }
    };
    if let Some(units) = &mut dialect.units {
        *units = places.iter().filter_map(|&place| units.get(place).cloned()).collect();
    }
    if places.first() != Some(&0) {
        if let Some(header) = &mut dialect.header {
            header.is_short = false;
        }
    }
    let (decimal, is_decimal_certain) = decimal(&pass.tallies, options);
    let first_row = if matches!(first, First::Row) { 0 } else { skipped };
    let mut form = Form { dialect, columns: Vec::with_capacity(places.len()), dropped: Vec::new() };
    for (index, &place) in places.iter().enumerate() {
        let (tally, name, heading) = (&pass.tallies[place], &names[place], &headings[place]);
        let is_unnamed_first = place == 0 && heading.is_empty() && form.dialect.header.is_some();
        let known = known.and_then(|form| form.columns.get(index)).map(|column| column.kind);
        let wanted = known.map(as_known).or(options.kinds.get(name).copied());
        let is_known = known.is_some();
        let context = Context {
            name,
            is_unnamed_first,
            marks,
            options,
            decimal,
            is_decimal_certain,
            wanted,
            is_known,
            first_row,
        };
        let decision = decide(tally, &context).map_err(|problem| match problem {
            Problem::Cell(line, what) => {
                input.error(format!("line {line}, column {} (`{}`): {what}", place + 1, shown(name)))
            }
            Problem::Column(what) => Error::setting(format!("column `{}`", shown(name)), what),
        })?;
        form.columns.push(column(decision, tally, name, heading, is_unnamed_first, &mut notes));
    }
    form.dropped =
        names.iter().enumerate().filter(|(place, _)| !places.contains(place)).map(|(_, name)| name.clone()).collect();
    Ok(Survey { form, rows, width, places, skipped, split, notes })
}

/// The kind to read a column as that is known to be of a kind: categories are those that are known, and what is not learned is not read.
fn as_known(kind: Kind) -> Kind {
    match kind {
        Kind::Continuous | Kind::Integer | Kind::Date => kind,
        Kind::Boolean | Kind::Categorical => Kind::Categorical,
        _ => Kind::FreeText,
    }
}

/// The form of a column, with a note where it is left out.
fn column(
    decision: Decision,
    tally: &Tally,
    name: &str,
    heading: &str,
    is_unnamed_first: bool,
    notes: &mut Vec<Note>,
) -> ColumnForm {
    let Decision { kind, reason, domain, missing, missing_cells, notes: found } = decision;
    notes.extend(found);
    let instead = match kind {
        Kind::Identifier | Kind::Counter if is_unnamed_first => {
            notes.push(Note::RowNames(name.to_string()));
            None
        }
        Kind::Identifier | Kind::Counter => Some("new rows are counted"),
        Kind::FreeText => Some("new rows have none"),
        _ => None,
    };
    if let Some(instead) = instead {
        notes.push(Note::LeftOut { column: name.to_string(), reason: format!("{reason}; {instead}") });
    }
    ColumnForm {
        name: name.to_string(),
        heading: heading.to_string(),
        kind,
        reason,
        domain,
        missing,
        missing_cells,
        is_quoted: tally.quoted > 0 && tally.quoted == tally.values(),
    }
}

/// The cells of a line that is a comment.
fn cells_of(line: &str, split: Split, input: &Input) -> Vec<String> {
    let split = Split { comment: None, skipped_lines: 0, ..split };
    let mut records = Records::new(line.as_bytes(), input.origin(), split);
    records.next().ok().flatten().map(|record| Lead::of(record).texts()).unwrap_or_default()
}

/// Takes one of the first rows after all.
fn add(tallies: &mut [Tally], lead: &Lead, row: u64, marks: &Marks) {
    for ((text, is_quoted), tally) in lead.cells.iter().zip(tallies) {
        tally.add(Cell { text: text.as_bytes(), is_quoted: *is_quoted }, lead.line, row, marks);
    }
}

/// Whether a column without values has empty cells alone.
fn only_empty(tally: &Tally, marks: &Marks) -> bool {
    tally.marks.iter().all(|(mark, ..)| marks.text(*mark).is_empty())
}

/// The decimal mark of a table, and whether that is certain: what the caller says, or what the columns need that allow one alone.
fn decimal(tallies: &[Tally], options: &ReadOptions) -> (char, bool) {
    let needs = |comma: bool| tallies.iter().any(|tally| tally.numbers.needs_comma() == Some(comma));
    match (options.decimal, needs(true), needs(false)) {
        (Some(decimal), ..) => (decimal, true),
        (None, true, false) => (',', true),
        (None, false, true) => ('.', true),
        _ => ('.', false),
    }
}
