//! One network in training: its parameters, its optimizer and the optimizer's moments.

use std::sync::atomic::{AtomicBool, Ordering};

use super::names::{GRADIENT, PARAMETER};
use super::optimizer_state::{OptimizerState, moment_suffixes};
use super::spec::OptimizerSpec;
use crate::error::{Error, Result};
use crate::kernel::noise::StreamKey;
use crate::kernel::optimizer::{self, AdamStep, SgdStep};
use crate::memory::AlignedBuffer;
use crate::net::op::Arenas;
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{BackwardView, NetworkView, Parameters};
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::{Chunks, Team};
use crate::simd::Isa;

/// Parameters that one task of an update takes: 32 KiB of each arena, a level-1 cache's worth.
const UPDATE_CHUNK: usize = 8 * 1024;

/// A network and what trains it.
#[derive(Debug)]
pub(super) struct TrainedNetwork {
    /// Which of the two it is.
    network: Network,
    pub(super) spec: NetworkSpec,
    pub(super) layout: ParameterLayout,
    parameters: AlignedBuffer,
    optimizer: OptimizerSpec,
    /// Adam's first moment, or the velocity of gradient descent with momentum.
    first_moment: AlignedBuffer,
    /// Adam's second moment.
    second_moment: AlignedBuffer,
    /// Updates done.
    updates: u64,
    /// Where the last backward pass did the update that is due: whether all is finite.
    updated: Option<bool>,
}

impl TrainedNetwork {
    /// A network with parameters drawn from `key`.
    pub(super) fn new(
        network: Network,
        spec: NetworkSpec,
        optimizer: OptimizerSpec,
        isa: Isa,
        key: StreamKey,
    ) -> Result<Self> {
        let layout = ParameterLayout::new(&spec);
        let len = layout.len();
        let (first, second) = match optimizer {
            OptimizerSpec::Adam { .. } => (len, len),
            OptimizerSpec::Sgd { momentum, .. } => (if momentum == 0.0 { 0 } else { len }, 0),
        };
        let mut parameters = AlignedBuffer::zeroed(len)?;
        layout.initialize(&spec, isa, key, &mut parameters);
        Ok(Self {
            network,
            parameters,
            optimizer,
            first_moment: AlignedBuffer::zeroed(first)?,
            second_moment: AlignedBuffer::zeroed(second)?,
            updates: 0,
            updated: None,
            layout,
            spec,
        })
    }

    /// The network as a pass reads it.
    pub(super) fn view(&self) -> NetworkView<'_> {
        NetworkView { spec: &self.spec, layout: &self.layout, parameters: &self.parameters }
    }

    /// The network for a backward pass that updates the parameters as soon as their gradients are complete, if the optimizer is Adam.
    /// [`update`](Self::update) then has only to tell what came of it.
    pub(super) fn updating_view(&mut self) -> BackwardView<'_> {
        let Some(step) = self.adam_step() else { return self.view().into() };
        self.updates += 1;
        let Self { spec, layout, parameters, first_moment, second_moment, updated, .. } = self;
        let finite = updated.insert(true);
        let parameters = Parameters::Updated(Arenas { step, parameters, first_moment, second_moment, finite });
        BackwardView { spec, layout, parameters }
    }

    /// Adam's next update; `None` for another optimizer.
    fn adam_step(&self) -> Option<AdamStep> {
        match self.optimizer {
            OptimizerSpec::Adam { learning_rate, beta1, beta2, epsilon } => {
                Some(AdamStep { learning_rate, beta1, beta2, epsilon, t: self.updates + 1 })
            }
            OptimizerSpec::Sgd { .. } => None,
        }
    }

    /// A copy of the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn tensors(&self) -> Result<LayerTensors> {
        self.layout.tensors(&self.parameters)
    }

    /// Checks that `tensors` are parameters of this network.
    pub(super) fn check_tensors(&self, tensors: &LayerTensors) -> Result<()> {
        self.layout.check(tensors, self.network.name())
    }

    /// Replaces the learning rate from the next update on.
    pub(super) fn set_learning_rate(&mut self, rate: f32) {
        self.optimizer = self.optimizer.with_learning_rate(rate);
    }

    /// Forgets what the optimizer remembers, and an update that was begun.
    pub(super) fn forget(&mut self) {
        self.first_moment.fill(0.0);
        self.second_moment.fill(0.0);
        (self.updates, self.updated) = (0, None);
    }

    /// Replaces the parameters.
    pub(super) fn set_tensors(&mut self, tensors: &LayerTensors) -> Result<()> {
        self.layout.fill(&mut self.parameters, tensors, self.network.name())
    }

    /// A copy of what the optimizer remembers.
    pub(super) fn optimizer_state(&self) -> Result<OptimizerState> {
        let moments = [&self.first_moment, &self.second_moment].into_iter().filter(|moment| !moment.is_empty());
        let moments = moments.map(|moment| self.layout.tensors(moment)).collect::<Result<_>>()?;
        Ok(OptimizerState { updates: self.updates, moments })
    }

    /// Checks that `state` is one of this network.
    pub(super) fn check_optimizer_state(&self, state: &OptimizerState) -> Result<()> {
        state.moments.iter().try_for_each(|moment| self.layout.check(moment, self.network.name()))
    }

    /// Replaces what the optimizer remembers. What another kind of optimizer remembers is worth nothing to this one, which then
    /// begins anew.
    pub(super) fn set_optimizer_state(&mut self, state: &OptimizerState) -> Result<()> {
        let own = moment_suffixes(&self.optimizer).len();
        self.updates = if state.moments.len() == own { state.updates } else { 0 };
        let moments = [&mut self.first_moment, &mut self.second_moment].into_iter().take(own);
        for (index, moment) in moments.enumerate() {
            match state.moments.get(index).filter(|_| state.moments.len() == own) {
                Some(tensors) => self.layout.fill(moment, tensors, self.network.name())?,
                None => moment.fill(0.0),
            }
        }
        Ok(())
    }

    /// One update by the optimizer, unless the last backward pass has done it. `step` is what an error names.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] where a gradient or an updated parameter is not finite.
    pub(super) fn update(&mut self, team: &Team<'_>, isa: Isa, gradients: &[f32], step: u64) -> Result<()> {
        let finite = match self.updated.take() {
            Some(finite) => finite,
            None => self.update_apart(team, isa, gradients),
        };
        if finite { Ok(()) } else { Err(self.not_finite(gradients, step)) }
    }

    /// The update as a phase of its own. Returns whether all is finite.
    fn update_apart(&mut self, team: &Team<'_>, isa: Isa, gradients: &[f32]) -> bool {
        let adam = self.adam_step();
        self.updates += 1;
        let finite = AtomicBool::new(true);
        let of_chunk = |index: usize, len: usize| &gradients[index * UPDATE_CHUNK..][..len];
        let note = |chunk_is_finite: bool| {
            if !chunk_is_finite {
                finite.store(false, Ordering::Relaxed);
            }
        };
        let chunks = 0..self.parameters.len().div_ceil(UPDATE_CHUNK);
        let parameters = Chunks::new(&mut self.parameters, UPDATE_CHUNK);
        let first = Chunks::new(&mut self.first_moment, UPDATE_CHUNK);
        let second = Chunks::new(&mut self.second_moment, UPDATE_CHUNK);
        if let Some(adam) = adam {
            team.for_each((chunks, parameters, first, second), |(index, parameters, first, second)| {
                let gradients = of_chunk(index, parameters.len());
                note(optimizer::adam(isa, &adam, parameters, gradients, first, second));
            });
        } else if let OptimizerSpec::Sgd { learning_rate, momentum } = self.optimizer {
            let sgd = SgdStep { learning_rate, momentum };
            if momentum == 0.0 {
                team.for_each((chunks, parameters), |(index, parameters)| {
                    let gradients = of_chunk(index, parameters.len());
                    note(optimizer::sgd(isa, &sgd, parameters, gradients, &mut []));
                });
            } else {
                team.for_each((chunks, parameters, first), |(index, parameters, velocity)| {
                    let gradients = of_chunk(index, parameters.len());
                    note(optimizer::sgd(isa, &sgd, parameters, gradients, velocity));
                });
            }
        }
        finite.into_inner()
    }

    /// Updates begun so far.
    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    /// Whether the last backward pass has done the update that is due.
    pub(super) fn is_updated(&self) -> bool {
        self.updated.is_some()
    }

    /// The first layer with a parameter that is not finite.
    pub(super) fn first_not_finite(&self) -> Option<usize> {
        self.layout.first_layer(|index| !self.parameters[index].is_finite())
    }

    /// After an update by `gradients`, the first layer with a parameter that is not finite though everything is that it was updated
    /// with. (Where the update stood in the backward pass, the gradients may not, but they have left their mark on Adam's moments.)
    pub(super) fn not_finite_before(&self, gradients: &[f32]) -> Option<usize> {
        let of_update = [gradients, &*self.first_moment, &*self.second_moment];
        let is_finite =
            |index: usize| of_update.iter().all(|arena| arena.get(index).is_none_or(|value| value.is_finite()));
        self.layout.first_layer(|index| !self.parameters[index].is_finite() && is_finite(index))
    }

    /// The error that names where `gradients` or the parameters stopped being finite: the layer nearest the loss, from which it
    /// spread.
    fn not_finite(&self, gradients: &[f32], step: u64) -> Error {
        // Adam's second moment tells of gradients that were too large to be squared, or are no longer there.
        let of_squares =
            || if self.second_moment.is_empty() { None } else { self.layout.last_not_finite(&self.second_moment) };
        let (quantity, layer) = match self.layout.last_not_finite(gradients).or_else(of_squares) {
            Some(layer) => (GRADIENT, layer),
            None => (PARAMETER, self.layout.last_not_finite(&self.parameters).unwrap_or(0)),
        };
        Error::NotFinite { step, network: self.network, layer, quantity }
    }
}
