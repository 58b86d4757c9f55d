//! What people see of the program: lines and tables on the terminal, progress, commands to copy.

pub(crate) mod command_lines;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod screen;
