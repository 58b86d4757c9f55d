//! The bytes decode to the graph that was meant, and the graph, computed plainly in f64, gives the network's outputs: of every preset, and of
//! columns of a table. ONNX's own checker and ONNX Runtime look at files of some runs in `scripts/check_onnx.py`.

use std::collections::HashMap;

use prost::Message;

use super::messages::{BOOL, DOUBLE, FLOAT, INT64, ModelProto, NodeProto, TensorProto};
use super::{Choice, Column, Curve, Export, Grid, NumberColumn, bytes};
use crate::gan::presets::Preset;
use crate::gan::{GanSpec, Model, Network, NetworkFunction};
use crate::kernel::noise::StreamKey;
use crate::net::parameters::ParameterLayout;
use crate::net::{Activation, LayerSpec, NetworkSpec, Normalization};
use crate::reference::numbers::numbers;
use crate::simd::Isa;

const LATENTS: usize = 3;
const FEATURES: usize = 2;

/// A GAN with every activation, with `conditions`, and a model of it.
fn gan(conditions: usize) -> (GanSpec, Model) {
    let layer = LayerSpec::new;
    let generator = NetworkSpec::new(vec![
        layer(LATENTS + conditions, 7, Activation::LeakyRelu { slope: 0.2 }).with_normalization(Normalization::Layer),
        layer(7, 6, Activation::Relu),
        layer(6, 5, Activation::Tanh).with_dropout(0.5),
        layer(5, 4, Activation::Sigmoid),
        layer(4, FEATURES, Activation::Linear),
    ]);
    let discriminator = NetworkSpec::dense(&[FEATURES + conditions, 5, 1], Activation::Relu, 0.0, Activation::Linear);
    let spec = GanSpec::new(generator, discriminator).with_conditions(conditions);
    let model = model(&spec);
    (spec, model)
}

/// A model of a GAN.
fn model(spec: &GanSpec) -> Model {
    let tensors = |network: &NetworkSpec, seed| {
        let layout = ParameterLayout::new(network);
        let mut arena = vec![0.0; layout.len()];
        layout.initialize(network, Isa::best(), StreamKey::new(seed, 0, 0), &mut arena).unwrap();
        let mut tensors = layout.tensors(&arena).unwrap();
        tensors.iter_mut().for_each(|layer| layer.bias = numbers(layer.bias.len(), seed));
        tensors
    };
    Model::new(tensors(&spec.generator, 1), tensors(&spec.discriminator, 2))
}

fn decoded(conditions: usize, network: Network, export: &Export) -> ModelProto {
    let (spec, model) = gan(conditions);
    ModelProto::decode(bytes(&model, &spec, network, export).unwrap().as_slice()).unwrap()
}

/// The numbers of a tensor.
fn values(tensor: &TensorProto) -> Vec<f64> {
    let raw = &tensor.raw_data;
    let values: Vec<f64> = match tensor.data_type {
        FLOAT => raw.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
        DOUBLE => raw.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        INT64 => raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect(),
        BOOL => raw.iter().map(|byte| f64::from(*byte)).collect(),
        other => panic!("no numbers of kind {other}"),
    };
    assert_eq!(values.len() as i64, tensor.dims.iter().product::<i64>(), "{}", tensor.name);
    values
}

/// What a node makes of its inputs, for one row.
fn computed(node: &NodeProto, inputs: &[Vec<f64>]) -> Vec<f64> {
    let (x, tensors) = (inputs[0].as_slice(), &inputs[1..]);
    let pairs = |function: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        let other = &tensors[0];
        let len = x.len().max(other.len());
        assert!([x.len(), other.len()].iter().all(|own| [1, len].contains(own)), "{}: shapes", node.name);
        (0..len).map(|index| function(x[index % x.len()], other[index % other.len()])).collect()
    };
    let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let each = |function: &dyn Fn(f64) -> f64| x.iter().map(|value| function(*value)).collect();
    match node.op_type.as_str() {
        "Gemm" => {
            assert_eq!(attribute("transB").unwrap().i, Some(1));
            let products = tensors[0].chunks(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
            let bias = tensors.get(1);
            products.enumerate().map(|(index, sum)| sum + bias.map_or(0.0, |bias| bias[index])).collect()
        }
        "LayerNormalization" => {
            assert_eq!(attribute("axis").unwrap().i, Some(-1));
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / x.len() as f64;
            let root = (variance + f64::from(attribute("epsilon").unwrap().f.unwrap())).sqrt();
            let pairs = tensors[0].iter().zip(&tensors[1]);
            x.iter().zip(pairs).map(|(value, (scale, bias))| (value - mean) / root * scale + bias).collect()
        }
        "Relu" => each(&|value| value.max(0.0)),
        "LeakyRelu" => {
            let alpha = f64::from(attribute("alpha").unwrap().f.unwrap());
            each(&|value| if value > 0.0 { value } else { alpha * value })
        }
        "Tanh" => each(&f64::tanh),
        "Sigmoid" => each(&|value| 1.0 / (1.0 + (-value).exp())),
        "Softmax" => {
            let total: f64 = x.iter().map(|value| value.exp()).sum();
            each(&|value| value.exp() / total)
        }
        "Cast" => x.to_vec(),
        // Of a row its values, of a table its entries.
        "Gather" => tensors[0].iter().map(|index| x[*index as usize]).collect(),
        "Mul" => pairs(&|one, other| one * other),
        "Add" => pairs(&|one, other| one + other),
        "Sub" => pairs(&|one, other| one - other),
        "Div" => pairs(&|one, other| one / other),
        "Less" => pairs(&|one, other| f64::from(u8::from(one < other))),
        "LessOrEqual" => pairs(&|one, other| f64::from(u8::from(one <= other))),
        "Floor" => each(&f64::floor),
        "Where" => {
            let of = |values: &[f64], index: usize| values[index % values.len()];
            let choose = |(index, is): (usize, &f64)| of(&tensors[usize::from(*is == 0.0)], index);
            x.iter().enumerate().map(choose).collect()
        }
        "ArgMax" => {
            let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            vec![x.iter().position(|value| *value == largest).unwrap() as f64]
        }
        "ReduceSum" => vec![x.iter().sum()],
        other => panic!("no node {other}"),
    }
}

/// The first output for one row, which is that of the inputs side by side.
fn output(model: &ModelProto, row: &[f32]) -> Vec<f64> {
    outputs(model, row).swap_remove(0)
}

/// All outputs.
fn outputs(model: &ModelProto, row: &[f32]) -> Vec<Vec<f64>> {
    let graph = model.graph.as_ref().unwrap();
    let tensors: HashMap<&str, Vec<f64>> =
        graph.initializer.iter().map(|tensor| (tensor.name.as_str(), values(tensor))).collect();
    // Every value by its name. Inputs stand side by side in `row`.
    let mut known: HashMap<&str, Vec<f64>> = HashMap::new();
    let mut rest = row;
    for (input, (_, width, _)) in graph.input.iter().zip(signature(model)) {
        let values;
        (values, rest) = rest.split_at(width as usize);
        known.insert(input.name.as_str(), values.iter().map(|value| f64::from(*value)).collect());
    }
    for node in &graph.node {
        let outputs = match node.op_type.as_str() {
            "Concat" => vec![node.input.iter().flat_map(|name| known[name.as_str()].clone()).collect()],
            "Split" => {
                let mut rest = known[node.input[0].as_str()].as_slice();
                let sizes = tensors[node.input[1].as_str()].iter();
                let parts = sizes.map(|size| {
                    let part;
                    (part, rest) = rest.split_at(*size as usize);
                    part.to_vec()
                });
                parts.collect()
            }
            _ => {
                let of_node =
                    |name: &String| known.get(name.as_str()).unwrap_or_else(|| &tensors[name.as_str()]).clone();
                vec![computed(node, &node.input.iter().map(of_node).collect::<Vec<_>>())]
            }
        };
        assert_eq!(outputs.len(), node.output.len(), "{}", node.name);
        known.extend(node.output.iter().map(String::as_str).zip(outputs));
    }
    graph.output.iter().map(|output| known[output.name.as_str()].clone()).collect()
}

/// The width of each input and output, and the kind of its numbers.
fn signature(model: &ModelProto) -> Vec<(String, i64, i32)> {
    let graph = model.graph.as_ref().unwrap();
    let values = graph.input.iter().chain(&graph.output);
    values
        .map(|value| {
            let tensor = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
            let [rows, columns] = tensor.shape.as_ref().unwrap().dim.as_slice() else { panic!("two dimensions") };
            assert_eq!(rows.dim_param.as_deref(), Some("rows"));
            (value.name.clone(), columns.dim_value.unwrap(), tensor.elem_type)
        })
        .collect()
}

/// Checks that the graph of a network gives what the network does, for some rows.
fn check(spec: &GanSpec, model: &Model, network: Network, name: &str) {
    let file = bytes(model, spec, network, &Export::default()).unwrap();
    let file = ModelProto::decode(file.as_slice()).unwrap();
    let mut function = NetworkFunction::new(model, spec, network, Isa::best()).unwrap();
    for seed in 0..3 {
        let row = numbers(function.inputs(), seed);
        let mut expected = vec![0.0; function.outputs()];
        function.apply(&row, &mut expected).unwrap();
        let found = output(&file, &row);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            let most = 1e-5 * f64::from(expected.abs()).max(1.0);
            assert!((found - f64::from(*expected)).abs() <= most, "{name}, {network}: {found} {expected}");
        }
    }
}

#[test]
fn the_graph_gives_the_outputs_of_the_network() {
    for conditions in [0, 2] {
        let (spec, model) = gan(conditions);
        Network::ALL.into_iter().for_each(|network| check(&spec, &model, network, "all activations"));
    }
}

#[test]
fn normalizations_that_keep_buffers_are_folded() {
    let (mut spec, _) = gan(0);
    spec.generator = spec.generator.with_normalization(Normalization::Batch);
    spec.discriminator = spec.discriminator.with_normalization(Normalization::Spectral);
    let mut model = model(&spec);
    for layer in &mut model.generator[..4] {
        let means = numbers(layer.bias.len(), 4);
        let variances = numbers(layer.bias.len(), 5).iter().map(|value| value.abs() + 0.1).collect();
        layer.buffers = vec![means, variances];
    }
    Network::ALL.into_iter().for_each(|network| check(&spec, &model, network, "folded"));
}

#[test]
fn groups_of_outputs_become_probabilities() {
    for groups in [vec![2], vec![3, 2], vec![2, 3, 2]] {
        let (mut spec, _) = gan(0);
        let layers = &mut spec.generator.layers;
        (layers[4].outputs, layers[4].softmax) = (7, groups);
        spec.discriminator.layers[0].inputs = 7;
        check(&spec, &model(&spec), Network::Generator, "groups");
    }
}

#[test]
fn every_preset_has_its_graphs() {
    for preset in Preset::ALL {
        let spec = preset.spec();
        let model = model(&spec);
        Network::ALL.into_iter().for_each(|network| check(&spec, &model, network, preset.name()));
    }
}

#[test]
fn inputs_and_outputs_have_names_and_widths() {
    let of = |conditions, network| {
        let file = decoded(conditions, network, &Export::default());
        assert_eq!((file.ir_version, file.opset_import[0].version), (8, 17));
        assert_eq!(file.opset_import[0].domain.as_deref(), Some(""));
        let operators: Vec<String> =
            file.graph.iter().flat_map(|graph| &graph.node).map(|node| node.op_type.clone()).collect();
        (signature(&file), operators.join(" "))
    };
    let value = |name: &str, width| (name.to_string(), width, FLOAT);
    let layers = "Gemm LayerNormalization LeakyRelu Gemm Relu Gemm Tanh Gemm Sigmoid Gemm";
    assert_eq!(of(0, Network::Generator), (vec![value("latents", 3), value("samples", 2)], layers.to_string()));
    let conditional = vec![value("latents", 3), value("conditions", 2), value("samples", 2)];
    assert_eq!(of(2, Network::Generator), (conditional, format!("Concat {layers}")));
    let discriminator = vec![value("samples", 2), value("conditions", 2), value("logits", 1)];
    assert_eq!(of(2, Network::Discriminator), (discriminator, "Concat Gemm Relu Gemm".to_string()));

    let spec = gan(2).0.with_packing(3);
    let file = bytes(&model(&spec), &spec, Network::Discriminator, &Export::default()).unwrap();
    let file = ModelProto::decode(file.as_slice()).unwrap();
    assert_eq!(signature(&file), [value("packs", 12), value("logits", 1)]);
}

#[test]
fn samples_are_scaled_to_the_columns_of_a_table() {
    let (offset, scale) = (vec![1e9, 7.0, -3.0, 8.0], vec![0.5, 0.0, 200.0, 0.0]);
    let metadata = [("columns".to_string(), "[\"a\",\"b\"]".to_string())].into();
    let export = Export::default().with_scale(offset.clone(), scale.clone()).with_metadata(metadata);
    let (plain, scaled) = (decoded(0, Network::Generator, &Export::default()), decoded(0, Network::Generator, &export));
    assert_eq!(signature(&scaled)[1], ("samples".to_string(), 4, DOUBLE));
    let row = numbers(LATENTS, 3);
    let features = output(&plain, &row);
    let expected = [1e9 + 0.5 * features[0], 7.0, -3.0 + 200.0 * features[1], 8.0];
    assert_eq!(output(&scaled, &row), expected);
    let entry = &scaled.metadata_props[0];
    assert_eq!((entry.key.as_str(), entry.value.as_str()), ("columns", "[\"a\",\"b\"]"));

    // Without a constant column nothing is gathered; D takes samples as it was trained.
    let varying = Export::default().with_scale(vec![1.0, 2.0], vec![3.0, 4.0]);
    let file = decoded(0, Network::Generator, &varying);
    assert!(file.graph.unwrap().node.iter().all(|node| node.op_type != "Gather"));
    assert_eq!(decoded(0, Network::Discriminator, &varying), decoded(0, Network::Discriminator, &Export::default()));
}

/// What a curve makes of a number, from its definition.
fn along(curve: &Curve, x: f64) -> f64 {
    match curve {
        Curve::Line { offset, scale } => offset + scale * x,
        Curve::Points(points) => match points.iter().rposition(|[at, _]| *at <= x) {
            None => points[0][1],
            Some(last) if last + 1 == points.len() => points[last][1],
            Some(below) => {
                let ([low, at_low], [high, at_high]) = (points[below], points[below + 1]);
                at_low + (x - low) / (high - low) * (at_high - at_low)
            }
        },
    }
}

#[test]
fn columns_of_a_table_are_made_of_samples() {
    // Numbers 0 to 2, and groups of 3, 2 and 2.
    let layers = vec![
        LayerSpec::new(LATENTS, 24, Activation::Tanh),
        LayerSpec::new(24, 10, Activation::Linear).with_softmax(vec![3, 2, 2]),
    ];
    let discriminator = NetworkSpec::dense(&[10, 5, 1], Activation::Relu, 0.0, Activation::Linear);
    let spec = GanSpec::new(NetworkSpec::new(layers), discriminator);
    let mut model = model(&spec);
    // Numbers and logits with a spread above 1.
    model.generator[1].weight.iter_mut().for_each(|weight| *weight *= 3.0);
    // It jumps at -0.5, is flat up to 0.25, and has three points at 0.5.
    let points = vec![[-0.5, -9.0], [-0.5, 1.0], [0.25, 1.0], [0.5, 2.0], [0.5, 5.0], [0.5, 4.0], [1.0, 8.0]];
    let map = Curve::Points(vec![[-1.0, -0.75], [0.0, 0.0], [1.0, 1.5]]);
    let line = Curve::Line { offset: 1e6, scale: 3.0 };
    let grid = Grid { least: -9.0, start: -900.0, step: 25.0, unit: 100.0 };
    let number = |feature, curves, grid, offset, missing| {
        Column::Number(NumberColumn { feature, curves, grid, offset, missing })
    };
    let columns = vec![
        Column::Choice(Choice { feature: 3, weights: vec![0.75, 4.0, 2.0], values: vec![10.0, 20.0, f64::NAN] }),
        number(1, vec![map.clone(), Curve::Points(points.clone())], Some(grid), 7e9, Some((6, [1.0, 1.1]))),
        Column::Constant(-4.5),
        number(0, vec![Curve::Points(points.clone())], None, 0.0, None),
        number(2, vec![line.clone()], None, 0.0, Some((8, [1.0, 0.9]))),
        number(0, vec![Curve::Points(vec![[0.3, 6.0]])], None, 0.0, None),
    ];
    let export = Export::default().with_columns(columns.clone());
    let file = |network| bytes(&model, &spec, network, &export).unwrap();
    let plain = bytes(&model, &spec, Network::Generator, &Export::default()).unwrap();
    let [plain, made] = [plain, file(Network::Generator)].map(|file| ModelProto::decode(file.as_slice()).unwrap());
    let expected_signature = [("latents", 3, FLOAT), ("samples", 6, DOUBLE), ("probabilities", 7, FLOAT)];
    assert_eq!(signature(&made), expected_signature.map(|(name, width, kind)| (name.to_string(), width, kind)));
    let (mut choices, mut missing, mut places) = ([0; 3], [0; 2], [0; 8]);
    for seed in 0..400 {
        // Latents that make of the numbers all that a curve has.
        let row: Vec<f32> = numbers(LATENTS, seed).iter().map(|value| 6.0 * value).collect();
        let sample = output(&plain, &row);
        let weighted: Vec<f64> = [1.0, 1.0, 1.0, 0.75, 4.0, 2.0, 1.0, f64::from(1.1_f32), 1.0, f64::from(0.9_f32)]
            .iter()
            .zip(&sample)
            .map(|(weight, value)| weight * value)
            .collect();
        let category = (0..3).reduce(|best, place| if weighted[3 + place] > weighted[3 + best] { place } else { best });
        choices[category.unwrap()] += 1;
        let is_missing = [6, 8].map(|first| weighted[first + 1] > weighted[first]);
        missing.iter_mut().zip(is_missing).for_each(|(count, is)| *count += usize::from(is));
        let there = |is_missing: bool, number: f64| if is_missing { f64::NAN } else { number };
        let curved = along(&Curve::Points(points.clone()), along(&map, sample[1]));
        places[points.iter().filter(|[x, _]| *x <= sample[0]).count()] += 1;
        let on_grid = ((curved + 9.0) * 4.0).round() / 4.0 - 9.0;
        let expected = [
            [10.0, 20.0, f64::NAN][category.unwrap()],
            there(is_missing[0], on_grid + 7e9),
            -4.5,
            along(&Curve::Points(points.clone()), sample[0]),
            there(is_missing[1], along(&line, sample[2])),
            6.0,
        ];
        let [found, probabilities] = outputs(&made, &row).try_into().unwrap();
        for (column, (found, expected)) in found.iter().zip(expected).enumerate() {
            let is_same = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(is_same || found.is_nan() && expected.is_nan(), "{column}: {found}, {expected}");
        }
        for group in [3..6, 6..8, 8..10] {
            let total: f64 = weighted[group.clone()].iter().sum();
            let of_group = probabilities[group.start - 3..group.end - 3].iter().zip(&weighted[group]);
            of_group.for_each(|(found, value)| assert!((found - value / total).abs() < 1e-12));
        }
    }
    assert!(choices.iter().chain(&missing).all(|count| *count > 5), "{choices:?}, {missing:?}");
    assert!([0, 2, 3, 6].iter().all(|place| places[*place] > 3), "{places:?}");
    // A discriminator takes samples as it was trained.
    assert!(file(Network::Discriminator) == bytes(&model, &spec, Network::Discriminator, &Export::default()).unwrap());
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let (spec, model) = gan(0);
    let problem = |column: Option<Column>| {
        let export = Export::default().with_columns(column.into_iter().collect());
        bytes(&model, &spec, Network::Generator, &export).unwrap_err().to_string()
    };
    let whole = Grid { least: 0.0, start: 0.0, step: 1.0, unit: 1.0 };
    let number = NumberColumn { feature: 0, curves: Vec::new(), grid: None, offset: 0.0, missing: None };
    let changed = |change: &dyn Fn(&mut NumberColumn)| {
        let mut number = number.clone();
        change(&mut number);
        Some(Column::Number(number))
    };
    let choice = |feature, weights: &[f32], values: &[f64]| {
        Some(Column::Choice(Choice { feature, weights: weights.to_vec(), values: values.to_vec() }))
    };
    for (column, told) in [
        (None, "there are none"),
        (Some(Column::Constant(f64::NAN)), "not finite"),
        (changed(&|number| number.feature = 2), "a value that a sample of 2 does not have"),
        (changed(&|number| number.missing = Some((1, [1.0; 2]))), "a value that a sample of 2 does not have"),
        (changed(&|number| number.missing = Some((usize::MAX, [1.0; 2]))), "a value that a sample of 2 does not have"),
        (changed(&|number| number.missing = Some((0, [1.0, f32::NAN]))), "a weight"),
        (changed(&|number| number.offset = f64::INFINITY), "not finite"),
        (changed(&|number| number.grid = Some(Grid { step: 0.0, ..whole })), "above 0"),
        (changed(&|number| number.grid = Some(Grid { least: f64::NAN, ..whole })), "not finite"),
        (changed(&|number| number.curves = vec![Curve::Points(Vec::new())]), "no points"),
        (changed(&|number| number.curves = vec![Curve::Points(vec![[1.0, 0.0], [0.0, 0.0]])]), "do not ascend"),
        (changed(&|number| number.curves = vec![Curve::Points(vec![[0.0, f64::INFINITY]])]), "not finite"),
        (changed(&|number| number.curves = vec![Curve::Line { offset: 0.0, scale: f64::NAN }]), "not finite"),
        (choice(0, &[1.0], &[1.0, 2.0]), "a weight and a number for each"),
        (choice(0, &[], &[]), "at least one"),
        (choice(1, &[1.0; 2], &[1.0; 2]), "a value that a sample of 2 does not have"),
        (choice(0, &[1.0, f32::INFINITY], &[1.0; 2]), "a weight"),
        (choice(0, &[0.0, 1.0], &[1.0; 2]), "a weight"),
    ] {
        let found = problem(column.clone());
        assert!(found.starts_with("columns: ") && found.contains(told), "{column:?}: {found}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (spec, mut model) = gan(0);
    let problem = |model: &Model, offset: &[f64], scale: &[f64]| {
        let export = Export::default().with_scale(offset.to_vec(), scale.to_vec());
        bytes(model, &spec, Network::Generator, &export).unwrap_err().to_string()
    };
    assert!(problem(&model, &[1.0], &[1.0, 2.0]).contains("give one of each"));
    assert!(problem(&model, &[1.0, f64::NAN], &[1.0, 2.0]).contains("NaN is not a finite number"));
    assert!(problem(&model, &[1.0, 1.0], &[1.0, 0.0]).contains("1 columns vary, but the generator makes 2 values"));
    model.generator[2].bias[1] = f32::NAN;
    let error = bytes(&model, &spec, Network::Generator, &Export::default()).unwrap_err().to_string();
    assert!(error.contains("a bias of the generator's layer 2 is not finite"), "{error}");
    model.generator.pop();
    let error = bytes(&model, &spec, Network::Generator, &Export::default()).unwrap_err().to_string();
    assert_eq!(error, "generator: expected 5 layers, found 4 layers");
}
