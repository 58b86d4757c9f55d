//! Squared Euclidean distances of rows from the samples of a panel: what nearest neighbors stand on.
//!
//! Differences are squared and summed as they are: expanding them to `|a|^2 + |b|^2 - 2ab` saves arithmetic and loses the digits
//! of near neighbors.

use crate::simd::{Isa, Kernel, LANE_GROUP, Simd};

/// Rows whose sums are in work together: as many chains of additions as hide the latency of one, within 16 registers.
const TILE: usize = 8;

/// `distances[r * width + s] = sum over f of (rows[r * features + f] - panel[f * width + s])^2`, summed feature by feature.
///
/// # Panics
///
/// If `width` is no multiple of [`LANE_GROUP`], or the shapes do not fit.
pub fn squared_distances(isa: Isa, rows: &[f32], features: usize, panel: &[f32], width: usize, distances: &mut [f32]) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    assert!(features > 0 && panel.len() == features * width, "one row of the panel for each feature");
    assert!(rows.len().is_multiple_of(features), "whole rows");
    assert_eq!(distances.len(), rows.len() / features * width, "a distance for each pair");
    isa.run(SquaredDistances { rows, features, panel, width, distances });
}

struct SquaredDistances<'a> {
    rows: &'a [f32],
    features: usize,
    panel: &'a [f32],
    width: usize,
    distances: &'a mut [f32],
}

impl Kernel for SquaredDistances<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, features, panel, width, distances } = self;
        for (rows, distances) in rows.chunks(TILE * features).zip(distances.chunks_mut(TILE * width)) {
            // A tile that lacks rows repeats its first one, whose distances then go nowhere.
            let tile: [&[f32]; TILE] = std::array::from_fn(|index| {
                rows.get(index * features..(index + 1) * features).unwrap_or(&rows[..features])
            });
            for first in (0..width).step_by(S::LANES) {
                let mut sums = [simd.splat(0.0); TILE];
                for (feature, lanes) in panel.chunks_exact(width).enumerate() {
                    let lanes = simd.load(&lanes[first..]);
                    for (sum, row) in sums.iter_mut().zip(tile) {
                        let difference = simd.sub(simd.splat(row[feature]), lanes);
                        *sum = simd.mul_add(difference, difference, *sum);
                    }
                }
                for (sum, to) in sums.into_iter().zip(distances.chunks_exact_mut(width)) {
                    simd.store(sum, &mut to[first..]);
                }
            }
        }
    }
}
