//! What must hold of the reader and the writer for any bytes at all. The tests on stable Rust and the fuzz target call it.
#![allow(unreachable_pub, reason = "the fuzz target reaches it too")]

use gannet_tables::{Comments, Domain, Form, Input, Kind, ReadOptions, Table, Value, Writer, read, read_as};

/// Reads `input` as a table; whether it is one. It panics where the reader or the writer does, where a message is not one readable line,
/// and where rows that were written do not read back as the same values.
pub fn check(input: &[u8]) -> bool {
    let table = match read(&Input::bytes("input", input), &ReadOptions::default()) {
        Ok(table) => table,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control) && message.len() < 10_000, "{message:?}");
            return false;
        }
    };
    for note in table.notes() {
        let note = note.to_string();
        assert!(!note.contains(char::is_control) && note.len() < 10_000, "{note:?}");
    }
    let stored = serde_json::to_string(table.form()).expect("a form that can be stored");
    let form: Form = serde_json::from_str(&stored).expect("a form that was stored");
    assert_eq!(&form, table.form());
    let written = rows(&table, &form);
    // A row of nothing but what is left out is blank, and a header in a comment is none to a reader that is told of one.
    let is_left_out = form
        .columns
        .iter()
        .any(|column| matches!(column.kind, Kind::Identifier | Kind::FreeText) || column.domain == Domain::Nothing);
    let is_comment = form.dialect.header.as_ref().is_some_and(|header| !header.prefix.is_empty());
    if !is_left_out && !is_comment {
        reads_back(&table, &form, &written);
    }
    true
}

/// The rows of a table as its form writes them.
fn rows(table: &Table, form: &Form) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), form).expect("a form of a table");
    let mut values = vec![Value::Missing; table.columns().len()];
    for row in 0..table.rows() {
        table.row(row, &mut values);
        writer.write_row(&values).expect("a row of the table");
    }
    writer.finish().expect("memory takes everything")
}

/// Asserts that `written` has the values of `table`, whether the reader is told of a header or not.
fn reads_back(table: &Table, form: &Form, written: &[u8]) {
    let options = ReadOptions::default()
        .with_delimiter(form.dialect.delimiter)
        .with_encoding(form.dialect.encoding.clone())
        .with_comments(form.dialect.comment.map_or(Comments::None, Comments::Begin));
    has_values(table, form, written, &options.clone().with_header(form.dialect.header.is_some()));
    if form.dialect.header.is_some() {
        has_values(table, form, written, &options);
    }
}

fn has_values(table: &Table, form: &Form, written: &[u8], options: &ReadOptions) {
    let text = || String::from_utf8_lossy(written);
    let again = read_as(&Input::bytes("written", written), form, options)
        .unwrap_or_else(|error| panic!("{error} in {:?} of {form:?}", text()));
    assert_eq!(again.rows(), table.rows(), "{:?} of {form:?}", text());
    for row in 0..table.rows() {
        for (column, (one, other)) in table.columns().iter().zip(again.columns()).enumerate() {
            let (one, other) = (one.value(row), other.value(row));
            assert_eq!(one, other, "row {row}, column {column} of {:?} of {form:?}", text());
        }
    }
}
