//! `gannet config`: the settings of a preset as a file to begin with, and the schema of such files.

use std::path::Path;

use crate::commands::args::ConfigArgs;
use crate::data::own::OwnData;
use crate::data::reading::Reading;
use crate::preset::OWN;
use crate::settings::config::RunConfig;
use crate::settings::config_source;
use crate::settings::{config_text, schema};
use crate::terminal::output;

/// Runs the command.
pub(crate) fn command(args: &ConfigArgs) -> anyhow::Result<()> {
    let text = match args.what.as_deref() {
        None => schema::text(),
        Some(what) if what == Path::new(OWN) && args.data.is_none() => {
            config_text::template(&RunConfig::of_own(OwnData::example()?), false)?
        }
        Some(what) => {
            let mut config = config_source::named(what, args.data.as_deref(), (None, &Reading::default()), None)?;
            if let Some(data) = args.data.as_deref().filter(|_| config.own.is_none()) {
                config.take_data(&std::path::absolute(data)?)?;
            }
            config.validate()?;
            config_text::template(&config, true)?
        }
    };
    output::print(&text)
}
