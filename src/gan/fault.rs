//! A number that is not finite, and where on the way it is met first.

use super::names::{ACTIVATION, GENERATED_SAMPLE, LATENT, LOGIT, REAL_SAMPLE};
use crate::error::Error;
use crate::net::pass::Trace;
use crate::net::tape::Tape;
use crate::network::Network;

/// The latest forward pass of a network that stands on the tape, and its lanes. Fakes from outside count as G's.
pub(super) type Latest<'a> = Option<(&'a Trace, usize)>;

/// Something that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) network: Network,
    pub(super) layer: usize,
    pub(super) quantity: &'static str,
}

impl Fault {
    /// What the forward passes left that is not finite, before D's logits.
    pub(super) fn of_activations(tape: &Tape, latest: [Latest<'_>; 2]) -> Option<Self> {
        let fault = |network, layer, quantity| Some(Self { network, layer, quantity });
        let first_not_finite = |network| {
            let (trace, lanes) = latest[network as usize]?;
            Some((trace, trace.first_not_finite(tape, lanes)?))
        };
        match first_not_finite(Network::Generator) {
            Some((trace, 0)) if trace.layers() == 0 => return fault(Network::Discriminator, 0, GENERATED_SAMPLE),
            Some((_, 0)) => return fault(Network::Generator, 0, LATENT),
            Some((_, value)) => return fault(Network::Generator, value - 1, ACTIVATION),
            None => (),
        }
        match first_not_finite(Network::Discriminator) {
            // The fakes, which stand beside them, are finite.
            Some((_, 0)) => fault(Network::Discriminator, 0, REAL_SAMPLE),
            // The logits' place may hold ratios by now.
            Some((trace, value)) if value < trace.layers() => fault(Network::Discriminator, value - 1, ACTIVATION),
            _ => None,
        }
    }

    /// The cause of logits that are not finite, while the pass that made them still stands on the tape.
    pub(super) fn of_logits(tape: &Tape, latest: [Latest<'_>; 2]) -> Self {
        let layers = latest[Network::Discriminator as usize].map_or(0, |(trace, _)| trace.layers());
        let logit = Self { network: Network::Discriminator, layer: layers.saturating_sub(1), quantity: LOGIT };
        Self::of_activations(tape, latest).unwrap_or(logit)
    }

    /// The fault that an error tells of.
    pub(super) fn of_error(error: &Error) -> Option<Self> {
        match *error {
            Error::NotFinite { network, layer, quantity, .. } => Some(Self { network, layer, quantity }),
            _ => None,
        }
    }

    pub(super) fn error(self, step: u64) -> Error {
        let Self { network, layer, quantity } = self;
        Error::NotFinite { step, network, layer, quantity }
    }
}
