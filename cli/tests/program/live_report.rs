//! The report of a run that goes on, seen in a browser that nobody touches. Where there is no Chromium, the test says so
//! and is skipped.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::chromium;
use crate::place::Place;

/// A browser that is told over a pipe what to do: messages of the DevTools protocol, each with a zero byte behind it.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    sent: u64,
    /// Errors that pages reported.
    errors: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The browser reads from descriptor 3 and writes to 4.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from, sent: 0, errors: Vec::new(), _profile: profile }
    }

    /// Sends a command, to a page or to the browser itself, and waits for its result or the reason why there is none.
    fn ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            assert!(self.from.read_until(0, &mut bytes).unwrap() > 0, "the browser went away");
            bytes.pop();
            let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == json!(self.sent) {
                return if answer["error"].is_null() {
                    Ok(answer["result"].take())
                } else {
                    Err(answer["error"].take())
                };
            }
            if answer["method"] == "Runtime.exceptionThrown" {
                self.errors.push(answer);
            }
        }
    }

    /// A page of its own, of a size, in light or dark colors, with JavaScript or without.
    fn page(&mut self, name: &'static str, [width, height]: [u32; 2], dark: bool, scripts: bool) -> Page {
        let target = self.ask(None, "Target.createTarget", json!({"url": "about:blank"})).unwrap();
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.ask(None, "Target.attachToTarget", attach).unwrap();
        let page = Page { name, session: attached["sessionId"].as_str().unwrap().to_string() };
        let color = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        for (method, parameters) in [
            ("Runtime.enable", json!({})),
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
            ),
            ("Emulation.setEmulatedMedia", json!({"features": [color]})),
            ("Emulation.setScriptExecutionDisabled", json!({"value": !scripts})),
        ] {
            self.ask(Some(&page.session), method, parameters).unwrap();
        }
        page
    }

    fn open(&mut self, page: &Page, path: &Path) {
        let url = format!("file://{}", path.display());
        self.ask(Some(&page.session), "Page.navigate", json!({"url": url})).unwrap();
    }

    /// The value of an expression in a page; null while the page is being loaded.
    fn look(&mut self, page: &Page, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        self.ask(Some(&page.session), "Runtime.evaluate", parameters).map_or(Value::Null, |mut result| {
            assert!(result["exceptionDetails"].is_null(), "{}: {expression}: {result}", page.name);
            result["result"]["value"].take()
        })
    }

    /// Waits until an expression is true in a page. There is no limit but that of a test that hangs.
    fn wait(&mut self, page: &Page, expression: &str) {
        let complete = format!("document.readyState === 'complete' && Boolean({expression})");
        for _ in 0..6_000 {
            if self.look(page, &complete) == true {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("{}: {expression} never came true: {}", page.name, self.look(page, "document.body.innerText"));
    }

    /// Keeps a picture of a page where `$GANNET_SCREENSHOTS` says, for whoever wants to see it.
    fn shoot(&mut self, page: &Page, moment: &str) {
        let Some(folder) = std::env::var_os("GANNET_SCREENSHOTS").map(PathBuf::from) else { return };
        let shot = self.ask(Some(&page.session), "Page.captureScreenshot", json!({})).unwrap();
        fs::write(folder.join(format!("{}-{moment}.png.base64", page.name)), shot["data"].as_str().unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A page of the browser.
struct Page {
    name: &'static str,
    session: String,
}

/// A run of the program that is ended with the test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// When the page was made, in a page of a run that goes on.
const WRITTEN: &str = "document.querySelector('.live')?.dataset.written";
/// What the reader has moved: the slider, the open parts, and how far a heading is from the edge.
const MOVED: &str = "[document.querySelector('.slider output').textContent, document.querySelector('details').open,
    Math.round(document.querySelector('#curves h2').getBoundingClientRect().top)]";

#[test]
fn a_page_follows_its_run_untouched() {
    let Some(program) = chromium() else { return };
    let place = Place::new();
    let mut run = Run(Command::new(env!("CARGO_BIN_EXE_gannet"))
        .current_dir(place.path(""))
        .args(["train", "circle", "--steps", "1000000000", "--evaluate-every", "20000", "--report-every", "100"])
        .args(["--batch", "16", "--threads", "1", "--quiet", "--no-tensorboard", "--out", "run"])
        .spawn()
        .unwrap());
    let report = place.path("run/report.html");
    while !place.path("run/samples/step-000000.png").exists() {
        assert!(run.0.try_wait().unwrap().is_none(), "the run ended");
        sleep(Duration::from_millis(20));
    }
    assert!(report.exists());
    let mut browser = Browser::start(&program);
    let pages = [
        browser.page("desk-light", [1280, 900], false, true),
        browser.page("desk-dark", [1280, 900], true, true),
        browser.page("phone-light", [390, 844], false, true),
        browser.page("phone-dark", [390, 844], true, true),
    ];
    let still = browser.page("without-javascript", [1280, 900], false, false);
    pages.iter().chain([&still]).for_each(|page| browser.open(page, &report));
    browser.wait(&still, WRITTEN);
    let loaded = browser.look(&still, WRITTEN);

    // Pictures come by themselves.
    for page in &pages {
        browser.wait(page, "document.querySelectorAll('.frames img').length > 2");
    }
    // What is moved stays where it is.
    let moved = &pages[0];
    browser.look(
        moved,
        "const input = document.querySelector('.slider input'); input.value = 0;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        document.querySelector('details').open = true;
        document.querySelector('#curves').scrollIntoView({ behavior: 'instant' }); 0",
    );
    let before = browser.look(moved, MOVED);
    assert_eq!((&before[0], &before[1]), (&json!("step 0"), &json!(true)));
    let now: Vec<Value> = pages.iter().map(|page| browser.look(page, WRITTEN)).collect();
    for (page, now) in pages.iter().zip(now) {
        browser.wait(page, &format!("{WRITTEN} > {now}"));
        browser.wait(
            page,
            "/^As of \\d\\d:\\d\\d:\\d\\d, \\d+ s ago\\.$/.test(document.querySelector('.age').textContent)",
        );
        let text = browser.look(page, "document.querySelector('header').innerText");
        assert!(text.as_str().unwrap().contains("running"), "{text}");
        browser.shoot(page, "running");
    }
    let after = browser.look(moved, MOVED);
    assert_eq!((&after[0], &after[1]), (&before[0], &before[1]));
    assert!((after[2].as_f64().unwrap() - before[2].as_f64().unwrap()).abs() <= 2.0, "{before} {after}");

    // A page of long ago says so.
    let text = fs::read_to_string(&report).unwrap();
    let written = text.split("data-written=\"").nth(1).unwrap().split('"').next().unwrap();
    let old = written.parse::<u64>().unwrap() - 600_000;
    place.write("old.html", text.replace(written, &old.to_string()));
    let lost = browser.page("lost", [390, 844], false, true);
    browser.open(&lost, &place.path("old.html"));
    browser.wait(&lost, "document.querySelector('.age')?.textContent.startsWith('No news since ')");
    let pill = browser.look(&lost, "document.querySelector('.pill').textContent");
    assert_eq!(pill, "no news");
    browser.shoot(&lost, "old");

    // That it is old means nothing while its reader keeps it from being renewed.
    fs::copy(&report, place.path("selected.html")).unwrap();
    let selected = browser.page("selected", [1280, 900], false, true);
    browser.open(&selected, &place.path("selected.html"));
    browser.wait(
        &selected,
        "(getSelection().selectAllChildren(document.querySelector('h1')), window.clock ??= Date.now,
        Date.now = () => window.clock() + 600000,
        / ago, not renewed while text is selected\\.$/.test(document.querySelector('.age')?.textContent)
        && /, 1\\d min /.test(document.querySelector('.age').textContent))",
    );
    assert_eq!(browser.look(&selected, "document.querySelector('.pill').textContent"), "running");
    browser.shoot(&selected, "held");

    let id = run.0.id() as i32;
    // SAFETY: a process of this test, which has not been waited for.
    assert_eq!(unsafe { libc::kill(id, libc::SIGTERM) }, 0);
    assert_eq!(run.0.wait().unwrap().code(), Some(143));
    let told: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    let steps = told["steps"].as_u64().unwrap();
    for page in &pages {
        browser.wait(page, "!document.querySelector('.live')");
        let parts = browser.look(page, "[document.querySelector('.pill').textContent, document.body.innerText]");
        assert_eq!(parts[0], "stopped", "{}", page.name);
        let digits: String = parts[1].as_str().unwrap().chars().filter(|&c| c != ',').collect();
        assert!(digits.contains(&format!("{steps} of 1000000000 steps")), "{}: {steps}: {digits}", page.name);
        let room = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.look(page, room), 0, "{}", page.name);
        let ground = browser.look(page, "getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] > 128");
        assert_eq!(ground, !page.name.ends_with("dark"), "{}", page.name);
        browser.shoot(page, "stopped");
    }
    assert_eq!(browser.look(moved, MOVED)[0], before[0]);

    // Without JavaScript there is what was there when the page was loaded.
    assert_eq!(browser.look(&still, WRITTEN), loaded);
    let text = browser.look(&still, "document.querySelector('header').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("running") && text.contains(" UTC on ") && text.contains("loaded again"), "{text}");
    assert_eq!(browser.look(&still, "document.querySelectorAll('meta[http-equiv=refresh]').length"), 0);
    assert!(browser.errors.is_empty(), "{:#?}", browser.errors);
}
