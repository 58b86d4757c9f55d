//! `gannet export`: the weights of a run as PyTorch names them.

use std::collections::BTreeMap;

use gannet::gan::{Network, weights};
use serde_json::json;

use crate::commands::args::{ExportArgs, NETWORKS};
use crate::data::own::Form;
use crate::folder::out_file::{OutFile, Suffixes, is_standard};
use crate::run::saved_run::SavedRun;
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// The suffix of files with weights.
const SUFFIXES: Suffixes<()> = Suffixes {
    written: &[("safetensors", ())],
    elsewhere: &[
        (
            &["pt", "pth", "bin", "ckpt", "pkl", "pickle"],
            "in Python: torch.save(safetensors.torch.load_file(\"x.safetensors\"), \"x.pt\") makes a file of PyTorch's of that",
        ),
        (&["onnx"], "in Python: load that into the nn.Sequential that is printed, and call torch.onnx.export"),
        (
            &["h5", "hdf5", "keras", "npz", "npy", "msgpack"],
            "in Python: safetensors.numpy.load_file(\"x.safetensors\") gives arrays by name, which can be saved as you like",
        ),
        (&["csv", "png"], "gannet sample writes samples"),
    ],
};

/// Runs the command.
pub(crate) fn command(args: &ExportArgs) -> anyhow::Result<()> {
    if !is_standard(&args.out) {
        SUFFIXES.of(&args.out)?;
    }
    let out = OutFile::named(&args.out, args.force)?;
    out.refuse_terminal("safetensors")?;
    let run = SavedRun::open(&args.run, args.checkpoint)?;
    let SavedRun { config, model, .. } = &run;
    let metadata = if args.network == Some(Network::Discriminator) { BTreeMap::new() } else { units(config)? };
    let bytes = weights::state_dict(model, &config.spec, args.network, args.numbers, metadata)?;
    out.write(|file| file.write_all(&bytes))?;
    for &(name, network) in NETWORKS {
        if args.network.is_none_or(|chosen| chosen == network) {
            let spec = match network {
                Network::Generator => &config.spec.generator,
                Network::Discriminator => &config.spec.discriminator,
            };
            let line = format!("{name} = {}", weights::sequential(spec));
            // Standard output is for the file then.
            if out == OutFile::Standard { output::note(&line) } else { output::print_text(&format!("{line}\n"))? }
        }
    }
    if let OutFile::File(path, _) = out {
        output::note(&format!("weights in {}", output::printable(path)));
    }
    run.tell();
    Ok(())
}

/// What the outputs of the generator of a table mean: name, offset and scale of each; and beside them the columns that have one
/// value, which it does not make.
fn units(config: &RunConfig) -> anyhow::Result<BTreeMap<String, String>> {
    let mut metadata = BTreeMap::new();
    let Some(Form::Table { columns, standardization }) = config.own.as_ref().map(|own| &own.form) else {
        return Ok(metadata);
    };
    let (mut names, mut offsets, mut scales, mut constants) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let table = columns.iter().zip(standardization.offset()).zip(standardization.scale());
    for (column, ((name, &offset), &scale)) in table.enumerate() {
        if scale > 0.0 {
            names.push(name);
            offsets.push(offset);
            scales.push(scale);
        } else {
            constants.push(json!({ "column": column, "name": name, "value": offset }));
        }
    }
    metadata.insert("columns".to_string(), serde_json::to_string(&names)?);
    metadata.insert("offset".to_string(), serde_json::to_string(&offsets)?);
    metadata.insert("scale".to_string(), serde_json::to_string(&scales)?);
    if !constants.is_empty() {
        metadata.insert("constants".to_string(), serde_json::to_string(&constants)?);
    }
    Ok(metadata)
}
