//! Lines above a table: titles, dates, sources, groups of columns, comments.

mod common;

use common::{is_noted, names, refused, row, table, with, written};
use gannet_tables::{Delimiter, Note, ReadOptions, SettingNames, Table, Value};

#[test]
fn titles_above_a_table_are_left_out() {
    let rows = "city;sold;price\nParis;3;1,5\nRome;4;2,5\nParis;7;0,5\n";
    for title in [
        "Sales of 2023\n",
        "Sales of 2023;;\n",
        "Sales of 2023\nby city\n",
        "Sales of 2023\n\n",
        "\"Sales; all of them\"\n2023-12-31\n;;\n",
    ] {
        let table = table(format!("{title}{rows}"));
        assert_eq!((names(&table), table.rows()), (vec!["city", "sold", "price"], 3), "{title}");
        assert_eq!(row(&table, 0)[2], Value::Number(1.5));
        assert!(is_noted(&table, "left out (`Sales"), "{title}: {:?}", table.notes());
        assert_eq!(String::from_utf8(written(&table)).unwrap(), rows);
    }
    // Two columns: names of R lack one, and a title has none below it.
    for (text, expected) in [
        ("Sales of 2023\ncity,sold\nParis,3\nRome,4\n", ["city", "sold"]),
        ("Sales\ncity,sold\nParis,3\nRome,4\n", ["city", "sold"]),
        ("mpg\nMazda,21.5\nDatsun,22.8\n", ["column_1", "mpg"]),
        ("city\na,Paris\nb,Rome\n", ["column_1", "city"]),
        ("name,\nParis,3\nRome,4\n", ["name", "column_2"]),
    ] {
        assert_eq!(names(&table(text)), expected, "{text}");
    }
    // A row of which most is missing, one name among columns without, and a column of texts.
    assert_eq!(table("Anna,,\nBert,2,3\nCarl,4,5\n").rows(), 3);
    assert!(!is_noted(&table(",,x\nq,,\n,w,\nq,w,x\nq,,x\nq,w,z\n"), "above the table"));
    assert_eq!(table("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n").columns().len(), 1);
    // What a caller says about the header counts.
    let told = |header: bool| ReadOptions::default().with_header(header);
    assert_eq!(names(&with("Sales;;\ncity;sold;price\nParis;3;1,5\n", &told(true))), ["Sales", "column_2", "column_3"]);
    let bare = with("Sales\nParis,3\nRome,4\n", &told(false));
    assert_eq!((names(&bare)[0], bare.rows()), ("column_1", 2));
}

#[test]
fn percent_signs_begin_comments_where_the_first_line_has_one() {
    let table = table("% made by hand\n%\nx,y\n1.5,2\n% again\n2.5,3\n");
    assert_eq!((names(&table), table.rows()), (vec!["x", "y"], 2));
    assert!(is_noted(&table, "left out: 3 comment lines"));
    let cells = self::table("share,x\n%5,1.5\n%7,2.5\n");
    assert_eq!((names(&cells), cells.rows()), (vec!["share", "x"], 2));
}

/// What each table's columns are called, and how many rows it has.
fn found(text: &str) -> (Vec<String>, usize) {
    let table = table(text);
    (names(&table).into_iter().map(str::to_string).collect(), table.rows())
}

fn titles(table: &Table) -> Vec<String> {
    let texts = table.notes().iter().filter_map(|note| match note {
        Note::LinesAbove { texts, .. } => Some(texts.clone()),
        _ => None,
    });
    texts.flatten().collect()
}

/// Lines above tables, what is in them, and what the tables below are.
#[test]
fn lines_above_names_are_told_from_these() {
    let units = "month,units,price\nJan,3,1.5\nFeb,4,2.5\nMar,5,0.5\n";
    let pandas = ",price\n0,1.5\n1,2.25\n2,0.5\n";
    let groups = "name,a,b,a,b\nx,1,2.5,3,4.5\ny,2,3.5,1,0.5\nz,7,1.5,2,8.5\n";
    let years = "\"Country Name\",\"Country Code\",\"1960\",\"1961\",\"1962\",\n\"Aruba\",\"ABW\",\"54.5\",\"55.5\",\"\",\n\
                 \"Chad\",\"TCD\",\"3.5\",\"4.5\",\"2.5\",\n";
    let texts = "name,city,state\nAnna,Rome,new\nBert,Oslo,old\nCarl,Bonn,new\n";
    let all = |count: usize| (1..=count).map(|line| format!("Line {line} of text\n")).collect::<String>();
    let semicolons = "city;price\nRome;1,5\nOslo;2,5\nBonn;0,5\n";
    let (month, price) = (&["month", "units", "price"][..], &["column_1", "price"][..]);
    let country = &["Country Name", "Country Code", "1960", "1961", "1962"][..];
    for (above, rows, columns, told) in [
        ("Sales, 2020 to 2023\n", units, month, &["Sales", "2020 to 2023"][..]),
        ("Sales, 2020 to 2023\n\n", units, month, &["Sales", "2020 to 2023"]),
        ("Sales,2020\nby,month\n", units, month, &["Sales", "2020", "by", "month"]),
        ("2023\n", units, month, &["2023"]),
        ("2023,,\n", units, month, &["2023"]),
        ("2023-12-31\n", units, month, &["2023-12-31"]),
        ("2023-12-31,,\n,,\n", units, month, &["2023-12-31"]),
        ("Sales\n", pandas, price, &["Sales"]),
        ("2023,\n", pandas, price, &["2023"]),
        ("Sales\n\n", "price\n1.5\n2.5\n0.5\n", &["price"], &["Sales"]),
        (",2019,,2020,\n", groups, &["name", "a", "b", "a", "b"], &["2019", "2020"]),
        ("Sales,,,,\n,2019,,2020,\n", groups, &["name", "a", "b", "a", "b"], &["Sales", "2019", "2020"]),
        (
            "\"Data Source\",\"World Development Indicators\",\n\n\"Last Updated Date\",\"2024-01-01\",\n\n",
            years,
            country,
            &["Data Source", "World Development Indicators", "Last Updated Date", "2024-01-01"],
        ),
        ("1999\n", years, country, &["1999"]),
        (
            "Author:,Anna\n\n",
            "name,city,state,zip\nA,Rome,new,x\nB,Oslo,old,y\n",
            &["name", "city", "state", "zip"],
            &["Author:", "Anna"],
        ),
        ("People\n", texts, &["name", "city", "state"], &["People"]),
        ("Prices\n", semicolons, &["city", "price"], &["Prices"]),
    ] {
        let table = table(format!("{above}{rows}"));
        let names: Vec<&str> = names(&table);
        assert_eq!(
            (names, titles(&table)),
            (columns.to_vec(), told.iter().map(ToString::to_string).collect()),
            "{above}"
        );
        // What is below is read as if nothing were above.
        let alone = self::table(rows);
        assert_eq!((table.rows(), table.form()), (alone.rows(), alone.form()), "{above}");
        assert_eq!(row(&table, 0), row(&alone, 0), "{above}");
        assert_eq!(written(&table), written(&alone), "{above}");
    }
    // More lines than rows, whatever the delimiter.
    for rows in [units, semicolons, groups] {
        for count in [9, 20, 64] {
            let table = table(all(count) + rows);
            assert_eq!((names(&table), titles(&table).len()), (names(&self::table(rows)), count));
        }
    }
}

/// The numbers of rows may reach the years above them.
#[test]
fn years_below_lines_above_are_names() {
    let years: String = (1960..1980).map(|year| format!(",{year}")).collect();
    let rows = |row: u32| {
        let cells: String = (0..20).map(|year| format!(",{}", (row * 7919 + year * 104_729) % 1_000_003)).collect();
        format!("Country {row},C{row:02}{cells}\n")
    };
    let rows: String = (1..50).map(rows).collect();
    let text = format!("Data Source,World\n\nUpdated,2024-01-01\n\nName,Code{years}\n{rows}");
    let table = table(&text);
    assert_eq!((names(&table)[0], names(&table)[2], table.rows()), ("Name", "1960", 49));
    assert_eq!(row(&table, 0)[2], Value::Integer(7919));
    assert!(is_noted(&table, "the first line was taken as names (`Name`, `Code`, `1960`"), "{:?}", table.notes());
    let bare = with(&text, &ReadOptions::default().with_header(false));
    assert_eq!((names(&bare)[0], bare.rows(), titles(&bare).len()), ("column_1", 50, 4));
}

/// Headers and rows that only look like lines above a table.
#[test]
fn headers_and_first_rows_are_no_lines_above() {
    for (text, columns, rows) in [
        // Names of R lack one, whatever the rows are.
        ("x,y\na,1,2\nb,3,4\n", &["column_1", "x", "y"][..], 2),
        ("x,y\na,red,2\nb,green,4\nc,red,5\n", &["column_1", "x", "y"], 3),
        ("x,y\na,red,NA\nb,green,4\nc,red,5\n", &["column_1", "x", "y"], 3),
        ("x,y\na,red,big\nb,green,small\n", &["column_1", "x", "y"], 2),
        ("2019,2020\nx,1.5,2\ny,3.5,4\n", &["column_1", "2019", "2020"], 2),
        // First rows that have few cells, below names and without.
        ("a,b,c\n1,,\n2,3,4\n5,6,7\n", &["a", "b", "c"], 3),
        ("a,b,c\nx,,\ny,u,4\nz,v,7\n", &["a", "b", "c"], 3),
        ("1,,\n2,3,4\n5,6,7\n", &["column_1", "column_2", "column_3"], 3),
        (",,1\n2,3,4\n5,6,7\n", &["column_1", "column_2", "column_3"], 3),
        ("2023-01-01,,\n2023-01-02,3,4\n2023-01-03,6,7\n", &["column_1", "column_2", "column_3"], 3),
        // Names of which some are missing.
        ("name,,city\nAnna,1,Rome\nBert,3,Oslo\n", &["name", "column_2", "city"], 2),
        (",time,dist\nno,s,m\n1,2,3\n2,4,5\n3,8,9\n", &["column_1", "time", "dist"], 3),
        ("time,dist,what\ns,m,-\n1,2,a\n2,4,b\n3,8,c\n", &["time", "dist", "what"], 3),
        // A name, its unit, and rows.
        ("length\nm\n1.5\n2.5\n3.5\n", &["length"], 3),
    ] {
        let columns = columns.iter().map(ToString::to_string).collect::<Vec<String>>();
        assert_eq!((found(text), titles(&table(text))), ((columns, rows), vec![]), "{text}");
    }
}

#[test]
fn a_caller_overrules_what_lines_are() {
    let told = |header: bool| ReadOptions::default().with_header(header);
    let rows = "month,units,price\nJan,3,1.5\nFeb,4,2.5\n";
    for (title, expected) in [
        ("Sales\n", "1 line above the table was left out (`Sales`)"),
        ("Sales,2023\n", "was left out (`Sales`, `2023`); read it as the header by --header yes"),
        ("Sales,,\n", "(`Sales`); read it as the header by --header yes, or read it as a row by --header no"),
        (
            "Sales,,\n2023,,\n",
            "2 lines above the table were left out (`Sales`, `2023`); read them as rows by --header no",
        ),
    ] {
        let text = format!("{title}{rows}");
        let table = table(&text);
        let notes: Vec<String> = table.notes().iter().map(|note| note.told(SettingNames::Options)).collect();
        assert!(notes.iter().any(|note| note.ends_with(expected)), "{notes:?}");
        let is_named = names(&with(&text, &told(true)))[..] == ["month", "units", "price"];
        assert_eq!(is_named, !expected.contains("--header yes"), "{title}");
        let with_rows = with(&text, &told(false));
        let lines = text.lines().count() - if expected.contains("--header no") { 0 } else { 1 };
        assert_eq!((names(&with_rows)[0], with_rows.rows()), ("column_1", lines), "{title}");
    }
}

#[test]
fn rows_of_other_lengths_below_text_have_a_cure_that_helps() {
    let options = ReadOptions::default().with_setting_names(SettingNames::Options);
    let text = "Anna,7,Rome\n1.5,2.5,3.5,4.5,5.5\n2.5,2.5,3.5,4.5,5.5\n";
    let cure = "; remove lines that are above the table, put cells that hold the delimiter in quotes, or name the delimiter by --delimiter";
    let message = refused(text, &options);
    assert!(message.ends_with(&format!("line 2 has 5 cells where line 1 has 3 cells{cure}")), "{message}");
    assert_eq!(table(text.split_once('\n').unwrap().1).rows(), 2);
    let message = refused("Line\n".repeat(100) + "a,b,c\n1,2,3\n", &options);
    assert!(message.ends_with(&format!("line 101 has 3 cells where line 2 has 1 cell{cure}")), "{message}");
}

#[test]
fn names_in_the_comment_above_the_rows() {
    for (text, columns, rows, comments) in [
        ("#a,b,c\n1,2.5,3\n4,5.5,6\n", &["a", "b", "c"][..], 2, 0),
        ("# a,b,c\n1,2.5,3\n4,5.5,6\n", &["a", "b", "c"], 2, 0),
        ("## made by hand\n#a\tb\n1\t2.5\n3\t4.5\n", &["a", "b"], 2, 1),
        ("#name,city\nAnna,Rome\nBert,Oslo\n", &["name", "city"], 2, 0),
        // A sentence, and other names below.
        ("# made by Anna, not Bert\nname,city\nAnna,Rome\nBert,Oslo\n", &["name", "city"], 2, 1),
        ("#a,b\nx,y\n1,2.5\n3,4.5\n", &["x", "y"], 2, 1),
        ("#a,b\n1,2.5,3\n4,5.5,6\n", &["column_1", "column_2", "column_3"], 2, 1),
    ] {
        let table = table(text);
        assert_eq!((names(&table), table.rows()), (columns.to_vec(), rows), "{text}");
        let noted = table.notes().iter().find_map(|note| match note {
            Note::Lines { comments, .. } => Some(*comments),
            _ => None,
        });
        assert_eq!(noted.unwrap_or(0), comments, "{text}");
    }
    let named = "#name,city\n".to_string() + &"Anna,Rome\nBert,Oslo\nAnna,Oslo\n".repeat(4);
    assert_eq!(String::from_utf8(written(&table(&named))).unwrap(), named);
}

#[test]
fn drawn_tables_are_read_without_their_frame() {
    let values = [Value::Integer(3), Value::Number(1.5)];
    for text in [
        "| sold | price |\n|-----:|:-----:|\n| 3 | 1.5 |\n| 5 | 2.5 |\n",
        "|sold|price|\n|-|-|\n|3|1.5|\n|5|2.5|\n",
        "Sales of 2023\n\n| sold | price |\n|---|---|\n| 3 | 1.5 |\n| 5 | 2.5 |",
        "+------+-------+\n| sold | price |\n+------+-------+\n|    3 |   1.5 |\n|    5 |   2.5 |\n+------+-------+\n",
        "sold | price\n--- | ---\n3 | 1.5\n5 | 2.5\n",
        " sold | price \n------+-------\n    3 |   1.5\n    5 |   2.5\n",
        "+-----+-----+\r\n|sold |price|\r\n+=====+=====+\r\n|3    |1.5  |\r\n+-----+-----+\r\n|5    |2.5  |\r\n+-----+-----+\r\n",
    ] {
        let pipe = Some(Delimiter::Char('|')).filter(|_| text.contains("| sold") || text.contains("|sold"));
        for options in [ReadOptions::default(), ReadOptions::default().with_delimiter(pipe)] {
            let table = with(text, &options);
            assert_eq!((names(&table), table.rows()), (vec!["sold", "price"], 2), "{text}");
            assert_eq!(row(&table, 0), values, "{text}");
            let again = self::table(written(&table));
            assert_eq!((names(&again), again.columns()), (names(&table), table.columns()), "{text}");
        }
    }
    // A table between pipes alone, and one with a column that has no value.
    assert_eq!(found("a|b\n1|--\n2|--\n3|x\n"), (vec!["a".to_string(), "b".to_string()], 3));
    assert_eq!(found("| a | b |\n|---|---|\n| 1 |  |\n| 2 | - |\n"), (vec!["a".to_string(), "b".to_string()], 2));
}

/// psql and mysql count the rows below a table.
#[test]
fn counts_below_a_drawn_table_are_no_rows() {
    let psql = " city  | price \n-------+-------\n Rome  |   1.5\n Paris |   2.5\n Rome  |   3.5\n";
    let rule = "+-------+-------+\n";
    let rows = "| Rome  |   1.5 |\n| Paris |   2.5 |\n| Rome  |   3.5 |\n";
    let mysql = &format!("{rule}| city  | price |\n{rule}{rows}{rule}");
    let narrow = "+-------+\n| price |\n+-------+\n|   1.5 |\n|   2.5 |\n|   3.5 |\n+-------+\n";
    for (drawn, names, counts) in [
        (psql, &["city", "price"][..], &["(3 rows)\n", "(3 rows)\n\n", "(3 rows)"][..]),
        (
            mysql,
            &["city", "price"],
            &["3 rows in set (0.00 sec)\n\n", "3 rows in set, 1 warning (0.01 sec)\n", "3 rows in set"],
        ),
        (narrow, &["price"], &["3 rows in set (0.00 sec)\n", "3 rows in set"]),
    ] {
        let bare = table(drawn);
        assert_eq!((self::names(&bare), bare.rows()), (names.to_vec(), 3), "{drawn}");
        for count in counts {
            for end in ["\n", "\r\n"] {
                let text = (drawn.to_string() + count).replace('\n', end);
                let counted = table(&text);
                assert_eq!((self::names(&counted), counted.columns()), (names.to_vec(), bare.columns()), "{text}");
                assert!(titles(&counted).is_empty(), "{text}");
            }
        }
    }
}
