//! The optimizers against PyTorch's definitions in f64.

use super::super::optimizer::{AdamStep, SgdStep, adam, sgd};
use super::{bits, on_every_isa, values};
use crate::reference::optimizer::{Adam, Sgd};

const ADAM: AdamStep = AdamStep { learning_rate: 1e-3, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, t: 1 };

fn near(value: f32, truth: f64, tolerance: f64) -> bool {
    (f64::from(value) - truth).abs() <= tolerance * truth.abs().max(1e-3)
}

#[test]
fn adam_matches_f64_over_many_steps() {
    on_every_isa(|isa, complaints| {
        for length in (0..=33).chain([100]) {
            let mut p = values(length, 1.0);
            let (mut m, mut v) = (vec![0.0; length], vec![0.0; length]);
            let rates = [ADAM.learning_rate, ADAM.beta1, ADAM.beta2, ADAM.epsilon];
            let mut truth: Vec<(f64, Adam)> = p.iter().map(|&p| (f64::from(p), Adam::new(rates))).collect();
            for t in 1..=20 {
                let g: Vec<f32> = values(length, 0.1).iter().map(|g| g * (t as f32).cos()).collect();
                let step = AdamStep { t, ..ADAM };
                if !adam(isa, &step, &mut p, &g, &mut m, &mut v) {
                    complaints.push("finite, but not called so".to_string());
                }
                truth.iter_mut().zip(&g).for_each(|((p, adam), &g)| adam.step(p, f64::from(g)));
            }
            for (index, (truth, state)) in truth.iter().enumerate() {
                let found = [p[index], m[index], v[index]];
                let truth = [*truth, state.first_moment, state.second_moment];
                if !found.iter().zip(truth).all(|(&found, truth)| near(found, truth, 1e-5)) {
                    complaints.push(format!("{index} of {length}: {found:?}, not {truth:?}"));
                }
            }
        }
    });
}

#[test]
fn sgd_matches_f64_over_many_steps() {
    on_every_isa(|isa, complaints| {
        for momentum in [0.0, 0.9] {
            let step = SgdStep { learning_rate: 0.01, momentum };
            for length in (0..=33).chain([100]) {
                let mut p = values(length, 1.0);
                let mut velocity = vec![0.0; if momentum == 0.0 { 0 } else { length }];
                let rates = [step.learning_rate, step.momentum];
                let mut truth: Vec<(f64, Sgd)> = p.iter().map(|&p| (f64::from(p), Sgd::new(rates))).collect();
                for t in 1..=20 {
                    let g: Vec<f32> = values(length, 1.0).iter().map(|g| g * (t as f32).cos()).collect();
                    if !sgd(isa, &step, &mut p, &g, &mut velocity) {
                        complaints.push("finite, but not called so".to_string());
                    }
                    truth.iter_mut().zip(&g).for_each(|((p, sgd), &g)| sgd.step(p, f64::from(g)));
                }
                for (index, (truth, _)) in truth.iter().enumerate() {
                    if !near(p[index], *truth, 1e-5) {
                        complaints
                            .push(format!("momentum {momentum}, {index} of {length}: {}, not {truth:?}", p[index]));
                    }
                }
            }
        }
    });
}

#[test]
fn updates_do_not_depend_on_where_a_range_begins() {
    on_every_isa(|isa, complaints| {
        let length = 53;
        let g = values(length, 0.5);
        let whole = |cut: usize| {
            let (mut p, mut m, mut v) = (values(length, 1.0), values(length, 0.01), vec![0.001; length]);
            let (mut q, mut velocity) = (p.clone(), m.clone());
            let step = SgdStep { learning_rate: 0.1, momentum: 0.5 };
            for range in [0..cut, cut..length] {
                let (range, other) = (range.clone(), range);
                adam(isa, &ADAM, &mut p[range.clone()], &g[range.clone()], &mut m[range.clone()], &mut v[range]);
                sgd(isa, &step, &mut q[other.clone()], &g[other.clone()], &mut velocity[other]);
            }
            [p, m, v, q, velocity].map(|x| bits(&x))
        };
        let expected = whole(0);
        complaints.extend((1..length).filter(|&cut| whole(cut) != expected).map(|cut| format!("cut at {cut}")));
    });
}

#[test]
fn denormal_moments_are_flushed() {
    on_every_isa(|isa, complaints| {
        for length in [3, 16] {
            let (mut p, g) = (vec![1.0; length], vec![1e-39; length]);
            let (mut m, mut v, mut velocity) =
                (vec![1.2e-38; length], vec![1.1754944e-38; length], vec![1.2e-38; length]);
            adam(isa, &ADAM, &mut p, &g, &mut m, &mut v);
            sgd(isa, &SgdStep { learning_rate: 0.1, momentum: 0.5 }, &mut p, &g, &mut velocity);
            for moment in [m, v, velocity] {
                if moment.iter().any(|x| x.to_bits() != 0) {
                    complaints.push(format!("{moment:?}"));
                }
            }
        }
    });
}

#[test]
fn whatever_is_not_finite_is_reported() {
    on_every_isa(|isa, complaints| {
        for length in [1, 7, 16, 40] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, length / 2, length - 1] {
                    for in_gradient in [true, false] {
                        let (mut p, mut g) = (vec![1.0; length], vec![0.5; length]);
                        if in_gradient {
                            g[at] = bad
                        } else {
                            p[at] = bad
                        };
                        let (mut m, mut v) = (vec![0.0; length], vec![0.0; length]);
                        if adam(isa, &ADAM, &mut p.clone(), &g, &mut m, &mut v) {
                            complaints.push(format!("adam {bad} at {at} of {length}"));
                        }
                        for momentum in [0.0, 0.9] {
                            let step = SgdStep { learning_rate: 0.1, momentum };
                            if sgd(isa, &step, &mut p.clone(), &g, &mut vec![0.0; length]) {
                                complaints.push(format!("sgd {momentum} {bad} at {at} of {length}"));
                            }
                        }
                        p[at] = 1.0;
                    }
                }
            }
            // With an epsilon of 0, 0 / 0 in the padding is nobody's business.
            let step = AdamStep { epsilon: 0.0, ..ADAM };
            let (mut p, mut m, mut v) = (vec![1.0; length], vec![0.0; length], vec![0.0; length]);
            if !adam(isa, &step, &mut p, &vec![0.5; length], &mut m, &mut v) {
                complaints.push(format!("the padding of {length}"));
            }
        }
    });
}
