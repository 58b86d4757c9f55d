//! Distances.

use super::super::distance::squared_distances;
use super::{bits, close, on_every_isa, values};
use crate::reference::isas;

#[test]
fn distances_are_those_of_every_pair() {
    on_every_isa(|isa, complaints| {
        for (features, width) in [(1, 16), (2, 48), (17, 32), (300, 16)] {
            for count in [0, 1, 7, 8, 9, 21] {
                let (rows, panel) = (values(count * features, 2.0), values(features * width, 3.0));
                let mut found = vec![f32::NAN; count * width];
                squared_distances(isa, &rows, features, &panel, width, &mut found);
                for (index, found) in found.into_iter().enumerate() {
                    let (row, lane) = (index / width, index % width);
                    let difference =
                        |f: usize| f64::from(rows[row * features + f]) - f64::from(panel[f * width + lane]);
                    let exact: f64 = (0..features).map(|f| difference(f).powi(2)).sum();
                    // A rounding for each feature, and those of the difference and of its square.
                    if !close(found, exact, (features + 3) as f64 * 2f64.powi(-24)) {
                        complaints.push(format!("{features} x {width}, {count} rows, {index}: {found}, not {exact}"));
                    }
                }
            }
        }
    });
}

#[test]
fn what_is_not_finite_stays_in_its_row_and_lane() {
    on_every_isa(|isa, complaints| {
        let (mut rows, mut panel) = (values(3 * 2, 1.0), values(2 * 16, 1.0));
        rows[3] = f32::NAN;
        panel[16 + 5] = f32::INFINITY;
        let mut found = vec![0.0; 3 * 16];
        squared_distances(isa, &rows, 2, &panel, 16, &mut found);
        for (index, found) in found.into_iter().enumerate() {
            let right = match (index / 16, index % 16) {
                (1, _) => found.is_nan(),
                (_, 5) => found == f32::INFINITY,
                _ => found.is_finite(),
            };
            if !right {
                complaints.push(format!("{index}: {found}"));
            }
        }
    });
}

#[test]
fn fused_instruction_sets_agree_to_the_bit() {
    let (rows, panel) = (values(9 * 40, 2.0), values(40 * 48, 3.0));
    let found: Vec<_> = isas::to_compare()
        .into_iter()
        .map(|isa| {
            let mut found = vec![0.0; 9 * 48];
            squared_distances(isa, &rows, 40, &panel, 48, &mut found);
            bits(&found)
        })
        .collect();
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}
