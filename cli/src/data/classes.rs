//! The classes of labelled data, under which samples are made.

/// The classes of labelled data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Their names, in the order of the one-hot code.
    names: Vec<String>,
    /// How many samples of the data each has.
    counts: Vec<u64>,
}

impl Classes {
    /// Classes of these names and sizes.
    pub(crate) fn new(names: Vec<String>, counts: Vec<u64>) -> Self {
        Self { names, counts }
    }

    /// The ten digits, which come equally often.
    pub(crate) fn digits() -> Self {
        Self::new((0..10).map(|digit| digit.to_string()).collect(), vec![1; 10])
    }

    /// Their number.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Their names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The class of a name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The class of the generated sample of an index: each comes as often as in the data, in any range of indices to within a few. (The
    /// multiples of the golden ratio fill the unit interval evenly: the sequence of Weyl.)
    pub(crate) fn of_sample(&self, index: u64) -> usize {
        // The fractional part of index / golden ratio, in 64 bits.
        let place = index.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1 << 63);
        let total: u128 = self.counts.iter().map(|count| u128::from(*count)).sum();
        let reached = (u128::from(place) * total) >> 64;
        let mut sum = 0;
        let class = self.counts.iter().position(|count| {
            sum += u128::from(*count);
            reached < sum
        });
        class.unwrap_or(0)
    }

    /// The class of the picture of an index: one after the other.
    pub(crate) fn in_turn(&self, index: u64) -> usize {
        usize::try_from(index % self.names.len().max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_as_often_as_in_the_data() {
        let classes = Classes::new(["a", "b", "c", "d"].map(str::to_string).to_vec(), vec![700, 1, 299, 0]);
        for (first, count) in [(0, 1_000), (12_345, 1_000), (0, 10_000)] {
            let mut found = [0_i64; 4];
            (first..first + count).for_each(|index| found[classes.of_sample(index)] += 1);
            for (found, share) in found.iter().zip(&classes.counts) {
                let expected = i64::try_from(share * count / 1_000).unwrap();
                assert!((found - expected).abs() <= 8, "{first} {count}: {found:?} of {expected}");
            }
            assert_eq!(found[3], 0);
        }
        assert_eq!((classes.find("c"), classes.find("x")), (Some(2), None));
        assert_eq!([0, 3, 4, 9].map(|index| classes.in_turn(index)), [0, 3, 0, 1]);
    }
}
