//! The command-line program `gannet`.
fn main() {}
