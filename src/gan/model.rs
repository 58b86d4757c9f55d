//! Model files: both networks in safetensors, named as a PyTorch `state_dict` (`generator.0.weight`, shape [out, in]).

use std::path::Path;

use super::spec::GanSpec;
use crate::error::Result;

/// The weights and biases of one network: for each layer `(weight [outputs, inputs] row-major, bias [outputs])`.
pub type LayerTensors = Vec<(Vec<f32>, Vec<f32>)>;

/// Both networks' parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// G.
    pub generator: LayerTensors,
    /// D.
    pub discriminator: LayerTensors,
}

impl Model {
    /// The model as the bytes of a safetensors file.
    ///
    /// # Errors
    ///
    /// A tensor whose length does not fit `spec`.
    pub fn to_safetensors(&self, _spec: &GanSpec) -> Result<Vec<u8>> {
        todo!()
    }

    /// The model in the bytes of a safetensors file; names, shapes and types must be those of `spec`. `origin` (a path) opens
    /// error messages.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Data`] that says what does not fit.
    pub fn from_safetensors(_bytes: &[u8], _spec: &GanSpec, _origin: &str) -> Result<Self> {
        todo!()
    }

    /// Writes a model file atomically: whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Self::to_safetensors`], and what the system reports.
    pub fn save(&self, _spec: &GanSpec, _path: &Path) -> Result<()> {
        todo!()
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// As [`Self::from_safetensors`], and what the system reports.
    pub fn load(_spec: &GanSpec, _path: &Path) -> Result<Self> {
        todo!()
    }

    /// Samples of G without training: `count` rows of `spec.features()`, row-major. Latents depend on `seed` and the row
    /// alone: the first rows of a larger count are the same.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses; a model that does not fit `spec`.
    pub fn sample(&self, _spec: &GanSpec, _count: usize, _seed: u64, _isa: crate::simd::Isa) -> Result<Vec<f32>> {
        todo!()
    }
}
