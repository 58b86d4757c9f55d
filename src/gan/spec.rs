//! What is trained: two networks, an objective, an order of updates, an optimizer for each network.

use super::objective::Objective;
use crate::error::{Error, Result};
#[cfg(feature = "internals")]
use crate::kernel::activation::Activation;
use crate::kernel::optimizer::{AdamStep, SgdStep, Update};
use crate::net::NetworkSpec;
use crate::network::Network;

/// The order of updates within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)
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

    /// Update number `t`, from 1.
    pub(crate) fn update(&self, t: u64) -> Update {
        match *self {
            Self::Adam { learning_rate, beta1, beta2, epsilon } => {
                AdamStep { learning_rate, beta1, beta2, epsilon, t }.into()
            }
            Self::Sgd { learning_rate, momentum } => SgdStep { learning_rate, momentum }.into(),
        }
    }

    /// The names of what it remembers for each parameter.
    pub(crate) fn state_names(&self) -> &'static [&'static str] {
        self.update(1).state_names()
    }

    /// Checks every setting; `name` opens the offending one's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub fn validate(&self, name: &str) -> Result<()> {
        let check = |field: &str, value: f32, holds: bool, range: &str| {
            if holds {
                Ok(())
            } else {
                Err(Error::setting(format!("{name}.{field}"), format!("{value} is not {range}")))
            }
        };
        let rate = self.learning_rate();
        check("learning_rate", rate, rate > 0.0 && rate.is_finite(), "a positive number")?;
        match *self {
            Self::Adam { beta1, beta2, epsilon, .. } => {
                check("beta1", beta1, (0.0..1.0).contains(&beta1), "in 0 .. 1")?;
                check("beta2", beta2, (0.0..1.0).contains(&beta2), "in 0 .. 1")?;
                // Smaller ones may vanish beside the bias corrections: a gradient of 0 would then give 0 / 0.
                let normal = epsilon >= f32::MIN_POSITIVE && epsilon.is_finite();
                check("epsilon", epsilon, normal, "a positive number of at least 1.2e-38")
            }
            Self::Sgd { momentum, .. } => check("momentum", momentum, (0.0..1.0).contains(&momentum), "in 0 .. 1"),
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
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
    /// The specification of a network.
    pub fn network(&self, network: Network) -> &NetworkSpec {
        match network {
            Network::Generator => &self.generator,
            Network::Discriminator => &self.discriminator,
        }
    }

    /// The optimizer of a network.
    pub fn optimizer(&self, network: Network) -> OptimizerSpec {
        match network {
            Network::Generator => self.generator_optimizer,
            Network::Discriminator => self.discriminator_optimizer,
        }
    }

    /// Features of a latent.
    pub fn latents(&self) -> usize {
        self.generator.inputs()
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.generator.outputs()
    }

    /// Gives D's last layer what the objective needs: its number of logits, and no activation. Says whether that was a change.
    #[cfg(feature = "internals")]
    pub(crate) fn fit_discriminator(&mut self) -> bool {
        let (outputs, activation) = (self.objective.logits(), Activation::Linear);
        let Some(last) = self.discriminator.layers.last_mut() else { return false };
        let fits = last.outputs == outputs && last.activation == activation;
        (last.outputs, last.activation) = (outputs, activation);
        !fits
    }

    /// Checks the whole specification.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names the first offence.
    pub fn validate(&self) -> Result<()> {
        /// More would be a mistake: a step of the GAN would hardly ever come.
        const MOST_DISCRIMINATOR_STEPS: usize = 1 << 20;
        self.generator.validate("generator")?;
        self.objective.validate_discriminator(&self.discriminator)?;
        if self.generator.outputs() != self.discriminator.inputs() {
            let (made, taken) = (self.generator.outputs(), self.discriminator.inputs());
            let problem = format!("takes {taken} features, but the generator makes {made}");
            return Err(Error::setting("discriminator.layers[0].inputs", problem));
        }
        if let Some(output) = self.generator.layers.last()
            && output.dropout != 0.0
        {
            let name = format!("generator.layers[{}].dropout", self.generator.layers.len() - 1);
            return Err(Error::setting(name, "must be 0: it would drop features of the samples"));
        }
        if !(1..=MOST_DISCRIMINATOR_STEPS).contains(&self.discriminator_steps) {
            let problem = format!("{} is not between 1 and {MOST_DISCRIMINATOR_STEPS}", self.discriminator_steps);
            return Err(Error::setting("discriminator_steps", problem));
        }
        if self.order == Order::GeneratorFirstSharedFake && self.discriminator_steps != 1 {
            let problem = "must be 1 with the order generator_first_shared_fake, whose fakes serve one step of each";
            return Err(Error::setting("discriminator_steps", problem));
        }
        self.generator_optimizer.validate("generator_optimizer")?;
        self.discriminator_optimizer.validate("discriminator_optimizer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::activation::Activation;

    /// Sizes that no machine holds are counted, and then refused by name.
    #[test]
    fn counts_of_absurd_networks_saturate() {
        let wide = |width| NetworkSpec::dense(&[width; 4], Activation::Relu, 0.0, Activation::Linear);
        for width in [1 << 31, 1 << 32, 1 << 40, usize::MAX] {
            for steps in [1, usize::MAX] {
                let spec = GanSpec {
                    generator: wide(width),
                    discriminator: wide(width),
                    discriminator_steps: steps,
                    ..crate::gan::presets::Preset::Circle.spec()
                };
                assert!(spec.generator.weights() >= spec.generator.weights_beyond_first());
                assert!(spec.flop_per_sample() >= spec.generator.weights() as u64, "{width} {steps}");
                assert!(matches!(spec.validate(), Err(Error::InvalidSetting { .. })));
            }
        }
        assert_eq!(wide(usize::MAX).weights(), usize::MAX);
        assert_eq!(NetworkSpec { layers: Vec::new(), ..wide(1) }.weights_beyond_first(), 0);
    }
}
