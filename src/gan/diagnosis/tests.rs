//! What is named where a number stops being finite, in every kind of plan and at one and two threads.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::data::ArraySource;
use crate::error::Error;
use crate::gan::names;
use crate::gan::source::{InMemory, Shape, from_rows};
use crate::gan::{GanSpec, Model, ModularLoss, Objective, OptimizerSpec, Order, Trainer, TrainerOptions};
use crate::kernel::activation::Activation;
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;

const FEATURES: usize = 4;

/// Hidden units of D, and batch: one tile; several slots; panels that all threads share; several chunks of these.
const PLANS: [(usize, usize, &str); 4] =
    [(8, 20, "serial"), (8, 4_500, "tile-parallel"), (400, 100, "layer-parallel"), (400, 1_100, "layer-parallel")];

const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

/// Rows that may hold what [`ArraySource`] refuses.
struct Rows(Vec<f32>);

impl crate::gan::Source for Rows {
    fn shape(&self) -> Shape {
        Shape::new(FEATURES, self.0.len() / FEATURES)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        from_rows(&self.0, FEATURES).ok()
    }
}

/// What an error names: the step, the network, the layer and the quantity.
type Named = (u64, &'static str, usize, &'static str);

fn named(outcome: &Result<impl std::fmt::Debug, Error>) -> Named {
    match outcome {
        Err(Error::NotFinite { step, network, layer, quantity }) => (*step, network.name(), *layer, quantity),
        other => panic!("{other:?}"),
    }
}

fn spec(objective: Objective, order: Order, hidden: usize) -> GanSpec {
    let optimizer = OptimizerSpec::sgd(1e-3);
    GanSpec {
        objective,
        order,
        discriminator_steps: 1,
        generator_optimizer: optimizer,
        discriminator_optimizer: optimizer,
        ..GanSpec::new(
            NetworkSpec::dense(&[3, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
            NetworkSpec::dense(
                &[FEATURES, hidden, hidden, objective.logits()],
                Activation::Relu,
                0.0,
                Activation::Linear,
            ),
        )
    }
}

fn rows(count: usize) -> Vec<f32> {
    (0..count * FEATURES).map(|index| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0).collect()
}

/// Runs up to nine steps of every objective, order and plan at one and two threads, after `change` of the model, and expects the
/// error `expected`. `data` changes the rows. With `kept`, the parameters are those of before the step.
fn everywhere(kept: bool, data: impl Fn(&mut [f32]), change: impl Fn(&mut Model), expected: Named) {
    for objective in [Objective::Minimax, Objective::NonSaturating, Objective::Softmax] {
        for order in ORDERS {
            for (hidden, batch, schedule) in PLANS {
                for threads in [1, 2] {
                    let spec = spec(objective, order, hidden);
                    let mut rows = rows(2 * batch);
                    data(&mut rows);
                    let options = TrainerOptions { batch, threads, shuffle: false, ..Default::default() };
                    let mut trainer = Trainer::new(spec, Arc::new(Rows(rows)), options).unwrap();
                    assert_eq!(trainer.plan().schedule, schedule);
                    let mut model = trainer.model().unwrap();
                    change(&mut model);
                    trainer.set_model(&model).unwrap();
                    // The first step, which is the one that fails in most cases, is not reported.
                    let found = named(&trainer.run(9, 0, |_| ControlFlow::Continue(())));
                    let name = format!("{objective:?} {order:?} {hidden} {batch} at {threads} threads");
                    assert_eq!(found, expected, "{name}");
                    assert_eq!(trainer.steps_done(), expected.0 - 1, "{name}");
                    assert_eq!(named(&trainer.run(1, 0, |_| ControlFlow::Continue(()))), expected, "again: {name}");
                    if kept {
                        let bits = |model: &Model| {
                            let tensors = model.generator.iter().chain(&model.discriminator);
                            tensors
                                .flat_map(|layer| layer.weight.iter().chain(&layer.bias))
                                .map(|x| x.to_bits())
                                .collect::<Vec<_>>()
                        };
                        assert!(
                            bits(&trainer.model().unwrap()) == bits(&model),
                            "{name}: an update came before the error"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn data_are_named() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        // In the middle of the first batch. An infinity may leave the logits finite, and show after the update.
        let spoil = |rows: &mut [f32]| rows[rows.len() / 4 + 1] = value;
        everywhere(value.is_nan(), spoil, |_| (), (1, "discriminator", 0, "real sample"));
    }
    let spoil = |rows: &mut [f32]| rows[rows.len() / 2 + 6] = f32::NAN;
    everywhere(false, spoil, |_| (), (2, "discriminator", 0, "real sample"));
}

#[test]
fn parameters_are_named() {
    for value in [f32::NAN, f32::INFINITY] {
        for layer in 0..2 {
            let change = |model: &mut Model| model.generator[layer].weight[2] = value;
            // An infinity may end in the tanh behind it, and is looked for below.
            if value.is_nan() || layer == 1 {
                everywhere(true, |_| (), change, (1, "generator", layer, "parameter"));
            }
        }
        for layer in 0..3 {
            let change = |model: &mut Model| model.discriminator[layer].bias[0] = value;
            everywhere(true, |_| (), change, (1, "discriminator", layer, "parameter"));
        }
    }
}

#[test]
fn an_overflow_is_named_where_it_happens() {
    // Weights of one sign, behind outputs that are not all negative.
    let overflow = |model: &mut Model, layer: usize| {
        let LayerTensors { weight: weights, bias: biases, .. } = &mut model.discriminator[layer];
        weights.fill(3e38);
        biases.fill(3e38);
        if layer > 0 {
            model.discriminator[layer - 1].bias.fill(10.0);
        }
    };
    everywhere(true, |_| (), |model| model.generator[1].weight.fill(3e38), (1, "generator", 1, "activation"));
    everywhere(true, |_| (), |model| overflow(model, 1), (1, "discriminator", 1, "activation"));
}

/// An infinite weight behind a tanh makes finite outputs. What shows is the gradient of a layer below it, which may be one of the
/// other network; what is named is the layer of the weight.
#[test]
fn an_infinite_parameter_that_no_activation_shows_is_named() {
    let mut failures = Vec::new();
    for adam in [false, true] {
        for order in ORDERS {
            for (hidden, batch, schedule) in PLANS {
                for (threads, network, layer) in
                    [(1, "generator", 0), (2, "generator", 1), (1, "discriminator", 0), (2, "discriminator", 1)]
                {
                    for value in [f32::INFINITY, f32::NEG_INFINITY] {
                        let optimizer = if adam { OptimizerSpec::adam(1e-3) } else { OptimizerSpec::sgd(1e-3) };
                        let tanh =
                            |widths: &[usize]| NetworkSpec::dense(widths, Activation::Tanh, 0.0, Activation::Linear);
                        let spec = GanSpec {
                            generator: tanh(&[3, 9, 7, FEATURES]),
                            discriminator: tanh(&[FEATURES, hidden, hidden, 1]),
                            generator_optimizer: optimizer,
                            discriminator_optimizer: optimizer,
                            ..spec(Objective::NonSaturating, order, hidden)
                        };
                        let options = TrainerOptions { batch, threads, ..Default::default() };
                        let mut trainer = Trainer::new(spec, Arc::new(Rows(rows(batch))), options).unwrap();
                        let mut model = trainer.model().unwrap();
                        let tensors =
                            if network == "generator" { &mut model.generator } else { &mut model.discriminator };
                        tensors[layer].weight[1] = value;
                        trainer.set_model(&model).unwrap();
                        let found = named(&trainer.run(3, 0, |_| ControlFlow::Continue(())));
                        // Where inputs are zero (those of lanes without a sample), the activation itself is not finite.
                        let quantity = found.3;
                        if found != (1, network, layer, quantity) || !["parameter", "activation"].contains(&quantity) {
                            failures.push(format!(
                                "{found:?} for {value} in layer {layer} of the {network}: adam {adam}, {order:?}, {schedule}, {batch}"
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// The gradient of an infinite logit is finite: without a look at the logits nothing shows but the loss.
#[test]
fn infinite_logits_are_named() {
    for sign in [1.0, -1.0] {
        let change = |model: &mut Model| {
            model.discriminator[1].bias.fill(10.0);
            // Of two logits the second alone.
            let LayerTensors { weight: weights, bias: biases, .. } = &mut model.discriminator[2];
            let last = biases.len() - 1;
            biases[last] = 3.4e38 * sign;
            let row = weights.len() / biases.len();
            weights[last * row..].fill(1e38 * sign);
        };
        everywhere(true, |_| (), change, (1, "discriminator", 2, "logit"));
    }
}

/// Zeros come through D; on the way back each layer multiplies by 1e15, and the third product is beyond the largest number.
#[test]
fn gradients_are_named_nearest_to_the_loss() {
    for order in ORDERS {
        for (hidden, batch, _) in PLANS {
            for threads in [1, 2] {
                let mut spec = spec(Objective::NonSaturating, order, hidden);
                spec.discriminator =
                    NetworkSpec::dense(&[FEATURES, hidden, 1, 1, 1, 1], Activation::Linear, 0.0, Activation::Linear);
                spec.discriminator_optimizer = OptimizerSpec::sgd(f32::MIN_POSITIVE);
                let options = TrainerOptions { batch, threads, ..Default::default() };
                let source = ArraySource::new(vec![0.0; batch * FEATURES], FEATURES).unwrap();
                let mut trainer = Trainer::new(spec, Arc::new(source), options).unwrap();
                let mut model = trainer.model().unwrap();
                model.generator[1].weight.fill(0.0);
                model.generator[1].bias.fill(0.0);
                for LayerTensors { weight: weights, bias: biases, .. } in &mut model.discriminator {
                    weights.fill(1e15);
                    biases.fill(0.0);
                }
                trainer.set_model(&model).unwrap();
                let found = named(&trainer.run(1, 0, |_| ControlFlow::Continue(())));
                // With G first, G's own gradient is the first to be met, at its last layer.
                let expected = match order {
                    Order::GeneratorFirstSharedFake => (1, "generator", 1, "gradient"),
                    _ => (1, "discriminator", 1, "gradient"),
                };
                assert_eq!(found, expected, "{order:?} {hidden} {batch} at {threads} threads");
            }
        }
    }
}

/// Behind an infinite output a ReLU may cut off the way to the logits; the gradient of the weights between is 0 * infinity.
#[test]
fn an_overflow_that_no_logit_shows_is_named() {
    for order in ORDERS {
        for (hidden, batch, threads) in [(8, 20, 1), (400, 100, 2)] {
            let spec = spec(Objective::NonSaturating, order, hidden);
            let options = TrainerOptions { batch, threads, ..Default::default() };
            let mut trainer = Trainer::new(spec, Arc::new(Rows(rows(batch))), options).unwrap();
            let mut model = trainer.model().unwrap();
            model.discriminator[0].weight[..FEATURES].fill(3e38);
            model.discriminator[0].bias[0] = 3e38;
            model.discriminator[1].weight.fill(-1.0);
            trainer.set_model(&model).unwrap();
            let found = named(&trainer.run(1, 0, |_| ControlFlow::Continue(())));
            assert_eq!(found, (1, "discriminator", 0, "activation"), "{order:?} {hidden}");
        }
    }
}

/// The network whose rate explodes is the one that is named, and the same place at any number of threads.
#[test]
fn exploding_learning_rates_are_named() {
    for adam in [false, true] {
        for explodes in ["generator", "discriminator"] {
            for (hidden, batch, schedule) in PLANS {
                let found = [1, 2].map(|threads| {
                    let mut spec = spec(Objective::NonSaturating, Order::DiscriminatorFirst, hidden);
                    let rate = if adam { OptimizerSpec::adam(1e36) } else { OptimizerSpec::sgd(1e36) };
                    let optimizer = match explodes {
                        "generator" => &mut spec.generator_optimizer,
                        _ => &mut spec.discriminator_optimizer,
                    };
                    *optimizer = rate;
                    let options = TrainerOptions { batch, threads, ..Default::default() };
                    let mut trainer = Trainer::new(spec, Arc::new(Rows(rows(2 * batch))), options).unwrap();
                    named(&trainer.run(50, 0, |_| ControlFlow::Continue(())))
                });
                let (step, network, _, quantity) = found[0];
                assert_eq!(found[0], found[1], "{schedule}");
                let blamed =
                    network == explodes && ["activation", "logit", "gradient", "parameter"].contains(&quantity);
                // What an exploded G makes may still be finite, and overflow D.
                let passed_on = explodes == "generator" && network == "discriminator";
                assert!(step > 0 && (blamed || passed_on), "{explodes}: {found:?}");
            }
        }
    }
}

/// Where G learns first and D passes the pairs apart, D may still find a bad sample when G's gradients are complete.
#[test]
fn an_update_waits_for_a_loss_that_may_stop_the_step() {
    let optimizer = OptimizerSpec::adam(0.1);
    let spec = GanSpec {
        generator_optimizer: optimizer,
        discriminator_optimizer: optimizer,
        ..spec(Objective::Softmax, Order::GeneratorFirstSharedFake, 400)
    };
    let mut rows = rows(100);
    rows[50 * FEATURES] = f32::NAN;
    let options = TrainerOptions { batch: 100, shuffle: false, ..Default::default() };
    let mut trainer = Trainer::new(spec, Arc::new(Rows(rows)), options).unwrap();
    assert_eq!(trainer.plan().schedule, "layer-parallel");
    let before = trainer.model().unwrap();
    let outcome = trainer.run(1, 0, |_| ControlFlow::Continue(()));
    assert_eq!(named(&outcome), (1, "discriminator", 0, "real sample"));
    assert!(trainer.model().unwrap() == before);
}

#[test]
fn what_a_modular_loss_is_handed_is_named() {
    let batch = 40;
    let d = NetworkSpec::dense(&[FEATURES, 8, 1], Activation::Relu, 0.0, Activation::Linear);
    let new = || {
        let options = TrainerOptions { batch, ..Default::default() };
        ModularLoss::new(d.clone(), Objective::NonSaturating, OptimizerSpec::adam(0.1), options).unwrap()
    };
    let (good, mut bad) = (rows(batch), rows(batch));
    bad[33 * FEATURES + 2] = f32::NAN;
    let mut gradient = vec![0.0; batch * FEATURES];
    let mut loss = new();
    let before = loss.discriminator().unwrap();
    assert_eq!(named(&loss.step(&bad, &good, &mut gradient)), (1, "discriminator", 0, "generated sample"));
    assert_eq!(named(&loss.step(&good, &bad, &mut gradient)), (1, "discriminator", 0, "real sample"));
    assert!(loss.discriminator().unwrap() == before);
    loss.step(&good, &good, &mut gradient).unwrap();
}

#[test]
fn a_trainer_goes_on_with_a_model_that_is_finite() {
    let options = TrainerOptions { batch: 20, shuffle: false, ..Default::default() };
    let spec = spec(Objective::Minimax, Order::DiscriminatorFirst, 8);
    let mut trainer = Trainer::new(spec, Arc::new(Rows(rows(40))), options).unwrap();
    let good = trainer.model().unwrap();
    let mut bad = good.clone();
    bad.generator[0].weight[0] = f32::NAN;
    trainer.set_model(&bad).unwrap();
    let go = |trainer: &mut Trainer| trainer.run(2, 0, |_| ControlFlow::Continue(()));
    assert_eq!(named(&go(&mut trainer)), (1, "generator", 0, "parameter"));
    trainer.set_model(&good).unwrap();
    assert_eq!(go(&mut trainer).unwrap().unwrap().step, 2);
}

#[test]
fn messages_say_what_helps() {
    let text = |network, layer, quantity| Error::NotFinite { step: 7, network, layer, quantity }.to_string();
    assert_eq!(
        text(Network::Discriminator, 0, names::REAL_SAMPLE),
        "step 7: a real sample is not finite; clean the data of NaN and infinite values"
    );
    assert_eq!(
        text(Network::Generator, 2, names::GRADIENT),
        "step 7: a gradient of the generator's layer 2 is not finite; a lower learning rate usually helps"
    );
    let quantities = [names::GENERATED_SAMPLE, names::LATENT, names::ACTIVATION, names::LOGIT, names::PARAMETER];
    for quantity in quantities.into_iter().chain([names::INPUT_GRADIENT]) {
        let message = text(Network::Generator, 1, quantity);
        assert!(
            message.starts_with("step 7: a") && message.contains(&format!(" {quantity} ")) && message.contains("; "),
            "{message}"
        );
    }
    assert!(text(Network::Generator, 1, names::ACTIVATION).contains("lower the learning rates"));
    assert!(
        text(Network::Discriminator, 1, names::LOGIT).starts_with("step 7: a logit of the discriminator's layer 1")
    );
}
