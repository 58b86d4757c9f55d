//! Gathering, scattering and sums.

use super::super::panel::{Columns, gather_bytes, gather_columns, gather_rows, scatter_rows};
use super::super::reduce::{add_assign, row_sums};
use super::{bits, close, on_every_isa, values};

#[test]
fn gathering_puts_each_row_into_its_lane() {
    on_every_isa(|isa, complaints| {
        for features in [1, 2, 3, 15, 16, 17, 40] {
            for (width, count) in [(16, 1), (16, 16), (48, 0), (48, 33), (64, 64)] {
                let stored = 70;
                let data = values(stored * features, 2.0);
                let bytes: Vec<u8> = (0..stored * features).map(|i| (i * 7 % 256) as u8).collect();
                let rows: Vec<u32> = (0..count).map(|i| (i * 29 % stored) as u32).collect();
                let mut floats = vec![f32::NAN; features * width];
                gather_rows(isa, &data, features, &rows, &mut floats, width);
                let mut scaled = vec![f32::NAN; features * width];
                gather_bytes(isa, &bytes, Columns::all(features), &rows, [0.25, -3.0], &mut scaled, width);
                for kept in [0, 1, features.min(6), features] {
                    let columns = Columns::last(kept, features);
                    let mut last = vec![f32::NAN; kept * width];
                    gather_columns(isa, &data, columns, &rows, &mut last, width);
                    let mut last_scaled = vec![f32::NAN; kept * width];
                    gather_bytes(isa, &bytes, columns, &rows, [0.25, -3.0], &mut last_scaled, width);
                    let first = (features - kept) * width;
                    if last != floats[first..] || last_scaled != scaled[first..] {
                        complaints.push(format!("the last {kept} of {features} features, width {width}"));
                    }
                }
                for index in 0..features * width {
                    let (feature, lane) = (index / width, index % width);
                    let from = rows.get(lane).map(|&row| row as usize * features + feature);
                    let expected = from.map_or((0.0, 0.0), |at| (data[at], f32::from(bytes[at]) * 0.25 - 3.0));
                    if (floats[index], scaled[index]) != expected {
                        complaints.push(format!("{features} features, width {width}, feature {feature}, lane {lane}"));
                    }
                }
            }
        }
    });
}

#[test]
fn scattering_undoes_gathering() {
    on_every_isa(|isa, complaints| {
        for features in [1, 2, 3, 16, 17, 40] {
            for (width, count) in [(16, 0), (16, 1), (32, 17), (64, 64)] {
                let data = values(count * features, 2.0);
                let rows: Vec<u32> = (0..count as u32).collect();
                let mut panel = vec![f32::NAN; features * width];
                gather_rows(isa, &data, features, &rows, &mut panel, width);
                let mut back = vec![f32::NAN; data.len()];
                scatter_rows(isa, &panel, width, count, &mut back);
                if bits(&back) != bits(&data) {
                    complaints.push(format!("{features} features, {count} samples in {width}"));
                }
            }
        }
    });
}

#[test]
fn rows_are_summed() {
    on_every_isa(|isa, complaints| {
        for width in [16, 32, 48, 64, 80, 256, 1040] {
            for rows in [0, 1, 3] {
                let panel = values(rows * width, 1.0);
                let mut sums = vec![f32::NAN; rows];
                row_sums(isa, &panel, width, &mut sums, false);
                let mut accumulated = vec![100.0; rows];
                row_sums(isa, &panel, width, &mut accumulated, true);
                for (row, values) in panel.chunks(width).enumerate() {
                    let truth: f64 = values.iter().map(|&x| f64::from(x)).sum();
                    if !((f64::from(sums[row]) - truth).abs() < 1e-5 && close(accumulated[row], 100.0 + truth, 1e-6)) {
                        complaints.push(format!("width {width}, row {row}: {}, not {truth}", sums[row]));
                    }
                }
            }
        }
    });
}

#[test]
fn sums_are_added() {
    on_every_isa(|isa, complaints| {
        for length in 0..=50 {
            let (mut to, from) = (values(length + 1, 1.0), values(length + 3, 5.0));
            let expected: Vec<f32> = to[1..].iter().zip(&from[3..]).map(|(a, b)| a + b).collect();
            add_assign(isa, &mut to[1..], &from[3..]);
            if bits(&to[1..]) != bits(&expected) {
                complaints.push(format!("length {length}"));
            }
        }
    });
}
