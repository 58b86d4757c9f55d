//! What generated images are recognized as by a classifier that is trained on the real ones, and how near they are to these in its
//! features.

use std::ops::Range;

use gannet::Result;
use gannet::gan::Source;
use gannet::gan::source::from_rows;
use gannet::metrics::classifier::{Classifier, FEATURES, Judged};
use gannet::metrics::frechet;
use gannet::metrics::table::Halves;

use crate::data::samples::ImageSet;
use crate::measures::compared::Compared;
use crate::measures::measure::CLASSES;
use crate::settings::config::RunConfig;

/// Names, and what they mean.
pub(crate) const WORDS: &[(&str, &str)] = &[
    (
        "feature_distance",
        "squared Frechet distance in the 64 features of a small classifier trained on the real images (no FID)",
    ),
    ("class_entropy", "entropy of the classes that images are recognized as, nats; at most 2.303 of ten classes"),
    ("classes_recognized", "classes that at least 1 % of the images are recognized as"),
    (
        "label_accuracy",
        "share of the images that are recognized as the class asked for; real: its accuracy on images kept apart",
    ),
];

/// A class counts as recognized from this share of the images on.
const RECOGNIZED: f64 = 0.01;

/// The measures of generated images `made`, beside those of real ones; none where the real ones have no labels.
///
/// # Errors
///
/// Memory or threads that the system refuses.
pub(crate) fn compare(config: &RunConfig, set: &ImageSet, made: &[f32], halves: &Halves) -> Result<Vec<Compared>> {
    /// Figures of different runs are comparable.
    const SEED: u64 = 0;
    let (count, features) = (set.train.len(), config.spec.features());
    if set.labels.len() != count {
        return Ok(Vec::new());
    }
    let Some(memory) = set.train.in_memory() else { return Ok(Vec::new()) };
    let train = |memory, labels| Classifier::train(memory, labels, CLASSES, SEED, config.threads);
    let (classifier, held, labels) = match &set.test {
        Some(test) => (train(memory, &set.labels)?, test.images.rows(0..usize::MAX)?, &test.labels[..]),
        // Without a test set, the last part is kept apart.
        None => {
            let part = |images: Range<usize>| set.train.rows(images);
            let kept = count - count / 5;
            let rows = part(0..kept)?;
            (train(from_rows(&rows, features)?, &set.labels[..kept])?, part(kept..count)?, &set.labels[kept..])
        }
    };
    let all = made.len();
    let [of_made, of_first, of_second] =
        [made, &halves.first[..all], &halves.second[..all]].map(|rows| classifier.judge(rows));
    let (of_made, of_first, of_second) = (of_made?, of_first?, of_second?);
    let distance = |judged: &Judged| frechet::squared_distance(&judged.features, &of_first.features, FEATURES);
    let (made_shares, real_shares) = (shares(&of_made), shares(&of_second));
    let mut measures = vec![
        of("feature_distance", distance(&of_made)?, distance(&of_second)?),
        of("class_entropy", entropy(&made_shares), entropy(&real_shares)),
        of("classes_recognized", recognized(&made_shares), recognized(&real_shares)),
    ];
    if let Some(classes) = config.classes() {
        let asked = (0..).map(|index| classes.of_sample(index));
        let accuracy = agreement(&of_made, asked);
        let of_real = agreement(&classifier.judge(&held)?, labels.iter().map(|label| usize::from(*label)));
        measures.push(of("label_accuracy", accuracy, of_real));
    }
    Ok(measures)
}

const fn of(name: &'static str, samples: f64, real: f64) -> Compared {
    Compared { name, samples, real }
}

/// The share of each class.
fn shares(judged: &Judged) -> [f64; CLASSES] {
    let mut counts = [0_u32; CLASSES];
    for class in &judged.classes {
        if let Some(count) = counts.get_mut(usize::from(*class)) {
            *count += 1;
        }
    }
    counts.map(|count| f64::from(count) / judged.classes.len() as f64)
}

/// In nats.
fn entropy(shares: &[f64; CLASSES]) -> f64 {
    -shares.iter().filter(|share| **share > 0.0).map(|share| share * share.ln()).sum::<f64>()
}

fn recognized(shares: &[f64; CLASSES]) -> f64 {
    shares.iter().filter(|share| **share >= RECOGNIZED).count() as f64
}

/// The share of the images that are recognized as they should be.
fn agreement(judged: &Judged, expected: impl Iterator<Item = usize>) -> f64 {
    let right = judged.classes.iter().zip(expected).filter(|(found, expected)| usize::from(**found) == *expected);
    right.count() as f64 / judged.classes.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_their_entropy_are_those_of_the_formula() {
        let judged = |classes: &[u8]| {
            let mut judged = Judged::default();
            judged.classes = classes.to_vec();
            judged
        };
        let even = shares(&judged(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        assert!((entropy(&even) - 10_f64.ln()).abs() < 1e-12);
        assert_eq!(recognized(&even), 10.0);
        let one = shares(&judged(&[3; 200]));
        assert_eq!((entropy(&one), recognized(&one)), (0.0, 1.0));
        assert_eq!(agreement(&judged(&[3, 4, 5, 6]), [3, 0, 5, 0].into_iter()), 0.5);
    }
}
