//! Where a number that is not finite came from. The steps themselves only notice it, which costs them next to nothing:
//!
//! ```text
//! after a forward pass   the loss kernels see every logit; one that is not finite is looked into at once, while the activations
//!                        still stand, and the pass goes no further: parameters stay as they are
//! after an update        the optimizer's kernels see every gradient and every parameter
//! ```
//!
//! What is named is the earliest place on the way of the numbers: the data, G's layers, D's layers, the logits; behind them the
//! gradients, from the layer nearest the loss on, because what is not finite spreads from there; last the parameters.
//!
//! Parameters that were not finite before the step come before all of these: an infinite weight behind a tanh makes finite
//! activations, and shows in the gradient of some other layer. After an update they are told from those that the update itself
//! spoiled by their gradients and moments, which are finite. (Where these are not, because the layer's inputs hold zeros, its
//! activations are not either, and name the same layer.)

use super::names::{ACTIVATION, DISCRIMINATOR, GENERATED_SAMPLE, GENERATOR, LATENT, LOGIT, PARAMETER, REAL_SAMPLE};
use super::state::TrainedNetwork;
use super::step::Reals;
use super::workspace::{Scratch, Workspace};
use crate::error::{Error, Result};
use crate::simd::{Isa, LANE_GROUP};

/// Something that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    network: &'static str,
    layer: usize,
    quantity: &'static str,
}

impl Fault {
    /// What a forward pass left that is not finite, before D's logits.
    fn of_activations(scratch: &Scratch) -> Option<Self> {
        let Scratch { generator, discriminator, .. } = scratch;
        let fault = |network, layer, quantity| Some(Self { network, layer, quantity });
        match generator.first_not_finite() {
            Some(0) if generator.layers() == 0 => return fault(DISCRIMINATOR, 0, GENERATED_SAMPLE),
            Some(0) => return fault(GENERATOR, 0, LATENT),
            Some(region) => return fault(GENERATOR, region - 1, ACTIVATION),
            None => (),
        }
        match discriminator.first_not_finite() {
            // The fakes, which stand beside them, are finite.
            Some(0) => fault(DISCRIMINATOR, 0, REAL_SAMPLE),
            // The logits' place may hold ratios by now.
            Some(region) if region < discriminator.layers() => fault(DISCRIMINATOR, region - 1, ACTIVATION),
            _ => None,
        }
    }

    /// The cause of logits that are not finite, while the pass that made them still stands in `scratch`.
    pub(super) fn of_logits(scratch: &Scratch) -> Self {
        let last = scratch.discriminator.layers().saturating_sub(1);
        Self::of_activations(scratch).unwrap_or(Self { network: DISCRIMINATOR, layer: last, quantity: LOGIT })
    }

    fn error(self, step: u64) -> Error {
        let Self { network, layer, quantity } = self;
        Error::NotFinite { step, network, layer, quantity }
    }
}

/// What the passes of `step` noticed. Parameters have not been updated since: the first layer on the way whose own are not finite
/// is named for them.
///
/// # Errors
///
/// [`Error::NotFinite`].
pub(super) fn check_passes(
    workspace: &Workspace,
    generator: Option<&TrainedNetwork>,
    discriminator: &TrainedNetwork,
    step: u64,
) -> Result<()> {
    let Some(mut fault) = workspace.fault() else { return Ok(()) };
    if [ACTIVATION, LOGIT].contains(&fault.quantity) {
        let of_generator = generator.and_then(TrainedNetwork::first_not_finite).map(|layer| (GENERATOR, layer));
        let of_discriminator = || discriminator.first_not_finite().map(|layer| (DISCRIMINATOR, layer));
        if let Some((network, layer)) = of_generator.or_else(of_discriminator)
            && (network == GENERATOR || network == fault.network && layer <= fault.layer)
        {
            fault = Fault { network, layer, quantity: PARAMETER };
        }
    }
    Err(fault.error(step))
}

/// The outcome of a network's update, with an earlier cause where one can still be found: a parameter of either network that was
/// not finite before; among the real samples of D's update; or an activation beyond the largest number, whose way to the logits a
/// ReLU cut off. Of a batch of several chunks the last ones' activations stand in the workspace.
///
/// # Errors
///
/// [`Error::NotFinite`], where `updated` is.
pub(super) fn check_update(
    workspace: &mut Workspace,
    isa: Isa,
    [generator, discriminator]: [Option<&TrainedNetwork>; 2],
    reals: Option<Reals<'_>>,
    updated: Result<()>,
) -> Result<()> {
    let Err(Error::NotFinite { step, network: of, .. }) = updated else { return updated };
    let slot = workspace.combined();
    let broken = |name, network: Option<&TrainedNetwork>, gradients| {
        let layer = network.and_then(|network| match of == name || network.is_updated() {
            true => network.not_finite_before(gradients),
            false => network.first_not_finite(),
        });
        layer.map(|layer| Fault { network: name, layer, quantity: PARAMETER })
    };
    let of_parameters = broken(GENERATOR, generator, &slot.generator)
        .or_else(|| broken(DISCRIMINATOR, discriminator, &slot.discriminator));
    if let Some(fault) = of_parameters {
        return Err(fault.error(step));
    }
    let scratches = workspace.scratches_mut();
    let of_activations = scratches.iter().find_map(Fault::of_activations);
    let of_reals = || {
        let finite =
            reals.is_none_or(|reals| scratches.first_mut().is_none_or(|scratch| are_finite(reals, isa, scratch)));
        (!finite).then_some(Fault { network: DISCRIMINATOR, layer: 0, quantity: REAL_SAMPLE })
    };
    match of_activations.or_else(of_reals) {
        Some(fault) => Err(fault.error(step)),
        None => updated,
    }
}

/// Whether real samples are finite. The scratch is where they are gathered.
fn are_finite(reals: Reals<'_>, isa: Isa, scratch: &mut Scratch) -> bool {
    let all_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    match reals {
        Reals::Given(values) => all_finite(values),
        Reals::Rows(source, rows) => rows.chunks(LANE_GROUP).all(|rows| {
            let panel = scratch.discriminator.input_mut(source.features() * LANE_GROUP);
            source.gather(isa, rows, panel, LANE_GROUP);
            all_finite(panel)
        }),
    }
}

#[cfg(test)]
mod tests;
