//! Whole tables through the codec.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::Error;
use gannet::gan::{GanSpec, Source, Trainer, TrainerOptions};
use gannet::net::{Activation, NetworkSpec};

use super::*;
use crate::form::Domain;
use crate::table::{Table, Value};
use crate::{Input, Kind, ReadOptions, read, read_as};

/// Rows of all kinds of columns, with gaps in some.
fn text(rows: usize) -> String {
    let mut text = String::from("id,city,member,born,income,big,weight,note\n");
    for row in 0..rows {
        let city = ["Paris", "Rome", "Oslo", ""][[0, 0, 1, 2, 0, 1, 3][row % 7]];
        let income = if row % 5 == 0 { "NA".to_string() } else { (1_000 + 37 * (row * row % 101)).to_string() };
        let big = 9_007_199_254_740_993_i64 + (row * row % 1_009) as i64;
        let weight =
            if row % 3 == 0 { "0.00".to_string() } else { format!("{:.2}", 50.0 + (row * 7 % 311) as f64 / 7.0) };
        let born = format!("{:04}-{:02}-{:02}", 1950 + row % 50, 1 + row % 12, 1 + row % 28);
        let member = ["yes", "no"][usize::from(row % 4 == 0)];
        writeln!(text, "{row},{city},{member},{born},{income},{big},{weight},same").unwrap();
    }
    text
}

fn table(rows: usize) -> Table {
    let options = ReadOptions::default().with_kind("income", Kind::Integer);
    read(&Input::bytes("all.csv", text(rows)), &options).unwrap()
}

fn rows(table: &Table) -> Vec<Vec<Value>> {
    let mut row = vec![Value::Missing; table.columns().len()];
    (0..table.rows())
        .map(|index| {
            table.row(index, &mut row);
            row.clone()
        })
        .collect()
}

/// All samples, with their conditions.
fn samples(encoded: &EncodedTable) -> Vec<f32> {
    let mut samples = vec![f32::NAN; encoded.len() * encoded.shape().features()];
    let features = encoded.shape().features();
    samples.chunks_exact_mut(features).enumerate().for_each(|(row, sample)| encoded.copy(row, sample));
    samples
}

#[test]
fn rows_come_back() {
    let table = table(900);
    let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
    let expected = [
        Kind::Counter,
        Kind::Categorical,
        Kind::Boolean,
        Kind::Date,
        Kind::Integer,
        Kind::Integer,
        Kind::Continuous,
        Kind::Constant,
    ];
    assert_eq!(kinds, expected);
    let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
    // Born, income, big and weight are numbers; city with none, member, and the mark of income are groups.
    assert_eq!((codec.numbers(), codec.groups(), codec.features()), (4, &[4, 2, 2][..], 12));
    let encoded = codec.encode(&table, u64::MAX).unwrap();
    let samples = samples(&encoded);
    assert!(samples.iter().all(|value| value.is_finite()));
    let back = codec.table(&samples, |_| None).unwrap();
    let (mut off, mut cells) = (0, 0);
    for (row, (before, after)) in rows(&table).into_iter().zip(rows(&back)).enumerate() {
        for (column, (before, after)) in before.into_iter().zip(after).enumerate() {
            match (before, after) {
                // Whole numbers may lie on a line between others.
                (Value::Integer(before), Value::Integer(after)) | (Value::Date(before), Value::Date(after)) => {
                    cells += 1;
                    off += usize::from(before != after);
                    assert!(before.abs_diff(after) <= 1, "{row} {column}: {before} {after}");
                }
                (Value::Number(before), Value::Number(after)) => {
                    assert!((before - after).abs() < 1e-4, "{row} {column}: {before} {after}");
                }
                (before, after) => assert_eq!(before, after, "{row} {column}"),
            }
        }
    }
    assert!(100 * off < cells, "{off} of {cells}");
}

#[test]
fn facets_name_the_features() {
    let table = table(300);
    let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
    let facets = codec.facets();
    assert_eq!(facets[0], Facet::Category { column: 1, feature: 4, places: 4 });
    assert!(facets.contains(&Facet::Number { column: 4, feature: 1, missing: Some(10) }));
    assert!(facets.contains(&Facet::Missing { column: 4, feature: 10 }));
    assert_eq!(facets.len(), 7);
    let encoded = codec.encode(&table, u64::MAX).unwrap();
    let mut sample = vec![0.0; codec.features()];
    encoded.copy(5, &mut sample);
    assert_eq!(&sample[10..], [0.0, 1.0], "row 5 has no income");
    let weight = codec.number(6, sample[3]).unwrap();
    assert_eq!(table.columns()[6].value(5), Value::Number((weight * 100.0).round() / 100.0));
    assert_eq!((codec.number(1, 0.0), codec.number(99, 0.0)), (None, None));
}

#[test]
fn a_condition_stands_behind_the_sample() {
    let table = table(280);
    let codec = Codec::fit(&table, Some("city"), Scaling::Quantile).unwrap();
    assert_eq!((codec.groups(), codec.condition()), (&[2, 2][..], Some("city")));
    let classes = codec.classes();
    assert_eq!(classes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Paris", "Rome", "Oslo", "NA"]);
    assert_eq!(classes.iter().map(|(_, count)| count).sum::<u64>(), 280);
    let encoded = codec.encode(&table, u64::MAX).unwrap();
    assert_eq!((encoded.features(), encoded.shape().features()), (codec.features(), codec.features() + 4));
    let all = samples(&encoded);
    let mut row = vec![Value::Missing; 8];
    for (index, sample) in all.chunks_exact(codec.features() + 4).enumerate() {
        let (sample, class) = sample.split_at(codec.features());
        codec.decode(sample, Some(rows::largest(class)), &mut row);
        assert_eq!(row[1], table.columns()[1].value(index));
    }
    assert!(
        Codec::fit(&table, Some("income"), Scaling::Quantile).is_err()
            && Codec::fit(&table, Some("nowhere"), Scaling::Quantile).is_err()
    );
}

#[test]
fn groups_are_hardened() {
    let table = table(300);
    let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
    let mut sample = [0.5, 0.5, 0.5, 0.5, 0.1, 0.6, 0.2, 0.1, 0.4, 0.6, f32::NAN, 0.2];
    codec.harden(&mut sample);
    assert_eq!(sample, [0.5, 0.5, 0.5, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn codecs_are_stored_and_checked() {
    let table = table(300);
    let codec = Codec::fit(&table, Some("city"), Scaling::Quantile).unwrap();
    let text = serde_json::to_string(&codec).unwrap();
    assert_eq!(serde_json::from_str::<Codec>(&text).unwrap(), codec);
    for (part, other) in [
        ("\"condition\":1", "\"condition\":4"),
        ("\"condition\":1", "\"condition\":99"),
        ("\"places\":4", "\"places\":3"),
        ("\"category\":{\"places\":2,\"has_missing\":false}", "\"nothing\""),
        ("\"columns\":[\"nothing\",", "\"columns\":["),
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
        assert!(serde_json::from_str::<Codec>(&text.replace(part, other)).is_err(), "{other}");
    }
}

#[test]
fn other_rows_of_the_same_form_are_encoded() {
    let first = table(300);
    let codec = Codec::fit(&first, None, Scaling::Quantile).unwrap();
    // A city that is not known, and no member at all.
    let other = text(300).replace("Oslo", "Bonn");
    let other = read_as(&Input::bytes("other.csv", other), codec.form(), &ReadOptions::default()).unwrap();
    let encoded = codec.encode(&other, u64::MAX).unwrap();
    assert!(samples(&encoded).iter().all(|value| value.is_finite()));
    let foreign = read(&Input::bytes("x.csv", "a,b\n1,2\n3,4\n"), &ReadOptions::default()).unwrap();
    assert!(matches!(codec.encode(&foreign, u64::MAX), Err(Error::Shape { .. })));
    assert!(matches!(codec.encode(&first, first.bytes()), Err(Error::MemoryLimit { .. })));
    codec.encode(&first, first.bytes() + 300 * (4 * 4 + 3)).unwrap();
}

#[test]
fn a_table_without_anything_to_learn_is_refused() {
    let text = "id,c\n".to_string() + &(1..30).map(|row| format!("{row},7\n")).collect::<String>();
    let table = read(&Input::bytes("x.csv", text), &ReadOptions::default()).unwrap();
    let problem = Codec::fit(&table, None, Scaling::Quantile).unwrap_err().to_string();
    assert!(problem.contains("nothing") || problem.contains("no column has anything to learn"), "{problem}");
}

/// The samples of a table train, with their conditions; those of numbers alone lie in memory as they are drawn.
#[test]
fn tables_are_sources() {
    let table = table(400);
    for condition in [None, Some("member")] {
        let codec = Codec::fit(&table, condition, Scaling::Quantile).unwrap();
        let encoded = codec.encode(&table, u64::MAX).unwrap();
        let (features, classes) = (codec.features(), codec.classes().len());
        let mut spec = GanSpec::new(
            NetworkSpec::dense(&[4 + classes, 8, features], Activation::Relu, 0.0, Activation::Linear),
            NetworkSpec::dense(&[features + classes, 8, 1], Activation::Relu, 0.0, Activation::Linear),
        )
        .with_conditions(classes);
        spec.generator.layers[1].softmax = codec.groups().to_vec();
        assert!(encoded.in_memory().is_none());
        let options = TrainerOptions::default().with_batch(32).with_threads(1);
        let mut trainer = Trainer::new(spec, Arc::new(encoded), options).unwrap();
        trainer.run(3, 0, |_| ControlFlow::Continue(())).unwrap();
    }
    let numbers: String = (0..40).map(|row| format!("{}.5,{}\n", row * row % 37, 3 * row % 31)).collect();
    let numbers = read(&Input::bytes("n.csv", numbers), &ReadOptions::default()).unwrap();
    let codec = Codec::fit(&numbers, None, Scaling::Quantile).unwrap();
    let encoded = codec.encode(&numbers, u64::MAX).unwrap();
    assert_eq!(encoded.in_memory().map(|memory| memory.samples()), Some(40));
    let mut sum = 0;
    encoded.for_each_piece(|piece| sum += piece.len());
    assert_eq!(sum as u64, encoded.bytes());
}

#[test]
fn lines_are_those_of_older_runs() {
    let names = ["a", "b"].map(String::from);
    let classes = [("0".to_string(), 3), ("1".to_string(), 4)];
    let codec = Codec::of_lines(&names, &[2.0, 5.0], &[0.5, 0.0], Some(("c", &classes))).unwrap();
    let mut row = [Value::Missing; 3];
    codec.decode(&[3.0], Some(1), &mut row);
    assert_eq!(row, [Value::Number(3.5), Value::Generated, Value::Category(1)]);
    assert_eq!(codec.lines(), Some([vec![2.0, 5.0], vec![0.5, 0.0]]));
    assert_eq!(codec.classes(), classes);
    assert!(Codec::of_lines(&names, &[2.0], &[0.5, 0.0], None).is_err());
    assert!(Codec::of_lines(&names, &[2.0, 5.0], &[f64::NAN, 1.0], None).is_err());
    let table = table(300);
    assert_eq!(Codec::fit(&table, None, Scaling::Standard).unwrap().lines(), None);
}

/// Codecs are read from files that anybody may have written: whatever is taken for one makes rows of any samples.
#[test]
fn damaged_codecs_are_refused_or_decode() {
    let table = table(120);
    let text = serde_json::to_string(&Codec::fit(&table, Some("city"), Scaling::Quantile).unwrap()).unwrap();
    let (mut state, mut taken) = (1u64, 0);
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..3_000 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=next(3) {
            let place = next(bytes.len());
            bytes[place] = b"0123456789-.e,[]{}\"ntf"[next(22)];
        }
        let Ok(codec) = serde_json::from_slice::<Codec>(&bytes) else { continue };
        taken += 1;
        let mut samples: Vec<f32> =
            (0..2 * codec.features()).map(|_| [0.0, 1.0, -3.5, f32::NAN, f32::INFINITY][next(5)]).collect();
        codec.calibration(&samples).apply(&mut samples);
        let made = codec.table(&samples, |row| Some(row * 7)).unwrap();
        assert_eq!(made.rows(), 2);
        codec.empty().unwrap();
    }
    assert!(taken > 30, "{taken}");
}

/// All values that samples spread over the scores stand for, of the only column of a table that has no gaps.
fn spread(codec: &Codec) -> Vec<f64> {
    let samples: Vec<f32> = (0..1_001).map(|index| (index as f32 - 500.0) / 100.0).collect();
    let table = codec.table(&samples, |_| None).unwrap();
    rows(&table)
        .into_iter()
        .map(|row| match row[0] {
            Value::Number(number) => number,
            Value::Integer(number) => number as f64,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The numbers that a normal variable makes of the only column of a text, of which new ones may lie beyond by a share of the range, and the
/// bounds of the data.
fn beyond(lines: impl Iterator<Item = String>, share: f64) -> (Vec<f64>, [f64; 2]) {
    let text: String = lines.map(|line| line + "\n").collect();
    let table = read(&Input::bytes("t.csv", format!("x\n{text}")), &ReadOptions::default()).unwrap();
    let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
    let ends = [-9.0, 9.0].map(|score| codec.number(0, score).unwrap());
    let codec = codec.reaching_beyond(share).unwrap();
    let score = |index: u32| probit((f64::from(index) + 0.5) / 1e6) as f32;
    ((0..1_000_000).map(|index| codec.number(0, score(index)).unwrap()).collect(), ends)
}

#[test]
fn what_lies_beyond_the_data_thins_out() {
    // Heavy tails on the right, positive numbers on the left.
    let heavy =
        (1..2_000_u32).map(|row| format!("{:.3}", (1.8 * probit(f64::from(row * 7 % 2_000 + 1) / 2_002.0)).exp()));
    let (made, [least, greatest]) = beyond(heavy, 0.2);
    let bound = greatest + 0.2 * (greatest - least);
    let above: Vec<f64> = made.iter().copied().filter(|number| *number > greatest).collect();
    assert!(above.len() > 200 && above.iter().all(|number| *number < bound), "{}", above.len());
    let quarter = |number: f64| (4.0 * (number - greatest) / (bound - greatest)) as usize;
    let counts = [0, 1, 2, 3].map(|part| above.iter().filter(|number| quarter(**number) == part).count());
    assert!(counts.is_sorted_by(|near, far| near > far) && counts[0] > 5 * counts[3], "{counts:?}");
    assert!(made.iter().all(|number| *number > 0.0) && made.iter().any(|number| *number < least));
}

#[test]
fn whole_numbers_that_come_often_go_on_beyond_the_data() {
    let ages = (0..3_000).map(|row| (18 + (row * row % 71 + row * 7 % 31) * 2 / 3).to_string());
    let (made, [least, greatest]) = beyond(ages, 0.1);
    let above: Vec<f64> = made.iter().copied().filter(|number| *number > greatest).collect();
    assert!(above.len() > 20 && above.iter().all(|number| number.fract() == 0.0), "{}", above.len());
    let by = (0.1 * (greatest - least)).floor();
    assert!(made.iter().all(|number| (least - by..=greatest + by).contains(number)));
}

#[test]
fn numbers_with_exponents_keep_their_digits() {
    let text: String = (0..400).map(|row| format!("{:.2e}\n", 1.7e-4 * 1.05f64.powi(row * 7 % 397))).collect();
    let table = read(&Input::bytes("e.csv", format!("x\n{text}")), &ReadOptions::default()).unwrap();
    let made = spread(&Codec::fit(&table, None, Scaling::Quantile).unwrap());
    let Domain::Numbers { range: [least, greatest], .. } = table.form().columns[0].domain else { panic!("no numbers") };
    assert!(made.iter().all(|number| (least..=greatest).contains(number)), "{made:?}");
    assert!(made.iter().filter(|number| **number < 0.01).count() > 100, "{made:?}");
}

#[test]
fn a_rare_value_beyond_a_frequent_one_stays_rare() {
    // So many that a part of them is chosen.
    let rows = (1 << 20) + 100_000;
    let text: String = (0..rows)
        .map(|row| {
            if row == 77_777 {
                "-1\n"
            } else if row % 5 < 3 {
                "0\n"
            } else {
                "9\n"
            }
        })
        .collect();
    let options = ReadOptions::default().with_kind("x", Kind::Integer);
    let table = read(&Input::bytes("z.csv", format!("x\n{text}")), &options).unwrap();
    let made = spread(&Codec::fit(&table, None, Scaling::Quantile).unwrap());
    let count = |wanted: f64| made.iter().filter(|number| **number == wanted).count();
    assert!(count(-1.0) < 60 && count(0.0) > 400 && count(9.0) > 300, "{} {} {}", count(-1.0), count(0.0), count(9.0));
}

#[test]
fn scores_of_the_smallest_and_farthest_numbers() {
    let tiny: String =
        (0..60).map(|row| if row < 2 { "5e-324\n".to_string() } else { format!("{row}e-2\n") }).collect();
    let table = read(&Input::bytes("t.csv", format!("x\n0\n{tiny}")), &ReadOptions::default()).unwrap();
    let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
    assert!(samples(&codec.encode(&table, u64::MAX).unwrap()).iter().all(|score| score.is_finite()));
    let far: String = (0..60).map(|row| if row % 2 == 0 { "-1.7e308\n" } else { "1.7e308\n" }).collect();
    let options = ReadOptions::default().with_kind("x", Kind::Continuous);
    let table = read(&Input::bytes("f.csv", format!("x\n{far}")), &options).unwrap();
    let problem = Codec::fit(&table, None, Scaling::Standard).unwrap_err().to_string();
    assert!(problem.contains("`x`") && problem.contains("too far apart"), "{problem}");
}

#[test]
fn missing_classes_have_a_name_of_their_own() {
    let text: String = (0..90).map(|row| format!("{row}.5,{}\n", ["NA", "other", ""][row % 3])).collect();
    let options = ReadOptions::default().with_missing(Some(vec![String::new()])).with_kind("k", Kind::Categorical);
    let table = read(&Input::bytes("n.csv", format!("x,k\n{text}")), &options).unwrap();
    let names: Vec<String> =
        Codec::fit(&table, Some("k"), Scaling::Quantile).unwrap().classes().into_iter().map(|class| class.0).collect();
    assert!(names.contains(&"NA".to_string()) && names.contains(&"NA_".to_string()), "{names:?}");
}
