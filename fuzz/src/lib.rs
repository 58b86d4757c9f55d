//! The oracles of the tests on hostile files, for libFuzzer.

#[path = "../../cli/tests/hostile/oracles/mod.rs"]
mod oracles;

pub use oracles::check;
