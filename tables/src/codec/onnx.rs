//! What makes rows of a table of samples, as the graph of an exported generator has it.

use gannet::gan::onnx::{Choice, Column, Curve, NumberColumn};

use super::calibration::Calibration;
use super::coding::Coding;
use super::columns::Codec;
use crate::form::Domain;
use crate::table::Value;

/// A column of a table in the graph of a generator.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxColumn {
    /// The column's place in the table.
    pub column: usize,
    /// What makes its numbers.
    pub made: Column,
}

impl Codec {
    /// What makes the columns of the table of samples of a generator, which a `calibration` puts right; groups are probabilities. Numbers are
    /// those of [`AsNumbers::number`](crate::AsNumbers::number). Columns that a generator does not make, of counters, identifiers and free text, are left out, and so are
    /// constant texts, and the condition.
    pub fn onnx_columns(&self, calibration: Option<&Calibration>) -> Vec<OnnxColumn> {
        let (mut number, mut group) = (0, self.numbers);
        let mut columns = Vec::new();
        for (column, coding) in self.learned() {
            let domain = &self.form.columns[column].domain;
            let numbers = domain.as_numbers();
            let weights = |first: usize, places: usize| {
                let weights = calibration.and_then(|calibration| calibration.weights(first));
                weights.map_or_else(|| vec![1.0; places], <[f32]>::to_vec)
            };
            let made = match coding {
                Coding::Nothing if matches!(domain, Domain::Counter { .. } | Domain::Nothing) => continue,
                Coding::Nothing => {
                    let value = numbers.number(Value::Category(0), 0.0);
                    if !value.is_finite() {
                        continue;
                    }
                    Column::Constant(value)
                }
                Coding::Number { base, has_missing, .. } => {
                    let missing = has_missing.then(|| {
                        let weights = weights(group, 2);
                        (group, [weights[0], weights[1]])
                    });
                    group += if *has_missing { 2 } else { 0 };
                    let mut curves: Vec<Curve> =
                        calibration.and_then(|calibration| calibration.curve(number)).into_iter().collect();
                    curves.extend(coding.curve());
                    number += 1;
                    Column::Number(NumberColumn {
                        feature: number - 1,
                        curves,
                        grid: coding.grid(matches!(domain, Domain::Integers { .. } | Domain::Dates { .. })),
                        offset: *base as f64,
                        missing,
                    })
                }
                Coding::Category { places, has_missing } => {
                    let value = |place: usize| match u32::try_from(place) {
                        Ok(category) if !(*has_missing && place + 1 == *places) => {
                            numbers.number(Value::Category(category), 0.0)
                        }
                        _ => f64::NAN,
                    };
                    group += places;
                    let feature = group - places;
                    let (weights, values) = (weights(feature, *places), (0..*places).map(value).collect());
                    Column::Choice(Choice { feature, weights, values })
                }
            };
            columns.push(OnnxColumn { column, made });
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::{Input, Kind, ReadOptions, Scaling, Table, read};

    /// Rows of all kinds of columns, with gaps in some, and a constant.
    fn table() -> Table {
        let mut text = String::from("id,city,code,born,income,big,weight,seven,same\n");
        for row in 0..1_500_usize {
            let city = ["Paris", "Rome", "Oslo", ""][[0, 0, 1, 2, 0, 1, 3][row % 7]];
            let income = if row % 5 == 0 { "NA".to_string() } else { (1_000 + 37 * (row * row % 101)).to_string() };
            let big = 9_007_199_254_740_993_i64 + (row * row % 1_009) as i64;
            let weight = if row % 3 == 0 { 0.0 } else { 50.0 + (row * 7 % 311) as f64 / 7.0 };
            let born = format!("{:04}-{:02}-{:02}", 1950 + row % 50, 1 + row % 12, 1 + row % 28);
            let code = [4, 9, 2][row % 3];
            writeln!(text, "{row},{city},{code},{born},{income},{big},{weight:.2},7,same").unwrap();
        }
        let options = ReadOptions::default().with_kind("income", Kind::Integer).with_kind("code", Kind::Categorical);
        read(&Input::bytes("all.csv", text), &options).unwrap()
    }

    fn along(curve: &Curve, x: f64) -> f64 {
        match curve {
            Curve::Points(points) => match points.iter().rposition(|[at, _]| *at <= x) {
                None => points[0][1],
                Some(last) if last + 1 == points.len() => points[last][1],
                Some(below) => {
                    let ([low, at_low], [high, at_high]) = (points[below], points[below + 1]);
                    let part = (x - low) / (high - low);
                    (1.0 - part) * at_low + part * at_high
                }
            },
            Curve::Line { offset, scale } => offset + scale * x,
            other => panic!("{other:?}"),
        }
    }

    /// What a column says it makes of a sample.
    fn made(column: &Column, sample: &[f32]) -> f64 {
        match column {
            Column::Constant(value) => *value,
            Column::Choice(Choice { feature, weights, values }) => {
                let weighted: Vec<f32> =
                    sample[*feature..].iter().zip(weights).map(|(one, weight)| one * weight).collect();
                let largest = weighted.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                values[weighted.iter().position(|value| *value == largest).unwrap()]
            }
            Column::Number(number) => {
                let is_missing =
                    |(first, weights): (usize, [f32; 2])| sample[first + 1] * weights[1] > sample[first] * weights[0];
                if number.missing.is_some_and(is_missing) {
                    return f64::NAN;
                }
                let start = f64::from(sample[number.feature]);
                let value = number.curves.iter().fold(start, |value, curve| along(curve, value));
                let rounded = number.grid.map_or(value, |grid| {
                    let steps = ((value - grid.least) * grid.unit / grid.step + 0.5).floor();
                    (grid.start + steps * grid.step) / grid.unit
                });
                rounded + number.offset
            }
            other => panic!("{other:?}"),
        }
    }

    /// Samples of the rows, with scores that are drawn apart and groups that leave some doubt.
    fn samples(codec: &Codec, table: &Table) -> Vec<f32> {
        let encoded = codec.encode(table, u64::MAX).unwrap();
        let mut samples = vec![0.0; encoded.len() * codec.features()];
        for (row, sample) in samples.chunks_exact_mut(codec.features()).enumerate() {
            encoded.copy(row, sample);
            let (numbers, groups) = sample.split_at_mut(codec.numbers());
            numbers.iter_mut().for_each(|score| *score = 1.2 * *score + 0.1);
            groups.iter_mut().enumerate().for_each(|(place, value)| {
                *value = 0.2 * *value + 0.3 * ((row * 31 + place * 17) % 23) as f32 / 23.0 + 0.01;
            });
        }
        samples
    }

    #[test]
    fn columns_are_what_rows_have() {
        let table = table();
        for (scaling, beyond) in [(Scaling::Quantile, 0.0), (Scaling::Quantile, 0.3), (Scaling::Standard, 0.3)] {
            let codec = Codec::fit(&table, None, scaling).unwrap().reaching_beyond(beyond).unwrap();
            let samples = samples(&codec, &table);
            let calibration = codec.calibration(&samples).for_probabilities();
            for calibration in [None, Some(&calibration)] {
                let columns = codec.onnx_columns(calibration);
                let names = columns.iter().map(|column| codec.form().columns[column.column].name.as_str());
                let names: Vec<&str> = names.collect();
                assert_eq!(names, ["city", "code", "born", "income", "big", "weight", "seven"]);
                let mut row = vec![Value::Missing; codec.form().columns.len()];
                let (mut apart, mut missing, mut count) = (0, 0, 0);
                for sample in samples.chunks_exact(codec.features()) {
                    let mut put_right = sample.to_vec();
                    if let Some(calibration) = calibration {
                        calibration.apply(&mut put_right);
                    }
                    codec.decode(&put_right, None, &mut row);
                    for OnnxColumn { column, made: of } in &columns {
                        let expected = codec.form().columns[*column].domain.as_numbers().number(row[*column], 0.0);
                        let found = made(of, sample);
                        missing += usize::from(expected.is_nan());
                        count += 1;
                        // Lines are rounded to seven digits there, and whole numbers of 54 bits to even ones here.
                        let most = 1e-6 * expected.abs().min(1e6) + 1.0 * f64::from(u8::from(expected > 1e15));
                        let is_same = (found - expected).abs() <= most || found.is_nan() && expected.is_nan();
                        apart += usize::from(!is_same);
                    }
                }
                assert!(missing > 50, "{missing}");
                // Scores of 32 bits lie on the other side of a jump now and then, once a map has moved them.
                let most = if calibration.is_some() { count / 500 } else { 0 };
                assert!(apart <= most, "{scaling:?}, {}: {apart} of {count}", calibration.is_some());
            }
        }
    }

    #[test]
    fn categories_are_numbered_as_arrays_have_them() {
        let table = table();
        let codec = Codec::fit(&table, Some("city"), Scaling::Quantile).unwrap();
        let columns = codec.onnx_columns(None);
        let [OnnxColumn { column: 2, made: Column::Choice(code) }, ..] = columns.as_slice() else {
            panic!("the condition is none of {columns:?}")
        };
        // Texts that are numbers are these.
        let mut values = code.values.clone();
        values.sort_unstable_by(f64::total_cmp);
        assert_eq!(values, [2.0, 4.0, 9.0]);
        let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
        let Column::Choice(city) = &codec.onnx_columns(None)[0].made else { panic!("city is a choice") };
        assert!(city.values[..3] == [0.0, 1.0, 2.0] && city.values[3].is_nan());
    }

    #[test]
    fn probabilities_have_no_temperature() {
        let table = table();
        let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
        let calibration = codec.calibration(&samples(&codec, &table));
        let first = codec.numbers();
        let (draws, plain) = (calibration.clone(), calibration.for_probabilities());
        let pairs = draws.weights(first).unwrap().iter().zip(plain.weights(first).unwrap());
        for (draw, plain) in pairs {
            assert!((draw.ln() * 0.2 - plain.ln()).abs() < 1e-5, "{draw} {plain}");
        }
        assert!(draws.weights(first) != plain.weights(first));
    }
}
