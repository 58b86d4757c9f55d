//! What an error of the TOML reader says, in words that need no Rust.

use crate::nearest::suggestion;

/// What the `error` says, with the nearest known name of an unknown one.
pub fn readable(error: &toml::de::Error) -> String {
    // The names of Rust's types mean nothing to a user.
    let mut message = error.message().to_string();
    for (name, meaning) in [
        ("usize", "a whole number from 0 up"),
        ("u64", "a whole number from 0 up"),
        ("f32", "a number"),
        ("f64", "a number"),
    ] {
        message = message.replace(&format!("expected {name}"), &format!("expected {meaning}"));
    }
    let hint = unknown_name(&message).map_or_else(String::new, |(wrong, known)| suggestion(wrong, known));
    format!("{message}{hint}")
}

/// The wrong and the known names in serde's message "unknown field `x`, expected one of `a`, `b`".
pub fn unknown_name(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut names = message.split('`').skip(1).step_by(2);
    let wrong = message.starts_with("unknown ").then(|| names.next()).flatten()?;
    Some((wrong, names.collect()))
}
