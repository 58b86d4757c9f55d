//! Named tensors in safetensors files: what model files and checkpoints share.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::atomic_file::{self, Placing};
use crate::error::{Error, Result};
use crate::memory::room;
use crate::net::{LayerTensors, NetworkSpec};

/// Bytes that are written at once.
const BLOCK: usize = 256 * 1024;

/// A tensor: name, shape and values.
pub(super) type NamedTensor<'a> = (String, Vec<usize>, &'a [f32]);

/// The tensors of a network named `name`: `name.0.weight` of shape `[outputs, inputs]`, `name.0.bias`, ... each with `suffix`.
pub(super) fn named<'a>(
    name: &str,
    network: &NetworkSpec,
    tensors: &'a LayerTensors,
    suffix: &str,
) -> Vec<NamedTensor<'a>> {
    let layers = network.layers.iter().zip(tensors).enumerate();
    layers
        .flat_map(|(index, (layer, (weight, bias)))| {
            [
                (format!("{name}.{index}.weight{suffix}"), vec![layer.outputs, layer.inputs], weight.as_slice()),
                (format!("{name}.{index}.bias{suffix}"), vec![layer.outputs], bias.as_slice()),
            ]
        })
        .collect()
}

/// The bytes of a safetensors file with an entry of metadata, name and text, if there is one.
pub(super) fn serialize(tensors: &[NamedTensor<'_>], metadata: Option<(&str, String)>) -> Result<Vec<u8>> {
    let problem = |error: safetensors::SafeTensorError| Error::data("tensors", error.to_string());
    if let Some((name, shape, values)) =
        tensors.iter().find(|(_, shape, values)| shape.iter().product::<usize>() != values.len())
    {
        return Err(Error::shape(name.clone(), format!("{shape:?}"), format!("{} values", values.len())));
    }
    let views = tensors.iter().map(|(name, shape, values)| (name, Values { shape, values }));
    let metadata = metadata.map(|(name, text)| [(name.to_string(), text)].into_iter().collect());
    safetensors::serialize(views, metadata).map_err(problem)
}

/// A tensor whose bytes are made when they are written: one tensor's at a time are in memory.
struct Values<'a> {
    shape: &'a [usize],
    values: &'a [f32],
}

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::with_capacity(self.data_len());
        self.values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        bytes.into()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

/// The tensors in the bytes of a file.
pub(super) fn deserialize<'a>(bytes: &'a [u8], origin: &str) -> Result<SafeTensors<'a>> {
    SafeTensors::deserialize(bytes)
        .map_err(|error| Error::data(origin, format!("not a safetensors file, or a damaged one ({error})")))
}

/// The values of the tensor `name`, which must be of type F32 and of `shape`.
pub(super) fn values(file: &SafeTensors<'_>, name: &str, shape: &[usize], origin: &str) -> Result<Vec<f32>> {
    let tensor = file.tensor(name).map_err(|_| Error::data(origin, format!("the tensor {name} is missing")))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        let (dtype, found) = (tensor.dtype(), tensor.shape());
        return Err(Error::data(origin, format!("{name} is {dtype:?} {found:?} instead of F32 {shape:?}")));
    }
    let (bytes, _) = tensor.data().as_chunks();
    let mut values = room(bytes.len())?;
    values.extend(bytes.iter().map(|&bytes| f32::from_le_bytes(bytes)));
    Ok(values)
}

/// The tensors of a network that [`named`] names.
pub(super) fn layers(
    file: &SafeTensors<'_>,
    name: &str,
    network: &NetworkSpec,
    suffix: &str,
    origin: &str,
) -> Result<LayerTensors> {
    let layers = network.layers.iter().enumerate();
    layers
        .map(|(index, layer)| {
            let tensor = |kind, shape: &[usize]| values(file, &format!("{name}.{index}.{kind}{suffix}"), shape, origin);
            Ok((tensor("weight", &[layer.outputs, layer.inputs])?, tensor("bias", &[layer.outputs])?))
        })
        .collect()
}

/// Writes a file whole or not at all: to a temporary file beside it, which is synced and then takes its place; then the folder
/// is synced.
///
/// # Errors
///
/// [`Error::Io`]; what stood at `path` before is then still there.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = |file: &mut File| bytes.chunks(BLOCK).try_for_each(|block| file.write_all(block));
    atomic_file::write(path, Placing::Replace, write).map_err(|source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
