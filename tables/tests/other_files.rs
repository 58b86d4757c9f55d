//! Another file as the columns of a table that was read before.

mod common;

use common::{data, is_noted, row, table};
use gannet_tables::{Form, Input, ReadOptions, Table, Value, read, read_as};

fn again(form: &Form, text: &str) -> Result<Table, String> {
    read_as(&Input::bytes("o.csv", text), form, &ReadOptions::default()).map_err(|error| error.to_string())
}

#[test]
fn columns_are_matched_by_name() {
    let options = ReadOptions::default();
    let original = read(&Input::file(data("column_order_original.csv")), &options).unwrap();
    let other = Input::file(data("column_order_reordered.csv"));
    let reordered = read_as(&other, original.form(), &options).unwrap();
    assert_eq!((reordered.columns(), reordered.form()), (original.columns(), original.form()));
}

const PEOPLE: &str = "city,age,born,height\nParis,31,1990-03-05,1.75\nRome,27,1985-12-31,1.62\nParis,64,2001-07-17,\n";

#[test]
fn another_dialect_has_the_same_values() {
    let people = table(PEOPLE);
    let other = "born;height;city;age\n05.03.1990;1,75;Paris;31\n31.12.1985;1,62;Rome;27\n17.07.2001;;Paris;64\n";
    let read = again(people.form(), other).unwrap();
    assert_eq!(read.columns(), people.columns());
    let unknown = again(people.form(), "city,age,born,height\nOslo,,1990-03-05,1\nRome,5,1985-12-31,2\n").unwrap();
    assert_eq!(row(&unknown, 0)[..2], [Value::Category(2), Value::Missing]);
    assert!(is_noted(&unknown, "column `city`: 1 cell has a value that is none"));
    // A column may have no value, and a category may be alone.
    let empty = again(people.form(), "city,age,born,height\nRome,,,\nRome,,,\n").unwrap();
    let rome = people.columns()[0].value(1);
    assert_eq!(row(&empty, 1), [rome, Value::Missing, Value::Missing, Value::Missing]);
}

#[test]
fn categories_of_numbers_may_be_written_in_another_way() {
    let grades = table(&("x,grade\n".to_string() + &"1.5,1\n2.5,2\n4.5,10\n".repeat(20)));
    let read = again(grades.form(), "x,grade\n1.5,1.0\n2.5,2.00\n4.5,1e1\n5.5,3.0\n").unwrap();
    let places = (0..4).map(|row| read.columns()[1].value(row)).collect::<Vec<_>>();
    assert_eq!(places[..3], [0, 1, 2].map(|row| grades.columns()[1].value(row)));
    assert!(is_noted(&read, "column `grade`: 1 cell has a value that is none"));
    // Where a category is no number, texts are texts.
    let names = table(&("x,name\n".to_string() + &"1.5,1\n2.5,b\n4.5,c\n".repeat(20)));
    assert!(is_noted(&again(names.form(), "x,name\n1.5,1.0\n2.5,b\n").unwrap(), "column `name`: 1 cell"));
}

#[test]
fn other_columns_are_named() {
    let people = table(PEOPLE);
    let problem = again(people.form(), "city,age,size,height\nParis,31,2,1.5\n").unwrap_err();
    let expected = "o.csv: has other columns than the run: missing `born`; new `size`; it needs `city`, `age`, `born`, `height`; \
                    rename or add them";
    assert_eq!(problem, expected);
    let more = again(people.form(), "city,age,born,height,size\nParis,31,1990-03-05,1.5,2\n").unwrap_err();
    assert!(more.ends_with("leave the new ones out"), "{more}");
    let fewer = again(people.form(), "city,age,born\nParis,31,1990-03-05\n").unwrap_err();
    assert!(fewer.ends_with("add what is missing"), "{fewer}");
    let twice = again(people.form(), "age,city,born,height,age\n1,Rome,1990-03-05,1.5,2\n").unwrap_err();
    assert!(twice.contains("several columns are called `age`"), "{twice}");
    let doubled = table("a,a,b\n1.5,2.5,3.5\n2.5,3.5,4.5\n");
    assert!(again(doubled.form(), "b,a\n1.5,2.5\n").unwrap_err().contains("several columns are called `a`"));
    assert_eq!(again(doubled.form(), "a,a,b\n1.5,2.5,3.5\n2.5,3.5,4.5\n").unwrap().columns(), doubled.columns());
    let few = again(people.form(), "31,1.5\n27,1.6\n").unwrap_err();
    assert!(few.contains("2 columns without names, but the run has 4"), "{few}");
    let unnamed =
        again(people.form(), "Rome,31,1990-03-05,1.5\nParis,27,1990-03-06,1.6\nRome,28,1990-03-07,1.7\n").unwrap();
    assert!(is_noted(&unnamed, "matched by position"));
}

#[test]
fn a_table_without_names_keeps_its_first_row() {
    for text in ["1.5\n2.5\n3.5\n7.5\n", "1,,3\n4,5,6\n7,5,1\n9,2,2\n"] {
        let nameless = table(text);
        assert_eq!(nameless.form().dialect.header, None);
        let read = again(nameless.form(), text).unwrap();
        assert_eq!((read.rows(), read.columns()), (4, nameless.columns()), "{text}");
    }
    let options = ReadOptions::default().with_columns(vec!["column_1".to_string()]);
    let one = common::with("1.5,2.5,9.5\n2.5,3.5,8.5\n3.5,5.5,1.5\n", &options);
    assert_eq!(again(one.form(), "1.5\n2.5\n3.5\n").unwrap().columns(), one.columns());
}

#[test]
fn known_names_are_no_title() {
    let one = table("Price of a day\n1.5\n2.5\n3.5\n");
    let read = again(one.form(), "Price of a day\n\n9.5\n8.5\n").unwrap();
    assert_eq!((read.rows(), read.form().columns[0].heading.as_str()), (2, "Price of a day"));
}

#[test]
fn dates_of_another_meaning_are_refused() {
    let column =
        |cells: &[&str]| format!("d,x\n{}", cells.iter().map(|cell| format!("{cell},1.5\n")).collect::<String>());
    for (known, other) in [
        (["Feb 5", "Mar 6", "Apr 7"], ["2024-02-05", "2024-03-06", "2024-04-07"]),
        (["2024-02-05", "2024-03-06", "2024-04-07"], ["Feb 5", "Mar 6", "Apr 7"]),
        (["9:05", "10:15", "23:59"], ["26:15", "9:05", "31:00"]),
    ] {
        let problem = again(table(column(&known)).form(), &column(&other)).unwrap_err();
        assert!(problem.contains("column 1 (`d`)"), "{problem}");
    }
    // A time of less than a day is a duration among durations.
    let durations = table(column(&["26:15", "9:05", "31:00"]));
    let read = again(durations.form(), &column(&["9:05", "10:15"])).unwrap();
    assert_eq!(read.columns()[0].value(0), Value::Date(545));
}

#[test]
fn other_kinds_are_named() {
    let people = table(PEOPLE);
    let text = again(people.form(), "city,age,born,height\nRome,young,1990-03-05,1.5\n").unwrap_err();
    assert!(text.contains("line 2, column 2 (`age`): `young` is text"), "{text}");
    let decimals = again(people.form(), "city,age,born,height\nRome,3.5,1990-03-05,1.5\n").unwrap_err();
    assert!(
        decimals
            .ends_with("line 2, column 2 (`age`): `3.5` is not whole in a column of whole numbers; correct the cell"),
        "{decimals}"
    );
}

#[test]
fn dropped_columns_may_be_there_or_not() {
    let options = ReadOptions::default().with_drop(vec!["born".to_string()]);
    let people = common::with(PEOPLE, &options);
    assert_eq!(again(people.form(), PEOPLE).unwrap().columns(), people.columns());
    let without = "city,age,height\nParis,31,1.75\nRome,27,1.62\nParis,64,\n";
    assert_eq!(again(people.form(), without).unwrap().columns(), people.columns());
}
