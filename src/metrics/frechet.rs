//! The Fréchet distance between two sets of features, taken for normal distributions: what the FID (Heusel et al. 2017) is of the
//! features of an Inception network. Of any other network's it is another number, and not called so.

use crate::error::{Error, Result};
use crate::metrics::moments::{Covariance, covariance};

/// The squared Fréchet distance between the normal distributions of the means and covariances of two sets of row-major
/// `[samples, features]` values: `|m - n|^2 + tr(A + B - 2 (A B)^(1/2))`.
///
/// The trace of the root is that of the symmetric `(A^(1/2) B A^(1/2))^(1/2)`, whose eigenvalues are the same.
///
/// # Errors
///
/// As [`covariance`]'s.
pub fn squared_distance(first: &[f32], second: &[f32], features: usize) -> Result<f64> {
    let (first, second) = (covariance(first, features)?, covariance(second, features)?);
    between(&first, &second).ok_or_else(|| Error::shape("features", "as many of both sets", "others"))
}

fn between(first: &Covariance, second: &Covariance) -> Option<f64> {
    let size = first.mean.len();
    if second.mean.len() != size {
        return None;
    }
    let means: f64 = first.mean.iter().zip(&second.mean).map(|(m, n)| (m - n) * (m - n)).sum();
    let trace = |matrix: &[f64]| -> f64 { matrix.iter().step_by(size + 1).sum() };
    let (values, vectors) = eigen(first.matrix.clone(), size);
    // A^(1/2) from its eigenvectors, which are the rows of `vectors`.
    let mut root = vec![0.0; size * size];
    for (value, vector) in values.iter().zip(vectors.chunks_exact(size)) {
        let value = value.max(0.0).sqrt();
        for (row, left) in root.chunks_exact_mut(size).zip(vector) {
            row.iter_mut().zip(vector).for_each(|(entry, right)| *entry += value * left * right);
        }
    }
    let (values, _) = eigen(product(&product(&root, &second.matrix, size), &root, size), size);
    let of_root: f64 = values.into_iter().map(|value| value.max(0.0).sqrt()).sum();
    Some((means + trace(&first.matrix) + trace(&second.matrix) - 2.0 * of_root).max(0.0))
}

/// The product of two square matrices.
fn product(left: &[f64], right: &[f64], size: usize) -> Vec<f64> {
    let mut result = vec![0.0; size * size];
    for (row, left) in result.chunks_exact_mut(size).zip(left.chunks_exact(size)) {
        for (factor, right) in left.iter().zip(right.chunks_exact(size)) {
            row.iter_mut().zip(right).for_each(|(entry, right)| *entry += factor * right);
        }
    }
    result
}

/// The eigenvalues of a symmetric matrix, and its eigenvectors as rows: Jacobi's rotations (Golub and Van Loan, "Matrix Computations",
/// section 8.5), each of which makes an entry beside the diagonal 0.
fn eigen(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    /// Convergence is quadratic: even large matrices take about ten.
    const SWEEPS: usize = 60;
    let mut vectors = vec![0.0; size * size];
    vectors.iter_mut().step_by(size + 1).for_each(|entry| *entry = 1.0);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for row in 0..size {
            for column in row + 1..size {
                let (a, b, c) = (matrix[row * size + row], matrix[row * size + column], matrix[column * size + column]);
                if b.abs() <= f64::EPSILON * 1e-3 * (a.abs() * c.abs()).sqrt() || b == 0.0 {
                    continue;
                }
                rotated = true;
                let ratio = (c - a) / (2.0 * b);
                let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                let turn = |low: &mut f64, high: &mut f64| {
                    (*low, *high) = (cosine * *low - sine * *high, sine * *low + cosine * *high);
                };
                for index in 0..size {
                    let (mut low, mut high) = (matrix[index * size + row], matrix[index * size + column]);
                    turn(&mut low, &mut high);
                    (matrix[index * size + row], matrix[index * size + column]) = (low, high);
                }
                let (upper, lower) = matrix.split_at_mut(column * size);
                upper[row * size..][..size].iter_mut().zip(lower).for_each(|(low, high)| turn(low, high));
                let (upper, lower) = vectors.split_at_mut(column * size);
                upper[row * size..][..size].iter_mut().zip(lower).for_each(|(low, high)| turn(low, high));
            }
        }
        if !rotated {
            break;
        }
    }
    (matrix.iter().step_by(size + 1).copied().collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::Random;

    #[test]
    fn normal_distributions_of_one_feature_are_as_far_apart_as_the_formula_says() {
        // Means 0 and 3, variances 1 and 4: 9 + 1 + 4 - 2 * 2.
        let found = squared_distance(&[-1.0, 1.0], &[1.0, 5.0], 1).unwrap();
        assert!((found - 10.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_give_the_matrix_back() {
        for size in [1, 2, 7, 64] {
            let mut random = Random::new(1, size as u64);
            let values: Vec<f64> = (0..size * size).map(|_| random.normal()).collect();
            let transposed: Vec<f64> = (0..size * size).map(|at| values[at % size * size + at / size]).collect();
            let matrix = product(&values, &transposed, size);
            let (values, vectors) = eigen(matrix.clone(), size);
            let largest = matrix.iter().fold(0.0, |largest: f64, entry| largest.max(entry.abs()));
            for row in 0..size {
                for column in 0..size {
                    let entry: f64 = values
                        .iter()
                        .zip(vectors.chunks_exact(size))
                        .map(|(value, vector)| value * vector[row] * vector[column])
                        .sum();
                    assert!((entry - matrix[row * size + column]).abs() < 1e-12 * largest, "{size} {row} {column}");
                    let pair = vectors[row * size..][..size].iter().zip(&vectors[column * size..][..size]);
                    let dot: f64 = pair.map(|(left, right)| left * right).sum();
                    let expected = if row == column { 1.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-12, "{size} {row} {column}");
                }
            }
        }
    }

    /// Made with NumPy 2.4 and SciPy 1.17: `scipy.linalg.sqrtm(a @ b)` of `numpy.cov(rows.T, bias=True)`.
    #[test]
    fn sets_are_as_far_apart_as_scipy_says() {
        let rows = |seed: u32| -> Vec<f32> {
            (0..40 * 5_u32).map(|at| ((at * at * 31 + at * seed + seed) % 97) as f32 / 16.0).collect()
        };
        let found = squared_distance(&rows(7), &rows(12), 5).unwrap();
        assert!((found - SCIPY).abs() < 1e-9 * SCIPY, "{found}");
        assert!(squared_distance(&rows(7), &rows(7), 5).unwrap() < 1e-9);
    }

    const SCIPY: f64 = 1.718_573_690_044_65;
}
