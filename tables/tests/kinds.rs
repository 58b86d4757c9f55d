//! Kinds of columns, headers, marks and options on small tables.

mod common;

use common::{is_noted, kinds, names, refused, row, table, with, written};
use gannet::Error;
use gannet_tables::Kind::{Boolean, Categorical, Constant, Continuous, Counter, Date, FreeText, Identifier, Integer};
use gannet_tables::{Comments, Delimiter, Domain, Encoding, Input, Kind, ReadOptions, SettingNames, Value, read};

/// A table of one column and another beside it, so that nothing about the delimiter is open.
fn column(cells: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let rows = cells.into_iter().enumerate().map(|(index, cell)| format!("{cell};{}.5\n", index * 7 % 97));
    std::iter::once("x;y\n".to_string()).chain(rows).collect()
}

fn repeated(cells: &[&str], rows: usize) -> Vec<String> {
    (0..rows).map(|row| cells[row * 7 % cells.len()].to_string()).collect()
}

/// A column of few values has no more categories than asked for either, as has one that is said to be one of categories.
#[test]
fn few_values_are_no_more_categories_than_asked_for() {
    for cells in [["Paris", "Rome", "Oslo"], ["1", "2", "3"]] {
        for kind in [None, Some(Categorical)] {
            let options = ReadOptions::default().with_max_categories(2);
            let options = kind.map_or(options.clone(), |kind| options.with_kind("x", kind));
            let table = with(column(repeated(&cells, 20)), &options);
            let Domain::Categories { categories, rest } = &table.form().columns[0].domain else { panic!("{cells:?}") };
            assert_eq!((categories.len(), rest.as_ref().map(|rest| rest.count)), (2, Some(6)), "{cells:?}, {kind:?}");
        }
    }
}

#[test]
fn every_kind_is_recognized_and_written_back() {
    let long = |row: usize| format!("a long remark of more than six words about sample {row}");
    let month = |row: usize| ["Jan", "Feb", "Mar", "Apr", "May"][row % 5];
    let cases: [(Vec<String>, Kind, &str); 29] = [
        (repeated(&["yes", "no"], 20), Boolean, "two values in 20 rows"),
        (repeated(&["T", "F", "F"], 20), Boolean, "two values"),
        (repeated(&["0", "1", "1"], 20), Boolean, "two values"),
        (repeated(&["1", "2", "3"], 10_000), Categorical, "3 distinct numbers in 10,000 rows"),
        (repeated(&["Paris", "Rome", "Oslo"], 20), Categorical, "3 distinct texts in 20 rows"),
        (repeated(&["2.50"], 20), Constant, "the same value in all 20 rows"),
        ((0..20).map(|row| row.to_string()).collect(), Counter, "counts rows up from 0"),
        ((0..20).map(|row| format!("A{row}")).collect(), Identifier, "a different text in each of 20 rows"),
        ((0..20).map(long).collect(), FreeText, "words on average"),
        ((0..40).map(|row| (row * row * 37 % 101).to_string()).collect(), Integer, "whole numbers"),
        ((0..40).map(|row| (16_777_217 + row * row).to_string()).collect(), Integer, "whole numbers"),
        ((0..40i64).map(|row| (9_007_199_254_740_993 + row * row).to_string()).collect(), Integer, "whole numbers"),
        ((0..40).map(|row| format!("{:05}", row * row * 31)).collect(), Integer, "whole numbers of 5 digits"),
        ((0..40).map(|row| format!("{}.0", row * row * 31)).collect(), Integer, "whole numbers"),
        ((0..40).map(|row| format!("{:.3}", f64::from(row) * 1.7)).collect(), Continuous, "up to 3 decimals"),
        ((0..40).map(|row| format!("{}%", row * row)).collect(), Integer, "whole numbers"),
        ((0..40).map(|row| format!("${:.2}", f64::from(row) * 1.7)).collect(), Continuous, "up to 2 decimals"),
        ((0..40).map(|row| format!("{:.2} kg", f64::from(row) * 1.7)).collect(), Continuous, "up to 2 decimals"),
        ((1..29).map(|day| format!("{day:02}/05/2024")).collect(), Date, "dates, as 01/05/2024"),
        ((1..29).map(|day| format!("202405{day:02}")).collect(), Date, "days, as 20240531"),
        ((1..29).map(|day| format!("{day:02}:30")).filter(|cell| cell < &"24".to_string()).collect(), Date, "times"),
        ((1..29).map(|day| format!("2024-05-{day:02}T12:00:00.5Z")).collect(), Date, "dates with times"),
        ((0..40).map(|row| format!("{:02}:15:09", row * 7 % 160)).collect(), Date, "durations, as "),
        ((1..29).map(|day| format!("5/{day}/2024 9:05 PM GMT+1")).collect(), Date, "dates with times"),
        ((0..40).map(|row| format!("{}-{:02}", month(row), row * 7 % 100)).collect(), Date, "dates, as "),
        ((0..40).map(|row| format!("{} {}", month(row), 1990 + row)).collect(), Date, "dates, as "),
        ((0..40).map(|row| format!("{} {}", month(row), 1 + row * 7 % 28)).collect(), Date, "dates, as "),
        ((0..40).map(|row| format!("2020年{}月{}日", 1 + row % 12, 1 + row * 7 % 28)).collect(), Date, "dates, as "),
        ((0..40).map(|row| format!("{}/{}", 1 + row % 12, 1990 + row)).collect(), Date, "dates, as "),
    ];
    for (cells, kind, reason) in cases {
        let text = column(&cells);
        let table = table(&text);
        let found = &table.form().columns[0];
        assert_eq!((found.kind, kinds(&table)[1]), (kind, Continuous), "{cells:?}");
        assert!(found.reason.contains(reason), "{} is not {reason}", found.reason);
        if !matches!(kind, Identifier | FreeText) {
            assert_eq!(String::from_utf8(written(&table)).unwrap(), text);
        }
    }
}

/// Codes of many digits are no numbers of 64 bits, of which all would be the same one.
#[test]
fn integers_beyond_64_bits_are_texts_where_their_digits_count() {
    let rounded = table(column((0..40).map(|row| format!("{}0000000000000000000", row * row + 1))));
    assert_eq!((kinds(&rounded)[0], rounded.notes()), (Continuous, &[][..]));
    let code = |row: u64| format!("123456789012345678901{:05}", row * row % 9_973);
    let codes = table(column((0..900).map(code)));
    assert_eq!(kinds(&codes)[0], Identifier, "{}", codes.form().columns[0].reason);
    assert!(codes.form().columns[0].reason.contains("beyond 2^63, taken for texts"));
    let text = column((0..900).map(|row| code(row % 300)));
    let repeated = table(&text);
    assert_eq!((kinds(&repeated)[0], repeated.form().columns[0].categories()), (Categorical, 256));
    let few = column((0..900).map(|row| code(row % 100)));
    assert_eq!(String::from_utf8(written(&table(&few))).unwrap(), few);
    // Few of them are no constant that differs by rounding.
    for longer in ["", "0000001"] {
        let few = table(column((0..60).map(|row| format!("155655957314159265{}{longer}", row % 3))));
        assert_eq!((kinds(&few)[0], few.form().columns[0].categories()), (Categorical, 3));
    }
    // Without a sign these have 64 bits.
    let unsigned = table(column((0..40u64).map(|row| u64::MAX - row * row)));
    assert_eq!(kinds(&unsigned)[0], Identifier);
    // The digits that are lost are told where a caller wants numbers.
    let options = ReadOptions::default().with_kind("x", Integer);
    let message = refused(column((0..40u64).map(|row| u64::MAX - row * row)), &options);
    assert!(message.contains("is beyond the whole numbers up to 9223372036854775807"), "{message}");
}

/// Populations of places: whole numbers below 1,000 tell that points stand between thousands.
#[test]
fn points_between_thousands_are_told_with_a_note() {
    let people = |row: usize| match row % 3 {
        0 => format!("{}", 302 + 7 * row),
        _ => format!("{}.{:03}", 1 + row * row % 60, 37 * row % 1000),
    };
    let text: String = (0..70).map(|row| format!("p{};{}\n", row % 3, people(row))).collect();
    let text = format!("place;people\n{text}");
    let found = table(&text);
    assert_eq!((row(&found, 0)[1], row(&found, 1)[1]), (Value::Integer(302), Value::Integer(2037)));
    assert!(is_noted(&found, "column `people`: `.` was read as a thousands separator; set the decimal mark by"));
    assert_eq!(String::from_utf8(written(&found)).unwrap(), text);
    let asked = with(&text, &ReadOptions::default().with_decimal('.'));
    assert_eq!((row(&asked, 1)[1], asked.notes().len()), (Value::Number(2.037), 0), "{:?}", asked.notes());
    // Where another column has a decimal point, these are decimal points, too.
    let beside = text.replace("p0;", "0.5;").replace("p1;", "1.5;").replace("p2;", "2.5;");
    assert_eq!(row(&table(beside), 1)[1], Value::Number(2.037));
    let open: String = (0..70).map(|row| format!("p{};{}.{:03}\n", row % 3, 1 + row % 9, 37 * row % 1000)).collect();
    let ambiguous = format!("place;people\n{open}");
    let open = table(&ambiguous);
    assert_eq!(kinds(&open)[1], Continuous);
    let whole = with(&ambiguous, &ReadOptions::default().with_kind("people", Integer));
    assert_eq!(row(&whole, 1)[1], Value::Integer(2037));
    assert!(is_noted(&open, "column `people`: `.` was read as the decimal mark; set the decimal mark by"));
}

#[test]
fn numbers_of_rows_are_no_values() {
    let numbered = |cells: Vec<String>| {
        let text = column(&cells).replacen('x', "id", 1);
        let table = table(&text);
        let domain = table.form().columns[0].domain.clone();
        let rows = String::from_utf8(written(&table)).unwrap();
        (kinds(&table)[0], domain, rows == text)
    };
    let counter = |first, width| Domain::Counter { first, width };
    for (cells, kind, domain, comes_back) in [
        ((1001..1041).map(|row| row.to_string()).collect::<Vec<_>>(), Counter, counter(1001, 0), true),
        ((1..41).map(|row| format!("{row:04}")).collect(), Counter, counter(1, 4), true),
        ((990..1030).map(|row| format!("{row:04}")).collect(), Counter, counter(990, 4), true),
        ((0..40).map(|row| (1 + row * 7 % 40).to_string()).collect(), Identifier, counter(1, 0), false),
        ((0..40).map(|row| format!("{:03}", 70 + row * 7 % 40)).collect(), Identifier, counter(70, 3), false),
    ] {
        assert_eq!(numbered(cells.clone()), (kind, domain, comes_back), "{cells:?}");
    }
    for cells in [
        // Days; a value twice; a gap; too few; a unit; a separator of thousands.
        (20_240_501..20_240_530).map(|row| row.to_string()).collect::<Vec<_>>(),
        (0..40).map(|row| (500 + row - row / 39).to_string()).collect(),
        (0..40).map(|row| (500 + row + row / 39).to_string()).collect(),
        (500..519).map(|row| row.to_string()).collect(),
        (500..540).map(|row| format!("{row} kg")).collect(),
        (0..40).map(|row| format!("1,{row:03}")).collect(),
        (0..40).map(|row| if row == 9 { String::new() } else { (500 + row).to_string() }).collect(),
    ] {
        let (kind, _, comes_back) = numbered(cells.clone());
        assert!(kind.is_learned() && comes_back, "{kind}: {cells:?}");
    }
    // Wavelengths, scores, years: measurements may be consecutive.
    for cells in [
        (400..701).map(|row| row.to_string()).collect::<Vec<_>>(),
        (0..50).map(|row| (50 + row * 7 % 50).to_string()).collect(),
        (1500..1600).map(|row| row.to_string()).collect(),
    ] {
        assert_eq!(kinds(&table(column(cells)))[0], Integer);
    }
    // What a caller says counts, and rows that are asked for are counted as the file counts them.
    let text = column((1..41).map(|row| format!("{row:04}")));
    assert_eq!(kinds(&with(&text, &ReadOptions::default().with_kind("x", Integer)))[0], Integer);
    let asked = with(&text, &ReadOptions::default().with_kind("x", Identifier));
    assert_eq!(String::from_utf8(written(&asked)).unwrap(), text);
}

#[test]
fn missing_values_in_every_kind_come_back() {
    for mark in ["", "NA", "n/a", "NULL", "nan", "#N/A", "\\N", "?", "-", "None", "."] {
        let kinds_of = |cells: Vec<String>| {
            let cells: Vec<String> = cells
                .iter()
                .enumerate()
                .map(|(row, cell)| if row % 9 == 4 { mark.to_string() } else { cell.clone() })
                .collect();
            let text = column(&cells);
            let table = table(&text);
            assert_eq!(row(&table, 4)[0], Value::Missing, "{mark} {:?}", kinds(&table));
            assert_eq!(String::from_utf8(written(&table)).unwrap(), text);
            assert_eq!(table.columns()[0].missing().unwrap().count(), table.form().columns[0].missing_cells);
            kinds(&table)[0]
        };
        assert_eq!(kinds_of((0..40).map(|row| format!("{:.1}", f64::from(row) * 1.7)).collect()), Continuous);
        assert_eq!(kinds_of((0..40).map(|row| (row * row).to_string()).collect()), Integer);
        assert_eq!(kinds_of((0..40).map(|row| format!("2024-05-{:02}", row % 28 + 1)).collect()), Date);
        assert_eq!(kinds_of(repeated(&["yes", "no"], 40)), Boolean);
        if mark != "None" {
            assert_eq!(kinds_of(repeated(&["Paris", "Rome"], 40)), Categorical);
        }
    }
}

#[test]
fn marks_that_are_plausible_values_are_values() {
    let texts = |cells: &[&str]| {
        let table = table(column(repeated(cells, 60)));
        assert_eq!((kinds(&table)[0], table.form().columns[0].missing_cells), (Categorical, 0));
        table.form().columns[0].categories()
    };
    assert_eq!(texts(&["NA", "DE", "FR", "US", "GB", "IT"]), 6);
    assert_eq!(texts(&["None", "Brick", "Stone"]), 3);
    assert_eq!(texts(&["+", "-"]), 2);
    // One value and none is no constant.
    let table = table(column(repeated(&["x", ""], 20)));
    assert_eq!((kinds(&table)[0], table.form().columns[0].categories()), (Categorical, 1));
    let empty = self::table(column(repeated(&[""], 20)));
    assert_eq!(kinds(&empty)[0], Constant);
}

#[test]
fn headers_are_told_over_many_rows() {
    assert_eq!(names(&table("red,1\nred,2\nblue,3\n")), ["column_1", "column_2"]);
    assert_eq!(names(&table("color\nred\nblue\nred\nblue\nred\nblue\n")), ["color"]);
    let told = |header: bool| with("2019,2020\n2018,2021\n2017,2019\n", &ReadOptions::default().with_header(header));
    assert_eq!((names(&told(true)), told(true).rows()), (vec!["2019", "2020"], 2));
    assert_eq!((names(&told(false))[0], told(false).rows()), ("column_1", 3));
    // pandas and R write such names where there are none.
    let numbered: String = (0..30).map(|row| format!("{}.5,{}.25,{}.75\n", row * 7 % 30, row * 11 % 30, row)).collect();
    let with_names = table("0,1,2\n".to_string() + &numbered);
    assert_eq!((names(&with_names), with_names.rows()), (vec!["0", "1", "2"], 30));
    assert_eq!(row(&with_names, 0), [0.5, 0.25, 0.75].map(Value::Number));
    let bare = table(numbered);
    assert_eq!((names(&bare), bare.rows()), (vec!["column_1", "column_2", "column_3"], 30));
    assert_eq!(row(&bare, 0), [0.5, 0.25, 0.75].map(Value::Number));
    assert!(is_noted(&table("name,city\nAnna,Rome\nBert,Paris\n"), "first line was taken as names"));
    assert_eq!(table("7").rows(), 1);
}

/// Below a first line, `count` rows of cells that are each made of the row and the place.
fn rows_below(first: &str, count: usize, cell: impl Fn(usize, usize) -> String) -> String {
    let width = first.split(',').count();
    let row = |row: usize| (0..width).map(|place| cell(row, place)).collect::<Vec<_>>().join(",");
    (0..count).fold(format!("{first}\n"), |text, index| text + &row(index) + "\n")
}

#[test]
fn years_and_counts_above_whole_numbers_are_names() {
    let mixed = |row: usize, place: usize, below: usize| (row * (397 + 214 * place) % below).to_string();
    let text = |row: usize, texts: &[&str]| texts[row % texts.len()].to_string();
    let country = |row: usize| format!("Land {}{}", (b'a' + row as u8 / 26) as char, (b'a' + row as u8 % 26) as char);
    let sales = |row: usize, place: usize| (1000 + row * (397 + 214 * place) % 2000).to_string();
    let of_text = |first: &str, count: usize, texts: &[&str]| {
        rows_below(first, count, |row, place| if place == 0 { text(row, texts) } else { sales(row, place) })
    };
    let of_index = |first: &str| {
        rows_below(first, 60, |row, place| if place == 0 { row.to_string() } else { mixed(row, place, 97) })
    };
    let named = [
        of_text("sex,2019,2020", 40, &["m", "f"]),
        of_text("item,1,2,3,4,5,6,7,8,9,10,11,12", 40, &["pen", "ink", "cup"]),
        rows_below("Country Name,2019,2020,2021", 60, |row, place| match place {
            0 => country(row),
            _ => (10_000 + row * 7_919 * place).to_string(),
        }),
        of_index(",0,1,2"),
        of_index(",0,1"),
        rows_below("0,1,2", 300, |row, place| mixed(row, place, 97)),
        rows_below("0,1,2", 500, |row, place| (row >> place & 1).to_string()),
        rows_below("0,1,2", 40, |row, place| match place {
            0 => mixed(row, place, 97),
            1 => format!("{}.25", row * 7 % 40),
            _ => text(row, &["a", "b"]),
        }),
    ];
    for text in &named {
        let (table, first) = (table(text.as_str()), text.lines().next().unwrap());
        let names = names(&table);
        assert_eq!(names[1..], first.split(',').collect::<Vec<_>>()[1..]);
        assert_eq!(table.rows() + 1, text.lines().count(), "{first}");
        assert!(is_noted(&table, "first line was taken as names"), "{first}: {:?}", table.notes());
    }
}

#[test]
fn rows_of_years_and_counts_are_no_names() {
    let digit = |row: usize, place: usize| (row / 3usize.pow(place as u32) % 3).to_string();
    let rows = [
        // Years among years, and texts of which one is rare.
        rows_below("Anna,1990,1991,1992", 40, |row, place| match place {
            0 => ["Bert", "Carl"][row % 2].to_string(),
            _ => (1950 + (row * 7 + place) % 60).to_string(),
        }),
        rows_below("rare,0,1", 300, |row, place| match place {
            0 => ["a", "b"][row % 2].to_string(),
            _ => (row >> place & 1).to_string(),
        }),
        // Numbers of rows, times that begin at 0, and few values.
        rows_below("0,1,2", 40, |row, place| if place == 0 { row + 1 } else { row * 7 % 40 }.to_string()),
        rows_below("0,1,2", 40, |row, place| (3 + 5 * row + place).to_string()),
        rows_below("0,1,2", 81, digit),
        rows_below("0,1", 40, |row, place| if place == 0 { 3 * row + 3 } else { 100 - row }.to_string()),
        rows_below(",0,1", 40, |row, place| if place == 0 { row * 7 % 40 } else { 3 + row * place }.to_string()),
        rows_below("7,8,9", 300, |row, place| (row * (397 + 214 * place) % 97).to_string()),
    ];
    for text in &rows {
        let table = table(text.as_str());
        assert_eq!(table.rows(), text.lines().count(), "{text}: {:?}", table.notes());
    }
}

#[test]
fn rows_that_begin_with_a_number_sign_are_rows_beside_one_of_another_length() {
    let rows: String = (1..=20).map(|row| format!("#FF0000,{row}\nred,{row}\n")).collect();
    let message = refused(format!("color,qty\n{rows}#00FF00,7,\n"), &ReadOptions::default());
    assert!(message.contains("line 42 has 3 cells where line 2 has 2"), "{message}");
    let orders: String = (1001..1021).map(|order| format!("#{order},5\n")).collect();
    let message = refused(format!("order,n\n{orders}#1021,5,6\n"), &ReadOptions::default());
    assert!(message.contains("line 22 has 3 cells where line 2 has 2"), "{message}");
}

#[test]
fn what_could_not_be_read_as_dates_or_numbers_is_told() {
    let day = |row: usize| 1 + row * 7 % 28;
    let noted = |cells: Vec<String>, parts: &[&str]| {
        let table = table(column(&cells));
        let notes: Vec<String> = table.notes().iter().map(ToString::to_string).collect();
        assert!(notes.iter().any(|note| parts.iter().all(|part| note.contains(part))), "{cells:?}: {notes:?}");
        assert!(notes.iter().all(|note| note.len() < 400 && !note.contains(char::is_control)), "{notes:?}");
    };
    let mixed = |row: usize| match row % 2 {
        0 => format!("2024-{:02}-{:02}", 1 + row % 12, day(row)),
        _ => format!("{:02}.{:02}.2024", day(row), 1 + row % 12),
    };
    noted(
        (0..40).map(mixed).collect(),
        &["column `x`: dates that are not written alike", "2024-", ".2024`", "write all"],
    );
    let offset = |row: usize| format!("2024-05-{:02} 12:{row:02}:00+{:02}:00", day(row), 1 + row % 2);
    noted((0..40).map(offset).collect(), &["not written alike", "+01:00", "+02:00", "time zone"]);
    let german = |row: usize| format!("{}. Januar {}", day(row), 1950 + row);
    noted(
        (0..40).map(german).collect(),
        &["texts like dates, such as `1. Januar 1950`, are not read as dates", "2024-12-31"],
    );
    let accounting = |row: usize| if row % 3 == 1 { format!("({row}.36)") } else { format!("{row}.36") };
    let parts = ["column `x`: most cells are numbers (27 of 40), but others are not, such as `(1.36)`", "-5.25"];
    noted((0..40).map(accounting).collect(), &parts);
    let tickets = |row: usize| if row % 3 == 1 { format!("A/5 {row}") } else { format!("{}", row * row * 37) };
    noted((0..40).map(tickets).collect(), &["most cells are numbers (27 of 40)", "`A/5 1`"]);
    let months = |row: usize| format!("{} {}", ["Feb", "Mar", "May"][row % 3], 10 + row * 7 % 20);
    noted(
        (0..40).map(months).collect(),
        &[
            "column `x`: `",
            "may be a month of a year or a day, and is text; read it as a month of a year by",
            "2024-12-31",
        ],
    );
    let options = ReadOptions::default().with_kind("x", Date);
    let text = column((0..40).map(months));
    let asked = with(&text, &options);
    assert_eq!((kinds(&asked)[0], String::from_utf8(written(&asked)).unwrap()), (Date, text));
    noted(
        (0..40).map(|row| format!("{}-{}", ["Feb", "Mar", "May"][row % 3], 10 + row * 7 % 20)).collect(),
        &["was read as a month of a year; write dates as 2024-12-31 if it is a day"],
    );
    noted(
        (0..40).map(|row| format!("令和2年{}月{}日", 1 + row % 12, day(row))).collect(),
        &["texts like dates, such as `令和2年1月1日`, are not read as dates"],
    );
    for (open, close) in [("", ""), ("(", ")"), ("[", "]")] {
        noted(
            (0..40).map(|row| format!("{open}48.{row}, {}.35{close}", row * row)).collect(),
            &["column `x`: cells with several numbers, such as `", ", are texts; give each number its column"],
        );
    }
    let open = |other: &'static str| {
        (0..40).map(move |row| if row % 3 == 1 { other.to_string() } else { format!("2024-05-{:02}", day(row)) })
    };
    noted(
        open("present").collect(),
        &["column `x`: many cells are dates (27 of 40), but others are not, such as `present`, so", "with_missing"],
    );
    noted(open("0000-00-00").collect(), &["`0000-00-00`, which is no day of the calendar, so"]);
    for cell in [
        |row: usize| format!("{row}.3 {}", ["MB", "GB", "kB"][row % 3]),
        |row: usize| format!("{row}°12'{}\"N", row % 60),
        |row: usize| format!("202305{:02}T2356{row:02}Z", 1 + row % 28),
        |row: usize| format!("{row} days 11:26:18"),
        |row: usize| format!("+{row}:46"),
        |row: usize| format!("{}/{row}", 100 + row),
    ] {
        noted((0..40).map(cell).collect(), &["column `x`: texts that begin with numbers, such as `", "not learned"]);
    }
    // Nothing is said of names, codes, and what is read.
    for cells in [
        (0..40).map(|row| format!("A{row}")).collect::<Vec<_>>(),
        (0..40).map(|row| if row % 3 == 1 { format!("{row}A") } else { row.to_string() }).collect(),
        (0..40).map(|row| format!("{} May {}", day(row), 1950 + row)).collect(),
        (0..40).map(|row| format!("{} {} 2024", day(row), ["January", "May", "June"][row % 3])).collect(),
        (0..40).map(|row| format!("1.2.3.{row}")).collect(),
        (0..40).map(|row| format!("+49 30 555-{row}")).collect(),
        (0..40).map(|row| format!("{row}{}-{row}", (b'a' + row as u8 % 26) as char)).collect(),
        (0..40).map(|row| format!("13-{row}S")).collect(),
        (0..40).map(|row| format!("{row} {} street", (b'a' + row as u8 % 26) as char)).collect(),
        (0..40).map(|row| format!("{:02}:15:09", row * 7 % 160)).collect(),
    ] {
        assert_eq!(
            table(column(&cells)).notes().iter().filter(|note| !note.to_string().contains("left out")).count(),
            0,
            "{cells:?}"
        );
    }
    let long = column((0..40).map(|row| format!("{} {} 2024", day(row), ["January", "May", "June"][row % 3])));
    assert_eq!((kinds(&table(&long))[0], String::from_utf8(written(&table(&long))).unwrap()), (Date, long));
}

#[test]
fn a_decimal_mark_that_the_numbers_do_not_have_is_told() {
    let options = |mark| ReadOptions::default().with_decimal(mark).with_setting_names(SettingNames::Options);
    let points = with("x;y;z\n1.5;2.25;3\n2.5;3.25;4\n", &options(','));
    assert_eq!(row(&points, 0)[..2], [Value::Number(1.5), Value::Number(2.25)]);
    let told: Vec<String> = points.notes().iter().map(|note| note.told(SettingNames::Options)).collect();
    let expected = "the numbers of columns `x`, `y` have a decimal point, and were read so, although a decimal comma was asked for; \
                    correct the mark by --decimal, or correct the cells";
    assert_eq!(told, [expected]);
    assert!(is_noted(&with("x;y\n1,5;3\n2,5;4\n", &options('.')), "have a decimal comma"));
    assert_eq!(with("x;y\n1,5;3\n2,5;4\n", &options(',')).notes(), []);
    assert_eq!(with("x;y\n1;3\n2;4\n", &options(',')).notes(), []);
}

#[test]
fn trailing_delimiters_and_row_names() {
    for text in ["a,b,\n1.5,2,\n3.5,4,\n", "a,b\n1.5,2,\n3.5,4,\n", "1.5,2,\n3.5,4,\n"] {
        let table = table(text);
        assert_eq!((table.columns().len(), table.rows()), (2, 2), "{text}");
        assert_eq!(String::from_utf8(written(&table)).unwrap(), text);
    }
    let named = table("mpg cyl\nMazda 21.5 6\nDatsun 22.8 4\nHornet 21.4 6\n");
    assert_eq!((names(&named), kinds(&named)[0]), (vec!["column_1", "mpg", "cyl"], Identifier));
    assert!(is_noted(&named, "names of rows"));
}

#[test]
fn options_overrule_what_is_found() {
    let options = ReadOptions::default();
    let zip = column((0..40).map(|row| 10_000 + row % 20));
    assert_eq!(kinds(&table(&zip))[0], Integer);
    let categorical = with(&zip, &options.clone().with_kind("x", Categorical));
    assert_eq!((kinds(&categorical)[0], categorical.form().columns[0].categories()), (Categorical, 20));
    assert_eq!(kinds(&with(&zip, &options.clone().with_kind("x", Continuous)))[0], Continuous);
    let marked = with(column(["1.5", "-9999", "2.5"]), &options.clone().with_missing(vec!["-9999".to_string()]));
    assert_eq!(row(&marked, 1)[0], Value::Missing);
    let commas = with("a,b\n1,234\n5,678\n", &options.clone().with_delimiter(Delimiter::Char(';')).with_decimal(','));
    assert_eq!((names(&commas), row(&commas, 0)), (vec!["a,b"], vec![Value::Number(1.234)]));
    let day_first = with(column(["01/02/2024", "03/04/2024"]), &options.clone().with_day_first(true));
    assert_eq!(row(&day_first, 0)[0], Value::Date(19_754));
    assert!(is_noted(&table(column(["01/02/2024", "03/04/2024"])), "month before day"));
    let percent = with("% hand-made\nx,y\n1.5,2\n", &options.clone().with_comments(Comments::Begin('%')));
    assert_eq!((percent.rows(), names(&percent)), (1, vec!["x", "y"]));
    let japanese = with(b"\x93\x8c,y\n1.5,2\n", &options.clone().with_encoding(Encoding::named("shift_jis")));
    assert_eq!(names(&japanese), ["東", "y"]);
    let some = with("a,b,c\n1.5,2,x\n2.5,3,y\n", &options.clone().with_drop(vec!["b".to_string()]));
    assert_eq!((names(&some), some.form().dropped.clone()), (vec!["a", "c"], vec!["b".to_string()]));
    assert_eq!(names(&with("a,b\n1.5,2\n2.5,3\n", &options.with_columns(vec!["b".to_string()]))), ["b"]);
}

#[test]
fn too_many_categories_have_a_rest() {
    let cells: Vec<String> =
        (0..6000).map(|row| format!("c{}", if row % 2 == 0 { row % 20 } else { row % 3000 })).collect();
    let table = with(column(&cells), &ReadOptions::default().with_max_categories(10));
    let Domain::Categories { categories, rest } = &table.form().columns[0].domain else { panic!("no categories") };
    assert_eq!((categories.len(), rest.as_ref().unwrap().text.as_str()), (10, "other"));
    let total: u64 = categories.iter().chain(rest).map(|category| category.count).sum();
    assert_eq!(total, 6000);
    assert!(is_noted(&table, "the 10 most frequent values are kept, and "), "{:?}", table.notes());
    assert!(is_noted(&table, "keep more by `with_max_categories`"));
    let singles = (0..900).map(|row| format!("c{}", if row < 600 { row % 222 } else { row }));
    let few = self::table(column(singles));
    assert!(is_noted(
        &few,
        "the 222 values that come more than once are kept, and 300 cells with others become one more"
    ));
    assert_eq!(row(&table, 1)[0], Value::Category(10));
    let text = String::from_utf8(written(&table)).unwrap();
    assert!(text.lines().nth(2).unwrap().starts_with("other;"), "{}", text.lines().nth(2).unwrap());
}

#[test]
fn mistakes_are_named_with_the_cure() {
    let many = |bad: &str| column((0..40).map(|row| if row == 20 { bad.to_string() } else { format!("{row}.5") }));
    let options = ReadOptions::default();
    for (text, part) in [
        (many("abc"), "line 22, column 1 (`x`): `abc` is text in a column of numbers; correct it"),
        (many("1.234,5"), "thousands separator"),
        (many("2024-01-05"), "is a date in a column of numbers"),
        (many("5 kg"), "a unit, a currency or"),
        (many("inf"), "not a finite number"),
        (
            many("1e400"),
            "`1e400` is beyond the greatest number of 64 bits, 1.8e308, in a column of numbers; correct it",
        ),
        ("x,y\n1,2\n\n3\n".to_string(), "line 4 has 1 cell where line 2 has 2 cells; complete it"),
        ("x,y\n1,2\n3,4,5\n".to_string(), "line 3 has 3 cells where line 2 has 2 cells; put cells"),
        ("x,y\n1,2\n3,\"4\n".to_string(), "line 3, column 2: a quote does not end"),
        (String::new(), "holds no rows"),
        ("\n \n".to_string(), "holds no rows"),
        ("x,y\n".to_string(), "holds a header and no row"),
        ("a,b\n1,2\0\n".to_string(), "no text"),
        ("PK\u{3}\u{4}\0".to_string(), "an Excel workbook"),
    ] {
        let message = refused(&text, &options);
        assert!(message.starts_with("t.csv: ") && message.contains(part), "`{part}` is not in `{message}`");
    }
    let no_header = ReadOptions::default().with_header(false).with_setting_names(SettingNames::Options);
    let message = refused(column((0..40).map(|row| format!("{row}.5"))), &no_header);
    let part = "line 1, column 1 (`column_1`): `x` is text in a column of numbers; correct it, name it as a mark of missing values by --missing";
    assert!(
        message.contains(part) && message.ends_with("say that the first line has names by --header yes if it has"),
        "{message}"
    );
    let dates = column((1..28).map(|day| if day == 9 { "soon".to_string() } else { format!("2024-01-{day:02}") }));
    assert!(refused(&dates, &options).contains("`soon` is text in a column of dates"));
    let unknown = refused("a,b\n1,2\n", &options.clone().with_drop(vec!["c".to_string()]));
    assert!(unknown.contains("no column `c`; it has `a`, `b`"), "{unknown}");
    for (cells, part) in [
        (
            ["1", "2.0", "3.5"],
            "line 4, column 1 (`x`): `3.5` is not whole in a column of whole numbers; make the column",
        ),
        (["1,000", "2,000", "3,000.25"], "line 4, column 1 (`x`): `3,000.25` is not whole"),
        (["1.000", "2.000.000", "3,25"], "line 4, column 1 (`x`): `3,25` is not whole"),
        (["0,5", "7,5", "8"], "line 2, column 1 (`x`): `0,5` is not whole"),
        (["a", "b", "8"], "line 2, column 1 (`x`): `a` is text"),
        (["$1", "$2.50", "$3"], "line 3, column 1 (`x`): `$2.50` is not whole"),
        (["1", "2e3", "3"], "line 3, column 1 (`x`): `2e3` has an exponent"),
        (["1", "3", "99999999999999999999"], "line 4, column 1 (`x`): `99999999999999999999` is beyond"),
        (["1", "3", "abc"], "line 4, column 1 (`x`): `abc` is text in a column of whole numbers"),
    ] {
        let message = refused(column(cells), &options.clone().with_kind("x", Integer));
        assert!(message.contains(part), "`{part}` is not in `{message}`");
    }
    let whole = with(column(["1.0", "2.0", "5.0"]), &options.clone().with_kind("x", Integer));
    assert_eq!(row(&whole, 2)[0], Value::Integer(5));
    for kind in [Kind::Date, Kind::Boolean, Kind::Constant, Kind::Integer] {
        let input = Input::bytes("t.csv", column((0..40).map(|row| format!("{row}.5"))));
        let error = read(&input, &options.clone().with_kind("x", kind)).unwrap_err();
        assert!(matches!(error, Error::InvalidSetting { .. } | Error::Data { .. }), "{error}");
    }
}
