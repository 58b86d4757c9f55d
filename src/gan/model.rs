//! Model files: both networks in safetensors, the layers numbered one after another (`generator.0.weight`, shape [out, in]).
//!
//! PyTorch numbers the modules of an `nn.Sequential`, activations among them: [`state_dict`](super::weights::state_dict) writes
//! those names.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::SafeTensors;

use super::names::{ACTIVATION, GENERATOR};
use super::network::Network;
use super::optimizer_state::is_moment;
use super::seal::verified_state;
use super::spec::GanSpec;
use super::streams::Stream;
use super::tensors;
use crate::error::{Error, Result};
use crate::file;
use crate::gemm::EngineKind;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::memory::{AlignedBuffer, filled};
use crate::net::LayerTensors;
use crate::net::panels::{Panels, PassPlan};
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{self, Alone, NetworkView};
use crate::parallel::Team;
use crate::simd::{Isa, LANE_GROUP};

/// Samples that [`Model::sample`] makes at once.
const SAMPLE_PANEL: usize = 16 * LANE_GROUP;

/// Both networks' parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// G.
    pub generator: LayerTensors,
    /// D.
    pub discriminator: LayerTensors,
}

impl Model {
    /// The tensors of a network.
    pub fn network(&self, network: Network) -> &LayerTensors {
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
        Network::ALL.into_iter().try_for_each(|network| tensors::check_finite(network.name(), self.network(network)))
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

    /// The model in the bytes of a safetensors file, which may be a [checkpoint](super::Checkpoint) too; names, shapes and types
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
        let network = |network: Network| tensors::layers(file, network.name(), spec.network(network), "", origin);
        let model = Self { generator: network(Network::Generator)?, discriminator: network(Network::Discriminator)? };
        let expected = 2 * (model.generator.len() + model.discriminator.len());
        let found = file.names().into_iter().filter(|name| !is_moment(name)).count();
        if found != expected {
            let problem = format!("holds {} more tensors than the {expected} of the configuration", found - expected);
            return Err(Error::data(origin, problem));
        }
        Ok(model)
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

    /// Bytes of the largest file that a run of `spec` writes: parameters with two moments each, and the header.
    pub(crate) fn largest_file(spec: &GanSpec) -> u64 {
        let parameters = |network| ParameterLayout::new(network).len() as u64;
        let parameters = parameters(&spec.generator).saturating_add(parameters(&spec.discriminator));
        parameters.saturating_mul(3 * size_of::<f32>() as u64).saturating_add(tensors::MOST_HEADER)
    }

    /// Samples of G without training: `count` rows of `spec.features()`, row-major. Latents depend on `seed` and the row
    /// alone: the first rows of a larger count are the same.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses; a model that does not fit `spec`; [`Error::ModelNotFinite`] where G has a weight or bias
    /// that is not finite, or makes a sample that is not.
    pub fn sample(&self, spec: &GanSpec, count: usize, seed: u64, isa: Isa) -> Result<Vec<f32>> {
        self.sample_columns(spec, count, usize::MAX, seed, isa)
    }

    /// The same, of which only the first `columns` values of each row are kept: no more memory is taken.
    ///
    /// # Errors
    ///
    /// As [`Self::sample`].
    pub fn sample_columns(
        &self,
        spec: &GanSpec,
        count: usize,
        columns: usize,
        seed: u64,
        isa: Isa,
    ) -> Result<Vec<f32>> {
        let network = &spec.generator;
        network.validate(GENERATOR)?;
        let layout = ParameterLayout::new(network);
        let mut parameters = AlignedBuffer::zeroed(layout.len())?;
        layout.fill(&mut parameters, &self.generator, GENERATOR)?;
        tensors::check_finite(GENERATOR, &self.generator)?;
        let view = NetworkView { spec: network, layout: &layout, parameters: &parameters };
        let plan = PassPlan { isa, engine: EngineKind::default().engine(), tasks: 1 };
        let panels = Panels::one(SAMPLE_PANEL);
        let Alone { trace, mut tape } = Alone::new(network, SAMPLE_PANEL)?;
        let features = network.outputs();
        let columns = columns.clamp(1, features);
        let mut samples = filled(count.saturating_mul(columns), 0.0)?;
        let mut rows = if columns < features { filled(SAMPLE_PANEL.min(count) * features, 0.0)? } else { Vec::new() };
        let key = Stream::Sample.key(seed, 0);
        for (index, kept) in samples.chunks_mut(SAMPLE_PANEL * columns).enumerate() {
            let latents = tape.get_mut(trace.input(), SAMPLE_PANEL);
            noise::normal(isa, key, index * SAMPLE_PANEL, latents, SAMPLE_PANEL);
            pass::forward(&Team::serial(), &plan, view, panels, &[], &trace, &mut tape);
            let output = tape.get(trace.output(), SAMPLE_PANEL);
            let count = kept.len() / columns;
            let all = if columns == features { &mut *kept } else { &mut rows[..count * features] };
            scatter_rows(isa, output, SAMPLE_PANEL, count, all);
            if !all.iter().all(|value| value.is_finite()) {
                // Value 0 is the latents.
                let first = trace.first_not_finite(&tape, SAMPLE_PANEL);
                let layer = first.unwrap_or(network.layers.len()).saturating_sub(1);
                return Err(Error::ModelNotFinite { network: GENERATOR, layer, quantity: ACTIVATION });
            }
            if columns < features {
                for (kept, row) in kept.chunks_exact_mut(columns).zip(rows.chunks_exact(features)) {
                    kept.copy_from_slice(&row[..columns]);
                }
            }
        }
        Ok(samples)
    }
}
