//! Pages about folders written by hand: whole ones, broken ones and hostile ones.

use std::fs;
use std::path::{Path, PathBuf};

use gannet::Error;
use gannet::gan::presets::Preset;
use gannet::metrics::references;
use tempfile::TempDir;

use super::pages::{MOST_RUNS, link};
use super::record::Record;
use super::*;
use crate::folder::run_folder;
use crate::history::legs::Legs;
use crate::plot::Picture;
use crate::settings::config::RunConfig;
use crate::settings::config_text;

/// The folder of a run called `name`, with what a whole run leaves.
fn run(place: &TempDir, name: &str, preset: Preset) -> PathBuf {
    let folder = place.path().join(name);
    fs::create_dir_all(folder.join("samples")).unwrap();
    write_config(&folder, &RunConfig::of(preset));
    let header = "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability\n";
    let rows: String = (1..=50).map(|i| format!("{},{},1.{i:02},0.7,0.6,0.4\n", 4 * i, i / 10)).collect();
    fs::write(folder.join("metrics.csv"), format!("{header}{rows}")).unwrap();
    let evaluation = "step,epoch,sliced_wasserstein,own_measure,real_accuracy,fake_accuracy,spread,\
        generator_gradient_norm,discriminator_gradient_norm,generator_dead_units,discriminator_dead_units,verdict\n\
        0,0,0.5,3,,,,,,,,\n\
        100,1,0.2,2,0.9,0.8,0.1,0.5,0.25,0.1,0,\"collapse suspected, few modes\"\n\
        200,2,0.04,1,0.5,0.5,0.9,0.5,0.25,0.1,0,healthy\n";
    fs::write(folder.join("evaluation.csv"), evaluation).unwrap();
    for step in [0, 100, 200] {
        fs::write(folder.join(format!("samples/step-{step:06}.png")), png()).unwrap();
    }
    fs::write(folder.join("model.safetensors"), "").unwrap();
    let result = r#"{"status": "finished", "steps": 200, "seconds": 75.0, "samples_per_second": 12345.6,
        "real_probability": 0.51, "fake_probability": 0.49, "metrics": {"mean_radius": 0.99, "sliced_wasserstein": 0.0375},
        "model_sha256": "ab12", "processor": "Some Processor", "isa": "avx2", "threads": 2}"#;
    fs::write(folder.join("run.json"), result).unwrap();
    folder
}

fn write_config(folder: &Path, config: &RunConfig) {
    fs::write(folder.join("config.toml"), config_text::render(config, "a run").unwrap()).unwrap();
}

fn png() -> Vec<u8> {
    Picture { width: 2, height: 2, pixels: vec![0; 12] }.to_png().unwrap()
}

/// The page that `write` leaves in `folder`.
fn page(folder: &Path) -> String {
    write(folder).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    page
}

/// Checks that `page` tells each of `parts`.
fn tells(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "`{part}` is not in the page");
    }
}

#[test]
fn a_finished_run_is_told_whole() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "circle-001", Preset::Circle);
    let text = page(&folder);
    tells(
        &text,
        &[
            "circle-001",
            "finished",
            "1 min 15 s",
            // The measures of the end, in words, beside the reference.
            "0.0375",
            "sliced 1-Wasserstein distance to real samples",
            references::find("circle", 3_200, "sliced_wasserstein").unwrap().reached,
            // D's answers at the end, not those of the last row.
            "0.510, 0.490",
            "12,346",
            "collapse suspected, few modes",
            "steps",
            "ReLU, dropout 0.2",
            "Adam, rate 0.001, betas 0.9 and 0.999",
            "[gan.generator]",
            "Some Processor",
            "ab12",
            "gannet train ",
            "gannet sample ",
            "data:image/png;base64,",
            "after 200 steps",
            "own measure",
            "D undecided: 2 ln 2",
        ],
    );
    assert_eq!(text.matches("<img").count(), 3);
    assert_eq!(text.matches("<figure class=\"chart").count(), 8);
    assert!(!text.contains("--resume") && !text.contains("no end recorded"));
    fs::create_dir(folder.join("checkpoints")).unwrap();
    fs::write(folder.join("checkpoints/step-000000200.safetensors"), "").unwrap();
    tells(&page(&folder), &["gannet train --resume "]);
}

#[test]
fn a_run_without_an_end_is_told_as_far_as_it_came() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "circle-001", Preset::Circle);
    fs::remove_file(folder.join("run.json")).unwrap();
    tells(&page(&folder), &["no end recorded", "200 steps, in epoch 5 of 100", "0.0400", "0.600, 0.400"]);
    // It was stopped.
    fs::write(folder.join("run.json"), r#"{"status": "stopped", "steps": 200}"#).unwrap();
    tells(&page(&folder), &["stopped", "200 steps, in epoch 5 of 100"]);
    // It went on from there.
    fs::write(folder.join("run.json"), r#"{"status": "stopped", "steps": 100, "metrics": {"mean_radius": 7}}"#)
        .unwrap();
    tells(&page(&folder), &["no end recorded", "0.0400"]);
    // It failed.
    fs::write(folder.join("run.json"), r#"{"status": "failed", "steps": 200, "error": "step 7: <nan>"}"#).unwrap();
    tells(&page(&folder), &["failed", "step 7: &lt;nan&gt;"]);
}

#[test]
fn every_file_may_be_missing_or_broken() {
    let names =
        ["config.toml", "metrics.csv", "evaluation.csv", "run.json", "samples/step-000200.png", "model.safetensors"];
    for broken in names {
        let place = tempfile::tempdir().unwrap();
        let folder = run(&place, "r", Preset::Circle);
        let whole = fs::read(folder.join(broken)).unwrap();
        fs::remove_file(folder.join(broken)).unwrap();
        page(&folder);
        let mut pages = Vec::new();
        let contents: [&[u8]; 5] =
            [b"", b"\0\xff\xfe,\n\"", b"[[[[{{{{\n\n", &[b'9'; 70_000], &whole[..whole.len() / 2]];
        for content in contents {
            fs::write(folder.join(broken), content).unwrap();
            pages.push(page(&folder));
        }
        fs::remove_file(folder.join(broken)).unwrap();
        fs::create_dir(folder.join(broken)).unwrap();
        pages.push(page(&folder));
        // What the other files tell is there.
        pages.iter().for_each(|page| tells(page, &["<h1>", "What the generator makes"]));
    }
}

#[test]
fn every_string_is_escaped() {
    let place = tempfile::tempdir().unwrap();
    let evil = "<script>alert(1)<&\"'";
    let folder = run(&place, &evil.replace('/', ""), Preset::Circle);
    for name in ["evaluation.csv", "metrics.csv"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let text = text.replace("healthy", "<script>alert(2)").replace("own_measure", "</script><script>alert(3)");
        fs::write(folder.join(name), text).unwrap();
    }
    let result = r#"{"status": "<script>alert(4)", "steps": 200, "model_sha256": "<script>alert(5)", "isa": "<script>alert(6)",
        "metrics": {"<script>alert(7)": 1, "\" onload=\"x": 2}, "error": "</title><script>alert(8)"}"#;
    fs::write(folder.join("run.json"), result).unwrap();
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    fs::write(folder.join("config.toml"), format!("# </code></pre><script>alert(9)\n{config}")).unwrap();
    let check = |text: &str, alerts: std::ops::RangeInclusive<usize>| {
        // The data of the charts and the page's own script.
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, text.matches("<script type=\"application/json\">").count() + 1);
        assert!(!text.contains("<script>alert") && !text.contains("\" onload=\""));
        alerts.for_each(|alert| assert!(text.contains(&format!("&lt;script&gt;alert({alert})")), "{alert}"));
    };
    check(&page(&folder), 1..=9);
    // A file of settings that is wrong is shown, and so is what is wrong with it.
    fs::write(folder.join("config.toml"), "[run]\npreset = '<script>alert(9)'").unwrap();
    check(&page(&folder), 1..=9);
    run(&place, "second", Preset::Circle);
    check(&page(place.path()), 1..=4);
}

#[test]
fn several_runs_are_laid_side_by_side() {
    let place = tempfile::tempdir().unwrap();
    let folders = ["a", "b", "c"].map(|name| run(&place, name, Preset::Circle));
    write_config(&folders[1], &RunConfig { seed: 77, batch: 640, ..RunConfig::of(Preset::Circle) });
    fs::write(folders[1].join("run.json"), r#"{"steps": 200, "metrics": {"mean_radius": 1.001, "wrong": "x"}}"#)
        .unwrap();
    fs::remove_file(folders[2].join("config.toml")).unwrap();
    write(&folders[0]).unwrap();
    let text = page(place.path());
    tells(&text, &["seed</th>", "77", "640", "unknown", "href=\"./a/report.html\"", "1.001<span class=\"mark\""]);
    // What is the same is not told.
    assert!(!text.contains("objective</th>"), "{text}");
    assert_eq!(text.matches("class=\"frames\"").count(), 3);
    // The runs have the colors 0 to 2.
    tells(&text, &["run c0", "run c1", "run c2"]);
    assert!(!text.contains("run c3"));
}

#[test]
fn many_runs_take_a_page_that_stays_small() {
    let place = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..200).map(|index| format!("replica-{index:03}")).collect();
    for (index, name) in names.iter().enumerate() {
        let folder = run(&place, name, Preset::Circle);
        let result = format!(r#"{{"status": "finished", "steps": 200, "metrics": {{"mean_radius": {index}}}}}"#);
        fs::write(folder.join("run.json"), result).unwrap();
        if index == 23 {
            // Colors and dashes tell no more runs apart.
            let text = page(place.path());
            assert!(text.contains("run c0") && !text.contains("median, and the middle half"));
        }
    }
    let text = page(place.path());
    assert!(text.len() < 4_000_000, "{}", text.len());
    tells(
        &text,
        &["replica-199", "median, and the middle half of the runs", "99.50", "49.75 to 149.2", "200 command lines"],
    );
    assert!(!text.contains("run c0"));
}

#[test]
fn the_head_of_a_page_says_each_thing_once() {
    let place = tempfile::tempdir().unwrap();
    let head = |name: &str| {
        let text = page(&run(&place, name, Preset::Circle));
        text.split("<header>").nth(1).unwrap().split("<p class=\"pills\"").next().unwrap().to_string()
    };
    assert_eq!(head("circle"), "<p class=\"over\">gannet run</p><h1>circle</h1>");
    assert_eq!(head("first"), "<p class=\"over\">gannet run, circle</p><h1>first</h1>");
}

#[test]
fn verdict_and_best_model_of_the_end_are_told() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "r", Preset::Circle);
    let result = r#"{"status": "finished", "steps": 200, "verdict": "far from the data", "verdict_hint": "train <longer>",
        "best": {"step": 100, "measure": "sliced_wasserstein", "value": 0.03125, "last_value": 0.0625}}"#;
    fs::write(folder.join("run.json"), result).unwrap();
    tells(
        &page(&folder),
        &[
            "far from the data</span>",
            "train &lt;longer&gt;",
            "after 100 steps",
            "0.0312",
            "0.0625",
            "--checkpoint best",
        ],
    );
    // The best is the last: nothing to tell.
    fs::write(folder.join("run.json"), result.replace(r#""step": 100"#, r#""step": 200"#)).unwrap();
    assert!(!page(&folder).contains("--checkpoint best"));
    // While a run goes on, the verdict is that of the last evaluation.
    fs::remove_file(folder.join("run.json")).unwrap();
    let table = fs::read_to_string(folder.join("evaluation.csv")).unwrap().replace("healthy", "D too strong");
    fs::write(folder.join("evaluation.csv"), table).unwrap();
    tells(&page(&folder), &["D too strong</span>", "give D fewer units or dropout"]);
}

#[test]
fn real_images_stand_beside_the_generated_ones() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "r", Preset::Digits);
    assert!(!page(&folder).contains("real images"));
    fs::write(folder.join("samples/real.png"), png()).unwrap();
    let text = page(&folder);
    tells(&text, &["<figcaption>real images</figcaption>"]);
    assert_eq!(text.matches("<img").count(), 4);
    fs::write(folder.join("samples/real.png"), "no picture").unwrap();
    assert!(!page(&folder).contains("real images"));
}

#[test]
fn a_live_page_claims_no_end() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "r", Preset::Circle);
    // What a resumed run came to before is not what it comes to now.
    fs::write(folder.join("run.json"), r#"{"status": "running", "steps": 200, "metrics": {"mean_radius": 7}}"#)
        .unwrap();
    let live = Live::new(&folder, vec![(folder.clone(), 0)], 400, 1);
    assert!(!live.is_due());
    live.begin().unwrap();
    let text = fs::read_to_string(folder.join("report.html")).unwrap();
    tells(&text, &["running", "200 of 400 steps", "value=\"50.0\"", "As of ", "data-promise=\"10000\"", "<noscript>"]);
    for part in ["finished", "http-equiv=\"refresh\"", "no end recorded", "Last written"] {
        assert!(!text.contains(part), "{part}");
    }
    // Rows and pictures that have come since.
    let mut table = fs::read_to_string(folder.join("metrics.csv")).unwrap();
    table += "300,9,1.5,0.7,0.6,0.4\n";
    fs::write(folder.join("metrics.csv"), table).unwrap();
    fs::write(folder.join("samples/step-000300.png"), png()).unwrap();
    live.begin().unwrap();
    let text = fs::read_to_string(folder.join("report.html")).unwrap();
    tells(&text, &["300 of 400 steps", "after 300 steps", "data-promise=\"5000\""]);
    // The page of the end stays.
    fs::write(folder.join("run.json"), r#"{"status": "finished", "steps": 400}"#).unwrap();
    assert!(!page(&folder).contains("data-promise"));
}

#[test]
fn a_page_tells_which_runs_it_has_no_room_for() {
    let place = tempfile::tempdir().unwrap();
    let folders: Vec<PathBuf> = (0..MOST_RUNS + 2).map(|i| place.path().join(format!("replica-{i:03}"))).collect();
    for folder in &folders {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("metrics.csv"), "step,discriminator_loss\n7,1.5\n").unwrap();
    }
    let check = |text: &str| {
        tells(text, &["The page shows the first 256 of 258 runs.", "replica-255"]);
        assert!(!text.contains("replica-256"));
    };
    check(&page(place.path()));
    // The live one counts the steps of those that it shows.
    let live = Live::new(place.path(), folders.into_iter().map(|folder| (folder, 5)).collect(), 10, 1);
    live.begin().unwrap();
    let text = fs::read_to_string(place.path().join("report.html")).unwrap();
    check(&text);
    tells(&text, &["1,792 of 2,560 steps"]);
}

#[test]
fn a_folder_without_runs_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let error = write(place.path()).unwrap_err().to_string();
    assert!(error.contains("is no run"), "{error}");
    assert!(matches!(write(&place.path().join("missing")).unwrap_err(), Error::Io { .. }));
    assert!(!place.path().join("report.html").exists());
}

#[test]
fn links_stay_within_the_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "a b:<", Preset::Circle);
    let link_from = |out: &Path| link(&Record::read(&folder, 1), out);
    assert_eq!(link_from(&place.path().join("x.html")), None);
    write(&folder).unwrap();
    assert_eq!(link_from(&place.path().join("x.html")).as_deref(), Some("./a%20b%3A%3C/report.html"));
    assert_eq!(link_from(&folder.join("sub/x.html")), None);
}

#[test]
fn a_page_that_is_made_again_tells_of_the_history_as_it_is_now() {
    let place = tempfile::tempdir().unwrap();
    let folder = run(&place, "run", Preset::Circle);
    let mut record = Record::read_live(&folder, 1);
    assert!(record.legs.is_none());
    for step in [100, 200] {
        fs::write(folder.join("legs.json"), run_folder::json(&Legs::unknown(step))).unwrap();
        record.read_on(1);
        assert_eq!(record.legs.as_ref().map(Legs::last_step), Some(step));
    }
    // What it came to is of a later step than it has gone back to.
    assert_eq!(Record::read(&folder, 1).state(), record::State::Finished);
    fs::write(folder.join("legs.json"), run_folder::json(&Legs::unknown(100))).unwrap();
    assert_eq!(Record::read(&folder, 1).state(), record::State::Open);
}
