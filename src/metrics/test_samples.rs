//! Samples and plain `f64` distances that the tests of several measures share.

use crate::data::random::Random;

/// 40 real and 40 generated rows of 2 or 3 features. What SciPy, scikit-learn and `prdc` say of them stands in the tests.
pub(crate) fn fixed(features: usize) -> (Vec<f32>, Vec<f32>) {
    let made = |shift: usize| {
        (0..40 * features).map(move |place| {
            let (i, j) = (place / features, place % features);
            ((i * i * 7 + i * 131 + j * j * 577 + (i + shift) * (j + 1) * 389 + shift * 97) % 1009) as f64 / 64.0
        })
    };
    let (factor, offset) = if features == 3 { (0.7, 4.0) } else { (1.5, -3.0) };
    let real = made(0).map(|value| value as f32).collect();
    (real, made(5).map(|value| (value * factor + offset) as f32).collect())
}

/// So many rows of normal numbers.
pub(crate) fn normal(rows: usize, features: usize, mean: f64, sd: f64, seed: u64) -> Vec<f32> {
    let mut random = Random::new(0, seed);
    (0..rows * features).map(|_| (mean + sd * random.normal()) as f32).collect()
}

/// The Euclidean distance of each row of `a` from each row of `b`.
pub(crate) fn distances(a: &[f32], b: &[f32], features: usize) -> Vec<Vec<f64>> {
    let between = |x: &[f32], y: &[f32]| {
        x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>().sqrt()
    };
    a.chunks(features).map(|x| b.chunks(features).map(|y| between(x, y)).collect()).collect()
}
