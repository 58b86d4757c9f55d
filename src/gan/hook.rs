//! What a run lets its caller do between the gradients and the update.

use super::norm_clip;
use super::views::{self, TensorView, TensorViewMut};
use crate::error::{Error, Result};
use crate::net::parameters::ParameterLayout;
use crate::network::Network;

/// Looks at the gradients of a network and changes them, before the network is updated by them. An error ends the step.
pub type GradientHook<'a> = dyn FnMut(&mut Gradients<'_>) -> Result<()> + 'a;

/// The hook of a turn.
pub(super) type Hook<'a, 'b> = Option<&'a mut GradientHook<'b>>;

/// The gradients of a network's parameters over a whole batch, before the update.
#[derive(Debug)]
pub struct Gradients<'a> {
    step: u64,
    network: Network,
    layout: &'a ParameterLayout,
    arena: &'a mut [f32],
}

impl<'a> Gradients<'a> {
    pub(super) fn new(step: u64, network: Network, layout: &'a ParameterLayout, arena: &'a mut [f32]) -> Self {
        Self { step, network, layout, arena }
    }
}

impl Gradients<'_> {
    /// The step in progress, counted from 1.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The network.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The gradient of each tensor.
    pub fn tensors(&self) -> impl Iterator<Item = TensorView<'_>> {
        views::tensors(self.network, self.layout, self.arena)
    }

    /// The gradient of each tensor, to be changed.
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = TensorViewMut<'_>> {
        views::tensors_mut(self.network, self.layout, self.arena)
    }

    /// The Euclidean norm over all parameters of the network.
    pub fn norm(&self) -> f64 {
        // What stands between the rows of weights is 0.
        norm_clip::norm(&self.arena[..self.layout.trained()])
    }

    /// Multiplies all of them by `factor`.
    pub fn scale(&mut self, factor: f32) {
        // What stands between the rows of weights is 0, and stays it.
        self.tensors_mut().for_each(|mut tensor| tensor.rows_mut().flatten().for_each(|value| *value *= factor));
    }

    /// Scales them so that their norm is at most `most`, as PyTorch's `clip_grad_norm_` and
    /// [`GanSpec::generator_clip_norm`](super::GanSpec::generator_clip_norm) do, with the same bits: all are multiplied by
    /// `most / (norm + 1e-6)` where that is below 1. A `most` of 0 makes all of them 0; in the specification, 0 is no bound. A norm that is
    /// not finite is left as it is: the update then says where it began.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless `most` is a number from 0 on.
    pub fn clip_norm(&mut self, most: f64) -> Result<()> {
        if !(most >= 0.0) {
            return Err(Error::setting("clip_norm", format!("{most} is not a number from 0 on")));
        }
        if let Some(factor) = norm_clip::factor(most, self.norm()) {
            self.scale(factor);
        }
        Ok(())
    }
}
