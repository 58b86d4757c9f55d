//! The losses against f64.

use super::super::loss::{LossSums, LossTerm, bce_with_logits, softmax_cross_entropy};
use super::{close, on_every_isa, values};

const TERMS: [LossTerm; 3] = [
    LossTerm { real: true, weight: 0.125 },
    LossTerm { real: false, weight: 0.125 },
    LossTerm { real: false, weight: -1.0 },
];

/// Gradient, loss and probability of "real" at a margin.
fn reference(term: LossTerm, margin: f64) -> (f64, f64, f64) {
    let z = if term.real { -margin } else { margin };
    let sigmoid = |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
    let sign = if term.real { -1.0 } else { 1.0 };
    let loss = if z.is_nan() { z } else { z.max(0.0) + (-z.abs()).exp().ln_1p() };
    (sign * f64::from(term.weight) * sigmoid(z), loss, sigmoid(margin))
}

fn logits(count: usize) -> Vec<f32> {
    let specials = [0.0, -0.0, 1e-40, 120.0, -120.0, 1e4, -1e4, f32::MAX, f32::MIN, 30.0, -30.0];
    let mut logits = values(count, 12.0);
    for (logit, special) in logits.iter_mut().zip(specials) {
        *logit = special;
    }
    logits
}

/// Gradients beyond `valid` are 0, the others those of the reference; so are the sums.
fn check(
    term: LossTerm,
    margins: &[f64],
    valid: usize,
    gradients: &[f32],
    sums: Option<LossSums>,
) -> Result<(), String> {
    let mut expected = (0.0, 0.0);
    for (lane, (&margin, &gradient)) in margins.iter().zip(gradients).enumerate() {
        let (truth, loss, probability) = if lane < valid { reference(term, margin) } else { (0.0, 0.0, 0.0) };
        if !close(gradient, truth, 5e-7) {
            return Err(format!("{term:?}, margin {margin:e}, lane {lane} of {valid}: {gradient:e}, not {truth:e}"));
        }
        expected = (expected.0 + loss, expected.1 + probability);
    }
    let Some(sums) = sums else { return Ok(()) };
    let near = |a: f64, b: f64| a == b || (a - b).abs() <= 5e-7 * b.abs();
    if near(sums.loss, expected.0) && near(sums.probability, expected.1) {
        Ok(())
    } else {
        Err(format!("{term:?}, {valid} of {}: {sums:?}, not {expected:?}", margins.len()))
    }
}

#[test]
fn bce_matches_f64() {
    on_every_isa(|isa, complaints| {
        for term in TERMS {
            for length in (0..=33_usize).chain([64, 1000]) {
                for valid in [0, length / 3, length.saturating_sub(1), length] {
                    let logits = logits(length);
                    let margins: Vec<f64> = logits.iter().map(|&x| f64::from(x)).collect();
                    let mut with = logits.clone();
                    with[valid..].fill(f32::NAN);
                    let mut without = with.clone();
                    let sums = bce_with_logits(isa, term, &mut with, valid, true);
                    complaints.extend(check(term, &margins, valid, &with, Some(sums)).err());
                    let sums = bce_with_logits(isa, term, &mut without, valid, false);
                    complaints.extend(check(term, &margins, valid, &without, None).err());
                    if sums != LossSums::default() {
                        complaints.push("sums without being asked".to_string());
                    }
                }
            }
        }
    });
}

#[test]
fn softmax_matches_f64() {
    on_every_isa(|isa, complaints| {
        for term in TERMS {
            for length in (0..=33).chain([1000]) {
                for valid in [length / 2, length] {
                    let (fake, real) = (values(length, 5.0), logits(length));
                    // The difference of two floats is rounded once before anything else happens.
                    let margins: Vec<f64> = real.iter().zip(&fake).map(|(r, f)| f64::from(r - f)).collect();
                    let (mut fake, mut real) = (fake, real);
                    fake[valid..].fill(f32::NAN);
                    let sums = softmax_cross_entropy(isa, term, &mut fake, &mut real, valid, true);
                    complaints.extend(check(term, &margins, valid, &real, Some(sums)).err());
                    if !fake.iter().zip(&real).all(|(fake, real)| *fake == -real) {
                        complaints.push(format!("{term:?}: the gradients of the classes are not opposite"));
                    }
                }
            }
        }
    });
}

#[test]
fn infinite_and_undefined_logits() {
    const INF: f32 = f32::INFINITY;
    on_every_isa(|isa, complaints| {
        for (real, logit, gradient, loss) in [
            (true, INF, 0.0, 0.0),
            (true, -INF, -1.0, f64::INFINITY),
            (false, INF, 1.0, f64::INFINITY),
            (false, -INF, 0.0, 0.0),
        ] {
            let mut logits = [logit];
            let sums = bce_with_logits(isa, LossTerm { real, weight: 1.0 }, &mut logits, 1, true);
            if logits != [gradient] || sums.loss != loss {
                complaints.push(format!("real {real}, logit {logit}: {logits:?} {sums:?}"));
            }
            let (mut fake_logits, mut real_logits) = ([0.0], [logit]);
            let term = LossTerm { real, weight: 1.0 };
            let sums = softmax_cross_entropy(isa, term, &mut fake_logits, &mut real_logits, 1, true);
            if real_logits != [gradient] || fake_logits != [-gradient] || sums.loss != loss {
                complaints.push(format!("softmax, real {real}, logit {logit}: {real_logits:?} {sums:?}"));
            }
        }
        let (mut fake_logits, mut real_logits) = ([INF], [INF]);
        let sums = softmax_cross_entropy(isa, TERMS[0], &mut fake_logits, &mut real_logits, 1, true);
        if !(fake_logits[0].is_nan() && real_logits[0].is_nan() && sums.loss.is_nan()) {
            complaints.push("two infinite logits have no softmax".to_string());
        }
    });
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    on_every_isa(|isa, complaints| {
        for real in [true, false] {
            let term = LossTerm { real, weight: 1.0 };
            let loss = |logit: f32| bce_with_logits(isa, term, &mut [logit], 1, true).loss;
            for logit in values(50, 6.0) {
                let (above, below) = (logit + 0.01, logit - 0.01);
                let slope = (loss(above) - loss(below)) / (f64::from(above) - f64::from(below));
                let mut gradient = [logit];
                bce_with_logits(isa, term, &mut gradient, 1, false);
                if !((f64::from(gradient[0]) - slope).abs() < 1e-4) {
                    complaints.push(format!("real {real}, logit {logit}: {gradient:?}, not {slope}"));
                }
            }
        }
    });
}
