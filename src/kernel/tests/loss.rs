//! The losses against f64.

use super::super::loss::{
    LossSums, LossTerm, ScoreLoss, Side, bce_with_logits, joint_bce_with_logits, pairing_loss, score_loss,
    softmax_cross_entropy, take_scaled,
};
use super::{bits, close, on_every_isa, values};
use crate::reference::loss::{cross_entropy, cross_entropy_slope, probability};

const TERMS: [LossTerm; 3] = [LossTerm::new(true, 0.125), LossTerm::new(false, 0.125), LossTerm::new(false, -1.0)];

/// A term of real samples whose label is less than 1.
const SMOOTHED: LossTerm = LossTerm { smoothing: 0.25, ..LossTerm::new(true, 0.125) };

/// Gradient, loss and probability of "real" at a margin.
fn expected(term: LossTerm, margin: f64) -> (f64, f64, f64) {
    let label = f64::from(term.smoothing);
    // Towards the other label, with as much weight as the smoothing takes.
    let mixed = |of: fn(f64, bool) -> f64| {
        if label == 0.0 {
            of(margin, term.real)
        } else {
            (1.0 - label) * of(margin, term.real) + label * of(margin, !term.real)
        }
    };
    (f64::from(term.weight) * mixed(cross_entropy_slope), mixed(cross_entropy), probability(margin))
}

fn logits(count: usize) -> Vec<f32> {
    let specials = [0.0, -0.0, 1e-40, 120.0, -120.0, 1e4, -1e4, f32::MAX, f32::MIN, 30.0, -30.0];
    let mut logits = values(count, 12.0);
    for (logit, special) in logits.iter_mut().zip(specials) {
        *logit = special;
    }
    logits
}

/// Gradients (of which there may be none) beyond `valid` are 0, the others those of the reference; so are the sums.
fn check(
    term: LossTerm,
    margins: &[f64],
    valid: usize,
    gradients: &[f32],
    sums: Option<LossSums>,
) -> Result<(), String> {
    let mut sum = (0.0, 0.0);
    for (lane, &margin) in margins.iter().enumerate() {
        let (truth, loss, probability) = if lane < valid { expected(term, margin) } else { (0.0, 0.0, 0.0) };
        if let Some(&gradient) = gradients.get(lane)
            && !close(gradient, truth, 5e-7)
        {
            return Err(format!("{term:?}, margin {margin:e}, lane {lane} of {valid}: {gradient:e}, not {truth:e}"));
        }
        sum = (sum.0 + loss, sum.1 + probability);
    }
    let Some(sums) = sums else { return Ok(()) };
    let near = |a: f64, b: f64| a == b || (a - b).abs() <= 5e-7 * b.abs();
    if near(sums.loss, sum.0) && near(sums.probability, sum.1) {
        Ok(())
    } else {
        Err(format!("{term:?}, {valid} of {}: {sums:?}, not {sum:?}", margins.len()))
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

/// Near the label the gradient is a difference, as exact as its two parts are.
#[test]
fn smoothed_labels_match_f64() {
    on_every_isa(|isa, complaints| {
        for length in (0..=33_usize).chain([64, 1000]) {
            for valid in [0, length / 3, length] {
                let margins = values(length, 12.0);
                let mut found = margins.clone();
                found[valid..].fill(f32::NAN);
                let mut unreported = found.clone();
                let sums = bce_with_logits(isa, SMOOTHED, &mut found, valid, true);
                let mut sum = (0.0, 0.0);
                for (lane, (&margin, &gradient)) in margins.iter().zip(&found).enumerate() {
                    let truth = if lane < valid { expected(SMOOTHED, f64::from(margin)) } else { (0.0, 0.0, 0.0) };
                    if !((f64::from(gradient) - truth.0).abs() <= 5e-7 * f64::from(SMOOTHED.weight)) {
                        complaints.push(format!("margin {margin}: {gradient}, not {truth:?}"));
                    }
                    sum = (sum.0 + truth.1, sum.1 + truth.2);
                }
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + b.abs());
                if !(near(sums.loss, sum.0) && near(sums.probability, sum.1)) || sums.not_finite {
                    complaints.push(format!("{valid} of {length}: {sums:?}, not {sum:?}"));
                }
                let again = bce_with_logits(isa, SMOOTHED, &mut unreported, valid, false);
                if again != LossSums::default() || bits(&unreported) != bits(&found) {
                    complaints.push("reporting changes more than the sums".to_string());
                }
            }
        }
    });
}

/// D's gradients are those of its term, but at least 2^-64 of the weight; times the ratios they are those of G's term.
#[test]
fn both_gradients_of_one_logit_match_f64() {
    const WEIGHT: f32 = 0.125;
    let (of_fakes, least) = (LossTerm::new(false, WEIGHT), f64::from(WEIGHT) * 0.5f64.powi(64));
    // Written so that NaN fails. A gradient below the denormal numbers is 0.
    let near_gradient = |found: f64, truth: f64| (found - truth).abs() <= 6e-7 * truth.abs() + 1e-44;
    on_every_isa(|isa, complaints| {
        for generator in TERMS {
            for length in (0..=33_usize).chain([64, 1000]) {
                for valid in [0, length / 3, length] {
                    let mut logits = logits(length);
                    for (index, logit) in logits.iter_mut().enumerate().skip(11) {
                        // -80 .. 80, where every other gradient is far below the least one.
                        *logit *= if index % 2 == 0 { 80.0 / 12.0 } else { 1.0 };
                    }
                    let mut ratios = logits.clone();
                    ratios[valid..].fill(f32::NAN);
                    let mut deltas = vec![f32::NAN; length];
                    let sums = joint_bce_with_logits(isa, WEIGHT, generator, &mut ratios, &mut deltas, valid, true);
                    for (lane, &logit) in logits.iter().enumerate() {
                        let (delta, ratio) = (deltas[lane], ratios[lane]);
                        let truth = |term| expected(term, f64::from(logit)).0;
                        let fits = if lane < valid {
                            close(delta, truth(of_fakes).max(least), 5e-7)
                                && near_gradient(f64::from(delta) * f64::from(ratio), truth(generator))
                        } else {
                            (delta, ratio) == (0.0, 0.0)
                        };
                        if !fits {
                            let place = format!("logit {logit:e}, lane {lane} of {valid}");
                            complaints.push(format!("{generator:?}, {place}: {delta:e} times {ratio:e}"));
                        }
                    }
                    let margins: Vec<f64> = logits.iter().map(|&x| f64::from(x)).collect();
                    for (term, sums) in [of_fakes, generator].into_iter().zip(sums) {
                        complaints.extend(check(term, &margins, valid, &[], Some(sums)).err());
                    }
                    let mut unreported = logits.clone();
                    let again =
                        joint_bce_with_logits(isa, WEIGHT, generator, &mut unreported, &mut deltas, valid, false);
                    if again != [LossSums::default(); 2] || unreported != ratios {
                        complaints.push("reporting changes more than the sums".to_string());
                    }
                }
            }
        }
    });
}

#[test]
fn both_gradients_of_infinite_and_undefined_logits() {
    const INF: f32 = f32::INFINITY;
    let least = 0.5f32.powi(64);
    on_every_isa(|isa, complaints| {
        let mut check = |generator, [logit, delta, ratio]: [f32; 3]| {
            let (mut ratios, mut deltas) = ([logit], [9.0]);
            joint_bce_with_logits(isa, 1.0, generator, &mut ratios, &mut deltas, 1, false);
            if bits(&[deltas[0], ratios[0]]) != bits(&[delta, ratio]) {
                complaints.push(format!("{generator:?}, logit {logit}: {deltas:?} times {ratios:?}"));
            }
        };
        let non_saturating = LossTerm::new(true, 1.0);
        let minimax = LossTerm::new(false, -1.0);
        for case in [[-INF, least, -1.0 / least], [INF, 1.0, -0.0], [f32::NAN; 3]] {
            check(non_saturating, case);
        }
        for case in [[-INF, least, -0.0], [-40.0, (-40.0f64).exp() as f32, -1.0], [INF, 1.0, -1.0], [f32::NAN; 3]] {
            check(minimax, case);
        }
    });
}

#[test]
fn the_last_lanes_are_taken_times_their_ratios() {
    on_every_isa(|isa, complaints| {
        for (width, taken) in [(32, 16), (16, 16), (96, 48), (160, 32)] {
            let (panel, ratios) = (values(3 * width, 2.0), values(taken, 9.0));
            let mut output = vec![f32::NAN; 3 * taken];
            take_scaled(isa, &panel, width, &ratios, &mut output);
            let row = |row: &[f32]| row.iter().zip(&ratios).map(|(x, ratio)| x * ratio).collect::<Vec<f32>>();
            let expected: Vec<f32> = panel.chunks(width).flat_map(|lanes| row(&lanes[width - taken..])).collect();
            if output != expected {
                complaints.push(format!("{taken} of {width}"));
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

/// Slope, loss and probability of a score.
fn expected_of_score(loss: ScoreLoss, term: LossTerm, score: f64) -> (f64, f64, f64) {
    let sign = if term.real { -1.0 } else { 1.0 };
    let (slope, value) = match loss {
        ScoreLoss::LeastSquares => {
            let distance = score - f64::from(u8::from(term.real)) + f64::from(term.smoothing);
            (distance, distance * distance / 2.0)
        }
        ScoreLoss::Hinge if 1.0 + sign * score <= 0.0 => (0.0, 0.0),
        ScoreLoss::Hinge => (sign, 1.0 + sign * score),
        ScoreLoss::Linear => (sign, sign * score),
    };
    let of_score = if loss == ScoreLoss::LeastSquares { score.clamp(0.0, 1.0) } else { probability(score) };
    (f64::from(term.weight) * slope, value, of_score)
}

#[test]
fn losses_of_scores_match_f64() {
    on_every_isa(|isa, complaints| {
        for loss in [ScoreLoss::LeastSquares, ScoreLoss::Hinge, ScoreLoss::Linear] {
            for term in TERMS.into_iter().chain((loss == ScoreLoss::LeastSquares).then_some(SMOOTHED)) {
                for length in (0..=33_usize).chain([64, 1000]) {
                    for valid in [0, length / 3, length] {
                        let scores = values(length, 3.0);
                        let mut found = scores.clone();
                        found[valid..].fill(f32::NAN);
                        let mut unreported = found.clone();
                        let sums = score_loss(isa, loss, term, &mut found, valid, true);
                        let mut sum = (0.0, 0.0);
                        for (lane, (&score, &gradient)) in scores.iter().zip(&found).enumerate() {
                            let truth = if lane < valid {
                                expected_of_score(loss, term, f64::from(score))
                            } else {
                                (0.0, 0.0, 0.0)
                            };
                            if !close(gradient, truth.0, 5e-7) {
                                complaints.push(format!("{loss:?} {term:?}, score {score}: {gradient}, not {truth:?}"));
                            }
                            sum = (sum.0 + truth.1, sum.1 + truth.2);
                        }
                        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + b.abs());
                        if !(near(sums.loss, sum.0) && near(sums.probability, sum.1)) || sums.not_finite {
                            complaints.push(format!("{loss:?} {term:?}, {valid} of {length}: {sums:?}, not {sum:?}"));
                        }
                        let again = score_loss(isa, loss, term, &mut unreported, valid, false);
                        if again != LossSums::default() || bits(&unreported) != bits(&found) {
                            complaints.push(format!("{loss:?}: reporting changes more than the sums"));
                        }
                    }
                }
            }
            let term = LossTerm::new(true, 1.0);
            for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                if !score_loss(isa, loss, term, &mut [0.5, score], 2, false).not_finite {
                    complaints.push(format!("{loss:?} does not see {score}"));
                }
            }
        }
    });
}

/// D's loss is the cross-entropy of "real" of the difference, G's that of "fake"; the gradients of the two logits are opposite.
#[test]
fn losses_of_pairs_match_f64() {
    on_every_isa(|isa, complaints| {
        for side in [Side::Discriminator, Side::Generator] {
            let term = LossTerm::new(side == Side::Discriminator, 0.125);
            for length in (0..=33_usize).chain([64, 1000]) {
                for valid in [0, length / 3, length] {
                    let (mut fake, mut real) = (values(length, 5.0), logits(length));
                    // The difference of two floats is rounded once before anything else happens.
                    let margins: Vec<f64> = real.iter().zip(&fake).map(|(real, fake)| f64::from(real - fake)).collect();
                    fake[valid..].fill(f32::NAN);
                    let sums = pairing_loss(isa, side, term.weight, &mut real, &mut fake, valid, true);
                    complaints.extend(check(term, &margins, valid, &real, Some(sums)).err());
                    if !fake.iter().zip(&real).all(|(fake, real)| *fake == -real) {
                        complaints.push(format!("{side:?}: the gradients of a pair are not opposite"));
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
            let sums = bce_with_logits(isa, LossTerm::new(real, 1.0), &mut logits, 1, true);
            if logits != [gradient] || sums.loss != loss {
                complaints.push(format!("real {real}, logit {logit}: {logits:?} {sums:?}"));
            }
            let (mut fake_logits, mut real_logits) = ([0.0], [logit]);
            let term = LossTerm::new(real, 1.0);
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
            let term = LossTerm::new(real, 1.0);
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
