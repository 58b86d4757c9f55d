//! What stands around the numbers of a column: a currency before them, a unit or a percent sign behind.

/// Currencies that may stand before a number.
const CURRENCIES: [&str; 15] =
    ["US$", "A$", "C$", "$", "€", "£", "¥", "₹", "CHF ", "USD ", "EUR ", "GBP ", "INR ", "Rs.", "Rs "];
/// Most bytes behind a number.
const MAX_SUFFIX: usize = 12;

/// The currency before and the unit behind the number in a cell; both may be empty. `None` where the cell has no digit, or where what
/// is around the digits is something else.
pub(crate) fn affixes(cell: &str) -> Option<(&str, &str)> {
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let mut prefix = "";
    if let Some(currency) = CURRENCIES.into_iter().find(|currency| unsigned.starts_with(currency)) {
        let spaces = unsigned[currency.len()..].chars().take_while(|&character| character == ' ').count();
        prefix = &unsigned[..currency.len() + spaces];
    }
    let rest = &unsigned[prefix.len()..];
    if !rest.starts_with(|character: char| character.is_ascii_digit() || matches!(character, '.' | ',' | '-')) {
        return None;
    }
    let end = rest.rfind(|character: char| character.is_ascii_digit())? + 1;
    let suffix = &rest[end..];
    let unit = suffix.trim_start_matches([' ', '\u{a0}']);
    let is_unit = unit.chars().all(|character| {
        character.is_alphabetic() || matches!(character, '%' | '‰' | '°' | '$' | '€' | '£' | '¥' | '/' | '²' | '³')
    });
    (suffix.len() <= MAX_SUFFIX && is_unit && (unit.is_empty() == suffix.is_empty())).then_some((prefix, suffix))
}

/// The number between `prefix` and `suffix`, and whether a minus sign stands before the prefix.
pub(crate) fn core<'a>(cell: &'a [u8], prefix: &str, suffix: &str) -> Option<(bool, &'a [u8])> {
    let rest = cell.strip_suffix(suffix.as_bytes())?;
    match rest {
        _ if prefix.is_empty() => Some((false, rest)),
        [b'-', after @ ..] => Some((true, after.strip_prefix(prefix.as_bytes())?)),
        _ => Some((false, rest.strip_prefix(prefix.as_bytes())?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_and_units_are_told_from_other_text() {
        for (cell, expected) in [
            ("12 %", Some(("", " %"))),
            ("12%", Some(("", "%"))),
            ("$1,200", Some(("$", ""))),
            ("-$1,200.50", Some(("$", ""))),
            ("€ 5", Some(("€ ", ""))),
            ("5 kg", Some(("", " kg"))),
            ("7.5 m/s²", Some(("", " m/s²"))),
            ("12", Some(("", ""))),
            ("Room 5", None),
            ("5 ", None),
            ("5-x", None),
            ("none", None),
            ("5 kilometres per hour", None),
        ] {
            assert_eq!(affixes(cell), expected, "{cell}");
        }
        assert_eq!(core(b"-$5", "$", ""), Some((true, &b"5"[..])));
        assert_eq!(core(b"5", "$", ""), None);
    }
}
