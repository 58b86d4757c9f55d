//! The program and the machine: help, instruction sets, caches, speed, and a reader that goes away.

use serde_json::Value;

use crate::place::Place;

#[test]
fn help_and_version() {
    let place = Place::new();
    assert!(place.succeed("--version").starts_with("gannet "));
    let help = place.succeed("--help");
    for command in ["train", "sample", "evaluate", "bench", "info"] {
        assert!(help.contains(command), "{command}");
        assert!(place.succeed(&format!("{command} --help")).contains("--json") || command == "sample");
    }
    assert!(place.succeed("train --help").contains("gannet train circle"));
    let outcome = place.run("");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage"), "{outcome:?}");
}

#[test]
fn info_tells_about_the_machine() {
    let place = Place::new();
    let info = place.json("info --json");
    assert!(info["cores"].as_u64().unwrap() >= 1);
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert!(info["processor"].is_string() && info["isa"].is_string());
    assert!(info["engines"].as_array().unwrap().contains(&Value::from("matrixmultiply")), "{info}");
    let sets = info["instruction_sets"].as_array().unwrap();
    assert_eq!(sets.last().unwrap()["isa"], "portable");
    assert!(sets.iter().all(|set| set["peak_gflops"].as_f64().unwrap() > 0.0), "{info}");
    assert_eq!(sets.iter().filter(|set| set["used"] == true).count(), 1);
    assert!(place.succeed("info").contains("portable"));
}

#[test]
fn bench_prints_a_line_for_each_combination() {
    let place = Place::new();
    let lists =
        "--preset circle,gaussian2d --batch 16,33 --threads 1,2 --engine matrixmultiply --isa portable --steps 3";
    let stdout = place.succeed(&format!("bench {lists} --json"));
    let rows: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 8);
    for row in &rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("samples_per_second") > 0.0 && number("peak_gflops") > 0.0, "{row}");
        assert!((number("gflops") * 1e9 / number("samples_per_second") / number("flop_per_sample") - 1.0).abs() < 1e-9);
        assert!((number("share_of_peak") * number("peak_gflops") / number("gflops") - 1.0).abs() < 1e-9);
        assert_eq!((row["engine"].as_str(), row["isa"].as_str()), (Some("matrixmultiply"), Some("portable")));
    }
    assert_eq!((rows[0]["preset"].as_str(), rows[0]["batch"].as_u64()), (Some("circle"), Some(16)));
    // 12 M_D + 4 M_D' + 6 M_G + 2 M_G' with M_D = 10,528, M_D' = 10,272, M_G = 608, M_G' = 576.
    assert_eq!(rows[0]["flop_per_sample"].as_u64(), Some(12 * 10_528 + 4 * 10_272 + 6 * 608 + 2 * 576));
    let table = place.succeed(&format!("bench {lists}"));
    assert_eq!(table.lines().count(), 9, "{table}");
    let engines = place.succeed("bench --preset mixture1d --engine native,matrixmultiply --steps 1 --json");
    assert_eq!(engines.lines().count(), 2, "{engines}");
    assert!(serde_json::from_str::<Value>(engines.lines().next().unwrap()).unwrap()["memory"].as_u64() > Some(0));
    let markdown = place.succeed("bench --preset mixture1d --engine native,matrixmultiply --steps 1 --markdown");
    assert_eq!(markdown.lines().filter(|line| line.matches('|').count() == 8).count(), 4, "{markdown}");
    place.fail("bench --json --markdown", 2, &["--markdown"]);
    place.fail("bench --preset circle,mnits", 2, &["mnits", "mnist"]);
    place.fail("bench --batch 0", 2, &["--batch"]);
}

#[test]
fn a_forced_instruction_set_must_be_there() {
    let place = Place::new();
    let outcome = place.command("train circle --steps 1").env("GANNET_ISA", "sse9").output().unwrap();
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    let bench = place.command("bench --steps 1").env("GANNET_ISA", "sse9").output().unwrap();
    assert_eq!((bench.status.code(), bench.stdout.len()), (Some(2), 0), "{bench:?}");
    let info = place.command("info --json").env("GANNET_ISA", "portable").output().unwrap();
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["isa"], "portable");
    let result = place.json("train circle --steps 1 --isa portable --json");
    assert_eq!(result["isa"], "portable");
    let there: Vec<&str> =
        info["instruction_sets"].as_array().unwrap().iter().map(|set| set["isa"].as_str().unwrap()).collect();
    for isa in ["avx512", "avx2"].into_iter().filter(|isa| !there.contains(isa)) {
        place.fail(&format!("train circle --isa {isa}"), 2, &[isa, "portable"]);
    }
}

#[test]
fn sizes_of_caches_are_read_and_change_nothing_but_speed() {
    let place = Place::new();
    for text in ["64K", "0,1"] {
        let outcome = place.command("train circle --steps 1").env("GANNET_CACHES", text).output().unwrap();
        let message = String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.code() == Some(2) && message.contains("GANNET_CACHES"), "{outcome:?}");
    }
    let hash = |caches: &str| {
        let mut command = place.command("train digits --steps 3 --isa portable --engine native --json");
        let outcome = command.env("GANNET_CACHES", caches).output().unwrap();
        let result: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        result["model_sha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("1,1"), hash("65536,4194304"));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::{Command, Stdio};
    for arguments in [&["info"][..], &["--help"], &["bench", "--preset", "gaussian2d", "--steps", "2", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = Command::new(env!("CARGO_BIN_EXE_gannet"))
            .args(arguments)
            .stdout(Stdio::from(writer))
            .stderr(Stdio::piped())
            .spawn();
        let output = child.unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
