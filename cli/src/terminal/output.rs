//! Standard output and standard error, without a panic where nobody reads them any more.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::terminal::screen;

/// The reader of standard output went away: a reason to stop, not a failure.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for Closed {}

/// Whether a character commands a terminal instead of being shown: it moves the cursor, or turns the direction of writing.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with escapes in place of what a terminal would obey: paths, names and values may come from anywhere.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character.escape_unicode().to_string())
}

/// A path for people, in one line and without what a terminal would obey: all paths that are printed go through here, or through
/// [`quoted`](crate::terminal::command_lines::quoted), or are in an error.
pub(crate) fn printable(path: &Path) -> String {
    one_line(&path.to_string_lossy()).into_owned()
}

/// `text` in one line, without what a terminal would obey.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escape_where(text, is_control, |character| character.escape_default().to_string())
}

/// `text` with an `escape` for each control character but the ends of lines.
fn escaped(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    escape_where(text, |character| is_control(character) && character != '\n', escape)
}

fn escape_where(text: &str, spoils: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&spoils) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if spoils(c) { escape(c) } else { c.to_string() }).collect::<String>().into()
}

/// Writes `text` to standard output at once, without what a terminal would obey.
///
/// # Errors
///
/// [`Closed`] where the reader went away; what the system reports otherwise.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(plain(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        written => written.context("cannot write to standard output"),
    }
}

/// Writes `text` for people to standard output at once: broken between words where that is a terminal.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_text(text: &str) -> anyhow::Result<()> {
    print(&screen::wrap(text, screen::columns()))
}

/// Writes a line to standard output.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    print(&format!("{line}\n"))
}

/// Writes `value` as one line of JSON to standard output.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    // Room for most lines at once: how often memory is taken then does not depend on the digits of a number.
    let mut line = Vec::with_capacity(4096);
    serde_json::to_writer(&mut line, value).context("cannot write JSON")?;
    line.push(b'\n');
    // What JSON leaves as it is stands in strings, where its own escapes mean the same.
    let line = str::from_utf8(&line).context("cannot write JSON")?;
    print(&escaped(line, |character| format!("\\u{:04x}", u32::from(character))))
}

/// Whether [`note`] says nothing: `--quiet`.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on [`note`] says nothing.
pub(crate) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Writes a line to standard error that is good to know, unless the program is to be quiet.
pub(crate) fn note(line: &str) {
    if !IS_QUIET.load(Ordering::Relaxed) {
        alert(line);
    }
}

/// Writes a line to standard error that must be known: an error, a warning, a bad verdict. It holds nothing that a terminal would
/// obey. That nobody can read it is no reason to fail.
pub(crate) fn alert(line: &str) {
    writeln!(io::stderr().lock(), "{}", screen::wrap(&plain(line), screen::error_columns())).ok();
}

/// The SHA-256 of `bytes`, as `sha256sum` prints it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lays `rows`, of which the first is the header, out in columns, each as wide as its widest cell; `left` says which of them are
/// flush left. Where standard output is too narrow, the table is folded.
pub(crate) fn table(rows: &[Vec<String>], left: &[bool]) -> String {
    let line = |cell: &String| one_line(cell).into_owned();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(line).collect()).collect();
    table_within(&rows, left, screen::columns())
}

/// The narrowest last column of words that is worth to be broken into lines.
const NARROWEST_COLUMN: usize = 16;
/// Spaces between columns.
const GAP: usize = 2;

/// A table of at most `columns` characters: a last column of words is broken into lines; if that is not enough, columns stand
/// below others, the first with each of them.
pub(crate) fn table_within(rows: &[Vec<String>], left: &[bool], columns: Option<usize>) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let mut widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let room = columns.unwrap_or(usize::MAX);
    let is_left = |column: usize| left.get(column).copied().unwrap_or(false);
    let taken = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP);
    if let Some(last) = count.checked_sub(1).filter(|&last| is_left(last) && taken(&widths) > room) {
        let before = if last > 0 { taken(&widths[..last]) + GAP } else { 0 };
        if before + NARROWEST_COLUMN <= room {
            widths[last] = room - before;
        }
    }
    let mut text = String::new();
    let mut next = usize::from(count > 1);
    while next < count || text.is_empty() && count > 0 {
        let first = next;
        let mut shown = if count > 1 { vec![0] } else { Vec::new() };
        loop {
            shown.push(next);
            next += 1;
            let more: Vec<usize> =
                shown.iter().chain([&next]).filter_map(|&column| widths.get(column).copied()).collect();
            if next >= count || taken(&more) > room {
                break;
            }
        }
        if first > 1 {
            text.push('\n');
        }
        let widths = shrunk(&shown, &widths, rows, room);
        rows.iter().for_each(|row| push_row(&mut text, row, &widths, &is_left));
    }
    text
}

/// The `shown` columns of the `rows` with their widths; where even these are too wide for the room, the first one gets what the
/// longest word of the last leaves, at least half of the room, and the last one what the first leaves.
fn shrunk(shown: &[usize], widths: &[usize], rows: &[Vec<String>], room: usize) -> Vec<(usize, usize)> {
    let mut kept: Vec<(usize, usize)> = shown.iter().map(|&column| (column, widths[column])).collect();
    let all = kept.iter().map(|&(_, width)| width + GAP).sum::<usize>().saturating_sub(GAP);
    match kept.as_mut_slice() {
        [(_, only)] => *only = room.min(*only),
        [(_, first), .., (column, last)] if all > room => {
            let words = rows.iter().filter_map(|row| row.get(*column)).flat_map(|cell| cell.split_whitespace());
            let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
            *first = (*first).min(room.saturating_sub(longest + GAP).max(room / 2));
            *last = room.saturating_sub(*first + GAP).clamp(1, *last);
        }
        _ => {}
    }
    kept
}

/// Adds the columns of a row, in as many lines as its longest cell needs.
fn push_row(text: &mut String, row: &[String], columns: &[(usize, usize)], is_left: &impl Fn(usize) -> bool) {
    let cells: Vec<(usize, usize, Vec<String>)> = columns
        .iter()
        .filter_map(|&(column, width)| {
            let cell = row.get(column)?;
            // A cell that fits keeps its spaces.
            let fits = cell.chars().count() <= width;
            Some((column, width, if fits { vec![cell.clone()] } else { screen::lines(cell, width) }))
        })
        .collect();
    let lines = cells.iter().map(|(.., lines)| lines.len()).max().unwrap_or(1);
    for line in 0..lines {
        let mut joined = String::new();
        for (index, (column, width, cell)) in cells.iter().enumerate() {
            let gap = if index == 0 { 0 } else { GAP };
            joined.extend(std::iter::repeat_n(' ', gap));
            let cell = cell.get(line).map_or("", String::as_str);
            joined += &if is_left(*column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
        }
        *text += joined.trim_end();
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        // The first example of NIST's "SHA-256" example values.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        assert_eq!(plain("größer 世界\n"), "größer 世界\n");
        assert_eq!(plain("a\u{1b}[2Jb\r\u{9b}c\u{202e}d\x7f\t"), "a\\u{1b}[2Jb\\u{d}\\u{9b}c\\u{202e}d\\u{7f}\\u{9}");
        let json = serde_json::to_string("a\u{1b}\u{9b}\x7f\u{202e}").unwrap();
        let shown = escaped(&json, |character| format!("\\u{:04x}", u32::from(character)));
        assert!(!shown.contains(is_control), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), "a\u{1b}\u{9b}\x7f\u{202e}");
    }

    #[test]
    fn a_path_takes_one_line() {
        assert_eq!(printable(Path::new("größer/世界")), "größer/世界");
        assert_eq!(printable(Path::new("a\nb\x1b\u{202e}")), "a\\nb\\u{1b}\\u{202e}");
        let rows = [vec!["a\nb".to_string()]];
        assert_eq!(table(&rows, &[true]), "a\\nb\n");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_string(), "1".to_string()], vec!["long".to_string(), "200".to_string()]];
        assert_eq!(table_within(&rows, &[true, false], None), "a       1\nlong  200\n");
        assert_eq!(table_within(&[], &[], Some(20)), "");
    }

    #[test]
    fn tables_are_folded_to_the_width() {
        let row = |cells: [&str; 4]| cells.map(str::to_string).to_vec();
        let rows =
            [row(["name", "first", "second", "what it is"]), row(["a", "1", "2", "some words about it, quite many"])];
        let left = [true, false, false, true];
        assert_eq!(
            table_within(&rows, &left, Some(40)),
            "name  first  second  what it is\n\
             a         1       2  some words about\n                     it, quite many\n"
        );
        assert_eq!(
            table_within(&rows, &left, Some(22)),
            "name  first  second\na         1       2\n\nname  what it is\na     some words about\n      it, quite many\n"
        );
        // The narrowest holds the first column and the longest word of the others.
        for columns in 12..80 {
            let text = table_within(&rows, &left, Some(columns));
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
            assert!(rows[1][3].split(' ').all(|word| text.contains(word)), "{columns}: {text}");
        }
    }
}
