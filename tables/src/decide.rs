//! What a column is, from what it shows.

use crate::categories::{self, Texts};
use crate::complaint::{complaint, not_whole};
use crate::cure::Setting;
use crate::date_format::{DateFormat, DateUnit, DayOrder};
use crate::date_tally::Certainty;
use crate::form::{Category, Domain, Mark};
use crate::kind::Kind;
use crate::marks::Marks;
use crate::note::Note;
use crate::options::ReadOptions;
use crate::row_numbers::{Numbering, is_name_of_numbers};
use crate::tally::Tally;
use crate::text::shown;
use crate::unread::{are_codes, numbered_texts, unread};
use gannet::internals::numbers::{counted, thousands};

/// Numbers that are so few are categories, where each is there often.
pub(crate) const FEW: u64 = 12;
/// How often each has to be there on average.
pub(crate) const OFTEN: u64 = 5;
/// A column of numbers or dates may have so many other cells, of a hundred, before it is one of texts.
const ODD_PERCENT: u64 = 10;
/// A table of fewer rows has no counter, unless the column has no name: `1, 2, 3` may be values.
pub(crate) const LEAST_COUNTED: u64 = 10;
/// Values that differ by no more than this share of their magnitude differ by rounding: four roundings of 64 bits, what a short
/// computation leaves.
pub(crate) const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// What is known of a column beside its cells.
pub(crate) struct Context<'a> {
    pub(crate) name: &'a str,
    /// Whether it is the first one and has no name.
    pub(crate) is_unnamed_first: bool,
    pub(crate) marks: &'a Marks,
    pub(crate) options: &'a ReadOptions,
    /// The decimal mark of the table.
    pub(crate) decimal: char,
    /// Whether other columns or the caller allow no other.
    pub(crate) is_decimal_certain: bool,
    /// The kind that the caller wants.
    pub(crate) wanted: Option<Kind>,
    /// Whether that is the kind of a form that is known: then it may have no value at all.
    pub(crate) is_known: bool,
    /// The number of the first row, as the tally counts them.
    pub(crate) first_row: u64,
}

/// What a column is.
pub(crate) struct Decision {
    pub(crate) kind: Kind,
    pub(crate) reason: String,
    pub(crate) domain: Domain,
    pub(crate) missing: Option<Mark>,
    pub(crate) missing_cells: u64,
    pub(crate) notes: Vec<Note>,
}

/// Why a column cannot be what it should be.
pub(crate) enum Problem {
    /// A cell on a line.
    Cell(u64, String),
    /// The column as a whole.
    Column(String),
}

/// Decides what a column is.
pub(crate) fn decide(tally: &Tally, context: &Context<'_>) -> Result<Decision, Problem> {
    // The point of this column may be another than that of the table, where nothing else tells what that is.
    let is_whole = context.wanted == Some(Kind::Integer) && tally.numbers.can_have_point_between_thousands();
    let is_between_thousands = !context.is_decimal_certain && (is_whole || tally.numbers.has_point_between_thousands());
    let decimal = if is_between_thousands { ',' } else { context.decimal };
    let context = &Context { decimal, ..*context };
    let texts = Texts::of(tally, context.marks);
    let mut notes = Vec::new();
    let (kind, reason, domain) = match context.wanted {
        Some(kind) => {
            let (domain, reason) = wanted(kind, tally, &texts, context, &mut notes)?;
            (kind, reason, domain)
        }
        None => found(tally, &texts, context, &mut notes)?,
    };
    let (missing, missing_cells) = texts.missing(tally, context.marks);
    // A constant with gaps has two values: the constant, and none.
    let (kind, domain) = match domain {
        Domain::Constant { text } if missing_cells > 0 && texts.count > 0 => {
            let categories = vec![Category { text, count: texts.count }];
            (Kind::Categorical, Domain::Categories { categories, rest: None })
        }
        domain => (kind, domain),
    };
    if let Some(mark) = missing.as_ref().filter(|_| texts.count > 0 && kind.is_learned()) {
        let (column, mark) = (context.name.to_string(), mark.text.clone());
        notes.push(Note::Missing { column, mark, count: missing_cells, rows: tally.cells });
    }
    Ok(Decision { kind, reason, domain, missing, missing_cells, notes })
}

type Found = (Kind, String, Domain);

/// The kind that the cells show.
fn found(tally: &Tally, texts: &Texts<'_>, context: &Context<'_>, notes: &mut Vec<Note>) -> Result<Found, Problem> {
    if texts.count == 0 {
        return Ok((Kind::Constant, "no row has a value".to_string(), Domain::Nothing));
    }
    if let Some(found) = few(tally, texts, context, notes) {
        return Ok(found);
    }
    let are_numbers = tally.numbers.count == tally.values() && texts.marks.is_empty();
    if are_numbers && tally.numbers.are_long_codes() && tally.knows_texts() {
        return Ok(long_codes(tally, texts, context, notes));
    }
    if are_numbers && !tally.numbers.are_codes() {
        return Ok(numbers(tally, context, notes));
    }
    if tally.date_count == tally.values()
        && texts.marks.is_empty()
        && let Some((domain, reason)) = dates(tally, context, notes)
    {
        return Ok((Kind::Date, reason, domain));
    }
    let odd = tally.values() - tally.numbers.count.max(tally.date_count);
    let is_mixed = odd > 0 && 100 * odd <= ODD_PERCENT * tally.values();
    if is_mixed && !tally.numbers.are_codes() && !are_codes(tally, context.decimal) {
        let kind = if tally.numbers.count > tally.date_count { Kind::Continuous } else { Kind::Date };
        if let Some(cell) = &tally.odd {
            return Err(Problem::Cell(cell.line, complaint(&cell.text, kind, context.options.setting_names)));
        }
    }
    let found = categories::of_texts(tally, texts, context.name, context.options.most_categories(), notes);
    let is_left_out = found.0 == Kind::Identifier;
    let numbered = || numbered_texts(texts, context.name).filter(|_| is_left_out);
    notes.extend(unread(tally, texts, context.name, context.decimal).or_else(numbered));
    Ok(found)
}

/// What a column of whole numbers is that are too long to be numbers of 64 bits.
fn long_codes(tally: &Tally, texts: &Texts<'_>, context: &Context<'_>, notes: &mut Vec<Note>) -> Found {
    let (kind, reason, domain) =
        categories::of_texts(tally, texts, context.name, context.options.most_categories(), notes);
    (kind, format!("whole numbers beyond 2^63, taken for texts: {reason}"), domain)
}

/// What a column of few distinct values is, or one that counts rows; `None` for others.
fn few(tally: &Tally, texts: &Texts<'_>, context: &Context<'_>, notes: &mut Vec<Note>) -> Option<Found> {
    let has_gaps = texts.count < tally.cells;
    if let Some(found) = row_numbers(tally, context) {
        return Some(found);
    }
    if !tally.is_complete() {
        return None;
    }
    let listed = texts.by_count();
    let are_numbers = tally.numbers.count == tally.values() && texts.marks.is_empty();
    if are_numbers && !has_gaps && listed.len() as u64 <= FEW {
        let (format, _) = tally.numbers.format(context.decimal);
        let values: Option<Vec<f64>> = listed.iter().map(|(text, _)| format.read(text.as_bytes())).collect();
        let ends = values.map(|values| {
            values
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| (ends.0.min(*value), ends.1.max(*value)))
        });
        // Whole numbers that differ are others, however long they are.
        let may_be_rounded = !tally.numbers.are_integers(&format) && !tally.numbers.are_long_codes();
        if let Some((least, greatest)) = ends
            && may_be_rounded
            && listed.len() > 1
            && greatest - least <= ROUNDING * least.abs().max(greatest.abs())
        {
            let reason = format!("its values differ by rounding only, in {}", counted(tally.cells, "row"));
            return Some((Kind::Constant, reason, Domain::Constant { text: listed.first()?.0.to_string() }));
        }
    }
    if listed.len() == 1 {
        let text = listed.first()?.0.to_string();
        let reason = if has_gaps {
            format!(
                "one value, and none in {} of {}",
                thousands(tally.cells - texts.count),
                counted(tally.cells, "row")
            )
        } else {
            match tally.cells {
                1 => "the only value, of one row".to_string(),
                cells => format!("the same value in all {} rows", thousands(cells)),
            }
        };
        return Some((Kind::Constant, reason, Domain::Constant { text }));
    }
    if let Some(domain) = categories::boolean(&listed) {
        return Some((Kind::Boolean, format!("two values in {} rows", thousands(texts.count)), domain));
    }
    if listed.len() as u64 <= FEW && texts.count >= OFTEN * listed.len() as u64 && tally.date_count == 0 {
        let what = if are_numbers { "numbers" } else { "texts" };
        let reason = format!("{} distinct {what} in {} rows", listed.len(), thousands(texts.count));
        let domain = categories::capped(tally, texts, context.name, context.options.most_categories(), notes);
        return Some((Kind::Categorical, reason, domain));
    }
    None
}

/// What a column is whose whole numbers number its rows; `None` for others.
fn row_numbers(tally: &Tally, context: &Context<'_>) -> Option<Found> {
    if tally.numbers.count < tally.cells {
        return None;
    }
    let width = tally.numbers.width();
    let counter = |first: i64| {
        let domain = Domain::Counter { first, width };
        (Kind::Counter, format!("counts rows up from {first}"), domain)
    };
    let first = tally.numbers.counts_from().and_then(|first| first.checked_add(i64::try_from(context.first_row).ok()?));
    let is_counter = first.is_some_and(|first| context.is_unnamed_first || matches!(first, 0 | 1))
        && (tally.cells >= LEAST_COUNTED || (context.is_unnamed_first && tally.cells > 1));
    if let Some(first) = first.filter(|_| is_counter) {
        return Some(counter(first));
    }
    // Measurements may be consecutive, too: names tell, or zeros in front.
    if !context.is_unnamed_first && width == 0 && !is_name_of_numbers(context.name) {
        return None;
    }
    match tally.numbers.numbering(context.first_row)? {
        Numbering::Upwards(first) => Some(counter(first)),
        Numbering::Shuffled(first) => {
            let reason = format!("each whole number from {first} on in one row");
            Some((Kind::Identifier, reason, Domain::Counter { first, width }))
        }
    }
}

/// What a column of numbers is.
fn numbers(tally: &Tally, context: &Context<'_>, notes: &mut Vec<Note>) -> Found {
    if tally.numbers.are_days() {
        let reason = "whole numbers that are days, as 20240531".to_string();
        return (Kind::Date, reason, Domain::Dates { format: compact_days(), range: [0, 0] });
    }
    let (format, unclear) = tally.numbers.format(context.decimal);
    if let Some(unclear) = unclear.filter(|_| !context.is_decimal_certain) {
        let column = context.name.to_string();
        notes.push(Note::Thousands { column, mark: unclear.mark, is_decimal: unclear.is_decimal });
    }
    if tally.numbers.are_integers(&format) {
        let reason = match format.width {
            0 => "whole numbers".to_string(),
            width => format!("whole numbers of {}", counted(u64::from(width), "digit")),
        };
        return (Kind::Integer, reason, Domain::Integers { format, range: [0, 0] });
    }
    let reason = if tally.numbers.has_decimals(&format) {
        format!("numbers with up to {}", counted(u64::from(format.max_decimals), "decimal"))
    } else {
        if tally.numbers.are_long_codes() {
            notes.push(Note::Digits(context.name.to_string()));
        }
        "whole numbers beyond 2^63".to_string()
    };
    (Kind::Continuous, reason, Domain::Numbers { format, range: [0.0, 0.0] })
}

/// The format of `20240531`.
fn compact_days() -> DateFormat {
    let mut format = DateFormat::iso(None);
    if let Some(day) = &mut format.day {
        day.separators = [String::new(), String::new()];
    }
    format
}

/// What a column of dates is.
fn dates(tally: &Tally, context: &Context<'_>, notes: &mut Vec<Note>) -> Option<(Domain, String)> {
    let (format, certainty) = tally.dates.format(context.options.day_first)?;
    let column = context.name.to_string();
    let example = tally.distinct.by_count().first().map_or_else(String::new, |(text, _)| (*text).to_string());
    match certainty {
        Certainty::Certain => {}
        Certainty::Assumed => {
            let day_first = format.day.as_ref().is_some_and(|day| day.order == DayOrder::DayMonthYear);
            notes.push(Note::DayOrder { column, day_first });
        }
        Certainty::YearAssumed => {
            notes.push(Note::YearOrDay { column, example: example.clone(), taken: Some(DateUnit::Month) });
        }
        Certainty::DayAssumed => {
            notes.push(Note::YearOrDay { column, example: example.clone(), taken: Some(DateUnit::Day) });
        }
        // Who wants dates means years.
        Certainty::YearDoubtful if context.wanted == Some(Kind::Date) => {}
        Certainty::YearDoubtful => return None,
    }
    let what = match (&format.day, &format.time) {
        (Some(_), None) => "dates",
        (None, _) if format.is_duration() => "durations",
        (None, _) => "times",
        (Some(_), Some(_)) => "dates with times",
    };
    let example = if example.is_empty() { example } else { format!(", as {}", shown(&example)) };
    Some((Domain::Dates { format, range: [0, 0] }, format!("{what}{example}")))
}

/// The domain of a column that the caller says to be of a kind.
fn wanted(
    kind: Kind,
    tally: &Tally,
    texts: &Texts<'_>,
    context: &Context<'_>,
    notes: &mut Vec<Note>,
) -> Result<(Domain, String), Problem> {
    if context.is_known && texts.count == 0 {
        return Ok((Domain::Nothing, "no row has a value".to_string()));
    }
    let cures = [
        ("make it categorical", Some(Setting::Kind(Kind::Categorical))),
        ("leave it out", Some(Setting::Drop)),
        ("correct its cells", None),
    ];
    let cures = &cures[usize::from(kind == Kind::Categorical)..];
    let refused = |why: &str| {
        Err(Problem::Column(format!("cannot be {kind}: {why}; {}", context.options.setting_names.cures(cures))))
    };
    let odd = || match &tally.odd {
        Some(cell) => Err(Problem::Cell(cell.line, complaint(&cell.text, kind, context.options.setting_names))),
        None => refused("it has values of another kind"),
    };
    let domain = match kind {
        Kind::Continuous | Kind::Integer => {
            if tally.numbers.count == 0 {
                return if tally.odd.is_some() { odd() } else { refused("it has no numbers") };
            }
            if tally.numbers.count < tally.values() {
                return odd();
            }
            let (format, _) = tally.numbers.format(context.decimal);
            match kind {
                Kind::Continuous => Domain::Numbers { format, range: [0.0, 0.0] },
                _ if tally.numbers.are_integers(&format) => Domain::Integers { format, range: [0, 0] },
                _ => match tally.first_not_whole(&format) {
                    Some((cell, why)) => {
                        return Err(Problem::Cell(
                            cell.line,
                            not_whole(&cell.text, why, context.is_known, context.options.setting_names),
                        ));
                    }
                    None => return refused("some of its numbers are not whole, or beyond 2^63"),
                },
            }
        }
        Kind::Date if tally.numbers.are_days() && tally.numbers.count == tally.values() => {
            Domain::Dates { format: compact_days(), range: [0, 0] }
        }
        Kind::Date => match dates(tally, context, notes) {
            Some((domain, _)) if tally.date_count == tally.values() && tally.date_count > 0 => domain,
            _ => return odd(),
        },
        Kind::Boolean => {
            let listed = texts.by_count();
            match categories::boolean(&listed).or_else(|| categories::pair(&listed)) {
                Some(domain) if tally.is_complete() => domain,
                _ => return refused("it has not two values"),
            }
        }
        Kind::Categorical => {
            if texts.count == 0 {
                return refused("it has no values");
            }
            categories::capped(tally, texts, context.name, context.options.most_categories(), notes)
        }
        Kind::Constant => match texts.by_count().first() {
            None => Domain::Nothing,
            Some((text, _)) if tally.distinct.len() + texts.marks.len() as u64 == 1 => {
                Domain::Constant { text: (*text).to_string() }
            }
            Some(_) => return refused("it has several values"),
        },
        Kind::Counter | Kind::Identifier => {
            let first = tally.numbers.counts_from().filter(|_| tally.numbers.count == tally.cells);
            let first = first.and_then(|first| first.checked_add(i64::try_from(context.first_row).ok()?));
            let is_counter = first.is_some();
            let shuffled = match tally.numbers.numbering(context.first_row) {
                Some(Numbering::Shuffled(first)) if tally.numbers.count == tally.cells => Some(first),
                _ => None,
            };
            let width = if is_counter || shuffled.is_some() { tally.numbers.width() } else { 0 };
            Domain::Counter { first: first.or(shuffled).unwrap_or(1), width }
        }
        Kind::FreeText => Domain::Nothing,
    };
    Ok((domain, "as it was asked for".to_string()))
}
