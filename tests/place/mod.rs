//! A folder of its own to run the program in.
#![allow(dead_code)]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The folder.
pub(crate) struct Place(TempDir);

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn run(&self, arguments: &str) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
        let output = command.current_dir(self.0.path()).args(arguments.split_whitespace()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the program, which must succeed; returns its standard output.
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "{arguments}: {outcome:?}");
        outcome.stdout
    }

    /// Runs the program, which must print one JSON object.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.succeed(arguments)).unwrap()
    }

    /// Runs the program, which must fail with `code` and say so in one line that holds `parts`.
    pub(crate) fn fail(&self, arguments: &str, code: i32, parts: &[&str]) {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(code), "{arguments}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{arguments}");
        let line = outcome.stderr.trim_end();
        assert!(line.starts_with("error: ") && !line.contains('\n'), "{arguments}: {line}");
        for part in parts {
            assert!(line.contains(part), "{arguments}: `{part}` is not in `{line}`");
        }
    }
}
