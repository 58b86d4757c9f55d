//! The loops of layer normalization (Ba et al., "Layer normalization", 2016): each sample by the mean and the variance of its features.
//!
//! With `z` a sample's sums of a layer, `m` their mean and `s = sqrt(variance + EPSILON)`, the normalized sums are `n = (z - m) / s`. How they
//! move when `z` moves along `v` is `J v = (v - mean(v) - n mean(n v)) / s`. `J` is symmetric, so that one loop takes a tangent forward and
//! a gradient backward. What a double backward pass needs beside that is derived in `docs/penalties.md`.

use crate::simd::{Column, ColumnMut, Isa, Kernel, LANE_GROUP, Simd};

/// What is added to the variance: PyTorch's `LayerNorm` adds as much.
pub const EPSILON: f32 = 1e-5;

/// The normalized sums of a panel `[features, width]`, in place.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn normalize(isa: Isa, panel: &mut [f32], width: usize) {
    check(&[panel], width);
    isa.run(Normalize { panel, width });
}

/// `J v` for each sample of a panel `[features, width]`, in place of its `v`, which are tangents or gradients; `sums` are those before
/// [`normalize`].
///
/// # Panics
///
/// If the shapes do not fit.
pub fn differentiate(isa: Isa, sums: &[f32], vectors: &mut [f32], width: usize) {
    check(&[sums, vectors], width);
    isa.run(Differentiate { sums, vectors, width });
}

/// What [`curve`] reads, panels `[features, width]`.
#[derive(Clone, Copy, Debug)]
pub struct CurvatureInputs<'a> {
    /// The sums before [`normalize`].
    pub sums: &'a [f32],
    /// The gradients with respect to the normalized sums.
    pub gradients: &'a [f32],
    /// The tangents of the sums.
    pub tangents: &'a [f32],
}

/// `into (+)=` the gradient of `gradients . J tangents` with respect to the sums, for each sample; overwrites, or adds if `accumulate`.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn curve(isa: Isa, inputs: CurvatureInputs<'_>, into: &mut [f32], width: usize, accumulate: bool) {
    let CurvatureInputs { sums, gradients, tangents } = inputs;
    check(&[sums, gradients, tangents, into], width);
    isa.run(Curve { inputs, into, width, accumulate });
}

fn check(panels: &[&[f32]], width: usize) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    let len = panels[0].len();
    assert!(panels.iter().all(|panel| panel.len() == len) && len.is_multiple_of(width), "panels of as many rows");
}

/// Of a vector of samples: the mean of the sums, and `1 / s`.
#[derive(Clone, Copy)]
struct Scale<V> {
    mean: V,
    inverse: V,
}

impl<V: Copy> Scale<V> {
    /// That of the samples from `lane` on.
    #[inline(always)]
    fn new<S: Simd<F32 = V>>(simd: S, sums: &[f32], width: usize, lane: usize) -> Self {
        let share = simd.splat(share(sums, width));
        let mut total = simd.splat(0.0);
        for row in Column::new(simd, sums, width, lane) {
            total = simd.add(total, simd.load(row));
        }
        let mean = simd.mul(total, share);
        // Of the distances from the mean, so that nothing cancels.
        let mut squares = simd.splat(0.0);
        for row in Column::new(simd, sums, width, lane) {
            let distance = simd.sub(simd.load(row), mean);
            squares = simd.mul_add(distance, distance, squares);
        }
        let deviation = simd.sqrt(simd.mul_add(squares, share, simd.splat(EPSILON)));
        // An infinite one would make zeros of sums beyond all bounds, and hide them.
        let is_finite = simd.less(deviation, simd.splat(f32::INFINITY));
        let inverse = simd.select(is_finite, simd.div(simd.splat(1.0), deviation), simd.splat(f32::NAN));
        Self { mean, inverse }
    }

    /// A sum, normalized.
    #[inline(always)]
    fn of<S: Simd<F32 = V>>(self, simd: S, sum: V) -> V {
        simd.mul(simd.sub(sum, self.mean), self.inverse)
    }
}

/// 1 over the number of features.
fn share(panel: &[f32], width: usize) -> f32 {
    1.0 / (panel.len() / width).max(1) as f32
}

struct Normalize<'a> {
    panel: &'a mut [f32],
    width: usize,
}

impl Kernel for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { panel, width } = self;
        for lane in (0..width).step_by(S::LANES) {
            let scale = Scale::new(simd, panel, width, lane);
            for row in ColumnMut::new(simd, panel, width, lane) {
                simd.store(scale.of(simd, simd.load(row)), row);
            }
        }
    }
}

/// Of a vector of samples and their `v`: `mean(v)` and `mean(n v)`.
#[inline(always)]
fn means<S: Simd>(simd: S, scale: Scale<S::F32>, pair: [&[f32]; 2], width: usize, lane: usize) -> [S::F32; 2] {
    let [sums, vectors] = pair;
    let share = simd.splat(share(sums, width));
    let mut totals = [simd.splat(0.0); 2];
    for (sum, vector) in Column::new(simd, sums, width, lane).zip(Column::new(simd, vectors, width, lane)) {
        let vector = simd.load(vector);
        totals = [simd.add(totals[0], vector), simd.mul_add(scale.of(simd, simd.load(sum)), vector, totals[1])];
    }
    totals.map(|total| simd.mul(total, share))
}

/// `v - mean(v) - n mean(n v)`
#[inline(always)]
fn projected<S: Simd>(simd: S, normalized: S::F32, vector: S::F32, [mean, along]: [S::F32; 2]) -> S::F32 {
    simd.neg_mul_add(normalized, along, simd.sub(vector, mean))
}

struct Differentiate<'a> {
    sums: &'a [f32],
    vectors: &'a mut [f32],
    width: usize,
}

impl Kernel for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sums, vectors, width } = self;
        for lane in (0..width).step_by(S::LANES) {
            let scale = Scale::new(simd, sums, width, lane);
            let means = means(simd, scale, [sums, vectors], width, lane);
            let columns = Column::new(simd, sums, width, lane).zip(ColumnMut::new(simd, vectors, width, lane));
            for (sum, vector) in columns {
                let normalized = scale.of(simd, simd.load(sum));
                let along = projected(simd, normalized, simd.load(vector), means);
                simd.store(simd.mul(along, scale.inverse), vector);
            }
        }
    }
}

struct Curve<'a> {
    inputs: CurvatureInputs<'a>,
    into: &'a mut [f32],
    width: usize,
    accumulate: bool,
}

impl Kernel for Curve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { inputs: CurvatureInputs { sums, gradients, tangents }, into, width, accumulate } = self;
        let share = simd.splat(share(sums, width));
        for lane in (0..width).step_by(S::LANES) {
            let scale = Scale::new(simd, sums, width, lane);
            let [of_gradients, of_tangents] =
                [gradients, tangents].map(|vectors| means(simd, scale, [sums, vectors], width, lane));
            let mut product = simd.splat(0.0);
            let columns = Column::new(simd, gradients, width, lane).zip(Column::new(simd, tangents, width, lane));
            for (gradient, tangent) in columns {
                product = simd.mul_add(simd.load(gradient), simd.load(tangent), product);
            }
            // The mean of `gradients . J tangents`, times s.
            let shared = simd.neg_mul_add(of_gradients[0], of_tangents[0], simd.mul(product, share));
            let shared = simd.neg_mul_add(of_gradients[1], of_tangents[1], shared);
            let inverse = simd.mul(scale.inverse, scale.inverse);
            let read = Column::new(simd, sums, width, lane)
                .zip(Column::new(simd, gradients, width, lane).zip(Column::new(simd, tangents, width, lane)));
            for ((sum, (gradient, tangent)), into) in read.zip(ColumnMut::new(simd, into, width, lane)) {
                let normalized = scale.of(simd, simd.load(sum));
                let gradient = projected(simd, normalized, simd.load(gradient), of_gradients);
                let tangent = projected(simd, normalized, simd.load(tangent), of_tangents);
                let total = simd.mul(normalized, shared);
                let total = simd.mul_add(gradient, of_tangents[1], total);
                let total = simd.mul_add(tangent, of_gradients[1], total);
                let before = if accumulate { simd.load(into) } else { simd.splat(0.0) };
                simd.store(simd.neg_mul_add(total, inverse, before), into);
            }
        }
    }
}
