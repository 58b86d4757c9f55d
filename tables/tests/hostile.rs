//! Files made to break a reader: it refuses them in bounded memory, or reads what is there.

mod common;

use std::io::Write;

use common::{refused, table, with, written};
use flate2::Compression;
use flate2::write::GzEncoder;
use gannet::Error;
use gannet_tables::{Domain, Form, Input, ReadOptions, Value, Writer, read};

/// `text` so many times behind `start`, compressed.
fn bomb(start: &[u8], text: &[u8], times: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(start).unwrap();
    (0..times).for_each(|_| packed.write_all(text).unwrap());
    packed.finish().unwrap()
}

#[test]
fn long_lines_open_quotes_and_too_many_columns_end_soon() {
    let options = ReadOptions::default();
    // Of what is behind a quote, a mebibyte is read.
    let quote = refused(bomb(b"x,y\n1,\"", &vec![b'a'; 1 << 20], 64), &options);
    assert!(quote.contains("line 2 is longer than 1048576 bytes; close its quote"), "{quote}");
    let line = refused(vec![b'1'; 3 << 20], &options);
    assert!(line.contains("line 1 is longer than"), "{line}");
    let columns = refused("1,".repeat(500_000), &options);
    assert!(columns.contains("more than 16384 columns"), "{columns}");
    assert_eq!(table("1,".repeat(16_383) + "1").columns().len(), 16_384);
}

#[test]
fn a_file_that_expands_takes_no_more_than_the_limit() {
    let packed = bomb(b"x;y\n", &b"1.5;2.5\n2.5;7.5\n".repeat(1 << 10), 200);
    let limited = ReadOptions::default().with_memory_limit(1 << 19);
    let error = read(&Input::bytes("t.csv.gz", packed.clone()), &limited).unwrap_err();
    assert!(matches!(error, Error::MemoryLimit { limit: 0x8_0000, .. }), "{error}");
    let cut = Input::bytes("t.csv.gz", &packed[..packed.len() / 2]);
    assert!(read(&cut, &ReadOptions::default()).unwrap_err().to_string().contains("damaged gzip data"));
}

#[test]
fn distinct_texts_take_bounded_memory() {
    let mut text = String::from("x;y\n");
    (0..100_000).for_each(|row| text += &format!("value number {row};{}.5\n", row % 7));
    let limited = ReadOptions::default().with_memory_limit(1 << 18);
    let held = Input::bytes("t", text.clone());
    assert!(matches!(read(&held, &limited), Err(Error::MemoryLimit { .. })));
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("t.csv");
    std::fs::write(&path, &text).unwrap();
    // Those that are forgotten take no memory: the text is 3 MB long, and 8,192 of its cells are remembered at a time.
    let small = ReadOptions::default().with_memory_limit(1 << 19);
    assert!(matches!(read(&Input::file(&path), &small), Err(Error::MemoryLimit { .. })));
    let enough = ReadOptions::default().with_memory_limit(1 << 20);
    assert_eq!(read(&Input::file(path), &enough).unwrap().rows(), 100_000);
}

#[test]
fn no_truncation_and_no_flipped_bit_is_a_panic() {
    let good = "# made by hand\n\"day\";zip;\"a \"\"b\"\"\";share\r\n05.01.2024;01234;\"x;y\";1.234,5\n06.01.2024;99999;z;NA\n\
                07.01.2024;00007;z;0,25\n08.01.2024;;z;12,5\n";
    assert_eq!(table(good).rows(), 4);
    let check = |bytes: &[u8]| match read(&Input::bytes("t", bytes), &ReadOptions::default()) {
        Ok(table) => assert!(!written(&table).is_empty()),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    };
    for end in 0..good.len() {
        check(&good.as_bytes()[..end]);
    }
    for bit in 0..8 * good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(&bytes);
    }
}

/// A form comes from a file, too.
#[test]
fn stored_forms_are_checked() {
    let text = "day;n;x;c\n05.01.2024;7;1.234,5;red\n16.01.2024;9;0,25;blue\n16.01.2024;8;0,5;red\n";
    let table = table(text);
    let stored = serde_json::to_string(table.form()).unwrap();
    let values = [Value::Date(i64::MAX), Value::Integer(i64::MIN), Value::Number(f64::MAX), Value::Category(u32::MAX)];
    let mut written = 0;
    for (place, _) in stored.match_indices(|character: char| character.is_ascii_digit()) {
        for number in ["255", "65535", "0", "-1", "9223372036854775807", "1e300"] {
            let changed = format!("{}{number}{}", &stored[..place], &stored[place + 1..]);
            let Ok(form) = serde_json::from_str::<Form>(&changed) else { continue };
            let Ok(mut writer) = Writer::new(Vec::new(), &form) else { continue };
            writer.write_row(&values).unwrap();
            assert!(writer.finish().unwrap().len() < 100_000);
            written += 1;
        }
    }
    assert!(written > 50, "{written}");
    let mut form = table.form().clone();
    form.dialect.delimiter = gannet_tables::Delimiter::Char('a');
    assert!(form.validate().is_err());
    form = table.form().clone();
    form.columns[0].domain = Domain::Nothing;
    assert!(Writer::new(Vec::new(), &form).is_err());
}

#[test]
fn a_writer_takes_any_value() {
    let table = table("day;n;x;c\n05.01.2024;7;1,5;red\n16.01.2024;;0,25;blue\n16.01.2024;9;0,5;red\n");
    let mut writer = Writer::new(Vec::new(), table.form()).unwrap();
    writer.write_row(&[Value::Number(1.0), Value::Number(6.6), Value::Number(f64::NAN), Value::Generated]).unwrap();
    writer.write_row(&[Value::Missing, Value::Missing, Value::Integer(3), Value::Category(1)]).unwrap();
    assert!(matches!(writer.write_row(&[Value::Missing]), Err(Error::Shape { .. })));
    assert_eq!(writer.finish().unwrap(), b"day;n;x;c\n;7;;\n;;3,0;blue\n".to_vec());
}

#[test]
fn names_cannot_spoil_a_message() {
    let name = "x\u{1b}[2J".repeat(100);
    let rows: String =
        (0..40).map(|row| format!("{},2\n", if row == 9 { "a\tb".into() } else { format!("{row}.5") })).collect();
    let message = refused(
        format!("\"{name}\",y\n{rows}"),
        &ReadOptions::default().with_delimiter(gannet_tables::Delimiter::Char(',')),
    );
    assert!(!message.contains(char::is_control), "{message}");
    let long = with(format!("\"{}\"\n1\n2\n", "n".repeat(100_000)), &ReadOptions::default());
    assert_eq!(long.rows(), 2);
}

#[test]
fn many_columns_of_many_texts_share_the_memory() {
    let columns = 4_000;
    let row = |row: usize| (0..columns).map(|column| format!("t{}", row * 31 + column)).collect::<Vec<_>>().join(",");
    let text: String = (0..150).map(|index| row(index) + "\n").collect();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("wide.csv");
    std::fs::write(&path, text).unwrap();
    // 262,144 texts of some 50 bytes each, and what the columns take beside them.
    let options = ReadOptions::default().with_header(false).with_memory_limit(40 << 20);
    assert_eq!(read(&Input::file(path), &options).unwrap().rows(), 150);
}
