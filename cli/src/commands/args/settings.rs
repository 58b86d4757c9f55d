//! The options that set settings: one for each entry of the table that has one.

use std::path::Path;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use toml::Value;

use super::values::possible;
use crate::settings::config_text::not_unicode;
use crate::settings::table::Setting;
use crate::settings::table::{EXCLUSIVE, SETTINGS};
use gannet_settings::CommandOption;
use gannet_settings::Kind;

/// The settings that were given, with their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingArgs(Vec<(&'static Setting, Value)>);

impl SettingArgs {
    /// All of them.
    pub(crate) fn given(&self) -> &[(&'static Setting, Value)] {
        &self.0
    }

    /// The value of the setting called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(setting, _)| setting.name == name).map(|(_, value)| value)
    }

    /// The most memory that the run may take.
    pub(crate) fn memory_limit(&self) -> Option<u64> {
        self.get("memory_limit").and_then(Value::as_integer).map(i64::cast_unsigned)
    }
}

/// The settings that have an option.
fn options() -> impl Iterator<Item = (&'static Setting, CommandOption)> {
    SETTINGS.iter().filter_map(|setting| Some((setting, setting.option?)))
}

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        command.args(options().map(|(setting, option)| {
            // As clap's own help has it.
            let help = option.help.strip_suffix('.').unwrap_or(option.help);
            let argument = Arg::new(setting.name).long(option.name).help(help);
            let argument = match setting.kind {
                Kind::Flag => argument.action(ArgAction::SetTrue),
                kind => argument.value_name(option.value).value_parser(parser(kind)),
            };
            match setting.kind {
                Kind::Paths => argument.action(ArgAction::Append),
                _ if setting.name == EXCLUSIVE[0] => argument.conflicts_with(EXCLUSIVE[1]),
                _ => argument,
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// What reads the text of an option.
fn parser(kind: Kind) -> ValueParser {
    match kind {
        Kind::Choice(names) => {
            PossibleValuesParser::new(possible(names())).try_map(move |text| kind.parse(&text)).into()
        }
        Kind::Path | Kind::Paths => OsStringValueParser::new()
            .try_map(|path| path.into_string().map(Value::String).map_err(|path| not_unicode(Path::new(&path))))
            .into(),
        _ => ValueParser::new(move |text: &str| kind.parse(text)),
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for (setting, option) in options() {
            if matches.value_source(setting.name) != Some(ValueSource::CommandLine) {
                continue;
            }
            let value = match setting.kind {
                // A switch that is on has an option that turns it off.
                Kind::Flag => Some(Value::Boolean(!option.name.starts_with("no-"))),
                Kind::Paths => {
                    matches.get_many::<Value>(setting.name).map(|paths| Value::Array(paths.cloned().collect()))
                }
                _ => matches.get_one::<Value>(setting.name).cloned(),
            };
            self.0.extend(value.map(|value| (setting, value)));
        }
        Ok(())
    }
}
