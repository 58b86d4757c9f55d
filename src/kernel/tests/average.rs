//! The moving average against its formula in f64.

use super::super::average::follow;
use super::{bits, on_every_isa, values};

#[test]
fn the_average_matches_f64_over_many_steps() {
    on_every_isa(|isa, complaints| {
        for decay in [0.1f32, 0.9, 0.999] {
            for length in (0..=33).chain([100]) {
                let mut found = values(length, 1.0);
                let mut truth: Vec<f64> = found.iter().map(|&value| f64::from(value)).collect();
                for step in 1..=50 {
                    let next: Vec<f32> = values(length, 0.5).iter().map(|value| value * (step as f32).cos()).collect();
                    follow(isa, decay, &mut found, &next);
                    for (truth, next) in truth.iter_mut().zip(&next) {
                        *truth = f64::from(decay) * *truth + (1.0 - f64::from(decay)) * f64::from(*next);
                    }
                }
                let is_near = |(found, truth): (&f32, &f64)| (f64::from(*found) - truth).abs() <= 1e-6;
                if !found.iter().zip(&truth).all(is_near) {
                    complaints.push(format!("{decay}, {length}: {found:?}, not {truth:?}"));
                }
            }
        }
    });
}

#[test]
fn the_average_does_not_depend_on_where_a_range_begins() {
    on_every_isa(|isa, complaints| {
        let next = values(53, 0.5);
        let cut_at = |cut: usize| {
            let mut average = values(53, 1.0);
            for range in [0..cut, cut..53] {
                follow(isa, 0.9, &mut average[range.clone()], &next[range]);
            }
            bits(&average)
        };
        let whole = cut_at(0);
        complaints.extend((1..53).filter(|&cut| cut_at(cut) != whole).map(|cut| format!("cut at {cut}")));
    });
}

#[test]
fn an_average_that_has_reached_a_value_stays_there() {
    on_every_isa(|isa, complaints| {
        let value = values(100, 3.0);
        let mut average = value.clone();
        (0..100).for_each(|_| follow(isa, 0.99, &mut average, &value));
        if bits(&average) != bits(&value) {
            complaints.push("it drifts".to_string());
        }
    });
}
