//! Weights of PyTorch's. Second opinion: the tensors cut out by hand, their values computed in 64 bits.

use std::collections::BTreeMap;

use gannet::gan::Network;
use gannet::gan::weights::{Numbering, StateDict, state_dict};

use super::memory::within;
use super::model::{CAP, Tensor, made_of, spec, tensors};
use super::{ORIGIN, is_told};

pub fn check(input: &[u8]) -> bool {
    let spec = spec();
    let parsed = within(CAP, input.len(), || StateDict::from_safetensors(input, &spec, ORIGIN));
    match &parsed {
        Ok(found) => {
            let tensors = tensors(input).expect("a safetensors file");
            for network in [&found.generator, &found.discriminator].into_iter().flatten() {
                for values in network.iter().flat_map(|layer| [&layer.weight, &layer.bias]) {
                    assert!(tensors.values().any(|tensor| holds(tensor, values)), "no tensor holds {values:?}");
                }
            }
        }
        Err(error) => is_told(error, &[""]),
    }
    // What is written reads back, under either numbering, whole or one network alone.
    let mut model = made_of(input, &spec);
    for layer in model.generator.iter_mut().chain(&mut model.discriminator) {
        let values = layer.weight.iter_mut().chain(&mut layer.bias);
        values.filter(|value| !value.is_finite()).for_each(|value| *value = 1.0);
    }
    for numbering in [Numbering::Sequential, Numbering::Layers] {
        let write = |network| state_dict(&model, &spec, network, numbering, BTreeMap::new()).expect("a whole model");
        let read = |bytes: &[u8]| StateDict::from_safetensors(bytes, &spec, ORIGIN).expect("weights that were written");
        let both = read(&write(None));
        assert_eq!(both.generator.as_ref(), Some(&model.generator));
        assert_eq!(both.discriminator.as_ref(), Some(&model.discriminator));
        let one = read(&write(Some(Network::Generator)));
        assert_eq!((one.generator.as_ref(), one.discriminator), (Some(&model.generator), None));
    }
    parsed.is_ok()
}

/// Whether a tensor has these values.
fn holds(tensor: &Tensor, values: &[f32]) -> bool {
    let size = match tensor.kind.as_str() {
        "F64" => 8,
        "F32" => 4,
        _ => 2,
    };
    tensor.bytes.len() == size * values.len()
        && tensor.bytes.chunks(size).zip(values).all(|(bytes, &value)| {
            let expected = match (tensor.kind.as_str(), bytes) {
                ("F64", bytes) => f64::from_le_bytes(bytes.try_into().expect("8 bytes")) as f32,
                ("F32", bytes) => f32::from_le_bytes(bytes.try_into().expect("4 bytes")),
                ("BF16", &[low, high]) => f32::from_le_bytes([0, 0, low, high]),
                ("F16", &[low, high]) => half(u16::from_le_bytes([low, high])),
                _ => return false,
            };
            expected.to_bits() == value.to_bits()
        })
}

/// The value of a finite number of 16 bits (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let magnitude = if exponent == 0 { fraction * 2f64.powi(-14) } else { (1.0 + fraction) * 2f64.powi(exponent - 15) };
    (if bits >> 15 == 1 { -magnitude } else { magnitude }) as f32
}
