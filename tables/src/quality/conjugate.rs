//! Symmetric systems of equations by conjugate gradients: memory for a few vectors, not for a matrix.

use super::vectors::{add, dot, norm};

/// Solves `A x = right` for a symmetric positive definite `A`, of which `product` gives the product with a vector and `diagonal` the
/// diagonal. It stops where the residual is `tolerance` times its first norm, or after `most` steps.
pub(crate) fn solve(
    product: impl Fn(&[f64]) -> Vec<f64>,
    diagonal: &[f64],
    right: &[f64],
    tolerance: f64,
    most: usize,
) -> Vec<f64> {
    let preconditioned = |residual: &[f64]| -> Vec<f64> {
        residual.iter().zip(diagonal).map(|(value, diagonal)| value / diagonal.max(f64::MIN_POSITIVE)).collect()
    };
    let mut solution = vec![0.0; right.len()];
    let mut residual = right.to_vec();
    let mut direction = preconditioned(&residual);
    let mut energy = dot(&residual, &direction);
    let target = tolerance * norm(right);
    for _ in 0..most {
        // NaN ends it, too.
        if !(norm(&residual) > target) {
            break;
        }
        let image = product(&direction);
        let curvature = dot(&direction, &image);
        if !(curvature > 0.0) {
            break;
        }
        let length = energy / curvature;
        add(&mut solution, length, &direction);
        add(&mut residual, -length, &image);
        let next = preconditioned(&residual);
        let next_energy = dot(&residual, &next);
        let kept = next_energy / energy;
        direction.iter_mut().zip(&next).for_each(|(old, new)| *old = new + kept * *old);
        energy = next_energy;
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved() {
        let matrix = [[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 2.0]];
        let products = std::cell::Cell::new(0);
        let product = |vector: &[f64]| {
            products.set(products.get() + 1);
            matrix.iter().map(|row| dot(row, vector)).collect()
        };
        let found = solve(product, &[4.0, 3.0, 2.0], &[6.0, 4.0, 4.0], 1e-12, 10);
        for (found, expected) in found.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() <= 1e-12, "{found} is not {expected}");
        }
        // A step for each unknown.
        assert_eq!(products.get(), 3);
    }
}
