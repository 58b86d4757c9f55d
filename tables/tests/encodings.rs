//! Bytes of every encoding and line end, and where a file says late what it is.

mod common;

use common::{is_noted, names, refused, row, table, with, written};
use gannet_tables::{Encoding, Input, LineEnd, ReadOptions, SettingNames, Value, read};

const TEXT: &str = "Größe;n\n1,5;3\n2,25;5\n0,5;8\n";

fn utf16(text: &str, is_little: bool, has_mark: bool) -> Vec<u8> {
    let units = has_mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn every_encoding_and_line_end_comes_back() {
    for end in ["\n", "\r\n", "\r"] {
        for is_ended in [true, false] {
            let text = TEXT.replace('\n', end);
            let text = if is_ended { text.as_str() } else { text.trim_end() };
            let latin1: Vec<u8> = text.chars().map(|character| character as u8).collect();
            for (bytes, encoding) in [
                (text.as_bytes().to_vec(), Encoding::Utf8),
                ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8),
                (utf16(text, true, true), Encoding::Utf16Le),
                (utf16(text, false, true), Encoding::Utf16Be),
                (utf16(text, true, false), Encoding::Utf16Le),
                (utf16(text, false, false), Encoding::Utf16Be),
                (latin1, Encoding::Windows1252),
            ] {
                let table = table(&bytes);
                assert_eq!(
                    (names(&table), row(&table, 2)[0]),
                    (vec!["Größe", "n"], Value::Number(0.5)),
                    "{encoding:?}"
                );
                assert_eq!(table.form().dialect.encoding, encoding);
                assert_eq!(written(&table), bytes, "{encoding:?} {end:?}");
                assert_eq!(is_noted(&table, "Windows-1252"), encoding == Encoding::Windows1252);
            }
        }
    }
    assert_eq!(table("x,y\r1.5,2\r").form().dialect.line_end, LineEnd::Return);
}

#[test]
fn a_byte_far_behind_the_first_lines_tells_the_encoding() {
    let mut bytes = b"city,x\n".to_vec();
    for row in 0..60_000 {
        bytes.extend_from_slice(format!("{},{row}.5\n", ["Paris", "Rome"][row % 2]).as_bytes());
    }
    bytes.extend_from_slice(b"K\xf6ln,1.5\n");
    let table = table(&bytes);
    assert!(is_noted(&table, "Windows-1252") && table.form().columns[0].categories() == 3);
    assert_eq!(written(&table), bytes);
    let told = refused(&bytes, &ReadOptions::default().with_encoding(Encoding::Utf8));
    assert!(told.contains("not UTF-8 throughout; name its encoding"), "{told}");
    let greek = with(&bytes, &ReadOptions::default().with_encoding(Encoding::named("iso-8859-7")));
    assert!(!is_noted(&greek, "Windows-1252"));
}

#[test]
fn an_encoding_that_the_bytes_contradict_is_refused() {
    let options = |encoding| ReadOptions::default().with_encoding(encoding).with_setting_names(SettingNames::Options);
    let told = refused(TEXT, &options(Encoding::Utf16Le));
    assert!(
        told.contains("is in UTF-8, not in UTF-16 (little-endian)") && told.contains("leave the encoding out"),
        "{told}"
    );
    let told = refused(b"K\xf6ln;n\n1,5;3\n", &options(Encoding::Utf16Le));
    assert!(told.contains("is in Windows-1252 (Latin-1), not in UTF-16 (little-endian)"), "{told}");
    for mark in [false, true] {
        let told = refused(utf16(TEXT, true, mark), &options(Encoding::Utf8));
        assert!(told.contains("is in UTF-16 (little-endian), not in UTF-8") && told.contains("--encoding"), "{told}");
        refused(utf16(TEXT, true, mark), &options(Encoding::Utf16Be));
        assert_eq!(with(utf16(TEXT, true, mark), &options(Encoding::Utf16Le)).rows(), 3);
    }
    let utf32 = |is_little: bool, mark: bool| -> Vec<u8> {
        let letters = mark.then_some('\u{feff}').into_iter().chain(TEXT.chars()).map(u32::from);
        letters.flat_map(|letter| if is_little { letter.to_le_bytes() } else { letter.to_be_bytes() }).collect()
    };
    for bytes in [utf32(true, true), utf32(false, true), utf32(true, false), utf32(false, false)] {
        let told = refused(bytes, &ReadOptions::default());
        assert!(told.contains("is in UTF-32") && told.contains("save it as UTF-8"), "{told}");
    }
}

/// A byte order mark is no text, whatever the encoding.
#[test]
fn a_byte_order_mark_is_in_no_name() {
    let bytes = b"\xef\xbb\xbfcity,x\nK\xf6ln,1.5\nBonn,2.5\n";
    for encoding in ["latin1", "iso-8859-15", "iso-8859-1"] {
        let table = with(bytes, &ReadOptions::default().with_encoding(Encoding::named(encoding)));
        assert_eq!((names(&table), table.rows()), (vec!["city", "x"], 2), "{encoding}");
        let names = with(&bytes[3..], &ReadOptions::default().with_encoding(Encoding::named(encoding)));
        assert_eq!((table.form(), table.columns()), (names.form(), names.columns()), "{encoding}");
    }
    // Of a shorter file than a mark nothing is lost.
    assert_eq!(table("7").rows(), 1);
    assert_eq!(
        names(&with(b"\xef\xbb\n1\n2\n", &ReadOptions::default().with_encoding(Encoding::Windows1252))),
        ["\u{ef}\u{bb}"]
    );
}

#[test]
fn a_delimiter_that_no_line_has_is_told() {
    use gannet_tables::{Delimiter, Note};
    let given = |text: &str, delimiter: Delimiter| {
        let options = ReadOptions::default().with_delimiter(delimiter).with_setting_names(SettingNames::Options);
        read(&Input::bytes("t.csv", text), &options).map_err(|error| error.to_string())
    };
    let tab = Delimiter::Char('\t');
    let text: String = (0..20).map(|row| format!("place {row};{}.5\n", row * 7 % 20)).collect();
    let text = format!("city;price\n{text}");
    let message = "t.csv: no line has the delimiter that was asked for (tab); the file seems to have another (semicolon); \
                   correct it by --delimiter, or leave it out";
    assert_eq!(given(&text, tab).unwrap_err(), message);
    assert_eq!(given(&text, Delimiter::Char(';')).unwrap().columns().len(), 2);
    // A column of texts that come again can be learned, and so can numbers that have the sign in them.
    let again = given(&("a;b\n".to_string() + &"x;y\nx;z\n".repeat(20)), tab).unwrap();
    assert!(again.notes().iter().any(|note| matches!(note, Note::NoDelimiter { .. })), "{:?}", again.notes());
    for (text, delimiter) in [("1,5\n2,5\n3,25\n", Delimiter::Char(';')), ("x\n1.5\n2.5\n", tab)] {
        let table = given(text, delimiter).unwrap();
        assert_eq!((table.columns().len(), table.notes()), (1, &[][..]), "{text}");
    }
}

#[test]
fn compressed_tables_are_recognized_by_their_bytes() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(TEXT.as_bytes()).unwrap();
    let packed = read(&Input::bytes("any.name", packed.finish().unwrap()), &ReadOptions::default()).unwrap();
    assert_eq!((packed.columns(), written(&packed)), (table(TEXT).columns(), TEXT.as_bytes().to_vec()));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    use gannet_tables::{Comments, Delimiter};
    let options = ReadOptions::default();
    for options in [
        options.clone().with_delimiter(Delimiter::Char('a')),
        options.clone().with_delimiter(Delimiter::Char('é')),
        options.clone().with_decimal('x'),
        options.clone().with_encoding(Encoding::Other("nonsense".into())),
        options.with_comments(Comments::Begin('1')),
    ] {
        let error = read(&Input::bytes("t", TEXT), &options).unwrap_err();
        assert!(matches!(error, gannet::Error::InvalidSetting { .. }), "{error}");
    }
}
