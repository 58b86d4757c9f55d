//! What the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::path::PathBuf;

use gannet_tables::{Form, Input, Kind, Note, ReadOptions, Table, Value, Writer, read};

/// A file of `tests/data`.
pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The table that text is.
pub fn table(text: impl AsRef<[u8]>) -> Table {
    with(text, &ReadOptions::default())
}

/// The table that text is with these options.
pub fn with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Table {
    read(&Input::bytes("t.csv", text.as_ref()), options).unwrap_or_else(|error| panic!("{error}"))
}

/// The message that refuses a text.
pub fn refused(text: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    let error = read(&Input::bytes("t.csv", text.as_ref()), options).expect_err("a text that is refused");
    let message = error.to_string();
    assert!(!message.contains('\n') && message.len() < 400, "{message}");
    message
}

/// The kinds of all columns.
pub fn kinds(table: &Table) -> Vec<Kind> {
    table.form().columns.iter().map(|column| column.kind).collect()
}

/// The names of all columns.
pub fn names(table: &Table) -> Vec<&str> {
    table.form().columns.iter().map(|column| column.name.as_str()).collect()
}

/// The values of a row.
pub fn row(table: &Table, row: usize) -> Vec<Value> {
    let mut values = vec![Value::Missing; table.columns().len()];
    table.row(row, &mut values);
    values
}

/// The rows of a table as a form writes them.
pub fn written_as(table: &Table, form: &Form) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), form).unwrap();
    for index in 0..table.rows() {
        writer.write_row(&row(table, index)).unwrap();
    }
    writer.finish().unwrap()
}

/// The table as its own form writes it.
pub fn written(table: &Table) -> Vec<u8> {
    written_as(table, table.form())
}

/// Whether a note's text holds a part.
pub fn is_noted(table: &Table, part: &str) -> bool {
    table.notes().iter().map(Note::to_string).any(|note| note.contains(part))
}
