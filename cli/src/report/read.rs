//! Reading the files of a run, any of which may be missing, cut off, huge or not what its name says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use gannet::internals::file;

/// Longest line of a table; a longer one is passed over.
const LONGEST_LINE: u64 = 1 << 16;

/// Opens `path` if it is a file: no pipe, which could be waited for without end.
fn open(path: &Path) -> io::Result<File> {
    file::open_with(path, File::options().read(true))
}

/// The bytes of a file of at most `cap` bytes.
pub(super) fn bytes(path: &Path, cap: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path).and_then(|file| file.take(cap + 1).read_to_end(&mut bytes)).ok()?;
    (bytes.len() as u64 <= cap).then_some(bytes)
}

/// The text of a file of at most `cap` bytes; what is not UTF-8 in it is replaced.
pub(super) fn text(path: &Path, cap: u64) -> Option<String> {
    bytes(path, cap).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Hands every whole line between the bytes `from` and `cap` of a file to `take`. A last line without its end is passed over:
/// whoever writes it has not finished. Returns where the next line begins.
pub(super) fn lines(path: &Path, from: u64, cap: u64, mut take: impl FnMut(&str)) -> u64 {
    let start = |mut file: File| file.seek(SeekFrom::Start(from)).map(|_| file);
    let Ok(file) = open(path).and_then(start) else { return from };
    let mut reader = BufReader::with_capacity(1 << 16, file.take(cap.saturating_sub(from)));
    let mut line = Vec::new();
    let mut passing_over = false;
    let (mut next, mut at) = (from, from);
    loop {
        line.clear();
        match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return next,
            Ok(count) => at += count as u64,
        }
        let whole = line.last() == Some(&b'\n');
        if whole {
            next = at;
        }
        if whole && !passing_over {
            take(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        }
        passing_over = !whole;
    }
}

/// The cells of a line of a table that another program may have saved again: a cell in quotation marks may hold commas, and quotation
/// marks doubled.
pub(super) fn unquoted_cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut cells, '"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(String::new()),
            _ => push(&mut cells, character),
        }
    }
    cells
}

fn push(cells: &mut [String], character: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(character);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn cells_may_be_quoted() {
        for (line, expected) in [
            ("1,2,3", vec!["1", "2", "3"]),
            ("", vec![""]),
            ("1,,", vec!["1", "", ""]),
            (r#"1,"a, b",2"#, vec!["1", "a, b", "2"]),
            (r#"1,"say ""no""",2"#, vec!["1", r#"say "no""#, "2"]),
            (r#"1,"never closed,2"#, vec!["1", "never closed,2"]),
        ] {
            assert_eq!(unquoted_cells(line), expected, "{line}");
        }
    }

    #[test]
    fn only_whole_lines_count() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.csv");
        let long = "x".repeat(3 * LONGEST_LINE as usize);
        fs::write(&path, format!("first\r\n\n{long}\nlast\ncut o")).unwrap();
        let read = |cap| {
            let mut found = Vec::new();
            lines(&path, 0, cap, |line| found.push(line.to_string()));
            found
        };
        assert_eq!(read(u64::MAX), ["first", "", "last"]);
        assert_eq!(read(9), ["first", ""]);
        assert_eq!(read(6), [""; 0]);
        // What is cut off is read once its end is there.
        let next = lines(&path, 0, u64::MAX, |_| {});
        fs::write(&path, format!("first\r\n\n{long}\nlast\ncut off\nmore")).unwrap();
        let mut found = Vec::new();
        let end = lines(&path, next, u64::MAX, |line| found.push(line.to_string()));
        assert_eq!(found, ["cut off"]);
        assert_eq!(lines(&path, end, u64::MAX, |line| panic!("{line}")), end);
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_there() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.txt");
        fs::write(&path, b"caf\xe9").unwrap();
        assert_eq!(text(&path, 4).as_deref(), Some("caf\u{fffd}"));
        assert_eq!(text(&path, 3), None);
        assert_eq!(text(place.path(), 100), None);
        assert_eq!(text(&place.path().join("missing"), 100), None);
    }
}
