//! Tests that need a program which this machine may not have.

use std::io::Write;

/// Says that the calling test is skipped, because the machine lacks `what`, which `cure` brings. Where `GANNET_CI` is set, a skipped
/// test is a failed one.
pub(crate) fn skip(what: &str, cure: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(std::env::var_os("GANNET_CI").is_none(), "{test} needs {what}, and GANNET_CI is set: {cure}");
    // Not `eprintln`, whose lines the test harness shows for failed tests only.
    _ = writeln!(std::io::stderr(), "SKIPPED {test}: there is no {what}; {cure}");
}
