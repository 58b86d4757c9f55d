//! Networks in ONNX files, which every ONNX runtime takes: opset 17, with nothing but operators of ONNX itself.
//!
//! | network | inputs | output |
//! |---|---|---|
//! | generator | `latents`, and `conditions` where it has them | `samples` |
//! | discriminator | `samples`, and `conditions` where it has them | `logits` |
//! | discriminator of [packs](GanSpec::packing) | `packs`, samples one behind the other, each with its conditions | `logits` |
//!
//! All are `[rows, width]` in 32 bits, with any number of rows, but the samples of a generator [with a scale](Export::with_scale), which are in
//! 64 bits: the units of a table may need them. Nothing is dropped.
//!
//! ```text
//! layer         Gemm(x, W, b), then the activation
//! softmax       Split into numbers and groups, Softmax of each group, Concat
//! normalized    Gemm(x, W), LayerNormalization with a scale of 1 and b, then the activation; batch and spectral normalization are
//!               parts of W and b
//! scale         Cast to 64 bits, Gather of the columns where some are constant, Mul, Add
//! ```

mod graph;
mod messages;

use std::collections::BTreeMap;

use prost::Message;

use super::model::Model;
use super::spec::GanSpec;
use super::tensors;
use crate::error::{Error, Result};
use crate::kernel::activation::Activation;
use crate::kernel::layer_normalization::EPSILON;
use crate::memory::{AlignedBuffer, filled, room};
use crate::net::folded::Folded;
use crate::net::parameters::ParameterLayout;
use crate::net::{LayerSpec, LayerTensors, Normalization};
use crate::network::Network;
use crate::simd::Isa;
use graph::{Graph, float, int};
use messages::{DOUBLE, FLOAT, IR_VERSION, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The version of the operators.
const OPSET: i64 = 17;

/// Most bytes of a file: what protobuf's own readers take.
const MOST_BYTES: usize = i32::MAX as usize;

/// What goes into a file beside a network.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Export {
    /// Offset and scale of each column of the generator's samples, if they are scaled.
    scale: Option<[Vec<f64>; 2]>,
    /// What the file says about itself, by name.
    metadata: BTreeMap<String, String>,
}

impl Export {
    /// The same with samples in the units of a table: `column = offset + scale * feature`. A column of scale 0 is constant, and no feature
    /// stands for it. A discriminator takes samples without scale, as it was trained.
    #[must_use]
    pub fn with_scale(mut self, offset: Vec<f64>, scale: Vec<f64>) -> Self {
        self.scale = Some([offset, scale]);
        self
    }

    /// The same with these metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: BTreeMap<String, String>) -> Self {
        self.metadata = metadata;
        self
    }
}

/// A network of a model as the bytes of an ONNX file.
///
/// ```
/// use std::sync::Arc;
/// use gannet::{data::synthetic, gan::{Network, Trainer, TrainerOptions, onnx, presets::Preset}};
///
/// let points = Arc::new(synthetic::circle(1_024, 1)?);
/// let trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
/// let export = onnx::Export::default().with_scale(vec![10.0, -5.0], vec![2.0, 3.0]);
/// let bytes = onnx::bytes(&trainer.model()?, trainer.spec(), Network::Generator, &export)?;
/// # assert!(!bytes.is_empty());
/// # Ok::<(), gannet::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::InvalidSetting`] where `spec` is not valid, or a scale does not fit it; [`Error::Shape`] where the model does not fit it;
/// [`Error::ModelNotFinite`] for a weight or bias that is not finite; [`Error::Data`] where the file would have 2 GiB or more;
/// [`Error::OutOfMemory`].
pub fn bytes(model: &Model, spec: &GanSpec, network: Network, export: &Export) -> Result<Vec<u8>> {
    spec.validate()?;
    let (layers, values) = (spec.network(network), model.network(network));
    let layout = ParameterLayout::new(layers);
    let mut parameters = AlignedBuffer::zeroed(layout.len())?;
    layout.fill(&mut parameters, values, network.name())?;
    tensors::check_finite(network, values)?;
    let Folded { spec: layers, layout, parameters } = Folded::new(layers, &layout, &parameters, Isa::best())?;
    let values = layout.tensors(&parameters)?;
    let (first, width, output) = match network {
        Network::Generator => ("latents", spec.latents(), "samples"),
        Network::Discriminator if spec.packing > 1 => ("packs", layers.inputs(), "logits"),
        Network::Discriminator => ("samples", spec.features(), "logits"),
    };
    // What is left are conditions; those of a pack stand between its samples.
    let inputs = [(first, width), ("conditions", layers.inputs() - width)];
    let mut graph = Graph::new(network.name(), if layers.inputs() > width { &inputs } else { &inputs[..1] });
    for (index, (layer, tensors)) in layers.layers.iter().zip(&values).enumerate() {
        add_layer(&mut graph, index, layer, tensors)?;
    }
    let graph = match (&export.scale, network) {
        (Some([offset, scale]), Network::Generator) => {
            check_scale(offset, scale, layers.outputs())?;
            add_scale(&mut graph, offset, scale)?;
            graph.finish(output, DOUBLE, scale.len())
        }
        _ => graph.finish(output, FLOAT, layers.outputs()),
    };
    let entry = |(key, value): (&String, &String)| StringStringEntryProto { key: key.clone(), value: value.clone() };
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "gannet".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: OPSET }],
        metadata_props: export.metadata.iter().map(entry).collect(),
    };
    let length = file.encoded_len();
    if length > MOST_BYTES {
        let problem = format!("{length} bytes are more than an ONNX file may have; export the weights as safetensors");
        return Err(Error::data(network.name(), problem));
    }
    let mut bytes = room(length)?;
    file.encode(&mut bytes).map_err(|error| Error::data(network.name(), error.to_string()))?;
    Ok(bytes)
}

/// Adds a layer.
fn add_layer(graph: &mut Graph, index: usize, layer: &LayerSpec, tensors: &LayerTensors) -> Result<()> {
    let name = |part: &str| format!("layer_{index}.{part}");
    let (weight, bias, sums) = (name("weight"), name("bias"), name("sums"));
    graph.tensor(&weight, &[layer.outputs, layer.inputs], &tensors.weight)?;
    graph.tensor(&bias, &[layer.outputs], &tensors.bias)?;
    let transposed = || vec![int("transB", 1)];
    match layer.normalization {
        Normalization::Layer => {
            let ones = name("scale");
            graph.tensor(&ones, &[layer.outputs], &filled(layer.outputs, 1.0_f32)?)?;
            graph.node("Gemm", &[&weight], &sums, transposed());
            let attributes = vec![int("axis", -1), float("epsilon", EPSILON)];
            graph.node("LayerNormalization", &[&ones, &bias], &name("normalized"), attributes);
        }
        // What else there is has been folded into weights and biases.
        _ => graph.node("Gemm", &[&weight, &bias], &sums, transposed()),
    }
    let (operator, attributes) = match layer.activation {
        Activation::Linear => return add_softmax(graph, index, layer),
        Activation::Relu => ("Relu", Vec::new()),
        Activation::LeakyRelu { slope } => ("LeakyRelu", vec![float("alpha", slope)]),
        Activation::Tanh => ("Tanh", Vec::new()),
        Activation::Sigmoid => ("Sigmoid", Vec::new()),
    };
    graph.node(operator, &[], &name("activation"), attributes);
    Ok(())
}

/// Adds the softmax of each group of a layer's last outputs, if it has such: probabilities, as nothing is drawn.
fn add_softmax(graph: &mut Graph, index: usize, layer: &LayerSpec) -> Result<()> {
    if layer.softmax.is_empty() {
        return Ok(());
    }
    let numbers = layer.numbers();
    let sizes: Vec<i64> =
        (numbers > 0).then_some(numbers).iter().chain(&layer.softmax).map(|size| *size as i64).collect();
    let name = |part: &str| format!("layer_{index}.{part}");
    graph.tensor(&name("sizes"), &[sizes.len()], &sizes)?;
    let parts: Vec<String> = (0..sizes.len()).map(|part| name(&format!("part_{part}"))).collect();
    let is_group = |part: usize| part > 0 || numbers == 0;
    graph.split(&name("sizes"), &parts);
    let probabilities = (0..sizes.len()).map(|part| {
        let output = format!("{}.probabilities", parts[part]);
        is_group(part).then(|| graph.of("Softmax", &parts[part], &output, vec![int("axis", 1)]));
        if is_group(part) { output } else { parts[part].clone() }
    });
    let probabilities = probabilities.collect();
    graph.join(probabilities, &name("probabilities"));
    Ok(())
}

/// Checks that there is a number for each column, and a feature for each that varies.
fn check_scale(offset: &[f64], scale: &[f64], features: usize) -> Result<()> {
    let problem = |problem: String| Err(Error::setting("scale", problem));
    if offset.len() != scale.len() {
        return problem(format!(
            "{} numbers, but there are {} offsets; give one of each for a column",
            scale.len(),
            offset.len()
        ));
    }
    if let Some(value) = offset.iter().chain(scale).find(|value| !value.is_finite()) {
        return problem(format!("{value} is not a finite number; offsets and scales are"));
    }
    let varying = scale.iter().filter(|scale| **scale != 0.0).count();
    if varying != features {
        return problem(format!(
            "{varying} columns vary, but the generator makes {features} values; give it those of its data"
        ));
    }
    Ok(())
}

/// Adds what brings features to the units of the columns.
fn add_scale(graph: &mut Graph, offset: &[f64], scale: &[f64]) -> Result<()> {
    graph.node("Cast", &[], "features", vec![int("to", i64::from(DOUBLE))]);
    if scale.contains(&0.0) {
        // A constant column takes any feature, times 0.
        let mut next = 0;
        let mut feature_of = |scale: &f64| {
            let feature = next;
            next += i64::from(*scale != 0.0);
            if *scale == 0.0 { 0 } else { feature }
        };
        let features: Vec<i64> = scale.iter().map(&mut feature_of).collect();
        graph.tensor("feature_of_column", &[features.len()], &features)?;
        graph.node("Gather", &["feature_of_column"], "columns", vec![int("axis", 1)]);
    }
    graph.tensor("scale", &[scale.len()], scale)?;
    graph.tensor("offset", &[offset.len()], offset)?;
    graph.node("Mul", &["scale"], "scaled", Vec::new());
    graph.node("Add", &["offset"], "moved", Vec::new());
    Ok(())
}

#[cfg(test)]
mod tests;
