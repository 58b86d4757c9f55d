//! The adversarial step as a whole. Here stands what its tests share.

mod ahead;
mod bad_input;
mod draws;
mod embedding;
mod joint;

use std::ops::ControlFlow;
use std::sync::Arc;

use super::source::{InMemory, Shape, from_rows};
use super::state::TrainedNetwork;
use super::streams::Stream;
use super::*;
use crate::error::Error;
use crate::kernel::activation::Activation;
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::Team;
use crate::simd::Isa;

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
        ..GanSpec::new(
            NetworkSpec::dense(&[LATENTS, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
            NetworkSpec::dense(&[FEATURES, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
        )
    }
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions { batch, seed: SEED, shuffle: false, ..Default::default() }
}
