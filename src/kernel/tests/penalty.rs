//! The loops of gradient penalties, and the second derivatives of activations, against f64.

use super::super::curvature::{Curved, curvature};
use super::super::penalty::{NormPenalty, add_scaled, directions, interpolate, weighted_row_sums};
use super::{bits, close, on_every_isa, values};
use crate::reference::activation::{ALL, slope};
use crate::reference::difference;

const PENALTIES: [NormPenalty; 3] = [NormPenalty::Square, NormPenalty::TwoSided, NormPenalty::OneSided];

/// The penalty of a norm, and its derivative over the norm.
fn expected(penalty: NormPenalty, norm: f64) -> [f64; 2] {
    let beyond = if penalty == NormPenalty::OneSided { (norm - 1.0).max(0.0) } else { norm - 1.0 };
    match penalty {
        NormPenalty::Square => [norm * norm / 2.0, 1.0],
        _ => [beyond * beyond, if norm == 0.0 { 0.0 } else { 2.0 * beyond / norm }],
    }
}

#[test]
fn directions_and_penalties_match_f64() {
    const WEIGHT: f32 = 0.25;
    on_every_isa(|isa, complaints| {
        for penalty in PENALTIES {
            for (rows, width, first, lanes) in [(1, 16, 0, 16), (5, 48, 16, 32), (30, 64, 32, 32), (7, 64, 0, 64)] {
                for valid in [0, lanes / 3, lanes] {
                    let mut gradients = values(rows * width, 0.7);
                    // A gradient of 0 has no direction.
                    gradients.iter_mut().skip(first + 1).step_by(width).for_each(|value| *value = 0.0);
                    let mut found = gradients.clone();
                    for row in found.chunks_mut(width) {
                        row[first + valid..first + lanes].fill(0.0);
                    }
                    let mut unreported = found.clone();
                    let mut norms = vec![f32::NAN; lanes];
                    let sum = directions(isa, penalty, WEIGHT, &mut found, width, first, &mut norms, valid, true);
                    let mut total = 0.0;
                    for lane in 0..width {
                        let column = |from: &[f32]| -> Vec<f64> {
                            from.iter().skip(lane).step_by(width).map(|value| f64::from(*value)).collect()
                        };
                        let (before, after) = (column(&gradients), column(&found));
                        let here = (first..first + lanes).contains(&lane);
                        let norm = before.iter().map(|value| value * value).sum::<f64>().sqrt();
                        let [value, factor] = expected(penalty, norm);
                        let factor = match lane {
                            _ if !here => 1.0,
                            _ if lane < first + valid => f64::from(WEIGHT) * factor,
                            _ => 0.0,
                        };
                        total += if here && lane < first + valid { value } else { 0.0 };
                        for (before, after) in before.iter().zip(&after) {
                            let truth = before * factor;
                            // Near a norm of 1 the distance from it has the rounding of the norm.
                            if !((after - truth).abs() <= 2e-6 * before.abs()) {
                                complaints
                                    .push(format!("{penalty:?} {rows}x{width} lane {lane}: {after}, not {truth}"));
                            }
                        }
                    }
                    if !((sum - total).abs() <= 2e-6 * (1.0 + total)) {
                        complaints.push(format!("{penalty:?} {rows}x{width}, {valid} valid: {sum}, not {total}"));
                    }
                    directions(isa, penalty, WEIGHT, &mut unreported, width, first, &mut norms, valid, false);
                    if bits(&unreported) != bits(&found) {
                        complaints.push(format!("{penalty:?}: reporting changes more than the sum"));
                    }
                }
            }
        }
    });
}

#[test]
fn sums_with_factors_match_f64() {
    on_every_isa(|isa, complaints| {
        for (rows, width) in [(1, 16), (3, 32), (5, 144)] {
            let (panel, factors) = (values(rows * width, 2.0), values(width, 3.0));
            let of_row = |row: usize| {
                let products = panel[row * width..].iter().zip(&factors);
                products.map(|(value, factor)| f64::from(*value) * f64::from(*factor)).sum::<f64>()
            };
            for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                let mut sums = vec![before; rows];
                weighted_row_sums(isa, &panel, &factors, &mut sums, accumulate);
                for (row, sum) in sums.iter().enumerate() {
                    let truth = of_row(row) + if accumulate { 0.5 } else { 0.0 };
                    if !((f64::from(*sum) - truth).abs() <= 1e-6 * width as f64) {
                        complaints.push(format!("row {row} of {rows}x{width}: {sum}, not {truth}"));
                    }
                }
            }
            let (mut tangents, mut samples) = (values(rows * width, 0.3), values(rows * width, 5.0));
            let before = [tangents.clone(), samples.clone()];
            add_scaled(isa, &panel, &factors, &mut tangents);
            let shares: Vec<f32> = factors.iter().map(|factor| factor / 6.0 + 0.5).collect();
            interpolate(isa, &panel, &shares, &mut samples);
            for at in 0..panel.len() {
                let [value, tangent, sample] = [panel[at], before[0][at], before[1][at]].map(f64::from);
                let [factor, share] = [factors[at % width], shares[at % width]].map(f64::from);
                let truths = [tangent + factor * value, share * sample + (1.0 - share) * value];
                for (found, truth) in [tangents[at], samples[at]].into_iter().zip(truths) {
                    if !((f64::from(found) - truth).abs() <= 2e-6) {
                        complaints.push(format!("{at} of {rows}x{width}: {found}, not {truth}"));
                    }
                }
            }
        }
    });
}

/// From a sum `a`, a tangent `a'` of it and a gradient `h` of the output: `f''(a) a' h`, where `f''` is the difference of slopes.
#[test]
fn curvature_matches_differences_of_slopes() {
    on_every_isa(|isa, complaints| {
        for activation in ALL {
            for (dropout, length) in [(0.0, 37), (0.25, 37), (0.0, 16), (0.25, 3)] {
                let sums = values(length, 4.0);
                let (moved, above) = (values(length, 1.3), values(length, 0.8));
                let keep = 1.0 - f64::from(dropout);
                let value = |a: f64| crate::reference::activation::value(activation, a);
                let of_slope = |a: f64| slope(activation, value(a)) / keep;
                let dropped = |index: usize| dropout > 0.0 && index.is_multiple_of(3);
                let made = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f32> {
                    let values = sums.iter().enumerate();
                    values
                        .map(|(index, &a)| if dropped(index) { -0.0 } else { of(index, f64::from(a)) as f32 })
                        .collect()
                };
                let outputs = made(&|_, a| value(a) / keep);
                let gradients = made(&|index, a| of_slope(a) * f64::from(above[index]));
                let tangents = made(&|index, a| of_slope(a) * f64::from(moved[index]));
                let curved = Curved { outputs: &outputs, gradients: &gradients, tangents: &tangents };
                for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                    let mut found = vec![before; length];
                    curvature(isa, activation, dropout, curved, &mut found, accumulate);
                    for (index, (&found, &a)) in found.iter().zip(&sums).enumerate() {
                        let second = if activation.is_curved() && !dropped(index) {
                            difference::slope(of_slope, f64::from(a), 1e-5)
                        } else {
                            0.0
                        };
                        let truth = second * f64::from(moved[index]) * f64::from(above[index]);
                        let truth = truth + if accumulate { 0.5 } else { 0.0 };
                        // Far out the slope, one minus a square, has few digits left.
                        if !((f64::from(found) - truth).abs() <= 1e-5) {
                            complaints.push(format!("{activation:?} {dropout} at {a}: {found}, not {truth}"));
                        }
                    }
                }
                // Where the slope vanishes nothing is left, and nothing is undefined.
                let flat = if activation.is_curved() { [1.0, 0.0, 0.0] } else { [0.0; 3] };
                let mut found = [f32::NAN];
                let [outputs, gradients, tangents] = flat.map(|value| [value]);
                let curved = Curved { outputs: &outputs, gradients: &gradients, tangents: &tangents };
                curvature(isa, activation, 0.0, curved, &mut found, false);
                if !close(found[0], 0.0, 0.0) {
                    complaints.push(format!("{activation:?}: {found:?} where the slope is 0"));
                }
            }
        }
    });
}
