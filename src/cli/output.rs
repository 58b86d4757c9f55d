//! Standard output and standard error, without a panic where nobody reads them any more.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// The reader of standard output went away: a reason to stop, not a failure.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for Closed {}

/// Whether a character is none of text but of a terminal: it moves the cursor, or turns the direction of writing.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with escapes in place of what a terminal would obey: paths, names and values may come from anywhere.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character.escape_unicode().to_string())
}

/// `text` with an `escape` for each control character but the ends of lines.
fn escaped(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    let spoils = |character: char| is_control(character) && character != '\n';
    if !text.contains(spoils) {
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

/// Writes a line to standard error, without what a terminal would obey. That nobody can read it is no reason to fail.
pub(crate) fn note(line: &str) {
    writeln!(io::stderr().lock(), "{}", plain(line)).ok();
}

/// The SHA-256 of `bytes`, as `sha256sum` prints it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lays `rows` out in columns, each as wide as its widest cell; `left` says which of them are flush left.
pub(crate) fn table(rows: &[Vec<String>], left: &[bool]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            line += gap;
            line += &if left.get(column).copied().unwrap_or(false) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
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
    fn columns_line_up() {
        let rows = [vec!["a".to_string(), "1".to_string()], vec!["long".to_string(), "200".to_string()]];
        assert_eq!(table(&rows, &[true, false]), "a       1\nlong  200\n");
    }
}
