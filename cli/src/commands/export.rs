//! `gannet export`: the networks of a run as PyTorch names their weights, or one of them as a graph for ONNX runtimes.

use std::collections::BTreeMap;
use std::sync::Arc;

use gannet::cpu::Isa;
use gannet::gan::{Network, onnx, weights};
use gannet::{Error, Result};
use gannet_settings::own_data::Shape;
use gannet_settings::values::name_of;
use gannet_tables::{Calibration, Codec, Domain, OnnxColumn};
use serde_json::{Map, json};

use crate::commands::args::{ExportArgs, NETWORK_FORMATS, NETWORKS, NetworkFormat};
use crate::data::own::OwnData;
use crate::folder::out_file::{OutFile, Suffixes, is_standard_output};
use crate::run::saved_run::SavedRun;
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// The suffixes of files with networks.
const SUFFIXES: Suffixes<NetworkFormat> = Suffixes {
    written: NETWORK_FORMATS,
    elsewhere: &[
        (
            &["pt", "pth", "bin", "ckpt", "pkl", "pickle"],
            "in Python: torch.save(safetensors.torch.load_file(\"x.safetensors\"), \"x.pt\") makes a file of PyTorch's of that",
        ),
        (
            &["tflite", "pb", "mlmodel", "mlpackage", "engine", "trt", "ort"],
            "write .onnx, which the tools of most runtimes convert to their own format",
        ),
        (
            &["h5", "hdf5", "keras", "npz", "npy", "msgpack"],
            "in Python: safetensors.numpy.load_file(\"x.safetensors\") gives arrays by name, which can be saved as you like",
        ),
        (&["csv", "png"], "gannet sample writes samples"),
    ],
};

/// Runs the command.
pub(crate) fn command(args: &ExportArgs) -> anyhow::Result<()> {
    let format = format_of(args)?;
    let out = OutFile::named(&args.out, args.force)?;
    out.refuse_terminal(name_of(NETWORK_FORMATS, &format))?;
    let run = SavedRun::open(&args.run, args.checkpoint)?;
    match format {
        NetworkFormat::Safetensors => safetensors(args, &run, out)?,
        NetworkFormat::Onnx => graph(args, &run, out)?,
    }
    run.tell();
    Ok(())
}

/// The format that is written: of standard output what was asked for, of a file what its suffix says.
fn format_of(args: &ExportArgs) -> Result<NetworkFormat> {
    if is_standard_output(&args.out) {
        return Ok(args.format.unwrap_or(NetworkFormat::Safetensors));
    }
    let format = SUFFIXES.of(&args.out)?;
    match args.format.filter(|asked| *asked != format) {
        Some(asked) => {
            let name = name_of(NETWORK_FORMATS, &asked);
            let problem = format!("{} should end in .{name} then; or leave --format out", args.out.display());
            Err(Error::setting("format", problem))
        }
        None => Ok(format),
    }
}

/// Writes weights, and tells the modules that take them.
fn safetensors(args: &ExportArgs, SavedRun { config, model, .. }: &SavedRun, out: OutFile<'_>) -> anyhow::Result<()> {
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
    Ok(())
}

/// Writes a network as a graph.
fn graph(args: &ExportArgs, SavedRun { config, model, .. }: &SavedRun, out: OutFile<'_>) -> anyhow::Result<()> {
    let Some(network) = args.network else {
        let problem = "an ONNX file holds one network; add --network generator, or --network discriminator";
        return Err(Error::setting("network", problem).into());
    };
    let mut export = onnx::Export::default();
    let mut metadata = meaning(config);
    match (codec(config), network) {
        (Some(codec), Network::Generator) => {
            let calibration = config.calibration(model, Isa::resolve(None)?)?.map(Calibration::for_probabilities);
            let columns = codec.onnx_columns(calibration.as_ref());
            describe(&mut metadata, codec, &columns);
            export = export.with_columns(columns.into_iter().map(|column| column.made).collect());
        }
        (Some(codec), Network::Discriminator) => describe_features(&mut metadata, codec),
        (None, _) => {}
    }
    let export = export.with_metadata(metadata);
    let bytes = onnx::bytes(model, &config.spec, network, &export)?;
    out.write(|file| file.write_all(&bytes))?;
    if let OutFile::File(path, _) = out {
        output::note(&format!("the {} in {}", network.name(), output::printable(path)));
    }
    Ok(())
}

/// What the inputs and outputs of a graph mean, but for a table: the rows and columns of images, the classes in the order of the conditions.
fn meaning(config: &RunConfig) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::new();
    let mut insert = |name: &str, value: serde_json::Value| metadata.insert(name.to_string(), value.to_string());
    if let Shape::Image { height, width } = config.preset.shape() {
        insert("image", json!([height, width]));
    }
    if let Some(classes) = config.classes() {
        insert("classes", json!(classes.names()));
    }
    metadata
}

/// Adds what the columns of a generator's samples mean: their names, offsets and scales where all lie along lines; else the texts of
/// categories that are counted, the units of dates, and which groups the probabilities are of.
fn describe(metadata: &mut BTreeMap<String, String>, codec: &Codec, columns: &[OnnxColumn]) {
    let forms = || columns.iter().map(|column| &codec.form().columns[column.column]);
    let mut insert = |name: &str, value: serde_json::Value| metadata.insert(name.to_string(), value.to_string());
    insert("columns", json!(forms().map(|form| form.name.as_str()).collect::<Vec<_>>()));
    if let Some([offset, scale]) = codec.lines() {
        insert("offset", json!(offset));
        insert("scale", json!(scale));
        return;
    }
    let (mut categories, mut dates, mut groups) = (Map::new(), Map::new(), Vec::new());
    for (form, column) in forms().zip(columns) {
        match &form.domain {
            Domain::Categories { categories: texts, rest } => {
                let texts: Vec<&str> = texts.iter().chain(rest).map(|category| category.text.as_str()).collect();
                if !form.domain.as_numbers().texts_are_numbers() {
                    categories.insert(form.name.clone(), json!(texts));
                }
            }
            Domain::Dates { format, .. } => {
                let first = if format.day.is_some() { "1970-01-01" } else { "midnight" };
                dates.insert(form.name.clone(), json!(format!("{} since {first}", format.unit())));
            }
            _ => {}
        }
        match &column.made {
            onnx::Column::Choice(choice) => groups.push(json!([form.name, choice.values.len()])),
            onnx::Column::Number(number) if number.missing.is_some() => groups.push(json!([form.name, 2])),
            _ => {}
        }
    }
    for (name, found) in [("categories", categories), ("dates", dates)] {
        if !found.is_empty() {
            insert(name, found.into());
        }
    }
    if !groups.is_empty() {
        insert("groups", groups.into());
    }
}

/// Adds what the samples mean that a discriminator takes: the columns of a table, and how rows become samples.
fn describe_features(metadata: &mut BTreeMap<String, String>, codec: &Codec) {
    let mut insert = |name: &str, value: serde_json::Value| metadata.insert(name.to_string(), value.to_string());
    insert("columns", json!(names(codec)));
    match codec.lines() {
        Some([offset, scale]) => {
            insert("offset", json!(offset));
            insert("scale", json!(scale));
        }
        None => {
            insert("table", json!(codec));
        }
    }
}

/// How the rows of a run's table become samples, if it is on one.
fn codec(config: &RunConfig) -> Option<&Arc<Codec>> {
    config.own.as_ref().and_then(OwnData::codec)
}

/// The names of the columns that samples have, and of constant ones.
fn names(codec: &Codec) -> Vec<&str> {
    let columns = codec.form().columns.iter().map(|column| column.name.as_str());
    columns.filter(|name| codec.condition() != Some(*name)).collect()
}

/// What the outputs of the generator of a table mean: name, offset and scale of each; and beside them the columns that have one
/// value, which it does not make.
fn units(config: &RunConfig) -> anyhow::Result<BTreeMap<String, String>> {
    let mut metadata = BTreeMap::new();
    let Some(codec) = codec(config) else { return Ok(metadata) };
    let columns = names(codec);
    let Some([offset, scale]) = codec.lines() else {
        metadata.insert("columns".to_string(), serde_json::to_string(&columns)?);
        metadata.insert("table".to_string(), serde_json::to_string(codec.as_ref())?);
        return Ok(metadata);
    };
    let (mut names, mut offsets, mut scales, mut constants) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (column, ((name, offset), scale)) in columns.iter().zip(offset).zip(scale).enumerate() {
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
