//! Command lines of the program, for people to copy into a shell.
//!
//! Not by the crate `shlex`, which hands on control characters and what is no UTF-8 as they are: a terminal would obey the ones and
//! lose the others.

use std::borrow::Cow;
use std::path::Path;

use crate::terminal::output::is_control;

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    // What opens with a hyphen would be an option.
    let text = if text.starts_with('-') { Cow::Owned(format!("./{text}")) } else { text };
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else if text.contains(is_control) || path.to_str().is_none() {
        escaped(path)
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path with what a terminal would obey, and bytes that are no UTF-8, as escapes; bash, zsh and ksh read them.
fn escaped(path: &Path) -> String {
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>();
    let escape = |c: char| match c {
        '\n' => "\\n".to_string(),
        '\'' | '\\' => format!("\\{c}"),
        c if is_control(c) => octal(c.encode_utf8(&mut [0; 4]).as_bytes()),
        c => c.to_string(),
    };
    let bytes = path.as_os_str().as_encoded_bytes();
    let start = if bytes.starts_with(b"-") { "./" } else { "" };
    let chunks = bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().map(escape).collect::<String>() + &octal(chunk.invalid()));
    format!("$'{start}{}'", chunks.collect::<String>())
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
            ("it's\na\x1b\\", r"$'it\'s\na\033\\'"),
            ("a\u{202e}b", r"$'a\342\200\256b'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let path = Path::new(std::ffi::OsStr::from_bytes(b"-a\xff'\xfe b/\xc3"));
            assert_eq!(quoted(path), r"$'./-a\377\'\376 b/\303'");
        }
    }
}
