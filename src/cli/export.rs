//! `gannet export`: the weights of a run as PyTorch names them.

use std::collections::BTreeMap;

use super::args::{ExportArgs, NETWORKS};
use super::output;
use super::own::Form;
use super::run_folder::{check_free, write_atomically};
use super::saved_run::SavedRun;
use crate::error::Error;
use crate::gan::weights::{self, Network};

/// Runs the command.
pub(crate) fn command(args: &ExportArgs) -> anyhow::Result<()> {
    if !args.force {
        check_free(&args.out).map_err(|_| {
            Error::setting("out", format!("{} exists already; --force replaces it", args.out.display()))
        })?;
    }
    let SavedRun { config, model } = SavedRun::open(&args.run)?;
    let mut metadata = BTreeMap::new();
    // Without them nobody knows the units of what the generator makes.
    if let Some(Form::Table { columns, standardization }) = config.own.as_ref().map(|own| &own.form) {
        metadata.insert("columns".to_string(), serde_json::to_string(columns)?);
        metadata.insert("offset".to_string(), serde_json::to_string(standardization.offset())?);
        metadata.insert("scale".to_string(), serde_json::to_string(standardization.scale())?);
    }
    let bytes = weights::state_dict(&model, &config.spec, args.network, args.numbers, metadata)?;
    write_atomically(&args.out, |file| file.write_all(&bytes))?;
    for &(name, network) in NETWORKS {
        if args.network.is_none_or(|chosen| chosen == network) {
            let spec = match network {
                Network::Generator => &config.spec.generator,
                Network::Discriminator => &config.spec.discriminator,
            };
            output::print_line(&format!("{name} = {}", weights::sequential(spec)))?;
        }
    }
    output::note(&format!("weights in {}", args.out.display()));
    Ok(())
}
