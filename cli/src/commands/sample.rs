//! `gannet sample`: samples of a trained generator as an array, a table or a picture.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use gannet::cpu::{Isa, available_threads};
use gannet::data::one_hot;
use gannet::gan::{Network, NetworkFunction};
use gannet::internals::memory::{filled, room};
use gannet::{Error, Result};
use gannet_tables::Codec;

use crate::commands::args::{Format, SAMPLE_FORMATS, SampleArgs};
use crate::commands::sample_array::Array;
use crate::commands::sample_like::{Filled, Filling};
use crate::data::classes::Classes;
use crate::data::filter::Filter;
use crate::data::latents;
use crate::data::own::OwnData;
use crate::data::samples::{Samples, byte};
use crate::folder::out_file::{OutFile, Suffixes, is_standard_output};
use crate::numbers::counted;
use crate::plot::Heading;
use crate::run::draw::{Draw, Drawn};
use crate::run::pictures::{Look, Panel};
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
    if let Some(like) = &args.like {
        fill(&run, (like, args.seed), format, out)?;
        run.tell();
        return Ok(());
    }
    let config = &run.config;
    let mut filter = Filter::new(codec(config), &args.conditions)?;
    let asked = Asked::new(config.classes(), &args.label)?.within(codec(config), &mut filter)?;
    let class = |index| asked.class(index);
    let draw = Draw {
        config,
        model: &run.model,
        seed: args.seed,
        class: &class,
        filter: &filter,
        threads: available_threads(),
    };
    let mut given = args.latents.as_ref().map(|path| of_latents(&run, path, &class)).transpose()?;
    let count = given.as_ref().map_or(args.count, |samples| samples.len() / config.spec.features());
    let mut each = |take: &mut dyn FnMut(Drawn<'_>) -> Result<()>| match &mut given {
        Some(samples) => draw.each_of(samples, take),
        None => draw.each(args.count, take).map_err(|error| too_many("count", args.count, error)),
    };
    let mut failure = None;
    let written = match format {
        Format::Csv => {
            out.write(|file| told(csv(file, config, (&asked, out.is_terminal()), |take| each(take)), &mut failure))
        }
        Format::Npy => {
            let mut array = Array::of(config, count).map_err(|error| too_many("count", count, error))?;
            each(&mut |drawn| {
                array.extend(&drawn);
                Ok(())
            })?;
            array.tell();
            out.write(|file| array.write(file))
        }
        Format::Png => {
            let room = room(count.saturating_mul(config.spec.features()));
            let mut samples = room.map_err(|error| too_many("count", count, error))?;
            each(&mut |drawn| {
                samples.extend_from_slice(drawn.sample);
                Ok(())
            })?;
            let picture = picture(config, &samples, args)?;
            out.write(|file| file.write_all(&picture))
        }
    };
    failure.map_or(Ok(()), Err)?;
    written?;
    if let OutFile::File(path, _) = out {
        note(&format!("{} in {}", counted(count as u64, "sample"), printable(path)));
    }
    run.tell();
    Ok(())
}

/// Writes the rows of the file `like`, filled by what is generated with a seed.
fn fill(run: &SavedRun, (like, seed): (&Path, u64), format: Format, out: OutFile<'_>) -> anyhow::Result<()> {
    let Some(codec) = codec(&run.config) else {
        return Err(Error::setting("like", "is for a run on a table; leave --like out").into());
    };
    if format != Format::Csv {
        return Err(
            Error::setting("like", "rows that are filled keep their texts, which a .csv alone has; write one").into()
        );
    }
    let filling = Filling { config: &run.config, codec, model: &run.model, seed, threads: available_threads() };
    let is_terminal = out.is_terminal();
    let name = match &out {
        OutFile::File(path, _) => Some(printable(path)),
        OutFile::Standard => None,
    };
    let (mut failure, mut filled) = (None, Filled::default());
    let written = out.write(|file| {
        let plain: Box<dyn Write + '_> = if is_terminal { Box::new(Plain(file)) } else { Box::new(file) };
        filled = told(filling.write(like, plain), &mut failure)?;
        Ok(())
    });
    failure.map_or(Ok(()), Err)?;
    written?;
    filled.notes.iter().for_each(|told| note(told));
    name.iter().for_each(|name| note(&format!("{} in {name}", counted(filled.rows, "row"))));
    Ok(())
}

/// What keeps samples from being made is no error of writing: it is kept in `failure`.
fn told<T>(result: Result<T>, failure: &mut Option<Error>) -> io::Result<T> {
    result.map_err(|error| match error {
        Error::Io { action: "write", source, .. } => source,
        error => {
            let told = io::Error::other(error.to_string());
            *failure = Some(error);
            told
        }
    })
}

/// How the rows of a run's table become samples, if it is on one.
fn codec(config: &RunConfig) -> Option<&Codec> {
    config.own.as_ref().and_then(OwnData::codec).map(Arc::as_ref)
}

/// The samples that the generator makes of the latents in a file, row after row.
fn of_latents(run: &SavedRun, path: &Path, class: &dyn Fn(u64) -> Option<usize>) -> Result<Vec<f32>> {
    let condition = |index, condition: &mut [f32]| {
        if let Some(class) = class(index) {
            one_hot(class, condition);
        }
    };
    let spec = &run.config.spec;
    let inputs = latents::read(path, spec, condition)?;
    let mut generator = NetworkFunction::new(&run.model, spec, Network::Generator, Isa::resolve(None)?)?;
    let count = inputs.len() / generator.inputs();
    let mut samples = filled(count.saturating_mul(spec.features()), 0.0)?;
    generator.apply(&inputs, &mut samples)?;
    Ok(samples)
}

/// The classes that samples are to be of.
enum Asked {
    /// There are none.
    Unconditional,
    /// All that have samples, as often as these tell.
    All(Classes),
    /// These, one after the other.
    Some(Classes, Vec<usize>),
}

impl Asked {
    /// Those of these `names`, or all `classes` where none is named.
    fn new(classes: Option<Classes>, names: &[String]) -> Result<Self> {
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
                let asked = names.iter().map(find).collect::<Result<_>>()?;
                Ok(Self::Some(classes, asked))
            }
        }
    }

    /// Those that meet the conditions on the column of the classes, which need no rejection then, and leave the filter.
    fn within(self, codec: Option<&Codec>, filter: &mut Filter) -> Result<Self> {
        let Some((codec, meets)) = codec.and_then(|codec| Some((codec, filter.take_classes(codec)?))) else {
            return Ok(self);
        };
        let wrong = |problem: String| Err(Error::setting("where", problem));
        let column = codec.condition().unwrap_or_default();
        match self {
            Self::Unconditional => Ok(Self::Unconditional),
            Self::All(classes) => {
                let among = classes.among(&meets);
                if among.counts().iter().all(|count| *count == 0) {
                    return wrong(format!(
                        "no row of the data meets the conditions on `{column}` together; leave one of them out (categories: {})",
                        classes.names().join(", ")
                    ));
                }
                Ok(Self::All(among))
            }
            Self::Some(classes, asked) => match asked.iter().find(|class| meets.get(**class) != Some(&true)) {
                Some(class) => wrong(format!(
                    "the conditions on `{column}` exclude `{}`, which --label asks for; leave one of the two out",
                    classes.names().get(*class).map_or("", String::as_str)
                )),
                None => Ok(Self::Some(classes, asked)),
            },
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

    /// The name of a class.
    fn name(&self, class: Option<usize>) -> Option<&str> {
        let (Self::All(classes) | Self::Some(classes, _)) = self else { return None };
        class.and_then(|class| classes.names().get(class)).map(String::as_str)
    }
}

/// The format that is written: of standard output what was `asked` for, of a file what its suffix says.
fn format_of(path: &Path, asked: Option<Format>) -> Result<Format> {
    if is_standard_output(path) {
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
        Error::Shape { .. } | Error::OutOfMemory { .. } if count as u64 > 1 << 32 => {
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
    let features = config.spec.features();
    let title = format!("{}: {}", config.title(), counted((samples.len() / features) as u64, "sample"));
    let subtitle = match &args.latents {
        Some(path) => format!("latents of {}", printable(path)),
        None => format!("seed {}", args.seed),
    };
    let real = match (&config.own, config.points) {
        (Some(own), _) => match own.samples() {
            Ok(samples) => Some(samples),
            // The file may be gone: what was learned is there without it.
            Err(_) => own.codec().map(|codec| codec.empty()).transpose()?.map(|empty| Samples::Table(Arc::new(empty))),
        },
        (None, Some(_)) => Some(loading::load(config)?),
        (None, None) => None,
    };
    let look = real.as_ref().map_or(Ok(Look::Plain), |real| Look::new(config, real))?;
    let real = real.as_ref().map_or(&[][..], Samples::values);
    let panels = [Panel { title: "", samples, features }];
    look.picture(config.preset, Heading { title: &title, subtitle: &subtitle }, real, &panels)
}

/// The column with the class of a sample.
const LABEL: &str = "label";

/// Hands samples to what takes them.
type Take<'a> = dyn FnMut(Drawn<'_>) -> Result<()> + 'a;

/// A table, a row a sample: own tables in the form of their file, others with a header, whose numbers read back as the same `f32`, or as
/// the bytes of own images; where there are classes, that of each stands in the last column. What comes from a file must not move the cursor of a `terminal`.
fn csv(
    file: &mut dyn Write,
    config: &RunConfig,
    (asked, terminal): (&Asked, bool),
    each: impl FnOnce(&mut Take<'_>) -> Result<()>,
) -> Result<()> {
    let refused = |error: csv::Error| Error::Io { action: "write", path: "samples".into(), source: error.into() };
    if let Some(codec) = codec(config) {
        let out: Box<dyn Write + '_> = if terminal { Box::new(Plain(file)) } else { Box::new(file) };
        let mut table = gannet_tables::Writer::new(out, codec.form())?;
        each(&mut |drawn| table.write_row(drawn.row))?;
        return table.finish().map(drop);
    }
    let mut table = csv::Writer::from_writer(file);
    let columns = columns(config);
    let has_classes = !matches!(asked, Asked::Unconditional);
    let label = has_classes.then(|| LABEL.to_string());
    table.write_record(columns.iter().chain(&label)).map_err(refused)?;
    let has_bytes = config.own.is_some();
    let text = |value: &f32| if has_bytes { byte(*value).to_string() } else { value.to_string() };
    each(&mut |Drawn { class, sample, .. }| {
        let cells = sample.iter().map(text).chain(asked.name(class).map(str::to_string));
        table.write_record(cells).map_err(refused)
    })?;
    table.flush().map_err(|source| Error::Io { action: "write", path: "samples".into(), source })
}

/// A terminal that obeys nothing in what is written, which comes in whole rows.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Ends of lines and tabs are the table's own, and do no harm.
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        for (index, part) in text.split('\t').enumerate() {
            self.0.write_all(if index == 0 { b"" } else { b"\t" })?;
            self.0.write_all(plain(part).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The names of a sample's values: `x`, `x` and `y`, or `row_column` of a pixel.
fn columns(config: &RunConfig) -> Vec<String> {
    match config.preset.shape() {
        Shape::Image { height, width } => {
            (0..height).flat_map(|row| (0..width).map(move |column| format!("pixel_{row}_{column}"))).collect()
        }
        Shape::Numbers(features) | Shape::Mixed { features, .. } => {
            ["x", "y"].iter().take(features).map(|name| name.to_string()).collect()
        }
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
    fn a_terminal_gets_tabs_and_lines_and_obeys_nothing() {
        let mut shown = Vec::new();
        Plain(&mut shown).write_all(b"a\tb\r\n\x1b[2J\t\r7\r\n").unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "a\tb\n\\u{1b}[2J\t\\u{d}7\n");
    }

    #[test]
    fn points_read_back() {
        let samples = [1.0, -2.5, f32::MIN_POSITIVE, 0.1];
        let mut bytes = Vec::new();
        let config = RunConfig::of(presets::Preset::Circle);
        csv(&mut bytes, &config, (&Asked::Unconditional, false), |take| {
            samples.chunks(2).try_for_each(|sample| take(Drawn { class: None, sample, row: &[] }))
        })
        .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("x,y"));
        let numbers: Vec<f32> = lines.flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(numbers, samples);
    }
}
