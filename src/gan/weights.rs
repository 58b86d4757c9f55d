//! Weights that go to PyTorch and come from it: safetensors files with the names and shapes of an `nn.Sequential`'s `state_dict`.
//!
//! A dense layer is `N.weight` of shape `[outputs, inputs]` and `N.bias` of shape `[outputs]`. In a `torch.nn.Sequential` N counts
//! modules, and activations and dropout are modules too, so that numbers are left out: only their order counts. Before N stands
//! what the module is an attribute of: `generator.0.weight`, `netD.main.2.bias`, `fc1.weight`.
//!
//! A layer with [layer](Normalization::Layer) or [batch normalization](Normalization::Batch) is two modules, a `Linear` without biases and a
//! `LayerNorm` or `BatchNorm1d` that has them beside a gain of ones. One with [spectral normalization](Normalization::Spectral) is a plain
//! `Linear` of the weights that passes see, which PyTorch's `remove_parametrizations` would leave.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use super::model::Model;
use super::spec::GanSpec;
use super::tensors::{self, MOST_HEADER, NamedTensor};
use crate::error::{Error, Result};
use crate::file;
use crate::kernel::activation::Activation;
use crate::memory::{self, AlignedBuffer};
use crate::net::parameters::ParameterLayout;
use crate::net::spectral::SpectralWeights;
use crate::net::{LayerSpec, LayerTensors, NetworkSpec, Normalization};
use crate::network::Network;
use crate::parallel::Team;
use crate::simd::Isa;

/// The network that people give this name to.
fn network_called(name: &str) -> Option<Network> {
    match name.to_ascii_lowercase().as_str() {
        "generator" | "gen" | "g" | "netg" => Some(Network::Generator),
        "discriminator" | "disc" | "d" | "netd" | "critic" => Some(Network::Discriminator),
        _ => None,
    }
}

/// How layers are numbered in names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Numbering {
    /// As modules of a `torch.nn.Sequential`: linear, activation (unless linear), dropout (unless 0), linear ...
    Sequential,
    /// 0, 1, 2 ..., as in gannet's own model files.
    Layers,
}

/// Whether a layer's normalization is a module of its own.
fn is_normalized(layer: &LayerSpec) -> bool {
    layer.normalization.is_of_sums()
}

/// Whether a layer's activation and dropout are modules of a `Sequential`.
fn modules_after(layer: &LayerSpec) -> usize {
    usize::from(layer.activation != Activation::Linear) + usize::from(layer.dropout > 0.0)
}

/// The `torch.nn.Sequential` of a network, as Python.
pub fn sequential(spec: &NetworkSpec) -> String {
    let mut modules = Vec::new();
    for layer in &spec.layers {
        let LayerSpec { inputs, outputs, .. } = layer;
        match layer.normalization {
            Normalization::None | Normalization::Spectral => modules.push(format!("nn.Linear({inputs}, {outputs})")),
            Normalization::Layer => {
                modules.push(format!("nn.Linear({inputs}, {outputs}, bias=False)"));
                modules.push(format!("nn.LayerNorm({outputs})"));
            }
            Normalization::Batch => {
                modules.push(format!("nn.Linear({inputs}, {outputs}, bias=False)"));
                modules.push(format!("nn.BatchNorm1d({outputs})"));
            }
        }
        modules.extend(match layer.activation {
            Activation::Linear => None,
            Activation::Relu => Some("nn.ReLU()".to_string()),
            Activation::LeakyRelu { slope } => Some(format!("nn.LeakyReLU({slope})")),
            Activation::Tanh => Some("nn.Tanh()".to_string()),
            Activation::Sigmoid => Some("nn.Sigmoid()".to_string()),
        });
        if layer.dropout > 0.0 {
            modules.push(format!("nn.Dropout({})", layer.dropout));
        }
    }
    let groups = spec.layers.last().map(|layer| layer.softmax.as_slice()).unwrap_or_default();
    let behind = match groups {
        [] => String::new(),
        groups => {
            let sizes: Vec<String> = groups.iter().map(usize::to_string).collect();
            format!("  # then a softmax of each group of the last outputs: {}", sizes.join(", "))
        }
    };
    format!("nn.Sequential({}){behind}", modules.join(", "))
}

/// The weights of one network (names without a prefix) or of both (`generator.`, `discriminator.`) as the bytes of a safetensors
/// file that carries `metadata`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] where `spec` is not valid; [`Error::Shape`] where the model does not fit it;
/// [`Error::ModelNotFinite`] for a weight or bias that is not finite, which [`Model::save`] alone writes; [`Error::Data`] where
/// the metadata are longer than a reader takes.
pub fn state_dict(
    model: &Model,
    spec: &GanSpec,
    network: Option<Network>,
    numbering: Numbering,
    metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    spec.validate()?;
    let normalized =
        Network::ALL.into_iter().flat_map(|part| &spec.network(part).layers).filter(|layer| is_normalized(layer));
    let ones = memory::filled(normalized.map(|layer| layer.outputs).max().unwrap_or(0), 1.0)?;
    let chosen = || Network::ALL.into_iter().filter(|part| network.is_none_or(|chosen| chosen == *part));
    let seen: Vec<_> =
        chosen().map(|part| seen(part, spec.network(part), model.network(part), numbering)).collect::<Result<_>>()?;
    let mut named: Vec<NamedTensor<'_>> = Vec::new();
    for (part, seen) in chosen().zip(&seen) {
        let values = seen.as_deref().unwrap_or(model.network(part));
        let layers = &spec.network(part).layers;
        tensors::check_finite(part, values)?;
        let prefix = if network.is_some() { String::new() } else { format!("{}.", part.name()) };
        let mut number = 0;
        for (layer, LayerTensors { weight, bias, buffers }) in layers.iter().zip(values) {
            named.push((format!("{prefix}{number}.weight"), vec![layer.outputs, layer.inputs], weight));
            if numbering == Numbering::Sequential && is_normalized(layer) {
                number += 1;
                named.push((format!("{prefix}{number}.weight"), vec![layer.outputs], &ones[..layer.outputs]));
            }
            named.push((format!("{prefix}{number}.bias"), vec![layer.outputs], bias));
            for (kind, buffer) in layer.normalization.buffers().iter().zip(buffers) {
                named.push((format!("{prefix}{number}.{kind}"), vec![layer.outputs], buffer));
            }
            number += 1 + if numbering == Numbering::Sequential { modules_after(layer) } else { 0 };
        }
    }
    tensors::serialize(&named, metadata)
}

/// The tensors of a network as PyTorch's modules have them, where these are not the model's own.
fn seen(
    network: Network,
    spec: &NetworkSpec,
    tensors: &[LayerTensors],
    numbering: Numbering,
) -> Result<Option<Vec<LayerTensors>>> {
    let layout = ParameterLayout::new(spec);
    layout.check(tensors, network.name())?;
    if numbering == Numbering::Layers || !spec.has(Normalization::Spectral) {
        return Ok(None);
    }
    let mut parameters = AlignedBuffer::zeroed(layout.len())?;
    layout.fill(&mut parameters, tensors, network.name())?;
    let Some(seen) = SpectralWeights::new(&Team::serial(), Isa::best(), spec, &layout, &parameters)? else {
        return Ok(None);
    };
    layout.trained_tensors(seen.arena()).map(Some)
}

/// The networks that a file of weights holds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StateDict {
    /// G, if the file holds it.
    pub generator: Option<Vec<LayerTensors>>,
    /// D, if the file holds it.
    pub discriminator: Option<Vec<LayerTensors>>,
}

/// The tensors of one name, without weight or bias, by their numbers.
type Numbered<'a> = BTreeMap<u64, Layer<'a>>;

/// The names of a layer's tensors.
#[derive(Clone, Copy, Default)]
struct Layer<'a> {
    weight: Option<&'a str>,
    bias: Option<&'a str>,
    /// What a normalization with a number of its own multiplies by.
    gain: Option<&'a str>,
    /// What a normalization keeps, in the order of [`KEPT`].
    kept: [Option<&'a str>; KEPT.len()],
}

/// The names of what normalizations keep.
const KEPT: [&str; 3] = ["running_mean", "running_var", "singular_vector"];

/// What a tensor is to its layer.
enum Kind {
    Weight,
    Bias,
    /// One of [`KEPT`].
    Kept(usize),
    /// PyTorch's count of batches, which nothing here asks for.
    Count,
}

/// The tensors of each layer of the network `name`, a normalization's among its layer's.
///
/// # Errors
///
/// What does not fit, in words.
fn layers_of<'a>(
    numbered: &Numbered<'a>,
    spec: &NetworkSpec,
    name: &str,
) -> std::result::Result<Vec<Layer<'a>>, String> {
    let (found, expected) = (numbered.len(), spec.layers.len());
    let span = numbered.first_key_value().zip(numbered.last_key_value()).map(|((first, _), (last, _))| last - first);
    // As gannet numbers them, a layer has all of its tensors under one number, and no number is left out.
    let are_layers = found == expected && span == Some(found as u64 - 1);
    let mut numbered = numbered.values().copied();
    let mut next =
        || numbered.next().ok_or_else(|| format!("holds {found} layers of the {name}, but it has {expected}"));
    let mut layers = Vec::new();
    for (index, layer) in spec.layers.iter().enumerate() {
        let found = next()?;
        if are_layers || !is_normalized(layer) {
            layers.push(found);
            continue;
        }
        if let Some(bias) = found.bias {
            return Err(format!(
                "the tensor {bias} stands before the normalization of layer {index} of the {name}, whose biases stand behind it; \
                 make that Linear with bias=False"
            ));
        }
        let Layer { weight: gain, bias, kept, .. } = next()?;
        layers.push(Layer { bias, gain, kept, ..found });
    }
    match numbered.next() {
        Some(_) => Err(format!("holds {found} layers of the {name}, but it has {expected}")),
        None => Ok(layers),
    }
}

impl StateDict {
    /// Reads a file. A network is known by its name (`generator`, `G`, `netG` ..., in any case); without such a name, by the
    /// shapes of its tensors.
    ///
    /// # Errors
    ///
    /// As [`from_safetensors`](Self::from_safetensors), and what the system reports. A file much larger than both networks is
    /// not read.
    pub fn load(spec: &GanSpec, path: &Path) -> Result<Self> {
        let parameters = |network| ParameterLayout::new(network).len() as u64;
        let parameters = parameters(&spec.generator).saturating_add(parameters(&spec.discriminator));
        let most = parameters.saturating_mul(size_of::<f64>() as u64).saturating_add(MOST_HEADER);
        Self::from_safetensors(&file::read(path, most)?, spec, &path.display().to_string())
    }

    /// Reads the bytes of a safetensors file with tensors of 16, 32 or 64 bits. `origin` (a path) opens messages.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] that says which tensor does not fit, and what was expected.
    pub fn from_safetensors(bytes: &[u8], spec: &GanSpec, origin: &str) -> Result<Self> {
        let problem = |problem: String| Error::data(origin, problem);
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x80\x02") {
            let save = "save it in Python with safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")";
            return Err(problem(format!("is a pickle of PyTorch's, which may run any program; {save}")));
        }
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| problem(format!("not a safetensors file, or a damaged one ({error})")))?;
        let names = file.names();
        let mut groups: BTreeMap<&str, Numbered<'_>> = BTreeMap::new();
        for &name in &names {
            let (prefix, number, kind) = parts(name).ok_or_else(|| {
                problem(format!("the tensor {name} is no weight or bias with a number, as `generator.0.weight` is"))
            })?;
            let layer = groups.entry(prefix).or_default().entry(number).or_default();
            let place = match kind {
                Kind::Weight => &mut layer.weight,
                Kind::Bias => &mut layer.bias,
                Kind::Kept(kind) => &mut layer.kept[kind],
                Kind::Count => continue,
            };
            if let Some(other) = place.replace(name) {
                return Err(problem(format!("the tensors {other} and {name} have the same number")));
            }
        }
        let mut result = Self::default();
        for (prefix, layers) in &groups {
            let network = match network_of(prefix) {
                Some(network) => network,
                None => {
                    let fits = |network: &Network| shapes_fit(&file, layers, spec.network(*network));
                    match Network::ALL.into_iter().filter(fits).collect::<Vec<_>>()[..] {
                        [network] => network,
                        [] => return Err(problem(unknown(&file, prefix, layers, spec))),
                        _ => {
                            let name = "name them `generator.0.weight` or `discriminator.0.weight` ...";
                            return Err(problem(format!("its tensors fit both networks; {name}")));
                        }
                    }
                }
            };
            let tensors = read(&file, layers, network, spec, problem)?;
            let place = match network {
                Network::Generator => &mut result.generator,
                Network::Discriminator => &mut result.discriminator,
            };
            if place.replace(tensors).is_some() {
                let name = network.name();
                return Err(problem(format!("the {name} stands under several names, `{prefix}` is one of them")));
            }
        }
        if result == Self::default() {
            return Err(problem("holds no tensors".to_string()));
        }
        Ok(result)
    }

    /// Replaces in `model` the networks that the file holds.
    pub fn put_into(&self, model: &mut Model) {
        for (tensors, place) in
            [(&self.generator, &mut model.generator), (&self.discriminator, &mut model.discriminator)]
        {
            if let Some(tensors) = tensors {
                place.clone_from(tensors);
            }
        }
    }
}

/// What stands before the number of a layer (dots at its end left out), the number, and what comes behind it:
/// `netG.main.2.weight`, `fc1.bias`.
fn parts(name: &str) -> Option<(&str, u64, Kind)> {
    let (module, kind) = name.rsplit_once('.')?;
    let prefix = module.trim_end_matches(|character: char| character.is_ascii_digit());
    let number = module[prefix.len()..].parse().ok()?;
    let kind = match kind {
        "weight" => Kind::Weight,
        "bias" => Kind::Bias,
        "num_batches_tracked" => Kind::Count,
        kept => Kind::Kept(KEPT.iter().position(|name| *name == kept)?),
    };
    Some((prefix.trim_end_matches('.'), number, kind))
}

/// The network that a part of `prefix` names.
fn network_of(prefix: &str) -> Option<Network> {
    prefix.split('.').find_map(network_called)
}

/// Whether the weights have the shapes of `spec`'s.
fn shapes_fit(file: &SafeTensors<'_>, layers: &Numbered<'_>, spec: &NetworkSpec) -> bool {
    layers_of(layers, spec, "").is_ok_and(|layers| {
        layers.iter().zip(&spec.layers).all(|(layer, expected)| {
            let weight = layer.weight.and_then(|name| file.tensor(name).ok());
            weight.is_some_and(|weight| weight.shape() == [expected.outputs, expected.inputs])
        })
    })
}

/// Why tensors under a name that tells no network belong to none.
fn unknown(file: &SafeTensors<'_>, prefix: &str, layers: &Numbered<'_>, spec: &GanSpec) -> String {
    let mut found = String::new();
    for name in layers.values().filter_map(|layer| layer.weight) {
        let shape = file.tensor(name).map(|tensor| tensor.shape().to_vec()).unwrap_or_default();
        write!(found, "{}{name} {shape:?}", if found.is_empty() { "" } else { ", " }).ok();
    }
    let expected = |network: Network| {
        let shapes = spec.network(network).layers.iter().map(|layer| format!("{:?}", [layer.outputs, layer.inputs]));
        format!("the {} has {}", network.name(), shapes.collect::<Vec<_>>().join(" "))
    };
    let under = if prefix.is_empty() { "the tensors".to_string() } else { format!("the tensors of `{prefix}`") };
    let (generator, discriminator) = (expected(Network::Generator), expected(Network::Discriminator));
    format!("{under} fit neither network: {found}; {generator}, {discriminator}")
}

/// The tensors of `network`, in the order of their numbers. `problem` makes an error of what does not fit.
fn read(
    file: &SafeTensors<'_>,
    layers: &Numbered<'_>,
    network: Network,
    spec: &GanSpec,
    problem: impl Fn(String) -> Error,
) -> Result<Vec<LayerTensors>> {
    let (expected, name) = (&spec.network(network).layers, network.name());
    let layers = layers_of(layers, spec.network(network), name).map_err(&problem)?;
    let tensor = |place: Option<&str>, index: usize, kind: &str, shape: &[usize]| -> Result<Vec<f32>> {
        let layer = format!("layer {index} of the {name}");
        let tensor_name = place.ok_or_else(|| problem(format!("{layer} has no {kind}")))?;
        let tensor = file.tensor(tensor_name).map_err(|error| problem(error.to_string()))?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            let fit = format!("the tensor {tensor_name} has the shape {found:?}, but {layer} needs {shape:?}");
            return Err(problem(fit));
        }
        let values = values(tensor.dtype(), tensor.data())?.ok_or_else(|| {
            problem(format!("the tensor {tensor_name} is {:?}; F32, F64, F16 and BF16 can be read", tensor.dtype()))
        })?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => Err(problem(format!("value {place} of the tensor {tensor_name} is {}", values[place]))),
            None => Ok(values),
        }
    };
    layers
        .iter()
        .zip(expected)
        .enumerate()
        .map(|(index, (layer, expected))| {
            if let Some(gain) = layer.gain
                && tensor(Some(gain), index, "gain", &[expected.outputs])?.iter().any(|gain| *gain != 1.0)
            {
                return Err(problem(format!(
                    "the tensor {gain} is not all ones, and a normalization has no gain here; keep that at 1 in PyTorch \
                     (`weight.requires_grad_(False)`)"
                )));
            }
            let names = expected.normalization.buffers();
            let mut buffers = Vec::new();
            for (kind, place) in KEPT.into_iter().zip(layer.kept) {
                match (names.contains(&kind), place) {
                    (false, Some(kept)) => {
                        let found = format!("the tensor {kept} is of a normalization that layer {index} of the {name} has not");
                        return Err(problem(found));
                    }
                    // What PyTorch's `remove_parametrizations` leaves has no vector.
                    (true, None) if expected.normalization == Normalization::Spectral => {}
                    (true, place) => buffers.push(tensor(place, index, kind, &[expected.outputs])?),
                    (false, None) => {}
                }
            }
            let weight = tensor(layer.weight, index, "weight", &[expected.outputs, expected.inputs])?;
            Ok(LayerTensors::new(weight, tensor(layer.bias, index, "bias", &[expected.outputs])?).with_buffers(buffers))
        })
        .collect()
}

/// The values of a tensor's bytes; `None` for other types than floating-point numbers of 16, 32 and 64 bits.
fn values(dtype: Dtype, bytes: &[u8]) -> Result<Option<Vec<f32>>> {
    let size = match dtype {
        Dtype::F64 => 8,
        Dtype::F32 => 4,
        Dtype::F16 | Dtype::BF16 => 2,
        _ => return Ok(None),
    };
    let half = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
    let mut values = memory::room(bytes.len() / size)?;
    match dtype {
        Dtype::F64 => values.extend(bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32)),
        Dtype::F32 => values.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes))),
        Dtype::F16 => values.extend(bytes.chunks_exact(2).map(|bytes| from_half(half(bytes)))),
        // BF16: the upper half of an f32.
        _ => values.extend(bytes.chunks_exact(2).map(|bytes| f32::from_bits(u32::from(half(bytes)) << 16))),
    }
    Ok(Some(values))
}

/// The value of an IEEE 754 binary16 number: a sign, 5 bits of exponent, 10 bits of fraction. The crate `half` would bring three more
/// into the library's build for these lines; a test compares every number with it.
fn from_half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests;
