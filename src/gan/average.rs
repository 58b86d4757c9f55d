//! The exponential moving average of G's parameters (EMA): what is sampled from where the specification asks for it.
//!
//! `average = decay * average + (1 - decay) * parameters` after each update of G, from a copy of the initial parameters on. Training
//! never reads it: the parameters in training, the *raw* ones, have the same bits with and without it.

use super::spec::GanSpec;
use crate::error::Result;
use crate::kernel::average;
use crate::memory::AlignedBuffer;
use crate::net::parameters::ParameterLayout;
use crate::parallel::{Chunks, Enumerated, Team};
use crate::simd::Isa;

/// Parameters that one task takes: 32 KiB of each arena.
const CHUNK: usize = 8 * 1024;

/// An average of a network's parameters.
#[derive(Debug)]
pub(super) struct Average {
    decay: f32,
    /// Laid out like the parameters.
    arena: AlignedBuffer,
}

impl Average {
    /// An average that begins with these parameters.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn new(decay: f32, parameters: &[f32]) -> Result<Self> {
        let mut average = Self { decay, arena: AlignedBuffer::zeroed(parameters.len())? };
        average.restart(parameters);
        Ok(average)
    }

    /// Begins anew with these parameters.
    pub(super) fn restart(&mut self, parameters: &[f32]) {
        self.arena.copy_from_slice(parameters);
    }

    /// Follows the parameters after an update of theirs.
    pub(super) fn follow(&mut self, team: &Team<'_>, isa: Isa, parameters: &[f32]) {
        let decay = self.decay;
        team.for_each(Enumerated(Chunks::new(&mut self.arena, CHUNK)), |(index, arena)| {
            average::follow(isa, decay, arena, &parameters[index * CHUNK..][..arena.len()]);
        });
    }

    /// The averages.
    pub(super) fn arena(&self) -> &[f32] {
        &self.arena
    }

    /// The same, to be replaced.
    pub(super) fn arena_mut(&mut self) -> &mut [f32] {
        &mut self.arena
    }

    /// Bytes that a trainer of `spec` takes for it.
    pub(super) fn bytes(spec: &GanSpec) -> u64 {
        if spec.ema_decay == 0.0 {
            return 0;
        }
        (ParameterLayout::new(&spec.generator).len() as u64).saturating_mul(size_of::<f32>() as u64)
    }
}
