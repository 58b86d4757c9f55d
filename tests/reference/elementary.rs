//! Elementary functions of one argument, and how far an f32 is from the truth.

/// The sine of an angle in quarters of a turn, reduced exactly to an eighth of a turn, so that f64's pi costs no accuracy near the
/// zeros. The cosine is a quarter further on.
pub(crate) fn sine_of_quarters(quarters: f64) -> f64 {
    let quadrant = quarters.round();
    let angle = (quarters - quadrant) * std::f64::consts::FRAC_PI_2;
    match quadrant.rem_euclid(4.0) as u8 {
        0 => angle.sin(),
        1 => angle.cos(),
        2 => -angle.sin(),
        _ => -angle.cos(),
    }
}

/// The distance of `value` from the truth in units in the last place of the truth (Muller et al., Handbook of Floating-Point
/// Arithmetic, definition 2.5); infinite if only one is NaN.
pub(crate) fn ulp_error(value: f32, truth: f64) -> f64 {
    if value.is_nan() && truth.is_nan() || f64::from(value) == truth {
        return 0.0;
    }
    if value.is_nan() || truth.is_nan() {
        return f64::INFINITY;
    }
    if value.is_infinite() {
        // Infinity stands for what rounds to it: from half a unit beyond the largest number on.
        let beyond = f64::from(f32::MAX) * (1.0 + 2f64.powi(-25));
        return if truth.signum() == f64::from(value).signum() && truth.abs() >= beyond { 0.5 } else { f64::INFINITY };
    }
    let exponent = (truth.to_bits() >> 52 & 0x7ff).clamp(1023 - 126, 1023 + 127);
    let unit = f64::from_bits((exponent - 23) << 52);
    (f64::from(value) - truth).abs() / unit
}
