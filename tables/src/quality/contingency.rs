//! How alike the joint shares of two columns of codes are in two tables: SDMetrics' `ContingencySimilarity`.

/// How often two codes meet in a row of a table.
pub(crate) struct Contingency {
    /// Pairs of codes as one number, `first * width + second`, in order, each with its rows.
    cells: Vec<(u32, u32)>,
    width: u32,
    rows: usize,
}

impl Contingency {
    /// Counts the pairs of codes. The codes of `first` and `second` are below their widths.
    pub(crate) fn of(first: &[u16], second: &[u16], widths: [u16; 2]) -> Self {
        let width = u32::from(widths[1]);
        let cell = |(&first, &second): (&u16, &u16)| u32::from(first) * width + u32::from(second);
        let found = first.iter().zip(second).map(cell);
        let rows = first.len().min(second.len());
        let possible = usize::from(widths[0]) * usize::from(widths[1]);
        // A count for each possible pair, unless these are many more than rows; then sorting takes less memory.
        let cells = if possible <= rows.saturating_mul(4).max(4096) {
            let mut counts = vec![0u32; possible];
            for cell in found {
                if let Some(count) = counts.get_mut(cell as usize) {
                    *count += 1;
                }
            }
            (0..).zip(counts).filter(|(_, count)| *count > 0).collect()
        } else {
            let mut sorted: Vec<u32> = found.collect();
            sorted.sort_unstable();
            sorted.chunk_by(|one, two| one == two).map(|same| (same[0], same.len() as u32)).collect()
        };
        Self { cells, width, rows }
    }

    /// `ContingencySimilarity`: 1 less half the sum of the differences of the shares of all pairs; `None` where a table has no rows.
    pub(crate) fn similarity(&self, other: &Self) -> Option<f64> {
        if self.rows == 0 || other.rows == 0 {
            return None;
        }
        let (mut mine, mut theirs) = (self.cells.iter().peekable(), other.cells.iter().peekable());
        let mut differences = 0u128;
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(one), Some(two)) => one.0.min(two.0),
                (Some(one), None) => one.0,
                (None, Some(two)) => two.0,
                (None, None) => break,
            };
            let count = |cell: Option<&(u32, u32)>| cell.map_or(0, |cell| u64::from(cell.1));
            let one = count(mine.next_if(|cell| cell.0 == next));
            let two = count(theirs.next_if(|cell| cell.0 == next));
            // In whole numbers, so that equal shares have no difference at all.
            let difference = i128::from(one) * other.rows as i128 - i128::from(two) * self.rows as i128;
            differences += difference.unsigned_abs();
        }
        Some(1.0 - 0.5 * (differences as f64 / (self.rows as f64 * other.rows as f64)))
    }

    /// Cramér's V, in 0 .. 1, without Yates' correction; `None` where either column has fewer than two codes.
    pub(crate) fn association(&self) -> Option<f64> {
        let split = |cell: u32| ((cell / self.width.max(1)) as usize, (cell % self.width.max(1)) as usize);
        let height = self.cells.last().map_or(0, |(cell, _)| split(*cell).0 + 1);
        let (mut firsts, mut seconds) = (vec![0.0f64; height], vec![0.0f64; self.width as usize]);
        for &(cell, count) in &self.cells {
            let (first, second) = split(cell);
            firsts[first] += f64::from(count);
            seconds[second] += f64::from(count);
        }
        let used = |counts: &[f64]| counts.iter().filter(|count| **count > 0.0).count();
        let least = used(&firsts).min(used(&seconds));
        if least < 2 {
            return None;
        }
        let share = |&(cell, count): &(u32, u32)| {
            let (first, second) = split(cell);
            f64::from(count) / firsts[first] * (f64::from(count) / seconds[second])
        };
        let phi_squared = (self.cells.iter().map(share).sum::<f64>() - 1.0).max(0.0);
        Some((phi_squared / (least - 1) as f64).sqrt().min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contingencies_of_known_columns() {
        // Once by counts, and once by sorting.
        for widths in [[3, 3], [4098, 4098]] {
            let table = |first: &[u16], second: &[u16]| Contingency::of(first, second, widths);
            let real = table(&[0, 0, 1, 1], &[0, 0, 1, 2]);
            assert_eq!(real.similarity(&table(&[1, 0, 1, 0], &[2, 0, 1, 0])), Some(1.0));
            assert_eq!(real.similarity(&table(&[2, 2], &[0, 1])), Some(0.0));
            assert_eq!(real.similarity(&table(&[0, 1], &[0, 0])), Some(0.5));
            assert_eq!(real.similarity(&table(&[], &[])), None);
            assert!(real.association().is_some_and(|v| (v - 1.0).abs() <= 1e-12));
            assert!(table(&[0, 0, 1, 1], &[0, 1, 0, 1]).association().is_some_and(|v| v <= 1e-7));
            assert_eq!((table(&[1, 1], &[0, 1]).association(), table(&[], &[]).association()), (None, None));
        }
    }
}
