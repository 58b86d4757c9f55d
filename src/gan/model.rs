//! Model files: both networks in safetensors, named as a PyTorch `state_dict` (`generator.0.weight`, shape [out, in]).

use std::fs;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::spec::GanSpec;
use super::streams::Stream;
use crate::error::{Error, Result};
use crate::gemm::EngineKind;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::memory::AlignedBuffer;
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{self, Activations, NetworkView, Panels, PassPlan};
use crate::net::{LayerTensors, NetworkSpec};
use crate::parallel::Team;
use crate::simd::{Isa, LANE_GROUP};

/// Most bytes that the header of a model file may add to its tensors: names, shapes and metadata of 10,000 layers fit.
pub(super) const MOST_HEADER: u64 = 8 * 1024 * 1024;

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

/// A tensor by name: shape and values.
type NamedTensor<'a> = (String, Vec<usize>, &'a [f32]);

impl Model {
    /// Both networks with their names.
    fn networks<'a>(&'a self, spec: &'a GanSpec) -> [(&'static str, &'a NetworkSpec, &'a LayerTensors); 2] {
        [("generator", &spec.generator, &self.generator), ("discriminator", &spec.discriminator, &self.discriminator)]
    }

    /// The model as the bytes of a safetensors file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where `spec` is not valid; [`Error::Shape`] where a tensor's length does not fit it.
    pub fn to_safetensors(&self, spec: &GanSpec) -> Result<Vec<u8>> {
        let mut named: Vec<NamedTensor<'_>> = Vec::new();
        for (name, network, tensors) in self.networks(spec) {
            network.validate(name)?;
            ParameterLayout::new(network).check(tensors, name)?;
            for (index, (layer, (weight, bias))) in network.layers.iter().zip(tensors).enumerate() {
                named.push((format!("{name}.{index}.weight"), vec![layer.outputs, layer.inputs], weight));
                named.push((format!("{name}.{index}.bias"), vec![layer.outputs], bias));
            }
        }
        let bytes: Vec<Vec<u8>> =
            named.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
        let problem = |error: safetensors::SafeTensorError| Error::data("model", error.to_string());
        let views = named
            .iter()
            .zip(&bytes)
            .map(|((name, shape, _), bytes)| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(problem)?))
            })
            .collect::<Result<Vec<_>>>()?;
        safetensors::serialize(views, None).map_err(problem)
    }

    /// The model in the bytes of a safetensors file; names, shapes and types must be those of `spec`. `origin` (a path) opens
    /// error messages.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] that says what does not fit.
    pub fn from_safetensors(bytes: &[u8], spec: &GanSpec, origin: &str) -> Result<Self> {
        let problem = |problem: String| Error::data(origin, problem);
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| problem(format!("not a safetensors file, or a damaged one ({error})")))?;
        let mut expected = 0;
        let mut network = |name: &str, network: &NetworkSpec| -> Result<LayerTensors> {
            let mut read = |name: String, shape: &[usize]| -> Result<Vec<f32>> {
                expected += 1;
                let tensor = file.tensor(&name).map_err(|_| problem(format!("the tensor {name} is missing")))?;
                if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                    let (dtype, found) = (tensor.dtype(), tensor.shape());
                    return Err(problem(format!("{name} is {dtype:?} {found:?} instead of F32 {shape:?}")));
                }
                let values = tensor.data().chunks_exact(size_of::<f32>());
                Ok(values.map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect())
            };
            let layers = network.layers.iter().enumerate();
            layers
                .map(|(index, layer)| {
                    let weight = read(format!("{name}.{index}.weight"), &[layer.outputs, layer.inputs])?;
                    Ok((weight, read(format!("{name}.{index}.bias"), &[layer.outputs])?))
                })
                .collect()
        };
        let model = Self {
            generator: network("generator", &spec.generator)?,
            discriminator: network("discriminator", &spec.discriminator)?,
        };
        if file.len() != expected {
            let surplus = file.len() - expected;
            return Err(problem(format!("holds {surplus} more tensors than the {expected} of the configuration")));
        }
        Ok(model)
    }

    /// Writes a model file atomically: whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Self::to_safetensors`], and what the system reports.
    pub fn save(&self, spec: &GanSpec, path: &Path) -> Result<()> {
        let bytes = self.to_safetensors(spec)?;
        let write = || {
            let mut file = atomic_write_file::AtomicWriteFile::open(path)?;
            file.write_all(&bytes)?;
            file.commit()
        };
        write().map_err(|source| Error::Io { action: "write", path: path.to_owned(), source })
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// As [`Self::from_safetensors`], and what the system reports. A file much larger than the model is not read.
    pub fn load(spec: &GanSpec, path: &Path) -> Result<Self> {
        let io = |source| Error::Io { action: "read", path: path.to_owned(), source };
        let size = fs::metadata(path).map_err(io)?.len();
        let parameters = |network| ParameterLayout::new(network).len() as u64;
        let parameters = parameters(&spec.generator).saturating_add(parameters(&spec.discriminator));
        let most = parameters.saturating_mul(size_of::<f32>() as u64).saturating_add(MOST_HEADER);
        let origin = path.display().to_string();
        if size > most {
            return Err(Error::data(
                origin,
                format!("{size} bytes are more than the model of the configuration takes"),
            ));
        }
        Self::from_safetensors(&fs::read(path).map_err(io)?, spec, &origin)
    }

    /// Samples of G without training: `count` rows of `spec.features()`, row-major. Latents depend on `seed` and the row
    /// alone: the first rows of a larger count are the same.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses; a model that does not fit `spec`.
    pub fn sample(&self, spec: &GanSpec, count: usize, seed: u64, isa: Isa) -> Result<Vec<f32>> {
        let network = &spec.generator;
        network.validate("generator")?;
        let layout = ParameterLayout::new(network);
        let mut parameters = AlignedBuffer::zeroed(layout.len())?;
        layout.fill(&mut parameters, &self.generator, "generator")?;
        let view = NetworkView { spec: network, layout: &layout, parameters: &parameters };
        let plan = PassPlan { isa, engine: EngineKind::default().engine(), tasks: 1 };
        let panels = Panels { count: 1, width: SAMPLE_PANEL, parts: 1, samples: SAMPLE_PANEL };
        let mut activations = Activations::new(network.widths(), panels.lanes())?;
        let (inputs, features) = (network.inputs(), network.outputs());
        let mut samples = Vec::new();
        let len = count.checked_mul(features).filter(|len| samples.try_reserve_exact(*len).is_ok());
        let bytes = (count as u64).saturating_mul(features as u64).saturating_mul(size_of::<f32>() as u64);
        samples.resize(len.ok_or(Error::OutOfMemory { bytes })?, 0.0);
        let key = Stream::Sample.key(seed, 0);
        for (index, rows) in samples.chunks_mut(SAMPLE_PANEL * features).enumerate() {
            noise::normal(isa, key, index * SAMPLE_PANEL, activations.input_mut(inputs * SAMPLE_PANEL), SAMPLE_PANEL);
            pass::forward(&Team::serial(), &plan, view, panels, &[], &mut activations);
            let output = activations.output(features * SAMPLE_PANEL);
            scatter_rows(isa, output, SAMPLE_PANEL, rows.len() / features, rows);
        }
        Ok(samples)
    }
}
