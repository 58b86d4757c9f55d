//! Many points, few pixels: deterministic subsamples, and ranges that a few far values do not stretch.

/// At most `limit` of `count` positions, ascending: one from each of `limit` equal stretches, at a place in it that a hash
/// chooses, so that a pattern in the order of the points does not show. The same numbers give the same positions.
pub(super) fn positions(count: usize, limit: usize) -> impl Iterator<Item = usize> {
    let chosen = count.min(limit);
    let border = move |i: usize| (i as u128 * count as u128 / chosen.max(1) as u128) as usize;
    (0..chosen).map(move |i| {
        let (start, end) = (border(i), border(i + 1));
        start + (hash(i as u64) % (end - start).max(1) as u64) as usize
    })
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014), a good hash of a counter.
fn hash(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Values that a range is determined from at most; its error at the quantiles below is far less than a pixel.
const RANGE_SAMPLES: usize = 100_000;

/// The range that shows a set of values, with margins; `None` if none is finite.
///
/// Usually all values lie in it: it reaches beyond the smallest and largest by the share `margin` of their distance. It does
/// not reach further than 70 % of the distance between the 1 % and 99 % quantiles beyond these, though (4 standard deviations
/// of a normal distribution), so that a few far values leave the others readable.
pub(super) fn range(values: impl ExactSizeIterator<Item = f64>, margin: f64) -> Option<(f64, f64)> {
    let mut chosen = Vec::with_capacity(values.len().min(RANGE_SAMPLES));
    let mut wanted = positions(values.len(), RANGE_SAMPLES).peekable();
    for (i, value) in values.enumerate() {
        if wanted.next_if_eq(&i).is_some() && value.is_finite() {
            chosen.push(value);
        }
    }
    chosen.sort_by(f64::total_cmp);
    let (&least, &largest) = (chosen.first()?, chosen.last()?);
    let at = |share: f64| chosen[((chosen.len() - 1) as f64 * share).round() as usize];
    let (low, high) = (at(0.01), at(0.99));
    let (margin, reach) = (margin * (largest - least), 0.7 * (high - low));
    if reach > 0.0 {
        Some(((least - margin).max(low - reach), (largest + margin).min(high + reach)))
    } else {
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_ascend_and_repeat() {
        for (count, limit) in [(0, 10), (10, 0), (1, 10), (10, 10), (11, 10), (10_000_000, 1000)] {
            let found: Vec<_> = positions(count, limit).collect();
            assert_eq!(found.len(), count.min(limit));
            assert!(found.is_sorted_by(|a, b| a < b));
            assert!(found.iter().all(|&i| i < count));
            assert!(positions(count, limit).eq(found));
        }
        assert!(positions(5, 5).eq(0..5));
    }

    #[test]
    fn ranges_hold_the_values_but_not_the_far_ones() {
        let many = |i: usize| if i == 77 { 1e9 } else { (i % 100) as f64 };
        let (low, high) = range((0..1000).map(many), 0.1).expect("finite values");
        assert!(low < 0.0 && high > 99.0 && high < 300.0, "{low} {high}");
        assert_eq!(range([3.0; 4].into_iter(), 0.1), Some((3.0, 3.0)));
        assert_eq!(range([f64::NAN, f64::INFINITY].into_iter(), 0.1), None);
        assert_eq!(range([].into_iter(), 0.1), None);
    }
}
