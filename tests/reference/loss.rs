//! Losses of samples' logits: cross-entropies (Goodfellow et al. 2014, equation 1) with their slopes, and those of both networks by
//! objective, written as the papers have them.

use gannet::gan::Objective;

/// The logistic function, in the form that does not overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

/// What the logits of one sample say for "real" against "fake": the one logit, or of two classes `[fake, real]` their difference,
/// since softmax's probability of the second is the logistic function of that.
pub(crate) fn margin(logits: &[f64]) -> f64 {
    match logits {
        [logit] => *logit,
        [fake, real] => real - fake,
        _ => panic!("one logit, or two classes"),
    }
}

/// The probability of "real" at a margin.
pub(crate) fn probability(margin: f64) -> f64 {
    sigmoid(margin)
}

/// The cross-entropy at a margin, -ln(p) or -ln(1 - p), as ln(1 + exp(-m)) or ln(1 + exp(m)) in the form of PyTorch's
/// `binary_cross_entropy_with_logits`. NaN stays NaN.
pub(crate) fn cross_entropy(margin: f64, real: bool) -> f64 {
    let z = if real { -margin } else { margin };
    if z.is_nan() { z } else { z.max(0.0) + (-z.abs()).exp().ln_1p() }
}

/// The slope of [`cross_entropy`] in the margin: the probability less its target.
pub(crate) fn cross_entropy_slope(margin: f64, real: bool) -> f64 {
    // p - 1 as -sigmoid(-m): the difference would lose its digits.
    if real { -sigmoid(-margin) } else { sigmoid(margin) }
}

/// ln(1 + exp(x)).
fn softplus(x: f64) -> f64 {
    cross_entropy(x, false)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// The losses of real samples, whose margins are held against the mean of the fakes', and of fakes against that of the real samples'.
fn against_means(real: &[f64], fake: &[f64], of_real: fn(f64) -> f64, of_fake: fn(f64) -> f64) -> f64 {
    let [of_reals, of_fakes] = [real, fake].map(|margins| mean(margins.iter().copied()));
    mean(real.iter().map(|x| of_real(x - of_fakes))) + mean(fake.iter().map(|y| of_fake(y - of_reals)))
}

/// D's loss from the margins of real samples, whose label is smoothed by `smoothing` (Salimans et al. 2016, section 3.4), and of fakes.
#[allow(unreachable_patterns, reason = "within the crate every kind is known")]
pub(crate) fn discriminator_loss(objective: Objective, smoothing: f64, real: &[f64], fake: &[f64]) -> f64 {
    let label = 1.0 - smoothing;
    let both = |of_real: &dyn Fn(f64) -> f64, of_fake: &dyn Fn(f64) -> f64| {
        mean(real.iter().map(|margin| of_real(*margin))) + mean(fake.iter().map(|margin| of_fake(*margin)))
    };
    let entropies = || both(&|x| label * softplus(-x) + smoothing * softplus(x), &softplus);
    match objective {
        Objective::Minimax | Objective::NonSaturating | Objective::Softmax => entropies(),
        Objective::NonSaturatingHalf => entropies() / 2.0,
        Objective::LeastSquares => both(&|x| (x - label).powi(2) / 2.0, &|y| y.powi(2) / 2.0),
        Objective::Hinge => both(&|x| (1.0 - x).max(0.0), &|y| (1.0 + y).max(0.0)),
        Objective::Wasserstein => both(&|x| -x, &|y| y),
        Objective::RelativisticPairing => mean(real.iter().zip(fake).map(|(x, y)| softplus(y - x))),
        Objective::RelativisticAverage => against_means(real, fake, |margin| softplus(-margin), softplus),
        other => panic!("no reference for {other:?}"),
    }
}

/// G's loss from the same.
#[allow(unreachable_patterns, reason = "within the crate every kind is known")]
pub(crate) fn generator_loss(objective: Objective, real: &[f64], fake: &[f64]) -> f64 {
    let of_fakes = |of: fn(f64) -> f64| mean(fake.iter().map(|margin| of(*margin)));
    match objective {
        Objective::Minimax => -of_fakes(softplus),
        Objective::NonSaturating | Objective::NonSaturatingHalf | Objective::Softmax => of_fakes(|y| softplus(-y)),
        Objective::LeastSquares => of_fakes(|y| (y - 1.0).powi(2) / 2.0),
        Objective::Hinge | Objective::Wasserstein => of_fakes(|y| -y),
        Objective::RelativisticPairing => mean(real.iter().zip(fake).map(|(x, y)| softplus(x - y))),
        Objective::RelativisticAverage => against_means(real, fake, softplus, |margin| softplus(-margin)),
        other => panic!("no reference for {other:?}"),
    }
}

/// The mean probabilities of "real" that D gives real samples and fakes.
pub(crate) fn probabilities(objective: Objective, real: &[f64], fake: &[f64]) -> [f64; 2] {
    match objective {
        Objective::LeastSquares => {
            [real, fake].map(|margins| mean(margins.iter().map(|margin| margin.clamp(0.0, 1.0))))
        }
        Objective::RelativisticPairing => {
            let of_real = mean(real.iter().zip(fake).map(|(x, y)| sigmoid(x - y)));
            [of_real, 1.0 - of_real]
        }
        Objective::RelativisticAverage => {
            let [of_reals, of_fakes] = [real, fake].map(|margins| mean(margins.iter().copied()));
            [mean(real.iter().map(|x| sigmoid(x - of_fakes))), mean(fake.iter().map(|y| sigmoid(y - of_reals)))]
        }
        _ => [real, fake].map(|margins| mean(margins.iter().map(|margin| probability(*margin)))),
    }
}
