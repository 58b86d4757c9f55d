//! What a sweep varies: every combination of the values of a grid, or values drawn from ranges and lists.

use std::collections::BTreeSet;

use gannet::{Error, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::settings::table::SETTINGS;
use crate::settings::table::Setting;
use gannet_settings::Kind;
use gannet_settings::nearest::suggestion;
use gannet_settings::toml_error::readable;

/// Most trials of a sweep: more than anybody trains.
pub(crate) const MOST_TRIALS: usize = 100_000;

/// The values of the axes in one trial, in the order of the axes.
pub(crate) type Point = Vec<Value>;

/// What is varied: the settings that have one value together, and the values.
#[derive(Debug)]
pub(crate) struct Axis {
    /// Names as in `config.toml`, with their tables.
    pub(crate) settings: Vec<String>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    List(Vec<Value>),
    Range(Range),
}

/// A range to draw from.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: f64,
    high: f64,
    scale: Scale,
    is_whole: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scale {
    #[default]
    Linear,
    Log,
}

/// A range in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeTable {
    low: Value,
    high: Value,
    #[serde(default)]
    scale: Scale,
}

impl Axis {
    /// The name of its first setting, or those of all.
    pub(crate) fn name(&self) -> String {
        self.settings.join(", ")
    }
}

/// The axes in `table`, which is called `place`: `name = [values]`, and where `draws` are allowed `name = { low = 1, high = 2 }`. Names
/// may stand in tables of their own, and several in one name, with commas between them.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names what is wrong.
pub(crate) fn axes(place: &str, table: &Table, draws: bool) -> Result<Vec<Axis>> {
    let mut axes = Vec::new();
    collect(place, table, "", draws, &mut axes)?;
    let mut known: Vec<&String> = axes.iter().flat_map(|axis| &axis.settings).collect();
    known.sort_unstable();
    if let Some(twice) = known.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::setting(format!("{place}.{}", twice[0]), "is varied twice; give it once"));
    }
    Ok(axes)
}

fn collect(place: &str, table: &Table, prefix: &str, draws: bool, axes: &mut Vec<Axis>) -> Result<()> {
    for (name, value) in table {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let wrong = |problem: String| Error::setting(format!("{place}.{name}"), problem);
        let values = match value {
            Value::Array(values) if values.is_empty() => return Err(wrong("has no values; give at least one".into())),
            Value::Array(values) => {
                let twice = (1..values.len()).find(|&index| values[..index].contains(&values[index]));
                if let Some(index) = twice {
                    return Err(wrong(format!("has {} twice; give each value once", values[index])));
                }
                Values::List(values.clone())
            }
            Value::Table(inner) if draws && (inner.contains_key("low") || inner.contains_key("high")) => {
                if is_of(&name, |kind| matches!(kind, Kind::PowerOfTwo { .. })) {
                    return Err(wrong("takes powers of two, which no range gives; give a list of values".into()));
                }
                let is_whole = is_of(&name, |kind| matches!(kind, Kind::Whole { .. } | Kind::Bytes));
                Values::Range(Range::read(inner, is_whole).map_err(wrong)?)
            }
            Value::Table(inner) if !inner.is_empty() => {
                collect(place, inner, &name, draws, axes)?;
                continue;
            }
            other => {
                let range = if draws { ", or a range like { low = 0.1, high = 10.0, scale = \"log\" }" } else { "" };
                return Err(wrong(format!("is {other}; give a list of values{range}")));
            }
        };
        let settings: Vec<String> = settings(&name).map(str::to_string).collect();
        if let Some(problem) = settings.iter().find_map(|setting| without_table(setting)) {
            return Err(wrong(problem));
        }
        axes.push(Axis { settings, values });
    }
    Ok(())
}

/// The settings in a name: one, or several with commas between them.
fn settings(name: &str) -> impl Iterator<Item = &str> {
    name.split(',').map(str::trim)
}

/// What is wrong with a setting's name that does not begin with a table.
fn without_table(name: &str) -> Option<String> {
    if ["run.", "data.", "gan."].iter().any(|table| name.starts_with(table)) {
        return None;
    }
    let known: Vec<String> = SETTINGS.iter().map(Setting::path).collect();
    let same = SETTINGS.iter().find(|setting| setting.name == name).map(Setting::path);
    let hint = same
        .map_or_else(|| suggestion(name, known.iter().map(String::as_str)), |path| format!("; did you mean `{path}`?"));
    Some(format!("is no setting: names begin with run., data. or gan., as the tables of config.toml{hint}"))
}

/// Whether a setting in `name` is of such a kind. A range of what counts something gives whole numbers.
fn is_of(name: &str, kind: fn(&Kind) -> bool) -> bool {
    settings(name).any(|name| SETTINGS.iter().any(|setting| setting.path() == name && kind(&setting.kind)))
}

/// Every combination of the values of `axes`: the last one changes fastest.
///
/// # Errors
///
/// [`Error::InvalidSetting`] where there are too many.
pub(crate) fn grid(axes: &[Axis]) -> Result<Vec<Point>> {
    let mut points = vec![Point::new()];
    for axis in axes {
        let Values::List(values) = &axis.values else { continue };
        if points.len().saturating_mul(values.len()) > MOST_TRIALS {
            let problem =
                format!("has more than {MOST_TRIALS} combinations; vary fewer settings, or draw some with [random]");
            return Err(Error::setting("grid", problem));
        }
        points = points
            .iter()
            .flat_map(|point| values.iter().map(move |value| point.iter().chain([value]).cloned().collect()))
            .collect();
    }
    Ok(points)
}

/// `trials` points, each drawn by its number, the name of the axis and `seed` alone: more trials, or another axis, leave the other draws as
/// they are. A point that was drawn before is left out.
pub(crate) fn random(axes: &[Axis], trials: usize, seed: u64) -> Vec<Point> {
    let mut known = BTreeSet::new();
    let point = |trial| -> Point { axes.iter().map(|axis| axis.values.at(share(seed, trial, &axis.name()))).collect() };
    // As texts, which have an order.
    let text = |point: &Point| point.iter().map(Value::to_string).collect::<Vec<_>>();
    (0..trials).map(point).filter(|point| known.insert(text(point))).collect()
}

/// A number from 0 up and below 1, by chance.
fn share(seed: u64, trial: usize, name: &str) -> f64 {
    let hash = Sha256::digest(format!("{seed} {trial} {name}"));
    let bits = hash.iter().take(8).fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

impl Values {
    /// The value at a share of all of them.
    fn at(&self, share: f64) -> Value {
        match self {
            Self::List(values) => {
                let index = (share * values.len() as f64) as usize;
                values[index.min(values.len() - 1)].clone()
            }
            Self::Range(range) => range.at(share),
        }
    }
}

impl Range {
    fn read(table: &Table, is_whole: bool) -> std::result::Result<Self, String> {
        let RangeTable { low, high, scale } = table.clone().try_into().map_err(|error| readable(&error))?;
        if is_whole && !(low.is_integer() && high.is_integer()) {
            return Err(format!("reaches from {low} to {high}; give whole numbers"));
        }
        let number = |name: &str, value: &Value| {
            let number = value.as_float().or(value.as_integer().map(|number| number as f64));
            number.filter(|number| number.is_finite()).ok_or(format!("has the {name} end {value}; give a number"))
        };
        let (low, high) = (number("low", &low)?, number("high", &high)?);
        if !(low < high) {
            return Err(format!("reaches from {low} to {high}; the low end must be below the high one"));
        }
        if scale == Scale::Log && !(low > 0.0) {
            return Err(format!("begins at {low}; with scale = \"log\" it must begin above 0"));
        }
        Ok(Self { low, high, scale, is_whole })
    }

    fn at(self, share: f64) -> Value {
        let Self { low, high, scale, is_whole } = self;
        // Each whole number has an interval of its own.
        let end = if is_whole { high + 1.0 } else { high };
        let drawn = match scale {
            Scale::Linear => low + share * (end - low),
            Scale::Log => (low.ln() + share * (end.ln() - low.ln())).exp(),
        };
        if is_whole {
            return Value::Integer(drawn.floor().clamp(low, high) as i64);
        }
        // Four digits: enough to find a value, and short enough to read and to repeat.
        let rounded = format!("{drawn:.3e}").parse().unwrap_or(drawn);
        Value::Float(rounded.clamp(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, draws: bool) -> Result<Vec<Axis>> {
        axes("grid", &text.parse().unwrap(), draws)
    }

    fn problem(text: &str, draws: bool) -> String {
        read(text, draws).unwrap_err().to_string()
    }

    #[test]
    fn a_grid_has_every_combination() {
        let axes = read("run.batch = [16, 32]\n\"gan.r1\" = [0.1, 1.0, 10.0]", false).unwrap();
        assert_eq!(axes.iter().map(Axis::name).collect::<Vec<_>>(), ["gan.r1", "run.batch"]);
        let points = grid(&axes).unwrap();
        assert_eq!(points.len(), 6);
        assert_eq!(points[1], [Value::Float(0.1), Value::Integer(32)]);
        assert_eq!(points[2], [Value::Float(1.0), Value::Integer(16)]);
        assert_eq!(grid(&[]).unwrap(), [Point::new()]);
        let many = format!("run.a = {0:?}\nrun.b = {0:?}", (0..400).collect::<Vec<_>>());
        assert!(grid(&read(&many, false).unwrap()).unwrap_err().to_string().contains("combinations"));
    }

    #[test]
    fn draws_lie_in_their_ranges_and_depend_on_nothing_else() {
        let text =
            "gan.a = { low = 0.001, high = 10, scale = 'log' }\nrun.batch = { low = 1, high = 3 }\nrun.c = ['x', 'y']";
        let axes = read(text, true).unwrap();
        let points = random(&axes, 300, 7);
        for point in &points {
            assert!((0.001..=10.0).contains(&point[0].as_float().unwrap()), "{point:?}");
            assert!((1..=3).contains(&point[1].as_integer().unwrap()) && axes[2].values_has(&point[2]), "{point:?}");
        }
        let below = points.iter().filter(|point| point[0].as_float().unwrap() < 0.1).count();
        assert!((100..200).contains(&below), "half of a logarithmic range lies below its middle: {below}");
        assert!((1..=3).all(|whole| points.iter().any(|point| point[1] == Value::Integer(whole))));
        assert_eq!(points[..100], random(&axes, 100, 7)[..]);
        assert!(points != random(&axes, 300, 8));
        let fewer = read("run.batch = { low = 1, high = 3 }\nrun.c = ['x', 'y']", true).unwrap();
        let first =
            |points: Vec<Point>, index: usize| points.into_iter().take(1).map(|mut point| point.remove(index)).next();
        assert_eq!(first(random(&fewer, 1, 7), 0), first(points, 1));
        // What comes twice counts once.
        assert_eq!(random(&fewer, 1_000, 7).len(), 6);
    }

    impl Axis {
        fn values_has(&self, value: &Value) -> bool {
            matches!(&self.values, Values::List(values) if values.contains(value))
        }
    }

    #[test]
    fn what_is_no_axis_is_refused_by_name() {
        for (text, draws, part) in [
            ("run.batch = 32", false, "grid.run.batch: is 32; give a list of values"),
            ("run.batch = []", false, "grid.run.batch: has no values"),
            ("run.batch = [8, 8]", false, "has 8 twice"),
            ("run.batch = { low = 1, high = 2 }", false, "grid.run.batch.high: is 2"),
            ("gan.a = { low = 2, high = 2 }", true, "reaches from 2 to 2"),
            ("gan.a = { low = nan, high = 2 }", true, "low end nan"),
            ("gan.a = { low = 'x', high = 2 }", true, "give a number"),
            ("gan.a = { low = 0, high = 2, scale = 'log' }", true, "begin above 0"),
            ("gan.a = { low = 1 }", true, "missing field `high`"),
            ("gan.a = { low = 1, high = 2, skale = 'log' }", true, "did you mean `scale`"),
            ("gan.a = { low = 1, high = 2, scale = 'lin' }", true, "linear"),
            ("'gan.a, gan.b' = [1]\ngan.b = [2]", false, "grid.gan.b: is varied twice"),
            ("run.batch = { low = 0.5, high = 2 }", true, "give whole numbers"),
            ("batch = [8]", false, "grid.batch: is no setting"),
            ("batch = [8]", false, "did you mean `run.batch`?"),
            ("'run.batch, learning_rate' = [8]", false, "names begin with run."),
        ] {
            let found = problem(text, draws);
            assert!(found.contains(part), "{text}: {found}");
        }
        let both = read("'gan.a, gan.b' = [1, 2]", false).unwrap();
        assert_eq!(both[0].settings, ["gan.a", "gan.b"]);
    }
}
