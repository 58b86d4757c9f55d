//! What `--quiet` prints: what must be known, and nothing else.

use crate::place::Place;

/// Runs the program, which must succeed without standard output; its standard error.
fn told(place: &Place, arguments: &str) -> String {
    let outcome = place.run(arguments);
    assert!(outcome.code == Some(0) && outcome.stdout.is_empty(), "{arguments}: {outcome:?}");
    outcome.stderr
}

#[test]
fn notes_are_silent() {
    let place = Place::new();
    place.write("circle", "a file of this name");
    place.write("named.csv", "a,b\n1,2\n2,3\n3,1\n5,9\n");
    place.write("plain.csv", "1,2\n2,3\n3,1\n5,8\n");
    told(&place, "train named.csv --steps 4 --quiet --out run");
    for (index, (arguments, note)) in [
        ("train circle --steps 2", "./circle"),
        ("train circle --steps 2 --objective softmax", "2 outputs"),
        ("train run --data plain.csv", "by position"),
        ("train --resume run", "has all its 4 steps"),
    ]
    .into_iter()
    .enumerate()
    {
        let out =
            |name: &str| if arguments.contains("--resume") { String::new() } else { format!("--out {name}-{index}") };
        let loud = place.run(&format!("{arguments} {}", out("loud")));
        assert!(loud.code == Some(0) && loud.stderr.contains(note), "{arguments}: {loud:?}");
        for quiet in ["-q", "--quiet"] {
            assert_eq!(
                told(&place, &format!("{arguments} {quiet} {}", out(quiet.trim_matches('-')))),
                "",
                "{arguments}"
            );
        }
    }
}

#[test]
fn what_must_be_known_is_told_in_a_line_each() {
    let place = Place::new();
    let help = place.succeed("train --help");
    let (_, help) = help.split_once("-q, --quiet").unwrap();
    let help = help.split_whitespace().take(30).collect::<Vec<_>>().join(" ");
    for what in ["errors", "warnings", "a stop", "a bad verdict"] {
        assert!(help.contains(what), "{what} is not in {help}");
    }
    // A bad verdict.
    let rows: String = (0..60).map(|row| format!("{}.5,{}\n", row * row % 29, (row * 5) % 37)).collect();
    place.write("rows.csv", rows);
    let bad = told(&place, "train rows.csv --steps 900 --learning-rate 5 -q --out bad");
    assert!(bad.starts_with("bad: ") && bad.lines().count() == 1, "{bad}");
    // An error.
    place.fail("train rows.csv --steps 2 -q --out bad", 2, &["bad"]);
}
