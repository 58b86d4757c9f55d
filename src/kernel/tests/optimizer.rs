//! The optimizers against PyTorch's definitions in f64.

use super::super::optimizer::{AdamStep, AdamWStep, RmsPropStep, SgdStep, Update, examples, state_names};
use super::{bits, on_every_isa, values};
use crate::reference::optimizer::{Adam, AdamW, RmsProp, Sgd};

const ADAM: AdamStep = AdamStep { learning_rate: 1e-3, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, t: 1 };
const RMSPROP: RmsPropStep = RmsPropStep { learning_rate: 1e-3, alpha: 0.9, epsilon: 1e-8 };

fn near(value: f32, truth: f64, tolerance: f64) -> bool {
    (f64::from(value) - truth).abs() <= tolerance * truth.abs().max(1e-3)
}

/// Parameters and states of an update in f32.
struct Arenas {
    parameters: Vec<f32>,
    states: Vec<Vec<f32>>,
}

impl Arenas {
    fn new(update: &Update, parameters: Vec<f32>, state: f32) -> Self {
        let states = update.state_names().iter().map(|_| vec![state; parameters.len()]).collect();
        Self { parameters, states }
    }

    /// An update of a range, by gradients of that range.
    fn apply(
        &mut self,
        update: &Update,
        isa: crate::simd::Isa,
        range: std::ops::Range<usize>,
        gradients: &[f32],
    ) -> bool {
        let mut states: Vec<&mut [f32]> = self.states.iter_mut().map(|state| &mut state[range.clone()]).collect();
        update.apply(isa, &mut self.parameters[range], gradients, &mut states)
    }

    fn bits(&self) -> Vec<Vec<u32>> {
        std::iter::once(&self.parameters).chain(&self.states).map(|arena| bits(arena)).collect()
    }
}

/// 20 updates of every length against `step`, which changes a parameter and the reference of its optimizer, `first` before the first, by a
/// gradient; `states` are those of the reference.
fn matches_f64<R: Clone>(
    update: impl Fn(u64) -> Update,
    first: &R,
    step: impl Fn(&mut R, &mut f64, f64),
    states: impl Fn(&R) -> Vec<f64>,
) {
    on_every_isa(|isa, complaints| {
        for length in (0..=33).chain([100]) {
            let mut found = Arenas::new(&update(1), values(length, 1.0), 0.0);
            let mut truth: Vec<(f64, R)> = found.parameters.iter().map(|&p| (f64::from(p), first.clone())).collect();
            for t in 1..=20 {
                let gradients: Vec<f32> = values(length, 0.1).iter().map(|g| g * (t as f32).cos()).collect();
                if !found.apply(&update(t), isa, 0..length, &gradients) {
                    complaints.push("finite, but not called so".to_string());
                }
                truth.iter_mut().zip(&gradients).for_each(|((p, state), &g)| step(state, p, f64::from(g)));
            }
            for (index, (truth, state)) in truth.iter().enumerate() {
                let found: Vec<f32> =
                    std::iter::once(&found.parameters).chain(&found.states).map(|arena| arena[index]).collect();
                let truth = [vec![*truth], states(state)].concat();
                let near = found.iter().zip(&truth).all(|(&found, &truth)| near(found, truth, 1e-5));
                if found.len() != truth.len() || !near {
                    complaints.push(format!("{index} of {length}: {found:?}, not {truth:?}"));
                }
            }
        }
    });
}

#[test]
fn adam_matches_f64_over_many_steps() {
    matches_f64(
        |t| AdamStep { t, ..ADAM }.into(),
        &Adam::new([ADAM.learning_rate, ADAM.beta1, ADAM.beta2, ADAM.epsilon]),
        Adam::step,
        |adam| vec![adam.first_moment, adam.second_moment],
    );
}

#[test]
fn adamw_matches_f64_over_many_steps() {
    for weight_decay in [0.0, 0.01, 20.0] {
        matches_f64(
            |t| AdamWStep { adam: AdamStep { t, ..ADAM }, weight_decay }.into(),
            &AdamW::new([ADAM.learning_rate, ADAM.beta1, ADAM.beta2, ADAM.epsilon], weight_decay),
            AdamW::step,
            |adamw| vec![adamw.adam.first_moment, adamw.adam.second_moment],
        );
    }
}

#[test]
fn rmsprop_matches_f64_over_many_steps() {
    for alpha in [0.0, 0.9, 0.99] {
        matches_f64(
            |_| RmsPropStep { alpha, ..RMSPROP }.into(),
            &RmsProp::new([RMSPROP.learning_rate, alpha, RMSPROP.epsilon]),
            RmsProp::step,
            |rmsprop| vec![rmsprop.mean_square],
        );
    }
}

/// Without decay, AdamW is Adam to the bit.
#[test]
fn adamw_without_decay_is_adam() {
    on_every_isa(|isa, complaints| {
        let gradients = values(53, 0.5);
        let updated = |update: Update| {
            let mut arenas = Arenas::new(&update, values(53, 1.0), 0.01);
            arenas.apply(&update, isa, 0..53, &gradients);
            arenas.bits()
        };
        if updated(ADAM.into()) != updated(AdamWStep { adam: ADAM, weight_decay: 0.0 }.into()) {
            complaints.push("another update".to_string());
        }
    });
}

#[test]
fn descent_matches_f64_over_many_steps() {
    for momentum in [0.0, 0.9] {
        let step = SgdStep { learning_rate: 0.01, momentum };
        let velocity = |sgd: &Sgd| if momentum == 0.0 { Vec::new() } else { vec![sgd.velocity] };
        matches_f64(|_| step.into(), &Sgd::new([step.learning_rate, momentum]), Sgd::step, velocity);
    }
}

#[test]
fn states_have_the_names_of_pytorch() {
    let [descent, momentum, adam, adamw, rmsprop] = examples().map(|update| update.state_names());
    assert_eq!((descent, momentum, adam), (&[][..], &["momentum_buffer"][..], &["exp_avg", "exp_avg_sq"][..]));
    assert_eq!((adamw, rmsprop), (adam, &["square_avg"][..]));
    let mut all: Vec<&str> = state_names().collect();
    all.sort_unstable();
    assert_eq!(all, ["exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg"]);
}

#[test]
fn updates_do_not_depend_on_where_a_range_begins() {
    on_every_isa(|isa, complaints| {
        let length = 53;
        let gradients = values(length, 0.5);
        for update in examples() {
            let whole = |cut: usize| {
                let mut arenas = Arenas::new(&update, values(length, 1.0), 0.01);
                for range in [0..cut, cut..length] {
                    arenas.apply(&update, isa, range.clone(), &gradients[range]);
                }
                arenas.bits()
            };
            let expected = whole(0);
            let differing = (1..length).filter(|&cut| whole(cut) != expected);
            complaints.extend(differing.map(|cut| format!("{update:?} cut at {cut}")));
        }
    });
}

#[test]
fn denormal_states_are_flushed() {
    on_every_isa(|isa, complaints| {
        for length in [3, 16] {
            for update in [SgdStep { learning_rate: 0.1, momentum: 0.5 }.into(), ADAM.into(), RMSPROP.into()] {
                let mut arenas = Arenas::new(&update, vec![1.0; length], 1.1754944e-38);
                arenas.apply(&update, isa, 0..length, &vec![1e-39; length]);
                if arenas.states.iter().flatten().any(|x| x.to_bits() != 0) {
                    complaints.push(format!("{update:?}: {:?}", arenas.states));
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
                    for (update, in_gradient) in
                        examples().into_iter().flat_map(|update| [(update, true), (update, false)])
                    {
                        let mut arenas = Arenas::new(&update, vec![1.0; length], 0.0);
                        let mut gradients = vec![0.5; length];
                        *if in_gradient { &mut gradients[at] } else { &mut arenas.parameters[at] } = bad;
                        if arenas.apply(&update, isa, 0..length, &gradients) {
                            complaints.push(format!("{update:?} {bad} at {at} of {length}"));
                        }
                    }
                }
            }
            // With an epsilon of 0, 0 / 0 in the padding is nobody's business.
            let update = AdamStep { epsilon: 0.0, ..ADAM }.into();
            if !Arenas::new(&update, vec![1.0; length], 0.0).apply(&update, isa, 0..length, &vec![0.5; length]) {
                complaints.push(format!("the padding of {length}"));
            }
        }
    });
}
