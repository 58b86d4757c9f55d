//! The terminal: how wide it is, what it can show, and text that fits it.
//!
//! The width is that of the variable `COLUMNS` where that is set, else the terminal's. Output that goes elsewhere, into a file
//! or another program, is not broken.

use std::io::{IsTerminal, stderr, stdout};

/// The width of a terminal that does not tell its own.
const USUAL: usize = 80;
/// Narrower than this, text is no longer broken: there is no use in a word a line.
const NARROWEST: usize = 20;

/// Columns of standard output; `None` where lines may be as long as they like.
pub(crate) fn columns() -> Option<usize> {
    columns_of(stdout().is_terminal(), || terminal_size::terminal_size_of(stdout()))
}

/// The same of standard error.
pub(crate) fn error_columns() -> Option<usize> {
    columns_of(stderr().is_terminal(), || terminal_size::terminal_size_of(stderr()))
}

fn columns_of(
    is_terminal: bool,
    size: impl FnOnce() -> Option<(terminal_size::Width, terminal_size::Height)>,
) -> Option<usize> {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let found = || is_terminal.then(|| size().map_or(USUAL, |(width, _)| usize::from(width.0)));
    asked.filter(|&columns| columns > 0).or_else(found).map(|columns| columns.max(NARROWEST))
}

/// Whether standard error is a terminal on which a line can be drawn again and again.
pub(crate) fn draws() -> bool {
    stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// Whether the terminal's characters are Unicode, by its locale.
pub(crate) fn is_unicode() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    cfg!(windows) || ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_some_and(|name| is_utf8(&name))
}

/// Whether the name of a locale ends in UTF-8.
fn is_utf8(locale: &str) -> bool {
    let name = locale.to_ascii_lowercase();
    name.ends_with("utf-8") || name.ends_with("utf8")
}

/// `text` with each line of more than `columns` characters broken between words. What follows stands below the beginning of
/// the line's text: behind its label, where it has one. A word that is too long stays whole.
pub(crate) fn wrap(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_string() };
    let mut wrapped = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        if line.chars().count() <= columns {
            wrapped += line;
        } else {
            break_line(line, columns, &mut wrapped);
        }
        wrapped += end;
    }
    wrapped
}

/// Adds a line that is too long.
fn break_line(line: &str, columns: usize, wrapped: &mut String) {
    let indent = hanging(line, columns);
    let (mut length, mut is_empty, mut is_first) = (0, true, true);
    for word in line.split_inclusive(' ') {
        let (count, visible) = (word.chars().count(), word.trim_end().chars().count());
        if !is_empty && length + visible > columns {
            wrapped.truncate(wrapped.trim_end_matches(' ').len());
            // Behind the label, unless the word would not fit there.
            let place = if indent + visible <= columns { indent } else { 2 };
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', place));
            (length, is_empty, is_first) = (place, true, false);
        }
        // Spaces that lined up columns have no meaning at the beginning of a further line.
        if visible == 0 && is_empty && !is_first {
            continue;
        }
        *wrapped += word;
        length += count;
        is_empty &= visible == 0;
    }
    wrapped.truncate(wrapped.trim_end_matches(' ').len());
}

/// Where the continuation of a line begins: at the text behind a label, else a little further than the line itself.
fn hanging(line: &str, columns: usize) -> usize {
    let start = line.chars().take_while(|&c| c == ' ').count();
    let text: Vec<char> = line.chars().collect();
    let label = (start + 1..text.len().saturating_sub(2))
        .find(|&at| text[at] == ' ' && text[at + 1] == ' ')
        .map(|at| at + text[at..].iter().take_while(|&&c| c == ' ').count());
    match label {
        Some(place) if place <= columns / 3 => place,
        _ => start + 2,
    }
}

/// `text` in lines of at most `columns` characters, broken between words; a word that is too long is cut.
pub(crate) fn lines(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines: Vec<String> = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        for (part, piece) in word.chars().collect::<Vec<_>>().chunks(columns).enumerate() {
            let gap = usize::from(length > 0 && part == 0);
            if length > 0 && (part > 0 || length + gap + piece.len() > columns) {
                lines.push(String::new());
                length = 0;
            } else if gap > 0 {
                lines.last_mut().into_iter().for_each(|line| line.push(' '));
                length += gap;
            }
            lines.last_mut().into_iter().for_each(|line| line.extend(piece));
            length += piece.len();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let plan = "preset       circle, 1,024 samples, and more than that\nsteps        3";
        assert_eq!(wrap(plan, None), plan);
        assert_eq!(wrap(plan, Some(80)), plan);
        assert_eq!(
            wrap(plan, Some(40)),
            "preset       circle, 1,024 samples, and\n             more than that\nsteps        3"
        );
        assert_eq!(
            wrap("one two three\n\n  four five six\n", Some(9)),
            "one two\n  three\n\n  four\n    five\n    six\n"
        );
        let path = "look at a/very/long/path/to/a/file.html now";
        assert_eq!(wrap(path, Some(20)), "look at\n  a/very/long/path/to/a/file.html\n  now");
        assert_eq!(wrap("", Some(20)), "");
    }

    #[test]
    fn every_text_fits_every_width_unless_a_word_does_not() {
        let text = "a line of some words, longer and shorter ones\n    indented  with a label   and columns\nx\n";
        for columns in 12..60 {
            let wrapped = wrap(text, Some(columns));
            assert!(wrapped.lines().all(|line| line.chars().count() <= columns), "{columns}: {wrapped}");
            let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
            assert_eq!(words(&wrapped), words(text), "{columns}");
        }
    }

    #[test]
    fn cells_are_broken_into_lines() {
        assert_eq!(lines("a few words here", 7), ["a few", "words", "here"]);
        assert_eq!(lines("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(lines("", 5), [""]);
        assert_eq!(lines("fits", 4), ["fits"]);
    }

    #[test]
    fn locales_tell_whether_they_are_unicode() {
        assert!(["en_US.UTF-8", "C.utf8", "de_DE.utf-8"].into_iter().all(is_utf8));
        assert!(!["C", "POSIX", "de_DE.ISO-8859-1", "en_US"].into_iter().any(is_utf8));
    }
}
