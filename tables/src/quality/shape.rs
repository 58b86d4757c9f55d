//! How alike a column is in two tables, by itself: SDMetrics' measures of single columns.

/// Decimals that SDMetrics rounds numbers to before it compares them, `sys.float_info.dig - 1`, as a power of ten.
const DECIMALS: f64 = 1e14;
/// Numbers that are all smaller are not rounded. Rounding hides noise of the last digit in usual units, but the values of small ones.
const SMALL: f64 = 1e-6;

/// `KSComplement`: 1 less the greatest distance of the two distribution functions. NaN values are left out; `None` where no others are.
pub(crate) fn ks_complement(real: &[f64], synthetic: &[f64]) -> Option<f64> {
    let greatest = real.iter().chain(synthetic).fold(0.0f64, |most, value| most.max(value.abs()));
    let (real, synthetic) = (sorted(real, greatest), sorted(synthetic, greatest));
    if real.is_empty() || synthetic.is_empty() {
        return None;
    }
    let (mut below_real, mut below_synthetic, mut distance) = (0, 0, 0.0f64);
    while let (Some(first), Some(second)) = (real.get(below_real), synthetic.get(below_synthetic)) {
        let value = first.min(*second);
        below_real += equal(&real[below_real..], value);
        below_synthetic += equal(&synthetic[below_synthetic..], value);
        let gap = below_real as f64 / real.len() as f64 - below_synthetic as f64 / synthetic.len() as f64;
        distance = distance.max(gap.abs());
    }
    Some(1.0 - distance)
}

/// The numbers in order, rounded as SDMetrics does, without NaN.
fn sorted(values: &[f64], greatest: f64) -> Vec<f64> {
    let round = |value: &f64| {
        let scaled = value * DECIMALS;
        // Numbers of 2^52 and more have no decimals to round.
        let has_decimals = greatest >= SMALL && scaled.abs() < 4_503_599_627_370_496.0;
        // -0 becomes 0.
        (if has_decimals { scaled.round_ties_even() / DECIMALS } else { *value }) + 0.0
    };
    let mut sorted: Vec<f64> = values.iter().filter(|value| !value.is_nan()).map(round).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// How many values at the beginning are this one.
fn equal(values: &[f64], value: f64) -> usize {
    values.iter().take_while(|other| **other == value).count()
}

/// `TVComplement`: 1 less half the sum of the differences of the shares of all codes. Codes from `missing` on are left out; `None` where
/// no others are.
pub(crate) fn tv_complement(real: &[u16], synthetic: &[u16], missing: u16) -> Option<f64> {
    let (real, synthetic) = (counts(real, missing), counts(synthetic, missing));
    let (rows, others) = (real.iter().sum::<u64>(), synthetic.iter().sum::<u64>());
    if rows == 0 || others == 0 {
        return None;
    }
    // In whole numbers, so that equal shares have no difference at all.
    let difference = |(&one, &two): (&u64, &u64)| {
        (i128::from(one) * i128::from(others) - i128::from(two) * i128::from(rows)).unsigned_abs()
    };
    let differences: u128 = real.iter().zip(&synthetic).map(difference).sum();
    Some(1.0 - 0.5 * (differences as f64 / (rows as f64 * others as f64)))
}

fn counts(codes: &[u16], width: u16) -> Vec<u64> {
    let mut counts = vec![0; usize::from(width)];
    for &code in codes {
        if let Some(count) = counts.get_mut(usize::from(code)) {
            *count += 1;
        }
    }
    counts
}

/// `MissingValueSimilarity`: 1 less the difference of the shares of missing values, of so many values each; `None` without rows.
pub(crate) fn missing_value_similarity(missing: [usize; 2], rows: [usize; 2]) -> Option<f64> {
    let share = |side: usize| (rows[side] > 0).then(|| missing[side] as f64 / rows[side] as f64);
    Some(1.0 - (share(0)? - share(1)?).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_known_columns() {
        let none = f64::NAN;
        assert_eq!(ks_complement(&[1.0, 2.0, none], &[2.0, 1.0]), Some(1.0));
        assert_eq!(ks_complement(&[1.0, 2.0], &[3.0, 4.0, 5.0]), Some(0.0));
        assert_eq!(ks_complement(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 9.0, 9.0, 9.0]), Some(0.75 - 0.25));
        assert_eq!(ks_complement(&[0.1 + 0.2, -0.0], &[0.3, 0.0]), Some(1.0));
        assert_eq!(ks_complement(&[1e-16, 2e-16], &[3e-16, 4e-16]), Some(0.0));
        assert_eq!((ks_complement(&[none], &[1.0]), ks_complement(&[1.0], &[])), (None, None));
        assert_eq!(tv_complement(&[0, 0, 1], &[1, 0, 0, 2, 2], 2), Some(1.0));
        assert_eq!(tv_complement(&[0, 0], &[1], 2), Some(0.0));
        assert_eq!((tv_complement(&[2], &[1], 2), tv_complement(&[], &[1], 2)), (None, None));
        assert_eq!(missing_value_similarity([1, 0], [4, 9]), Some(0.75));
        assert_eq!(missing_value_similarity([0, 0], [4, 0]), None);
    }
}
