//! All rows of a file, counted and tallied.

use std::collections::HashSet;
use std::io::Read;

use gannet::internals::numbers::counted;
use gannet::{Error, Result};

use crate::cure::{Cure, Setting, SettingNames};
use crate::form::Form;
use crate::input::Input;
use crate::lead::{Lead, leads};
use crate::lines_above::lines_above;
use crate::marks::Marks;
use crate::options::ReadOptions;
use crate::records::Records;
use crate::tally::Tally;

/// Bytes of texts between two looks at the memory that they take.
const CHECKED: usize = 1 << 16;
/// Texts that are remembered of all columns together, and of one.
const REMEMBERED: usize = 1 << 18;
const REMEMBERED_OF_ONE: [usize; 2] = [16, 8192];

/// All rows of a file, counted and tallied.
pub(crate) struct Pass {
    /// Lines above the table.
    pub(crate) above: Vec<Lead>,
    /// Whether these show that the first row has names.
    pub(crate) are_names: bool,
    pub(crate) first: Lead,
    pub(crate) second: Option<Lead>,
    pub(crate) tallies: Vec<Tally>,
    /// Rows after the first two.
    pub(crate) rows: u64,
    pub(crate) comments: u64,
    pub(crate) blanks: u64,
    pub(crate) ends_with_line_end: bool,
}

/// Reads all rows; where `known` is given, of a table of that form.
pub(crate) fn pass<R: Read>(
    records: &mut Records<R>,
    input: &Input,
    options: &ReadOptions,
    known: Option<&Form>,
    marks: &Marks,
) -> Result<Pass> {
    let mut leads = leads(records)?;
    // No line is above names that are known.
    let begins = leads.first().zip(known).is_some_and(|(lead, form)| names_all(lead, form));
    let (count, are_names) = if begins { (0, true) } else { lines_above(&leads, options, marks) };
    let below = leads.split_off(count);
    let (above, mut leads) = (leads, below.into_iter());
    let Some(first) = leads.next() else {
        return Err(input.error("holds no rows; give a table with a row a sample"));
    };
    let second = leads.next();
    let columns = second.as_ref().unwrap_or(&first).cells.len();
    let (first_length, second_line) = (first.cells.len(), second.as_ref().map_or(first.line, |second| second.line));
    let names = options.setting_names;
    if first_length != columns && first_length + 1 != columns {
        return Err(input.error(top_problem(second_line, columns, first.line, first_length, names)));
    }
    let limit = (REMEMBERED / columns.max(1)).clamp(REMEMBERED_OF_ONE[0], REMEMBERED_OF_ONE[1]);
    // Which column that is, its name will tell.
    let wants_categories = options.wants_categories();
    let fixed = input.held() + (columns * size_of::<Tally>()) as u64;
    check_limit(fixed, options.memory_limit)?;
    let mut tallies = vec![Tally::new(limit, wants_categories); columns];
    let (mut rows, mut unchecked) = (0, 0);
    for lead in leads {
        if lead.cells.len() != columns {
            return Err(input.error(top_problem(lead.line, lead.cells.len(), second_line, columns, names)));
        }
        for (cell, tally) in lead.cells().zip(&mut tallies) {
            unchecked += tally.add(cell, lead.line, rows + 2, marks);
        }
        rows += 1;
    }
    while let Some(record) = records.next()? {
        if record.len() != columns {
            // One cell a line may be text above a table that is farther below than others.
            let problem = if columns == 1 { top_problem } else { length_problem };
            return Err(input.error(problem(record.line, record.len(), second_line, columns, names)));
        }
        for (cell, tally) in record.cells().zip(&mut tallies) {
            unchecked += tally.add(cell, record.line, rows + 2, marks);
        }
        rows += 1;
        // Texts that were forgotten do not count, so that the sum is made anew, now and then.
        if unchecked >= CHECKED {
            let texts: usize = tallies.iter().map(|tally| tally.distinct.memory()).sum();
            check_limit(fixed + texts as u64, options.memory_limit)?;
            unchecked = 0;
        }
    }
    let counts = records.counts();
    Ok(Pass {
        above,
        are_names,
        first,
        second,
        tallies,
        rows,
        comments: counts.comments,
        blanks: counts.blanks,
        ends_with_line_end: counts.ends_with_line_end,
    })
}

/// Whether a line has the names of all columns of a form that has names; the first column may have none.
fn names_all(lead: &Lead, form: &Form) -> bool {
    let found: HashSet<&str> = lead.cells.iter().map(|(text, _)| text.as_str()).collect();
    let unnamed = usize::from(form.columns.first().is_some_and(|column| column.heading.is_empty()));
    let named = form.columns.get(unnamed..).unwrap_or_default();
    let is_found = |heading: &str| !heading.is_empty() && found.contains(heading);
    form.dialect.header.is_some() && !named.is_empty() && named.iter().all(|column| is_found(&column.heading))
}

/// Refuses more memory than the limit.
pub(crate) fn check_limit(needed: u64, limit: u64) -> Result<()> {
    if needed > limit { Err(Error::MemoryLimit { needed, limit }) } else { Ok(()) }
}

/// What to do about a row of another length.
pub(crate) fn length_problem(line: u64, found: usize, other_line: u64, expected: usize, names: SettingNames) -> String {
    let cures: &[Cure] =
        if found > expected { &[QUOTES, DELIMITER] } else { &[("complete it", None), ("leave it out", None)] };
    format!("{}; {}", lengths(line, found, other_line, expected), names.cures(cures))
}

/// The same of a row near the top, above which may be text if that has far fewer cells.
fn top_problem(line: u64, found: usize, other_line: u64, expected: usize, names: SettingNames) -> String {
    if found <= expected + usize::from(expected > 1) {
        return length_problem(line, found, other_line, expected, names);
    }
    let cures = names.cures(&[("remove lines that are above the table", None), QUOTES, DELIMITER]);
    format!("{}; {cures}", lengths(line, found, other_line, expected))
}

const QUOTES: Cure = ("put cells that hold the delimiter in quotes", None);
const DELIMITER: Cure = ("name the delimiter", Some(Setting::Delimiter));

/// How many cells a row has, and another.
fn lengths(line: u64, found: usize, other_line: u64, expected: usize) -> String {
    let cells = |count: usize| counted(count as u64, "cell");
    format!("line {line} has {} where line {other_line} has {}", cells(found), cells(expected))
}
