//! The command-line program `gannet`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gannet_cli::main()
}
