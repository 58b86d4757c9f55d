//! The classes of labelled data, under which samples are made.

use gannet::{Error, Result};
use gannet_settings::own_data;

use crate::numbers::counted;

/// The classes of labelled data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Their names, in the order of the one-hot code.
    names: Vec<String>,
    /// How many samples of the data each has.
    counts: Vec<u64>,
}

impl Classes {
    /// Most classes: more are rather numbers to be learned.
    pub(crate) const MOST: usize = 256;

    /// Classes of these names and sizes.
    pub(crate) fn new(names: Vec<String>, counts: Vec<u64>) -> Self {
        Self { names, counts }
    }

    /// The ten digits, as often as MNIST's training set has them.
    pub(crate) fn of_mnist() -> Self {
        Self::digits([5_923, 6_742, 5_958, 6_131, 5_842, 5_421, 5_918, 6_265, 5_851, 5_949])
    }

    /// The ten digits, as often as the embedded set has them.
    pub(crate) fn of_digits() -> Self {
        Self::digits([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    }

    fn digits(counts: [u64; 10]) -> Self {
        Self::new((0..10).map(|digit| digit.to_string()).collect(), counts.to_vec())
    }

    /// The classes of settings: their names, and how many samples each has.
    ///
    /// # Errors
    ///
    /// Lists of different lengths, no class, too many, a name that stands twice, no sample.
    pub(crate) fn of_settings(names: Vec<String>, counts: Vec<u64>) -> Result<Self> {
        let wrong = |problem: String| Err(Error::setting("data.classes", problem));
        if names.len() != counts.len() {
            return wrong(format!("{}, but {} `class_counts`", counted(names.len() as u64, "name"), counts.len()));
        }
        if names.is_empty() || names.len() > Self::MOST {
            return wrong(format!("{} classes; give 1 to {}", names.len(), Self::MOST));
        }
        if let Some(index) = (1..names.len()).find(|index| names[..*index].contains(&names[*index])) {
            return wrong(format!("`{}` stands twice", names[index]));
        }
        let total = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        if total == 0 || total == u64::MAX {
            return wrong(
                "none of them has a sample in `class_counts`, or all have more than there can be".to_string(),
            );
        }
        // As labels are written, which no others could be found among.
        let is_label =
            |name: &String| name.parse::<f64>().is_ok_and(|value| value.is_finite() && value.to_string() == *name);
        if let Some(name) = names.iter().find(|name| !is_label(name)) {
            return wrong(format!("{name:?} is no number as labels have it, such as 3 or 2.5"));
        }
        Ok(Self { names, counts })
    }

    /// The classes that `values` are of, in ascending order, and the class of each value.
    ///
    /// # Errors
    ///
    /// More different values than there may be classes; `origin` opens the message.
    pub(crate) fn found(values: &[f64], origin: &str) -> Result<(Self, Vec<u8>)> {
        let mut different: Vec<f64> = Vec::new();
        for value in values.iter().map(|value| value + 0.0) {
            if let Err(place) = different.binary_search_by(|known| known.total_cmp(&value)) {
                different.insert(place, value);
            }
            if different.len() > Self::MOST {
                let problem =
                    format!("the labels have more than {} different values; give a column of classes", Self::MOST);
                return Err(Error::data(origin, problem));
            }
        }
        let names = different.iter().map(f64::to_string).collect();
        let mut classes = Self { names, counts: vec![0; different.len()] };
        let labels = classes.labels(values, origin)?;
        labels.iter().for_each(|label| classes.counts[usize::from(*label)] += 1);
        Ok((classes, labels))
    }

    /// The class of each of these values.
    ///
    /// # Errors
    ///
    /// A value that is no class.
    pub(crate) fn labels(&self, values: &[f64], origin: &str) -> Result<Vec<u8>> {
        let mut last: Option<(f64, u8)> = None;
        let label = |(row, value): (usize, &f64)| {
            // 0 and -0 are one class.
            let value = *value + 0.0;
            if let Some((_, label)) = last.filter(|(known, _)| *known == value) {
                return Ok(label);
            }
            let found = self.find(&value.to_string()).and_then(|class| u8::try_from(class).ok());
            let label = found.ok_or_else(|| {
                let known = self.names.join(", ");
                Error::data(origin, format!("the label of row {} is {value}; the classes are {known}", row + 1))
            })?;
            last = Some((value, label));
            Ok(label)
        };
        values.iter().enumerate().map(label).collect()
    }

    /// How many samples of the data each has.
    pub(crate) fn counts(&self) -> &[u64] {
        &self.counts
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

    /// The class of the generated sample of an index: each comes as often as in the data.
    pub(crate) fn of_sample(&self, index: u64) -> usize {
        own_data::class_of_sample(&self.counts, index)
    }

    /// The same with those alone that `are_allowed`, which come as often beside each other as in the data.
    pub(crate) fn among(&self, are_allowed: &[bool]) -> Self {
        let counts = self.counts.iter().zip(are_allowed);
        Self { counts: counts.map(|(count, is_allowed)| count * u64::from(*is_allowed)).collect(), ..self.clone() }
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
        let among = classes.among(&[true, false, true, true]);
        let of_c = (0..999).filter(|index| among.of_sample(*index) == 2).count();
        assert!((0..999).all(|index| among.of_sample(index).is_multiple_of(2)) && of_c.abs_diff(299) <= 8, "{of_c}");
        let (found, labels) = Classes::found(&[2.5, -1.0, 2.5, 7.0], "it").unwrap();
        assert_eq!(
            (found.names(), found.counts()),
            (["-1", "2.5", "7"].map(str::to_string).as_slice(), [1, 2, 1].as_slice())
        );
        assert_eq!(labels, [1, 0, 1, 2]);
        assert!(found.labels(&[3.0], "it").unwrap_err().to_string().contains("the label of row 1 is 3"));
        let (zeros, labels) = Classes::found(&[0.0, -0.0, 1.0, -0.0], "it").unwrap();
        assert_eq!((zeros.counts(), labels.as_slice()), ([3, 1].as_slice(), [0, 0, 1, 0].as_slice()));
        let settings =
            |name: &str, count| Classes::of_settings(vec![name.to_string(), "1".to_string()], vec![count; 2]);
        assert!(settings("0", 3).is_ok());
        for (name, count, told) in
            [("0", u64::MAX / 2 + 1, "more than"), ("\u{1b}[31m", 1, "no number"), ("1e400", 1, "no number")]
        {
            assert!(settings(name, count).unwrap_err().to_string().contains(told), "{name:?} {count}");
        }
        let many: Vec<f64> = (0..300).map(f64::from).collect();
        assert!(Classes::found(&many, "it").unwrap_err().to_string().contains("more than 256"));
        assert_eq!([0, 3, 4, 9].map(|index| classes.in_turn(index)), [0, 3, 0, 1]);
    }
}
