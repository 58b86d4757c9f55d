//! Command lines of the program, for people to copy into a shell.

use std::borrow::Cow;
use std::path::Path;

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    // What opens with a hyphen would be an option.
    let text = if text.starts_with('-') { Cow::Owned(format!("./{text}")) } else { text };
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What samples the best model of the run in `folder`.
pub(crate) fn sample_best(folder: &Path) -> String {
    format!("gannet sample {} --checkpoint best --count 1000 --out samples.npy", quoted(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_safe_in_a_shell() {
        for (path, text) in [
            ("runs/circle-001", "runs/circle-001"),
            ("my run", "'my run'"),
            ("it's; rm", r"'it'\''s; rm'"),
            ("-x", "./-x"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), text);
        }
    }
}
