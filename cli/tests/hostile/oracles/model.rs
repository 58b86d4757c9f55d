//! Model files. Second opinion: the header read by serde_json, the tensors cut out by their offsets.

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use gannet::gan::{GanSpec, Model, Objective, OptimizerSpec};
use gannet::net::Activation::{Linear, Relu};
use gannet::net::{LayerTensors, NetworkSpec};
use serde_json::Value;

use super::memory::{Cap, within};
use super::{ORIGIN, is_told};

/// The header of a safetensors file is read into a table of tensors, twice: the entries of metadata are wanted too.
pub(super) const CAP: Cap = Cap { each: 64, fixed: 16 << 10 };

/// Networks as small as can be.
pub(crate) fn spec() -> GanSpec {
    GanSpec::new(NetworkSpec::dense(&[1, 2, 2], Relu, 0.0, Linear), NetworkSpec::dense(&[2, 2, 1], Relu, 0.0, Linear))
        .with_objective(Objective::Minimax)
        .with_optimizers(OptimizerSpec::adam(0.001))
}

pub fn check(input: &[u8]) -> bool {
    let spec = spec();
    let parsed = within(CAP, input.len(), || Model::from_safetensors(input, &spec, ORIGIN));
    match &parsed {
        Ok(model) => {
            agrees(model, input);
            reads_back(model, &spec);
        }
        Err(error) => is_told(error, &[""]),
    }
    reads_back(&made_of(input, &spec), &spec);
    parsed.is_ok()
}

/// Asserts that what is written of `model` reads back with the same bits.
fn reads_back(model: &Model, spec: &GanSpec) {
    let written = model.to_safetensors(spec).expect("a model of this specification");
    let back = Model::from_safetensors(&written, spec, ORIGIN).expect("a model that was written");
    assert_eq!(bits(&back), bits(model));
}

/// The bits of all values: numbers that are none are not equal.
fn bits(model: &Model) -> Vec<u32> {
    let layers = model.generator.iter().chain(&model.discriminator);
    layers.flat_map(|layer| layer.weight.iter().chain(&layer.bias)).map(|value| value.to_bits()).collect()
}

/// A model with the bits of `input`.
pub(crate) fn made_of(input: &[u8], spec: &GanSpec) -> Model {
    let mut source = Unstructured::new(input);
    let mut values =
        |count: usize| (0..count).map(|_| f32::from_bits(source.arbitrary().unwrap_or_default())).collect::<Vec<f32>>();
    let mut network = |network: &NetworkSpec| -> Vec<LayerTensors> {
        network
            .layers
            .iter()
            .map(|layer| LayerTensors::new(values(layer.inputs * layer.outputs), values(layer.outputs)))
            .collect()
    };
    Model::new(network(&spec.generator), network(&spec.discriminator))
}

/// Asserts that the tensors are found in `input` by hand, too.
fn agrees(model: &Model, input: &[u8]) {
    let tensors = tensors(input).expect("a safetensors file");
    for (name, layers) in [("generator", &model.generator), ("discriminator", &model.discriminator)] {
        for (index, layer) in layers.iter().enumerate() {
            for (kind, values) in [("weight", &layer.weight), ("bias", &layer.bias)] {
                let tensor = &tensors[&format!("{name}.{index}.{kind}")];
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                assert_eq!((tensor.kind.as_str(), &tensor.bytes), ("F32", &bytes));
                assert_eq!(tensor.shape.iter().product::<u64>(), values.len() as u64);
            }
        }
    }
}

/// A tensor as a file holds it.
pub(super) struct Tensor {
    pub(super) kind: String,
    pub(super) shape: Vec<u64>,
    pub(super) bytes: Vec<u8>,
}

/// The tensors of a file by their names.
pub(super) fn tensors(file: &[u8]) -> Option<BTreeMap<String, Tensor>> {
    let (length, rest) = file.split_first_chunk()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let header: Value = serde_json::from_slice(header).ok()?;
    let tensor = |(name, entry): (&String, &Value)| {
        let numbers =
            |field: &str| -> Option<Vec<u64>> { entry[field].as_array()?.iter().map(Value::as_u64).collect() };
        let [start, end] = numbers("data_offsets")?[..] else { return None };
        let bytes = data.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?.to_vec();
        Some((name.clone(), Tensor { kind: entry["dtype"].as_str()?.to_string(), shape: numbers("shape")?, bytes }))
    };
    header.as_object()?.iter().filter(|(name, _)| *name != "__metadata__").map(tensor).collect()
}
