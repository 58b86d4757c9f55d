//! Softmax over groups of the rows of a panel, with Gumbel noise or without: a group is the values that a category may have.
//!
//! With `x` a sample's sums of a group, the softmax is `y_i = e^(z_i) / sum_j e^(z_j)` with `z = x / temperature`. With noise it is
//! `z = (x + g) / temperature`, where each `g_i = -ln(-ln u_i)` for `u_i` uniform in (0, 1): the largest `y_i` is then the `i` that is drawn with the
//! probabilities `softmax(x)`, and `y` comes near to 1 there as the temperature falls (Jang et al., "Categorical reparameterization with
//! Gumbel-softmax", 2017; Maddison et al., "The concrete distribution", 2017). How it moves when `z` moves along `v` is `J v = y (v - sum(y v))`;
//! `J` is symmetric, so that one loop takes a tangent forward and a gradient backward.

use super::math::vector;
use super::noise::{Generators, StreamKey};
use crate::simd::{Column, ColumnMut, Isa, Kernel, LANE_GROUP, Simd};

/// Where the Gumbel noise of a panel comes from: row `r` of lane `l` takes draw `r` of the generator of sample `first_sample + l`.
#[derive(Clone, Copy, Debug)]
pub struct Gumbel {
    /// The stream.
    pub key: StreamKey,
    /// The sample in the first lane.
    pub first_sample: usize,
}

/// The softmax of each group of rows of a panel `[sum of the groups, width]`, in place.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn softmax(isa: Isa, panel: &mut [f32], width: usize, groups: &[usize], temperature: f32, noise: Option<Gumbel>) {
    check(&[panel], width, groups);
    isa.run(Softmax { panel, width, groups, temperature, noise });
}

/// `J v / temperature` for each sample and group, in place of its `v`, which are tangents or gradients; `outputs` are those of [`softmax`].
///
/// # Panics
///
/// If the shapes do not fit.
pub fn differentiate(isa: Isa, outputs: &[f32], vectors: &mut [f32], width: usize, groups: &[usize], temperature: f32) {
    check(&[outputs, vectors], width, groups);
    isa.run(Differentiate { outputs, vectors, width, groups, temperature });
}

fn check(panels: &[&[f32]], width: usize, groups: &[usize]) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    let rows: usize = groups.iter().sum();
    assert!(panels.iter().all(|panel| panel.len() == rows * width), "a row for each value of each group");
}

/// Gumbel noise for each lane: `-ln(-ln u)` with `u` an odd multiple of 2^-24, so that neither logarithm meets 0 or 1.
#[inline(always)]
fn gumbel<S: Simd>(simd: S, generators: &mut Generators<S>) -> S::F32 {
    let odd = simd.or(simd.shift_right(generators.next(), 8), simd.splat_u32(1));
    let uniform = simd.mul(simd.convert_i32(odd), simd.splat(1.0 / (1 << 24) as f32));
    let zero = simd.splat(0.0);
    let exponential = simd.sub(zero, vector::ln_of_normal(simd, uniform));
    simd.sub(zero, vector::ln_of_normal(simd, exponential))
}

struct Softmax<'a> {
    panel: &'a mut [f32],
    width: usize,
    groups: &'a [usize],
    temperature: f32,
    noise: Option<Gumbel>,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { panel, width, groups, temperature, noise } = self;
        let sharpness = simd.splat(1.0 / temperature);
        for lane in (0..width).step_by(S::LANES) {
            let mut generators =
                noise.map(|Gumbel { key, first_sample }| Generators::new(simd, key, first_sample.wrapping_add(lane)));
            let mut rest = &mut *panel;
            for &rows in groups {
                let (group, behind) = rest.split_at_mut(rows * width);
                rest = behind;
                // A NaN that the maximum loses stays in its row, and reaches the others through the total.
                let mut largest = simd.splat(f32::NEG_INFINITY);
                for row in ColumnMut::new(simd, group, width, lane) {
                    let mut sum = simd.load(row);
                    if let Some(generators) = &mut generators {
                        sum = simd.add(sum, gumbel(simd, generators));
                    }
                    let scaled = simd.mul(sum, sharpness);
                    simd.store(scaled, row);
                    largest = simd.max(largest, scaled);
                }
                let mut total = simd.splat(0.0);
                for row in ColumnMut::new(simd, group, width, lane) {
                    let power = vector::exp(simd, simd.sub(simd.load(row), largest));
                    simd.store(power, row);
                    total = simd.add(total, power);
                }
                let inverse = simd.div(simd.splat(1.0), total);
                for row in ColumnMut::new(simd, group, width, lane) {
                    simd.store(simd.mul(simd.load(row), inverse), row);
                }
            }
        }
    }
}

struct Differentiate<'a> {
    outputs: &'a [f32],
    vectors: &'a mut [f32],
    width: usize,
    groups: &'a [usize],
    temperature: f32,
}

impl Kernel for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { outputs, vectors, width, groups, temperature } = self;
        let sharpness = simd.splat(1.0 / temperature);
        for lane in (0..width).step_by(S::LANES) {
            let mut first = 0;
            for &rows in groups {
                let place = first * width..(first + rows) * width;
                first += rows;
                let (outputs, vectors) = (&outputs[place.clone()], &mut vectors[place]);
                let mut product = simd.splat(0.0);
                for (output, vector) in
                    Column::new(simd, outputs, width, lane).zip(Column::new(simd, vectors, width, lane))
                {
                    product = simd.mul_add(simd.load(output), simd.load(vector), product);
                }
                for (output, vector) in
                    Column::new(simd, outputs, width, lane).zip(ColumnMut::new(simd, vectors, width, lane))
                {
                    let scaled = simd.mul(simd.load(output), sharpness);
                    simd.store(simd.mul(scaled, simd.sub(simd.load(vector), product)), vector);
                }
            }
        }
    }
}
