//! Measures of generated tables beside SDMetrics and scikit-learn, whose figures `scripts/quality_fixtures.py` wrote.

mod common;

use common::data;
use gannet_tables::quality::{Quality, detection, privacy, quality, utility};
use gannet_tables::{Input, Kind, ReadOptions, Table, read, read_as};
use serde_json::Value;

/// The least agreement of any figure. Most agree to 1e-9.
const TOLERANCE: f64 = 1e-6;

const KINDS: [(&str, Kind); 12] = [
    ("age", Kind::Integer),
    ("visits", Kind::Integer),
    ("income", Kind::Continuous),
    ("balance", Kind::Continuous),
    ("height", Kind::Continuous),
    ("fixed", Kind::Continuous),
    ("born", Kind::Date),
    ("seen", Kind::Date),
    ("member", Kind::Boolean),
    ("city", Kind::Categorical),
    ("region", Kind::Categorical),
    ("job", Kind::Categorical),
];

struct Fixtures {
    real: Table,
    held_out: Table,
    synthetic: Table,
    expected: Value,
}

fn fixtures() -> Fixtures {
    let options = KINDS.iter().fold(ReadOptions::default(), |options, (name, kind)| options.with_kind(*name, *kind));
    let path = |name: &str| data(&format!("quality/{name}"));
    let real = read(&Input::file(path("real.csv")), &options).unwrap();
    let other = |name| read_as(&Input::file(path(name)), real.form(), &ReadOptions::default()).unwrap();
    let expected = std::fs::read_to_string(path("expected.json")).unwrap();
    Fixtures {
        held_out: other("held_out.csv"),
        synthetic: other("synthetic.csv"),
        expected: serde_json::from_str(&expected).unwrap(),
        real,
    }
}

/// Differences beyond the tolerance, all of which a test reports.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: impl std::fmt::Display, found: Option<f64>, expected: &Value) {
        let agrees = match (found, expected.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() <= TOLERANCE,
            (None, None) => expected.is_null(),
            _ => false,
        };
        if !agrees {
            self.0.push(format!("{what}: {found:?} is not {expected}"));
        }
    }

    fn report(self, compared: usize) {
        assert!(self.0.is_empty(), "{} of {compared} differ\n{}", self.0.len(), self.0.join("\n"));
    }
}

#[test]
fn shapes_and_trends_are_those_of_sdmetrics() {
    let Fixtures { real, synthetic, expected, .. } = fixtures();
    let (found, expected) = (quality(&real, &synthetic).unwrap(), &expected["quality"]);
    let mut differences = Differences::default();

    let columns = expected["columns"].as_array().unwrap();
    assert_eq!((found.columns.len(), columns.len()), (KINDS.len(), KINDS.len()));
    for ((column, expected), (name, kind)) in found.columns.iter().zip(columns).zip(KINDS) {
        assert_eq!((column.name.as_str(), column.kind), (name, kind));
        assert_eq!(
            (name, column.measure.name()),
            (expected["name"].as_str().unwrap(), expected["measure"].as_str().unwrap())
        );
        differences.compare(name, column.score, &expected["score"]);
        differences.compare(format!("missing {name}"), column.missing, &expected["missing"]);
    }

    let pairs = expected["pairs"].as_array().unwrap();
    assert_eq!((found.pairs.len(), pairs.len()), (66, 66));
    for (pair, expected) in found.pairs.iter().zip(pairs) {
        let name = pair.columns.join(" and ");
        assert_eq!(serde_json::json!(pair.columns), expected["columns"]);
        assert_eq!(pair.measure.name(), expected["measure"].as_str().unwrap(), "{name}");
        assert_eq!(pair.counts, expected["counts"].as_bool().unwrap(), "{name}");
        differences.compare(&name, pair.score, &expected["score"]);
        differences.compare(format!("association of {name}"), pair.association, &expected["association"]);
        // SDMetrics leaves out both correlations where one column is constant.
        if pair.score.is_some() {
            differences.compare(format!("real {name}"), pair.real, &expected["real"]);
            differences.compare(format!("synthetic {name}"), pair.synthetic, &expected["synthetic"]);
        }
    }
    let (counted, undefined) = (|pair: &&_| is_counted(pair), found.pairs.iter().filter(|pair| pair.score.is_none()));
    assert!(found.pairs.iter().filter(counted).count() >= 10 && undefined.count() == 7);

    differences.compare("shapes", found.shapes, &expected["shapes"]);
    differences.compare("trends", found.trends, &expected["trends"]);
    differences.compare("trends of all", found.trends_of_all, &expected["trends_of_all"]);
    differences.compare("score", found.score, &expected["score"]);
    differences.report(2 * 12 + 4 * 66 + 4);
}

fn is_counted(pair: &gannet_tables::quality::PairQuality) -> bool {
    pair.counts
}

#[test]
fn detection_is_that_of_scikit_learn() {
    let Fixtures { real, synthetic, expected, .. } = fixtures();
    let (found, expected) = (detection(&real, &synthetic).unwrap(), &expected["detection"]);
    let mut differences = Differences::default();
    assert_eq!(found.folds.len(), 3);
    for (fold, area) in found.folds.iter().enumerate() {
        differences.compare(format!("fold {fold}"), Some(*area), &expected["folds"][fold]);
    }
    differences.compare("auc", found.auc, &expected["auc"]);
    differences.compare("score", found.score, &expected["score"]);
    differences.report(5);
}

#[test]
fn utility_is_that_of_scikit_learn() {
    let Fixtures { real, held_out, synthetic, expected } = fixtures();
    let targets = expected["utility"].as_object().unwrap();
    let mut differences = Differences::default();
    for (target, expected) in targets {
        let found = utility(&real, &held_out, &synthetic, target).unwrap();
        differences.compare(format!("{target}, synthetic"), found.synthetic, &expected["synthetic"]);
        differences.compare(format!("{target}, real"), found.real, &expected["real"]);
    }
    assert_eq!(targets.len(), 6);
    differences.report(12);
}

#[test]
fn distances_are_those_of_sdmetrics() {
    let Fixtures { real, held_out, synthetic, expected } = fixtures();
    let (found, expected) = (privacy(&real, &held_out, &synthetic).unwrap(), &expected["privacy"]);
    assert_eq!((found.rows, found.records), (350, 400));
    let mut differences = Differences::default();
    differences.compare("nearer to training", found.nearer_to_training, &expected["nearer_to_training"]);
    differences.compare("median to training", found.median_to_training, &expected["median_to_training"]);
    differences.compare("median to held-out", found.median_to_held_out, &expected["median_to_held_out"]);
    differences.report(3);
}

#[test]
fn quality_is_stored_and_read_back() {
    let Fixtures { real, synthetic, .. } = fixtures();
    let found = quality(&real, &synthetic).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert!(text.contains(r#""measure":"ks_complement""#) && text.contains(r#""kind":"boolean""#));
    assert_eq!(serde_json::from_str::<Quality>(&text).unwrap(), found);
}
