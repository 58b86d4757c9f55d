//! Tables in Markdown, for documents that programs write.

/// The head of a table: titles, of which the first `left` stand over words and the others over numbers.
pub fn head<T: AsRef<str>>(titles: &[T], left: usize) -> String {
    let rules = (0..titles.len()).map(|column| if column < left { "---|" } else { "---:|" });
    format!("{}\n|{}", row(titles), rules.collect::<String>())
}

/// A row of a table.
pub fn row<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: String = cells.iter().map(|cell| format!(" {} |", cell.as_ref())).collect();
    // An empty cell is one space wide.
    format!("|{cells}").replace("|  |", "| |").replace("|  |", "| |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_rows_have_the_same_columns() {
        assert_eq!(head(&["preset", "batch", "rate"], 1), "| preset | batch | rate |\n|---|---:|---:|");
        assert_eq!(row(&["a", "", "", "", "1"]), "| a | | | | 1 |");
    }
}
