//! The 1-Wasserstein distance of numbers on a line: the integral of the distance between their quantile functions.

use super::sum::Sum;

/// Numbers that are sorted with a copy of them: more would count in the memory of a run.
const MOST_KEYS: usize = 1 << 17;

/// Sorts numbers in the order of `f64::total_cmp`, as the integers that are in this order: integers sort twice as fast.
fn sort(numbers: &mut [f64]) {
    let flip = |bits: i64| bits ^ (((bits >> 63) as u64) >> 1) as i64;
    let mut keys: Vec<i64> = Vec::new();
    if numbers.len() > MOST_KEYS || keys.try_reserve_exact(numbers.len()).is_err() {
        return numbers.sort_unstable_by(f64::total_cmp);
    }
    keys.extend(numbers.iter().map(|number| flip(number.to_bits() as i64)));
    keys.sort_unstable();
    for (number, key) in numbers.iter_mut().zip(keys) {
        *number = f64::from_bits(flip(key) as u64);
    }
}

/// Sorts both sets and integrates the distance of their quantile functions over [0, 1], in the unit of the numbers. The sets may
/// differ in size. NaN where a set is empty or holds a NaN.
///
/// The quantile function of n numbers steps at multiples of 1/n; positions are kept as integers in units of 1/(n m).
pub fn quantile_distance(a: &mut [f64], b: &mut [f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return f64::NAN;
    }
    sort(a);
    sort(b);
    let (n, m) = (a.len() as u128, b.len() as u128);
    let (mut i, mut j, mut position) = (0, 0, 0);
    let mut sum = Sum::default();
    while i < a.len() && j < b.len() {
        let (end_a, end_b) = ((i as u128 + 1) * m, (j as u128 + 1) * n);
        let end = end_a.min(end_b);
        // No further than one number reaches, which fits 64 bits.
        sum.add((end - position) as u64 as f64 * (a[i] - b[j]).abs());
        position = end;
        i += usize::from(end == end_a);
        j += usize::from(end == end_b);
    }
    sum.value() / (n as f64 * m as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_numbers() {
        let of = |a: &[f64], b: &[f64]| quantile_distance(&mut a.to_vec(), &mut b.to_vec());
        assert_eq!(of(&[1.0], &[4.0]), 3.0);
        assert_eq!(of(&[0.0, 3.0, 1.0], &[5.0, 6.0, 8.0]), 5.0);
        // A half at 0 and a half at 1 against all at 1.
        assert_eq!(of(&[0.0, 1.0], &[1.0]), 0.5);
        assert!(of(&[], &[1.0]).is_nan() && of(&[f64::NAN, 1.0], &[1.0, 2.0]).is_nan());
    }
}
