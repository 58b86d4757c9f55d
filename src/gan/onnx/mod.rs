//! Networks in ONNX files, which every ONNX runtime takes: opset 17, with nothing but operators of ONNX itself.
//!
//! | network | inputs | output |
//! |---|---|---|
//! | generator | `latents`, and `conditions` where it has them | `samples` |
//! | discriminator | `samples`, and `conditions` where it has them | `logits` |
//! | discriminator of [packs](GanSpec::packing) | `packs`, samples one behind the other, each with its conditions | `logits` |
//!
//! All are `[rows, width]` in 32 bits, with any number of rows, but the samples of a generator [with columns](Export::with_columns), which are in
//! 64 bits: the units of a table may need them. Such a generator has a second output where it has groups, their `probabilities` in 32 bits.
//! Nothing is dropped.
//!
//! ```text
//! layer         Gemm(x, W, b), then the activation
//! softmax       Split into numbers and groups, Softmax of each group, Concat
//! normalized    Gemm(x, W), LayerNormalization with a scale of 1 and b, then the activation; batch and spectral normalization are
//!               parts of W and b
//! columns       Cast to 64 bits, then what makes a table's numbers of it (`column_nodes.rs`)
//! ```

mod column_nodes;
mod columns;
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
pub use columns::{Choice, Column, Curve, Grid, NumberColumn};
use graph::{Graph, float, int};
use messages::{FLOAT, IR_VERSION, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The version of the operators.
const OPSET: i64 = 17;

/// Most bytes of a file: what protobuf's own readers take.
const MOST_BYTES: usize = i32::MAX as usize;

/// What goes into a file beside a network.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Export {
    /// The columns that become of the generator's samples, if they are not as it makes them.
    columns: Option<Columns>,
    /// What the file says about itself, by name.
    metadata: BTreeMap<String, String>,
}

impl Export {
    /// The same with samples in the units of a table: `column = offset + scale * feature`. A column of scale 0 is constant, and no feature
    /// stands for it. A discriminator takes samples without scale, as it was trained.
    #[must_use]
    pub fn with_scale(mut self, offset: Vec<f64>, scale: Vec<f64>) -> Self {
        self.columns = Some(Columns::Scaled([offset, scale]));
        self
    }

    /// The same with samples that are these columns of a table, whose numbers are made of what the generator makes: in its units, rounded as its
    /// numbers are, with choices for categories and NaN where a value is missing. A discriminator takes samples as it was trained.
    ///
    /// ```
    /// use gannet::gan::onnx::{Choice, Column, Curve, Export, Grid, NumberColumn};
    ///
    /// // Whole numbers from 20 to 70, most of them below 40, along two lines.
    /// let curve = Curve::Points(vec![[-2.0, 20.0], [1.0, 40.0], [2.0, 70.0]]);
    /// let grid = Grid { least: 20.0, start: 20.0, step: 1.0, unit: 1.0 };
    /// let age = NumberColumn { feature: 0, curves: vec![curve], grid: Some(grid), offset: 0.0, missing: None };
    /// // A group of three: values 0 and 1, and none.
    /// let city = Choice { feature: 1, weights: vec![1.0; 3], values: vec![0.0, 1.0, f64::NAN] };
    /// let export = Export::default().with_columns(vec![Column::Choice(city), Column::Number(age)]);
    /// # assert_ne!(export, Export::default());
    /// ```
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<Column>) -> Self {
        self.columns = Some(Columns::Made(columns));
        self
    }

    /// The same with these metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: BTreeMap<String, String>) -> Self {
        self.metadata = metadata;
        self
    }
}

/// What becomes of a generator's samples.
#[derive(Clone, Debug, PartialEq)]
enum Columns {
    /// Columns with these offsets and scales; those of scale 0 are constant.
    Scaled([Vec<f64>; 2]),
    /// These.
    Made(Vec<Column>),
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
/// [`Error::InvalidSetting`] where `spec` is not valid, or columns or a scale do not fit it; [`Error::Shape`] where the model does not fit it;
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
    match (&export.columns, network, layers.layers.last()) {
        (Some(Columns::Scaled([offset, scale])), Network::Generator, Some(last)) => {
            check_scale(offset, scale, last.outputs)?;
            column_nodes::add(&mut graph, &scaled(offset, scale), last, output)?;
        }
        (Some(Columns::Made(made)), Network::Generator, Some(last)) => {
            column_nodes::add(&mut graph, made, last, output)?;
        }
        _ => graph.output(output, FLOAT, layers.outputs()),
    }
    let entry = |(key, value): (&String, &String)| StringStringEntryProto { key: key.clone(), value: value.clone() };
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "gannet".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph.finish()),
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

/// The columns of these offsets and scales: one feature behind the other, but for constants.
fn scaled(offset: &[f64], scale: &[f64]) -> Vec<Column> {
    let mut next = 0;
    let column = |(&offset, &scale): (&f64, &f64)| {
        if scale == 0.0 {
            return Column::Constant(offset);
        }
        let curves = vec![Curve::Line { offset, scale }];
        next += 1;
        Column::Number(NumberColumn { feature: next - 1, curves, grid: None, offset: 0.0, missing: None })
    };
    offset.iter().zip(scale).map(column).collect()
}

#[cfg(test)]
mod tests;
