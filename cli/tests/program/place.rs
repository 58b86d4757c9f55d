//! A folder of its own to run the program in, and what it came to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own to run the program in.
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

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
        // Lines are broken on terminals alone, and for whoever sets this.
        command.current_dir(self.0.path()).env_remove("COLUMNS").args(arguments.split_whitespace());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Outcome {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the program, which must succeed; returns its standard output.
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "{arguments}: {outcome:?}");
        outcome.stdout
    }

    /// Runs the program, which must print one JSON object and nothing else on standard output.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let stdout = self.succeed(arguments);
        assert_eq!(stdout.lines().count(), 1, "{stdout}");
        serde_json::from_str(&stdout).unwrap()
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

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of all files below `folder`.
    pub(crate) fn files(&self, folder: &str) -> BTreeSet<String> {
        fn walk(base: &Path, folder: &Path, names: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(base, &path, names);
                } else {
                    names.insert(path.strip_prefix(base).unwrap().to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        let mut names = BTreeSet::new();
        walk(&self.path(folder), &self.path(folder), &mut names);
        names
    }

    /// Four IDX files like those of MNIST, with a few made images of `side` x `side`.
    pub(crate) fn write_mnist(&self, folder: &str, side: usize) {
        fs::create_dir_all(self.path(folder)).unwrap();
        for (name, images) in [("train", 24), ("t10k", 6)] {
            let pixels: Vec<u8> = (0..images * side * side).map(|index| (index * 37 % 251) as u8).collect();
            let labels: Vec<u8> = (0..images).map(|index| (index % 10) as u8).collect();
            let file = |kind: &str, rank: usize| self.path(folder).join(format!("{name}-{kind}-idx{rank}-ubyte"));
            fs::write(file("images", 3), idx(&[images, side, side], &pixels)).unwrap();
            fs::write(file("labels", 1), idx(&[images], &labels)).unwrap();
        }
    }
}

/// An IDX file of unsigned bytes.
pub(crate) fn idx(dimensions: &[usize], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|&dimension| bytes.extend((dimension as u32).to_be_bytes()));
    bytes.extend(values);
    bytes
}
