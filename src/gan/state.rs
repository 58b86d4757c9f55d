//! One network in training: its parameters, its optimizer and what the optimizer remembers.

use std::sync::atomic::{AtomicBool, Ordering};

use super::average::Average;
use super::names::{GRADIENT, PARAMETER};
use super::optimizer_spec::OptimizerSpec;
use super::optimizer_state::OptimizerState;
use super::rate_schedule::RateSchedule;
use crate::error::{Error, Result};
use crate::kernel::noise::StreamKey;
use crate::kernel::optimizer::{Arenas, Update, clip_parameters};
use crate::memory::AlignedBuffer;
use crate::net::op::Updated;
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{BackwardView, NetworkView, Parameters};
use crate::net::spectral::SpectralWeights;
use crate::net::statistics;
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::{Chunks, ChunksOfEach, Enumerated, Team};
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
    /// What passes see in their place, where a layer has spectral normalization.
    spectral: Option<SpectralWeights>,
    optimizer: OptimizerSpec,
    /// What parameters are clipped to after an update, above and below 0; 0 = they are not.
    weight_clip: f32,
    schedule: RateSchedule,
    /// The optimizer as the schedule has it in the step in progress.
    in_step: OptimizerSpec,
    /// An arena for each state of the optimizer's rule, laid out like the parameters, without what no optimizer changes.
    states: Vec<AlignedBuffer>,
    /// The average of the parameters, where one is kept.
    average: Option<Average>,
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
        let states = optimizer.state_names().iter().map(|_| AlignedBuffer::zeroed(layout.trained()));
        let states = states.collect::<Result<_>>()?;
        let mut parameters = AlignedBuffer::zeroed(layout.len())?;
        layout.initialize(&spec, isa, key, &mut parameters)?;
        let spectral = SpectralWeights::new(&Team::serial(), isa, &spec, &layout, &parameters)?;
        let (schedule, in_step) = (RateSchedule::constant(), optimizer);
        let (weight_clip, average, updates, updated) = (0.0, None, 0, None);
        Ok(Self {
            network,
            parameters,
            spectral,
            optimizer,
            schedule,
            in_step,
            weight_clip,
            states,
            average,
            updates,
            updated,
            layout,
            spec,
        })
    }

    /// The same network, whose parameters are clipped after each update to at most `most` above and below 0; 0 = they are not.
    pub(super) fn clipped_to(mut self, most: f32) -> Self {
        self.weight_clip = most;
        self
    }

    /// The same with a schedule of its optimizer.
    pub(super) fn with_schedule(self, schedule: RateSchedule) -> Self {
        Self { schedule, ..self }
    }

    /// A turn of step `step` begins.
    pub(super) fn begin_turn(&mut self, step: u64) {
        self.in_step = self.schedule.optimizer(self.optimizer, step);
    }

    /// The same with an average of its parameters; without one where the `decay` is 0.
    pub(super) fn with_average(mut self, decay: f32) -> Result<Self> {
        self.average = (decay != 0.0).then(|| Average::new(decay, &self.parameters)).transpose()?;
        Ok(self)
    }

    /// The network as a pass of a turn reads it.
    pub(super) fn view(&self) -> NetworkView<'_> {
        let parameters = self.spectral.as_ref().map_or(&*self.parameters, SpectralWeights::arena);
        NetworkView { spec: &self.spec, layout: &self.layout, parameters }
    }

    /// The network with its own parameters.
    pub(super) fn parameters_view(&self) -> NetworkView<'_> {
        NetworkView { spec: &self.spec, layout: &self.layout, parameters: &self.parameters }
    }

    /// The network as it is sampled from: with the averages in the place of the parameters, where they are kept.
    pub(super) fn sampled_view(&self) -> NetworkView<'_> {
        let parameters = self.average.as_ref().map_or(&*self.parameters, Average::arena);
        NetworkView { parameters, ..self.parameters_view() }
    }

    /// The network for a backward pass that updates the parameters as soon as their gradients are complete.
    /// [`update`](Self::update) then has only to tell what came of it.
    pub(super) fn updating_view(&mut self) -> BackwardView<'_> {
        let update = self.next_update();
        let Self { spec, layout, parameters, states, updated, .. } = self;
        let finite = updated.insert(true);
        let updated = Updated { update, arenas: arenas(parameters, states), finite };
        BackwardView { spec, layout, parameters: Parameters::Updated(updated) }
    }

    /// Counts an update, the optimizer's next.
    fn next_update(&mut self) -> Update {
        self.updates += 1;
        self.in_step.update(self.updates)
    }

    /// A copy of the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn tensors(&self) -> Result<Vec<LayerTensors>> {
        self.layout.tensors(&self.parameters)
    }

    /// A copy of the averages of the parameters; `None` where they are not kept.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn averages(&self) -> Result<Option<Vec<LayerTensors>>> {
        self.average.as_ref().map(|average| self.layout.tensors(average.arena())).transpose()
    }

    /// Replaces the averages, where they are kept.
    pub(super) fn set_averages(&mut self, tensors: &[LayerTensors]) -> Result<()> {
        let Some(average) = &mut self.average else { return Ok(()) };
        self.layout.fill(average.arena_mut(), tensors, self.network.name())
    }

    /// Checks that `tensors` are parameters of this network.
    pub(super) fn check_tensors(&self, tensors: &[LayerTensors]) -> Result<()> {
        self.layout.check(tensors, self.network.name())
    }

    /// The learning rate that its schedule starts from.
    pub(super) fn learning_rate(&self) -> f32 {
        self.optimizer.learning_rate()
    }

    /// Replaces the learning rate from the next update on.
    pub(super) fn set_learning_rate(&mut self, rate: f32) {
        self.optimizer = self.optimizer.with_learning_rate(rate);
    }

    /// Forgets what the optimizer remembers, and an update that was begun.
    pub(super) fn forget(&mut self) {
        self.states.iter_mut().for_each(|state| state.fill(0.0));
        (self.updates, self.updated) = (0, None);
    }

    /// Replaces the parameters, from which their average begins anew.
    pub(super) fn set_tensors(&mut self, isa: Isa, tensors: &[LayerTensors]) -> Result<()> {
        self.layout.fill(&mut self.parameters, tensors, self.network.name())?;
        if let Some(spectral) = &mut self.spectral {
            spectral.follow(&Team::serial(), isa, &self.layout, &self.parameters);
        }
        if let Some(average) = &mut self.average {
            average.restart(&self.parameters);
        }
        Ok(())
    }

    /// A copy of what the optimizer remembers.
    pub(super) fn optimizer_state(&self) -> Result<OptimizerState> {
        let named = self.optimizer.state_names().iter().zip(&self.states);
        let states =
            named.map(|(name, state)| Ok((*name, self.layout.trained_tensors(state)?))).collect::<Result<_>>()?;
        Ok(OptimizerState { updates: self.updates, states })
    }

    /// Checks that `state` is one of this network.
    pub(super) fn check_optimizer_state(&self, state: &OptimizerState) -> Result<()> {
        state.states.iter().try_for_each(|(_, tensors)| self.layout.check_trained(tensors, self.network.name()))
    }

    /// Replaces what the optimizer remembers. What another kind of optimizer remembers is worth nothing to this one, which then
    /// begins anew.
    pub(super) fn set_optimizer_state(&mut self, state: &OptimizerState) -> Result<()> {
        if !state.is_of(&self.optimizer) {
            self.states.iter_mut().for_each(|state| state.fill(0.0));
            self.updates = 0;
            return Ok(());
        }
        self.updates = state.updates;
        let mut arenas = self.states.iter_mut().zip(&state.states);
        arenas.try_for_each(|(arena, (_, tensors))| self.layout.fill_trained(arena, tensors, self.network.name()))
    }

    /// Makes of gradients that passes have found, summed over the batch, those of the parameters.
    pub(super) fn settle(&mut self, team: &Team<'_>, isa: Isa, gradients: &mut [f32]) {
        if let Some(spectral) = &mut self.spectral {
            spectral.take_through(team, isa, &self.layout, gradients);
        }
    }

    /// One update by the optimizer, unless the last backward pass has done it; then the parameters are clipped, and what follows them does.
    /// The gradients are those of `samples` samples. `step` is what an error names.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] where a gradient or an updated parameter is not finite.
    pub(super) fn update(
        &mut self,
        team: &Team<'_>,
        isa: Isa,
        (gradients, samples): (&[f32], usize),
        step: u64,
    ) -> Result<()> {
        let finite = match self.updated.take() {
            Some(finite) => finite,
            None => self.update_apart(team, isa, gradients),
        };
        if !finite {
            return Err(self.not_finite(gradients, step));
        }
        if self.weight_clip > 0.0 {
            let most = self.weight_clip;
            team.for_each(Chunks::new(&mut self.parameters[..self.layout.trained()], UPDATE_CHUNK), |parameters| {
                clip_parameters(isa, most, parameters)
            });
        }
        statistics::follow(&self.spec, &self.layout, &mut self.parameters, (gradients, samples));
        if let Some(spectral) = &mut self.spectral {
            spectral.iterate(team, isa, &self.layout, &mut self.parameters);
        }
        if let Some(average) = &mut self.average {
            average.follow(team, isa, &self.parameters);
        }
        Ok(())
    }

    /// The update as a phase of its own. Returns whether all is finite.
    fn update_apart(&mut self, team: &Team<'_>, isa: Isa, gradients: &[f32]) -> bool {
        let update = self.next_update();
        let finite = AtomicBool::new(true);
        let chunks =
            ChunksOfEach::new(arenas(&mut self.parameters[..self.layout.trained()], &mut self.states), UPDATE_CHUNK);
        team.for_each(Enumerated(chunks), |(index, [parameters, mut states @ ..])| {
            let gradients = &gradients[index * UPDATE_CHUNK..][..parameters.len()];
            if !update.apply(isa, parameters, gradients, &mut states) {
                finite.store(false, Ordering::Relaxed);
            }
        });
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
    /// with. (Where the update stood in the backward pass, the gradients may not, but they have left their mark on the optimizer's states.)
    pub(super) fn not_finite_before(&self, gradients: &[f32]) -> Option<usize> {
        let is_finite =
            |index: usize| gradients[index].is_finite() && self.states.iter().all(|state| state[index].is_finite());
        self.layout.first_layer(|index| !self.parameters[index].is_finite() && is_finite(index))
    }

    /// The error that names where `gradients` or the parameters stopped being finite: the layer nearest the loss, from which it
    /// spread.
    fn not_finite(&self, gradients: &[f32], step: u64) -> Error {
        // A rule's last state tells of gradients that were too large (to be squared, in Adam), or are no longer there.
        let of_state = || self.states.last().and_then(|state| self.layout.last_not_finite(state));
        let (quantity, layer) = match self.layout.last_not_finite(gradients).or_else(of_state) {
            Some(layer) => (GRADIENT, layer),
            None => (PARAMETER, self.layout.last_not_finite(&self.parameters).unwrap_or(0)),
        };
        Error::NotFinite { step, network: self.network, layer, quantity }
    }
}

/// Bytes of what passes see of a network beside its parameters.
pub(super) fn spectral_bytes(spec: &NetworkSpec) -> u64 {
    SpectralWeights::bytes(spec, &ParameterLayout::new(spec))
}

/// The arenas that an update changes.
fn arenas<'a>(parameters: &'a mut [f32], states: &'a mut [AlignedBuffer]) -> Arenas<'a> {
    let mut arenas = Arenas::default();
    let all = std::iter::once(parameters).chain(states.iter_mut().map(|state| &mut **state));
    arenas.iter_mut().zip(all).for_each(|(arena, found)| *arena = found);
    arenas
}
