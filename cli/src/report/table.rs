//! `metrics.csv` and `evaluation.csv` as curves: thinned while they are read, so that a file of any length takes little memory.

use std::path::Path;

use super::read;

/// Bytes of a table that are read: a run of 10^9 steps with a row each 100 has a tenth more.
const LARGEST: u64 = 1 << 30;
/// Columns that are read.
const MOST_COLUMNS: usize = 64;
/// Stretches of one verdict that are kept.
const MOST_VERDICTS: usize = 1_000;
/// Characters of a verdict that are kept.
const LONGEST_VERDICT: usize = 200;
/// The column that holds words.
const VERDICT: &str = "verdict";

/// Consecutive rows of one column, taken together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Their mean step.
    pub(super) step: f64,
    /// Their mean, least and greatest value; NaN where no value is a finite number.
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Consecutive evaluations with the same verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// First and last step at which it was given.
    pub(super) first: u64,
    pub(super) last: u64,
    /// The words; empty where none was given.
    pub(super) words: String,
}

/// What a table holds.
#[derive(Debug)]
pub(super) struct Table {
    /// Rows that are kept at most, and rows of the file that an entry of `rows` stands for.
    most: usize,
    together: u64,
    /// Where the next row of the file begins.
    next: u64,
    names: Vec<String>,
    /// The column of verdicts.
    verdict: Option<usize>,
    /// Last row of each column; NaN where it is no number.
    last: Vec<f64>,
    rows: Vec<Rows>,
    last_step: Option<u64>,
    verdicts: Vec<Verdict>,
}

/// Consecutive rows taken together.
#[derive(Clone, Debug)]
struct Rows {
    count: u64,
    step: f64,
    columns: Vec<Values>,
}

/// The finite values of one column in some rows.
#[derive(Clone, Copy, Debug)]
struct Values {
    count: u64,
    mean: f64,
    low: f64,
    high: f64,
}

impl Table {
    /// An empty table, whose curves get at most `most` points (and at least half as many, if there are so many rows).
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(2),
            together: 1,
            next: 0,
            names: Vec::new(),
            verdict: None,
            last: Vec::new(),
            rows: Vec::new(),
            last_step: None,
            verdicts: Vec::new(),
        }
    }

    /// Reads on from where it stopped in a file whose first column is the step. Rows that have not as many cells as the first
    /// line, or whose step does not come after the one before, are passed over.
    pub(super) fn read_on(&mut self, path: &Path) {
        self.next = read::lines(path, self.next, LARGEST, |line| self.take(&read::unquoted_cells(line)));
    }

    /// Adds a row; the first one names the columns.
    fn take(&mut self, cells: &[String]) {
        if self.names.is_empty() {
            self.verdict = cells.iter().position(|name| name == VERDICT);
            self.names = cells.iter().take(MOST_COLUMNS).cloned().collect();
            return;
        }
        let step = cells[0].parse::<u64>().ok().filter(|step| self.last_step.is_none_or(|last| *step > last));
        let Some(step) = step.filter(|_| cells.len().min(MOST_COLUMNS) == self.names.len()) else { return };
        self.last_step = Some(step);
        self.last = cells.iter().take(MOST_COLUMNS).map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
        let row = Rows::one(step, &self.last);
        match self.rows.last_mut().filter(|rows| rows.count < self.together) {
            Some(rows) => rows.add(&row),
            None => self.rows.push(row),
        }
        if self.rows.len() > self.most {
            self.rows = self.rows.chunks(2).map(Rows::sum).collect();
            self.together *= 2;
        }
        if let Some(words) = self.verdict.and_then(|column| cells.get(column)) {
            self.judge(step, words.trim());
        }
    }

    /// The names of all columns but the step, the epoch and the verdict.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().skip(1).map(String::as_str).filter(|name| !matches!(*name, "epoch" | VERDICT | ""))
    }

    /// The curve of a column; empty where there is none of that name, or no number in it.
    pub(super) fn curve(&self, name: &str) -> Vec<Point> {
        let Some(column) = self.names.iter().position(|known| known == name) else { return Vec::new() };
        let point = |rows: &Rows| {
            let Values { count, mean, low, high } = rows.columns[column];
            let [mean, low, high] = if count == 0 { [f64::NAN; 3] } else { [mean, low, high] };
            Point { step: rows.step, mean, low, high }
        };
        let curve: Vec<Point> = self.rows.iter().map(point).collect();
        if curve.iter().any(|point| point.mean.is_finite()) { curve } else { Vec::new() }
    }

    /// The last row's value of a column.
    pub(super) fn last(&self, name: &str) -> Option<f64> {
        let column = self.names.iter().position(|known| known == name)?;
        self.last.get(column).copied().filter(|value| value.is_finite())
    }

    /// The last row's step.
    pub(super) fn last_step(&self) -> Option<u64> {
        self.last_step
    }

    /// The verdicts in their order; none where none was ever given.
    pub(super) fn verdicts(&self) -> &[Verdict] {
        if self.verdicts.iter().all(|verdict| verdict.words.is_empty()) { &[] } else { &self.verdicts }
    }

    fn judge(&mut self, step: u64, words: &str) {
        let words: String = words.chars().take(LONGEST_VERDICT).collect();
        let full = self.verdicts.len() >= MOST_VERDICTS;
        match self.verdicts.last_mut() {
            Some(verdict) if verdict.words == words => verdict.last = step,
            // The last one stays that of the run's end.
            Some(verdict) if full => *verdict = Verdict { first: step, last: step, words },
            _ => self.verdicts.push(Verdict { first: step, last: step, words }),
        }
    }
}

impl Rows {
    fn one(step: u64, cells: &[f64]) -> Self {
        let values = |&cell: &f64| Values { count: u64::from(cell.is_finite()), mean: cell, low: cell, high: cell };
        Self { count: 1, step: step as f64, columns: cells.iter().map(values).collect() }
    }

    fn sum(parts: &[Self]) -> Self {
        let mut sum = parts[0].clone();
        parts[1..].iter().for_each(|part| sum.add(part));
        sum
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.step += (other.step - self.step) * (other.count as f64 / self.count as f64);
        for (values, others) in self.columns.iter_mut().zip(&other.columns) {
            values.add(others);
        }
    }
}

impl Values {
    fn add(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = *other;
            }
            return;
        }
        self.count += other.count;
        let share = other.count as f64 / self.count as f64;
        self.mean = self.mean * (1.0 - share) + other.mean * share;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn table(text: &str, most: usize) -> Table {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.csv");
        fs::write(&path, text).unwrap();
        let mut table = Table::new(most);
        table.read_on(&path);
        table
    }

    #[test]
    fn a_short_table_is_kept_as_it_is() {
        let table = table("step,epoch,loss\n4,1,0.5\n8,1,NaN\n12,2,-1e3\n", 10);
        assert_eq!(table.names().collect::<Vec<_>>(), ["loss"]);
        let curve = table.curve("loss");
        assert_eq!(curve[0], Point { step: 4.0, mean: 0.5, low: 0.5, high: 0.5 });
        assert!(curve[1].mean.is_nan() && curve[1].low.is_nan());
        assert_eq!((curve[2].mean, curve.len()), (-1e3, 3));
        assert_eq!((table.last("loss"), table.last_step(), table.last("missing")), (Some(-1e3), Some(12), None));
    }

    #[test]
    fn a_long_table_is_thinned_to_means_with_their_ranges() {
        let rows: String = (1..=1000).map(|step| format!("{step},{}\n", if step == 500 { 99 } else { 1 })).collect();
        let curve = table(&format!("step,loss\n{rows}"), 100).curve("loss");
        assert!((50..=100).contains(&curve.len()), "{}", curve.len());
        let highest: Vec<_> = curve.iter().filter(|point| point.high == 99.0).collect();
        assert!(highest.len() == 1 && (highest[0].step - 500.0).abs() < 20.0 && highest[0].low == 1.0, "{highest:?}");
        // Sixteen rows to a point: (15 + 99) / 16.
        assert!((highest[0].mean - 7.125).abs() < 1e-12, "{highest:?}");
    }

    #[test]
    fn a_table_that_grows_is_read_on() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.csv");
        let text: String = (1..=500).map(|step| format!("{step},{}\n", step % 7)).collect();
        let text = format!("step,loss\n{text}");
        let mut grown = Table::new(50);
        for bytes in (0..text.len()).step_by(97).chain([text.len()]) {
            fs::write(&path, &text[..bytes]).unwrap();
            grown.read_on(&path);
        }
        assert_eq!(grown.curve("loss"), table(&text, 50).curve("loss"));
        assert_eq!((grown.last_step(), grown.last("loss")), (Some(500), Some(3.0)));
    }

    #[test]
    fn broken_rows_are_passed_over() {
        let text = "step,loss\n1,1\nx,2\n2\n3,3,3\n-4,4\n,\n5,5\n5,6\n4,7\n6,abc\n7,inf\n8,8";
        let table = table(text, 10);
        let finite: Vec<_> = table.curve("loss").into_iter().filter(|point| point.mean.is_finite()).collect();
        assert_eq!(finite.iter().map(|point| point.mean).collect::<Vec<_>>(), [1.0, 5.0]);
        assert_eq!((table.last_step(), table.last("loss")), (Some(7), None));
    }

    #[test]
    fn nothing_gives_nothing() {
        for text in ["", "\n", "step", "step,loss\n", "\u{0}\u{1}", ",,,\n1,2,3,4\n", "step,loss\n1,nan\n"] {
            let table = table(text, 10);
            assert!(table.curve("loss").is_empty() && table.verdicts().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn verdicts_are_joined_while_they_stay_the_same() {
        let table = table("step,verdict\n0,\n1,healthy\n2,healthy\n3,\"D too strong, G starves\"\n", 10);
        let expected = [(0, 0, ""), (1, 2, "healthy"), (3, 3, "D too strong, G starves")];
        let found: Vec<_> = table.verdicts().iter().map(|v| (v.first, v.last, v.words.as_str())).collect();
        assert_eq!(found, expected);
    }
}
