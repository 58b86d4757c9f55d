//! Sums over vectors.

/// Partial sums of a product, side by side in a register. Their number is part of what decides the last digits.
const LANES: usize = 8;

/// The sum of the products of two vectors.
pub(crate) fn dot(one: &[f64], two: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (ones, twos) = (one.chunks_exact(LANES), two.chunks_exact(LANES));
    let rest: f64 =
        ones.remainder().iter().zip(two.iter().skip(one.len() / LANES * LANES)).map(|(one, two)| one * two).sum();
    for (one, two) in ones.zip(twos) {
        sums.iter_mut().zip(one.iter().zip(two)).for_each(|(sum, (one, two))| *sum += one * two);
    }
    sums.iter().sum::<f64>() + rest
}

/// The Euclidean length of a vector.
pub(crate) fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Adds a multiple of a vector to another.
pub(crate) fn add(to: &mut [f64], factor: f64, vector: &[f64]) {
    to.iter_mut().zip(vector).for_each(|(to, value)| *to += factor * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_all_parts() {
        for length in [0, 1, 7, 8, 9, 16, 23] {
            let vector: Vec<f64> = (1..=length).map(f64::from).collect();
            let squares = f64::from(length * (length + 1) * (2 * length + 1) / 6);
            assert_eq!((dot(&vector, &vector), norm(&vector)), (squares, squares.sqrt()));
            let mut sum = vector.clone();
            add(&mut sum, -1.0, &vector);
            assert!(sum.iter().all(|value| *value == 0.0));
        }
    }
}
