//! What must hold of each parser for any bytes at all. The tests on stable Rust and the fuzz targets call the same functions.
//!
//! Each takes an input, hands it to the parser, and panics if the parser panics, holds more memory than its cap allows, accepts
//! what a second parser does not read in the same way, or does not read back what was written. It returns whether the parser
//! accepted the input.
#![allow(unreachable_pub, reason = "the fuzz targets reach it too")]

pub(crate) mod checkpoint;
mod codec;
mod config;
mod csv;
pub(crate) mod events;
mod gzip;
mod history;
mod idx;
mod memory;
pub(crate) mod model;
mod npy;
mod table;
mod weights;

use std::path::Path;

/// A parser under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of the fuzz target and of the folder of its corpus.
    pub name: &'static str,
    /// The oracle; whether the parser accepted the input.
    pub check: fn(&[u8]) -> bool,
}

/// All parsers of files.
pub const TARGETS: [Target; 12] = [
    Target { name: "idx", check: idx::check },
    Target { name: "gzip", check: gzip::check },
    Target { name: "npy", check: npy::check },
    Target { name: "csv", check: csv::check },
    Target { name: "model", check: model::check },
    Target { name: "weights", check: weights::check },
    Target { name: "checkpoint", check: checkpoint::check },
    Target { name: "config", check: config::check },
    Target { name: "history", check: history::check },
    Target { name: "events", check: events::check },
    Target { name: "table", check: table::check },
    Target { name: "codec", check: codec::check },
];

/// The oracle of the target `name`.
///
/// # Panics
///
/// Where there is none.
pub fn check(name: &str, input: &[u8]) -> bool {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a known target");
    (target.check)(input)
}

/// What files are called in messages.
const ORIGIN: &str = "input";

fn origin() -> &'static Path {
    Path::new(ORIGIN)
}

/// Asserts that `error` is told in one line that names the file and where in it something is wrong: it holds one of `places`.
fn is_told(error: &gannet::Error, places: &[&str]) {
    let message = error.to_string();
    assert!(matches!(error, gannet::Error::Data { .. }), "{error:?}");
    assert!(message.starts_with("input: ") && is_readable(&message), "{message:?}");
    assert!(places.iter().any(|place| message.contains(place)), "none of {places:?} in {message:?}");
}

/// Whether a message is one line without what moves a terminal's cursor, and short enough.
fn is_readable(message: &str) -> bool {
    !message.contains(char::is_control) && message.len() < 10_000
}
