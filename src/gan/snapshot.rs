//! What of a trainer can be read and replaced between two steps: networks, gradients, learning rates, and all of it as a checkpoint.

use super::adversary::Adversary;
use super::checkpoint::Checkpoint;
use super::failure::check_whole;
use super::function::NetworkFunction;
use super::model::Model;
use super::sampler::Sampler;
use super::settings::{self, Settings};
use super::state::TrainedNetwork;
use super::trainer::Trainer;
use super::views::{self, TensorView};
use crate::error::{Error, Result};
use crate::net::LayerTensors;
use crate::network::Network;

/// What [`Trainer::restore`] does with settings that are not those of the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changes {
    /// They are an error that names them.
    Refused,
    /// They hold from now on. An optimizer of another kind begins with moments of zero; between Adam and AdamW, which remember the same,
    /// moments and count stay. An average of G's parameters that was not kept before begins with the parameters of the checkpoint.
    Allowed,
}

impl Trainer<'_> {
    /// A copy of both networks, as samples are made by them: with [`ema_decay`](super::GanSpec::ema_decay), G has the averages of its
    /// parameters. After a step that failed, what it left of them.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn model(&self) -> Result<Model> {
        match self.averages()? {
            Some(generator) => Ok(Model { generator, discriminator: self.tensors(Network::Discriminator)? }),
            None => self.raw_model(),
        }
    }

    /// A copy of both networks' parameters in training. Without [`ema_decay`](super::GanSpec::ema_decay) it is [`model`](Self::model); with
    /// it, its G is the one whose updates the average follows.
    ///
    /// ```
    /// use std::{ops::ControlFlow, sync::Arc};
    /// use gannet::{data::synthetic, gan::{Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let trainer = |decay| Trainer::new(Preset::Circle.spec().with_ema_decay(decay), points.clone(), TrainerOptions::default());
    /// let (mut plain, mut averaged) = (trainer(0.0)?, trainer(0.99)?);
    /// plain.run(20, 0, |_| ControlFlow::Continue(()))?;
    /// averaged.run(20, 0, |_| ControlFlow::Continue(()))?;
    /// assert!(averaged.raw_model()? == plain.model()?);
    /// assert!(averaged.model()?.generator != plain.model()?.generator);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn raw_model(&self) -> Result<Model> {
        let (generator, discriminator) = (self.tensors(Network::Generator)?, self.tensors(Network::Discriminator)?);
        Ok(Model { generator, discriminator })
    }

    /// A copy of a network's parameters in training.
    fn tensors(&self, network: Network) -> Result<Vec<LayerTensors>> {
        self.adversary.networks.get(network).map_or(Ok(Vec::new()), TrainedNetwork::tensors)
    }

    /// A copy of the averages of G's parameters; `None` where they are not kept.
    fn averages(&self) -> Result<Option<Vec<LayerTensors>>> {
        self.adversary.networks.generator.as_ref().map_or(Ok(None), TrainedNetwork::averages)
    }

    /// A network's parameters in training where they stand; after a step that failed, what it left of them.
    ///
    /// ```
    /// use gannet::{data::synthetic, gan::{Network, Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = std::sync::Arc::new(synthetic::circle(1_024, 1)?);
    /// let trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
    /// let names: Vec<_> = trainer.parameters(Network::Generator).map(|tensor| tensor.name().to_string()).collect();
    /// assert_eq!(names[..2], ["generator.0.weight", "generator.0.bias"]);
    /// let weights = trainer.parameters(Network::Generator).next().expect("G has a layer");
    /// assert_eq!((weights.shape(), weights.values().count()), ([16, 2].as_slice(), 32));
    /// # Ok::<(), gannet::Error>(())
    /// ```
    pub fn parameters(&self, network: Network) -> impl Iterator<Item = TensorView<'_>> {
        let view = self.adversary.networks.parameters_view(network);
        views::tensors(network, view.layout, view.parameters)
    }

    /// The gradients of a network's parameters over the batch of its last update, where they stand. Before the first they are 0.
    pub fn parameter_gradients(&self, network: Network) -> impl Iterator<Item = TensorView<'_>> {
        let gradients = &self.adversary.workspace.combined().gradients[network as usize];
        views::tensors(network, self.adversary.networks.view(network).layout, gradients)
    }

    /// A network as a function of rows, with a copy of its parameters as they are now: those of [`model`](Self::model).
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn function(&self, network: Network) -> Result<NetworkFunction> {
        NetworkFunction::of_view(network, self.adversary.networks.sampled_view(network), self.isa())
    }

    /// Makes samples by G, with a copy of its parameters as they are now, those of [`model`](Self::model): training may go on beside it.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn sampler(&self) -> Result<Sampler> {
        Sampler::of_view(self.adversary.networks.sampled_view(Network::Generator), &self.spec, self.isa())
    }

    /// A copy of the gradients of the last step, in the form of a model.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn gradients(&self) -> Result<Model> {
        let slot = self.adversary.workspace.combined();
        let tensors = |which: Network| match self.adversary.networks.get(which) {
            Some(network) => network.layout.trained_tensors(&slot.gradients[which as usize]),
            None => Ok(Vec::new()),
        };
        Ok(Model { generator: tensors(Network::Generator)?, discriminator: tensors(Network::Discriminator)? })
    }

    /// Replaces both networks' parameters; optimizer moments and the step counter stay. An average of G's parameters begins anew from
    /// these.
    ///
    /// A trainer whose last step failed takes steps again. Where the step failed halfway, the optimizers begin anew, because what they
    /// remember may be half of it. The samples of a step that met a number that is not finite are left out of their epoch.
    /// ([`Self::restore`] replaces all of it.)
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the model does not fit the specification; then nothing is changed, and a trainer that failed goes
    /// on refusing steps.
    pub fn set_model(&mut self, model: &Model) -> Result<()> {
        self.adversary.set_networks(self.isa(), [&model.generator, &model.discriminator])
    }

    /// Replaces a network's learning rate from its next update on; what the optimizer remembers stays. Nothing is allocated.
    ///
    /// A [`schedule`](super::GanSpec::schedule) has its shares of the new rate.
    /// The rate is part of the specification from then on, so that a checkpoint holds it like every other setting.
    /// [`restore`](Self::restore) with [`Changes::Refused`] wants a trainer with the rates of the checkpoint: a program that changes
    /// rates by `set_learning_rate` sets those of the checkpoint's step first. With [`Changes::Allowed`] the trainer's own rates hold.
    ///
    /// ```
    /// use std::{ops::ControlFlow, sync::Arc};
    /// use gannet::{data::synthetic, gan::{Network, Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
    /// for slice in 0..4 {
    ///     for network in Network::ALL {
    ///         trainer.set_learning_rate(network, 1e-3 * 0.5f32.powi(slice))?;
    ///     }
    ///     trainer.run(25, 0, |_| ControlFlow::Continue(()))?;
    /// }
    /// assert_eq!(trainer.spec().generator_optimizer.learning_rate(), 1.25e-4);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a rate that an optimizer cannot have; then nothing is changed.
    pub fn set_learning_rate(&mut self, network: Network, rate: f32) -> Result<()> {
        let optimizer = self.spec.optimizer(network).with_learning_rate(rate);
        let (name, of_spec) = match network {
            Network::Generator => ("generator_optimizer", &mut self.spec.generator_optimizer),
            Network::Discriminator => ("discriminator_optimizer", &mut self.spec.discriminator_optimizer),
        };
        optimizer.validate(name)?;
        *of_spec = optimizer;
        if let Some(network) = self.adversary.networks.get_mut(network) {
            network.set_learning_rate(rate);
        }
        Ok(())
    }

    /// A copy of everything that the run needs to go on: parameters, optimizers, counters.
    ///
    /// # Errors
    ///
    /// After a step that failed halfway, its error: what it left is no state that a run may go on from. [`Self::model`] still shows it.
    /// [`Error::OutOfMemory`].
    ///
    /// ```
    /// use std::{ops::ControlFlow, sync::Arc};
    /// use gannet::{data::synthetic, gan::{Changes, Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let trainer = || Trainer::new(Preset::Circle.spec(), points.clone(), TrainerOptions::default());
    /// let (mut whole, mut first, mut second) = (trainer()?, trainer()?, trainer()?);
    /// whole.run(20, 0, |_| ControlFlow::Continue(()))?;
    /// first.run(13, 0, |_| ControlFlow::Continue(()))?;
    /// second.restore(&first.checkpoint()?, Changes::Refused)?;
    /// second.run(7, 0, |_| ControlFlow::Continue(()))?;
    /// assert!(second.model()? == whole.model()?);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let Adversary { networks, steps, discriminator_turns, failure, .. } = &self.adversary;
        check_whole(*failure)?;
        let (model, averages) = (self.raw_model()?, self.averages()?);
        let optimizers = networks.optimizer_states()?;
        let mut checkpoint = Checkpoint::new(model, optimizers, [*steps, self.intake.batches.drawn()], self.settings());
        if let Some(averages) = averages {
            checkpoint = checkpoint.with_averages(averages);
        }
        let whole_steps = steps.saturating_mul(self.spec.discriminator_steps as u64);
        checkpoint.discriminator_turns = Some(*discriminator_turns).filter(|turns| *turns != whole_steps);
        Ok(checkpoint)
    }

    /// Goes on from a checkpoint: what follows is, bit for bit, what would have followed in the run that it was taken of, at any
    /// number of threads (with other settings or another engine, where `changes` allows them, a run of its own).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names settings which are not those of the checkpoint, unless `changes` allows them;
    /// [`Error::Shape`] where the networks differ. Then nothing is changed, and a trainer that failed goes on refusing steps.
    pub fn restore(&mut self, checkpoint: &Checkpoint, changes: Changes) -> Result<()> {
        self.check(checkpoint, changes)?;
        self.adversary.set_networks(self.isa(), checkpoint.raw_networks())?;
        if let (Some(averages), Some(generator)) = (checkpoint.averages(), &mut self.adversary.networks.generator) {
            generator.set_averages(averages)?;
        }
        self.adversary.networks.set_optimizer_states(&checkpoint.optimizers)?;
        self.intake.batches.resume(checkpoint.drawn);
        self.adversary.steps = checkpoint.step;
        let whole_steps = checkpoint.step.saturating_mul(self.spec.discriminator_steps as u64);
        self.adversary.discriminator_turns = checkpoint.discriminator_turns.unwrap_or(whole_steps);
        Ok(())
    }

    /// Whether [`restore`](Self::restore) would take `checkpoint`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check(&self, checkpoint: &Checkpoint, changes: Changes) -> Result<()> {
        /// A year of steps of 30 ns, which no step reaches; sums and products with what a step counts stay within 64 bits.
        const MOST_STEPS: u64 = 1 << 43;
        /// Samples: of that many steps of a million each.
        const MOST_DRAWN: u64 = 1 << 63;
        let [generator, discriminator] = &checkpoint.optimizers;
        let counters = [
            checkpoint.step,
            checkpoint.discriminator_turns.unwrap_or(0) >> 20,
            generator.updates,
            discriminator.updates >> 20,
        ];
        if counters.into_iter().any(|counter| counter > MOST_STEPS) || checkpoint.drawn > MOST_DRAWN {
            return Err(Error::data("checkpoint", "its counters are beyond what any run reaches"));
        }
        if changes == Changes::Refused {
            settings::check_unchanged(&checkpoint.settings, &self.settings())?;
        }
        checkpoint.check_networks(&self.spec)?;
        self.adversary.networks.check_optimizer_states(&checkpoint.optimizers)
    }

    /// Refuses what was `saved` with other layers: no state of it fits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names what differs.
    #[cfg(feature = "internals")]
    pub(crate) fn check_layers(&self, saved: &Settings) -> Result<()> {
        settings::check_layers(saved, &self.settings())
    }

    /// The settings that decide the result.
    pub(crate) fn settings(&self) -> Settings {
        settings::settings(&self.spec, &self.options, self.intake.batches.extent())
    }
}
