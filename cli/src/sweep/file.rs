//! The file of a sweep: what it begins from, what it varies, and by which measure it ranks.

use std::path::Path;

use anyhow::Context;
use gannet::gan::presets;
use gannet::internals::file;
use gannet::{Error, Result};
use serde::Deserialize;
use toml::Table;

use crate::data::own::OwnData;
use crate::data::reading::Reading;
use crate::folder::contents::{STANDARD_INPUT, is_standard_input};
use crate::folder::run_folder::refused;
use crate::preset::measure_names;
use crate::run::replicas::check_seeds;
use crate::settings::config::RunConfig;
use crate::settings::config_file::{self, LARGEST, toml_error};
use crate::settings::config_source;
use crate::sweep::axis::{self, Axis, MOST_TRIALS};
use crate::sweep::trial::{NOWHERE, Trial};
use gannet_settings::nearest::suggestion;

/// Seeds of a trial, if nothing else is asked for.
const SEEDS: usize = 5;

/// Where to read on.
const EXAMPLE: &str = "; gannet sweep --help shows one";

/// What a sweep may begin from.
const BASES: &str = "a preset, a file with samples, a config.toml or a run";

/// Why no sweep begins from standard input.
const FROM_STANDARD_INPUT: &str = "is standard input, which can be read once, and a sweep reads its data for each part and whenever it goes on; save them to a file, and name that";

/// What in the file is no setting of the runs.
const OWN: [&str; 6] = ["base", "seeds", "measure", "bound", "grid", "random"];

/// A sweep as its file describes it.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Runs of a trial.
    pub(crate) seeds: usize,
    /// By which the trials are ranked.
    pub(crate) measure: String,
    /// The worst value of it with which a run succeeds.
    pub(crate) bound: Option<f64>,
    /// The names of the settings that are varied.
    pub(crate) varied: Vec<String>,
    pub(crate) trials: Vec<Trial>,
    /// Draws that had come before.
    pub(crate) repeated: usize,
}

/// What the file has beside settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepTable {
    base: Option<String>,
    seeds: Option<usize>,
    measure: Option<String>,
    bound: Option<f64>,
    grid: Option<Table>,
    random: Option<Table>,
    // Settings of all trials, which are read by themselves.
    #[serde(default, rename = "run")]
    _run: Table,
    #[serde(default, rename = "data")]
    _data: Table,
    #[serde(default, rename = "gan")]
    _gan: Table,
}

impl Sweep {
    /// Reads a file. `threads` take the place of those of its settings.
    ///
    /// # Errors
    ///
    /// A file that cannot be read; [`Error::InvalidSetting`] for whatever in it makes no sense, in any trial.
    pub(crate) fn read(path: &Path, threads: Option<usize>) -> anyhow::Result<Self> {
        let wrong = |problem: &str| Error::data(path.display().to_string(), format!("{problem}{EXAMPLE}"));
        if !path.is_file() {
            let problem = if path.exists() { "is no file" } else { "does not exist" };
            return Err(wrong(&format!("{problem}; give the file of a sweep")).into());
        }
        let bytes = file::read(path, LARGEST)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is no sweep: it is not text (UTF-8)"))?;
        let folder = std::path::absolute(path).map_err(refused("find", path))?;
        let folder = folder.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder, threads).with_context(|| path.display().to_string())
    }

    fn parse(text: &str, folder: &Path, threads: Option<usize>) -> anyhow::Result<Self> {
        let table: SweepTable = toml::from_str(text).map_err(|error| toml_error(&error, text))?;
        let missing = || Error::setting("base", format!("is missing: name {BASES}{EXAMPLE}"));
        let base = base(&table.base.ok_or_else(missing)?, folder)?;
        let mut base = config_file::overlay(&base, text, &OWN, Some(folder))?;
        base.threads = threads.unwrap_or(base.threads);
        // Read once for all trials.
        base.own.as_mut().map_or(Ok(()), OwnData::load)?;
        let seeds = table.seeds.unwrap_or(SEEDS);
        if !(1..=MOST_TRIALS).contains(&seeds) {
            return Err(Error::setting("seeds", format!("is {seeds}; give a number from 1 to {MOST_TRIALS}")).into());
        }
        check_seeds(base.seed, seeds)?;
        let measure = measure(&base, table.measure.as_deref())?;
        if table.bound.is_some_and(|bound| !bound.is_finite()) {
            return Err(Error::setting("bound", "is no finite number; leave it out for none").into());
        }
        let (axes, points) = match (&table.grid, &table.random) {
            (Some(grid), None) => {
                let axes = axis::axes("grid", grid, false)?;
                let points = axis::grid(&axes)?;
                (axes, points)
            }
            (None, Some(random)) => drawn(random)?,
            _ => {
                let problem =
                    "needs [grid] with lists of values or [random] with ranges, one of both; see docs/sweeps.md";
                return Err(Error::setting("sweep", problem).into());
            }
        };
        let seeds_vary = axes.iter().flat_map(|axis| &axis.settings).any(|setting| setting == "run.seed");
        if seeds_vary {
            let problem = "is not varied: each trial has the same seeds, run.seed and those after it; say how many with seeds = N";
            return Err(Error::setting("run.seed", problem).into());
        }
        let trial = |point| Trial::new(&base, folder, &axes, point, seeds).map_err(|error| named(error, &axes, point));
        let trials = points.iter().map(trial).collect::<Result<_>>()?;
        let varied = axes.iter().map(Axis::name).collect();
        let drawn = table.random.as_ref().and_then(|random| random.get("trials")?.as_integer()).unwrap_or(0);
        let repeated = usize::try_from(drawn).unwrap_or(0).saturating_sub(points.len());
        Ok(Self { seeds, measure, bound: table.bound, varied, trials, repeated })
    }
}

/// The settings that a sweep begins from: of a preset, or of a path from the folder of the file.
fn base(name: &str, folder: &Path) -> anyhow::Result<RunConfig> {
    if is_standard_input(Path::new(name)) {
        return Err(Error::setting("base", FROM_STANDARD_INPUT).into());
    }
    let is_preset = presets::Preset::from_name(name).is_some();
    let path = if is_preset { Path::new(name).to_path_buf() } else { folder.join(name) };
    // Neither a file in another folder is meant, nor `own`, whose data no option of a sweep names.
    if !is_preset && !path.exists() {
        let presets: Vec<&str> = presets::Preset::ALL.iter().map(|preset| preset.name()).collect();
        let problem = format!(
            "there is no preset and no file `{name}` in {}{} (a base is {BASES}; known presets: {})",
            folder.display(),
            suggestion(name, presets.iter().copied()),
            presets.join(", ")
        );
        return Err(Error::setting("base", problem).into());
    }
    let is_gone = |error: &Error| matches!(error, Error::Data { origin, .. } if origin == STANDARD_INPUT);
    let piped = || Error::setting("base", format!("data.file of {name} {FROM_STANDARD_INPUT}"));
    match config_source::named(&path, None, (None, &Reading::default()), None) {
        Ok(config) if config.own.as_ref().is_some_and(|own| is_standard_input(own.file.path())) => Err(piped().into()),
        // Its cure would be an option that a sweep does not have.
        Err(error) if error.downcast_ref::<Error>().is_some_and(is_gone) => Err(piped().into()),
        other => other.context("base"),
    }
}

/// The measure of this name, or the one that the preset is judged by.
fn measure(base: &RunConfig, name: Option<&str>) -> Result<String> {
    let usual = || measure_names::main_measure(base.preset).map(str::to_string);
    let found = match name {
        Some(name) => measure_names::best(base.preset, name).map_err(|problem| Error::setting("measure", problem))?,
        None => usual(),
    };
    found.ok_or_else(|| Error::setting("measure", "is needed to rank the trials; `none` ranks nothing"))
}

/// The axes of `[random]`, and what is drawn.
fn drawn(random: &Table) -> Result<(Vec<Axis>, Vec<axis::Point>)> {
    let mut random = random.clone();
    let mut whole = |name: &str, least: i64, most: i64| match random.remove(name) {
        None => Ok(None),
        Some(value) => match value.as_integer().filter(|number| (least..=most).contains(number)) {
            Some(number) => Ok(Some(number.cast_unsigned())),
            None => {
                let problem = format!("is {value}; give a whole number from {least} to {most}");
                Err(Error::setting(format!("random.{name}"), problem))
            }
        },
    };
    let trials = whole("trials", 1, MOST_TRIALS as i64)?;
    let seed = whole("seed", 0, i64::MAX)?.unwrap_or(0);
    let missing =
        || Error::setting("random.trials", "is missing; say how many trials to draw, for instance trials = 20");
    let trials = trials.ok_or_else(missing)?;
    let axes = axis::axes("random", &random, true)?;
    if axes.is_empty() {
        let problem = "varies nothing; add ranges like \"gan.r1\" = { low = 0.1, high = 10.0, scale = \"log\" }";
        return Err(Error::setting("random", problem));
    }
    let points = axis::random(&axes, usize::try_from(trials).unwrap_or(MOST_TRIALS), seed);
    Ok((axes, points))
}

/// The `error` of a trial, with the values that it has.
fn named(error: Error, axes: &[Axis], point: &axis::Point) -> Error {
    match error {
        Error::InvalidSetting { name, problem } => {
            // A name that is known nowhere stands in no place.
            let last =
                |setting: &&String| problem.contains(&format!("`{}`", setting.rsplit('.').next().unwrap_or_default()));
            let name = match name.as_str() {
                NOWHERE => axes.iter().flat_map(|axis| &axis.settings).find(last).cloned().unwrap_or(name),
                _ => name,
            };
            let values: Vec<String> =
                axes.iter().zip(point).map(|(axis, value)| format!("{} = {value}", axis.name())).collect();
            Error::setting(name, format!("{problem} (in the trial with {})", values.join(", ")))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        format!("{:#}", Sweep::parse(text, Path::new(""), None).unwrap_err())
    }

    #[test]
    fn a_file_says_what_is_varied_and_by_what_it_is_ranked() {
        let text = "base = 'circle'\nseeds = 2\n[run]\nsteps = 40\nseed = 9\n[grid]\nrun.batch = [8, 16]";
        let sweep = Sweep::parse(text, Path::new(""), Some(3)).unwrap();
        assert_eq!((sweep.seeds, sweep.measure.as_str(), sweep.bound), (2, "sliced_wasserstein", None));
        assert_eq!((sweep.varied, sweep.trials.len()), (vec!["run.batch".to_string()], 2));
        let config = &sweep.trials[1].config;
        assert_eq!((config.batch, config.seed, config.threads), (16, 9, 3));
        assert_eq!(config.duration, presets::Duration::Steps(40));
        let text = "base = 'circle'\nmeasure = 'mean_radius'\nbound = 1.2\n[random]\ntrials = 4\ngan.r1 = { low = 0, high = 1 }";
        let sweep = Sweep::parse(text, Path::new(""), None).unwrap();
        assert_eq!((sweep.seeds, sweep.trials.len(), sweep.bound), (SEEDS, 4, Some(1.2)));
    }

    #[test]
    fn whatever_makes_no_sense_is_refused_by_name() {
        let grid = "\n[grid]\nrun.batch = [8]";
        for (text, part) in [
            ("seeds = 2".to_string(), "base: is missing"),
            (format!("base = 'circel'{grid}"), "did you mean `circle`"),
            (format!("base = 'no/such.toml'{grid}"), "no file `no/such.toml` in"),
            (format!("base = 'own'{grid}"), "a base is a preset, a file with samples, a config.toml or a run"),
            (format!("base = '-'{grid}"), "base: is standard input"),
            (format!("base = 'circle'\nsedes = 3{grid}"), "did you mean `seeds`"),
            (format!("base = 'circle'\nseeds = 0{grid}"), "seeds: is 0"),
            (format!("base = 'circle'\nmeasure = 'sliced'{grid}"), "measure: `sliced` is no measure"),
            (format!("base = 'circle'\nmeasure = 'none'{grid}"), "measure: is needed"),
            (format!("base = 'circle'\nbound = nan{grid}"), "bound"),
            ("base = 'circle'".to_string(), "needs [grid]"),
            (format!("base = 'circle'{grid}\n[random]\ntrials = 1\ngan.r1 = [1]"), "one of both"),
            ("base = 'circle'\n[random]\ngan.r1 = [1]".to_string(), "random.trials: is missing"),
            ("base = 'circle'\n[random]\ntrials = 0\ngan.r1 = [1]".to_string(), "random.trials: is 0"),
            ("base = 'circle'\n[random]\ntrials = 3".to_string(), "varies nothing"),
            (format!("base = 'circle'\n[run]\nbatsh = 3{grid}"), "line 3: unknown field `batsh`"),
            (format!("base = 'circle'\n[run]\nbatch = 0{grid}"), "line 3, run.batch"),
            (format!("base = 'circle'\n[run]\npreset = 'mnist'{grid}"), "is that of the base"),
            ("base = 'circle'\n[grid]\ngan.learning_rate = [1.0]".to_string(), "gan.learning_rate: unknown field"),
            ("base = 'circle'\n[grid]\nrun.seed = [1, 2]".to_string(), "run.seed: is not varied"),
            ("base = 'circle'\n[grid]\nrun.batch = [8, 0]".to_string(), "in the trial with run.batch = 0"),
            (format!("base = 'circle'\nseeds = 2\n[run]\nseed = 9223372036854775807{grid}"), "seed"),
        ] {
            let found = problem(&text);
            assert!(found.contains(part), "{text}: {found}");
        }
    }
}
