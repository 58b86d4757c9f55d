//! What is trained: two networks, an objective, an order of updates, an optimizer for each network.

use crate::error::Result;
use crate::net::NetworkSpec;

/// What D minimizes and what G minimizes. BCE is of `sigmoid(logit)`; every loss is a mean over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Objective {
    /// D: BCE(D(x), 1) + BCE(D(G(z)), 0). G maximizes BCE(D(G(z)), 0). (Goodfellow et al. 2014, equation 1.)
    Minimax,
    /// D as in minimax; G minimizes BCE(D(G(z)), 1). (Goodfellow et al. 2014, section 3.)
    NonSaturating,
    /// As non-saturating, but D's loss is half of the sum.
    NonSaturatingHalf,
    /// D has two logits, class 1 is real; D minimizes CE(D(x), 1) + CE(D(G(z)), 0), G minimizes CE(D(G(z)), 1).
    Softmax,
}

/// The order of updates within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Order {
    /// D's step with latents of its own, then G's step with fresh ones.
    DiscriminatorFirst,
    /// D's step, then G's step through the updated D on the same latents.
    DiscriminatorFirstSharedFake,
    /// G's step, then D's step on the fakes made before G's update.
    GeneratorFirstSharedFake,
}

/// An optimizer and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", tag = "kind")
)]
pub enum OptimizerSpec {
    /// Adam, in PyTorch's form.
    Adam {
        /// Learning rate.
        learning_rate: f32,
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// Added to the root of the second moment.
        epsilon: f32,
    },
    /// Gradient descent with momentum, in PyTorch's form.
    Sgd {
        /// Learning rate.
        learning_rate: f32,
        /// Momentum; 0 = plain descent.
        momentum: f32,
    },
}

impl OptimizerSpec {
    /// Adam with PyTorch's defaults beside the learning rate: betas 0.9 and 0.999, epsilon 1e-8.
    pub fn adam(learning_rate: f32) -> Self {
        Self::Adam { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Plain gradient descent.
    pub fn sgd(learning_rate: f32) -> Self {
        Self::Sgd { learning_rate, momentum: 0.0 }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f32 {
        match *self {
            Self::Adam { learning_rate, .. } | Self::Sgd { learning_rate, .. } => learning_rate,
        }
    }

    /// The same optimizer with another learning rate.
    pub fn with_learning_rate(mut self, rate: f32) -> Self {
        match &mut self {
            Self::Adam { learning_rate, .. } | Self::Sgd { learning_rate, .. } => *learning_rate = rate,
        }
        self
    }
}

/// A whole GAN. D's last layer is linear: the sigmoid or softmax belongs to the objective.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GanSpec {
    /// What is minimized.
    pub objective: Objective,
    /// The order of updates.
    pub order: Order,
    /// Steps of D per step of G.
    pub discriminator_steps: usize,
    /// G's optimizer.
    pub generator_optimizer: OptimizerSpec,
    /// D's optimizer.
    pub discriminator_optimizer: OptimizerSpec,
    /// G: latents in, samples out.
    pub generator: NetworkSpec,
    /// D: samples in, one logit out (two for [`Objective::Softmax`]).
    pub discriminator: NetworkSpec,
}

impl GanSpec {
    /// Features of a latent.
    pub fn latents(&self) -> usize {
        self.generator.inputs()
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.generator.outputs()
    }

    /// Floating-point operations of one step, per sample of the batch: `12 M_D + 4 M_D' + 6 M_G + 2 M_G'` with one step of D
    /// per step of G, M the weights of a network and M' those beyond its first layer.
    pub fn flop_per_sample(&self) -> u64 {
        todo!()
    }

    /// Checks the whole specification.
    ///
    /// # Errors
    ///
    /// [`crate::Error::InvalidSetting`] that names the first offence.
    pub fn validate(&self) -> Result<()> {
        todo!()
    }
}
