//! An even choice: some of many, spread over all of them.

/// The places of `most` of `count` things at equal distances, or of all where there are fewer. The same numbers give the same places.
pub(crate) fn even(count: usize, most: usize) -> impl Iterator<Item = usize> + Clone {
    let kept = count.min(most);
    (0..kept).map(move |index| (index as u64 * count as u64 / kept as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_choice_is_spread_over_all() {
        assert_eq!(even(10, 4).collect::<Vec<_>>(), [0, 2, 5, 7]);
        assert_eq!(even(3, 4).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((even(0, 4).count(), even(4, 0).count()), (0, 0));
    }
}
