//! Why a trainer takes no more steps: the last one failed halfway, so what it left must not be trained on.

use crate::error::{Error, Result};
use crate::network::Network;

/// The failure of a step that came to no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It met something that is not finite: the fields of [`Error::NotFinite`].
    NotFinite { step: u64, network: Network, layer: usize, quantity: &'static str },
    /// A panic left it; `whole`: before it changed the networks.
    Panic { step: u64, whole: bool },
}

impl Failure {
    /// The failure that the outcome of a step tells of.
    pub(super) fn of<T>(outcome: &Result<T>) -> Option<Self> {
        match *outcome {
            Err(Error::NotFinite { step, network, layer, quantity }) => {
                Some(Self::NotFinite { step, network, layer, quantity })
            }
            _ => None,
        }
    }

    /// The error of everything that a whole state is needed for.
    pub(super) fn error(self) -> Error {
        match self {
            Self::NotFinite { step, network, layer, quantity } => Error::NotFinite { step, network, layer, quantity },
            Self::Panic { step, whole: true } => Error::Poisoned { step },
            Self::Panic { step, whole: false } => Error::HalfDone { step },
        }
    }

    /// Whether the networks are those of before the step.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Panic { whole: true, .. })
    }
}

/// Refuses a step after a failure.
///
/// # Errors
///
/// The failure's.
pub(super) fn check_none(failure: Option<Failure>) -> Result<()> {
    failure.map_or(Ok(()), |failure| Err(failure.error()))
}

/// Refuses what needs a whole state after a failure.
///
/// # Errors
///
/// The failure's.
pub(super) fn check_whole(failure: Option<Failure>) -> Result<()> {
    check_none(failure.filter(|failure| !failure.is_whole()))
}
