//! Every command line in the documents is one that the program takes, and every command stands in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::Cli;

/// The documents with command lines.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folders = ["docs", "docs/perf"].map(|name| fs::read_dir(root.join(name)).unwrap());
    let in_docs = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let texts = in_docs.filter(|path| path.extension().is_some_and(|suffix| suffix == "md"));
    let mut documents: Vec<PathBuf> = texts.chain(["README.md", "PERF.md"].map(|name| root.join(name))).collect();
    documents.sort();
    documents
}

/// The lines in blocks of code, and what stands between backquotes in the lines of text.
fn code(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            code.push(line.trim_start_matches("$ ").to_string());
        } else {
            code.extend(line.split('`').skip(1).step_by(2).map(str::to_string));
        }
    }
    code
}

/// The arguments of each call of the program in a line of a shell.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = line.split(" #").next().unwrap_or_default();
    let commands = line.split("&&").flat_map(|part| part.split('|')).flat_map(|part| part.split(';'));
    commands
        .filter_map(|command| {
            let command = command.split(" >").next().unwrap_or_default().trim();
            let arguments = command
                .strip_prefix("cargo run --release -- ")
                .or_else(|| command.strip_prefix("cargo run --release --quiet -- "))
                .or_else(|| command.strip_prefix("gannet "))?;
            Some(arguments.split_whitespace().map(str::to_string).collect())
        })
        .collect()
}

/// Names in capitals, and variables of a shell, stand for numbers and such.
fn filled(argument: &str) -> String {
    match argument {
        "RATE" => "0.001".to_string(),
        "N" | "S" | "STEP" | "STEPS" => "100".to_string(),
        "PRESET" => "circle".to_string(),
        "SHELL" => "bash".to_string(),
        other => match other.split_once('$') {
            Some((before, variable)) => {
                let rest = variable.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
                format!("{before}1{rest}")
            }
            None => other.trim_matches(['[', ']', '\'', '"']).to_string(),
        },
    }
}

/// What is wrong with a call, if anything is.
fn problem(arguments: &[String]) -> Option<String> {
    let call = std::iter::once("gannet".to_string()).chain(arguments.iter().map(|argument| filled(argument)));
    let error = Cli::try_parse_from(call).err()?;
    // A sentence may name a command alone.
    let is_name = arguments.len() == 1 && Cli::command().find_subcommand(&arguments[0]).is_some();
    (error.use_stderr() && !is_name).then(|| error.to_string())
}

#[test]
fn command_lines_are_those_of_the_program() {
    let mut wrong = Vec::new();
    let mut told = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for line in code(&text) {
            for arguments in calls(&line) {
                told.extend(arguments.first().cloned());
                if let Some(problem) = problem(&arguments) {
                    wrong.push(format!("{}: {line}\n{problem}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for command in Cli::command().get_subcommands() {
        assert!(told.contains(command.get_name()), "no document tells of `gannet {}`", command.get_name());
    }
}

#[test]
fn options_in_documents_exist() {
    let known: BTreeSet<String> = std::iter::once(Cli::command())
        .chain(Cli::command().get_subcommands().cloned())
        .flat_map(|command| {
            let options = command.get_arguments().filter_map(|argument| argument.get_long());
            options.map(|option| format!("--{option}")).collect::<Vec<_>>()
        })
        .chain(["--help", "--version"].map(str::to_string))
        .collect();
    let mut unknown = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        // Options of other programs stand in lines that call them.
        let ours = |code: &String| code.starts_with("--") || code.starts_with("gannet ");
        for code in code(&text).iter().filter(|code| ours(code)) {
            let words = code.split(|c: char| c.is_whitespace() || c == '=').filter(|word| word.starts_with("--"));
            unknown
                .extend(words.filter(|word| !known.contains(*word)).map(|word| format!("{}: {word}", path.display())));
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_wrong_line_is_found() {
    let calls_of = |line: &str| calls(line).iter().filter_map(|call| problem(call)).count();
    for line in ["gannet train --no-such-option", "gannet config circle > a && gannet trian a", "gannet sample run"] {
        assert_eq!(calls_of(line), 1, "{line}");
    }
    for line in
        ["gannet train circle --seed 7   # why", "gannet report", "cargo run --release -- train circle", "ls -l"]
    {
        assert_eq!(calls_of(line), 0, "{line}");
    }
}
