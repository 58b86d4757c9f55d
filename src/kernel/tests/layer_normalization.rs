//! Layer normalization, its derivative and its curvature against differences in f64.

use super::super::layer_normalization::{CurvatureInputs, EPSILON, curve, differentiate, normalize};
use super::{on_every_isa, values};
use crate::reference::difference::slope;

/// Rows and lanes of panels; one row leaves nothing.
const SHAPES: [(usize, usize); 4] = [(2, 16), (3, 48), (30, 16), (1, 32)];

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What the sums of a sample are divided by.
fn root(sums: &[f64]) -> f64 {
    let mean = mean(sums);
    let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / sums.len() as f64;
    (variance + f64::from(EPSILON)).sqrt()
}

/// The sums of a sample, normalized.
fn expected(sums: &[f64]) -> Vec<f64> {
    let (mean, root) = (mean(sums), root(sums));
    sums.iter().map(|sum| (sum - mean) / root).collect()
}

/// `sums` moved by `by` along `vector`.
fn moved(sums: &[f64], vector: &[f64], by: f64) -> Vec<f64> {
    sums.iter().zip(vector).map(|(sum, vector)| sum + by * vector).collect()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// What sample `lane` has in a panel.
fn column(panel: &[f32], width: usize, lane: usize) -> Vec<f64> {
    panel.iter().skip(lane).step_by(width).map(|value| f64::from(*value)).collect()
}

/// A panel of sums: some samples far from 0, some nearer each other.
fn sums(rows: usize, width: usize) -> Vec<f32> {
    let mut sums = values(rows * width, 2.0);
    for row in sums.chunks_mut(width) {
        for (lane, sum) in row.iter_mut().enumerate() {
            *sum = *sum * [1.0, 0.3, 30.0][lane % 3] + [0.0, 1.0, -40.0][lane % 3];
        }
    }
    sums
}

/// Compares each sample of `found` with what `truth` says of it.
fn compare(
    found: &[f32],
    width: usize,
    name: &str,
    complaints: &mut Vec<String>,
    truth: impl Fn(usize) -> (Vec<f64>, f64),
) {
    for lane in 0..width {
        let (truth, tolerance) = truth(lane);
        for (row, (found, truth)) in column(found, width, lane).iter().zip(&truth).enumerate() {
            if !((found - truth).abs() <= tolerance) {
                complaints.push(format!("{name}, row {row} of lane {lane}: {found}, not {truth}"));
            }
        }
    }
}

/// How large the largest of `values` is.
fn size(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |size, value| value.abs().max(size))
}

#[test]
fn normalized_sums_match_f64() {
    on_every_isa(|isa, complaints| {
        for (rows, width) in SHAPES {
            let sums = sums(rows, width);
            let mut found = sums.clone();
            normalize(isa, &mut found, width);
            compare(&found, width, &format!("{rows}x{width}"), complaints, |lane| {
                // The mean has the rounding of the sums, which a small deviation makes large.
                (expected(&column(&sums, width, lane)), 5e-5)
            });
        }
    });
}

/// Sums whose squares are no numbers, and infinite ones, make no number, instead of zeros that hide them.
#[test]
fn overflow_shows() {
    on_every_isa(|isa, complaints| {
        for large in [1e20, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let mut found = sums(4, 16);
            found[16] = large;
            normalize(isa, &mut found, 16);
            let of_lane = |lane| column(&found, 16, lane);
            if !of_lane(0).iter().all(|value| value.is_nan()) || of_lane(1).iter().any(|value| value.is_nan()) {
                complaints.push(format!("{large}: {:?} {:?}", of_lane(0), of_lane(1)));
            }
        }
    });
}

#[test]
fn derivatives_match_differences() {
    on_every_isa(|isa, complaints| {
        for (rows, width) in SHAPES {
            let (sums, vectors) = (sums(rows, width), values(rows * width, 1.3));
            let mut found = vectors.clone();
            differentiate(isa, &sums, &mut found, width);
            compare(&found, width, &format!("{rows}x{width}"), complaints, |lane| {
                let [sums, vector] = [&sums, &vectors].map(|panel| column(panel, width, lane));
                let step = 1e-5 * root(&sums);
                let truth: Vec<f64> =
                    (0..rows).map(|row| slope(|by| expected(&moved(&sums, &vector, by))[row], 0.0, step)).collect();
                // The derivative is a difference of terms of this size.
                (truth, 1e-5 * size(&vector) / root(&sums))
            });
        }
    });
}

/// The gradient of `gradients . J tangents`, where `J tangents` is the slope along the tangents.
#[test]
fn curvatures_match_differences() {
    on_every_isa(|isa, complaints| {
        for (rows, width) in SHAPES {
            let sums = sums(rows, width);
            let (gradients, tangents) =
                (values(rows * width, 0.8), values(2 * rows * width, 1.1).split_off(rows * width));
            for (accumulate, before) in [(false, f32::NAN), (true, 0.5)] {
                let mut found = vec![before; rows * width];
                let inputs = CurvatureInputs { sums: &sums, gradients: &gradients, tangents: &tangents };
                curve(isa, inputs, &mut found, width, accumulate);
                compare(&found, width, &format!("{rows}x{width} {accumulate}"), complaints, |lane| {
                    let [sums, gradient, tangent] =
                        [&sums, &gradients, &tangents].map(|panel| column(panel, width, lane));
                    let step = 1e-3 * root(&sums);
                    let along =
                        |sums: &[f64]| slope(|by| dot(&gradient, &expected(&moved(sums, &tangent, by))), 0.0, step);
                    let truth: Vec<f64> = (0..rows)
                        .map(|row| {
                            let mut unit = vec![0.0; rows];
                            unit[row] = 1.0;
                            slope(|by| along(&moved(&sums, &unit, by)), 0.0, step)
                        })
                        .collect();
                    let terms = rows as f64 * size(&gradient) * size(&tangent) / root(&sums).powi(2);
                    let truth = truth.iter().map(|truth| truth + if accumulate { 0.5 } else { 0.0 }).collect();
                    (truth, 1e-5 * terms + 1e-7)
                });
            }
        }
    });
}
