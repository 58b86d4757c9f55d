//! One run of the list.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use gannet::Error;
use gannet::gan::presets;
use gannet::internals::engine::steps_for_epochs;
use gannet::internals::file;
use gannet::internals::peak::median;
use gannet_settings::own_data::Shape;
use serde::Serialize;
use serde_json::Value;

use super::find::Found;
use super::read;
use crate::commands::args::RunStatus;
use crate::folder::folder_lock::is_held;
use crate::folder::run_folder::{CONFIG, EVALUATION, METRICS, RESULT};
use crate::history::changed_settings;
use crate::history::end;
use crate::history::legs::Legs;
use crate::history::lost_replicas;
use crate::numbers::{figure, short_figure};
use crate::preset::measure_names;
use crate::preset::{self, OWN, Preset};
use crate::settings::config::RunConfig;
use crate::settings::config_text;
use crate::settings::flat::{self, Flat};
use crate::settings::table::SETTINGS;
use crate::settings::table::Setting;

/// What follows from own data, beside the settings of one value.
const OF_OWN_DATA: [&str; 4] = ["data.columns", "data.offset", "data.scale", "data.image"];
/// What is as long as the run where nothing is said.
const OF_LENGTH: [&str; 2] = ["gan.schedule_steps", "gan.instance_noise_steps"];
const LAYERS: [&str; 2] = ["gan.generator.layers", "gan.discriminator.layers"];

/// The setting of that name in `config.toml`, if it is one of one value.
fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.path() == name)
}

/// Whether the list names a setting where it is not the default.
fn is_listed(name: &str) -> bool {
    setting(name).is_none_or(|setting| setting.is_listed) && !OF_OWN_DATA.contains(&name)
}

/// What the list tells about a run. The names are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// The path from the folder of the list.
    pub(super) name: String,
    path: String,
    pub(super) preset: String,
    pub(super) status: RunStatus,
    pub(super) steps: Option<u64>,
    pub(super) planned_steps: Option<u64>,
    pub(super) measure: Option<Measured>,
    pub(super) verdict: Option<String>,
    /// Since anything of it was written.
    pub(super) age_seconds: Option<f64>,
    /// What is not as the preset's defaults are, or was changed on the way.
    pub(super) settings: BTreeMap<String, String>,
    /// Whether `config.toml` repeats what is trained bit for bit; of replicas, each. `None` where nothing tells.
    repeats: Option<bool>,
    /// How many runs it stands for, lost ones included.
    pub(super) replicas: Option<usize>,
    /// The names of replicas whose folders are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lost_replicas: Vec<String>,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
}

/// The main measure; of replicas the median and the range.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) value: f64,
    min: f64,
    max: f64,
}

impl Measured {
    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { name, value, min, max } = self;
        let range =
            if min < max { format!(" ({} to {})", short_figure(*min), short_figure(*max)) } else { String::new() };
        format!("{name} {}{range}", figure(*value))
    }
}

/// The defaults of each preset, once asked for.
pub(super) type Defaults = BTreeMap<String, Flat>;

impl Entry {
    /// Reads what there is of a run.
    pub(super) fn read(found: &Found, folder: &Path, now: SystemTime, defaults: &mut Defaults) -> Self {
        if found.replicas.is_empty() {
            return Self::of_run(&found.path, folder, now, defaults);
        }
        let parts = found.replicas.iter().map(|path| Self::of_run(path, folder, now, defaults));
        Self::of_replicas(found, folder, parts.collect())
    }

    fn of_run(path: &Path, folder: &Path, now: SystemTime, defaults: &mut Defaults) -> Self {
        let file = |name: &str| path.join(name);
        let (config, mut problem) = match config(path) {
            Ok(config) => (config, None),
            Err(problem) => (Flat::new(), Some(problem)),
        };
        let result = match read::text(&file(RESULT)).map(|text| serde_json::from_str::<Value>(&text)) {
            Some(Ok(result)) if result.is_object() => result,
            Some(_) => {
                problem.get_or_insert(format!("{RESULT} is no JSON object"));
                Value::Null
            }
            None if file(RESULT).symlink_metadata().is_ok() => {
                problem.get_or_insert(format!("{RESULT} cannot be read"));
                Value::Null
            }
            None => Value::Null,
        };
        let is_unreadable = result.is_null() && problem.is_some();
        let (metrics, evaluation) = (read::last_line(&file(METRICS)), read::last_line(&file(EVALUATION)));
        let text = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_string);
        let preset = config.get("run.preset").and_then(|name| name.as_str()).map(str::to_string);
        let preset = preset.or_else(|| text("preset")).or_else(|| text(preset::OLD)).unwrap_or_default();
        let cell = |line: &Option<Vec<(String, String)>>, name: &str| {
            line.as_ref()?.iter().find(|(known, _)| known == name).map(|(_, cell)| cell.clone())
        };
        let last_row = cell(&metrics, "step").and_then(|step| step.parse().ok());
        let ended = result.get("steps").and_then(Value::as_u64);
        let legs = Legs::read(path).ok().flatten();
        // A run that went on after its end was written, or back to an earlier step, whence it has not come as far again.
        let has_new_leg = legs.as_ref().is_some_and(|legs| !end::is_of_last_leg(&result, legs));
        let went_on = has_new_leg || ended.zip(last_row).is_some_and(|(ended, last): (u64, u64)| last > ended);
        let saved = legs.as_ref().map(Legs::last_step).filter(|_| went_on);
        let steps = [ended.filter(|_| !went_on), saved, last_row].into_iter().flatten().max();
        let status = match text("status").as_deref().filter(|_| !went_on) {
            _ if config.is_empty() => RunStatus::Broken,
            _ if is_held(path) => RunStatus::Running,
            Some("finished") => RunStatus::Finished,
            // A replica is locked with the folder that it lies in, and may have ended before the others.
            _ if path.parent().is_some_and(is_held) => RunStatus::Running,
            _ if is_unreadable => RunStatus::Broken,
            Some("stopped") => RunStatus::Stopped,
            Some("failed") => RunStatus::Failed,
            _ => RunStatus::Interrupted,
        };
        if status == RunStatus::Failed {
            problem = problem.or_else(|| text("error"));
        }
        let planned_then = result.get("planned_steps").and_then(Value::as_u64);
        let name = main_measure(&config, &preset);
        let value = name.as_deref().and_then(|name| {
            let told = result.get("metrics").and_then(|metrics| metrics.get(name)).and_then(Value::as_f64);
            told.filter(|_| !went_on).or_else(|| cell(&evaluation, name)?.parse().ok())
        });
        let verdict = text("verdict").filter(|_| !went_on).or_else(|| cell(&evaluation, "verdict"));
        let written =
            [RESULT, METRICS, EVALUATION, CONFIG].into_iter().filter_map(|name| read::written(&file(name))).max();
        Self {
            name: relative(path, folder),
            path: path.display().to_string(),
            status,
            steps,
            planned_steps: planned_then.filter(|_| !went_on).or_else(|| planned(&config, legs.as_ref())),
            measure: name.zip(value).map(|(name, value)| Measured { name, value, min: value, max: value }),
            verdict: verdict.filter(|verdict| !verdict.is_empty()),
            age_seconds: written.map(|time| now.duration_since(time).unwrap_or_default().as_secs_f64()),
            settings: differences(&config, &preset, legs.as_ref(), defaults),
            repeats: legs.as_ref().map(Legs::repeats),
            preset,
            replicas: None,
            lost_replicas: Vec::new(),
            problem,
        }
    }

    /// Several runs of one specification as one.
    fn of_replicas(found: &Found, folder: &Path, parts: Vec<Self>) -> Self {
        let lost_replicas = lost_replicas::names(&found.path);
        let mut values: Vec<f64> = parts.iter().filter_map(|part| Some(part.measure.as_ref()?.value)).collect();
        let name = parts.iter().find_map(|part| Some(part.measure.as_ref()?.name.clone()));
        let measure = name.filter(|_| !values.is_empty()).map(|name| {
            // Sorts them.
            let value = median(&mut values);
            Measured { name, value, min: values[0], max: values[values.len() - 1] }
        });
        // All of one kind, or how many of each.
        let tally = |texts: Vec<String>| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            texts.into_iter().for_each(|text| *counts.entry(text).or_default() += 1);
            match counts.len() {
                0 => None,
                1 => counts.into_keys().next(),
                _ => Some(counts.iter().map(|(text, count)| format!("{count} {text}")).collect::<Vec<_>>().join(", ")),
            }
        };
        let verdict = tally(parts.iter().filter_map(|part| part.verdict.clone()).collect());
        let lost = lost_replicas::told(&lost_replicas);
        let told = tally(parts.iter().filter_map(|part| part.problem.clone()).collect());
        let problems: Vec<String> = lost.into_iter().chain(told).collect();
        let problem = (!problems.is_empty()).then(|| problems.join("; "));
        let count = parts.len() + lost_replicas.len();
        // The one that most needs to be looked at: running first, then what is not finished.
        let worst =
            [RunStatus::Running, RunStatus::Broken, RunStatus::Failed, RunStatus::Interrupted, RunStatus::Stopped];
        let has = |status: RunStatus| {
            parts.iter().any(|part| part.status == status) || (status == RunStatus::Broken && !lost_replicas.is_empty())
        };
        let status = worst.into_iter().find(|&status| has(status));
        let ages = parts.iter().filter_map(|part| part.age_seconds);
        let (steps, planned_steps) = (parts.iter().filter_map(|part| part.steps).min(), parts[0].planned_steps);
        let repeats: Option<Vec<bool>> = parts.iter().map(|part| part.repeats).collect();
        let age_seconds = ages.min_by(f64::total_cmp);
        let mut parts = parts;
        let Self { preset, settings, .. } = parts.swap_remove(0);
        Self {
            name: relative(&found.path, folder),
            path: found.path.display().to_string(),
            preset,
            status: status.unwrap_or(RunStatus::Finished),
            steps,
            planned_steps,
            measure,
            verdict,
            age_seconds,
            settings,
            repeats: repeats.map(|all| !all.contains(&false)),
            replicas: Some(count),
            lost_replicas,
            problem,
        }
    }
}

/// The settings of a run, or what is wrong with them.
fn config(path: &Path) -> Result<Flat, String> {
    let path = path.join(CONFIG);
    let Some(text) = read::text(&path) else {
        return Err(match file::open(&path) {
            Err(Error::Data { problem, .. }) => format!("{CONFIG} {problem}"),
            Err(_) if !path.exists() => format!("{CONFIG} is missing"),
            _ => format!("{CONFIG} cannot be read as text"),
        });
    };
    let table = text.parse::<toml::Table>().map_err(|error| {
        let line = error.span().map_or(1, |span| crate::settings::schema::line_of(&text, span.start));
        format!("{CONFIG}, line {line}: {}", error.message())
    })?;
    let settings = flat::flat(&table).map_err(|problem| format!("{CONFIG}: {problem}"))?;
    if settings.contains_key("run.preset") { Ok(settings) } else { Err(format!("{CONFIG} names no preset")) }
}

/// The path of a run from the folder of the list.
fn relative(path: &Path, folder: &Path) -> String {
    match path.strip_prefix(folder) {
        Ok(rest) if !rest.as_os_str().is_empty() => rest.display().to_string(),
        _ => path.display().to_string(),
    }
}

/// The measure that a run is judged by.
fn main_measure(config: &Flat, preset: &str) -> Option<String> {
    let chosen = config.get("run.best").and_then(|name| name.as_str()).filter(|name| *name != "none");
    let usual = || {
        let preset = presets::Preset::from_name(preset).map(Preset::Known)?;
        measure_names::main_measure(preset)
    };
    chosen.or_else(usual).map(str::to_string)
}

/// The steps that a run is to do. Those of epochs follow from its data, unless what decides it was changed on the way.
fn planned(config: &Flat, legs: Option<&Legs>) -> Option<u64> {
    let number = |name: &str| config.get(name)?.as_integer()?.try_into().ok();
    let of_epochs = || steps_for_epochs(&legs.filter(|legs| legs.repeats())?.last_settings(), number("run.epochs")?);
    number("run.steps").or_else(of_epochs)
}

/// What a sample of own data is; `None` where the settings do not say.
fn shape(config: &Flat) -> Option<Shape> {
    let numbers = |name: &str| config.get(name).and_then(|value| value.as_array());
    if let Some([height, width]) = numbers("data.image").map(Vec::as_slice) {
        let pixels = |value: &toml::Value| value.as_integer()?.try_into().ok();
        return Some(Shape::Image { height: pixels(height)?, width: pixels(width)? });
    }
    match flat::outputs(config)? {
        (features, columns) if columns == features => Some(Shape::Numbers(features)),
        (features, columns) => Some(Shape::Mixed { columns, features }),
    }
}

/// What is not as the defaults of the preset are, or was changed on the way, by its short name.
fn differences(config: &Flat, preset: &str, legs: Option<&Legs>, defaults: &mut Defaults) -> BTreeMap<String, String> {
    let shape = shape(config).filter(|_| preset == OWN);
    let key = shape.map_or_else(|| preset.to_string(), |shape| format!("{preset}: {shape}"));
    let usual = defaults.entry(key).or_insert_with(|| {
        let config = match presets::Preset::from_name(preset) {
            Some(preset) => Some(RunConfig::of(preset)),
            None => shape.and_then(|shape| RunConfig::of_shape(shape).ok()),
        };
        let text = config.and_then(|config| config_text::render(&config, "").ok());
        text.and_then(|text| flat::flat(&text.parse().ok()?).ok()).unwrap_or_default()
    });
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in config {
        let follows_data = preset == OWN
            && (setting(name).is_some_and(|setting| setting.follows_data) || LAYERS.contains(&name.as_str()));
        let follows_length = OF_LENGTH.contains(&name.as_str())
            && planned(config, legs).is_some_and(|steps| value.as_integer() == i64::try_from(steps).ok());
        let is_of_data = name.starts_with("data.kinds.") || name == "data.columns";
        if !is_listed(name) || is_of_data || usual.get(name) == Some(value) || follows_data || follows_length {
            continue;
        }
        let short = name.split_once('.').map_or(name.as_str(), |(_, short)| short);
        let text = flat::text(value);
        // Of a path its end tells one file from another.
        let end = Path::new(&text).file_name().and_then(|end| end.to_str()).filter(|_| short == "file");
        changed.insert(short.to_string(), end.map_or(text.clone(), str::to_string));
    }
    for (name, told) in legs.map(changed_settings::told).unwrap_or_default() {
        if is_listed(&name) {
            let short = name.split_once('.').map_or(name.as_str(), |(_, short)| short);
            changed.insert(short.to_string(), told);
        }
    }
    // What is the same for both networks.
    let of_g = changed.iter().filter_map(|(name, value)| Some((name.strip_prefix("generator_optimizer.")?, value)));
    let both: Vec<String> = of_g
        .filter(|(field, value)| changed.get(&format!("discriminator_optimizer.{field}")) == Some(value))
        .map(|(field, _)| field.to_string())
        .collect();
    for field in both {
        changed.remove(&format!("discriminator_optimizer.{field}"));
        if let Some(value) = changed.remove(&format!("generator_optimizer.{field}")) {
            changed.insert(field, value);
        }
    }
    changed
}
