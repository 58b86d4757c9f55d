//! Tables of text. Second opinion: the crate csv.

use std::fmt::Write;

use ::csv::{ReaderBuilder, Terminator};
use arbitrary::Unstructured;
use gannet::data::csv::{self, MAX_LINE};
use gannet::data::table::Table;

use super::memory::{Cap, within};
use super::{ORIGIN, is_told, origin};

/// A cell of a line takes 24 bytes and may have one in the file; a growing list takes three times its length.
const CAP: Cap = Cap { each: 80, fixed: 64 << 10 };

pub fn check(input: &[u8]) -> bool {
    let parsed = within(CAP, input.len(), || csv::parse(input, origin()));
    match &parsed {
        Ok(table) => {
            assert!(input.len() <= MAX_LINE || input.contains(&b'\n'));
            agrees(table, input);
        }
        Err(error) => is_told(error, &["line ", "holds no numbers", "holds a header"]),
    }
    written_reads_back(input);
    parsed.is_ok()
}

/// Asserts that the crate csv, which passes over a byte order mark, too, finds the same names and numbers.
fn agrees(table: &Table, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // Between a quote and the delimiter the crate leaves blanks alone.
    if text.contains('"') && text.contains([' ', '\t', '\r']) {
        return;
    }
    let rows = [b',', b';', b'\t'].into_iter().find_map(|delimiter| {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(text.as_bytes());
        let rows: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.expect("text").iter().map(|cell| cell.trim().to_string()).collect())
            // Empty lines are no rows; blanks alone are none before the delimiter is known.
            .filter(|row: &Vec<String>| row.len() > 1 || !row[0].is_empty())
            .skip_while(|row| row.iter().all(String::is_empty))
            .collect();
        let fits = rows.iter().all(|row| row.len() == table.columns);
        (fits && rows.len() == table.rows() + usize::from(table.names.is_some())).then_some(rows)
    });
    let rows = rows.unwrap_or_else(|| panic!("the crate csv finds no {} columns", table.columns));
    if let Some(names) = &table.names {
        assert_eq!(&rows[0], names, "{ORIGIN}");
    }
    let numbers = rows.iter().skip(usize::from(table.names.is_some())).flatten();
    for (cell, value) in numbers.zip(&table.values) {
        let read: f64 = cell.parse().expect("a number");
        assert_eq!(read.to_bits(), value.to_bits());
        assert!(read.is_finite());
    }
}

/// A table made of `input` and written with any delimiter, line end and quotes reads back.
fn written_reads_back(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let mut pick = |most| source.int_in_range(0..=most).unwrap_or_default();
    let (rows, columns, names, quotes, returns) = (1 + pick(4), 1 + pick(4), pick(1) == 1, pick(1) == 1, pick(1) == 1);
    let delimiter = [',', ';', '\t'][pick(2)];
    let end = if returns { "\r\n" } else { "\n" };
    let mut values = Vec::new();
    for _ in 0..rows * columns {
        let value = source.arbitrary::<f64>().unwrap_or_default();
        values.push(if value.is_finite() { value } else { 0.0 });
    }
    let names = names.then(|| {
        let name = |index| format!("n{index}{}", if quotes { "\"" } else { "" });
        (0..columns).map(name).collect::<Vec<String>>()
    });
    let mut text = String::new();
    let mut put = |cells: &mut dyn Iterator<Item = String>| {
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                text.push(delimiter);
            }
            if quotes {
                write!(text, "\"{}\"", cell.replace('"', "\"\"")).expect("memory takes everything");
            } else {
                text += &cell;
            }
        }
        text += end;
    };
    if let Some(names) = &names {
        put(&mut names.iter().cloned());
    }
    for row in values.chunks(columns) {
        put(&mut row.iter().map(|value| format!("{value:?}")));
    }
    let table = csv::parse(text.as_bytes(), origin()).expect("a table that was written");
    assert_eq!((&table.names, table.columns), (&names, columns));
    assert!(table.values.iter().zip(&values).all(|(read, value)| read.to_bits() == value.to_bits()));
    assert_eq!(table.values.len(), values.len());
}
