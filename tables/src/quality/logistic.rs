//! Logistic regression, as scikit-learn's `LogisticRegression` with C = 1.

use super::conjugate::solve;
use super::features::Features;
use super::vectors::{add, dot, norm};

/// Most steps of Newton's method. Usual tables take about ten.
const STEPS: usize = 100;
/// Where the gradient is so much shorter than at the beginning, the weights are found.
const PRECISION: f64 = 1e-8;
/// Most steps of conjugate gradients for one of Newton's.
const INNER_STEPS: usize = 500;
/// Most halvings of a step that leads up.
const HALVINGS: usize = 50;

/// The weights of features, the intercept first, that make half the square of the weights without the intercept, plus the sum of the
/// log-losses, least. Rows without a label do not count. `None` unless both labels are there: then the intercept has no bound.
///
/// Newton's method finds them, with systems solved by conjugate gradients the more exactly the nearer they are (Dembo, Eisenstat and
/// Steihaug, Inexact Newton methods, 1982), and steps halved until they lead down.
pub(crate) fn logistic(features: &Features, labels: &[Option<bool>]) -> Option<Vec<f64>> {
    if !(labels.contains(&Some(true)) && labels.contains(&Some(false))) {
        return None;
    }
    let mut weights = vec![0.0; features.width()];
    let mut logits = vec![0.0; features.rows()];
    let mut first = None;
    for _ in 0..STEPS {
        let mut gradient = features.transposed_times(&each(&logits, labels, |logit, label| chance(logit) - label));
        penalize(&mut gradient, &weights);
        let length = norm(&gradient);
        let share = length / *first.get_or_insert(length);
        // NaN ends it, too.
        if !(share > PRECISION) {
            break;
        }
        let curvatures = each(&logits, labels, |logit, _| chance(logit) * chance(-logit));
        let hessian = |direction: &[f64]| {
            let mut image = features.times(direction);
            image.iter_mut().zip(&curvatures).for_each(|(value, curvature)| *value *= curvature);
            let mut image = features.transposed_times(&image);
            penalize(&mut image, direction);
            image
        };
        let mut diagonal = features.squares(&curvatures);
        diagonal.iter_mut().skip(1).for_each(|value| *value += 1.0);
        let down: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let step = solve(hessian, &diagonal, &down, share.clamp(PRECISION, 0.1), INNER_STEPS);

        let (slope, along) = (dot(&gradient, &step), features.times(&step));
        let moved = |share: f64| {
            let (mut weights, mut logits) = (weights.clone(), logits.clone());
            add(&mut weights, share, &step);
            add(&mut logits, share, &along);
            (weights, logits)
        };
        let loss_after = |share: f64| {
            let (weights, logits) = moved(share);
            objective(&weights, &logits, labels)
        };
        let Some(share) = share_that_leads_down(objective(&weights, &logits, labels), slope, loss_after) else { break };
        (weights, logits) = moved(share);
    }
    Some(weights)
}

/// The greatest of 1, 1/2, 1/4 and so on of a step that makes the loss less by Armijo's condition, but for what rounding hides near the
/// end. `slope` is the change of the loss at the beginning of the step. `None` where no share of the step leads down.
fn share_that_leads_down(loss: f64, slope: f64, loss_after: impl Fn(f64) -> f64) -> Option<f64> {
    let mut shares = std::iter::successors(Some(1.0), |share| Some(share / 2.0)).take(HALVINGS);
    shares.find(|share| loss_after(*share) <= loss + 1e-4 * share * slope + 1e-13 * loss)
}

/// The probability of a true label.
fn chance(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// A value for each row from its logit and its label, 0 or 1; 0 without a label.
fn each(logits: &[f64], labels: &[Option<bool>], value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let rows = logits.iter().zip(labels);
    rows.map(|(logit, label)| label.map_or(0.0, |label| value(*logit, f64::from(u8::from(label))))).collect()
}

/// Adds the gradient of the penalty, which leaves the intercept alone.
fn penalize(gradient: &mut [f64], weights: &[f64]) {
    gradient.iter_mut().zip(weights).skip(1).for_each(|(gradient, weight)| *gradient += weight);
}

fn objective(weights: &[f64], logits: &[f64], labels: &[Option<bool>]) -> f64 {
    // log(1 + exp(z)) - y z, without overflow.
    let losses = each(logits, labels, |logit, label| logit.max(0.0) + (-logit.abs()).exp().ln_1p() - label * logit);
    losses.iter().sum::<f64>() + 0.5 * weights.iter().skip(1).map(|weight| weight * weight).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::cells::{Cells, Codes, Sample};
    use crate::quality::features::Encoder;

    fn features(numbers: Vec<f64>, codes: Vec<u16>) -> Features {
        let rows = numbers.len();
        let sample = Sample { columns: vec![Cells::Numbers(numbers), Cells::Codes(Codes { codes, width: 5 })], rows };
        Encoder::new(&[&sample], &[&sample]).encode(&[&sample])
    }

    #[test]
    fn weights_are_those_of_scikit_learn() {
        let features = features(vec![0.5, -1.2, 3.0, 0.1, 2.2, -0.7], vec![0, 1, 1, 2, 0, 0]);
        let near = |found: &[f64], expected: [f64; 7]| {
            assert!(
                found.len() == 7 && found.iter().zip(expected).all(|(one, two)| (one - two).abs() <= 1e-9),
                "{found:?}"
            );
        };
        // scikit-learn 1.9.1: StandardScaler and one-hot codes; LogisticRegression(C=1, solver="newton-cholesky", tol=1e-14).
        let labels = [false, false, true, true, true, false].map(Some);
        let weights = [0.15309644, 0.9837636145046413, -0.3645550784833272, -0.07719422523463036, 0.44174930371795756];
        let found = logistic(&features, &labels).unwrap();
        near(&found, [found[0], weights[1], weights[2], weights[3], weights[4], 0.0, 0.0]);
        assert!((found[0] - weights[0]).abs() <= 1e-8, "{found:?}");
    }

    #[test]
    fn labels_that_are_told_apart_have_finite_weights() {
        // Far apart, with 999 of 1,000 rows of one sort.
        let numbers: Vec<f64> = (0..1_000).map(|row| if row == 7 { 1e6 } else { f64::from(row) }).collect();
        let features = features(numbers, (0..1_000).map(|row| row % 3).collect());
        let labels: Vec<Option<bool>> = (0..1_000).map(|row| Some(row == 7)).collect();
        let weights = logistic(&features, &labels).unwrap();
        let errors = each(&features.times(&weights), &labels, |logit, label| chance(logit) - label);
        let mut gradient = features.transposed_times(&errors);
        penalize(&mut gradient, &weights);
        assert!(norm(&gradient) <= 1e-7, "{gradient:?}");
    }

    #[test]
    fn steps_that_lead_up_are_halved() {
        // A parabola with its least at an eighth of the step; 1, 1/2 and 1/4 are no less than the beginning.
        let parabola = |share: f64| (8.0 * share - 1.0).powi(2);
        assert_eq!(share_that_leads_down(parabola(0.0), -16.0, parabola), Some(0.125));
        assert_eq!(share_that_leads_down(1.0, -1.0, |share| 1.0 - share), Some(1.0));
        assert_eq!(share_that_leads_down(1.0, -1.0, |_| f64::NAN), None);
    }

    #[test]
    fn one_label_alone_has_no_weights() {
        let features = features(vec![1.0, 2.0], vec![0, 1]);
        assert!(logistic(&features, &[Some(true), None]).is_none() && logistic(&features, &[None, None]).is_none());
    }
}
