//! The loops of batch normalization (Ioffe and Szegedy, "Batch normalization", 2015): each feature by its mean and variance over a group of
//! samples, which are those of one kind in a panel.
//!
//! With `z` a feature's sums over the samples of a group, `m` their mean and `s = sqrt(variance + EPSILON)`, the normalized sums are
//! `n = (z - m) / s`. How they move when `z` moves along `v` is `J v = (v - mean(v) - n mean(n v)) / s`, with means over the group. `J` is
//! symmetric, so that one loop takes a tangent forward and a gradient backward. Lanes without a sample take part in nothing and become 0.

use super::reduce::sum_lanes;
use crate::simd::{GROUP_PARTS, Isa, Kernel, LANE_GROUP, Simd};

/// What is added to the variance: PyTorch's `BatchNorm1d` adds as much.
pub const EPSILON: f32 = 1e-5;

/// Where the samples of a panel `[features, width]` stand.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// Lanes of a row.
    pub width: usize,
    /// Parts of equal width, each of which is a group.
    pub parts: usize,
    /// Samples of each part, in its first lanes.
    pub samples: usize,
}

impl Groups {
    fn check(self, panels: &[&[f32]]) {
        let Self { width, parts, samples } = self;
        assert!(parts > 0 && width > 0 && width.is_multiple_of(parts * LANE_GROUP), "parts are whole lane groups");
        assert!(samples <= width / parts, "samples have lanes");
        let len = panels[0].len();
        assert!(panels.iter().all(|panel| panel.len() == len) && len.is_multiple_of(width), "panels of as many rows");
    }
}

/// The normalized sums of a panel, in place.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn normalize(isa: Isa, panel: &mut [f32], groups: Groups) {
    groups.check(&[panel]);
    isa.run(Normalize { panel, groups });
}

/// `J v` for each feature of a panel, in place of its `v`, which are tangents or gradients; `sums` are those before [`normalize`].
///
/// # Panics
///
/// If the shapes do not fit.
pub fn differentiate(isa: Isa, sums: &[f32], vectors: &mut [f32], groups: Groups) {
    groups.check(&[sums, vectors]);
    isa.run(Differentiate { sums, vectors, groups });
}

/// Adds up what running statistics follow, over the groups of a panel: for each feature its mean, and its variance by the formula for a
/// sample of the data (divided by one less than the number), each times the number of samples. Overwrites, or adds if `accumulate`.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn add_statistics(isa: Isa, sums: &[f32], groups: Groups, [means, variances]: [&mut [f32]; 2], accumulate: bool) {
    groups.check(&[sums]);
    assert!(means.len() == sums.len() / groups.width && variances.len() == means.len(), "a value for each feature");
    isa.run(AddStatistics { sums, groups, means, variances, accumulate });
}

/// Of a feature over a group: the mean, the sum of the squared distances from it, and `1 / s`.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    squares: f32,
    inverse: f32,
}

impl Moments {
    #[inline(always)]
    fn new<S: Simd>(simd: S, samples: &[f32]) -> Self {
        let count = samples.len() as f32;
        let mean = total(simd, [samples; 2], |value, _| value) / count;
        let mean_of_all = simd.splat(mean);
        // Of the distances from the mean, so that nothing cancels.
        let squares = total(simd, [samples; 2], |value, _| {
            let distance = simd.sub(value, mean_of_all);
            simd.mul(distance, distance)
        });
        let deviation = (squares / count + EPSILON).sqrt();
        // An infinite one would make zeros of sums beyond all bounds, and hide them.
        let inverse = if deviation < f32::INFINITY { 1.0 / deviation } else { f32::NAN };
        Self { mean, squares, inverse }
    }

    /// Sums, normalized.
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, sums: S::F32) -> S::F32 {
        simd.mul(simd.sub(sums, simd.splat(self.mean)), simd.splat(self.inverse))
    }
}

/// The sum over the samples of what `of` makes of each pair of values.
#[inline(always)]
fn total<S: Simd>(simd: S, [one, other]: [&[f32]; 2], of: impl Fn(S::F32, S::F32) -> S::F32) -> f32 {
    const ONES: [f32; LANE_GROUP] = [1.0; LANE_GROUP];
    let mut sums = [simd.splat(0.0); GROUP_PARTS];
    let (mut ones, mut others) = (one.chunks_exact(LANE_GROUP), other.chunks_exact(LANE_GROUP));
    for (one, other) in ones.by_ref().zip(others.by_ref()) {
        let parts = one.chunks_exact(S::LANES).zip(other.chunks_exact(S::LANES));
        for (sum, (one, other)) in sums.iter_mut().zip(parts) {
            *sum = simd.add(*sum, of(simd.load(one), simd.load(other)));
        }
    }
    let rest = ones.remainder().chunks(S::LANES).zip(others.remainder().chunks(S::LANES));
    for (sum, (one, other)) in sums.iter_mut().zip(rest) {
        let is_sample = simd.load_partial(&ONES[..one.len()]);
        *sum = simd.mul_add(is_sample, of(simd.load_partial(one), simd.load_partial(other)), *sum);
    }
    let mut lanes = [0.0; LANE_GROUP];
    for (sum, to) in sums.into_iter().zip(lanes.chunks_exact_mut(S::LANES)) {
        simd.store(sum, to);
    }
    sum_lanes(lanes)
}

struct Normalize<'a> {
    panel: &'a mut [f32],
    groups: Groups,
}

impl Kernel for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { panel, groups: Groups { width, parts, samples } } = self;
        for group in panel.chunks_exact_mut(width / parts) {
            let (group, rest) = group.split_at_mut(samples);
            rest.fill(0.0);
            let moments = Moments::new(simd, group);
            for values in group.chunks_mut(S::LANES) {
                simd.store_partial(moments.of(simd, simd.load_partial(values)), values);
            }
        }
    }
}

struct Differentiate<'a> {
    sums: &'a [f32],
    vectors: &'a mut [f32],
    groups: Groups,
}

impl Kernel for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sums, vectors, groups: Groups { width, parts, samples } } = self;
        let share = 1.0 / samples.max(1) as f32;
        for (sums, vectors) in sums.chunks_exact(width / parts).zip(vectors.chunks_exact_mut(width / parts)) {
            let sums = &sums[..samples];
            let (vectors, rest) = vectors.split_at_mut(samples);
            rest.fill(0.0);
            let moments = Moments::new(simd, sums);
            let mean = simd.splat(share * total(simd, [vectors, vectors], |vector, _| vector));
            let along = total(simd, [sums, vectors], |sum, vector| simd.mul(moments.of(simd, sum), vector));
            let (along, inverse) = (simd.splat(share * along), simd.splat(moments.inverse));
            for (sums, vectors) in sums.chunks(S::LANES).zip(vectors.chunks_mut(S::LANES)) {
                let normalized = moments.of(simd, simd.load_partial(sums));
                let vector = simd.sub(simd.load_partial(vectors), mean);
                let moved = simd.neg_mul_add(normalized, along, vector);
                simd.store_partial(simd.mul(moved, inverse), vectors);
            }
        }
    }
}

struct AddStatistics<'a> {
    sums: &'a [f32],
    groups: Groups,
    means: &'a mut [f32],
    variances: &'a mut [f32],
    accumulate: bool,
}

impl Kernel for AddStatistics<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sums, groups: Groups { width, parts, samples }, means, variances, accumulate } = self;
        let count = samples as f32;
        let correction = count / (count - 1.0).max(1.0);
        for (row, (mean, variance)) in sums.chunks_exact(width).zip(means.iter_mut().zip(variances)) {
            let mut of_feature = if accumulate { [*mean, *variance] } else { [0.0; 2] };
            for group in row.chunks_exact(width / parts) {
                let moments = Moments::new(simd, &group[..samples]);
                of_feature[0] += moments.mean * count;
                of_feature[1] += moments.squares * correction;
            }
            [*mean, *variance] = of_feature;
        }
    }
}
