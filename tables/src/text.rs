//! Texts of a file in messages.

/// Most characters of a cell that a message repeats.
const SHOWN: usize = 40;
/// Most names that a message lists.
const LISTED: usize = 5;

/// The beginning of `text`, on one line.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(escaped).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown += "...";
    }
    shown
}

/// A character without what moves the cursor of a terminal.
fn escaped(character: char) -> Vec<char> {
    if character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}') {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}

/// The first names of a list.
pub(crate) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", shown(name.as_ref()))).collect();
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    listed.join(", ") + &more
}

/// A whole number with commas between thousands.
pub(crate) fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` with its noun: `1 cell`, `3,200 cells`.
pub(crate) fn number_of(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", counted(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_on_one_line() {
        assert_eq!(shown("a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(shown(&"é".repeat(50)), "é".repeat(40) + "...");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f"]), "`a`, `b`, `c`, `d`, `e` and 1 more");
        assert_eq!((counted(7), counted(1_234_567)), ("7".into(), "1,234,567".into()));
        assert_eq!((number_of(1, "cell"), number_of(1_000, "cell")), ("1 cell".into(), "1,000 cells".into()));
    }
}
