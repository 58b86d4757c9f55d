//! Sine and cosine of an angle in whole turns, with the same bits on every platform.
//!
//! Those of the system's mathematics library differ between platforms in the last bit. An angle in turns is brought to at most an eighth
//! of a turn without rounding; Taylor's series do the rest: the first terms left out are below 1e-20.

use std::f64::consts::TAU;

/// `(sin, cos)` of 2 pi `turns`. A few units of 2^-53 of error, for angles of a few turns.
pub(super) fn sin_cos(turns: f64) -> (f64, f64) {
    let quarters = (4.0 * turns).round();
    let angle = TAU * (turns - 0.25 * quarters);
    let square = angle * angle;
    // Terms x^(2k + first) (-1)^k / (2k + first)! of the series: each is the one before times -x^2 / (n (n + 1)).
    let series = |first: f64| {
        (1..=9).rev().fold(1.0, |sum, k| {
            let n = f64::from(2 * k - 1) + first;
            1.0 - sum * square / (n * (n + 1.0))
        })
    };
    let (sine, cosine) = (angle * series(1.0), series(0.0));
    match (quarters as i64).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_are_accurate() {
        for step in -3_000..=3_000 {
            let turns = f64::from(step) / 1_024.0 + f64::from(step % 7) * 1e-5;
            let (sine, cosine) = sin_cos(turns);
            let (expected_sine, expected_cosine) = (TAU * turns).sin_cos();
            // The reference rounds 2 pi `turns`, up to 19, first.
            let close = (sine - expected_sine).abs() < 4e-15 && (cosine - expected_cosine).abs() < 4e-15;
            assert!(close, "{turns}: {sine} {cosine}, expected {expected_sine} {expected_cosine}");
            assert!((sine * sine + cosine * cosine - 1.0).abs() < 1e-15, "{turns}");
        }
        assert_eq!((sin_cos(0.0), sin_cos(0.25), sin_cos(-0.5)), ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0)));
    }
}
