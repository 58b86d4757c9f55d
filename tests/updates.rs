//! The update that a step makes is that of the optimizer's rule by the gradients that it reports, bit for bit, also where the backward
//! pass does it layer by layer: every rule, every order of a step, one chunk and several, one thread and several, both engines.

mod reference;

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{
    Adam, AdamW, GanSpec, ModularLoss, Network, Objective, OptimizerSpec, Order, RmsProp, Sgd, Source, Trainer,
    TrainerOptions, source,
};
use gannet::internals::kernel::optimizer::{AdamStep, AdamWStep, RmsPropStep, SgdStep, Update};
use gannet::net::{Activation, LayerTensors, NetworkSpec};
use gannet::{Error, Result};
use reference::network::flat;

const FEATURES: usize = 9;

/// Networks too large for tiles, some layers too narrow for the micro-kernel, rows of 256 weights that stand apart.
fn spec(order: Order, dropout: f32) -> GanSpec {
    GanSpec::new(
        NetworkSpec::dense(&[5, 256, 300, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(&[FEATURES, 131, 512, 99, 1], Activation::Relu, dropout, Activation::Linear),
    )
    .with_objective(Objective::Minimax)
    .with_optimizers(OptimizerSpec::adam(0.001))
    .with_order(order)
}

fn rows() -> Arc<ArraySource> {
    let values = (0..FEATURES * 1_100).map(|i| ((i * 7919) % 2001) as f32 / 1000.0 - 1.0).collect();
    Arc::new(ArraySource::new(values, FEATURES).unwrap())
}

/// The same, but sample 700 is not a number.
fn spoiled(rows: &ArraySource) -> impl Source {
    source::from_fn(FEATURES, rows.len(), |number, row| {
        row.copy_from_slice(&rows.values()[number as usize * FEATURES..][..FEATURES]);
        if number == 700 {
            row[0] = f32::NAN;
        }
    })
}

/// Follows one network's training by the gradients alone.
struct Follower {
    optimizer: OptimizerSpec,
    parameters: Vec<f32>,
    states: Vec<Vec<f32>>,
    t: u64,
}

impl Follower {
    fn new(optimizer: OptimizerSpec, tensors: &[LayerTensors]) -> Self {
        let parameters: Vec<f32> = flat(tensors).collect();
        let states = update(optimizer, 1).state_names().iter().map(|_| vec![0.0; parameters.len()]).collect();
        Self { optimizer, states, parameters, t: 0 }
    }

    fn follow(&mut self, gradients: &[LayerTensors]) {
        self.t += 1;
        let gradients: Vec<f32> = flat(gradients).collect();
        let mut states: Vec<&mut [f32]> = self.states.iter_mut().map(|state| &mut state[..]).collect();
        let update = update(self.optimizer, self.t);
        assert!(update.apply(Isa::best(), &mut self.parameters, &gradients, &mut states));
    }
}

/// The optimizer's update number `t`.
fn update(optimizer: OptimizerSpec, t: u64) -> Update {
    match optimizer {
        OptimizerSpec::Adam(Adam { learning_rate, beta1, beta2, epsilon, .. }) => {
            AdamStep { learning_rate, beta1, beta2, epsilon, t }.into()
        }
        OptimizerSpec::AdamW(AdamW { learning_rate, beta1, beta2, epsilon, weight_decay, .. }) => {
            AdamWStep { adam: AdamStep { learning_rate, beta1, beta2, epsilon, t }, weight_decay }.into()
        }
        OptimizerSpec::RmsProp(RmsProp { learning_rate, alpha, epsilon, .. }) => {
            RmsPropStep { learning_rate, alpha, epsilon }.into()
        }
        OptimizerSpec::Sgd(Sgd { learning_rate, momentum, .. }) => SgdStep { learning_rate, momentum }.into(),
        other => panic!("no reference for {other}"),
    }
}

#[test]
fn parameters_follow_from_the_gradients() {
    let adam = OptimizerSpec::adam(0.001);
    let descents = [OptimizerSpec::sgd(0.01), Sgd::new(0.01).with_momentum(0.5).into()];
    for (order, dropout, [generator_optimizer, discriminator_optimizer]) in [
        (Order::DiscriminatorFirst, 0.0, [adam, adam]),
        (Order::DiscriminatorFirstSharedFake, 0.25, [adam, adam]),
        (Order::GeneratorFirstSharedFake, 0.0, [adam, adam]),
        (Order::GeneratorFirstSharedFake, 0.25, [adam, adam]),
        (Order::DiscriminatorFirst, 0.25, descents),
        (Order::GeneratorFirstSharedFake, 0.0, descents),
        (Order::DiscriminatorFirst, 0.0, [AdamW::new(0.001).with_weight_decay(0.5).into(), RmsProp::new(0.001).into()]),
    ] {
        let spec = spec(order, dropout)
            .with_generator_optimizer(generator_optimizer)
            .with_discriminator_optimizer(discriminator_optimizer);
        for (batch, engine, threads) in [
            (40, EngineKind::Native, 1),
            (40, EngineKind::Native, 3),
            (1_100, EngineKind::Native, 2),
            (40, EngineKind::Matrixmultiply, 2),
        ] {
            let name = format!("{generator_optimizer:?} {order:?} dropout {dropout} batch {batch} {engine} {threads}");
            let options = TrainerOptions::default().with_batch(batch).with_threads(threads).with_engine(engine);
            let mut trainer = Trainer::new(spec.clone(), rows(), options).unwrap();
            assert_eq!(trainer.plan().schedule, "layer-parallel");
            let before = trainer.model().unwrap();
            let mut generator = Follower::new(spec.generator_optimizer, &before.generator);
            let mut discriminator = Follower::new(spec.discriminator_optimizer, &before.discriminator);
            for _ in 0..3 {
                trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
                let (gradients, model) = (trainer.gradients().unwrap(), trainer.model().unwrap());
                generator.follow(&gradients.generator);
                discriminator.follow(&gradients.discriminator);
                assert!(flat(&model.generator).eq(generator.parameters.iter().copied()), "generator: {name}");
                assert!(
                    flat(&model.discriminator).eq(discriminator.parameters.iter().copied()),
                    "discriminator: {name}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_named() {
    let rows = rows();
    for threads in [1, 2] {
        for (order, dropout) in [(Order::DiscriminatorFirst, 0.25), (Order::GeneratorFirstSharedFake, 0.25)] {
            let options = TrainerOptions::default().with_batch(300).with_threads(threads).with_shuffle(false);
            let mut trainer = Trainer::new(spec(order, dropout), Arc::new(spoiled(&rows)), options).unwrap();
            match trainer.run(9, 0, |_| ControlFlow::Continue(())) {
                Err(Error::NotFinite {
                    step: 3,
                    network: Network::Discriminator,
                    layer: 0,
                    quantity: "real sample",
                }) => (),
                other => panic!("{order:?} {threads}: {other:?}"),
            }
        }
    }
}

/// The second half of a modular step goes through the updated discriminator.
#[test]
fn a_modular_step_sees_its_own_update() -> Result<()> {
    let batch = 30;
    let numbers = |seed: usize| -> Vec<f32> {
        (0..batch * FEATURES).map(|i| (((i + seed) * 7919) % 2001) as f32 / 1000.0 - 1.0).collect()
    };
    let (real, fakes) = (numbers(1), numbers(2));
    let discriminator = spec(Order::DiscriminatorFirst, 0.0).discriminator;
    let outcome = |learning_rate, threads| -> Result<Vec<f32>> {
        let options = TrainerOptions::default().with_batch(batch).with_threads(threads);
        let optimizer = OptimizerSpec::adam(learning_rate);
        let mut loss = ModularLoss::new(discriminator.clone(), Objective::NonSaturating, optimizer, options)?;
        let mut gradient = vec![0.0; batch * FEATURES];
        loss.step(&fakes, &real, &mut gradient)?;
        Ok(gradient)
    };
    assert!(outcome(0.01, 1)? == outcome(0.01, 3)?);
    assert!(outcome(0.01, 1)? != outcome(0.02, 1)?);
    Ok(())
}
