//! Whether the whole numbers of a column number its rows: one after another, or each once in any order.
//!
//! For the latter no number is remembered. Numbers of which the least and the greatest are as far apart as there are numbers are all
//! different if the sum of a hash of each is that of all between these ends. Others have that sum with a chance of one in 2^64.

/// A table of fewer rows has no numbers of rows but those that count up from 0 or 1.
const LEAST: u64 = 20;

/// Words of names of columns that number rows.
const NAMES: [&str; 24] = [
    "id",
    "ids",
    "no",
    "nr",
    "num",
    "number",
    "index",
    "idx",
    "row",
    "rows",
    "rowid",
    "key",
    "serial",
    "seq",
    "sequence",
    "pk",
    "uid",
    "fid",
    "oid",
    "userid",
    "customerid",
    "orderid",
    "productid",
    "objectid",
];

/// Whether a column of this name numbers rows where its values may: measurements may be consecutive, too, such as wavelengths or scores.
pub(crate) fn is_name_of_numbers(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let begins = !letter.is_alphanumeric() || (letter.is_uppercase() && before.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
        before = letter;
    }
    name.trim() == "#" || words.iter().any(|word| NAMES.contains(&word.as_str()))
}

/// What whole numbers show of themselves as numbers of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowNumbers {
    /// Whether all so far may be.
    may_be: bool,
    /// What the number of a row has to be added to, where that is the same in all.
    counter: Option<i64>,
    is_counter: bool,
    count: u64,
    sum: u64,
    least: i64,
    greatest: i64,
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// They count up from this one.
    Upwards(i64),
    /// Each from this one on is there once.
    Shuffled(i64),
}

impl Default for RowNumbers {
    fn default() -> Self {
        let (least, greatest) = (i64::MAX, i64::MIN);
        Self { may_be: true, counter: None, is_counter: true, count: 0, sum: 0, least, greatest }
    }
}

impl RowNumbers {
    /// Takes the number of row `row`; `None` for what is no plain whole number.
    pub(crate) fn add(&mut self, number: Option<i64>, row: u64) {
        let from = number.and_then(|number| number.checked_sub(i64::try_from(row).ok()?));
        let (Some(number), Some(from)) = (number, from) else {
            self.may_be = false;
            return;
        };
        self.is_counter &= self.counter.is_none_or(|known| known == from);
        self.counter = Some(from);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash(number));
        (self.least, self.greatest) = (self.least.min(number), self.greatest.max(number));
    }

    /// What row 0 would have, where the numbers count rows up.
    pub(crate) fn counts_from(&self) -> Option<i64> {
        self.counter.filter(|_| self.may_be && self.is_counter)
    }

    /// How the numbers of a table number its rows, of which the first is row `first_row`; `None` where they do not, or may be values.
    pub(crate) fn numbering(&self, first_row: u64) -> Option<Numbering> {
        if !self.may_be || self.count < LEAST || self.least < 0 {
            return None;
        }
        let first = i64::try_from(first_row).ok()?;
        if let Some(first) = self.counts_from().and_then(|from| from.checked_add(first)) {
            return Some(Numbering::Upwards(first));
        }
        let is_dense = u64::try_from(self.greatest - self.least) == Ok(self.count - 1);
        let all = || (self.least..=self.greatest).fold(0u64, |sum, number| sum.wrapping_add(hash(number)));
        (is_dense && all() == self.sum).then_some(Numbering::Shuffled(self.least))
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn hash(number: i64) -> u64 {
    let mut bits = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = i64>) -> Option<Numbering> {
        let mut found = RowNumbers::default();
        (0..).zip(numbers).for_each(|(row, number)| found.add(Some(number), row));
        found.numbering(0)
    }

    #[test]
    fn numbers_of_rows_are_told_from_values() {
        assert_eq!(of(1001..1041), Some(Numbering::Upwards(1001)));
        assert_eq!(of((0..40).map(|row| 5 + row * 7 % 40)), Some(Numbering::Shuffled(5)));
        assert_eq!(of((0..40).rev()), Some(Numbering::Shuffled(0)));
        // One twice and another missing, a gap, too few, negative numbers.
        assert_eq!(of((0..40).map(|row| if row == 9 { 8 } else { row })), None);
        assert_eq!(of((0..40).map(|row| if row == 39 { 40 } else { row * 7 % 39 })), None);
        assert_eq!(of(1001..1020), None);
        assert_eq!(of(-10..30), None);
        assert_eq!(of([i64::MIN, i64::MAX]), None);
        assert_eq!(of((0..30).map(|row| i64::MAX - row)), Some(Numbering::Shuffled(i64::MAX - 29)));
    }

    #[test]
    fn names_of_numbers() {
        for name in
            ["id", "ID", "user_id", "PassengerId", "Order No.", "nr", "row", "#", "Index", "customer number", "UserID"]
        {
            assert!(is_name_of_numbers(name), "{name}");
        }
        for name in ["", "nm", "score", "temperature_C", "year", "paid", "humidity", "rank", "normal", "x"] {
            assert!(!is_name_of_numbers(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_whole_number_numbers_no_row() {
        let mut found = RowNumbers::default();
        (0..30).for_each(|row| found.add(Some(row), row as u64));
        assert_eq!((found.numbering(0), found.counts_from()), (Some(Numbering::Upwards(0)), Some(0)));
        found.add(None, 30);
        assert_eq!((found.numbering(0), found.counts_from()), (None, None));
    }
}
