//! `gannet completions` and `gannet man`: what shells and `man` know about the program, from its own arguments.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use gannet::Error;

use crate::commands::args::{Cli, CompletionsArgs, ManArgs};
use crate::folder::out_file::OutFile;
use crate::folder::run_folder::refused;
use crate::terminal::output::{self, note};
use gannet_settings::nearest::suggestion;

/// The program as it is called.
const PROGRAM: &str = "gannet";

/// Runs `gannet completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let script = script(args.shell);
    OutFile::Standard.write(|file| file.write_all(&script))
}

/// The script of completions for `shell`.
fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    script
}

/// Runs `gannet man`.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<()> {
    if let Some(folder) = &args.out {
        return write_all(folder, args.force);
    }
    let commands = commands();
    let wanted = args.command.as_ref().map_or_else(|| PROGRAM.to_string(), |name| format!("{PROGRAM}-{name}"));
    let Some(command) = commands.iter().find(|command| command.get_name() == wanted) else {
        let names: Vec<&str> =
            commands.iter().filter_map(|command| command.get_name().strip_prefix("gannet-")).collect();
        let name = args.command.as_deref().unwrap_or_default();
        let known = names.join(", ");
        let hint = suggestion(name, names.iter().copied());
        return Err(Error::setting("command", format!("`{name}` is unknown{hint} (known commands: {known})")).into());
    };
    let page = page(command)?;
    output::print(&page)
}

/// Writes all pages into `folder`.
fn write_all(folder: &Path, force: bool) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(refused("create", folder))?;
    let commands = commands();
    let paths: Vec<_> = commands.iter().map(|command| folder.join(format!("{}.1", command.get_name()))).collect();
    // All or none: what is refused is refused before the first page is there.
    let files = paths.iter().map(|path| OutFile::file(path, force)).collect::<Result<Vec<_>, _>>()?;
    for (command, file) in commands.iter().zip(files) {
        let page = page(command)?;
        file.write(|file| file.write_all(page.as_bytes()))?;
    }
    note(&format!("{} pages in {}", commands.len(), output::printable(folder)));
    Ok(())
}

/// The program and its commands, each under the name of its page.
fn commands() -> Vec<Command> {
    let program = Cli::command().disable_help_subcommand(true);
    let commands = program.get_subcommands().map(|command| {
        let name = format!("{PROGRAM}-{}", command.get_name());
        let called = format!("{PROGRAM} {}", command.get_name());
        // The name of a command lives as long as the program: there are few.
        command.clone().name(name).bin_name(called)
    });
    std::iter::once(program.clone()).chain(commands).collect()
}

/// The page about `command`.
fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).manual("gannet").render(&mut page)?;
    let page = String::from_utf8(page)?;
    // The text behind the options has lines of its own, which must not be filled.
    let Some((before, text)) = page.split_once(".SH EXTRA\n") else { return Ok(page) };
    let (text, after) = text.split_at(text.find("\n.SH ").map_or(text.len(), |end| end + 1));
    Ok(format!("{before}.SH NOTES\n.nf\n{text}.fi\n{after}"))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_completes_every_command() {
        for &shell in Shell::value_variants() {
            let script = String::from_utf8(script(shell)).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
            assert!(script.contains("checkpoint"), "{shell}");
        }
    }

    #[test]
    fn every_command_has_a_page_with_all_its_options() {
        let commands = commands();
        assert_eq!(commands.len(), Cli::command().get_subcommands().count() + 1);
        for command in &commands {
            let page = page(command).unwrap();
            assert!(page.contains(".TH gannet") && page.contains("SYNOPSIS"), "{page}");
            assert!(!page.contains(".SH EXTRA"), "{page}");
            let lines = page.lines().map(|line| line.replace('\\', ""));
            let is_whole = |told: &str| lines.clone().any(|line| line == told);
            let told = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(told.lines().filter(|line| !line.is_empty()).all(is_whole), "{told}\n{page}");
            for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
                let escaped = option.replace('-', "\\-");
                assert!(page.contains(&escaped), "{}: {option}", command.get_name());
            }
        }
    }
}
