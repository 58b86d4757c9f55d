//! Named tensors in safetensors files: what model files and checkpoints share.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorInfo};

use super::names::{BIAS, BUFFER, WEIGHT};
use crate::atomic_file::{self, Placing};
use crate::error::{Error, Result};
use crate::memory::room;
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;

/// Most bytes before the tensors of a file: names, shapes and metadata. Those of 10,000 layers fit, and as much text again.
/// What is longer is neither written nor read.
pub(super) const MOST_HEADER: u64 = 8 * 1024 * 1024;

/// Most bytes of texts that stand as tensors of their own, all together. What is longer is neither written nor read.
pub(super) const MOST_TEXTS: u64 = 64 * 1024 * 1024;

/// Bytes of the number that a file begins with: the length of the header behind it.
const LENGTH_BYTES: u64 = size_of::<u64>() as u64;

/// Bytes that are written at once.
const BLOCK: usize = 256 * 1024;

/// A tensor: name, shape and values.
pub(super) type NamedTensor<'a> = (String, Vec<usize>, &'a [f32]);

/// The tensors of a network named `name`: `name.0.weight` of shape `[outputs, inputs]`, `name.0.bias`, and what its normalization keeps
/// (`name.0.running_mean`), ... each with `suffix`.
pub(super) fn named<'a>(
    name: &str,
    network: &NetworkSpec,
    tensors: &'a [LayerTensors],
    suffix: &str,
) -> Vec<NamedTensor<'a>> {
    let mut named: Vec<NamedTensor<'a>> = Vec::new();
    for (index, (layer, LayerTensors { weight, bias, buffers })) in network.layers.iter().zip(tensors).enumerate() {
        let mut add = |kind: &str, shape, values| named.push((format!("{name}.{index}.{kind}{suffix}"), shape, values));
        add(WEIGHT, vec![layer.outputs, layer.inputs], weight);
        add(BIAS, vec![layer.outputs], bias);
        for (kind, buffer) in layer.normalization.buffers().iter().zip(buffers) {
            add(kind, vec![layer.outputs], buffer);
        }
    }
    named
}

/// Checks that all values of `network` are finite.
///
/// # Errors
///
/// [`Error::ModelNotFinite`] that names the first tensor with one that is not.
pub(super) fn check_finite(network: Network, tensors: &[LayerTensors]) -> Result<()> {
    for (layer, LayerTensors { weight, bias, buffers }) in tensors.iter().enumerate() {
        let kept = buffers.iter().map(|buffer| (BUFFER, buffer));
        for (quantity, values) in [(WEIGHT, weight), (BIAS, bias)].into_iter().chain(kept) {
            if !values.iter().all(|value| value.is_finite()) {
                return Err(Error::ModelNotFinite { network, layer, quantity });
            }
        }
    }
    Ok(())
}

/// The bytes of a safetensors file that [`deserialize`] reads.
///
/// # Errors
///
/// [`Error::Data`] where names and metadata are longer than [`MOST_HEADER`]; [`Error::OutOfMemory`].
pub(super) fn serialize(tensors: &[NamedTensor<'_>], metadata: BTreeMap<String, String>) -> Result<Vec<u8>> {
    serialize_with_texts(tensors, &[], metadata)
}

/// The same with named texts behind the tensors, each a tensor of its UTF-8 bytes, in the order of their names.
///
/// # Errors
///
/// As [`serialize`].
pub(super) fn serialize_with_texts(
    tensors: &[NamedTensor<'_>],
    texts: &[(String, &str)],
    metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    check_texts(metadata.iter().map(|(name, text)| name.len() + text.len()).sum())?;
    if let Some((name, shape, values)) =
        tensors.iter().find(|(_, shape, values)| shape.iter().product::<usize>() != values.len())
    {
        return Err(Error::shape(name.clone(), format!("{shape:?}"), format!("{} values", values.len())));
    }
    // The library's own function ends the process where it gets no memory for the file; it gives the same bytes.
    let mut tensors: Vec<&NamedTensor<'_>> = tensors.iter().collect();
    tensors.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let mut end = 0usize;
    let places = tensors.iter().map(|(name, shape, values)| {
        let start = end;
        end += size_of_val(*values);
        (name.as_str(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets: (start, end) })
    });
    let mut places: Vec<_> = places.collect();
    places.extend(texts.iter().map(|(name, text)| {
        let start = end;
        end += text.len();
        (name.as_str(), TensorInfo { dtype: Dtype::U8, shape: vec![text.len()], data_offsets: (start, end) })
    }));
    let mut header =
        header(&metadata, places.into_iter()).map_err(|problem| Error::data("tensors", problem.to_string()))?;
    header.resize(header.len().next_multiple_of(LENGTH_BYTES as usize), b' ');
    check_header(header.len() as u64, "this file")?;
    let mut bytes = room((LENGTH_BYTES as usize + header.len()).saturating_add(end))?;
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for (_, _, values) in tensors {
        values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    }
    texts.iter().for_each(|(_, text)| bytes.extend_from_slice(text.as_bytes()));
    Ok(bytes)
}

/// The header of a file: the metadata, then the tensors, each in the order in which they come. (The library keeps metadata in an
/// order that differs from call to call.)
fn header<'a>(
    metadata: &BTreeMap<String, String>,
    tensors: impl Iterator<Item = (&'a str, TensorInfo)>,
) -> serde_json::Result<Vec<u8>> {
    let mut header = vec![b'{'];
    if !metadata.is_empty() {
        header.extend(b"\"__metadata__\":");
        serde_json::to_writer(&mut header, metadata)?;
    }
    for (name, info) in tensors {
        if header.len() > 1 {
            header.push(b',');
        }
        serde_json::to_writer(&mut header, name)?;
        header.push(b':');
        serde_json::to_writer(&mut header, &info)?;
    }
    header.push(b'}');
    Ok(header)
}

/// Checks the length of texts that a header is to hold against [`MOST_HEADER`], before anything is made of them.
pub(super) fn check_texts(length: usize) -> Result<()> {
    check_header(length as u64, "this file")
}

/// Checks the length of a header against [`MOST_HEADER`].
fn check_header(length: u64, origin: &str) -> Result<()> {
    if length.saturating_add(LENGTH_BYTES) > MOST_HEADER {
        let most = MOST_HEADER - LENGTH_BYTES;
        let problem = format!(
            "its names and metadata take {length} bytes, of which a file may have {most}; shorten names and notes"
        );
        return Err(Error::data(origin, problem));
    }
    Ok(())
}

/// The texts among the tensors of a file, those whose names begin with `prefix`, by what follows it.
///
/// # Errors
///
/// [`Error::Data`] for one that is no text; [`Error::OutOfMemory`].
pub(super) fn texts(file: &SafeTensors<'_>, prefix: &str, origin: &str) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (name, tensor) in file.iter() {
        let Some(key) = name.strip_prefix(prefix) else { continue };
        let problem = || Error::data(origin, format!("the tensor {name} is no text in UTF-8"));
        let text = Some(tensor.data()).filter(|_| tensor.dtype() == Dtype::U8);
        let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(problem)?;
        let mut copied = String::new();
        copied.try_reserve_exact(text.len()).map_err(|_| Error::OutOfMemory { bytes: text.len() as u64 })?;
        copied.push_str(text);
        found.insert(key.to_string(), copied);
    }
    Ok(found)
}

/// The tensors in the bytes of a file.
pub(super) fn deserialize<'a>(bytes: &'a [u8], origin: &str) -> Result<SafeTensors<'a>> {
    // Of what is no such file the first bytes are no length of anything.
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    if length <= bytes.len() as u64 {
        check_header(length, origin)?;
    }
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

/// The parameters of a network that [`named`] names.
pub(super) fn layers(
    file: &SafeTensors<'_>,
    name: &str,
    network: &NetworkSpec,
    suffix: &str,
    origin: &str,
) -> Result<Vec<LayerTensors>> {
    let mut layers = trained_layers(file, name, network, suffix, origin)?;
    for (index, (tensors, layer)) in layers.iter_mut().zip(&network.layers).enumerate() {
        let buffer = |kind| values(file, &format!("{name}.{index}.{kind}{suffix}"), &[layer.outputs], origin);
        tensors.buffers = layer.normalization.buffers().iter().map(buffer).collect::<Result<_>>()?;
    }
    Ok(layers)
}

/// The same without what normalizations keep: the states of an optimizer.
pub(super) fn trained_layers(
    file: &SafeTensors<'_>,
    name: &str,
    network: &NetworkSpec,
    suffix: &str,
    origin: &str,
) -> Result<Vec<LayerTensors>> {
    let layers = network.layers.iter().enumerate();
    layers
        .map(|(index, layer)| {
            let tensor = |kind, shape: &[usize]| values(file, &format!("{name}.{index}.{kind}{suffix}"), shape, origin);
            Ok(LayerTensors::new(tensor(WEIGHT, &[layer.outputs, layer.inputs])?, tensor(BIAS, &[layer.outputs])?))
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

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_library_of_the_format() {
        let values: Vec<f32> = (0..12).map(|value| value as f32 - 5.5).collect();
        let tensors: [NamedTensor<'_>; 3] = [
            ("b".into(), vec![2, 3], &values[..6]),
            ("a.\u{e9}\"".into(), vec![6], &values[6..]),
            ("none".into(), vec![0], &[]),
        ];
        for metadata in [BTreeMap::new(), BTreeMap::from([("a \"note\"".to_string(), "\u{e9}\n".repeat(7))])] {
            let bytes: Vec<Vec<u8>> = tensors
                .iter()
                .map(|(.., values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
                .collect();
            let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
                (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
            });
            let theirs = Some(metadata.clone()).filter(|metadata| !metadata.is_empty());
            let expected = safetensors::serialize(views, theirs.map(|theirs| theirs.into_iter().collect())).unwrap();
            assert_eq!(serialize(&tensors, metadata).unwrap(), expected);
        }
    }

    #[test]
    fn the_same_metadata_give_the_same_bytes() {
        let metadata: BTreeMap<String, String> =
            (0..12).map(|entry| (format!("entry {entry}"), entry.to_string())).collect();
        let bytes = serialize(&[], metadata.clone()).unwrap();
        for _ in 0..8 {
            assert_eq!(serialize(&[], metadata.clone()).unwrap(), bytes);
        }
        let (_, read) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(read.metadata().as_ref().unwrap().clone().into_iter().collect::<BTreeMap<_, _>>(), metadata);
    }

    /// Whatever is written is read, up to the last byte of the header.
    #[test]
    fn the_longest_header_is_read_and_a_longer_one_is_not_written() {
        let overhead = 8 + serialize(&[], BTreeMap::from([("n".to_string(), String::new())])).unwrap().len() as u64;
        let with = |length: u64| serialize(&[], BTreeMap::from([("n".to_string(), "x".repeat(length as usize))]));
        let (mut written, mut refused) = (0, 0);
        for length in MOST_HEADER - overhead - 16..MOST_HEADER - overhead + 32 {
            match with(length) {
                Ok(bytes) => {
                    deserialize(&bytes, "it").unwrap();
                    written += 1;
                }
                Err(Error::Data { problem, .. }) => {
                    assert!(problem.contains("shorten names and notes"), "{problem}");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(written > 0 && refused > 0, "{written} {refused}");
        let mut longer = MOST_HEADER.to_le_bytes().to_vec();
        longer.extend(b"{}");
        longer.resize(MOST_HEADER as usize + 8, b' ');
        assert!(deserialize(&longer, "it").unwrap_err().to_string().contains("names and metadata take"));
        for other in [b"root:x:0:0:root:/root".as_slice(), &[0xff; 100], b"\x89PNG\r\n\x1a\n"] {
            assert!(deserialize(other, "it").unwrap_err().to_string().starts_with("it: not a safetensors file"));
        }
    }
}
