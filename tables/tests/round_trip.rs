//! Generated tables in every dialect: what is read is what was written, and is written back to the same bytes.

mod common;

use std::fmt::Write;

use common::{kinds, table, with, written};
use gannet_tables::{
    Category, ColumnForm, Delimiter, Domain, Form, Input, Kind, Mark, ReadOptions, Value, Writer, read_as,
};
use proptest::prelude::*;

/// What a generated column has.
#[derive(Clone, Debug)]
enum Cells {
    Decimals(u8),
    Integers(u8),
    Words(usize),
    Dates(u8),
    Times,
}

#[derive(Clone, Debug)]
struct Plan {
    columns: Vec<(Cells, bool)>,
    rows: usize,
    delimiter: char,
    decimal: char,
    end: &'static str,
    mark: &'static str,
    quotes_all: bool,
    seed: u64,
}

const WORDS: [&str; 9] = ["red", "deep blue", "a, b", "x;y", "say \"hi\"", "two\nlines", "Größe", "|", " padded "];

fn plan() -> impl Strategy<Value = Plan> {
    let cells = prop_oneof![
        (1..6u8).prop_map(Cells::Decimals),
        (1..17u8).prop_map(Cells::Integers),
        (2..WORDS.len()).prop_map(Cells::Words),
        (0..4u8).prop_map(Cells::Dates),
        Just(Cells::Times),
    ];
    let dialect = (
        prop_oneof![
            Just((',', '.')),
            Just((';', '.')),
            Just((';', ',')),
            Just(('\t', '.')),
            Just(('\t', ',')),
            Just(('|', '.'))
        ],
        prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        prop_oneof![Just(""), Just("NA"), Just("?"), Just("NULL")],
        any::<bool>(),
        any::<u64>(),
    );
    (proptest::collection::vec((cells, any::<bool>()), 1..6), 20..80usize, dialect).prop_map(
        |(columns, rows, ((delimiter, decimal), end, mark, quotes_all, seed))| Plan {
            columns,
            rows,
            delimiter,
            decimal,
            end,
            mark,
            quotes_all,
            seed,
        },
    )
}

impl Plan {
    /// The table's text.
    fn text(&self) -> String {
        let mut state = self.seed | 1;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        };
        let mut text = String::new();
        let put = |text: &mut String, cells: Vec<String>, quotes: bool| {
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    text.push(self.delimiter);
                }
                let is_special = cell.contains([self.delimiter, '"', '\n']) || cell.starts_with(' ');
                if quotes || is_special {
                    write!(text, "\"{}\"", cell.replace('"', "\"\"")).unwrap();
                } else {
                    text.push_str(cell);
                }
            }
            text.push_str(self.end);
        };
        // The first column has no gaps, so that no row is empty.
        let names = (0..=self.columns.len()).map(|index| format!("name {index}")).collect();
        put(&mut text, names, self.quotes_all);
        for row in 0..self.rows {
            let mut cells = vec![format!("{}{}5", row * row % 1009, self.decimal)];
            for (column, has_gaps) in &self.columns {
                let value = random();
                cells.push(if *has_gaps && random() % 5 == 0 {
                    self.mark.to_string()
                } else {
                    self.cell(column, value)
                });
            }
            put(&mut text, cells, self.quotes_all);
        }
        text
    }

    fn cell(&self, column: &Cells, value: u64) -> String {
        let sign = if value.is_multiple_of(3) { "-" } else { "" };
        match column {
            Cells::Decimals(decimals) => {
                let (unit, value) = (10u64.pow(u32::from(*decimals)), value % 100_000_000 + 1);
                let width = usize::from(*decimals);
                format!("{sign}{}{}{:0width$}", value / unit, self.decimal, value % unit)
            }
            Cells::Integers(digits) => format!("{sign}{}", value % 10u64.pow(u32::from(*digits)) + 1),
            Cells::Words(count) => WORDS[value as usize % count].to_string(),
            Cells::Dates(style) => {
                let (year, month, day) = (1950 + value % 100, value / 100 % 12 + 1, value / 1200 % 28 + 1);
                match style {
                    0 => format!("{year}-{month:02}-{day:02}"),
                    1 => format!("{day:02}.{month:02}.{year}"),
                    2 => format!("{month}/{day}/{year}"),
                    _ => format!("{year}{month:02}{day:02}"),
                }
            }
            Cells::Times => format!("2024-05-{:02} {:02}:{:02}:07", value % 28 + 1, value / 28 % 24, value / 672 % 60),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn tables_of_every_dialect_come_back(plan in plan()) {
        let text = plan.text();
        let table = table(&text);
        prop_assert_eq!(table.rows(), plan.rows, "{}", text);
        prop_assert_eq!(table.columns().len(), plan.columns.len() + 1, "{}", text);
        let back = written(&table);
        let is_whole = !kinds(&table).iter().any(|kind| matches!(kind, Kind::Identifier | Kind::FreeText));
        // The quotes around marks among quoted numbers are those of the marks.
        if is_whole {
            prop_assert_eq!(String::from_utf8_lossy(&back), text.as_str());
        }
        // A form that was stored writes the same.
        let stored = serde_json::to_string(table.form()).unwrap();
        let form: Form = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&form, table.form());
        prop_assert_eq!(common::written_as(&table, &form), back.clone());
        // What was written has the same values.
        let again = with(&back, &ReadOptions::default());
        for (index, column) in table.columns().iter().enumerate() {
            if kinds(&table)[index].is_learned() {
                prop_assert_eq!(column, &again.columns()[index], "{}", text);
            }
        }
    }

    /// Whatever bytes there are: a table that can be written and read, or a message of one line.
    #[test]
    fn no_bytes_are_a_panic(bytes in proptest::collection::vec(prop_oneof![
        Just(b','), Just(b';'), Just(b'\n'), Just(b'"'), Just(b'\t'), Just(b' '), Just(b'#'), Just(b'.'), Just(b'-'),
        Just(b'1'), Just(b'0'), Just(b'e'), Just(b'/'), Just(b':'), Just(b'a'), Just(b'N'), Just(b'\r'), any::<u8>()
    ], 0..200)) {
        let input = gannet_tables::Input::bytes("t", bytes);
        match gannet_tables::read(&input, &ReadOptions::default()) {
            Ok(table) => {
                let back = written(&table);
                prop_assert!(!back.is_empty() || table.form().dialect.header.is_none());
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(!message.contains(char::is_control) && message.len() < 1000, "{}", message);
            }
        }
    }
}

/// A column of these texts.
fn of_texts(name: &str, texts: &[&str], kind: Kind) -> ColumnForm {
    let categories = texts.iter().map(|text| Category::new(*text, 9)).collect();
    ColumnForm::new(name, kind, Domain::Categories { categories, rest: None })
}

/// The mark of a row of missing values is no category of its column, so that it is not read as one.
#[test]
fn a_row_of_missing_values_comes_back() {
    use Kind::{Boolean, Categorical};
    for (texts, kind, mark) in [
        (&["Paris", "Rome"][..], Categorical, "NA"),
        (&["DE", "FR", "GB", "NA", "US"], Categorical, "NULL"),
        (&["NULL", "x"], Categorical, "NA"),
        (&["NA", "NULL", "x"], Categorical, "NaN"),
        (&["NaN", "NA"], Categorical, "NULL"),
        // A reader of booleans ignores case.
        (&["na", "ok"], Boolean, "NULL"),
    ] {
        for (columns, delimiter) in [(1, Delimiter::Char(',')), (2, Delimiter::Char(';')), (2, Delimiter::Spaces(1))] {
            let mut form = Form::new((0..columns).map(|column| of_texts(&format!("c{column}"), texts, kind)).collect());
            form.dialect.delimiter = delimiter;
            // All are missing in the second row, and in the last one.
            let places = (0..texts.len() as u32).map(Value::Category);
            let mut rows: Vec<Value> = places.flat_map(|place| [place, Value::Missing]).collect();
            rows.push(Value::Missing);
            for is_quoted in [false, true] {
                let mut empty = Mark::default();
                empty.is_quoted = is_quoted;
                form.columns.iter_mut().for_each(|column| column.missing = Some(empty.clone()));
                let mut writer = Writer::new(Vec::new(), &form).unwrap();
                rows.iter().for_each(|value| writer.write_row(&vec![*value; columns]).unwrap());
                let text = String::from_utf8(writer.finish().unwrap()).unwrap();
                assert!(text.lines().nth(2).unwrap().starts_with(mark), "{texts:?}: {text}");
                let options = ReadOptions::default().with_delimiter(delimiter);
                let again = read_as(&Input::bytes("t.csv", text.as_bytes()), &form, &options).unwrap();
                assert_eq!(again.rows(), rows.len(), "{text}");
                for (index, value) in rows.iter().enumerate() {
                    assert_eq!(common::row(&again, index), vec![*value; columns], "row {index} of {text}");
                }
            }
        }
    }
}

/// A reader that does not know the columns takes `NA` among codes of countries for Namibia.
#[test]
fn a_row_of_missing_values_is_no_row_of_namibia() {
    let rows: String =
        (0..70).map(|row| format!("{},{row}.5\n", ["NA", "DE", "FR", "", "GB", "US", "IT"][row % 7])).collect();
    let table = table("country,size\n".to_string() + &rows);
    assert_eq!((kinds(&table)[0], table.form().columns[0].missing_cells), (Kind::Categorical, 10));
    let mut writer = Writer::new(Vec::new(), table.form()).unwrap();
    for index in 0..table.rows() {
        writer.write_row(&common::row(&table, index)).unwrap();
        writer.write_row(&[Value::Missing, Value::Missing]).unwrap();
    }
    let again = with(writer.finish().unwrap(), &ReadOptions::default());
    assert_eq!((again.rows(), again.form().columns[0].missing_cells), (140, 80));
    for index in 0..table.rows() {
        assert_eq!(common::row(&again, 2 * index), common::row(&table, index));
        assert_eq!(common::row(&again, 2 * index + 1), [Value::Missing; 2]);
    }
}
