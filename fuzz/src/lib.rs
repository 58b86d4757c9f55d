//! The oracles of the tests on hostile files and tables, for libFuzzer.

#[path = "../../cli/tests/hostile/oracles/mod.rs"]
mod oracles;

pub use oracles::check;

#[path = "../../tables/tests/oracle/mod.rs"]
pub mod tables;
