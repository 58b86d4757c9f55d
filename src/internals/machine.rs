//! Under what figures were measured: the day, the source, the compiler and the machine.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder of the source that the program was built from; it need not exist any more.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

/// One line that goes above every table of measurements. Commit and compiler are told where the program still stands beside
/// the repository that it was built from.
pub fn header() -> String {
    let mut parts = vec![today(), format!("gannet {}", env!("CARGO_PKG_VERSION"))];
    if Path::new(SOURCE).join(".git").exists() {
        let commit = told("git", &["describe", "--always", "--dirty=, changed", "--exclude=*"]);
        parts.extend(commit.map(|commit| format!("commit {commit}")));
        // `rustc 1.95.0 (59807616e 2026-04-14)`
        parts.extend(told("rustc", &["--version"]).map(|text| text.split(" (").next().unwrap_or(&text).to_string()));
    }
    let cores = cores();
    parts.push(format!("{cores} core{} of {}", if cores == 1 { "" } else { "s" }, processor()));
    parts.join(", ")
}

/// The first line that a program prints in the source's folder.
fn told(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(SOURCE).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_string();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// Today's date (UTC), as `2026-11-22`.
fn today() -> String {
    let (day, _) = moment(SystemTime::now());
    day
}

/// Date and time of day (UTC), as `2026-11-22` and `12:03`.
pub fn moment(time: SystemTime) -> (String, String) {
    /// The last second of the year 9999.
    const LATEST: u64 = 253_402_300_799;
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).min(LATEST);
    let (year, month, day) = date(seconds / 86_400);
    let minutes = seconds % 86_400 / 60;
    (format!("{year:04}-{month:02}-{day:02}"), format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

/// Year, month and day of a day counted from 1970-01-01.
fn date(mut day: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    (year, month, day + 1)
}

/// Threads that the system lets this process run at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The processor's name, as the system tells it.
pub fn processor() -> String {
    let linux = || {
        let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_string())
    };
    let mac = || {
        let output = std::process::Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]).output().ok()?;
        let name = String::from_utf8(output.stdout).ok()?.trim().to_string();
        (output.status.success() && !name.is_empty()).then_some(name)
    };
    linux().or_else(|| if cfg!(target_os = "macos") { mac() } else { None }).unwrap_or_else(|| "unknown".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (day, expected) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (789, (1972, 2, 29)),
            (11_016, (2000, 2, 29)),
            (11_322, (2000, 12, 31)),
            (20_779, (2026, 11, 22)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(day), expected, "day {day}");
        }
    }

    #[test]
    fn the_header_names_the_machine() {
        let header = header();
        assert!(header.contains("core") && header.contains(&processor()) && !header.contains('\n'), "{header}");
    }
}
