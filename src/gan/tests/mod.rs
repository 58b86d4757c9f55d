//! The adversarial step as a whole. Here stands what its tests share.

mod bad_input;
mod draws;
mod embedding;
mod joint;

use std::ops::ControlFlow;
use std::sync::Arc;

use super::plan::Plan;
use super::program::Script;
use super::source::{InMemory, Shape, from_rows};
use super::state::TrainedNetwork;
use super::streams::Stream;
use super::*;
use crate::error::Error;
use crate::gemm::EngineKind;
use crate::kernel::activation::Activation;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::net::panels::{Panels, PassContext, PassPlan};
use crate::net::pass::{self, Alone};
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::Team;
use crate::simd::{Isa, LANE_GROUP};

const LATENTS: usize = 3;
const FEATURES: usize = 4;
const SEED: u64 = 21;

/// Rows of a matrix `[samples, FEATURES]`.
struct Rows(Vec<f32>);

impl Rows {
    fn new(samples: usize) -> Self {
        Self((0..samples * FEATURES).map(|index| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0).collect())
    }
}

impl Source for Rows {
    fn shape(&self) -> Shape {
        Shape::new(FEATURES, self.0.len() / FEATURES)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        from_rows(&self.0, FEATURES).ok()
    }
}

fn spec(order: Order, hidden: usize) -> GanSpec {
    GanSpec {
        objective: Objective::Minimax,
        order,
        discriminator_steps: 1,
        generator_optimizer: OptimizerSpec::adam(0.001),
        discriminator_optimizer: OptimizerSpec::adam(0.001),
        generator: NetworkSpec::dense(&[LATENTS, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        discriminator: NetworkSpec::dense(&[FEATURES, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
    }
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions { batch, seed: SEED, shuffle: false, ..Default::default() }
}

fn latents(stream: Stream, step: u64, batch: usize) -> Vec<f32> {
    let width = batch.next_multiple_of(LANE_GROUP);
    let mut panel = vec![0.0; LATENTS * width];
    noise::normal(Isa::best(), stream.key(SEED, step), 0, &mut panel, width);
    let mut rows = vec![0.0; LATENTS * batch];
    scatter_rows(Isa::best(), &panel, width, batch, &mut rows);
    rows
}

/// What `generator` makes of the latents of D's step `step`.
fn fakes(generator: &TrainedNetwork, step: u64, batch: usize) -> Vec<f32> {
    let width = batch.next_multiple_of(LANE_GROUP);
    let panels = Panels { samples: batch, ..Panels::one(width) };
    let plan = PassPlan { isa: Isa::best(), engine: EngineKind::default().engine(), tasks: 1 };
    let Alone { trace, mut tape } = Alone::new(&generator.spec, width).unwrap();
    let latents = tape.get_mut(trace.input(), width);
    noise::normal(plan.isa, Stream::DiscriminatorLatents.key(SEED, step), 0, latents, width);
    let pass = PassContext { team: &Team::serial(), plan: &plan, panels };
    pass::forward(&pass, generator.view(), &[], &trace, &mut tape);
    let mut rows = vec![0.0; FEATURES * batch];
    scatter_rows(plan.isa, tape.get(trace.output(), width), width, batch, &mut rows);
    rows
}
