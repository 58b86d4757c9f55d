//! Both networks in training, and how a pass has them.

use std::ops::Deref;

use super::optimizer_state::OptimizerState;
use super::state::TrainedNetwork;
use crate::error::Result;
use crate::net::pass::{BackwardView, NetworkView};
use crate::network::Network;
use crate::parallel::Team;
use crate::simd::Isa;

/// Both networks.
#[derive(Debug)]
pub(super) struct Networks {
    /// `None` where the fakes come from outside.
    pub(super) generator: Option<TrainedNetwork>,
    pub(super) discriminator: TrainedNetwork,
}

impl Networks {
    /// One of them, if it is there.
    pub(super) fn get(&self, network: Network) -> Option<&TrainedNetwork> {
        match network {
            Network::Generator => self.generator.as_ref(),
            Network::Discriminator => Some(&self.discriminator),
        }
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, network: Network) -> Option<&mut TrainedNetwork> {
        match network {
            Network::Generator => self.generator.as_mut(),
            Network::Discriminator => Some(&mut self.discriminator),
        }
    }

    /// A turn of step `step` begins.
    pub(super) fn begin_turn(&mut self, step: u64) {
        self.generator.iter_mut().for_each(|network| network.begin_turn(step));
        self.discriminator.begin_turn(step);
    }

    /// Makes of gradients that passes have found those of the parameters.
    pub(super) fn settle(&mut self, team: &Team<'_>, isa: Isa, network: Network, gradients: &mut [f32]) {
        if let Some(network) = self.get_mut(network) {
            network.settle(team, isa, gradients);
        }
    }

    /// A copy of what the optimizers remember, G's first.
    pub(super) fn optimizer_states(&self) -> Result<[OptimizerState; 2]> {
        let state = |network| self.get(network).map_or(Ok(OptimizerState::default()), TrainedNetwork::optimizer_state);
        Ok([state(Network::Generator)?, state(Network::Discriminator)?])
    }

    /// Checks that `states` are those of these networks.
    pub(super) fn check_optimizer_states(&self, [generator, discriminator]: &[OptimizerState; 2]) -> Result<()> {
        self.generator.as_ref().map_or(Ok(()), |network| network.check_optimizer_state(generator))?;
        self.discriminator.check_optimizer_state(discriminator)
    }

    /// Replaces what the optimizers remember.
    pub(super) fn set_optimizer_states(&mut self, [generator, discriminator]: &[OptimizerState; 2]) -> Result<()> {
        self.generator.as_mut().map_or(Ok(()), |network| network.set_optimizer_state(generator))?;
        self.discriminator.set_optimizer_state(discriminator)
    }

    /// One of them as it is sampled from.
    pub(super) fn sampled_view(&self, network: Network) -> NetworkView<'_> {
        self.get(network).expect("a program's networks are there").sampled_view()
    }

    /// One of them with its own parameters.
    pub(super) fn parameters_view(&self, network: Network) -> NetworkView<'_> {
        self.get(network).expect("a program's networks are there").parameters_view()
    }

    /// One of them as a pass of a turn reads it.
    pub(super) fn view(&self, network: Network) -> NetworkView<'_> {
        self.get(network).expect("a program's networks are there").view()
    }
}

/// What a pass has of the networks.
pub(super) enum Lent<'a, T> {
    /// They are read.
    Shared(&'a T),
    /// The pass is alone and the last before the updates.
    Last(&'a mut T),
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Shared(all) => all,
            Self::Last(all) => all,
        }
    }
}

impl Lent<'_, Networks> {
    /// A network for a backward pass. `update`: the last such pass before an update does that in passing.
    pub(super) fn for_backward(&mut self, network: Network, update: bool) -> BackwardView<'_> {
        match self {
            Self::Last(networks) => {
                if update {
                    networks.get_mut(network).expect("a program's networks are there").updating_view()
                } else {
                    networks.view(network).into()
                }
            }
            Self::Shared(networks) => networks.view(network).into(),
        }
    }
}
