//! The frame around the cells of a table that is drawn: of Markdown, and of the programs of MySQL and PostgreSQL.

/// Signs of lines without cells; a space may be beside them.
const SIGNS: &[u8] = b"-=:|+ \t";
/// What such a line has and no row of missing values, such as `| - | - |`.
const DRAWN: [&[u8; 2]; 6] = [b"--", b"==", b"|-", b"-|", b":-", b"-:"];

/// What of a frame is in a text whose cells stand between pipes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Nothing.
    #[default]
    None,
    /// A line below the names: `---|---`.
    Line,
    /// Such lines, and a pipe before the first cell and behind the last one of each row.
    Pipes,
}

impl Frame {
    /// That of a text of these lines, none of which is blank. A title may be above it.
    pub(crate) fn of(lines: &[&str]) -> Self {
        let is_line = |line: &str| is_frame_line(line.as_bytes());
        let has_pipes = |line: &str| {
            let line = line.trim();
            line.len() > 1 && line.starts_with('|') && line.ends_with('|')
        };
        let Some(top) = lines.iter().position(|line| is_line(line)) else { return Self::None };
        let rows = || lines.iter().filter(|line| !is_line(line)).skip_while(|line| !has_pipes(line));
        let mut frame_lines = lines.iter().filter(|line| is_line(line));
        let is_closed = frame_lines.all(|line| line.trim_start().starts_with(['|', '+']));
        if is_closed && rows().count() > 0 && rows().all(|line| has_pipes(line) || !line.contains('|')) {
            return Self::Pipes;
        }
        // It is below the first line that has pipes.
        let names = lines.iter().position(|line| line.contains('|')).filter(|names| names + 1 == top);
        let signs = |place: usize| lines.get(place).map_or(0, |line| line.matches(['|', '+']).count());
        let is_below_names = names.is_some_and(|names| signs(names) == signs(top));
        if is_below_names { Self::Line } else { Self::None }
    }
}

/// Whether a line is part of a frame, and no row.
pub(crate) fn is_frame_line(line: &[u8]) -> bool {
    line.iter().all(|byte| SIGNS.contains(byte)) && line.windows(2).any(|two| DRAWN.iter().any(|drawn| two == *drawn))
}

/// Whether a line is the count of rows that a program writes below a frame: `(2 rows)`, `2 rows in set (0.00 sec)`.
pub(crate) fn is_row_count(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let line = line.trim();
    let (open, rest) = line.strip_prefix('(').map_or((false, line), |rest| (true, rest));
    let words = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let behind = words.strip_prefix(" rows").or_else(|| words.strip_prefix(" row"));
    words.len() < rest.len()
        && behind.is_some_and(|behind| if open { behind == ")" } else { behind.starts_with(" in set") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_from_rows() {
        for (lines, expected) in [
            (&["| a | b |", "|---|---:|", "| 1 | 2 |"][..], Frame::Pipes),
            (&["Results", "| a |", "|-|", "| 1 |"], Frame::Pipes),
            (&["+---+----+", "| a | b  |", "+---+----+", "| 1 | 2  |", "+---+----+"], Frame::Pipes),
            (&["+---+", "| a |", "+---+", "| 1 |", "+---+", "1 row in set"], Frame::Pipes),
            (&["a | b", ":---|---:", "1 | 2"], Frame::Line),
            (&[" a | b", "---+---", " 1 | 2"], Frame::Line),
            (&["a|b", "1|2", "--|--"], Frame::None),
            (&["| a | b |", "| 1 | 2 |"], Frame::None),
            (&["a,b", "--,--", "1,2"], Frame::None),
            (&["a", "--", "b"], Frame::None),
            (&[], Frame::None),
        ] {
            assert_eq!(Frame::of(lines), expected, "{lines:?}");
        }
        let counts = ["(2 rows)", "(1 row)", "2 rows in set (0.00 sec)", "1 row in set"];
        assert!(counts.iter().all(|line| is_row_count(line.as_bytes())));
        let others = ["(rows)", "2 rows", "(2 rows", "(2 rows) more", "(a rows)", "", "| 2 rows in set |"];
        assert!(!others.iter().any(|line| is_row_count(line.as_bytes())));
        assert!(
            !is_frame_line(b"| - | - |") && !is_frame_line(b"") && !is_frame_line(b"1|--") && is_frame_line(b"|:-:|")
        );
    }
}
