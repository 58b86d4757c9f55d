//! Spectral normalization against f64: products, power iteration, and the gradient through the division by differences.

use super::super::spectral::{
    Division, Matrix, leading, normalize, row_products, scale, take_through, times, transposed_times,
};
use super::{on_every_isa, values};
use crate::reference::difference::slope;

/// Rows, columns and stride.
const SHAPES: [(usize, usize, usize); 6] =
    [(1, 1, 1), (3, 7, 7), (5, 16, 16), (9, 45, 48), (20, 130, 130), (7, 300, 304)];

fn weights(rows: usize, stride: usize) -> Vec<f32> {
    values(rows * stride, 1.0)
}

/// A matrix without gaps, in f64.
fn wide(values: &[f32], (_, columns, stride): (usize, usize, usize)) -> Vec<Vec<f64>> {
    values.chunks(stride).map(|row| row[..columns].iter().map(|value| f64::from(*value)).collect()).collect()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn compare(name: &str, found: &[f32], truth: &[f64], tolerance: f64, complaints: &mut Vec<String>) {
    assert_eq!(found.len(), truth.len());
    for (index, (found, truth)) in found.iter().zip(truth).enumerate() {
        if !((f64::from(*found) - truth).abs() <= tolerance) {
            complaints.push(format!("{name} [{index}]: {found}, not {truth}"));
        }
    }
}

#[test]
fn products_match_f64() {
    on_every_isa(|isa, complaints| {
        for shape @ (rows, columns, stride) in SHAPES {
            let (one, other) = (weights(rows, stride), values(2 * rows * stride, 0.7).split_off(rows * stride));
            let matrix = |values| Matrix { values, stride, columns };
            let [in_columns, in_rows] = [columns, rows].map(|count| values(count, 1.3));
            let bar = 1e-6 * (rows + columns) as f64;
            let (truth, of_other) = (wide(&one, shape), wide(&other, shape));
            let (wide_columns, wide_rows) = (wide(&in_columns, (1, columns, columns)), wide(&in_rows, (1, rows, rows)));

            let mut found = vec![f32::NAN; rows];
            times(isa, matrix(&one), &in_columns, &mut found);
            let expected: Vec<f64> = truth.iter().map(|row| dot(row, &wide_columns[0])).collect();
            compare(&format!("{shape:?}: times"), &found, &expected, bar, complaints);

            row_products(isa, matrix(&one), matrix(&other), &mut found);
            let expected: Vec<f64> = truth.iter().zip(&of_other).map(|(one, other)| dot(one, other)).collect();
            compare(&format!("{shape:?}: row products"), &found, &expected, bar, complaints);

            for first in [0, columns / 2] {
                let mut found = vec![f32::NAN; columns - first];
                transposed_times(isa, matrix(&one), &in_rows, first, &mut found);
                let of =
                    |column: usize| truth.iter().zip(&wide_rows[0]).map(|(row, factor)| row[column] * factor).sum();
                let expected: Vec<f64> = (first..columns).map(of).collect();
                compare(&format!("{shape:?}: transposed from {first}"), &found, &expected, bar, complaints);
            }

            let mut found = in_columns.clone();
            let norm = normalize(isa, &mut found);
            let truth = dot(&wide_columns[0], &wide_columns[0]).sqrt();
            compare(&format!("{shape:?}: norm"), &[norm], &[truth], 1e-5 * truth, complaints);
            let expected: Vec<f64> = wide_columns[0].iter().map(|value| value / truth).collect();
            compare(&format!("{shape:?}: normalized"), &found, &expected, 1e-6, complaints);
            scale(isa, &mut found, 0.5);
            let expected: Vec<f64> = expected.iter().map(|value| value / 2.0).collect();
            compare(&format!("{shape:?}: scaled"), &found, &expected, 1e-6, complaints);
        }
    });
}

/// With constant vectors the gradient of `G : W / (u . W v)` is what `take_through` makes of `G`.
#[test]
fn gradients_through_the_division_match_differences() {
    on_every_isa(|isa, complaints| {
        for shape @ (rows, columns, stride) in SHAPES {
            let (weights, mut found) = (weights(rows, stride), values(2 * rows * stride, 0.7).split_off(rows * stride));
            let gradients = wide(&found, shape);
            let (left, right) = (values(rows, 0.8), values(columns, 0.9));
            let [wide_left, wide_right] =
                [&left, &right].map(|vector| wide(vector, (1, vector.len(), vector.len())).remove(0));
            let value = |weights: &[Vec<f64>]| -> f64 {
                weights.iter().zip(&wide_left).map(|(row, left)| left * dot(row, &wide_right)).sum()
            };
            let of_gradients = |weights: &[Vec<f64>]| -> f64 {
                weights.iter().zip(&gradients).map(|(row, gradients)| dot(row, gradients)).sum::<f64>() / value(weights)
            };
            let truth = wide(&weights, shape);
            let (inverse, along) = ((1.0 / value(&truth)) as f32, of_gradients(&truth) as f32);
            take_through(isa, &mut found, stride, &left, Division { right: &right, along, inverse });
            let slopes = (0..rows * columns).map(|index| {
                let of = |by: f64| {
                    let mut moved = truth.clone();
                    moved[index / columns][index % columns] += by;
                    of_gradients(&moved)
                };
                slope(of, 0.0, 1e-6 * value(&truth).abs().min(1.0))
            });
            let size = gradients.iter().flatten().fold(0.0, |size: f64, value| value.abs().max(size));
            let bar = 1e-4 * (size + f64::from(along).abs()) / value(&truth).abs();
            let found: Vec<f32> = found.chunks(stride).flat_map(|row| &row[..columns]).copied().collect();
            compare(&format!("{shape:?}"), &found, &slopes.collect::<Vec<f64>>(), bar, complaints);
        }
    });
}

/// The first guess is near the left singular vector of the largest value, so that a few iterations change it little; a matrix of zeros
/// gives zeros.
#[test]
fn the_first_vector_leads() {
    for shape @ (rows, columns, stride) in SHAPES {
        // One direction stands out.
        let (left, right) = (values(rows, 2.0), values(columns, 2.0));
        let mut weights = weights(rows, stride);
        for (row, left) in weights.chunks_mut(stride).zip(&left) {
            row.iter_mut().zip(&right).for_each(|(weight, right)| *weight = 0.05 * *weight + left * right);
        }
        let matrix = Matrix { values: &weights, stride, columns };
        let (mut found, mut in_columns, mut in_rows) = (vec![0.0; rows], vec![0.0; columns], vec![0.0; rows]);
        leading(matrix, &mut found, &mut in_columns, &mut in_rows);
        let wide = wide(&weights, shape);
        let mut vector: Vec<f64> = found.iter().map(|value| f64::from(*value)).collect();
        let norm = dot(&vector, &vector).sqrt();
        assert!((norm - 1.0).abs() < 1e-6, "{shape:?}: {norm}");
        for _ in 0..50 {
            let down: Vec<f64> = (0..columns)
                .map(|column| wide.iter().zip(&vector).map(|(row, value)| row[column] * value).sum())
                .collect();
            let up: Vec<f64> = wide.iter().map(|row| dot(row, &down)).collect();
            let norm = dot(&up, &up).sqrt();
            vector = up.iter().map(|value| value / norm).collect();
        }
        let along: f64 = vector.iter().zip(&found).map(|(one, other)| one * f64::from(*other)).sum();
        assert!(along > 0.99999, "{shape:?}: {along}");

        leading(Matrix { values: &vec![0.0; rows * stride], ..matrix }, &mut found, &mut in_columns, &mut in_rows);
        assert!(found.iter().all(|value| *value == 1.0 / (rows as f32).sqrt()), "{shape:?}");
    }
}
