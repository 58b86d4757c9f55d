//! The loops of gradient penalties: from D's gradient with respect to a sample to the direction of the tangent pass, and from that to
//! the gradients of the parameters. `docs/penalties.md` derives them.

use super::reduce::sum_lanes;
use crate::simd::{GROUP_PARTS, Isa, Kernel, LANE_GROUP, Simd};

/// A penalty of the norm `n` of D's gradient with respect to a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPenalty {
    /// `n^2 / 2` (Mescheder et al. 2018, "Which training methods for GANs do actually converge?", R1 and R2).
    Square,
    /// `(n - 1)^2` (Gulrajani et al. 2017, "Improved training of Wasserstein GANs").
    TwoSided,
    /// `max(0, n - 1)^2`, of the same paper: a smaller norm is free.
    OneSided,
}

/// Turns the gradients `[features, width]` of a panel into directions, in the `lanes` that `first` and `norms.len()` give: each sample's
/// gradient is multiplied by `weight` and by the derivative of the penalty over the norm, `p'(n) / n`, which is 1 for
/// [`NormPenalty::Square`]. A gradient of 0 stays 0. Lanes from `valid` on become 0. `norms` is room for one value a lane.
///
/// With `report`, returns the sum of the penalties over the first `valid` lanes without the weight, in an order fixed by the lanes.
///
/// # Panics
///
/// If the lanes are no whole lane groups of the width.
#[allow(clippy::too_many_arguments, reason = "what the penalty is, and where its gradients stand")]
pub fn directions(
    isa: Isa,
    penalty: NormPenalty,
    weight: f32,
    panel: &mut [f32],
    width: usize,
    first: usize,
    norms: &mut [f32],
    valid: usize,
    report: bool,
) -> f64 {
    let lanes = norms.len();
    assert!(
        lanes.is_multiple_of(LANE_GROUP) && first + lanes <= width && panel.len().is_multiple_of(width),
        "the lanes are whole groups of the width"
    );
    isa.run(Directions { penalty, weight, panel, width, first, norms, valid, report })
}

struct Directions<'a> {
    penalty: NormPenalty,
    weight: f32,
    panel: &'a mut [f32],
    width: usize,
    first: usize,
    norms: &'a mut [f32],
    valid: usize,
    report: bool,
}

impl Kernel for Directions<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { penalty, weight, panel, width, first, norms, valid, report } = self;
        let lanes = first..first + norms.len();
        if report || penalty != NormPenalty::Square {
            norms.fill(0.0);
            for row in panel.chunks_exact(width) {
                for (norm, values) in norms.chunks_exact_mut(S::LANES).zip(row[lanes.clone()].chunks_exact(S::LANES)) {
                    let value = simd.load(values);
                    simd.store(simd.mul_add(value, value, simd.load(norm)), norm);
                }
            }
        }
        let (one, zero, weight) = (simd.splat(1.0), simd.splat(0.0), simd.splat(weight));
        let mut sums = [0.0; LANE_GROUP];
        for (index, norms) in norms.chunks_exact_mut(S::LANES).enumerate() {
            let lane = index * S::LANES;
            let squared = simd.load(norms);
            let [value, factor] = match penalty {
                NormPenalty::Square => [simd.mul(squared, simd.splat(0.5)), weight],
                NormPenalty::TwoSided | NormPenalty::OneSided => {
                    let norm = simd.sqrt(squared);
                    let beyond = simd.sub(norm, one);
                    // In this order of the operands a NaN passes.
                    let beyond = if penalty == NormPenalty::OneSided { simd.max(zero, beyond) } else { beyond };
                    let slope = simd.div(simd.add(beyond, beyond), norm);
                    let slope = simd.select(simd.equal(norm, zero), zero, slope);
                    [simd.mul(beyond, beyond), simd.mul(weight, slope)]
                }
            };
            // At most LANES, so that the cast is exact.
            let here = valid.saturating_sub(lane).min(S::LANES) as u32;
            let counts = simd.less_i32(simd.lane_numbers(), simd.splat_u32(here));
            simd.store(simd.select(counts, factor, zero), norms);
            if report {
                let mut values = [0.0; LANE_GROUP];
                simd.store(simd.select(counts, value, zero), &mut values);
                for (sum, value) in sums[lane % LANE_GROUP..].iter_mut().zip(&values[..S::LANES]) {
                    *sum += f64::from(*value);
                }
            }
        }
        for row in panel.chunks_exact_mut(width) {
            for (values, factor) in row[lanes.clone()].chunks_exact_mut(S::LANES).zip(norms.chunks_exact(S::LANES)) {
                simd.store(simd.mul(simd.load(values), simd.load(factor)), values);
            }
        }
        sum_lanes(sums)
    }
}

/// `tangents += factors * values`, for rows of as many samples as there are factors: the input of the product that gives the gradients of
/// a loss and of its penalty at once.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn add_scaled(isa: Isa, values: &[f32], factors: &[f32], tangents: &mut [f32]) {
    assert!(!factors.is_empty() && factors.len().is_multiple_of(LANE_GROUP), "whole lane groups");
    assert!(values.len() == tangents.len() && values.len().is_multiple_of(factors.len()), "rows of samples");
    isa.run(AddScaled { values, factors, tangents });
}

struct AddScaled<'a> {
    values: &'a [f32],
    factors: &'a [f32],
    tangents: &'a mut [f32],
}

impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.factors.len();
        for (values, tangents) in self.values.chunks_exact(width).zip(self.tangents.chunks_exact_mut(width)) {
            let values = values.chunks_exact(S::LANES).zip(self.factors.chunks_exact(S::LANES));
            for ((value, factor), tangent) in values.zip(tangents.chunks_exact_mut(S::LANES)) {
                simd.store(simd.mul_add(simd.load(value), simd.load(factor), simd.load(tangent)), tangent);
            }
        }
    }
}

/// `sums[r] (+)= sum over the lanes of row r times weights`; overwrites, or adds if `accumulate`. The order is fixed: groups of 16 lanes one
/// after the other, then the lanes.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn weighted_row_sums(isa: Isa, panel: &[f32], weights: &[f32], sums: &mut [f32], accumulate: bool) {
    assert!(!weights.is_empty() && weights.len().is_multiple_of(LANE_GROUP), "whole lane groups");
    assert_eq!(panel.len(), sums.len() * weights.len(), "one sum for each row");
    isa.run(WeightedRowSums { panel, weights, sums, accumulate });
}

struct WeightedRowSums<'a> {
    panel: &'a [f32],
    weights: &'a [f32],
    sums: &'a mut [f32],
    accumulate: bool,
}

impl Kernel for WeightedRowSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (row, sum) in self.panel.chunks_exact(self.weights.len()).zip(self.sums) {
            let mut parts = [simd.splat(0.0); GROUP_PARTS];
            for (values, weights) in row.chunks_exact(LANE_GROUP).zip(self.weights.chunks_exact(LANE_GROUP)) {
                let vectors = values.chunks_exact(S::LANES).zip(weights.chunks_exact(S::LANES));
                for (part, (values, weights)) in parts.iter_mut().zip(vectors) {
                    *part = simd.mul_add(simd.load(values), simd.load(weights), *part);
                }
            }
            let mut lanes = [0.0; LANE_GROUP];
            for (to, part) in lanes.chunks_exact_mut(S::LANES).zip(parts) {
                simd.store(part, to);
            }
            let total = sum_lanes(lanes);
            *sum = if self.accumulate { *sum + total } else { total };
        }
    }
}

/// Samples between real ones and fakes: `samples`, which are the real ones at first, become `fakes + share * (samples - fakes)`, for rows of
/// as many samples as there are shares.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn interpolate(isa: Isa, fakes: &[f32], shares: &[f32], samples: &mut [f32]) {
    assert!(!shares.is_empty() && shares.len().is_multiple_of(LANE_GROUP), "whole lane groups");
    assert!(samples.len() == fakes.len() && samples.len().is_multiple_of(shares.len()), "rows of samples");
    isa.run(Interpolate { fakes, shares, samples });
}

struct Interpolate<'a> {
    fakes: &'a [f32],
    shares: &'a [f32],
    samples: &'a mut [f32],
}

impl Kernel for Interpolate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.shares.len();
        for (fakes, samples) in self.fakes.chunks_exact(width).zip(self.samples.chunks_exact_mut(width)) {
            let fakes = fakes.chunks_exact(S::LANES).zip(self.shares.chunks_exact(S::LANES));
            for ((fake, share), sample) in fakes.zip(samples.chunks_exact_mut(S::LANES)) {
                let from = simd.load(fake);
                simd.store(simd.mul_add(simd.load(share), simd.sub(simd.load(sample), from), from), sample);
            }
        }
    }
}
