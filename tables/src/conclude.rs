//! What a table has, concluded from all its rows.

use gannet::{Error, Result};

use crate::cure::{Cure, Setting};
use crate::decide::{Context, Decision, Problem, decide};
use crate::dialect::{Header, Trailing};
use crate::form::{ColumnForm, Form};
use crate::header::{First, first_row, is_units};
use crate::identity::{Matched, matched};
use crate::input::Input;
use crate::kind::Kind;
use crate::lead::Lead;
use crate::marks::Marks;
use crate::note::Note;
use crate::options::ReadOptions;
use crate::pass::Pass;
use crate::record::{Cell, Split};
use crate::records::Records;
use crate::scan::scan;
use crate::select::{names, selected};
use crate::sniff::Sniffed;
use crate::tally::Tally;
use crate::text::shown;

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

/// What a caller wants of a table.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) options: &'a ReadOptions,
    /// The form that the table has to have.
    pub(crate) known: Option<&'a Form>,
}

/// Decides what the columns are.
pub(crate) fn conclude(
    mut pass: Pass,
    sniffed: Sniffed,
    input: &Input,
    wanted: Wanted<'_>,
    marks: &Marks,
) -> Result<Survey> {
    let Wanted { options, known } = wanted;
    let mut notes = Vec::new();
    let Sniffed { mut dialect, split, comment_before, is_comma_unclear, other_delimiter } = sniffed;
    if is_comma_unclear {
        notes.push(Note::CommaInOneColumn { as_one_column: pass.tallies.len() == 1 });
    }
    let width = pass.tallies.len();
    notes.extend(note_above(&pass.above, width));
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
    // The second line is units below names, or a row.
    let total = pass.rows + 1 + u64::from(pass.second.is_some());
    let mut units = pass.second.take();
    if let Some(second) = units
        .take_if(|second| options.header == Some(false) || !is_units(&second.texts(), &pass.tallies, pass.rows, marks))
    {
        add(&mut pass.tallies, &second, 1, marks);
    }
    let below = total - 1 - u64::from(units.is_some());
    let is_quoted = pass.first.cells.iter().all(|(text, is_quoted)| *is_quoted || text.is_empty())
        && pass.first.cells.iter().any(|(_, is_quoted)| *is_quoted);
    let first = match options.header {
        _ if is_short => First::Names,
        Some(true) => First::Names,
        Some(false) => First::Row,
        None if pass.are_names && pass.first.texts().iter().any(|text| scan(text.as_bytes()).is_some()) => {
            First::NumericNames
        }
        None if pass.are_names => First::Names,
        None => first_row(&pass.first.texts(), is_quoted, &pass.tallies, below, marks),
    };
    // Of what is above a table, a comment is the farther.
    let comment = comment_before.filter(|_| options.header != Some(false) && pass.above.is_empty());
    let comment = comment.map(|(prefix, comment)| (prefix, cells_of(&comment, split, input)));
    let comment = comment.filter(|(_, texts)| texts.len() == columns && texts.iter().any(|text| has_letter(text)));
    // What was only assumed to be names is a row below names.
    let first = match first {
        First::AssumedNames | First::NumericNames if comment.as_ref().is_some_and(|(_, texts)| are_names(texts)) => {
            First::Row
        }
        first => first,
    };
    if let Some(second) = units.take_if(|_| matches!(first, First::Row | First::Counts)) {
        add(&mut pass.tallies, &second, 1, marks);
    }
    let units = units.map(|second| second.texts());
    notes.extend(units.clone().map(Note::Units));
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
            dialect.header = Some(Header { is_quoted, is_short, prefix: String::new() });
            headings = Some(if is_short { [vec![String::new()], texts].concat() } else { texts });
            skipped += 1;
        }
    }
    if headings.is_none() {
        dialect.header = None;
        if let Some((prefix, texts)) = comment {
            dialect.header = Some(Header { prefix, ..Header::default() });
            headings = Some(texts);
            pass.comments = pass.comments.saturating_sub(1);
        }
    }
    if pass.comments + pass.blanks > 0 {
        notes.push(Note::Lines { comments: pass.comments, blanks: pass.blanks });
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
        None => selected(&names, options, Some(&input.origin().display().to_string()))?,
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
    if places.first() != Some(&0)
        && let Some(header) = &mut dialect.header
    {
        header.is_short = false;
    }
    let (decimal, is_decimal_certain) = decimal(&pass.tallies, options);
    let first_row = if matches!(first, First::Row) { 0 } else { skipped };
    let mut other_decimal = Vec::new();
    let mut form = Form { dialect, columns: Vec::with_capacity(places.len()), dropped: Vec::new() };
    for (index, &place) in places.iter().enumerate() {
        let (tally, name, heading) = (&pass.tallies[place], &names[place], &headings[place]);
        let is_unnamed_first = place == 0 && heading.is_empty() && form.dialect.header.is_some();
        let known = known.and_then(|form| form.columns.get(index)).map(|column| column.kind);
        let wanted = known.map(as_known).or(options.kind(name));
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
                let may_be_header = options.header == Some(false) && line == pass.first.line;
                let cures: &[Cure] = &[("say that the first line has names", Some(Setting::Header(true)))];
                let cure = options.setting_names.behind(if may_be_header { cures } else { &[] }, " if it has");
                input.error(format!("line {line}, column {} (`{}`): {what}{cure}", place + 1, shown(name)))
            }
            Problem::Column(what) => Error::setting(format!("column `{}`", shown(name)), what),
        })?;
        let is_other = |mark| tally.numbers.needs_comma().is_some_and(|needs| needs != (mark == ','));
        if options.decimal.is_some_and(is_other) && matches!(decision.kind, Kind::Continuous | Kind::Integer) {
            other_decimal.push(name.clone());
        }
        form.columns.push(column(decision, tally, name, heading, is_unnamed_first, &mut notes));
    }
    if let Some(mark) = options.decimal.filter(|_| !other_decimal.is_empty()) {
        notes.push(Note::OtherDecimal { columns: other_decimal, mark });
    }
    if let (Some(asked), Some(found), [column], None) = (options.delimiter, other_delimiter, &*form.columns, known) {
        let note = Note::NoDelimiter { asked: asked.name(), found: found.name() };
        match column.kind {
            Kind::Identifier | Kind::FreeText => return Err(input.error(note.told(options.setting_names))),
            Kind::Categorical => notes.push(note),
            // Numbers and dates may have the sign in them.
            _ => {}
        }
    }
    let skipped = skipped + pass.above.len() as u64;
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

/// What to tell of lines above a table whose rows have `width` cells.
fn note_above(above: &[Lead], width: usize) -> Option<Note> {
    let texts: Vec<String> = above.iter().flat_map(Lead::texts).filter(|text| !text.is_empty()).collect();
    // Lines of fewer cells are neither, whatever a caller says.
    let may_be_row = above.iter().any(|lead| lead.cells.len() == width);
    let may_be_names = above.len() == 1 && above.iter().any(|lead| lead.cells.len() + 1 >= width);
    (!above.is_empty()).then_some(Note::LinesAbove { lines: above.len(), texts, may_be_names, may_be_row })
}

fn has_letter(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Whether the cells of a comment are names of columns, and no sentence.
fn are_names(texts: &[String]) -> bool {
    texts.iter().all(|text| has_letter(text) && !text.contains(' '))
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
