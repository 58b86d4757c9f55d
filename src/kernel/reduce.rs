//! Sums in a fixed order, the same on every instruction set and at any number of threads.

use crate::simd::{GROUP_PARTS, Isa, Kernel, LANE_GROUP, Simd};

/// Chains of additions that run side by side; part of the fixed order.
const CHAINS: usize = 4;

/// `sums[r] (+)= sum of row r` for rows of `width` samples; overwrites, or adds if `accumulate`.
///
/// The order is fixed: group `g` of 16 lanes joins chain `g % 4`, the chains are added in pairs, then the lanes.
///
/// # Panics
///
/// If `width` is no multiple of [`LANE_GROUP`], or there is not one sum for each row.
pub fn row_sums(isa: Isa, panel: &[f32], width: usize, sums: &mut [f32], accumulate: bool) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    assert_eq!(panel.len(), sums.len() * width, "one sum for each row");
    isa.run(RowSums { panel, width, sums, accumulate });
}

struct RowSums<'a> {
    panel: &'a [f32],
    width: usize,
    sums: &'a mut [f32],
    accumulate: bool,
}

impl Kernel for RowSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (row, sum) in self.panel.chunks_exact(self.width).zip(self.sums) {
            let total = row_sum(simd, row);
            *sum = if self.accumulate { *sum + total } else { total };
        }
    }
}

/// The sum of a row whose length is a multiple of [`LANE_GROUP`].
#[inline(always)]
fn row_sum<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let mut chains = [[simd.splat(0.0); GROUP_PARTS]; CHAINS];
    let mut rounds = row.chunks_exact(CHAINS * LANE_GROUP);
    for round in rounds.by_ref() {
        for (chain, group) in chains.iter_mut().zip(round.chunks_exact(LANE_GROUP)) {
            add_group(simd, chain, group);
        }
    }
    for (chain, group) in chains.iter_mut().zip(rounds.remainder().chunks_exact(LANE_GROUP)) {
        add_group(simd, chain, group);
    }
    let mut lanes = [0.0; LANE_GROUP];
    let [a, b, c, d] = chains;
    for (part, to) in lanes.chunks_exact_mut(S::LANES).enumerate() {
        simd.store(simd.add(simd.add(a[part], b[part]), simd.add(c[part], d[part])), to);
    }
    sum_lanes(lanes)
}

#[inline(always)]
fn add_group<S: Simd>(simd: S, chain: &mut [S::F32; GROUP_PARTS], group: &[f32]) {
    for (sum, values) in chain.iter_mut().zip(group.chunks_exact(S::LANES)) {
        *sum = simd.add(*sum, simd.load(values));
    }
}

/// The sum of 16 lanes in the fixed order: halves onto halves.
#[inline(always)]
pub(crate) fn sum_lanes<T: Copy + std::ops::Add<Output = T>>(mut lanes: [T; LANE_GROUP]) -> T {
    let mut half = LANE_GROUP / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane] + lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum of the squares in f64, which holds each square exactly: value `i` joins sum `i % 16`, and the sums are added halves onto halves.
/// The order does not depend on the instruction set, and nothing is rounded but the additions.
pub fn square_sum(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANE_GROUP];
    for group in values.chunks(LANE_GROUP) {
        for (sum, value) in sums.iter_mut().zip(group) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    sum_lanes(sums)
}

/// `to[i] += from[i]`
///
/// # Panics
///
/// If the slices differ in length.
pub fn add_assign(isa: Isa, to: &mut [f32], from: &[f32]) {
    assert_eq!(to.len(), from.len(), "as many summands as sums");
    isa.run(AddAssign { to, from });
}

struct AddAssign<'a> {
    to: &'a mut [f32],
    from: &'a [f32],
}

impl Kernel for AddAssign<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut sums = self.to.chunks_exact_mut(S::LANES);
        let mut summands = self.from.chunks_exact(S::LANES);
        for (to, from) in sums.by_ref().zip(summands.by_ref()) {
            simd.store(simd.add(simd.load(to), simd.load(from)), to);
        }
        let (to, from) = (sums.into_remainder(), summands.remainder());
        simd.store_partial(simd.add(simd.load_partial(to), simd.load_partial(from)), to);
    }
}
