//! The sum of squares against a plain sum in f64.

use super::super::reduce::square_sum;
use super::values;

#[test]
fn squares_are_summed_in_f64() {
    for length in (0..=70).chain([1_000, 8_192]) {
        for scale in [1e-20, 1.0, 1e18] {
            let values = values(length, scale);
            let plain: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
            let found = square_sum(&values);
            assert!((found - plain).abs() <= 1e-12 * plain, "{length} {scale}: {found}, not {plain}");
        }
    }
    assert!(square_sum(&[f32::NAN]).is_nan() && square_sum(&[f32::INFINITY, 1.0]).is_infinite());
}
