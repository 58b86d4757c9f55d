//! Squared Euclidean distances from many queries to many references: what Parzen windows and nearest neighbors stand on.
//!
//! ```text
//! for each block of queries                    one per thread at a time; fits L2
//!     for each panel of LANES references       feature by feature, side by side; fits L1
//!         for each TILE queries of the block
//!             for each feature: TILE x LANES differences, squared and summed in registers
//!     hand each query's distances to the caller
//! ```
//!
//! Differences are squared and summed as they are; expanding to |a|^2 + |b|^2 - 2ab saves a third of the arithmetic and loses
//! digits by cancellation. Sums run in `f32` over at most [`FEATURE_BLOCK`] features and in `f64` across blocks.

use std::thread::{Builder, scope};

use crate::error::{Error, Result};
use crate::memory::filled;
use crate::parallel::most_threads;

/// References side by side in a panel: two 128-bit registers, what every x86-64 and every AArch64 has.
const LANES: usize = 8;

/// Queries whose sums stay in registers together: `TILE * LANES` floats fill half of the 16 registers.
const TILE: usize = 4;

/// Queries that share a pass over the references. At 784 features they take 100 KB.
const QUERY_BLOCK: usize = 32;

/// Features summed in `f32` before the sum goes to `f64`: bounds the rounding error to 2^-24 * 256 of the sum.
const FEATURE_BLOCK: usize = 256;

/// References packed into panels.
pub(super) struct References {
    /// Panel by panel: `features` groups of [`LANES`] values. Lanes beyond the last reference are 0.
    panels: Vec<[f32; LANES]>,
    count: usize,
    features: usize,
}

impl References {
    /// Packs row-major `[references, features]` values; whole rows, at least one.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn new(rows: &[f32], features: usize) -> Result<Self> {
        let count = rows.len() / features;
        let mut panels = filled(count.div_ceil(LANES) * features, [0.0; LANES])?;
        for (panel, rows) in panels.chunks_exact_mut(features).zip(rows.chunks(LANES * features)) {
            interleave(rows, features, panel);
        }
        Ok(Self { panels, count, features })
    }

    /// Calls `measure` for each of the row-major `[queries, features]` rows with the squared distances from it to all
    /// references, in their order, and returns the results in the order of the queries. Uses up to `threads` threads (0 counts
    /// as 1); the result does not depend on their number.
    pub(super) fn for_each<T: Clone + Default + Send>(
        &self,
        queries: &[f32],
        threads: usize,
        measure: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Result<Vec<T>> {
        let count = queries.len() / self.features;
        let blocks = count.div_ceil(QUERY_BLOCK);
        let threads = threads.min(most_threads());
        let share = blocks.div_ceil(threads.clamp(1, blocks.max(1))) * QUERY_BLOCK;
        let mut results = filled(count, T::default())?;
        let measure = &measure;
        let threads = threads.clamp(1, blocks.max(1));
        // Taken here: a thread has nobody to tell that it was refused.
        let mut rooms: Vec<Room> = (0..threads).map(|_| Room::new(self)).collect::<Result<_>>()?;
        scope(|scope| {
            let shares = results.chunks_mut(share).zip(queries.chunks(share * self.features)).enumerate();
            for ((i, (results, queries)), room) in shares.zip(&mut rooms) {
                let mut work = move || self.run(queries, i * share, results, room, measure);
                if threads <= 1 {
                    work();
                } else {
                    Builder::new().spawn_scoped(scope, work).map_err(|error| Error::Threads {
                        problem: format!("the system refused a thread ({error}); use fewer threads"),
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(results)
    }

    /// Room for the distances of a query.
    fn stride(&self) -> usize {
        self.count.next_multiple_of(LANES)
    }

    /// One thread's queries, of which the first has index `first`.
    fn run<T>(
        &self,
        queries: &[f32],
        first: usize,
        results: &mut [T],
        room: &mut Room,
        measure: &impl Fn(usize, &[f32]) -> T,
    ) {
        let features = self.features;
        let stride = self.stride();
        let Room { tiles, distances } = room;
        let blocks = queries.chunks(QUERY_BLOCK * features).zip(results.chunks_mut(QUERY_BLOCK));
        for (block, (queries, results)) in blocks.enumerate() {
            for (tile, rows) in tiles.chunks_exact_mut(features).zip(queries.chunks(TILE * features)) {
                interleave(rows, features, tile);
            }
            for (panel, references) in self.panels.chunks_exact(features).enumerate() {
                let tiles = tiles.chunks_exact(features).take(results.len().div_ceil(TILE));
                for (tile, queries) in tiles.enumerate() {
                    for (i, lanes) in squared_distances(queries, references).into_iter().enumerate() {
                        distances[(tile * TILE + i) * stride + panel * LANES..][..LANES].copy_from_slice(&lanes);
                    }
                }
            }
            for (i, result) in results.iter_mut().enumerate() {
                *result = measure(first + block * QUERY_BLOCK + i, &distances[i * stride..][..self.count]);
            }
        }
    }
}

/// What a thread works in.
struct Room {
    /// The queries of a block.
    tiles: Vec<[f32; TILE]>,
    /// Their distances from all references.
    distances: Vec<f32>,
}

impl Room {
    fn new(references: &References) -> Result<Self> {
        let tiles = filled(QUERY_BLOCK / TILE * references.features, [0.0; TILE])?;
        Ok(Self { tiles, distances: filled(QUERY_BLOCK * references.stride(), 0.0)? })
    }
}

/// Writes up to `N` rows side by side: value `f` of row `i` to `packed[f][i]`; lanes without a row become 0.
fn interleave<const N: usize>(rows: &[f32], features: usize, packed: &mut [[f32; N]]) {
    packed.fill([0.0; N]);
    for (i, row) in rows.chunks_exact(features).enumerate() {
        packed.iter_mut().zip(row).for_each(|(lanes, &value)| lanes[i] = value);
    }
}

/// The squared distances of a tile of queries from a panel of references.
fn squared_distances(queries: &[[f32; TILE]], references: &[[f32; LANES]]) -> [[f32; LANES]; TILE] {
    let mut totals = [[0.0f64; LANES]; TILE];
    for (queries, references) in queries.chunks(FEATURE_BLOCK).zip(references.chunks(FEATURE_BLOCK)) {
        let sums = sum_of_squares(queries, references);
        for (total, sum) in totals.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *total += f64::from(*sum);
        }
    }
    totals.map(|lanes| lanes.map(|total| total as f32))
}

/// The same over one block of features. Not inlined: beside the `f64` sums the compiler would use half of each register.
#[inline(never)]
fn sum_of_squares(queries: &[[f32; TILE]], references: &[[f32; LANES]]) -> [[f32; LANES]; TILE] {
    let mut sums = [[0.0; LANES]; TILE];
    for (query, reference) in queries.iter().zip(references) {
        for (sums, value) in sums.iter_mut().zip(query) {
            for (sum, reference) in sums.iter_mut().zip(reference) {
                let difference = value - reference;
                *sum += difference * difference;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::Random;

    #[test]
    fn agrees_with_the_plain_sum_at_awkward_sizes() {
        let mut random = Random::new(0, 1);
        let mut draw = |count: usize| (0..count).map(|_| random.normal() as f32).collect::<Vec<_>>();
        let mut failures = Vec::new();
        for (references, queries, features) in
            [(1, 1, 1), (7, 3, 2), (8, 4, 255), (9, 33, 256), (17, 65, 257), (40, 97, 5), (3, 5, 1000)]
        {
            let (a, b) = (draw(references * features), draw(queries * features));
            let packed = References::new(&a, features).unwrap();
            for threads in [0, 1, 2, 3, 100] {
                let found = packed.for_each(&b, threads, |i, distances| (i, distances.to_vec())).unwrap();
                assert_eq!(found.len(), queries);
                for (i, (index, distances)) in found.into_iter().enumerate() {
                    assert_eq!((index, distances.len()), (i, references));
                    for (j, distance) in distances.into_iter().enumerate() {
                        let (left, right) = (&a[j * features..][..features], &b[i * features..][..features]);
                        let exact: f64 =
                            left.iter().zip(right).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
                        let close = (f64::from(distance) - exact).abs() <= 2e-6 * exact;
                        if !close {
                            failures.push((references, queries, features, threads, i, j, distance, exact));
                        }
                    }
                }
            }
        }
        assert!(failures.is_empty(), "{failures:?}");
    }

    #[test]
    fn equal_points_have_no_distance() {
        let rows: Vec<f32> = (0..300).map(|i| 0.1 * i as f32 + 1e3).collect();
        let found = References::new(&rows, 30).unwrap().for_each(&rows, 2, |i, distances| distances[i]).unwrap();
        assert_eq!(found, [0.0; 10]);
    }
}
