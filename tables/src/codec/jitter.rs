//! Numbers that depend on nothing but the place of a cell: where a value stands in its interval, and what stands for a missing one.

/// A number from 0 to 1 without the ends for a cell: the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014) of its place.
pub(super) fn jitter(row: u64, column: u64) -> f64 {
    let mut bits = row
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(column.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_differ_and_fill_the_interval() {
        let mut counts = [[0u32; 10]; 3];
        for row in 0..10_000 {
            for (column, counts) in (0..).zip(&mut counts) {
                counts[(10.0 * jitter(row, column)) as usize] += 1;
            }
        }
        // Four standard deviations of a count of 1,000.
        assert!(counts.as_flattened().iter().all(|count| count.abs_diff(1_000) < 120), "{counts:?}");
        let product =
            |a: u64, b: u64| (0..10_000).map(|row| (jitter(row, a) - 0.5) * (jitter(row + b, b) - 0.5)).sum::<f64>();
        assert!(product(0, 1).abs() < 40.0 && product(1, 2).abs() < 40.0);
    }
}
