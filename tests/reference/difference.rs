//! Derivatives by central differences: `(f(x + h) - f(x - h)) / 2 h`, whose error is `h^2 f''' / 6` and the rounding of `f` over `h`.

use super::network::Parameters;

/// The slope of `of` at `x`.
pub(crate) fn slope(of: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (of(x + h) - of(x - h)) / (2.0 * h)
}

/// The gradient of `loss` with respect to each number of `parameters`, in the order of [`flat`](super::network::flat).
pub(crate) fn gradient(parameters: &Parameters, loss: impl Fn(&Parameters) -> f64) -> Vec<f64> {
    /// Both parts of the error are below 1e-9 where the loss and its derivatives are about 1.
    const H: f64 = 1e-6;
    let mut moved = parameters.clone();
    let mut gradient = Vec::new();
    for layer in 0..parameters.len() {
        let weights = parameters[layer].0.len();
        for index in 0..weights + parameters[layer].1.len() {
            let mut at = |offset: f64| {
                let (weight, bias) = &mut moved[layer];
                let value = if index < weights { &mut weight[index] } else { &mut bias[index - weights] };
                let before = std::mem::replace(value, *value + offset);
                let loss = loss(&moved);
                let (weight, bias) = &mut moved[layer];
                *(if index < weights { &mut weight[index] } else { &mut bias[index - weights] }) = before;
                loss
            };
            gradient.push((at(H) - at(-H)) / (2.0 * H));
        }
    }
    gradient
}

/// The largest difference, as a part of the largest of the numbers it should be.
pub(crate) fn distance(found: impl Iterator<Item = f32>, expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(1e-30, |most: f64, value| most.max(value.abs()));
    let found: Vec<f32> = found.collect();
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
    // A NaN is the largest of all.
    differences.fold(0.0, |most: f64, value| if value <= most { most } else { value }) / largest
}
