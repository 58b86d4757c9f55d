//! Model files: both networks in safetensors, the layers numbered one after another (`generator.0.weight`, shape [out, in]).
//!
//! PyTorch numbers the modules of an `nn.Sequential`, activations among them: [`state_dict`](super::weights::state_dict) writes
//! those names.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::SafeTensors;

use super::names::{AVERAGE, GENERATOR, WEIGHT};
use super::optimizer_state::{is_state, suffix};
use super::seal::verified_state;
use super::spec::GanSpec;
use super::tensors;
use crate::error::{Error, Result};
use crate::file;
use crate::kernel::optimizer::MOST_STATES;
use crate::net::LayerTensors;
use crate::net::parameters::ParameterLayout;
use crate::network::Network;

/// Both networks' parameters.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// G, layer by layer.
    pub generator: Vec<LayerTensors>,
    /// D, layer by layer.
    pub discriminator: Vec<LayerTensors>,
}

impl Model {
    /// The parameters of both networks, layer by layer.
    pub fn new(generator: Vec<LayerTensors>, discriminator: Vec<LayerTensors>) -> Self {
        Self { generator, discriminator }
    }

    /// The tensors of a network.
    pub fn network(&self, network: Network) -> &[LayerTensors] {
        match network {
            Network::Generator => &self.generator,
            Network::Discriminator => &self.discriminator,
        }
    }

    /// Checks that the tensors are those of `spec`.
    pub(super) fn check(&self, spec: &GanSpec) -> Result<()> {
        for network in Network::ALL {
            spec.network(network).validate(network.name())?;
            ParameterLayout::new(spec.network(network)).check(self.network(network), network.name())?;
        }
        Ok(())
    }

    /// Checks that all weights and biases are finite.
    ///
    /// # Errors
    ///
    /// [`Error::ModelNotFinite`] that names the first tensor with a value that is not.
    pub fn check_finite(&self) -> Result<()> {
        Network::ALL.into_iter().try_for_each(|network| tensors::check_finite(network, self.network(network)))
    }

    /// The model as the bytes of a safetensors file. Values that are not finite are written as they are: what a failed run left
    /// may be looked at.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where `spec` is not valid; [`Error::Shape`] where a tensor's length does not fit it;
    /// [`Error::Data`] for so many layers that a reader would refuse the file; [`Error::OutOfMemory`].
    pub fn to_safetensors(&self, spec: &GanSpec) -> Result<Vec<u8>> {
        self.check(spec)?;
        let named: Vec<_> = Network::ALL
            .into_iter()
            .flat_map(|network| tensors::named(network.name(), spec.network(network), self.network(network), ""))
            .collect();
        tensors::serialize(&named, BTreeMap::new())
    }

    /// The model in the bytes of a safetensors file, which may be a [checkpoint](super::Checkpoint) too (then G has the averages of its
    /// parameters, where they are kept); names, shapes and types
    /// must be those of `spec`. `origin` (a path) opens error messages.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] that says what does not fit.
    pub fn from_safetensors(bytes: &[u8], spec: &GanSpec, origin: &str) -> Result<Self> {
        let file = tensors::deserialize(bytes, origin)?;
        verified_state(bytes, &file, origin)?;
        Self::from_tensors(&file, spec, origin)
    }

    /// The same from the tensors of a file.
    pub(super) fn from_tensors(file: &SafeTensors<'_>, spec: &GanSpec, origin: &str) -> Result<Self> {
        let layers = |network: Network, suffix: &str| {
            tensors::layers(file, network.name(), spec.network(network), suffix, origin)
        };
        let of_generator = if Self::has_averages(file) { suffix(AVERAGE) } else { String::new() };
        let generator = layers(Network::Generator, &of_generator)?;
        let model = Self { generator, discriminator: layers(Network::Discriminator, "")? };
        let expected = 2 * (model.generator.len() + model.discriminator.len());
        let found = file.names().into_iter().filter(|name| !is_state(name)).count();
        if found != expected {
            let problem = format!("holds {} more tensors than the {expected} of the configuration", found - expected);
            return Err(Error::data(origin, problem));
        }
        Ok(model)
    }

    /// Whether a file has the averages of G's parameters beside these.
    pub(super) fn has_averages(file: &SafeTensors<'_>) -> bool {
        file.tensor(&format!("{GENERATOR}.0.{WEIGHT}{}", suffix(AVERAGE))).is_ok()
    }

    /// Writes a model file atomically: whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Self::to_safetensors`], and what the system reports.
    pub fn save(&self, spec: &GanSpec, path: &Path) -> Result<()> {
        tensors::write_file(path, &self.to_safetensors(spec)?)
    }

    /// Reads a model file, or the model of a checkpoint.
    ///
    /// # Errors
    ///
    /// As [`Self::from_safetensors`], and what the system reports. A file much larger than a checkpoint is not read.
    pub fn load(spec: &GanSpec, path: &Path) -> Result<Self> {
        Self::from_safetensors(&file::read(path, Self::largest_file(spec))?, spec, &path.display().to_string())
    }

    /// Bytes of the largest file that a run of `spec` writes: parameters with the states of their optimizer and averages, and the header.
    pub(crate) fn largest_file(spec: &GanSpec) -> u64 {
        let parameters = |network| ParameterLayout::new(network).len() as u64;
        let parameters = parameters(&spec.generator).saturating_add(parameters(&spec.discriminator));
        parameters.saturating_mul(((2 + MOST_STATES) * size_of::<f32>()) as u64).saturating_add(tensors::MOST_HEADER)
    }
}
