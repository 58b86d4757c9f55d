//! Files as gannet and PyTorch write them, and everything that does not fit.

use std::ops::ControlFlow;
use std::sync::Arc;

use safetensors::tensor::TensorView;

use super::*;
use crate::gan::presets::Preset;
use crate::gan::{NetworkFunction, Trainer, TrainerOptions};

/// A GAN with dropout and every module that has no weights, and a model of it.
fn trained() -> (GanSpec, Model) {
    let mut spec = Preset::Circle.spec();
    spec.generator.layers[1].activation = Activation::LeakyRelu { slope: 0.2 };
    spec.generator.layers[2].activation = Activation::Tanh;
    let points = std::sync::Arc::new(crate::data::synthetic::circle(64, 1).unwrap());
    let model = Trainer::new(spec.clone(), points, TrainerOptions::default()).unwrap().model().unwrap();
    (spec, model)
}

fn read(tensors: &[(&str, &[usize], Dtype, Vec<u8>)], spec: &GanSpec) -> Result<StateDict> {
    let views = tensors
        .iter()
        .map(|(name, shape, dtype, bytes)| (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    let bytes = safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap();
    StateDict::from_safetensors(&bytes, spec, "w")
}

fn zeros(shape: &[usize]) -> Vec<u8> {
    vec![0; 4 * shape.iter().product::<usize>()]
}

#[test]
fn what_is_written_is_read_back() {
    let (spec, model) = trained();
    for numbering in [Numbering::Sequential, Numbering::Layers] {
        for network in [None, Some(Network::Generator), Some(Network::Discriminator)] {
            let bytes = state_dict(&model, &spec, network, numbering, BTreeMap::new()).unwrap();
            let found = StateDict::from_safetensors(&bytes, &spec, "w").unwrap();
            let holds = |part| network.is_none_or(|network| network == part);
            assert_eq!(found.generator, holds(Network::Generator).then(|| model.generator.clone()), "{numbering:?}");
            assert_eq!(found.discriminator, holds(Network::Discriminator).then(|| model.discriminator.clone()));
            let mut other = Model { generator: Vec::new(), discriminator: Vec::new() };
            found.put_into(&mut other);
            assert_eq!(other.generator.is_empty(), !holds(Network::Generator));
        }
    }
    // gannet's own model file too.
    let own = StateDict::from_safetensors(&model.to_safetensors(&spec).unwrap(), &spec, "w").unwrap();
    assert_eq!(own, StateDict { generator: Some(model.generator), discriminator: Some(model.discriminator) });
}

#[test]
fn names_are_those_of_a_sequential() {
    let (spec, model) = trained();
    let names = |network, numbering| {
        let metadata = BTreeMap::from([("scale".to_string(), "[1.0]".to_string())]);
        let bytes = state_dict(&model, &spec, network, numbering, metadata).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["scale"], "[1.0]");
        let mut names: Vec<String> = header.tensors().into_keys().filter(|name| name.ends_with("weight")).collect();
        names.sort();
        names
    };
    assert_eq!(names(Some(Network::Generator), Numbering::Sequential), ["0.weight", "2.weight", "4.weight"]);
    // Linear, ReLU, Dropout, three times, and the last Linear.
    let discriminator = ["0.weight", "3.weight", "6.weight", "9.weight"];
    assert_eq!(names(Some(Network::Discriminator), Numbering::Sequential), discriminator);
    assert_eq!(names(Some(Network::Generator), Numbering::Layers), ["0.weight", "1.weight", "2.weight"]);
    assert!(names(None, Numbering::Sequential).contains(&"discriminator.9.weight".to_string()));
    assert_eq!(
        sequential(&spec.generator),
        "nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2), nn.Tanh())"
    );
    assert!(sequential(&spec.discriminator).contains("nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 64)"));
}

/// A `Linear` without biases, a `LayerNorm` with them: as PyTorch has it, and as gannet numbers it.
#[test]
fn normalized_layers_go_out_and_in() {
    let (mut spec, model) = trained();
    spec.generator = spec.generator.with_normalization(Normalization::Layer);
    assert_eq!(
        sequential(&spec.generator),
        "nn.Sequential(nn.Linear(2, 16, bias=False), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 32, bias=False), \
         nn.LayerNorm(32), nn.LeakyReLU(0.2), nn.Linear(32, 2), nn.Tanh())"
    );
    let dict = |numbering| state_dict(&model, &spec, Some(Network::Generator), numbering, BTreeMap::new()).unwrap();
    for numbering in [Numbering::Sequential, Numbering::Layers] {
        let found = StateDict::from_safetensors(&dict(numbering), &spec, "w").unwrap();
        assert_eq!(found.generator.as_ref(), Some(&model.generator), "{numbering:?}");
    }
    let bytes = dict(Numbering::Sequential);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let names = file.names();
    for name in ["0.weight", "1.weight", "1.bias", "3.weight", "4.weight", "4.bias", "6.weight", "6.bias"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert_eq!(names.len(), 8);
    let mut spec = Preset::Gaussian2d.spec();
    spec.generator = NetworkSpec::dense(&[2, 2, 2], Activation::Relu, 0.0, Activation::Linear)
        .with_normalization(Normalization::Layer);
    let with_gain = |gain: f32| {
        let gain = gain.to_le_bytes().repeat(2);
        let tensors: [(&str, &[usize], Dtype, Vec<u8>); 5] = [
            ("G.0.weight", &[2, 2], Dtype::F32, zeros(&[2, 2])),
            ("G.1.weight", &[2], Dtype::F32, gain),
            ("G.1.bias", &[2], Dtype::F32, zeros(&[2])),
            ("G.3.weight", &[2, 2], Dtype::F32, zeros(&[2, 2])),
            ("G.3.bias", &[2], Dtype::F32, zeros(&[2])),
        ];
        read(&tensors, &spec)
    };
    with_gain(1.0).unwrap();
    let error = with_gain(0.5).unwrap_err().to_string();
    assert!(error.contains("G.1.weight is not all ones"), "{error}");
    // Biases before the normalization are others than behind it, whether it has tensors of its own or none.
    for normalization in [&[("G.1.weight", vec![2]), ("G.1.bias", vec![2])][..], &[]] {
        let names =
            [("G.0.weight", vec![2, 2]), ("G.0.bias", vec![2]), ("G.3.weight", vec![2, 2]), ("G.3.bias", vec![2])];
        let shapes: Vec<_> = names.iter().chain(normalization).collect();
        let ones = |shape: &[usize]| 1f32.to_le_bytes().repeat(shape.iter().product());
        let tensors: Vec<(&str, &[usize], Dtype, Vec<u8>)> =
            shapes.iter().map(|(name, shape)| (*name, shape.as_slice(), Dtype::F32, ones(shape))).collect();
        let error = read(&tensors, &spec).unwrap_err().to_string();
        assert!(error.contains("G.0.bias stands before the normalization of layer 0"), "{error}");
    }
}

/// A `BatchNorm1d` with running statistics, and a plain `Linear` of the weights that spectral normalization has divided.
#[test]
fn what_normalizations_keep_goes_out_and_in() {
    let points = Arc::new(crate::data::synthetic::circle(100, 1).unwrap());
    let mut spec = Preset::Circle.spec();
    spec.generator = spec.generator.with_normalization(Normalization::Batch);
    spec.discriminator = spec.discriminator.with_normalization(Normalization::Spectral);
    let mut trainer = Trainer::new(spec.clone(), points, TrainerOptions::default()).unwrap();
    trainer.run(20, 0, |_| ControlFlow::Continue(())).unwrap();
    let model = trainer.model().unwrap();
    assert_eq!(
        sequential(&spec.generator),
        "nn.Sequential(nn.Linear(2, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 32, bias=False), \
         nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))"
    );
    let dict = |numbering| state_dict(&model, &spec, None, numbering, BTreeMap::new()).unwrap();
    let read = |bytes: &[u8]| StateDict::from_safetensors(bytes, &spec, "w").unwrap();
    let layers = read(&dict(Numbering::Layers));
    assert_eq!(layers.generator.as_ref(), Some(&model.generator));
    assert_eq!(layers.discriminator.as_ref(), Some(&model.discriminator));
    let bytes = dict(Numbering::Sequential);
    let modules = read(&bytes);
    assert_eq!(modules.generator.as_ref(), Some(&model.generator));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for name in ["generator.1.running_mean", "generator.4.running_var", "discriminator.0.bias"] {
        assert!(file.tensor(name).is_ok(), "{name}");
    }
    assert!(!file.names().iter().any(|name| name.contains("singular_vector")));

    // What was divided is of norm 1, so that D stays the function that it was.
    let mut again = model.clone();
    modules.put_into(&mut again);
    assert_ne!(again.discriminator, model.discriminator);
    let [before, after] = [&model, &again].map(|model| {
        let mut logits = [0.0; 4];
        let mut function = NetworkFunction::new(model, &spec, Network::Discriminator, Isa::best()).unwrap();
        function.apply(&[0.5, 0.5, -1.0, 0.0, 0.2, -0.7, 3.0, 1.0], &mut logits).unwrap();
        logits
    });
    for (before, after) in before.iter().zip(after) {
        assert!((before - after).abs() < 0.02 * (1.0 + before.abs()), "{before} {after}");
    }

    // Without running statistics samples would not be those of the network.
    let without: Vec<_> =
        model.generator.iter().map(|of| LayerTensors::new(of.weight.clone(), of.bias.clone())).collect();
    let mut plain = spec.clone();
    plain.generator.layers.iter_mut().for_each(|layer| layer.normalization = Normalization::None);
    let of_plain = Model::new(without, model.discriminator.clone());
    let bytes = state_dict(&of_plain, &plain, Some(Network::Generator), Numbering::Layers, BTreeMap::new()).unwrap();
    let error = StateDict::from_safetensors(&bytes, &spec, "w").unwrap_err().to_string();
    assert!(error.contains("layer 0 of the generator has no running_mean"), "{error}");
    let error = StateDict::from_safetensors(&dict(Numbering::Layers), &plain, "w").unwrap_err().to_string();
    assert!(error.contains("running_mean is of a normalization that layer 0 of the generator has not"), "{error}");
}

#[test]
fn every_spelling_and_type_is_read() {
    let mut spec = Preset::Gaussian2d.spec();
    spec.generator = NetworkSpec::dense(&[2, 1, 2], Activation::Relu, 0.0, Activation::Linear);
    let f32s = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let f64s = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let halves = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let expected =
        vec![LayerTensors::new(vec![1.5, -2.0], vec![0.5]), LayerTensors::new(vec![1.0, 0.25], vec![-1.0, 3.0])];
    for prefix in ["", "generator.", "G.", "netG.main.", "module.netg.", "fc", "model."] {
        // Numbers count as numbers: 2 stands before 10.
        let names = [2, 10].map(|number| ["weight", "bias"].map(|kind| format!("{prefix}{number}.{kind}")));
        let tensors: [(&str, &[usize], Dtype, Vec<u8>); 4] = [
            (&names[0][0], &[1, 2], Dtype::F32, f32s(&[1.5, -2.0])),
            (&names[0][1], &[1], Dtype::F64, f64s(&[0.5])),
            (&names[1][0], &[2, 1], Dtype::F16, halves(&[0x3c00, 0x3400])),
            (&names[1][1], &[2], Dtype::BF16, halves(&[0xbf80, 0x4040])),
        ];
        let found = read(&tensors, &spec).unwrap();
        assert_eq!(found.generator.as_ref(), Some(&expected), "{prefix}");
        assert_eq!(found.discriminator, None);
    }
}

/// By the crate `half`, every number of 16 bits.
#[test]
fn halves_have_their_value() {
    for bits in 0..=u16::MAX {
        let (found, expected) = (from_half(bits), half::f16::from_bits(bits).to_f32());
        assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(), "{bits:#x}: {found}");
    }
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let found = values(Dtype::BF16, &bytes).unwrap().unwrap();
    for (bits, found) in (0..=u16::MAX).zip(found) {
        let expected = half::bf16::from_bits(bits).to_f32();
        assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(), "{bits:#x}: {found}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let spec = Preset::Gaussian2d.spec();
    let (weight, bias): (&[usize], &[usize]) = (&[2, 2], &[2]);
    let tensor = |name, shape: &'static [usize]| (name, shape, Dtype::F32, zeros(shape));
    let good = [tensor("G.0.weight", &[2, 2]), tensor("G.0.bias", &[2])];
    read(&good, &spec).unwrap();
    let nan = f32::NAN.to_le_bytes().repeat(2);
    for (tensors, part) in [
        (vec![], "holds no tensors"),
        (
            vec![tensor("G.0.weight", &[2, 3]), good[1].clone()],
            "G.0.weight has the shape [2, 3], but layer 0 of the generator needs [2, 2]",
        ),
        (vec![good[0].clone(), tensor("G.0.bias", &[3])], "G.0.bias has the shape [3]"),
        (vec![good[0].clone()], "layer 0 of the generator has no bias"),
        (vec![good[1].clone()], "layer 0 of the generator has no weight"),
        (
            vec![good[0].clone(), good[1].clone(), tensor("G.1.weight", &[2, 2])],
            "holds 2 layers of the generator, but it has 1",
        ),
        (vec![tensor("G.weight", weight)], "G.weight is no weight or bias with a number"),
        (vec![tensor("G.0.scale", bias)], "G.0.scale is no weight or bias"),
        (
            vec![good[0].clone(), good[1].clone(), tensor("G.0.running_mean", bias)],
            "G.0.running_mean is of a normalization that layer 0 of the generator has not",
        ),
        (vec![tensor("G.99999999999999999999.weight", weight)], "with a number"),
        (vec![tensor("weight", weight)], "with a number"),
        (vec![good[0].clone(), tensor("G.00.weight", weight)], "have the same number"),
        (
            vec![tensor("x.0.weight", &[5, 7])],
            "the tensors of `x` fit neither network: x.0.weight [5, 7]; the generator has [2, 2]",
        ),
        (
            vec![good[0].clone(), good[1].clone(), tensor("netG.0.weight", weight), tensor("netG.0.bias", bias)],
            "several names",
        ),
        (vec![("G.0.weight", weight, Dtype::I32, zeros(weight)), good[1].clone()], "G.0.weight is I32; F32"),
        (vec![good[0].clone(), ("G.0.bias", bias, Dtype::F32, nan)], "value 0 of the tensor G.0.bias is NaN"),
    ] {
        let error = read(&tensors, &spec).unwrap_err().to_string();
        assert!(error.starts_with("w: ") && error.contains(part), "`{part}` is not in `{error}`");
        assert!(!error.contains('\n'), "{error}");
    }
    let mut twins = Preset::Mixture1dDeep.spec();
    twins.discriminator = NetworkSpec::dense(&[1, 1], Activation::Relu, 0.0, Activation::Linear);
    twins.generator = twins.discriminator.clone();
    let error = read(&[tensor("0.weight", &[1, 1]), tensor("0.bias", &[1])], &twins).unwrap_err().to_string();
    assert!(error.contains("fit both networks"), "{error}");
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let (spec, model) = trained();
    let good = state_dict(&model, &spec, None, Numbering::Sequential, BTreeMap::new()).unwrap();
    for end in (0..good.len()).step_by(101) {
        assert!(StateDict::from_safetensors(&good[..end], &spec, "w").is_err(), "{end}");
    }
    for bit in 0..8 * 600 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Another number or an error, never a panic.
        StateDict::from_safetensors(&bytes, &spec, "w").ok();
    }
    let pickle = StateDict::from_safetensors(b"PK\x03\x04...", &spec, "w").unwrap_err().to_string();
    assert!(pickle.contains("safetensors.torch.save_file"), "{pickle}");
    let dir = tempfile::tempdir().unwrap();
    assert!(StateDict::load(&spec, dir.path()).unwrap_err().to_string().contains("not a regular file"));
    let large = dir.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    assert!(StateDict::load(&spec, &large).unwrap_err().to_string().contains("bytes are more than the"));
}

#[test]
fn a_model_that_is_not_finite_is_not_handed_on() {
    let (spec, good) = trained();
    let isa = crate::simd::Isa::best();
    let dict = |model: &Model, network| state_dict(model, &spec, network, Numbering::Layers, BTreeMap::new());
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (network, name) in [(Network::Generator, "generator"), (Network::Discriminator, "discriminator")] {
            let other = if network == Network::Generator { Network::Discriminator } else { Network::Generator };
            for layer in 0..spec.network(network).layers.len() {
                for tensor in ["weight", "bias"] {
                    let mut model = good.clone();
                    let tensors =
                        if network == Network::Generator { &mut model.generator } else { &mut model.discriminator };
                    let values = if tensor == "weight" { &mut tensors[layer].weight } else { &mut tensors[layer].bias };
                    *values.last_mut().unwrap() = value;
                    let refused = |outcome: Result<(), Error>| match outcome {
                        Err(Error::ModelNotFinite { network, layer: found, quantity }) => {
                            assert_eq!((network.name(), found, quantity), (name, layer, tensor));
                        }
                        other => panic!("{name} {layer} {tensor}: {other:?}"),
                    };
                    refused(model.check_finite());
                    refused(dict(&model, None).map(drop));
                    refused(dict(&model, Some(network)).map(drop));
                    dict(&model, Some(other)).unwrap();
                    let samples = model.sample(&spec, 3, 0, isa).map(drop);
                    if network == Network::Generator {
                        refused(samples)
                    } else {
                        samples.unwrap()
                    }
                    // To be looked at, it may still be written.
                    model.to_safetensors(&spec).unwrap();
                }
            }
        }
    }
    good.check_finite().unwrap();
    // Finite weights that make samples beyond the largest number.
    let mut steep = good;
    // The tanh behind the last layer may hide infinity, but not what sums of both signs of it are.
    steep.generator[1].weight.fill(f32::MAX);
    steep.generator[1].bias.fill(f32::MAX);
    let message = steep.sample(&spec, 1_000, 0, isa).unwrap_err().to_string();
    assert_eq!(
        message,
        "an activation of the generator's layer 1 is not finite, so the model is of no use; take one from before its training \
         failed"
    );
}

#[test]
fn metadata_that_no_reader_takes_are_not_written() {
    let (spec, model) = trained();
    let metadata = BTreeMap::from([("columns".to_string(), "x".repeat(9 << 20))]);
    let error = state_dict(&model, &spec, None, Numbering::Layers, metadata).unwrap_err().to_string();
    assert!(error.contains("names and metadata take"), "{error}");
}
