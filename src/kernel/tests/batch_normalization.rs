//! Batch normalization, its derivative and its statistics against f64.

use super::super::batch_normalization::{EPSILON, Groups, add_statistics, differentiate, normalize};
use super::{on_every_isa, values};
use crate::reference::difference::slope;

/// Rows of panels, and where samples stand in them: whole and partly filled, one part and two.
fn shapes() -> impl Iterator<Item = (usize, Groups)> {
    let groups = [(16, 1, 16), (48, 1, 37), (32, 1, 2), (64, 2, 32), (96, 2, 19), (32, 2, 5)];
    let groups = groups.map(|(width, parts, samples)| Groups { width, parts, samples });
    [1, 5].into_iter().flat_map(move |rows| groups.map(|groups| (rows, groups)))
}

/// A panel of sums: some features far from 0, some with little variance; lanes without a sample hold nonsense.
fn sums(rows: usize, groups: Groups) -> Vec<f32> {
    let mut sums = values(rows * groups.width, 2.0);
    for (row, sums) in sums.chunks_mut(groups.width).enumerate() {
        sums.iter_mut().for_each(|sum| *sum = *sum * [1.0, 0.3, 30.0][row % 3] + [0.0, 1.0, -40.0][row % 3]);
    }
    lanes_without(&mut sums, groups, 1e30);
    sums
}

/// Fills the lanes without a sample.
fn lanes_without(panel: &mut [f32], groups: Groups, filler: f32) {
    let of_part = groups.width / groups.parts;
    panel.chunks_mut(of_part).for_each(|part| part[groups.samples..].fill(filler));
}

/// The samples of each group of a panel.
fn groups_of(panel: &[f32], groups: Groups) -> Vec<Vec<f64>> {
    let parts = panel.chunks(groups.width / groups.parts);
    parts.map(|part| part[..groups.samples].iter().map(|value| f64::from(*value)).collect()).collect()
}

/// The mean of a group, and the mean of the squared distances from it.
fn moments(group: &[f64]) -> [f64; 2] {
    let count = group.len() as f64;
    let mean = group.iter().sum::<f64>() / count;
    [mean, group.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count]
}

fn root(group: &[f64]) -> f64 {
    (moments(group)[1] + f64::from(EPSILON)).sqrt()
}

fn expected(group: &[f64]) -> Vec<f64> {
    let [mean, _] = moments(group);
    group.iter().map(|value| (value - mean) / root(group)).collect()
}

/// Complains of what differs from the truth of each group by more than its tolerance, and of lanes without a sample that are not 0.
fn compare(found: &[f32], groups: Groups, complaints: &mut Vec<String>, truth: impl Fn(usize) -> (Vec<f64>, f64)) {
    for (number, group) in groups_of(found, groups).iter().enumerate() {
        let (truth, tolerance) = truth(number);
        for (lane, (found, truth)) in group.iter().zip(&truth).enumerate() {
            if !((found - truth).abs() <= tolerance) {
                complaints.push(format!("{groups:?}, lane {lane} of group {number}: {found}, not {truth}"));
            }
        }
    }
    for (number, part) in found.chunks(groups.width / groups.parts).enumerate() {
        if part[groups.samples..].iter().any(|value| *value != 0.0) {
            complaints.push(format!("{groups:?}: lanes without a sample of group {number} are not 0"));
        }
    }
}

#[test]
fn normalized_sums_match_f64() {
    on_every_isa(|isa, complaints| {
        for (rows, groups) in shapes() {
            let sums = sums(rows, groups);
            let mut found = sums.clone();
            normalize(isa, &mut found, groups);
            let truth = groups_of(&sums, groups);
            compare(&found, groups, complaints, |number| (expected(&truth[number]), 2e-5));
        }
    });
}

#[test]
fn derivatives_match_differences() {
    on_every_isa(|isa, complaints| {
        for (rows, groups) in shapes() {
            let sums = sums(rows, groups);
            let mut vectors = values(rows * groups.width, 1.3);
            lanes_without(&mut vectors, groups, f32::NAN);
            let mut found = vectors.clone();
            differentiate(isa, &sums, &mut found, groups);
            let (sums, vectors) = (groups_of(&sums, groups), groups_of(&vectors, groups));
            compare(&found, groups, complaints, |number| {
                let (sums, vector) = (&sums[number], &vectors[number]);
                let step = 1e-5 * root(sums);
                let moved =
                    |by: f64| sums.iter().zip(vector).map(|(sum, vector)| sum + by * vector).collect::<Vec<f64>>();
                let truth = (0..sums.len()).map(|lane| slope(|by| expected(&moved(by))[lane], 0.0, step)).collect();
                let size = vector.iter().fold(0.0, |size: f64, value| value.abs().max(size));
                // The derivative is a difference of terms of this size.
                (truth, 2e-5 * size / root(sums))
            });
        }
    });
}

#[test]
fn statistics_match_f64_and_add_up() {
    on_every_isa(|isa, complaints| {
        for (rows, groups) in shapes() {
            let panel = sums(rows, groups);
            let (mut means, mut variances) = (vec![f32::NAN; rows], vec![f32::NAN; rows]);
            for round in 1..=2 {
                add_statistics(isa, &panel, groups, [&mut means, &mut variances], round > 1);
                let of_rows = groups_of(&panel, groups);
                for (row, of_groups) in of_rows.chunks(groups.parts).enumerate() {
                    let count = groups.samples as f64;
                    let sum = |of: usize| {
                        f64::from(round) * count * of_groups.iter().map(|group| moments(group)[of]).sum::<f64>()
                    };
                    let truths = [sum(0), sum(1) * count / (count - 1.0)];
                    for (found, truth) in [means[row], variances[row]].into_iter().zip(truths) {
                        let size = of_groups.iter().flatten().fold(1.0, |size: f64, value| value.abs().max(size));
                        if !((f64::from(found) - truth).abs() <= 1e-5 * count * size) {
                            complaints.push(format!("{groups:?}, row {row}, round {round}: {found}, not {truth}"));
                        }
                    }
                }
            }
        }
    });
}

/// Sums whose squares are no numbers, and infinite ones, make no number, instead of zeros that hide them.
#[test]
fn overflow_shows() {
    on_every_isa(|isa, complaints| {
        let groups = Groups { width: 16, parts: 1, samples: 9 };
        for large in [1e20, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let mut found = sums(2, groups);
            found[18] = large;
            normalize(isa, &mut found, groups);
            let of_rows = groups_of(&found, groups);
            if of_rows[0].iter().any(|value| value.is_nan()) || !of_rows[1].iter().all(|value| value.is_nan()) {
                complaints.push(format!("{large}: {of_rows:?}"));
            }
        }
    });
}
