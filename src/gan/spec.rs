//! What is trained: two networks, an objective, an order of updates, an optimizer for each network.

use super::objective::Objective;
use super::optimizer_spec::{Adam, OptimizerSpec};
use super::penalties::Penalties;
use super::rate_schedule::RateSchedule;
use crate::error::{Error, Result};
#[cfg(feature = "internals")]
use crate::kernel::activation::Activation;
use crate::net::{NetworkSpec, Normalization};
use crate::network::Network;

/// The order of updates within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Order {
    /// D's step with latents of its own, then G's step with fresh ones.
    DiscriminatorFirst,
    /// D's step, then G's step through the updated D on the same latents.
    DiscriminatorFirstSharedFake,
    /// G's step, then D's step on the fakes made before G's update.
    GeneratorFirstSharedFake,
}

impl Order {
    /// Its name, as files have it: `discriminator_first`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DiscriminatorFirst => "discriminator_first",
            Self::DiscriminatorFirstSharedFake => "discriminator_first_shared_fake",
            Self::GeneratorFirstSharedFake => "generator_first_shared_fake",
        }
    }
}

/// A whole GAN. D's last layer is linear: the sigmoid or softmax belongs to the objective.
///
/// ```
/// use gannet::gan::{Adam, GanSpec, Objective};
/// use gannet::net::{Activation, NetworkSpec};
///
/// let generator = NetworkSpec::dense(&[8, 64, 2], Activation::Relu, 0.0, Activation::Linear);
/// let discriminator = NetworkSpec::dense(&[2, 64, 1], Activation::LeakyRelu { slope: 0.2 }, 0.0, Activation::Linear);
/// let spec = GanSpec::new(generator, discriminator)
///     .with_objective(Objective::NonSaturatingHalf)
///     .with_optimizers(Adam::new(0.001).with_beta1(0.5));
/// spec.validate()?;
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
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
    /// What the target of real samples in D's loss is less than 1, from 0 up and below 1; 0 = nothing.
    ///
    /// One-sided label smoothing (Salimans et al. 2016, "Improved techniques for training GANs", section 3.4, where it is 0.1): D minimizes
    /// `BCE(D(x), 1 - label_smoothing)` of real samples, or with [`Objective::LeastSquares`] half the squared distance from that. Fakes
    /// keep their target, and G's loss is as it was. Other objectives have no such target and refuse it. The best D gives a sample that
    /// is as likely real as fake the probability `(1 - label_smoothing) / 2`, which is where its accuracy is told apart.
    #[cfg_attr(feature = "serde", serde(default))]
    pub label_smoothing: f32,
    /// The standard deviation, in units of the samples, of the normal noise that is added to every sample that D judges, in the first step;
    /// 0 = none.
    ///
    /// Instance noise (Sønderby et al. 2017, "Amortised MAP inference for image super-resolution", section 3.3; Arjovsky and Bottou 2017,
    /// "Towards principled methods for training generative adversarial networks"): real samples and fakes, in both networks' turns, each
    /// with noise of its own. It falls in a line, by [`noise_deviation`](Self::noise_deviation), and depends on seed, step and sample
    /// alone. G's gradient passes it unchanged. [Penalties](Self::penalties) look at D's gradient at the noisy samples, those between real
    /// ones and fakes included. Samples, measures and verdicts are without it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub instance_noise: f32,
    /// Steps until [instance noise](Self::instance_noise) is gone; 0 where there is none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub instance_noise_steps: u64,
    /// Penalties added to D's loss.
    #[cfg_attr(feature = "serde", serde(default))]
    pub penalties: Penalties,
    /// After each update of D its weights and biases are clipped to as much above and below 0 (Arjovsky et al. 2017, algorithm 1, where it
    /// is 0.01); 0 = they are not.
    #[cfg_attr(feature = "serde", serde(default))]
    pub weight_clip: f32,
    /// Decay of the exponential moving average of G's parameters (EMA), from 0 up and below 1; 0 = none.
    ///
    /// After each update of G, `average = ema_decay * average + (1 - ema_decay) * parameters`; the average begins as a copy of the initial
    /// parameters. Samples come from it: [`Trainer::sampler`](super::Trainer::sampler) and [`Trainer::model`](super::Trainer::model)
    /// have the G of the average. Training never reads it, so that the parameters in training
    /// ([`Trainer::raw_model`](super::Trainer::raw_model)) have the same bits whatever the decay. (Polyak and Juditsky 1992; for GANs
    /// Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN Training", 2019.)
    #[cfg_attr(feature = "serde", serde(default))]
    pub ema_decay: f32,
    /// The largest norm of G's gradients, over all of its parameters; 0 = any. Larger ones are scaled to it before the update, as
    /// PyTorch's `clip_grad_norm_` does: all are multiplied by `clip_norm / (norm + 1e-6)` where that is below 1, with a sum of squares
    /// in f64. [`Gradients::clip_norm`](super::Gradients::clip_norm) is the same for a hook, where 0 is a bound. What a hook leaves is
    /// clipped, and [`Trainer::gradients`](super::Trainer::gradients) has the clipped ones.
    #[cfg_attr(feature = "serde", serde(default))]
    pub generator_clip_norm: f32,
    /// The same of D's gradients.
    #[cfg_attr(feature = "serde", serde(default))]
    pub discriminator_clip_norm: f32,
    /// How the learning rates of both networks change with the steps, and their betas and the weights of the penalties with them.
    #[cfg_attr(feature = "serde", serde(default))]
    pub schedule: RateSchedule,
    /// How many values of a row of the data are its condition, which both networks are given and G does not make; 0 = none. They are the
    /// last of the row: a class as one-hot code, for instance, as [`Labelled`](crate::data::Labelled) appends it. G takes them behind its
    /// latents, D behind the sample. In each turn the fakes have the conditions of the real samples beside them, so that conditions are
    /// as frequent among fakes as in the data. (Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014.) Penalties look at D's
    /// gradient with respect to the sample alone.
    #[cfg_attr(feature = "serde", serde(default))]
    pub conditions: usize,
    /// Samples that D judges together, all real or all generated (PacGAN: Lin et al., "PacGAN: The power of two samples in generative adversarial
    /// networks", 2018): a G that makes the same sample again and again is found out by the pack. 1 = each alone, at most 128. D takes the samples
    /// of a pack one behind the other, each with its conditions, and gives one logit, over which losses and penalties are means; a batch is made of
    /// whole packs.
    pub packing: usize,
    /// G: latents in, samples out; behind the latents [`conditions`](Self::conditions).
    pub generator: NetworkSpec,
    /// D: samples in, behind them [`conditions`](Self::conditions), as many as a [pack](Self::packing) has; one logit out (two for [`Objective::Softmax`]).
    pub discriminator: NetworkSpec,
}

impl GanSpec {
    /// The usual GAN of these networks: the non-saturating objective; a step of D, then one of G with fresh latents; for both
    /// [`Adam`] with learning rate 0.0002 and betas 0 and 0.99.
    ///
    /// The optimizers were chosen on a circle, a ring of eight normal distributions, a mixture of two and a correlated table of ten
    /// columns. Without momentum and with equal rates no seed tried lost a mode; a faster D or a beta1 of 0.5 lost some of the ring's.
    pub fn new(generator: NetworkSpec, discriminator: NetworkSpec) -> Self {
        let optimizer = Adam::new(0.0002).with_beta1(0.0).with_beta2(0.99).into();
        Self {
            objective: Objective::NonSaturating,
            order: Order::DiscriminatorFirst,
            discriminator_steps: 1,
            generator_optimizer: optimizer,
            discriminator_optimizer: optimizer,
            label_smoothing: 0.0,
            instance_noise: 0.0,
            instance_noise_steps: 0,
            penalties: Penalties::default(),
            weight_clip: 0.0,
            ema_decay: 0.0,
            generator_clip_norm: 0.0,
            discriminator_clip_norm: 0.0,
            schedule: RateSchedule::constant(),
            conditions: 0,
            packing: 1,
            generator,
            discriminator,
        }
    }

    /// The same GAN with another [objective](Self::objective).
    #[must_use]
    pub fn with_objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// The same GAN with another [order of updates](Self::order).
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The same GAN with so many [steps of D per step of G](Self::discriminator_steps).
    #[must_use]
    pub fn with_discriminator_steps(mut self, steps: usize) -> Self {
        self.discriminator_steps = steps;
        self
    }

    /// The same GAN with another optimizer for both networks.
    #[must_use]
    pub fn with_optimizers(self, optimizer: impl Into<OptimizerSpec>) -> Self {
        let optimizer = optimizer.into();
        self.with_generator_optimizer(optimizer).with_discriminator_optimizer(optimizer)
    }

    /// The same GAN with another [optimizer of G](Self::generator_optimizer).
    #[must_use]
    pub fn with_generator_optimizer(mut self, optimizer: impl Into<OptimizerSpec>) -> Self {
        self.generator_optimizer = optimizer.into();
        self
    }

    /// The same GAN with another [optimizer of D](Self::discriminator_optimizer).
    #[must_use]
    pub fn with_discriminator_optimizer(mut self, optimizer: impl Into<OptimizerSpec>) -> Self {
        self.discriminator_optimizer = optimizer.into();
        self
    }

    /// The same networks by the recipe of Huang et al. 2024, "The GAN is dead; long live the GAN! A modern GAN baseline" (R3GAN):
    /// [relativistic pairing](Objective::RelativisticPairing), [R1 and R2](Penalties) of weight 1 at every step, [`Adam`] with betas 0
    /// and 0.99 at the learning rates that the optimizers have, and samples from an [average](Self::ema_decay) of G with decay 0.999.
    ///
    /// D needs one logit. The weight suits data of unit size; the penalties grow with the square of D's slope, so that data ten times as
    /// small want a weight a hundred times as small.
    ///
    /// ```
    /// use gannet::gan::presets::Preset;
    ///
    /// let spec = Preset::Ring8.spec().with_r3gan();
    /// assert_eq!((spec.penalties.r1, spec.penalties.r2, spec.ema_decay), (1.0, 1.0, 0.999));
    /// spec.validate()?;
    /// # Ok::<(), gannet::Error>(())
    /// ```
    #[must_use]
    pub fn with_r3gan(self) -> Self {
        let adam = |optimizer: OptimizerSpec| Adam::new(optimizer.learning_rate()).with_beta1(0.0).with_beta2(0.99);
        let (generator, discriminator) = (adam(self.generator_optimizer), adam(self.discriminator_optimizer));
        self.with_objective(Objective::RelativisticPairing)
            .with_penalties(Penalties::default().with_r1(1.0).with_r2(1.0))
            .with_label_smoothing(0.0)
            .with_weight_clip(0.0)
            .with_generator_optimizer(generator)
            .with_discriminator_optimizer(discriminator)
            .with_ema_decay(0.999)
    }

    /// The same GAN with the labels of real samples [smoothed](Self::label_smoothing).
    #[must_use]
    pub fn with_label_smoothing(mut self, smoothing: f32) -> Self {
        self.label_smoothing = smoothing;
        self
    }

    /// The same GAN with [instance noise](Self::instance_noise) of this standard deviation, which falls to 0 in so many steps.
    #[must_use]
    pub fn with_instance_noise(mut self, deviation: f32, steps: u64) -> Self {
        (self.instance_noise, self.instance_noise_steps) = (deviation, steps);
        self
    }

    /// The standard deviation of [instance noise](Self::instance_noise) in step `step`, counted from 1: with `n` steps,
    /// `instance_noise * (1 - (step - 1) / n)` up to step `n`, and 0 after it.
    pub fn noise_deviation(&self, step: u64) -> f32 {
        let (passed, steps) = (step.saturating_sub(1), self.instance_noise_steps);
        if passed >= steps {
            return 0.0;
        }
        (f64::from(self.instance_noise) * (1.0 - passed as f64 / steps as f64)) as f32
    }

    /// The same GAN with these [penalties](Self::penalties).
    #[must_use]
    pub fn with_penalties(mut self, penalties: Penalties) -> Self {
        self.penalties = penalties;
        self
    }

    /// The same GAN with the weights of D [clipped](Self::weight_clip).
    #[must_use]
    pub fn with_weight_clip(mut self, most: f32) -> Self {
        self.weight_clip = most;
        self
    }

    /// The same GAN with another [decay of the average of G's parameters](Self::ema_decay).
    #[must_use]
    pub fn with_ema_decay(mut self, decay: f32) -> Self {
        self.ema_decay = decay;
        self
    }

    /// The same GAN with another [largest norm of G's gradients](Self::generator_clip_norm).
    #[must_use]
    pub fn with_generator_clip_norm(mut self, norm: f32) -> Self {
        self.generator_clip_norm = norm;
        self
    }

    /// The same GAN with another [largest norm of D's gradients](Self::discriminator_clip_norm).
    #[must_use]
    pub fn with_discriminator_clip_norm(mut self, norm: f32) -> Self {
        self.discriminator_clip_norm = norm;
        self
    }

    /// The largest norm of a network's gradients; 0 = any.
    pub fn clip_norm(&self, network: Network) -> f32 {
        match network {
            Network::Generator => self.generator_clip_norm,
            Network::Discriminator => self.discriminator_clip_norm,
        }
    }

    /// The same GAN with another [schedule](Self::schedule).
    #[must_use]
    pub fn with_schedule(mut self, schedule: RateSchedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The learning rate of a network in step `step`, counted from 1: its optimizer's, times what the schedule has of it.
    pub fn learning_rate(&self, network: Network, step: u64) -> f32 {
        self.schedule.optimizer(self.optimizer(network), step).learning_rate()
    }

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

    /// The same GAN with so many [conditions](Self::conditions), for which both networks have inputs.
    #[must_use]
    pub fn with_conditions(mut self, conditions: usize) -> Self {
        self.conditions = conditions;
        self
    }

    /// The same GAN with so many [samples in a pack](Self::packing), and with as many times the inputs of a sample in D's first layer.
    ///
    /// ```
    /// use gannet::gan::presets::Preset;
    ///
    /// let spec = Preset::Ring8.spec().with_packing(2);
    /// assert_eq!((spec.packing, spec.discriminator.inputs()), (2, 2 * 2));
    /// spec.validate()?;
    /// # Ok::<(), gannet::Error>(())
    /// ```
    #[must_use]
    pub fn with_packing(mut self, packing: usize) -> Self {
        self.packing = packing;
        let inputs = self.pack_features();
        if let Some(first) = self.discriminator.layers.first_mut() {
            first.inputs = inputs;
        }
        self
    }

    /// Values that D judges at once: the rows of a pack.
    pub fn pack_features(&self) -> usize {
        self.row_features().saturating_mul(self.packing)
    }

    /// Features of a latent.
    pub fn latents(&self) -> usize {
        self.generator.inputs().saturating_sub(self.conditions)
    }

    /// Features of a sample that G makes.
    pub fn features(&self) -> usize {
        self.generator.outputs()
    }

    /// Values of a row of the data: the features of a sample, and its conditions.
    pub fn row_features(&self) -> usize {
        self.features().saturating_add(self.conditions)
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
        /// The published ones have up to ten.
        const MOST_PACKED: usize = 128;
        if !(1..=MOST_PACKED).contains(&self.packing) {
            return Err(Error::setting("packing", format!("{} is not between 1 and {MOST_PACKED}", self.packing)));
        }
        self.generator.validate("generator")?;
        self.objective.validate_discriminator(&self.discriminator)?;
        if self.pack_features() != self.discriminator.inputs() {
            let (made, taken, conditions) = (self.features(), self.discriminator.inputs(), self.conditions);
            let beside =
                if conditions == 0 { String::new() } else { format!(" and there are {conditions} conditions") };
            let packed = match self.packing {
                1 => String::new(),
                packing => format!(", in packs of {packing} samples"),
            };
            let problem = format!("takes {taken} features, but the generator makes {made}{beside}{packed}");
            return Err(Error::setting("discriminator.layers[0].inputs", problem));
        }
        if self.latents() == 0 {
            let problem = format!("{} leave no latent among G's {} inputs", self.conditions, self.generator.inputs());
            return Err(Error::setting("conditions", problem));
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
        self.objective.check_smoothing(self.label_smoothing)?;
        if !(self.instance_noise >= 0.0 && self.instance_noise.is_finite()) {
            let problem = format!("{} is not 0 (none) or a positive number", self.instance_noise);
            return Err(Error::setting("instance_noise", problem));
        }
        if self.instance_noise == 0.0 && self.instance_noise_steps != 0 {
            let problem = "has a meaning with instance_noise, which is 0; set that, or leave this out";
            return Err(Error::setting("instance_noise_steps", problem));
        }
        if self.instance_noise != 0.0 && self.instance_noise_steps == 0 {
            let problem = "0 leaves no step for the noise to fall; set the number of steps that are to have some";
            return Err(Error::setting("instance_noise_steps", problem));
        }
        self.penalties.validate()?;
        self.penalties.check_discriminator(&self.discriminator)?;
        if let Some(layer) = self.generator.layers.iter().position(|of| of.normalization == Normalization::Spectral) {
            let problem = "spectral normalization bounds the slope of D; G takes `layer` or `batch`";
            return Err(Error::setting(format!("generator.layers[{layer}].normalization"), problem));
        }
        if let Some(layer) = self.discriminator.softmax() {
            let problem = "D gives logits; groups of outputs are for what G makes of categories";
            return Err(Error::setting(format!("discriminator.layers[{layer}].softmax"), problem));
        }
        if self.weight_clip != 0.0 && self.discriminator.has(Normalization::Spectral) {
            let problem = "clipped weights and spectral normalization both bound D's slope; use one of them";
            return Err(Error::setting("weight_clip", problem));
        }
        if !(self.weight_clip >= 0.0 && self.weight_clip.is_finite()) {
            return Err(Error::setting(
                "weight_clip",
                format!("{} is not 0 (none) or a positive number", self.weight_clip),
            ));
        }
        self.objective.check_bound(&self.penalties, self.weight_clip, &self.discriminator)?;
        if self.weight_clip != 0.0 && !self.penalties.is_none() {
            let problem = "clipped weights and penalties both bound D's slope; use one of them";
            return Err(Error::setting("weight_clip", problem));
        }
        self.generator_optimizer.validate("generator_optimizer")?;
        self.discriminator_optimizer.validate("discriminator_optimizer")?;
        if !(0.0..1.0).contains(&self.ema_decay) {
            let problem = format!("{} is not a number from 0 up and below 1", self.ema_decay);
            return Err(Error::setting("ema_decay", problem));
        }
        for network in Network::ALL {
            let most = self.clip_norm(network);
            if !(most >= 0.0 && most.is_finite()) {
                let problem = format!("{most} is not a number from 0 up");
                return Err(Error::setting(format!("{network}_clip_norm"), problem));
            }
        }
        self.schedule.validate()?;
        self.schedule.check_ends([self.generator_optimizer, self.discriminator_optimizer], &self.penalties)
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

    /// Normalizations that make no sense are refused by name, with what does.
    #[test]
    fn normalizations_out_of_place_are_refused() {
        use crate::gan::presets::Preset;
        let normalized = |of_generator: Normalization, of_discriminator: Normalization| {
            let spec = Preset::Circle.spec();
            GanSpec {
                generator: spec.generator.clone().with_normalization(of_generator),
                discriminator: spec.discriminator.clone().with_normalization(of_discriminator),
                ..spec
            }
        };
        let (none, batch, spectral) = (Normalization::None, Normalization::Batch, Normalization::Spectral);
        let penalties = Penalties::default().with_r1(1.0);
        let mut last = normalized(none, none);
        last.generator.layers[2].normalization = batch;
        let cases = [
            (normalized(spectral, none), "generator.layers[0].normalization", "G takes `layer` or `batch`"),
            (
                normalized(none, batch).with_penalties(penalties),
                "discriminator.layers[0].normalization",
                "take `layer` or `spectral`, or no penalties",
            ),
            (normalized(none, spectral).with_weight_clip(0.1), "weight_clip", "use one of them"),
            (last, "generator.layers[2].normalization", "in D `spectral` suits it"),
        ];
        for (spec, setting, cure) in cases {
            let error = spec.validate().unwrap_err().to_string();
            assert!(error.contains(setting) && error.contains(cure), "{error}");
        }
        let allowed = [
            normalized(batch, spectral).with_penalties(penalties),
            normalized(batch, batch),
            // All of D's layers bound its slope.
            normalized(none, spectral).with_objective(Objective::Wasserstein),
        ];
        allowed.iter().for_each(|spec| spec.validate().unwrap());
        let bounded_in_part = normalized(none, Normalization::Layer).with_objective(Objective::Wasserstein);
        assert!(bounded_in_part.validate().unwrap_err().to_string().contains("wasserstein needs a bound"));

        // A batch whose last group is a single sample.
        let points = std::sync::Arc::new(crate::data::synthetic::circle(200, 1).unwrap());
        let options = |batch| crate::gan::TrainerOptions { batch, ..Default::default() };
        for batch in [1, 2, 100] {
            let outcome =
                crate::gan::Trainer::new(normalized(Normalization::Batch, none), points.clone(), options(batch));
            match batch {
                1 => {
                    let error = outcome.unwrap_err().to_string();
                    assert!(error.contains("batch") && error.contains("take a larger batch"), "{error}");
                }
                _ => assert!(outcome.is_ok()),
            }
        }
    }
}
