//! The dialect of a table from its first lines.
//!
//! Each delimiter is tried on all of them. It is good where most rows have the same number of cells, several, and where cells make
//! sense: a number, or text that holds no other delimiter. Of two that are as good, the one that is rarer in text and numbers wins.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dialect::{Delimiter, Dialect, Header, LineEnd, is_delimiter};
use crate::frame::Frame;
use crate::lead::MOST_ABOVE;
use crate::options::{Comments, ReadOptions};
use crate::record::Split;
use crate::records::Records;
use crate::scan::scan;

/// Rows that are looked at.
const ROWS: usize = 2000;
/// A delimiter must be better than one that is rarer in text by more than this.
const MARGIN: f64 = 0.02;
/// Of rows that a delimiter splits, so many have the same number of cells.
const LEAST_SHARE: f64 = 0.6;
/// Of lines that begin with the sign of comments and are rows, one in as many may have another number of cells, by mistake.
const ODD_LINES: usize = 10;

/// Rows of the same number of cells that show a delimiter below other text.
const LEAST_EVEN: usize = 3;
const PIPE: Delimiter = Delimiter::Char('|');

/// What the first lines show.
#[derive(Clone, Debug)]
pub(crate) struct Sniffed {
    pub(crate) dialect: Dialect,
    pub(crate) split: Split,
    /// The last line of comments before the first row, and what it begins with: it may have the names of columns.
    pub(crate) comment_before: Option<(String, String)>,
    /// Whether these may be two columns between commas, or one with a decimal comma.
    pub(crate) is_comma_unclear: bool,
    /// The delimiter that the lines have instead of the one that the caller asked for, which they do not have at all.
    pub(crate) other_delimiter: Option<Delimiter>,
}

/// How many rows have so many cells.
type Lengths = BTreeMap<usize, usize>;

/// The most usual number of cells, and how many rows have it.
fn usual(lengths: &Lengths) -> Option<(usize, usize)> {
    lengths.iter().map(|(length, count)| (*length, *count)).max_by_key(|(_, count)| *count)
}

/// What a delimiter makes of the first lines.
struct Trial {
    /// The most usual number of cells.
    columns: usize,
    /// The share of rows that have it, times the share of cells that make sense.
    score: f64,
    /// The share of cells in columns of numbers.
    has_numbers: bool,
    /// Whether the first row has as many cells as all others, several.
    is_even: bool,
}

/// Looks at `head`, the text that a file begins with, of whole lines.
pub(crate) fn sniff(head: &str, options: &ReadOptions) -> Sniffed {
    let mut dialect = Dialect { line_end: line_end(head), ..Dialect::default() };
    let mut body = head;
    let hint = delimiter_line(head);
    if let Some((_, length)) = hint {
        dialect.has_delimiter_line = true;
        body = head.get(length..).unwrap_or_default();
    }
    let mut split = Split {
        delimiter: Delimiter::Char(','),
        quote: quote(body),
        comment: None,
        frame: Frame::None,
        skipped_lines: u64::from(dialect.has_delimiter_line),
    };
    let lines: Vec<&str> = body.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(ROWS).collect();
    split.comment = match options.comments {
        Comments::None => None,
        Comments::Begin(begin) => u8::try_from(begin).ok(),
        // As MATLAB and ARFF have them; in a table a percent sign is more likely part of a cell.
        Comments::Auto if lines.first().is_some_and(|line| line.starts_with('%')) => Some(b'%'),
        Comments::Auto => lines.iter().any(|line| line.starts_with('#')).then_some(b'#'),
    };
    let comment = split.comment.map_or('#', char::from);
    let asked = options.delimiter.or(hint.map(|(delimiter, _)| delimiter));
    split.frame = match Frame::of(&lines) {
        // Where pipes are asked for, dashes between them stand for missing values, if no pipe is around them.
        Frame::Line if asked.is_some() => Frame::None,
        frame if asked.is_none_or(|asked| asked == PIPE) => frame,
        _ => Frame::None,
    };
    split.delimiter = match asked {
        Some(delimiter) => delimiter,
        None if split.frame != Frame::None => PIPE,
        None => best(body, split).or_else(|| below_text(body, split)).unwrap_or(Delimiter::Char(',')),
    };
    let is_absent = |asked: Delimiter| match asked {
        Delimiter::Char(asked) => !body.contains(asked),
        Delimiter::Spaces(_) => !lines.iter().any(|line| line.trim().contains([' ', '\t'])),
    };
    let is_asked_in_vain = options.delimiter.is_some_and(is_absent);
    let other_delimiter = is_asked_in_vain.then(|| best(body, split).or_else(|| below_text(body, split))).flatten();
    let mut is_comma_unclear = false;
    if options.delimiter.is_none() && hint.is_none() && split.delimiter == Delimiter::Char(',') {
        is_comma_unclear = pairs(&lines).is_some();
        if is_comma_unclear && (options.decimal == Some(',') || pairs(&lines) == Some(true)) {
            split.delimiter = Delimiter::Char(';');
        }
    }
    if options.comments == Comments::Auto && split.comment.is_some_and(|comment| are_rows(body, split, comment)) {
        split.comment = None;
    }
    let comment_before = split.comment.and_then(|comment| comment_before(body, char::from(comment)));
    if let Delimiter::Spaces(width) = &mut split.delimiter {
        *width = spaces(&lines);
    }
    dialect.delimiter = split.delimiter;
    dialect.quote = char::from(split.quote);
    dialect.comment = split.comment.map(char::from);
    dialect.has_space = has_space(&lines, split.delimiter, comment);
    dialect.header = Some(Header::default());
    Sniffed { dialect, split, comment_before, is_comma_unclear, other_delimiter }
}

/// How the first line ends.
fn line_end(text: &str) -> LineEnd {
    match text.find(['\n', '\r']).map(|place| &text.as_bytes()[place..]) {
        Some([b'\r', b'\n', ..]) => LineEnd::Both,
        Some([b'\r', ..]) => LineEnd::Return,
        _ => LineEnd::LineFeed,
    }
}

/// The delimiter that a first line `sep=;` names, and the bytes of the line.
fn delimiter_line(text: &str) -> Option<(Delimiter, usize)> {
    let end = text.find(['\n', '\r'])?;
    let line = text[..end].trim_matches('"');
    let mut named = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| line[4..].chars())?;
    match (named.next(), named.next()) {
        (Some(delimiter), None) if is_delimiter(delimiter) => {
            let length = if text[end..].starts_with("\r\n") { 2 } else { 1 };
            Some((Delimiter::Char(delimiter), end + length))
        }
        _ => None,
    }
}

/// What stands around cells.
fn quote(text: &str) -> u8 {
    let lines = || text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).take(ROWS);
    let single = lines().filter(|line| line.len() > 1 && line.starts_with('\'') && line.ends_with('\'')).count();
    if single > 0 && single == lines().count() { b'\'' } else { b'"' }
}

/// The delimiter that makes most sense of the text, if one does.
fn best(text: &str, split: Split) -> Option<Delimiter> {
    let (mut best, mut is_even, mut even) = ((Delimiter::Char(','), 0.0), true, None);
    // Those that are rarest in text and numbers come first.
    for delimiter in ['\t', ';', '|', ','].map(Delimiter::Char).into_iter().chain([Delimiter::Spaces(1)]) {
        let Some(trial) = trial(text, Split { delimiter, ..split }) else { continue };
        let spaces = matches!(delimiter, Delimiter::Spaces(_));
        // Texts of two words each are one column.
        if trial.columns > 1 && trial.score > best.1 + MARGIN && (!spaces || trial.has_numbers) {
            (best, is_even) = ((delimiter, trial.score), trial.is_even);
        }
        if trial.is_even && !spaces {
            even = even.or(Some(delimiter));
        }
    }
    // A sign that all rows have as often as the first one is the delimiter rather than one that this has not: a decimal comma, a space before a unit.
    if let Some(even) = even.filter(|_| !is_even) {
        return Some(even);
    }
    (best.1 >= LEAST_SHARE).then_some(best.0)
}

/// The delimiter of rows below lines of text that are more than these, or as many.
fn below_text(text: &str, split: Split) -> Option<Delimiter> {
    ['\t', ';', '|'].map(Delimiter::Char).into_iter().find(|delimiter| {
        let mut records = Records::new(text.as_bytes(), Path::new(""), Split { delimiter: *delimiter, ..split });
        let mut lengths = Vec::new();
        while lengths.len() < ROWS
            && let Ok(Some(record)) = records.next()
        {
            lengths.push(record.len());
        }
        let width = lengths.last().copied().unwrap_or(0);
        let above = lengths.iter().rposition(|length| *length != width).map_or(0, |last| last + 1);
        let are_shorter = lengths[..above].iter().all(|length| *length < width);
        width > 1 && are_shorter && above <= MOST_ABOVE && lengths.len() - above >= LEAST_EVEN
    })
}

/// What a delimiter makes of the text; `None` where it makes nothing of it.
fn trial(text: &str, split: Split) -> Option<Trial> {
    let mut counts = Lengths::default();
    let (mut rows, mut cells, mut good, mut numbers) = (0usize, 0usize, 0usize, 0usize);
    let (mut first, mut is_even) = (0, true);
    let mut records = Records::new(text.as_bytes(), Path::new(""), split);
    // A quote that does not end may be that of another dialect; what stands before it counts.
    while let Ok(Some(record)) = records.next() {
        rows += 1;
        if rows == 1 {
            first = record.len();
        }
        is_even &= record.len() == first && first > 1;
        // The header may have other cells than the rows: it counts where there is nothing else.
        if rows == 2 {
            counts = Lengths::default();
        }
        *counts.entry(record.len()).or_default() += 1;
        for cell in record.cells() {
            cells += 1;
            let number = scan(cell.text).is_some();
            numbers += usize::from(number);
            good += usize::from(number || cell.is_quoted || is_sensible(cell.text, split.delimiter));
        }
        if rows >= ROWS {
            break;
        }
    }
    let (columns, count) = usual(&counts)?;
    if rows == 0 || cells == 0 {
        return None;
    }
    let score = count as f64 / rows.saturating_sub(1).max(1) as f64 * (good as f64 / cells as f64);
    Some(Trial { columns, score, has_numbers: 4 * numbers >= cells, is_even: is_even && rows > 2 })
}

/// Whether a cell that is no number holds no sign of another delimiter.
fn is_sensible(cell: &[u8], delimiter: Delimiter) -> bool {
    let holds = |byte: u8| cell.contains(&byte);
    // In text, a space follows a comma.
    let comma = delimiter != Delimiter::Char(',') && cell.windows(2).any(|two| two[0] == b',' && two[1] != b' ');
    let is_gap = |three: &[u8]| three[0].is_ascii_digit() && three[1] == b' ' && three[2].is_ascii_digit();
    let gap = !holds(b':') && cell.windows(3).any(is_gap);
    !(holds(b'\t') || holds(b';') || holds(b'|') || comma || gap)
}

/// Whether all lines are two whole numbers with a comma between, the first of one to three digits and the second of as many in each line:
/// then they may be numbers with a decimal comma. `Some(true)` where they are for certain, since whole numbers do not begin with zeros.
fn pairs(lines: &[&str]) -> Option<bool> {
    let halves = |line: &&str| {
        let (whole, decimals) = line.trim().split_once(',')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = whole.strip_prefix('-').unwrap_or(whole);
        (digits(whole) && digits(decimals)).then(|| (decimals.len(), decimals.len() > 1 && decimals.starts_with('0')))
    };
    let mut seen = None;
    let mut has_zero = false;
    for (index, line) in lines.iter().enumerate() {
        match halves(line) {
            // A name may stand above a column.
            None if index == 0 && !line.contains(',') => {}
            Some((length, zero)) if length > 1 && *seen.get_or_insert(length) == length => has_zero |= zero,
            _ => return None,
        }
    }
    (seen.is_some() && lines.len() > 2).then_some(has_zero)
}

/// Whether lines that begin with `comment` are rows as the others are.
fn are_rows(text: &str, split: Split, comment: u8) -> bool {
    let mut records = Records::new(text.as_bytes(), Path::new(""), Split { comment: None, ..split });
    let (mut comments, mut others) = (Vec::new(), Lengths::default());
    let (mut is_top, mut top) = (true, 0usize);
    while let Ok(Some(record)) = records.next() {
        let first = record.cells().next();
        let is_comment = first.is_some_and(|cell| cell.text.first() == Some(&comment) && !cell.is_quoted);
        is_top &= is_comment;
        if is_top {
            top += 1;
        } else if is_comment {
            comments.push(record.len());
        } else {
            *others.entry(record.len()).or_default() += 1;
        }
    }
    let usual = usual(&others).map_or(0, |(columns, _)| columns);
    // One comma too many must not turn all such rows into comments: it is an error of its line.
    let odd = comments.iter().filter(|&&columns| columns != usual).count();
    (usual == 0 && top > 0) || (usual > 1 && !comments.is_empty() && ODD_LINES * odd <= comments.len())
}

/// The last line of comments before the first row: what it begins with, and its text.
fn comment_before(text: &str, comment: char) -> Option<(String, String)> {
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty());
    let line = lines.by_ref().take_while(|line| line.starts_with(comment)).last()?;
    let names = line.trim_start_matches(comment).trim_start();
    Some((line[..line.len() - names.len()].to_string(), names.to_string()))
}

/// The fewest spaces between cells of most rows; the header may have others.
fn spaces(lines: &[&str]) -> u8 {
    let widths = lines.iter().skip(1).filter_map(|line| {
        let line = line.trim();
        let gaps = line.split(|character: char| character != ' ').map(str::len).filter(|&width| width > 0);
        let (least, most) = gaps.fold((usize::MAX, 0), |(least, most), width| (least.min(width), most.max(width)));
        (most > 0).then_some((least, most))
    });
    let (least, most) = widths.fold((usize::MAX, 0), |(least, most), widths| (least.min(widths.0), most.max(widths.1)));
    if least == most { u8::try_from(least).unwrap_or(1) } else { 1 }
}

/// Whether a space follows each delimiter.
fn has_space(lines: &[&str], delimiter: Delimiter, comment: char) -> bool {
    let Delimiter::Char(delimiter) = delimiter else { return false };
    let plain = || lines.iter().filter(|line| !line.contains(['"', '\'']) && !line.starts_with(comment));
    let all: usize = plain().map(|line| line.trim_end().matches(delimiter).count()).sum();
    let spaced: usize =
        plain().map(|line| line.trim_end().split(delimiter).skip(1).filter(|cell| cell.starts_with(' ')).count()).sum();
    all > 0 && spaced == all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(text: &str) -> Delimiter {
        sniff(text, &ReadOptions::default()).split.delimiter
    }

    #[test]
    fn delimiters() {
        for (text, expected) in [
            ("x,y\n1,2\n", Delimiter::Char(',')),
            ("x;y\n1,5;2,5\n", Delimiter::Char(';')),
            ("x\ty\n1,5\t2,5\n", Delimiter::Char('\t')),
            ("x|y\n1|2\n", Delimiter::Char('|')),
            ("x y\n1  2\n3  4\n", Delimiter::Spaces(2)),
            ("\"x\" \"y\"\n\"1\" 2 3\n", Delimiter::Spaces(1)),
            ("x y\n5,25 15,32\n4,5 3,25\n", Delimiter::Spaces(1)),
            ("time;s,volt\n1.5,2\n2.5,3\n", Delimiter::Char(',')),
            ("id,genres\n1,Action|Comedy\n2,Drama|Crime\n", Delimiter::Char(',')),
            ("name\nJohn Smith\nJane Doe\n", Delimiter::Char(',')),
            ("name;city\nSmith, John;Paris\nDoe, Jane;Rome\n", Delimiter::Char(';')),
            ("at,x\n2024-01-05 12:00,1\n2024-01-06 12:30,2\n", Delimiter::Char(',')),
            ("sep=;\nx,y;z\n", Delimiter::Char(';')),
            ("item;price\nb;251,53 \u{20ac}\nc;5,12 \u{20ac}\n", Delimiter::Char(';')),
            ("name;pos\nxA;12.5,33.5\nxB;1.5,2.5\n", Delimiter::Char(';')),
            ("item\tprice\nxA\t50,17 \u{20ac}\nxB\t5,10 \u{20ac}\n", Delimiter::Char('\t')),
            ("card,x\n5765 1340 7668 3557,-0.82\n5765 1340 7668 3557,0.5\n", Delimiter::Char(',')),
            ("a;b\n8,41,927.50;x\n1,41,927.50;y\n", Delimiter::Char(';')),
            ("x,y\n\"1;2\",3\n\"1;2\",3\n", Delimiter::Char(',')),
        ] {
            assert_eq!(delimiter(text), expected, "{text}");
        }
    }

    #[test]
    fn delimiters_below_text() {
        let text = "Some words\n".repeat(20);
        for (rows, expected) in [
            ("x;y\n1,5;2\n2,5;3\n", Delimiter::Char(';')),
            ("x\ty\n1\t2\n2\t3\n", Delimiter::Char('\t')),
            ("x;y\n1;2\n", Delimiter::Char(',')),
            ("x;y\n1;2\n2;3\nwords\n", Delimiter::Char(',')),
            ("", Delimiter::Char(',')),
        ] {
            assert_eq!(delimiter(&(text.clone() + rows)), expected, "{rows}");
        }
    }

    #[test]
    fn decimal_commas_in_one_column() {
        assert_eq!(delimiter("5,251\n4,736\n0,083\n"), Delimiter::Char(';'));
        let unclear = sniff("5,251\n4,736\n1,183\n", &ReadOptions::default());
        assert_eq!((unclear.split.delimiter, unclear.is_comma_unclear), (Delimiter::Char(','), true));
        let told = ReadOptions::default().with_decimal(',');
        assert_eq!(sniff("5,251\n4,736\n1,183\n", &told).split.delimiter, Delimiter::Char(';'));
        assert!(!sniff("5,2\n4,73\n1,1\n", &ReadOptions::default()).is_comma_unclear);
    }

    #[test]
    fn comments_and_names_in_them() {
        let sniffed = |text: &str| sniff(text, &ReadOptions::default());
        let comment = sniffed("# made by hand\n# x,y\n1,2\n3,4\n");
        assert_eq!(comment.split.comment, Some(b'#'));
        assert_eq!(comment.comment_before, Some(("# ".into(), "x,y".into())));
        assert_eq!(sniffed("color,n\n#ff0000,1\n#00ff00,2\nred,3\n").split.comment, None);
        assert_eq!(sniffed("color\n#ff0000\n#00ff00\n").split.comment, Some(b'#'));
        assert_eq!(sniffed("#a,b\n#c,d\n").split.comment, None);
        let (orders, odd) = ("#1001,5\n".repeat(10), "#1002,5,\n");
        assert_eq!(sniffed(&format!("order,n\n{orders}{odd}")).split.comment, None);
        assert_eq!(sniffed(&format!("color,n\nred,3\n{odd}{orders}red,4\n")).split.comment, None);
        assert_eq!(sniffed(&format!("order,n\n1,2\n{orders}{odd}{odd}")).split.comment, Some(b'#'));
        let percent = sniffed("% made by hand\n% x,y\n1,2\n%\n3,4\n");
        assert_eq!((percent.split.comment, percent.comment_before), (Some(b'%'), Some(("% ".into(), "x,y".into()))));
        assert_eq!(sniffed("share\n%5\n%7\n").split.comment, None);
    }

    #[test]
    fn spaces_after_delimiters_and_single_quotes() {
        assert!(sniff("x, y\n1, 2\n", &ReadOptions::default()).dialect.has_space);
        assert!(!sniff("x, y\n1,2\n", &ReadOptions::default()).dialect.has_space);
        assert_eq!(sniff("'x','y'\n'1','2'\n", &ReadOptions::default()).split.quote, b'\'');
        assert_eq!(sniff("x\r\n1\r\n", &ReadOptions::default()).dialect.line_end, LineEnd::Both);
    }
}
