//! Arrays of every type as tables, and their texts.

use super::*;
use crate::table::Value;

const NAN: f64 = f64::NAN;

/// Twenty rows: a counter, two values, few with a gap, whole numbers, others, one value, none.
fn numbers() -> Vec<f64> {
    let row = |row: u32| {
        let x = f64::from(row);
        let few = if row == 7 { NAN } else { f64::from(row % 3) + 0.5 };
        [x, f64::from(row % 2), few, (x * x) % 17.0 * 5.0, x.sin(), 3.0, NAN]
    };
    (0..20).flat_map(row).collect()
}

#[test]
fn kinds_are_told() {
    let table = Table::of_numbers(None, 7, &numbers()[..], &ReadOptions::default()).unwrap();
    let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
    let expected = [
        Kind::Counter,
        Kind::Boolean,
        Kind::Categorical,
        Kind::Categorical,
        Kind::Continuous,
        Kind::Constant,
        Kind::Constant,
    ];
    // The squares have nine values, each not five times.
    assert_eq!((&kinds[..3], kinds[3], &kinds[4..]), (&expected[..3], Kind::Integer, &expected[4..]));
    assert_eq!(table.form().columns[0].name, "column_1");
    assert_eq!((table.columns()[2].value(7), table.columns()[2].value(8)), (Value::Missing, Value::Category(2)));
    assert_eq!(table.columns()[3].value(5), Value::Integer(40));
    assert_eq!(table.notes().len(), 3, "{:?}", table.notes());
}

#[test]
fn options_and_names_count() {
    let headings: Vec<String> = "abcdefg".chars().map(String::from).collect();
    let options = ReadOptions::default().with_kind("d", Kind::Categorical).with_drop(vec!["e".to_string()]);
    let table = Table::of_numbers(Some(&headings), 7, &numbers()[..], &options).unwrap();
    assert_eq!((table.form().columns.len(), table.form().columns[3].kind), (6, Kind::Categorical));
    for (options, part) in [
        (ReadOptions::default().with_kind("e", Kind::Integer), "row 2 has 0.8414709848078965, which is no whole"),
        (ReadOptions::default().with_kind("e", Kind::Date), "no dates"),
        (ReadOptions::default().with_kind("d", Kind::Boolean), "two values"),
        (ReadOptions::default().with_drop(vec!["z".to_string()]), "has no column `z`"),
    ] {
        let problem = Table::of_numbers(Some(&headings), 7, &numbers()[..], &options).unwrap_err().to_string();
        assert!(problem.contains(part), "{problem}");
    }
    for (columns, values) in [(0, vec![]), (2, vec![1.0; 3]), (1, vec![1.0, f64::INFINITY])] {
        assert!(Table::of_numbers(None, columns, &values[..], &ReadOptions::default()).is_err());
    }
}

#[test]
fn names_tell_numbers_of_rows_from_values() {
    let values: Vec<f64> = (0..40).map(|row| f64::from(5 + row * 7 % 40)).collect();
    let column = |name: &str, options: &ReadOptions| {
        let table =
            Table::of_numbers(Some(&[name.to_string(), "y".to_string()]), 2, &both(&values)[..], options).unwrap();
        (table.form().columns[0].kind, table.form().columns[0].domain.clone())
    };
    let counter = Domain::Counter { first: 5, width: 0 };
    assert_eq!(column("user_id", &ReadOptions::default()), (Kind::Identifier, counter.clone()));
    assert_eq!(column("score", &ReadOptions::default()).0, Kind::Integer);
    let asked = ReadOptions::default().with_kind("score", Kind::Identifier);
    assert_eq!(column("score", &asked), (Kind::Identifier, counter));
}

/// Rows of these values and their squares.
fn both(values: &[f64]) -> Vec<f64> {
    values.iter().flat_map(|value| [*value, value * value]).collect()
}

#[test]
fn numbers_become_the_columns_of_a_form() {
    let headings: Vec<String> = "abcdefg".chars().map(String::from).collect();
    let table = Table::of_numbers(Some(&headings), 7, &numbers()[..], &ReadOptions::default()).unwrap();
    let form = table.form();
    let same = Table::of_numbers_as(None, 7, &numbers()[..], form).unwrap();
    assert_eq!((same.columns(), same.notes()), (table.columns(), &[Note::ByPosition][..]));
    // Another order, a value that is not known, and another constant.
    let turned: Vec<String> = headings.iter().rev().cloned().collect();
    let mut values: Vec<f64> = numbers().chunks(7).flat_map(|row| row.iter().rev().copied()).collect();
    (values[4], values[1]) = (99.0, 4.0);
    let other = Table::of_numbers_as(Some(&turned), 7, &values[..], form).unwrap();
    assert_eq!((other.columns()[3].value(5), other.columns()[2].value(0)), (Value::Integer(40), Value::Category(3)));
    let told: Vec<String> = other.notes().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(Table::of_numbers_as(None, 1, &[1.0][..], form).is_err());
    assert!(Table::of_numbers_as(Some(&["z".to_string()]), 1, &[1.0][..], form).is_err());
}

fn text(format: &NumberFormat, number: f64) -> String {
    let mut out = Vec::new();
    format.write(number, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn numbers_are_written_as_short_as_they_read_back() {
    let doubles = [
        0.1,
        -1_234.567_890_123,
        2.5e-9,
        0.0,
        -0.0,
        1e20,
        0.1 + 0.2,
        1_700_000_000.123_456_7,
        0.000_123_456_789_012_345_67,
    ]
    .map(|number| text(&format(), number));
    let expected = [
        "0.1",
        "-1234.567890123",
        "2.5e-09",
        "0",
        "-0",
        "1e+20",
        "0.30000000000000004",
        "1700000000.1234567",
        "0.00012345678901234567",
    ];
    assert_eq!(doubles, expected);
    let single = NumberFormat { is_single: true, ..format() };
    let singles = [0.1f32, 16_777_216.0, 3.4e38, 1.2e-40, -0.333_333_34].map(|number| text(&single, f64::from(number)));
    assert_eq!(singles, ["0.1", "16777216", "3.4e+38", "1.2e-40", "-0.33333334"]);
    // Numbers that are made lie between those of 32 bits, or beyond them.
    assert_eq!((text(&single, 0.1), text(&single, 1e300)), ("0.1".to_string(), "1e+300".to_string()));
    // Any number, from its bits.
    let mut state = 1u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (double, float) = (f64::from_bits(state), f32::from_bits((state >> 32) as u32));
        if double.is_finite() {
            let shown = text(&format(), double);
            let read = format().read(shown.as_bytes()).unwrap();
            assert_eq!(
                (shown.parse::<f64>().unwrap().to_bits(), read.to_bits()),
                (double.to_bits(), double.to_bits()),
                "{shown}"
            );
        }
        if float.is_finite() {
            let shown = text(&single, f64::from(float));
            let read = single.read(shown.as_bytes()).unwrap();
            assert_eq!((shown.parse::<f32>().unwrap().to_bits(), read), (float.to_bits(), f64::from(float)), "{shown}");
        }
    }
}

/// The rows of a table as text without the header, and what that is read as.
fn written(table: &Table) -> (String, Table) {
    let mut writer = crate::Writer::new(Vec::new(), table.form()).unwrap();
    let mut row = vec![Value::Missing; table.columns().len()];
    for index in 0..table.rows() {
        table.row(index, &mut row);
        writer.write_row(&row).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let again = crate::read_as(&crate::Input::bytes("t.csv", bytes.clone()), table.form(), &ReadOptions::default());
    let text = String::from_utf8(bytes).unwrap();
    (text.split_once('\n').unwrap().1.to_string(), again.unwrap())
}

#[test]
fn elements_of_every_type_come_back_from_their_texts() {
    const WIDE: i64 = 1 << 53;
    let wide: Vec<i64> =
        (0..40).flat_map(|row| [WIDE - 20 + row * row % 41, i64::MAX - row % 3, i64::MIN + row]).collect();
    let table = Table::of_numbers(None, 3, &wide[..], &ReadOptions::default()).unwrap();
    let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds, [Kind::Integer, Kind::Categorical, Kind::Integer]);
    let (text, again) = written(&table);
    let cells: Vec<i64> = text.split([',', '\n']).filter_map(|cell| cell.parse().ok()).collect();
    assert_eq!((&cells, again.columns()), (&wide, table.columns()), "{text}");
    let known = Table::of_numbers_as(None, 3, &wide[..], table.form()).unwrap();
    assert_eq!(known.columns(), table.columns());

    // A fraction that no float has, in few values and in many, and one alone.
    let floats: Vec<f32> = (0..60).flat_map(|row| [0.1 * (row % 3) as f32, 0.1 + (row as f32).sin(), 0.7]).collect();
    let widened: Vec<f64> = floats.iter().map(|number| f64::from(*number)).collect();
    for (elements, is_single) in [(Elements::Singles(&widened), true), (Elements::Doubles(&widened), false)] {
        let table = Table::of_numbers(None, 3, elements, &ReadOptions::default()).unwrap();
        let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [Kind::Categorical, Kind::Continuous, Kind::Constant]);
        let (text, again) = written(&table);
        assert_eq!(again.columns(), table.columns());
        assert_eq!(text.lines().next().is_some_and(|row| row.ends_with(",0.1,0.7")), is_single, "{text}");
        let cells = text.split([',', '\n']).filter(|cell| !cell.is_empty());
        let value = |cell: &str| match cell.parse::<f32>() {
            Ok(single) if is_single => f64::from(single),
            _ => cell.parse().unwrap(),
        };
        let cells: Vec<f64> = cells.map(value).collect();
        assert_eq!(cells, widened, "{text}");
        // Arrays of the other width are of the same values.
        for other in [Elements::Singles(&widened), Elements::Doubles(&widened)] {
            let known = Table::of_numbers_as(None, 3, other, table.form()).unwrap();
            assert_eq!((known.columns(), known.notes()), (table.columns(), &[][..]));
        }
    }
}

/// Whole numbers beyond 2^63 are texts, as those of text tables are.
#[test]
fn whole_numbers_beyond_those_with_a_sign_keep_their_digits() {
    const WIDE: u64 = 1 << 63;
    let row =
        |row: u64| [u64::MAX - row % 20, WIDE + row * row, WIDE - 1 - row * row, [WIDE, u64::MAX][row as usize % 2]];
    let codes: Vec<u64> = (0..60).flat_map(row).collect();
    let table = Table::of_numbers(None, 4, &codes[..], &ReadOptions::default()).unwrap();
    let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds, [Kind::Categorical, Kind::Identifier, Kind::Integer, Kind::Categorical]);
    let reasons: Vec<&str> = table.form().columns.iter().map(|column| column.reason.as_str()).collect();
    assert_eq!(reasons[1], "whole numbers beyond 2^63, taken for texts: 60 different texts in 60 rows");
    let (text, again) = written(&table);
    assert_eq!(again.columns(), table.columns());
    for (index, line) in text.lines().enumerate() {
        let cells: Vec<u64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        let [most, _, least, one] = row(index as u64);
        assert_eq!(cells, [most, 1 + index as u64, least, one]);
    }
    let known = Table::of_numbers_as(None, 4, &codes[..], table.form()).unwrap();
    assert_eq!(known.columns(), table.columns());
    // What was asked for, and what can be done where it is not possible.
    let asked = |kind| {
        let options = ReadOptions::default().with_kind("column_2", kind);
        let options = options.with_setting_names(crate::SettingNames::Options);
        Table::of_numbers(None, 4, &codes[..], &options)
    };
    assert_eq!(asked(Kind::Continuous).unwrap().columns()[1].value(0), Value::Number(2f64.powi(63)));
    assert_eq!(
        asked(Kind::Integer).unwrap_err().to_string().split_once("row 1").unwrap().1,
        " has 9223372036854775808, which is no whole number below 2^63; make it continuous by --kind NAME=continuous, or leave it out by --drop"
    );
}

/// Codes alone are nothing to learn, until somebody says what they are.
#[test]
fn codes_alone_are_refused_with_cures_that_help() {
    let codes: Vec<u64> = (0..60).map(|row| u64::MAX - row * row).collect();
    let options = ReadOptions::default().with_setting_names(crate::SettingNames::Options);
    let told = Table::of_numbers(None, 1, &codes[..], &options).unwrap_err().to_string();
    let cures = "learn them to 15 digits by --kind NAME=continuous, or save them as floats: array.astype(\"f8\")";
    assert!(told.ends_with(cures) && told.contains("column `column_1`"), "{told}");
    let learned = Table::of_numbers(None, 1, &codes[..], &options.with_kind("column_1", Kind::Continuous)).unwrap();
    let floats: Vec<f64> = codes.iter().map(|code| *code as f64).collect();
    let saved = Table::of_numbers(None, 1, &floats[..], &ReadOptions::default()).unwrap();
    for table in [learned, saved] {
        assert!(crate::Codec::fit(&table, None, crate::Scaling::Quantile).is_ok());
    }
}

/// The number of these 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = if exponent == 0 { fraction * 2f64.powi(-24) } else { (1024.0 + fraction) * 2f64.powi(exponent - 25) };
    if bits >> 15 == 1 { -size } else { size }
}

#[test]
fn numbers_of_16_bits_stay_such() {
    let format = NumberFormat { is_half: true, ..format() };
    // All finite ones, and what lies between them.
    for bits in 0..0x7c00 {
        let number = half(bits);
        assert_eq!(format.nearest(number).to_bits(), number.to_bits());
        assert_eq!(text(&format, -number).parse::<f64>().unwrap(), -number);
        let next = half((bits + 1).min(0x7bff));
        let even = if bits % 2 == 0 { number } else { next };
        for (share, expected) in [(0.25, number), (0.5, even), (0.75, next)] {
            let between = number + share * (next - number);
            assert_eq!((format.nearest(between), format.nearest(-between)), (expected, -expected), "{between}");
            assert_eq!(text(&format, between).parse::<f64>().unwrap(), expected);
        }
    }
    assert_eq!((format.nearest(65_519.0), format.nearest(65_520.0)), (65_504.0, 65_520.0));
    assert!(format.nearest(-1e-9).is_sign_positive());
    let halves: Vec<f64> =
        (0..60).flat_map(|row| [half(0x2e66 + row % 3), half(0x3c00 + row * 7), half(0x2e66)]).collect();
    let table = Table::of_numbers(None, 3, Elements::Halves(&halves), &ReadOptions::default()).unwrap();
    let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds, [Kind::Categorical, Kind::Continuous, Kind::Constant]);
    let (text, again) = written(&table);
    assert_eq!(again.columns(), table.columns());
    let cells = text.split([',', '\n']).filter(|cell| !cell.is_empty());
    assert_eq!(cells.map(|cell| cell.parse().unwrap()).collect::<Vec<f64>>(), halves, "{text}");
    // Samples lie between the numbers of the data.
    let codec = crate::Codec::fit(&table, None, crate::Scaling::Quantile).unwrap();
    let samples: Vec<f32> = (0..200).flat_map(|row| [row as f32 / 50.0 - 2.0, 1.0, 0.0, 0.0]).collect();
    let made = codec.table(&samples, |_| None).unwrap();
    for row in 0..made.rows() {
        let Value::Number(number) = made.columns()[1].value(row) else { panic!("no number") };
        assert_eq!(format.nearest(number), number);
    }
}
