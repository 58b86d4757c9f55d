//! What the program prints fits terminals of 40, 80 and 120 columns, and shows nothing that they cannot.

use crate::place::Place;

/// Runs the program as if on a terminal of so many columns; its output and its messages.
fn narrow(place: &Place, arguments: &str, columns: usize) -> String {
    let output = place.command(arguments).env("COLUMNS", columns.to_string()).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Checks that no line is longer than the terminal, but for what has no place to be broken: a word, an option with its value, and
/// the usage of a command.
fn check(arguments: &str, text: &str, columns: usize) {
    assert!(!text.trim().is_empty(), "{arguments}");
    for line in text.lines() {
        let is_whole = ["-", "Usage: "].iter().any(|start| line.trim_start().starts_with(start));
        let is_word = line.trim().split(' ').count() == 1 || is_whole;
        assert!(is_word || line.chars().count() <= columns, "{arguments} at {columns} columns: {line:?} in\n{text}");
    }
}

#[test]
fn every_command_fits_narrow_and_wide_terminals() {
    let place = Place::new();
    place.write("points.csv", "first column,b,c\n1,2,3\n2,3,5\n4,4,4\n5,1,2\n");
    for columns in [40, 80, 120] {
        for arguments in [
            format!("train circle --steps 20 --out one-{columns}"),
            format!("train mixture1d --steps 20 --out mean-{columns}"),
            format!("train points.csv --steps 20 --out own-{columns}"),
            format!("train circle --steps 20 --replicas 3 --out three-{columns}"),
            format!("evaluate one-{columns} --samples 500"),
            format!("evaluate mean-{columns} --samples 500"),
            format!("export one-{columns} --out g-{columns}.safetensors"),
            format!("sample one-{columns} --count 9 --out s-{columns}.csv"),
            "train circle --plan".to_string(),
            "train circle --plan --replicas 2 --objective softmax".to_string(),
            "train mnist --plan".to_string(),
            "info".to_string(),
            "bench --preset circle,mixture1d-deep --batch 32 --steps 3 --engine native,matrixmultiply".to_string(),
            "runs .".to_string(),
            "--help".to_string(),
            "train --help".to_string(),
            "runs --help".to_string(),
            "bench --help".to_string(),
        ] {
            let text = narrow(&place, &arguments, columns);
            check(&arguments, &text, columns);
            if let Some(run) =
                text.split(": ").next().filter(|_| arguments.starts_with("train") && text.contains("look at"))
            {
                check_names(&place, run, &text);
            }
        }
    }
}

/// Checks that the names of a run's measures stand whole in `text`.
fn check_names(place: &Place, run: &str, text: &str) {
    let result: serde_json::Value = serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap();
    for name in result["metrics"].as_object().unwrap().keys() {
        assert!(text.split_whitespace().any(|word| word == name), "{run}: no {name} in\n{text}");
    }
}

#[test]
fn paragraphs_of_the_help_are_broken_once() {
    let place = Place::new();
    for columns in [40, 60, 80, 100] {
        for command in
            ["", "train", "sample", "evaluate", "config", "export", "bench", "report", "runs", "completions", "man"]
        {
            let text = narrow(&place, &format!("{command} --help"), columns);
            let is_prose =
                |line: &str| line.starts_with(|first: char| first.is_ascii_alphabetic()) && !line.ends_with(':');
            for pair in
                text.lines().collect::<Vec<_>>().windows(2).filter(|pair| is_prose(pair[0]) && is_prose(pair[1]))
            {
                let next = pair[1].split(' ').next().unwrap();
                assert!(
                    pair[0].len() + 1 + next.len() > columns,
                    "{command} at {columns} columns: {pair:?} in\n{text}"
                );
            }
        }
    }
}

#[test]
fn errors_are_broken_between_words_on_a_terminal_alone() {
    let place = Place::new();
    place.fail("train circle --best nothing --steps 3", 2, &["nothing", "sliced_wasserstein"]);
    let output = place.command("train circle --best nothing --steps 3").env("COLUMNS", "40").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("error: ") && text.lines().count() > 2, "{text}");
    check("an error", &text, 40);
}

#[test]
fn what_is_no_terminal_gets_whole_lines() {
    let place = Place::new();
    let plan = place.succeed("train circle --objective softmax --plan");
    let objective = plan.lines().find(|line| line.starts_with("objective")).unwrap();
    assert!(objective.len() > 80, "{plan}");
    // Documents and results for programs are the same at any width.
    for arguments in ["config circle", "config --schema", "train circle --steps 2 --quiet --json --out run"] {
        let narrow = narrow(&place, arguments, 40);
        assert!(narrow.lines().any(|line| line.chars().count() > 60), "{narrow}");
    }
}

/// What the program shows on a terminal of so many columns; `None` where there is no way to have one.
#[cfg(unix)]
fn on_terminal(place: &Place, variables: &str, columns: usize, arguments: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_gannet");
    let command = format!("stty cols {columns} rows 24; env {variables} {program} {arguments}");
    let mut script = std::process::Command::new("script");
    script.current_dir(place.path("")).env_remove("COLUMNS").args(["-qec", &command, "/dev/null"]);
    let output = script.stdin(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command}: {text}");
    Some(text)
}

#[cfg(unix)]
#[test]
fn terminals_get_what_they_can_show() {
    let place = Place::new();
    for columns in [40, 80, 120] {
        for (name, variables) in
            [("dumb", "TERM=dumb LC_ALL=C"), ("plain", "TERM=xterm LC_ALL=C"), ("unicode", "TERM=xterm LC_ALL=C.UTF-8")]
        {
            let arguments = format!("train circle --steps 400 --out {name}-{columns}");
            let Some(text) = on_terminal(&place, variables, columns, &arguments) else {
                return crate::skip::skip("command script", "it makes a terminal; install the package util-linux");
            };
            assert!(text.contains("400/400") && text.contains("sliced_wasserstein"), "{name}: {text}");
            let is_ascii = text.is_ascii();
            // A narrow terminal has no room for the bar.
            assert_eq!(is_ascii, name != "unicode" || columns < 78, "{name} at {columns}: {text}");
            assert!(name != "dumb" || !text.contains('\u{1b}'), "{text}");
            // The results, below the progress.
            let (_, result) = text.rsplit_once("samples/s").unwrap();
            check(&arguments, result.trim_start_matches([' ', '\r', '\n']), columns);
        }
    }
}
