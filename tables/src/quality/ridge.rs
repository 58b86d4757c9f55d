//! Ridge regression, as scikit-learn's `Ridge` with alpha = 1.

use super::conjugate::solve;
use super::features::Features;

/// Where the residual of the equations is so much shorter than at the beginning, the weights are found.
const PRECISION: f64 = 1e-12;
/// Most steps of conjugate gradients.
const STEPS: usize = 5_000;

/// The weights of features, the intercept first, that make the square of the weights without the intercept, plus the sum of squared
/// errors of `targets`, least.
pub(crate) fn ridge(features: &Features, targets: &[f64]) -> Vec<f64> {
    let product = |direction: &[f64]| {
        let mut image = features.transposed_times(&features.times(direction));
        image.iter_mut().zip(direction).skip(1).for_each(|(value, weight)| *value += weight);
        image
    };
    let mut diagonal = features.squares(&vec![1.0; features.rows()]);
    diagonal.iter_mut().skip(1).for_each(|value| *value += 1.0);
    solve(product, &diagonal, &features.transposed_times(targets), PRECISION, STEPS)
}

/// The coefficient of determination of predictions; `None` where all targets are the same, or there are none.
pub(crate) fn r2(targets: &[f64], predictions: &[f64]) -> Option<f64> {
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let spread: f64 = targets.iter().map(|target| (target - mean).powi(2)).sum();
    let errors: f64 = targets.iter().zip(predictions).map(|(target, found)| (target - found).powi(2)).sum();
    let r2 = 1.0 - errors / spread;
    (spread > 0.0 && r2.is_finite()).then_some(r2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::cells::{Cells, Codes, Sample};
    use crate::quality::features::Encoder;

    #[test]
    fn weights_are_those_of_scikit_learn() {
        let numbers = Cells::Numbers(vec![0.5, -1.2, 3.0, 0.1, 2.2, -0.7]);
        let codes = Cells::Codes(Codes { codes: vec![0, 1, 1, 2, 0, 0], width: 3 });
        let sample = Sample { columns: vec![codes, numbers], rows: 6 };
        let features = Encoder::new(&[&sample], &[&sample]).encode(&[&sample]);
        let found = ridge(&features, &[1.0, -0.5, 2.0, 0.25, 1.5, 0.0]);
        // scikit-learn 1.9.1: StandardScaler and one-hot codes; Ridge(alpha=1, solver="cholesky").
        let expected =
            [0.6764012712805113, 0.7266861382114, 0.11164220698035823, -0.031692041643784384, -0.07995016533657388];
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(one, two)| (one - two).abs() <= 1e-9), "{found:?}");
    }

    #[test]
    fn determination_of_known_predictions() {
        assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), Some(1.0));
        assert_eq!(r2(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), Some(0.0));
        assert_eq!(r2(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-3.0));
        assert_eq!((r2(&[2.0, 2.0], &[1.0, 2.0]), r2(&[], &[])), (None, None));
    }
}
