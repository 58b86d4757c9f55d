//! The names of networks, tensors and quantities, as files and errors have them.

use crate::network::Network;
use crate::tensor_name::Role;

pub(super) const GENERATOR: &str = Network::Generator.name();
pub(super) const DISCRIMINATOR: &str = Network::Discriminator.name();

/// The tensors of a layer.
pub(super) const WEIGHT: &str = Role::Weight.name();
pub(super) const BIAS: &str = Role::Bias.name();

/// What a normalization keeps beside them.
pub(super) const BUFFER: &str = "buffer";

/// What the names of the averages of G's parameters end in: `generator.0.weight.ema`.
pub(super) const AVERAGE: &str = "ema";

/// What the names of notes that are tensors begin with. It sorts behind those of both networks.
pub(super) const NOTE: &str = "note.";

/// Quantities of a pass. [`Error::NotFinite`](crate::error::Error::NotFinite) says what helps for each.
pub(super) const REAL_SAMPLE: &str = "real sample";
pub(super) const GENERATED_SAMPLE: &str = "generated sample";
pub(super) const LATENT: &str = "latent";
pub(super) const ACTIVATION: &str = "activation";
pub(super) const LOGIT: &str = "logit";
pub(super) const GRADIENT: &str = "gradient";
pub(super) const INPUT_GRADIENT: &str = "gradient with respect to the samples";
pub(super) const PARAMETER: &str = "parameter";

/// All of them: what one process tells another is a place in this list.
pub(super) const QUANTITIES: [&str; 8] =
    [REAL_SAMPLE, GENERATED_SAMPLE, LATENT, ACTIVATION, LOGIT, GRADIENT, INPUT_GRADIENT, PARAMETER];
