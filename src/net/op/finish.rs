//! What follows the normalization of a layer: biases, activation and dropout.

use super::{Pointwise, TangentPlaces, Updated};
use crate::kernel::activation::forward_epilogue;
use crate::kernel::dropout::Dropout;
use crate::kernel::penalty::weighted_row_sums;
use crate::kernel::reduce::row_sums;
use crate::net::panels::{Factors, Part, PassContext};
use crate::net::parameters::LayerPlace;
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, Value};
use crate::simd::Isa;

/// The end of a normalized layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a> {
    /// The layer's number in the network.
    pub(super) layer: usize,
    pub(super) spec: &'a LayerSpec,
    pub(super) place: &'a LayerPlace,
}

impl Finish<'_> {
    /// What it applies last of all.
    pub(super) fn pointwise(&self) -> Pointwise {
        Pointwise { activation: self.spec.activation, dropout: self.spec.dropout }
    }

    /// Values of a panel.
    pub(super) fn of_panel(&self, context: &PassContext<'_>) -> usize {
        self.spec.outputs * context.panels.width
    }

    /// Makes the layer's output of the normalized sums of a panel of `width` lanes, in place.
    pub(super) fn forward(
        &self,
        (isa, width): (Isa, usize),
        parts: &[Part<'_>],
        parameters: &[f32],
        panel: usize,
        values: &mut [f32],
    ) {
        let &LayerSpec { outputs, activation, dropout, .. } = self.spec;
        let biases = &parameters[self.place.bias.clone()];
        if dropout == 0.0 || parts.is_empty() {
            return forward_epilogue(isa, activation, biases, None, values, width);
        }
        let drawn = Part::all_of_layer(parts, (self.layer, outputs), panel, width);
        let drawn = Dropout { probability: dropout, first_feature: 0, parts: &drawn[..parts.len()] };
        forward_epilogue(isa, activation, biases, Some(&drawn), values, width);
    }

    /// The gradients of the biases from the `delta`, and their update if they are to be `updated`.
    pub(super) fn parameter_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        delta: Value,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let (isa, width) = (context.plan.isa, context.panels.width);
        let delta = tape.get(delta, context.panels.lanes());
        self.gradient(context, gradients, updated, |sums| {
            for (panel, delta) in delta.chunks_exact(self.of_panel(context)).enumerate() {
                row_sums(isa, delta, width, sums, accumulate || panel > 0);
            }
        });
    }

    /// The same in a double backward pass, where each sample has its factor.
    pub(super) fn tangent_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        TangentPlaces { delta, factors, .. }: TangentPlaces,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let (isa, panels) = (context.plan.isa, context.panels);
        let delta = tape.get(delta, panels.lanes());
        let factors = factors.map(|factors| Factors { values: tape.get(factors, panels.lanes()), panels });
        self.gradient(context, gradients, updated, |sums| match factors {
            Some(factors) => {
                for (panel, delta) in delta.chunks_exact(self.of_panel(context)).enumerate() {
                    weighted_row_sums(isa, delta, factors.of_panel(panel), sums, accumulate || panel > 0);
                }
            }
            None if accumulate => (),
            None => sums.fill(0.0),
        });
    }

    /// The gradients of the biases, which `sums` writes from the panels or adds, and their update if they are to be `updated`.
    fn gradient(
        &self,
        context: &PassContext<'_>,
        gradients: &mut [f32],
        updated: Option<&mut Updated<'_>>,
        sums: impl FnOnce(&mut [f32]),
    ) {
        let gradients = &mut gradients[self.place.bias.clone()];
        sums(gradients);
        let Some(Updated { update, arenas, finite }) = updated else { return };
        let mut biases = arenas.each_mut().map(|arena| arena.get_mut(self.place.bias.clone()).unwrap_or_default());
        let [biases, states @ ..] = &mut biases;
        **finite &= update.apply(context.plan.isa, biases, gradients, states);
    }
}
