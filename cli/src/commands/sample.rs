//! `gannet sample`: samples of a trained generator as an array, a table or a picture.

use std::io::{self, Write};
use std::path::Path;

use gannet::cpu::Isa;
use gannet::data::one_hot;
use gannet::gan::{GanSpec, Model, Network, NetworkFunction};
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};

use crate::commands::args::{Format, SAMPLE_FORMATS, SampleArgs};
use crate::data::classes::Classes;
use crate::data::latents;
use crate::data::own::Form;
use crate::data::samples::Samples;
use crate::folder::npy;
use crate::folder::out_file::{OutFile, Suffixes, is_standard};
use crate::plot::Heading;
use crate::run::pictures::{self, Panel};
use crate::run::saved_run::SavedRun;
use crate::settings::config::RunConfig;
use crate::settings::loading;
use crate::terminal::output::{note, plain, printable};
use gannet_settings::own_data::Shape;
use gannet_settings::values::name_of;

/// What the suffixes of files with samples stand for.
const SUFFIXES: Suffixes<Format> = Suffixes {
    written: SAMPLE_FORMATS,
    elsewhere: &[
        (
            &["parquet", "feather", "xlsx", "xls", "ods", "json", "tsv", "txt"],
            "write .csv, and convert it: pandas.read_csv reads it, and pandas writes most others",
        ),
        (&["npz", "mat", "h5", "hdf5"], "write .npy, and convert it in Python: numpy.load reads it"),
        (&["pkl", "pickle", "pt", "pth"], "write .npy; in Python: torch.from_numpy(numpy.load(\"x.npy\"))"),
        (&["jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "svg", "pdf"], "a picture is a .png"),
        (&["safetensors", "onnx"], "gannet export writes the weights"),
    ],
};

/// Runs the command.
pub(crate) fn command(args: &SampleArgs) -> anyhow::Result<()> {
    let format = format_of(&args.out, args.format)?;
    let out = OutFile::named(&args.out, args.force)?;
    if format != Format::Csv {
        out.refuse_terminal(name_of(SAMPLE_FORMATS, &format))?;
    }
    let run = SavedRun::open(&args.run, args.checkpoint)?;
    let classes = run.config.classes();
    let asked = Asked::new(classes.as_ref(), &args.label)?;
    let condition = |index, condition: &mut [f32]| {
        if let Some(class) = asked.class(index) {
            one_hot(class, condition);
        }
    };
    let (spec, isa) = (&run.config.spec, Isa::resolve(None)?);
    let samples = match &args.latents {
        Some(path) => of_latents(&run.model, spec, &latents::read(path, spec, condition)?, isa)?,
        None => {
            let drawn = run.model.sample_with(spec, args.count, args.seed, condition, isa);
            drawn.map_err(|error| too_many("count", args.count, error))?
        }
    };
    let count = samples.len() / spec.features();
    match format {
        Format::Npy => out.write(|file| npy(file, &run.config, &samples))?,
        Format::Csv => out.write(|file| csv(file, &run.config, &asked, &samples, out.is_terminal()))?,
        Format::Png => {
            let picture = picture(&run.config, &samples, args)?;
            out.write(|file| file.write_all(&picture))?;
        }
    }
    if let OutFile::File(path, _) = out {
        note(&format!("{count} samples in {}", printable(path)));
    }
    run.tell();
    Ok(())
}

/// The samples that the generator makes of `inputs`, row after row.
fn of_latents(model: &Model, spec: &GanSpec, inputs: &[f32], isa: Isa) -> Result<Vec<f32>> {
    let mut generator = NetworkFunction::new(model, spec, Network::Generator, isa)?;
    let count = inputs.len() / generator.inputs();
    let values = count.saturating_mul(spec.features());
    let mut samples = Vec::new();
    let bytes = (values as u64).saturating_mul(size_of::<f32>() as u64);
    samples.try_reserve_exact(values).map_err(|_| Error::OutOfMemory { bytes })?;
    samples.resize(values, 0.0);
    generator.apply(inputs, &mut samples)?;
    Ok(samples)
}

/// The classes that samples are to be of.
enum Asked<'a> {
    /// There are none.
    Unconditional,
    /// All, as often as in the data.
    All(&'a Classes),
    /// These, one after the other.
    Some(&'a Classes, Vec<usize>),
}

impl<'a> Asked<'a> {
    /// Those of these `names`, or all `classes` where none is named.
    fn new(classes: Option<&'a Classes>, names: &[String]) -> Result<Self> {
        match classes {
            None if names.is_empty() => Ok(Self::Unconditional),
            None => {
                let problem = "the run was trained without classes; train with --labels, or a preset whose name ends in -conditional";
                Err(Error::setting("label", problem))
            }
            Some(classes) if names.is_empty() => Ok(Self::All(classes)),
            Some(classes) => {
                let find = |name: &String| {
                    let known = || classes.names().join(", ");
                    classes.find(name).ok_or_else(|| {
                        Error::setting("label", format!("`{name}` is none of the classes; these are {}", known()))
                    })
                };
                Ok(Self::Some(classes, names.iter().map(find).collect::<Result<_>>()?))
            }
        }
    }

    /// The number of the class of the sample of an index.
    fn class(&self, index: u64) -> Option<usize> {
        match self {
            Self::Unconditional => None,
            Self::All(classes) => Some(classes.of_sample(index)),
            Self::Some(_, asked) => Some(asked[usize::try_from(index).unwrap_or(0) % asked.len()]),
        }
    }

    /// Its name.
    fn name(&self, index: u64) -> Option<&str> {
        let (Self::All(classes) | Self::Some(classes, _)) = self else { return None };
        self.class(index).map(|class| classes.names()[class].as_str())
    }
}

/// The format that is written: of standard output what was `asked` for, of a file what its suffix says.
fn format_of(path: &Path, asked: Option<Format>) -> Result<Format> {
    if is_standard(path) {
        return Ok(asked.unwrap_or(Format::Csv));
    }
    let format = SUFFIXES.of(path)?;
    match asked.filter(|&asked| asked != format) {
        Some(asked) => {
            let name = name_of(SAMPLE_FORMATS, &asked);
            Err(Error::setting(
                "format",
                format!("{} should end in .{name} then; or leave --format out", path.display()),
            ))
        }
        None => Ok(format),
    }
}

/// Where memory does not hold `count` samples, or a seed does not have so many, not the run's settings are to blame but the option `name`.
pub(crate) fn too_many(name: &str, count: usize, error: Error) -> Error {
    match error {
        Error::Shape { .. } if count as u64 > 1 << 32 => {
            Error::data(name, format!("{count} samples are more than the 2^32 that a seed has; ask for fewer"))
        }
        Error::OutOfMemory { bytes } => Error::data(
            name,
            format!("{count} samples take {bytes} bytes of memory, which the system refused; ask for fewer"),
        ),
        other => other,
    }
}

/// The samples, over real ones where those can be made.
fn picture(config: &RunConfig, samples: &[f32], args: &SampleArgs) -> Result<Vec<u8>> {
    let count = samples.len() / config.spec.features();
    let title = format!("{}: {} samples", config.title(), thousands(count as u64));
    let subtitle = match &args.latents {
        Some(path) => format!("latents of {}", printable(path)),
        None => format!("seed {}", args.seed),
    };
    let real = match (&config.own, config.points) {
        // The file may be gone: what was learned is there without it.
        (Some(own), _) => own.samples().ok(),
        (None, Some(_)) => Some(loading::load(config)?),
        (None, None) => None,
    };
    let real = real.as_ref().map_or(&[][..], Samples::values);
    let panels = [Panel { title: "", samples, features: config.spec.features() }];
    pictures::samples(config.preset, Heading { title: &title, subtitle: &subtitle }, real, &panels)
}

/// NumPy's format: an array `[samples, values]`, float32; of tables float64, whose units may need it.
fn npy(file: &mut dyn Write, config: &RunConfig, samples: &[f32]) -> io::Result<()> {
    let features = config.spec.features();
    let rows = samples.len() / features;
    match config.own.as_ref().map(|own| &own.form) {
        Some(Form::Table { standardization, .. }) => {
            npy::write(file, [rows, standardization.scale().len()], standardization.undo(samples).flatten())
        }
        _ => npy::write(file, [rows, features], samples.iter().copied()),
    }
}

/// The column with the class of a sample.
const LABEL: &str = "label";

/// A table with a header, a row a sample; where there are classes, that of each stands in its last column. The numbers read back as the
/// same `f32`; those of own tables are rounded to what they are worth. Names that come from a file must not move the cursor of a
/// `terminal`.
fn csv(file: &mut dyn Write, config: &RunConfig, asked: &Asked<'_>, samples: &[f32], terminal: bool) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(file);
    match config.own.as_ref().map(|own| &own.form) {
        Some(Form::Table { columns, standardization }) => {
            let name = |name: &String| if terminal { plain(name).into_owned() } else { name.clone() };
            let label = config.own.as_ref().and_then(|own| own.labels.as_ref()).map(|labels| name(&labels.from));
            table.write_record(columns.iter().map(name).chain(label))?;
            for (index, row) in (0..).zip(standardization.undo(samples)) {
                table.write_record(row.iter().map(f64::to_string).chain(asked.name(index).map(str::to_string)))?;
            }
        }
        _ => {
            let columns = columns(config);
            let label = asked.name(0).map(|_| LABEL.to_string());
            table.write_record(columns.iter().chain(&label))?;
            for (index, row) in (0..).zip(samples.chunks_exact(columns.len())) {
                table.write_record(row.iter().map(f32::to_string).chain(asked.name(index).map(str::to_string)))?;
            }
        }
    }
    table.flush()
}

/// The names of a sample's values: `x`, `x` and `y`, or `row_column` of a pixel.
fn columns(config: &RunConfig) -> Vec<String> {
    match config.preset.shape() {
        Shape::Image { height, width } => {
            (0..height).flat_map(|row| (0..width).map(move |column| format!("pixel_{row}_{column}"))).collect()
        }
        Shape::Numbers(features) => ["x", "y"].iter().take(features).map(|name| name.to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets;

    use super::*;

    #[test]
    fn the_format_is_that_of_the_suffix_or_of_the_option() {
        let of = |name: &str, asked| format_of(Path::new(name), asked).map_err(|error| error.to_string());
        assert_eq!(of("a.b/points.CSV", None), Ok(Format::Csv));
        assert_eq!(of("points.npy", Some(Format::Npy)), Ok(Format::Npy));
        assert_eq!((of("-", None), of("-", Some(Format::Png))), (Ok(Format::Csv), Ok(Format::Png)));
        for (name, asked, part) in [
            ("points", None, "should end in .npy, .csv or .png"),
            ("points.npy", Some(Format::Csv), "should end in .csv"),
            ("x.parquet", None, "pandas"),
            ("x.pt", None, "torch.from_numpy"),
        ] {
            let problem = of(name, asked).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn tables_read_back() {
        let samples = [1.0, -2.5, f32::MIN_POSITIVE, 0.1];
        let mut bytes = Vec::new();
        csv(&mut bytes, &RunConfig::of(presets::Preset::Circle), &Asked::Unconditional, &samples, false).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("x,y"));
        let numbers: Vec<f32> = lines.flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(numbers, samples);
    }
}
