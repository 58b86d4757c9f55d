//! The arguments of the commands for the shell: `gannet completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Arguments of `gannet completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Put the script where the shell looks for it, and open a new shell:

  gannet completions bash > ~/.local/share/bash-completion/completions/gannet
  gannet completions zsh > ~/.zfunc/_gannet              with fpath+=~/.zfunc before compinit in ~/.zshrc
  gannet completions fish > ~/.config/fish/completions/gannet.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

/// Arguments of `gannet man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gannet man | man -l -                            read the page of the program
  gannet man train | man -l -                      that of a command
  gannet man --out ~/.local/share/man/man1         all pages, for `man gannet` and `man gannet-train`")]
pub(crate) struct ManArgs {
    /// The command that the page is about [default: the program].
    #[arg(conflicts_with = "out")]
    pub(crate) command: Option<String>,
    /// Write all pages into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace pages that exist.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}
