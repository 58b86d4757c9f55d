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

use super::fault::Fault;
use super::names::{ACTIVATION, LOGIT, PARAMETER, REAL_SAMPLE};
use super::networks::Networks;
use super::program::{Program, Reals};
use super::state::TrainedNetwork;
use super::workspace::{Scratch, Workspace};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::simd::{Isa, LANE_GROUP};

/// What the passes noticed. Parameters have not been updated since: the first layer on the way whose own are not finite is named for them.
pub(super) fn of_passes(workspace: &Workspace, networks: &Networks) -> Option<Fault> {
    let mut fault = workspace.fault()?;
    if [ACTIVATION, LOGIT].contains(&fault.quantity) {
        let first = |which: Network| Some((which, networks.get(which)?.first_not_finite()?));
        if let Some((network, layer)) = first(Network::Generator).or_else(|| first(Network::Discriminator))
            && (network == Network::Generator || network == fault.network && layer <= fault.layer)
        {
            fault = Fault { network, layer, quantity: PARAMETER };
        }
    }
    Some(fault)
}

/// The fakes of a whole batch, which go outside before any D sees them.
///
/// # Errors
///
/// [`Error::NotFinite`], which names where it began if the last chunks still show it, else G's last layer.
pub(super) fn check_fakes(
    workspace: &Workspace,
    program: &Program,
    networks: &Networks,
    fakes: &[f32],
    step: u64,
) -> Result<()> {
    if fakes.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let generator = networks.get(Network::Generator);
    if let Some(layer) = generator.and_then(TrainedNetwork::first_not_finite) {
        return Err(Fault { network: Network::Generator, layer, quantity: PARAMETER }.error(step));
    }
    let last = generator.map_or(0, |network| network.spec.layers.len().saturating_sub(1));
    let of_fakes = || Fault { network: Network::Generator, layer: last, quantity: ACTIVATION };
    let mut scratches = workspace.scratches().iter();
    let found = scratches.find_map(|scratch| {
        let [generator, _] = program.latest(scratch);
        Fault::of_activations(&scratch.tape, [generator, None])
    });
    Err(found.unwrap_or_else(of_fakes).error(step))
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
    program: &Program,
    isa: Isa,
    networks: &Networks,
    (of, reals): (Network, Reals<'_>),
    updated: Result<()>,
) -> Result<()> {
    let Err(Error::NotFinite { step, .. }) = updated else { return updated };
    let slot = workspace.combined();
    let broken = |which: Network| {
        let network = networks.get(which)?;
        let layer = match which == of || network.is_updated() {
            true => network.not_finite_before(&slot.gradients[which as usize]),
            false => network.first_not_finite(),
        };
        layer.map(|layer| Fault { network: which, layer, quantity: PARAMETER })
    };
    if let Some(fault) = broken(Network::Generator).or_else(|| broken(Network::Discriminator)) {
        return Err(fault.error(step));
    }
    let scratches = workspace.scratches_mut();
    let of_activations =
        scratches.iter().find_map(|scratch| Fault::of_activations(&scratch.tape, program.latest(scratch)));
    let of_reals = || {
        let read = of == Network::Discriminator;
        let finite = !read || scratches.first_mut().is_none_or(|scratch| are_finite(reals, isa, program, scratch));
        (!finite).then_some(Fault { network: Network::Discriminator, layer: 0, quantity: REAL_SAMPLE })
    };
    match of_activations.or_else(of_reals) {
        Some(fault) => Err(fault.error(step)),
        None => updated,
    }
}

/// Whether real samples are finite. They are gathered where D's input stands in the scratch.
fn are_finite(reals: Reals<'_>, isa: Isa, program: &Program, scratch: &mut Scratch) -> bool {
    let all_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    match reals {
        Reals::Given(values) => all_finite(values),
        Reals::Rows(memory, rows) => {
            let [_, Some((trace, _))] = program.latest(scratch) else { return true };
            let panel = scratch.tape.get_mut(trace.input(), LANE_GROUP);
            rows.chunks(LANE_GROUP).all(|rows| {
                // Of a pack there is room for the first.
                let panel = &mut panel[..memory.features() * LANE_GROUP];
                memory.gather(isa, rows, panel, LANE_GROUP);
                all_finite(panel)
            })
        }
    }
}

#[cfg(test)]
mod tests;
