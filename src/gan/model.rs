//! Model files: both networks in safetensors, the layers numbered one after another (`generator.0.weight`, shape [out, in]).
//!
//! PyTorch numbers the modules of an `nn.Sequential`, activations among them: [`state_dict`](super::weights::state_dict) writes
//! those names.

use std::cmp::Ordering;
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
        let tensors = |layer: &LayerTensors| 2 + layer.buffers.len();
        let expected: usize = model.generator.iter().chain(&model.discriminator).map(tensors).sum();
        // With averages, those of G in training are not read here, so that some of them may be missing.
        let found = file.names().into_iter().filter(|name| !is_state(name)).count();
        let differs = |by: usize, how: &str| {
            Err(Error::data(origin, format!("holds {by} {how} tensors than the {expected} of the configuration")))
        };
        match found.cmp(&expected) {
            Ordering::Less => differs(expected - found, "fewer"),
            Ordering::Equal => Ok(model),
            Ordering::Greater => differs(found - expected, "more"),
        }
    }

    /// Whether a file has the averages of G's parameters beside these.
    pub(super) fn has_averages(file: &SafeTensors<'_>) -> bool {
        let first = format!("{GENERATOR}.0.{WEIGHT}");
        [suffix(AVERAGE), String::new()].iter().all(|end| file.tensor(&format!("{first}{end}")).is_ok())
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

    /// Bytes of the largest file that a run of `spec` writes: parameters with the states of their optimizer and averages, the header, and
    /// long notes.
    pub(crate) fn largest_file(spec: &GanSpec) -> u64 {
        let parameters = |network| ParameterLayout::new(network).len() as u64;
        let parameters = parameters(&spec.generator).saturating_add(parameters(&spec.discriminator));
        let values = parameters.saturating_mul(((2 + MOST_STATES) * size_of::<f32>()) as u64);
        values.saturating_add(tensors::MOST_HEADER + tensors::MOST_TEXTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Activation, NetworkSpec};

    /// What comes of a file that holds one number everywhere: 1 in G's averages, 0 in the parameters in training.
    fn read(names: impl IntoIterator<Item = (String, Vec<usize>)>, spec: &GanSpec) -> Result<Model> {
        let (zeros, ones) = ([0.0; 16], [1.0; 16]);
        let tensors: Vec<_> = names
            .into_iter()
            .map(|(name, shape)| {
                let values = if name.ends_with(AVERAGE) { &ones } else { &zeros };
                let count = shape.iter().product();
                (name, shape, &values[..count])
            })
            .collect();
        Model::from_safetensors(&tensors::serialize(&tensors, BTreeMap::new()).unwrap(), spec, "it")
    }

    #[test]
    fn averages_stand_beside_all_parameters_in_training() {
        let network = |widths: &[usize]| NetworkSpec::dense(widths, Activation::Relu, 0.0, Activation::Linear);
        let spec = GanSpec::new(network(&[2, 3, 2]), network(&[2, 4, 1]));
        let names = |network: Network, suffix: &'static str| {
            let layers = spec.network(network).layers.iter().enumerate();
            layers.flat_map(move |(index, layer)| {
                let name = |kind| format!("{}.{index}.{kind}{suffix}", network.name());
                [(name("weight"), vec![layer.outputs, layer.inputs]), (name("bias"), vec![layer.outputs])]
            })
        };
        let discriminator: Vec<_> = names(Network::Discriminator, "").collect();
        let averages: Vec<_> = names(Network::Generator, ".ema").collect();
        let raw: Vec<_> = names(Network::Generator, "").collect();
        let whole = || discriminator.iter().chain(&averages).chain(&raw).cloned();
        let first = |model: Model| model.generator[0].weight[0];
        assert_eq!(first(read(whole(), &spec).unwrap()), 1.0);
        assert_eq!(first(read(discriminator.iter().chain(&raw).cloned(), &spec).unwrap()), 0.0);
        let surplus = ("generator.2.weight".to_string(), vec![2, 2]);
        for (names, problem) in [
            (discriminator.iter().chain(&averages).cloned().collect(), "the tensor generator.0.weight is missing"),
            (whole().filter(|(name, _)| name != "generator.0.weight").collect(), "generator.0.weight is missing"),
            (
                whole().filter(|(name, _)| !name.starts_with("generator.1.") || name.ends_with("ema")).collect(),
                "holds 2 fewer tensors than the 8 of the configuration",
            ),
            (
                whole().chain([surplus.clone()]).collect::<Vec<_>>(),
                "holds 1 more tensors than the 8 of the configuration",
            ),
        ] {
            let found = read(names, &spec).unwrap_err().to_string();
            assert!(found.contains(problem), "`{problem}` is not in `{found}`");
        }
    }
}
