//! The elementary functions on one vector, generic over the instruction set: what other kernels build on.
//!
//! Each reduces its argument to a short interval and evaluates a polynomial there. The coefficients are minimax fits, made
//! by the Remez exchange in 40-digit arithmetic under the weight that makes the error of the *result* relative, then
//! rounded to `f32` one after the other from the lowest power, refitting the rest after each rounding. The maximum error
//! of each rounded fit stands beside it; a unit in the last place (ULP) is 2^-24 to 2^-23 of a value.

use crate::simd::Simd;

/// Adding this to `|x| < 2^22` rounds `x` to an integer, which then stands in the low bits of the sum.
const ROUNDER: f32 = 12_582_912.0; // 1.5 * 2^23

/// ln 2 in two parts: the first has so few bits that its product with an exponent is exact even without FMA.
const LN2_HIGH: f32 = 0.693_359_4; // 355 / 512
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `(e^r - 1 - r) / r^2` for `|r| <= ln(2) / 2`; error relative to `e^r - 1` at most 2^-26.1.
const EXP: [f32; 5] = [0.499_999_97, 0.166_665_39, 0.041_667_75, 0.008_367_088, 0.001_383_786_2];

/// `(ln(1 + f) - f + f^2 / 2) / f^3` for `|f| <= 1/3`; error relative to `ln(1 + f)` at most 2^-24.7.
const LN: [f32; 7] =
    [0.333_332_66, -0.250_042_38, 0.200_079_38, -0.164_723_2, 0.140_419_33, -0.151_222_26, 0.138_223_17];

/// `(atanh(s) / s - 1) / s^2` in powers of `s^2`, for `|s| <= 1/3`; relative error at most 2^-27.7.
const ATANH: [f32; 4] = [0.333_332_06, 0.200_108_75, 0.139_991_06, 0.140_147_15];

/// `sin(pi/2 r) / r - HALF_PI` in powers of `r^2`, for `|r| <= 1/2`; relative error at most 2^-28.0. The first
/// coefficient mends the rounding of [`HALF_PI`].
const SIN: [f32; 4] = [-4.880_002e-8, -0.645_963_43, 0.079_679_57, -0.004_600_123];
const HALF_PI: f32 = std::f32::consts::FRAC_PI_2;

/// `(cos(pi/2 r) - 1) / r^2` in powers of `r^2`, for `|r| <= 1/2`; relative error at most 2^-31.0.
const COS: [f32; 4] = [-1.233_700_5, 0.253_668_55, -0.020_855_596, 8.944_864e-4];

/// `c[0] + c[1] x + c[2] x^2 ...` by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::F32, coefficients: [f32; N]) -> S::F32 {
    let mut sum = simd.splat(coefficients[N - 1]);
    for &coefficient in coefficients[..N - 1].iter().rev() {
        sum = simd.mul_add(sum, x, simd.splat(coefficient));
    }
    sum
}

/// `e^r - 1` for `|r| <= ln(2) / 2`.
#[inline(always)]
fn exp_minus_one_near_zero<S: Simd>(simd: S, r: S::F32) -> S::F32 {
    simd.mul_add(simd.mul(r, r), polynomial(simd, r, EXP), r)
}

/// `e^x` for `-104 <= x <= 89` or NaN.
#[inline(always)]
fn exp_in_range<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // x = n ln 2 + r
    let rounder = simd.splat(ROUNDER);
    let n = simd.sub(simd.mul_add(x, simd.splat(std::f32::consts::LOG2_E), rounder), rounder);
    let r = simd.neg_mul_add(n, simd.splat(LN2_HIGH), x);
    let r = simd.neg_mul_add(n, simd.splat(LN2_LOW), r);
    let one = simd.splat(1.0);
    let power = simd.mul_add(simd.mul_add(polynomial(simd, r, EXP), r, one), r, one);
    simd.scale_by_power_of_two(power, n)
}

/// `e^x`.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // Beyond these limits the result is 0 or infinite; in this order of the operands a NaN passes.
    let x = simd.max(simd.splat(-104.0), simd.min(simd.splat(89.0), x));
    exp_in_range(simd, x)
}

/// `e^-|x|`, never above 1.
#[inline(always)]
pub fn exp_of_minus_abs<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let minus_abs = simd.with_bits(simd.or(simd.to_bits(x), simd.splat_u32(SIGN)));
    exp_in_range(simd, simd.max(simd.splat(-104.0), minus_abs))
}

/// The bit of the sign.
const SIGN: u32 = 0x8000_0000;

/// `ln x` for positive normal `x`, plus `ln 2` times the exponent that stands in the top 9 bits of `exponent`.
#[inline(always)]
fn ln_scaled<S: Simd>(simd: S, x: S::F32, exponent: S::U32) -> S::F32 {
    // x = 2^e (1 + f) with 1 + f in 2/3 .. 4/3
    let bits = simd.to_bits(x);
    let e = simd.sub_u32(bits, simd.splat_u32((2.0f32 / 3.0).to_bits()));
    let e = simd.and(e, simd.splat_u32(0xff80_0000));
    let f = simd.sub(simd.with_bits(simd.sub_u32(bits, e)), simd.splat(1.0));
    let e = simd.convert_i32(simd.add_u32(e, exponent));
    let square = simd.mul(f, f);
    let tail = simd.mul_add(f, polynomial(simd, f, LN), simd.splat(-0.5));
    let near_one = simd.mul_add(square, tail, f);
    simd.mul_add(e, simd.splat(std::f32::consts::LN_2 / (1 << 23) as f32), near_one)
}

/// `ln x` for positive, normal, finite `x` only.
#[inline(always)]
pub fn ln_of_normal<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    ln_scaled(simd, x, simd.splat_u32(0))
}

/// `ln x`: -inf at 0, NaN below.
#[inline(always)]
pub fn ln<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let denormal = simd.less(x, simd.splat(f32::MIN_POSITIVE));
    let normal = simd.select(denormal, simd.mul(x, simd.splat((1 << 23) as f32)), x);
    let exponent = simd.select_u32(denormal, simd.splat_u32((-23_i32 << 23).cast_unsigned()), simd.splat_u32(0));
    let result = ln_scaled(simd, normal, exponent);
    // Infinity and NaN are their own logarithms.
    let result = simd.select(simd.less(x, simd.splat(f32::INFINITY)), result, x);
    let zero = simd.splat(0.0);
    let at_zero = simd.select(simd.equal(x, zero), simd.splat(f32::NEG_INFINITY), simd.splat(f32::NAN));
    simd.select(simd.less_equal(x, zero), at_zero, result)
}

/// `ln(1 + x)` for `0 <= x <= 1` or NaN.
#[inline(always)]
pub fn ln_1p_up_to_one<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // ln(1 + x) = 2 atanh(s)
    let s = simd.div(x, simd.add(x, simd.splat(2.0)));
    let square = simd.mul(s, s);
    let twice = simd.add(s, s);
    simd.mul_add(simd.mul(twice, square), polynomial(simd, square, ATANH), twice)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    sigmoid_from(simd, x, exp_of_minus_abs(simd, x))
}

/// `1 / (1 + e^-x)` where `e^-|x|` is known.
#[inline(always)]
pub fn sigmoid_from<S: Simd>(simd: S, x: S::F32, exp_of_minus_abs: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let numerator = simd.select(simd.less(x, simd.splat(0.0)), exp_of_minus_abs, one);
    let denominator = simd.add(one, exp_of_minus_abs);
    let quotient = simd.div(numerator, denominator);
    // What the sum rounded away, given back to first order; it matters where the denominator is near 1.
    let lost = simd.sub(exp_of_minus_abs, simd.sub(denominator, one));
    simd.neg_mul_add(quotient, lost, quotient)
}

/// `tanh x`, odd to the bit.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // tanh |x| = m / (m + 2) with m = e^(2 |x|) - 1 = 2^n (e^r - 1) + (2^n - 1); beyond 10 it is 1.
    let magnitude = simd.min(simd.splat(10.0), simd.abs(x));
    // The exponent's bias is part of the rounder, so that a shift alone makes 2^n of n (0 ..= 29).
    let rounder = simd.splat(ROUNDER + 127.0);
    let shifted = simd.mul_add(magnitude, simd.splat(2.0 * std::f32::consts::LOG2_E), rounder);
    let power = simd.with_bits(simd.shift_left(simd.to_bits(shifted), 23));
    let n = simd.sub(shifted, rounder);
    let r = simd.neg_mul_add(n, simd.splat(std::f32::consts::LN_2), simd.add(magnitude, magnitude));
    let m = simd.mul_add(power, exp_minus_one_near_zero(simd, r), simd.sub(power, simd.splat(1.0)));
    let two = simd.splat(2.0);
    let denominator = simd.add(m, two);
    let quotient = simd.div(m, denominator);
    // What the sum rounded away, given back to first order. It matters for small m, where 1 / (m + 2) is about
    // 1/2 - m / 8; from m = 4 on nothing is given back.
    let lost = simd.sub(m, simd.sub(denominator, two));
    let reciprocal = simd.neg_mul_add(m, simd.splat(0.125), simd.splat(0.5));
    let reciprocal = simd.max(simd.splat(0.0), reciprocal);
    let result = simd.neg_mul_add(quotient, simd.mul(lost, reciprocal), quotient);
    let sign = simd.and(simd.to_bits(x), simd.splat_u32(SIGN));
    simd.with_bits(simd.or(simd.to_bits(result), sign))
}

/// Sine and cosine of `pi/2 r` for `|r| <= 1/2`.
#[inline(always)]
pub fn sin_cos_of_quarter<S: Simd>(simd: S, r: S::F32) -> (S::F32, S::F32) {
    let square = simd.mul(r, r);
    let sine = simd.mul_add(r, simd.splat(HALF_PI), simd.mul(r, polynomial(simd, square, SIN)));
    let cosine = simd.mul_add(square, polynomial(simd, square, COS), simd.splat(1.0));
    (sine, cosine)
}

/// Sine and cosine of `2 pi turns` for `|turns| <= 2^19`, NaN at infinity.
#[inline(always)]
pub fn sin_cos_of_turns<S: Simd>(simd: S, turns: S::F32) -> (S::F32, S::F32) {
    // 4 turns = quadrant + r, exactly
    let rounder = simd.splat(ROUNDER);
    let quarters = simd.mul(turns, simd.splat(4.0));
    let shifted = simd.add(quarters, rounder);
    let (sine, cosine) = sin_cos_of_quarter(simd, simd.sub(quarters, simd.sub(shifted, rounder)));
    let quadrant = simd.to_bits(shifted);
    let swap = simd.top_bit(simd.shift_left(quadrant, 31));
    let bit_one = simd.splat_u32(2);
    let sine_sign = simd.shift_left(simd.and(quadrant, bit_one), 30);
    let cosine_sign = simd.shift_left(simd.and(simd.add_u32(quadrant, simd.splat_u32(1)), bit_one), 30);
    let sine_out = simd.select(swap, cosine, sine);
    let cosine_out = simd.select(swap, sine, cosine);
    (
        simd.with_bits(simd.xor(simd.to_bits(sine_out), sine_sign)),
        simd.with_bits(simd.xor(simd.to_bits(cosine_out), cosine_sign)),
    )
}
