//! Cross-entropies of a sample's logits (Goodfellow et al. 2014, equation 1), and their slopes.

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
