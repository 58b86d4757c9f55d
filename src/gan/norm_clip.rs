//! Gradient clipping by norm (Pascanu et al., "On the difficulty of training recurrent neural networks", 2013), in PyTorch's form.

use super::spec::GanSpec;
use crate::error::Result;
use crate::kernel::reduce::square_sum;
use crate::memory;
use crate::net::parameters::ParameterLayout;
use crate::network::Network;
use crate::parallel::{Chunks, Elements, Enumerated, Team};

/// Gradients whose squares one task adds up, 32 KiB. It is part of the fixed order of the sum.
const CHUNK: usize = 8 * 1024;

/// PyTorch adds this to the norm that it divides by.
const EPSILON: f64 = 1e-6;

/// The sum of squares of chunk `index` of `gradients`.
fn chunk_sum(gradients: &[f32], index: usize) -> f64 {
    let rest = &gradients[index * CHUNK..];
    square_sum(&rest[..rest.len().min(CHUNK)])
}

/// The norm of the gradients of a network: by one thread, with the bits that a team gives.
pub(super) fn norm(gradients: &[f32]) -> f64 {
    (0..gradients.len().div_ceil(CHUNK)).map(|index| chunk_sum(gradients, index)).sum::<f64>().sqrt()
}

/// What gradients of this `norm` are multiplied by, so that it is at most `most`; `None` where they stay, as they do where it is not
/// finite: the update then says where that began.
pub(super) fn factor(most: f64, norm: f64) -> Option<f32> {
    let factor = most / (norm + EPSILON);
    (norm.is_finite() && factor < 1.0).then_some(factor as f32)
}

/// What clips the gradients of each network before its update: all are multiplied by `most / (norm + 1e-6)` where that is below 1. `norm`
/// is the root of the sum of squares over all parameters of the network, a sum in f64 whose order the number of parameters alone fixes.
#[derive(Debug, Default)]
pub(super) struct NormClip {
    /// The norms at most, of G and D; 0 = any.
    most: [f32; 2],
    /// Room for the sum of each chunk.
    sums: Vec<f64>,
}

/// Chunks of the gradients of the largest network that is clipped.
fn chunks(spec: &GanSpec) -> usize {
    let clipped = Network::ALL.into_iter().filter(|network| spec.clip_norm(*network) > 0.0);
    clipped.map(|network| ParameterLayout::new(spec.network(network)).trained().div_ceil(CHUNK)).max().unwrap_or(0)
}

impl NormClip {
    /// What `spec` asks for.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn new(spec: &GanSpec) -> Result<Self> {
        let most = Network::ALL.map(|network| spec.clip_norm(network));
        Ok(Self { most, sums: memory::filled(chunks(spec), 0.0)? })
    }

    /// Bytes that it takes.
    pub(super) fn bytes(spec: &GanSpec) -> u64 {
        (chunks(spec) as u64).saturating_mul(size_of::<f64>() as u64)
    }

    /// Clips the gradients of `network`, unless it is not to be.
    pub(super) fn clip(&mut self, team: &Team<'_>, network: Network, gradients: &mut [f32]) {
        let most = self.most[network as usize];
        if most == 0.0 {
            return;
        }
        let sums = &mut self.sums[..gradients.len().div_ceil(CHUNK)];
        team.for_each(Enumerated(Elements::new(sums)), |(index, sum)| {
            *sum = chunk_sum(gradients, index);
        });
        if let Some(factor) = factor(most.into(), sums.iter().sum::<f64>().sqrt()) {
            team.for_each(Chunks::new(gradients, CHUNK), |gradients| {
                gradients.iter_mut().for_each(|gradient| *gradient *= factor);
            });
        }
    }
}
