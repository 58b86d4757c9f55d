//! Columns of texts: booleans, categories, identifiers and free text.

use crate::distinct::MAX_TEXT;
use crate::form::{Category, Domain, Mark};
use crate::kind::Kind;
use crate::marks::Marks;
use crate::note::Note;
use crate::tally::Tally;
use gannet::internals::numbers::{counted, thousands};

/// Texts of more words on average are sentences.
const SENTENCE: u64 = 6;
/// Texts of more bytes on average are sentences, too.
const LONG: u64 = 80;
/// Texts that are all different, as far as an estimate of 1.6 % tells.
const UNIQUE_PERCENT: u64 = 95;
/// Texts of which so many of a hundred are different name rows, too, with few exceptions.
pub(crate) const RARE_PERCENT: u64 = 80;

/// The pairs of texts that mean false and true.
const PAIRS: [(&str, &str); 9] = [
    ("false", "true"),
    ("no", "yes"),
    ("f", "t"),
    ("n", "y"),
    ("off", "on"),
    ("0", "1"),
    ("0.0", "1.0"),
    ("falsch", "wahr"),
    ("non", "oui"),
];

/// The texts of a column, with the marks that are values in it.
pub(crate) struct Texts<'a> {
    texts: Vec<(&'a str, u64)>,
    /// Marks that are values.
    pub(crate) marks: Vec<usize>,
    /// Cells that have a value.
    pub(crate) count: u64,
}

impl<'a> Texts<'a> {
    /// Those of a column.
    pub(crate) fn of(tally: &'a Tally, marks: &'a Marks) -> Self {
        let mut texts = tally.distinct.by_count();
        let known: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
        // Among numbers and dates, marks are no values.
        let is_text = tally.texts > 0 && 2 * tally.texts >= tally.values();
        let is_boolean = boolean(&texts).is_some();
        let are_values = |mark: usize| is_text && !is_boolean && marks.is_value(mark, &known);
        let values: Vec<&(usize, u64, u64)> = tally.marks.iter().filter(|(mark, ..)| are_values(*mark)).collect();
        let count = tally.values() + values.iter().map(|(_, count, _)| count).sum::<u64>();
        texts.extend(values.iter().map(|(mark, count, _)| (marks.text(*mark), *count)));
        texts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        Self { texts, marks: values.iter().map(|(mark, ..)| *mark).collect(), count }
    }

    /// The texts, the most frequent first.
    pub(crate) fn by_count(&self) -> Vec<(&'a str, u64)> {
        self.texts.clone()
    }

    /// The most frequent mark of missing values, and the number of all.
    pub(crate) fn missing(&self, tally: &Tally, marks: &Marks) -> (Option<Mark>, u64) {
        let missing = || tally.marks.iter().filter(|(mark, ..)| !self.marks.contains(mark));
        let usual = missing().max_by_key(|(mark, count, _)| (*count, std::cmp::Reverse(*mark)));
        let mark = usual
            .map(|(mark, count, quoted)| Mark { text: marks.text(*mark).to_string(), is_quoted: 2 * quoted > *count });
        (mark, missing().map(|(_, count, _)| count).sum())
    }
}

/// The two texts of a boolean, false first, in the spelling that is most frequent; `None` where they are others.
pub(crate) fn boolean(texts: &[(&str, u64)]) -> Option<Domain> {
    PAIRS.iter().find_map(|(no, yes)| {
        let of = |wanted: &str| {
            let spelt = || texts.iter().filter(move |(text, _)| text.eq_ignore_ascii_case(wanted));
            let (text, _) = spelt().next()?;
            Some(Category { text: (*text).to_string(), count: spelt().map(|(_, count)| count).sum() })
        };
        let are_all = texts.iter().all(|(text, _)| text.eq_ignore_ascii_case(no) || text.eq_ignore_ascii_case(yes));
        if !are_all {
            return None;
        }
        Some(Domain::Categories { categories: vec![of(no)?, of(yes)?], rest: None })
    })
}

/// Any two texts as a boolean: the one that comes first in the alphabet is false.
pub(crate) fn pair(texts: &[(&str, u64)]) -> Option<Domain> {
    let [one, other] = texts else { return None };
    let mut pair = [*one, *other];
    pair.sort_unstable();
    let categories = pair.map(|(text, count)| Category { text: text.to_string(), count }).to_vec();
    Some(Domain::Categories { categories, rest: None })
}

/// The most frequent of the texts as categories, all others as the rest.
pub(crate) fn listed(texts: &[(&str, u64)], most: usize) -> Domain {
    let categories: Vec<Category> =
        texts.iter().take(most).map(|(text, count)| Category { text: (*text).to_string(), count: *count }).collect();
    let others: u64 = texts.iter().skip(most).map(|(_, count)| count).sum();
    let rest = (others > 0).then(|| Category { text: rest_name(&categories), count: others });
    Domain::Categories { categories, rest }
}

/// A name for the rest that no category has.
fn rest_name(categories: &[Category]) -> String {
    let mut name = "other".to_string();
    while categories.iter().any(|category| category.text == name) {
        name.push('_');
    }
    name
}

/// The categories of a column, with a rest where they are too many.
pub(crate) fn capped(tally: &Tally, texts: &Texts<'_>, name: &str, most: usize, notes: &mut Vec<Note>) -> Domain {
    let all = texts.by_count();
    // Where most texts are there once, those that are not are the categories.
    let repeated = all.iter().filter(|(_, count)| *count > 1).count();
    let is_crowded = !tally.is_complete() || all.len() > most;
    let kept = if is_crowded { repeated.min(most).max(1) } else { all.len() };
    let mut domain = listed(&all, kept);
    if let Domain::Categories { categories, rest } = &mut domain {
        let known: u64 = categories.iter().map(|category| category.count).sum();
        let others = texts.count.saturating_sub(known);
        *rest = (others > 0).then(|| Category { text: rest_name(categories), count: others });
        if others > 0 {
            notes.push(Note::Rest { column: name.to_string(), kept: categories.len(), cells: others, most });
        }
    }
    domain
}

/// What a column of texts is.
pub(crate) fn of_texts(
    tally: &Tally,
    texts: &Texts<'_>,
    name: &str,
    most: usize,
    notes: &mut Vec<Note>,
) -> (Kind, String, Domain) {
    let different = tally.distinct.len() + texts.marks.len() as u64;
    let (words, letters) = (tally.words / tally.texts.max(1), tally.letters / tally.texts.max(1));
    let is_unique = 100 * different >= UNIQUE_PERCENT * texts.count;
    let is_rare = 2 * different > texts.count;
    if (is_unique || is_rare) && (words > SENTENCE || letters > LONG) {
        let reason = format!("texts of {} on average, most of them different", counted(words, "word"));
        return (Kind::FreeText, reason, Domain::Nothing);
    }
    if letters > MAX_TEXT as u64 {
        return (Kind::FreeText, format!("texts of {letters} letters on average"), Domain::Nothing);
    }
    if is_unique {
        let reason = format!("a different text in each of {}", counted(texts.count, "row"));
        return (Kind::Identifier, reason, Domain::Counter { first: 1, width: 0 });
    }
    if 100 * different > RARE_PERCENT * texts.count {
        let reason = format!("{} different texts in {}", thousands(different), counted(texts.count, "row"));
        return (Kind::Identifier, reason, Domain::Counter { first: 1, width: 0 });
    }
    let about = if tally.is_complete() { "" } else { "about " };
    let reason = format!("{about}{} in {}", counted(different, "distinct text"), counted(texts.count, "row"));
    (Kind::Categorical, reason, capped(tally, texts, name, most, notes))
}
