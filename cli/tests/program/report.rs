//! `gannet report` from outside: what its pages hold, and that a browser shows them right.
//!
//! The browser is Chromium: `$CHROMIUM`, or one that is found on the path. Where there is none, its tests say so and are skipped.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::browser::chromium;

/// Drives the pages in frames of several widths and writes down what it finds.
const DRIVER: &str = include_str!("driver.html");

fn gannet(place: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gannet"));
    let output = command.current_dir(place.path()).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Runs the program, which must succeed.
fn succeed(place: &TempDir, arguments: &[&str]) {
    let (code, stderr) = gannet(place, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
}

fn train(place: &TempDir, out: &str, more: &[&str]) {
    let arguments = ["train", "circle", "--steps", "60", "--evaluate-every", "20", "--quiet", "--out", out];
    succeed(place, &[&arguments, more].concat());
}

fn read(place: &TempDir, name: &str) -> String {
    fs::read_to_string(place.path().join(name)).unwrap()
}

/// Checks that every element that is opened is closed, in the right order.
fn check_nesting(page: &str) {
    const VOID: [&str; 3] = ["meta", "img", "input"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        let name = tag.split_whitespace().next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{open:?}");
        } else if !name.starts_with('!') && !VOID.contains(&name) {
            open.push(name);
            if matches!(name, "script" | "style") {
                rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_is_whole_and_needs_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    train(&place, "a", &[]);
    train(&place, "b", &["--seed", "5"]);
    succeed(&place, &["report", "a"]);
    succeed(&place, &["report", "a", "b"]);
    for name in ["a/report.html", "report.html"] {
        let page = read(&place, name);
        check_nesting(&page);
        for address in ["http:", "https:", "//www", "@import", "url(", "<link", "<iframe", "javascript:"] {
            assert!(!page.contains(address), "{name}: {address}");
        }
        for part in
            ["Content-Security-Policy", "lang=\"en\"", "<svg", "alt=\"What the generator", "prefers-color-scheme"]
        {
            assert!(page.contains(part), "{name}: {part}");
        }
    }
    assert!(read(&place, "report.html").contains("seed</th>"));
    assert!(read(&place, "a/report.html").contains("gannet train a/config.toml"));
}

#[test]
fn only_the_programs_own_page_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    train(&place, "many", &["--replicas", "2"]);
    fs::write(place.path().join("many/replica-000/report.html"), "old").unwrap();
    fs::write(place.path().join("report.html"), "mine").unwrap();
    for arguments in [
        &["report", "many/replica-000", "many/replica-001"][..],
        &["report", "many/replica-000", "--out", "report.html"],
    ] {
        let (code, stderr) = gannet(&place, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains("--force"), "{stderr}");
        assert_eq!(read(&place, "report.html"), "mine");
    }
    succeed(&place, &["report", "many", "--out", "report.html", "--force"]);
    assert!(read(&place, "report.html").contains("replica-001"));
    succeed(&place, &["report", "many/replica-000"]);
    assert!(read(&place, "many/replica-000/report.html").contains("replica-000"));
    succeed(&place, &["report", "many"]);
    assert!(read(&place, "many/report.html").contains("replica-001"));
    for (arguments, part) in [
        (&["report", "nowhere"][..], "nowhere"),
        (&["report", "many/replica-000/samples"], "is no run"),
        (&["report"], "RUN"),
    ] {
        let (code, stderr) = gannet(&place, arguments);
        assert_ne!(code, Some(0));
        assert!(stderr.starts_with("error: ") && stderr.contains(part) && stderr.lines().count() == 1, "{stderr}");
    }
}

/// What the driver finds in the pages beside it, for each a frame.
fn drive(browser: &PathBuf, place: &TempDir, dark: bool) -> Vec<Value> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
        .args(["--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=60000"])
        .args(dark.then_some("--force-dark-mode"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", place.path().join("driver.html").display()))
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    // The frame without JavaScript is to be blocked.
    let told = |line: &&str| line.contains("CONSOLE") && !line.contains("Blocked script execution");
    let console: Vec<&str> = stderr.lines().filter(told).collect();
    assert!(console.is_empty(), "{console:#?}");
    let found = stdout.split("<pre id=\"found\">").nth(1).and_then(|text| text.split("</pre>").next());
    let found = found.unwrap_or_else(|| panic!("{stdout}\n{stderr}"));
    serde_json::from_str(&found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .unwrap_or_else(|error| panic!("{error}: {found}\n{stderr}"))
}

/// How light a color like `rgb(251, 251, 249)` is, from 0 to 1.
fn lightness(color: &Value) -> f64 {
    let text = color.as_str().unwrap().trim_start_matches("rgb(").trim_end_matches(')');
    text.split(", ").map(|part| part.parse::<f64>().unwrap()).sum::<f64>() / 765.0
}

#[test]
fn a_browser_shows_the_pages() {
    let Some(browser) = chromium() else { return };
    let place = tempfile::tempdir().unwrap();
    // Windows has no such names.
    let evil =
        if cfg!(unix) { "<img src=x onerror=console.error(1)>&\"' a name that is far longer than any" } else { "a" };
    train(&place, evil, &[]);
    train(&place, "b", &["--seed", "5", "--batch", "64"]);
    succeed(&place, &["report", evil, "--out", "single.html"]);
    succeed(&place, &["report", evil, "b", "--out", "several.html"]);
    fs::write(place.path().join("driver.html"), DRIVER).unwrap();
    for dark in [false, true] {
        let found = drive(&browser, &place, dark);
        // Two pages at three widths, and one of them without JavaScript.
        assert_eq!(found.len(), 7);
        for frame in &found {
            let scripts = frame["scripts"] == true;
            assert_eq!(frame["overflow"], 0, "{frame}");
            assert_eq!(frame["broken"], 0, "{frame}");
            assert_eq!(frame["slider"], scripts, "{frame}");
            let (page, ink) = (lightness(&frame["background"]), lightness(&frame["color"]));
            assert!(if dark { page < 0.2 && ink > 0.8 } else { page > 0.9 && ink < 0.2 }, "{frame}");
            assert_eq!(frame["captions"][0], "after 60 steps", "{frame}");
            if !scripts {
                continue;
            }
            assert_eq!(frame["title_holds_name"], frame["page"] == "single.html", "{frame}");
            // The slider's first place, one to the right, and what playing comes to.
            let captions: Vec<&str> =
                frame["captions"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
            assert_eq!(captions, ["after 60 steps", "before training", "after 20 steps", "after 60 steps"], "{frame}");
            assert_eq!(frame["pictures"], 3, "{frame}");
            assert_eq!(frame["play"], serde_json::json!(["Pause", "Play"]), "{frame}");
            assert!(frame["charts"].as_u64() >= Some(6), "{frame}");
            assert_eq!(frame["charts_read"], frame["charts"], "{frame}");
            assert_eq!(frame["keys_read"], "step 0", "{frame}");
            assert!(frame["smallest_text"].as_f64() >= Some(12.0), "{frame}");
        }
    }
}

/// Opens `page.html` in a frame of 1200 pixels, and writes down by how much each table is wider than its place.
const MEASURE_TABLES: &str = r#"<!DOCTYPE html><pre id="found"></pre><script>
onload = async () => {
  const frame = document.createElement("iframe");
  frame.style = "width:1200px;height:800px;border:0";
  const loaded = new Promise((done) => (frame.onload = done));
  frame.src = "page.html";
  document.body.append(frame);
  await loaded;
  const tables = [...frame.contentDocument.querySelectorAll(".scroll")];
  const found = tables.map((table) => ({ name: table.getAttribute("aria-label"), cut: table.scrollWidth - table.clientWidth }));
  document.getElementById("found").textContent = JSON.stringify(found);
};
</script>"#;

#[test]
fn tables_of_runs_that_differ_in_everything_fit_a_desk() {
    let Some(browser) = chromium() else { return };
    let place = tempfile::tempdir().unwrap();
    for preset in ["circle", "gaussian2d", "digits", "mixture1d"] {
        succeed(&place, &["train", preset, "--steps", "4", "--quiet", "--out", &format!("all/a-long-name-{preset}")]);
    }
    succeed(
        &place,
        &[
            "report",
            "all/a-long-name-circle",
            "all/a-long-name-gaussian2d",
            "all/a-long-name-digits",
            "all/a-long-name-mixture1d",
            "--out",
            "page.html",
        ],
    );
    fs::write(place.path().join("driver.html"), MEASURE_TABLES).unwrap();
    let found = drive(&browser, &place, false);
    assert!(found.len() >= 3, "{found:?}");
    // Different presets have no measure in common, so that theirs may need the slider below the table.
    let fits = |table: &Value| table["name"] == "Measures" || table["cut"].as_f64() <= Some(0.0);
    assert!(found.iter().all(fits), "{found:?}");
}
