//! The area under the ROC curve.

/// The chance that a positive row has a greater score than a negative one, where ties count half: 0.5 for scores that tell nothing.
/// `None` without rows of both sorts.
pub(crate) fn auc(scores: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let mut sorted: Vec<(f64, bool)> = scores.collect();
    sorted.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
    let positives = sorted.iter().filter(|(_, is_positive)| *is_positive).count() as u64;
    let negatives = sorted.len() as u64 - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Twice the number of pairs in which the positive row is above, so that ties are whole numbers too.
    let (mut below, mut twice) = (0u64, 0u128);
    for tied in sorted.chunk_by(|one, two| one.0 == two.0) {
        let above = tied.iter().filter(|(_, is_positive)| *is_positive).count() as u64;
        let others = tied.len() as u64 - above;
        twice += u128::from(above) * u128::from(2 * below + others);
        below += others;
    }
    Some(twice as f64 / 2.0 / (positives as f64 * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_known_scores() {
        let area = |scores: &[(f64, bool)]| auc(scores.iter().copied());
        assert_eq!(area(&[(2.0, true), (1.0, false), (3.0, true)]), Some(1.0));
        assert_eq!(area(&[(2.0, false), (1.0, true)]), Some(0.0));
        assert_eq!(area(&[(1.0, true), (1.0, false), (1.0, true)]), Some(0.5));
        assert_eq!(area(&[(1.0, true), (1.0, false), (0.0, false), (2.0, false)]), Some(0.5));
        assert_eq!((area(&[(1.0, true)]), area(&[])), (None, None));
    }
}
