//! Files as people have them: what each is read as, and that it is written back as it was.

mod common;

use common::{data, is_noted, kinds, names, row, written};
use gannet_tables::Kind::{Boolean, Categorical, Constant, Continuous, Counter, Date, Identifier, Integer};
use gannet_tables::{Domain, Input, Kind, ReadOptions, Table, Value, read};

fn file(name: &str) -> Table {
    read(&Input::file(data(name)), &ReadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files that come back byte by byte, with the kinds of their columns and the number of their rows.
#[test]
fn regular_files_come_back_as_they_were() {
    let two = &[Continuous, Continuous][..];
    let cases: [(&str, &[Kind], usize); 40] = [
        ("bigint.csv", &[Counter, Continuous], 60),
        ("bigint_const.csv", &[Constant, Continuous], 60),
        ("bool.csv", &[Boolean, Continuous], 60),
        ("category.csv", &[Categorical, Continuous], 60),
        ("column_order_original.csv", two, 60),
        ("cr_only.csv", two, 60),
        ("date.csv", &[Date, Continuous], 60),
        ("decimal_comma_onecol.csv", &[Continuous], 60),
        ("decimal_comma_quoted.csv", two, 60),
        ("decimal_comma_tab.tsv", two, 60),
        ("denormal.csv", &[Categorical, Continuous], 60),
        ("header_named_nan.csv", two, 60),
        ("header_semicolon_in_comma.csv", two, 60),
        ("ints.csv", &[Integer, Categorical, Categorical], 300),
        ("latin1_header.csv", two, 60),
        ("leading_zeros.csv", &[Categorical, Continuous], 60),
        ("na_first_line_noheader.csv", two, 61),
        ("pandas_default_numpy.csv", &[Counter, Continuous, Continuous, Continuous], 100),
        ("pandas_index.csv", &[Counter, Continuous, Continuous], 60),
        ("partly_numeric_header.csv", &[Counter, Continuous, Continuous], 60),
        ("pipe.csv", two, 60),
        ("population.csv", &[Integer, Integer], 200),
        ("positive_only.csv", &[Continuous], 500),
        ("quoted_newline.csv", two, 60),
        ("r_rownames.csv", &[Counter, Continuous, Continuous], 60),
        ("r_rownames_comma.csv", &[Counter, Continuous, Continuous], 60),
        ("savetxt_header.csv", two, 60),
        ("sep_hint.csv", two, 60),
        ("sep_hint_noheader.csv", two, 60),
        ("single_quotes.csv", two, 60),
        ("table.dat", two, 60),
        ("thousands.csv", &[Counter, Continuous], 60),
        ("tiny_units.csv", two, 200),
        ("unicode_minus.csv", two, 60),
        ("units_row.csv", two, 60),
        ("utf16le_bom.csv", two, 60),
        ("wavelengths.csv", &[Continuous, Continuous, Continuous], 200),
        ("years_header.csv", &[Continuous, Continuous, Continuous], 60),
        ("linnerud_exercise.csv", &[Integer, Integer, Integer], 20),
        ("sm_ccard.csv", &[Continuous, Integer, Continuous, Continuous, Boolean], 72),
    ];
    let mut wrong = Vec::new();
    for (name, expected, rows) in cases {
        let table = file(name);
        let is_same = written(&table) == std::fs::read(data(name)).unwrap();
        if kinds(&table) != expected || table.rows() != rows || !is_same {
            wrong.push(format!("{name}: {:?}, {} rows, same bytes: {is_same}", kinds(&table), table.rows()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The first row of each file that a reader could take for something else.
#[test]
fn first_rows_have_the_right_values() {
    let pair = [Value::Number(5.251), Value::Number(15.318)];
    let mut wrong = Vec::new();
    for name in [
        "column_order_original.csv",
        "comment_lines.csv",
        "comment_one_line.csv",
        "cr_only.csv",
        "decimal_comma_tab.tsv",
        "excel_trailing_rows.csv",
        "gz.csv.gz",
        "header_named_nan.csv",
        "header_semicolon_in_comma.csv",
        "latin1_header.csv",
        "pipe.csv",
        "quoted_newline.csv",
        "savetxt_header.csv",
        "sep_hint.csv",
        "sep_hint_noheader.csv",
        "single_quotes.csv",
        "space.csv",
        "table.dat",
        "units_row.csv",
        "utf16le_bom.csv",
        "na.csv",
        "outlier.csv",
    ] {
        let table = file(name);
        if row(&table, 0) != pair {
            wrong.push(format!("{name}: {:?}", row(&table, 0)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(row(&file("unicode_minus.csv"), 0), [Value::Number(-5.251), Value::Number(15.318)]);
    assert_eq!(row(&file("thousands.csv"), 0), [Value::Generated, Value::Number(1000.5)]);
    assert_eq!(row(&file("decimal_comma_quoted.csv"), 0), [Value::Number(5.25), Value::Number(15.32)]);
    assert_eq!(row(&file("decimal_comma_onecol.csv"), 0), [Value::Number(5.251)]);
    let asked = ReadOptions::default().with_kind("id", Integer);
    let integers = read(&Input::file(data("bigint.csv")), &asked).unwrap();
    assert_eq!(row(&integers, 1)[0], Value::Integer(1_556_559_573_141_592_654));
    assert_eq!(row(&file("population.csv"), 0), [Value::Integer(7_244_438), Value::Integer(103_648_879_009)]);
    assert_eq!(row(&file("tiny_units.csv"), 0)[0], Value::Number(1.7582e-19));
    assert_eq!(row(&file("years_header.csv"), 0)[0], Value::Number(5.25));
    assert_eq!(row(&file("na_first_line_noheader.csv"), 0), [Value::Missing; 2]);
    assert_eq!(row(&file("date.csv"), 0)[0], Value::Date(19_723));
    assert_eq!(row(&file("outlier.csv"), 60)[0], Value::Number(1e12));
}

#[test]
fn gaps_and_rows_at_the_end() {
    let table = file("na.csv");
    assert_eq!((table.rows(), row(&table, 60)), (61, vec![Value::Missing, Value::Number(3.0)]));
    assert!(is_noted(&table, "column `x`: `NA` means a missing value, in 1 of 61 rows"));
    let table = file("empty_cell.csv");
    assert_eq!((table.rows(), row(&table, 0)), (61, vec![Value::Number(1.0), Value::Missing]));
    assert_eq!((file("excel_trailing_rows.csv").rows(), file("ctrl_z.csv").rows()), (60, 60));
    assert!(is_noted(&file("excel_trailing_rows.csv"), "left out: 2 blank rows"));
    // DOS ended files by Ctrl-Z, behind a line or in its place.
    for end in ["\u{1a}", "\n\u{1a}", "\r\n\u{1a}", "\n\u{1a}\u{1a}\n"] {
        let table = common::table("x,y\n1.5,2\n3.5,4".to_string() + end);
        let last = [Value::Number(3.5), Value::Integer(4)];
        assert_eq!((table.rows(), row(&table, 1)), (2, last.to_vec()), "{end:?}");
    }
}

#[test]
fn names_come_from_where_they_are() {
    assert_eq!(names(&file("latin1_header.csv")), ["Größe", "Länge"]);
    assert_eq!(names(&file("savetxt_header.csv")), ["x", "y"]);
    assert_eq!(names(&file("sep_hint_noheader.csv")), ["column_1", "column_2"]);
    assert_eq!(names(&file("na_first_line_noheader.csv")), ["column_1", "column_2"]);
    assert_eq!(names(&file("r_rownames.csv")), ["column_1", "x", "y"]);
    assert_eq!(names(&file("years_header.csv")), ["2019", "2020", "2021"]);
    assert_eq!(names(&file("header_semicolon_in_comma.csv")), ["time;s", "volt"]);
    assert_eq!(names(&file("quoted_newline.csv")), ["x\n(mm)", "y"]);
    assert_eq!(names(&file("sm_E6_jmulti.csv")), ["column_1", "column_2"]);
}

#[test]
fn what_was_assumed_is_noted() {
    assert!(is_noted(&file("latin1_header.csv"), "Windows-1252"));
    assert!(is_noted(
        &file("decimal_comma_onecol.csv"),
        "decimal comma; name the comma by `with_delimiter` if these are two columns"
    ));
    assert!(is_noted(&file("years_header.csv"), "`2019`, `2020`, `2021`"));
    assert!(is_noted(&file("units_row.csv"), "units (`m`, `kg`)"));
    assert!(is_noted(&file("pandas_index.csv"), "names of rows"));
    assert!(is_noted(&file("comment_lines.csv"), "left out: 2 comment lines"));
    assert!(is_noted(&file("iris.csv"), "numbers of rows and columns"));
    // Nothing was assumed of a plain table.
    assert_eq!(file("column_order_original.csv").notes(), []);
    assert_eq!(file("decimal_comma_tab.tsv").notes(), []);
}

/// scikit-learn's file begins with the numbers of rows and of features.
#[test]
fn counts_in_the_first_line_are_no_row() {
    let table = file("iris.csv");
    assert_eq!((table.rows(), names(&table)[0]), (150, "column_1"));
    assert_eq!(kinds(&table), [Continuous, Continuous, Continuous, Continuous, Categorical]);
    // Of more columns than classes, the line has fewer cells than rows.
    let rows: String =
        (0..40).map(|row| format!("{}.5,{}.25,{},{}\n", row * 7 % 23, row * 5 % 19, row % 11, row % 2)).collect();
    for line in ["40,3\n", "40,3,no\n"] {
        let counted = common::table(format!("{line}{rows}"));
        assert_eq!((counted.rows(), names(&counted)[0]), (40, "column_1"), "{line}");
        assert!(common::is_noted(&counted, "1 line above the table was left out (`40`, `3`"), "{:?}", counted.notes());
    }
    for line in ["40,4\n", "x,3\n"] {
        assert!(
            common::refused(format!("{line}{rows}"), &ReadOptions::default()).contains("line 2 has 4 cells"),
            "{line}"
        );
    }
}

#[test]
fn quoted_newlines_and_mixed_texts() {
    let table = file("USstateAbbreviations.csv");
    let kinds = kinds(&table);
    assert_eq!((table.rows(), kinds[1], kinds[2], kinds[5]), (76, Identifier, Categorical, Integer));
    // `01` has two digits; six are empty.
    assert_eq!(table.form().columns[5].missing_cells, 6);
    assert_eq!(row(&table, 1)[5], Value::Integer(1));
}

/// A category has the text of the file, whatever the number.
#[test]
fn categories_keep_their_text() {
    let table = file("leading_zeros.csv");
    let Domain::Categories { categories, .. } = &table.form().columns[0].domain else { panic!("no categories") };
    assert!(categories.iter().any(|category| category.text == "01000"));
    let table = file("bool.csv");
    let Domain::Categories { categories, .. } = &table.form().columns[0].domain else { panic!("no categories") };
    let texts: Vec<&str> = categories.iter().map(|category| category.text.as_str()).collect();
    assert_eq!((texts, row(&table, 0)[0]), (vec!["FALSE", "TRUE"], Value::Category(1)));
}

#[test]
fn an_error_page_is_named() {
    let error = read(&Input::file(data("t10k-images-idx3-ubyte.gz")), &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("is a web page"), "{error}");
}
