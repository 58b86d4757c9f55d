//! Rows whose numbers and dates may lie beyond those of the table.

mod common;

use std::collections::BTreeSet;

use common::{table, with, written};
use gannet_tables::{
    Codec, DateFormat, Delimiter, Domain, Facet, Input, Kind, ReadOptions, Scaling, Table, Value, probit, read_as,
};

/// The format of the only column, and its first and last date.
fn dates(table: &Table) -> (&DateFormat, [i64; 2]) {
    match &table.form().columns[0].domain {
        Domain::Dates { format, range } => (format, *range),
        other => panic!("{other:?}"),
    }
}

/// The shapes of the lines of a text: a digit is `9`, a capital `A`, another letter `a`.
fn shapes(text: &str) -> BTreeSet<String> {
    let sign = |letter: char| match letter {
        '0'..='9' => '9',
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        other => other,
    };
    text.lines().map(|line| line.chars().map(sign).collect()).collect()
}

#[test]
fn dates_beyond_the_data_keep_their_format() {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    /// How year, month and day are written.
    type Written = fn(usize, usize, usize) -> String;
    let formats: [Written; 9] = [
        |year, month, day| format!("{year}-{month:02}-{day:02}"),
        |year, month, day| format!("{day:02}.{month:02}.{year}"),
        |year, month, day| format!("{month}/{day}/{year}"),
        |year, month, day| format!("{year}{month:02}{day:02}"),
        |year, month, day| format!("{day} {} {year}", MONTHS[month - 1]),
        |year, month, _| format!("{year}-{month:02}"),
        |year, month, day| format!("{year}-{month:02}-{day:02}T{:02}:{:02}:00Z", day % 24, 2 * day),
        |year, month, day| format!("{month}/{day}/{year} {}:{:02} PM", day % 12 + 1, 2 * day),
        // Two digits mean years up to 2068; another range beyond the last one would end later.
        |year, month, day| format!("{day:02}.{month:02}.{:02}", year + 46 - 2_000),
    ];
    // Spaces are in dates.
    let options = ReadOptions::default().with_delimiter(Delimiter::Char(','));
    for written_by in formats {
        let line = |row: usize| {
            let month = (72.0 + 21.0 * probit((row as f64 * 7.0 % 900.0 + 0.5) / 900.0)) as usize;
            written_by(2_010 + month / 12, month % 12 + 1, row * 11 % 28 + 1)
        };
        let text: String = (0..900).map(|row| line(row) + "\n").collect();
        let known = with("day\n".to_string() + &text, &options);
        let (format, [first, last]) = dates(&known);
        let codec = Codec::fit(&known, None, Scaling::Quantile).unwrap().reaching_beyond(1.0).unwrap();
        let scores: Vec<f32> = (-6_000i16..=6_000).map(|score| f32::from(score) / 1e3).collect();
        let made = codec.table(&scores, |_| None).unwrap();
        let new = String::from_utf8(written(&made)).unwrap();
        let again = with(&new, &options);
        let (again_format, [least, greatest]) = dates(&again);
        assert_eq!(again_format, format, "{}", line(0));
        assert!(least < first && greatest > last, "{}: {least} {first} {last} {greatest}", line(0));
        // No date became another one when it was written.
        assert!(again.columns() == made.columns(), "{}", line(0));
        let others: Vec<String> = shapes(&new).difference(&shapes(&("day\n".to_string() + &text))).cloned().collect();
        assert!(others.is_empty(), "{}: {others:?}", line(0));
    }
}

/// Rows with gaps in numbers, whole numbers and dates, each at a rate of its own.
fn with_gaps(rows: usize) -> Table {
    let line = |row: usize| {
        let gap = |every: usize, mark: &str, cell: String| if row % every == 2 { mark.to_string() } else { cell };
        let size = gap(4, "NA", format!("{:.3}", (row * 7_919 % 10_007) as f64 / 8.0 - 600.0));
        let count = gap(7, "", (1_000 + row * 31 % 6_131).to_string());
        let day = gap(9, "", format!("{}-{:02}-{:02}", 1990 + row % 23, row % 12 + 1, row % 28 + 1));
        format!("{size},{count},{day}\n")
    };
    let table = table("size,count,day\n".to_string() + &(0..rows).map(line).collect::<String>());
    assert_eq!(common::kinds(&table), [Kind::Continuous, Kind::Integer, Kind::Date]);
    table
}

/// The features of the scores of all columns, and of the groups that say whether they are missing.
fn features(codec: &Codec) -> Vec<(usize, usize)> {
    let of = |facet| match facet {
        Facet::Number { feature, missing, .. } => Some((feature, missing.unwrap())),
        _ => None,
    };
    codec.facets().into_iter().filter_map(of).collect()
}

/// The values of a column that are there, in the order of the rows.
fn numbers(table: &Table, column: usize) -> Vec<f64> {
    let number = |row| match table.columns()[column].value(row) {
        Value::Number(number) => Some(number),
        Value::Integer(number) | Value::Date(number) => Some(number as f64),
        _ => None,
    };
    (0..table.rows()).filter_map(number).collect()
}

#[test]
fn missing_cells_stay_missing_beyond_the_data() {
    let known = with_gaps(1_260);
    let codec = Codec::fit(&known, None, Scaling::Quantile).unwrap().reaching_beyond(0.5).unwrap();
    let encoded = codec.encode(&known, u64::MAX).unwrap();
    let mut samples = vec![0.0; encoded.len() * codec.features()];
    for (row, sample) in samples.chunks_exact_mut(codec.features()).enumerate() {
        encoded.copy(row, sample);
        // All that is there lies beyond an end.
        features(&codec).iter().for_each(|(score, _)| sample[*score] = if row % 2 == 0 { -5.9 } else { 5.9 });
    }
    let made = codec.table(&samples, |_| None).unwrap();
    // Of so few values a reader makes categories, unless it knows the columns.
    let again = read_as(&Input::bytes("t.csv", written(&made)), made.form(), &ReadOptions::default()).unwrap();
    assert!(again.columns() == made.columns());
    for (column, (old, new)) in known.columns().iter().zip(made.columns()).enumerate() {
        for row in 0..known.rows() {
            assert_eq!(new.value(row) == Value::Missing, old.value(row) == Value::Missing, "{row} {column}");
        }
        let (old, new) = (numbers(&known, column), numbers(&made, column));
        let inside = |number: &&f64| old.iter().any(|old| old <= *number) && old.iter().any(|old| old >= *number);
        assert_eq!(new.iter().filter(inside).count(), 0, "{column}");
    }
}

/// A generator that makes gaps at another rate, and wider scores, is calibrated to the rate of the data.
#[test]
fn gaps_are_as_frequent_as_in_the_data() {
    const ROWS: usize = 20_000;
    let known = with_gaps(1_260);
    let codec = Codec::fit(&known, None, Scaling::Quantile).unwrap().reaching_beyond(0.5).unwrap();
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f64 + 0.5) / f64::from(1 << 24)
    };
    let mut samples = vec![0.0f32; ROWS * codec.features()];
    for sample in samples.chunks_exact_mut(codec.features()) {
        for (score, missing) in features(&codec) {
            // As a softmax of two logits with noise makes it at a temperature of 0.2.
            let uniform = random();
            let odds = (uniform / (1.0 - uniform)).powi(5);
            let gap = (odds / (1.0 + odds)) as f32;
            (sample[score], sample[missing], sample[missing + 1]) = (2.0 * probit(random()) as f32, 1.0 - gap, gap);
        }
    }
    codec.calibration(&samples).apply(&mut samples);
    let made = codec.table(&samples, |_| None).unwrap();
    for (column, form) in known.form().columns.iter().enumerate() {
        let (old, new) = (numbers(&known, column), numbers(&made, column));
        let (rate, expected) = (1.0 - new.len() as f64 / ROWS as f64, form.missing_cells as f64 / known.rows() as f64);
        assert!((rate - expected).abs() < 0.005, "{}: {rate} instead of {expected}", form.name);
        let greatest = old.iter().copied().fold(f64::MIN, f64::max);
        assert!(new.iter().any(|number| *number > greatest), "{}", form.name);
    }
}
