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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_on_one_line() {
        assert_eq!(shown("a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(shown(&"é".repeat(50)), "é".repeat(40) + "...");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f"]), "`a`, `b`, `c`, `d`, `e` and 1 more");
    }
}
