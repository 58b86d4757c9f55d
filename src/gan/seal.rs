//! The entry of metadata that makes a file of tensors a checkpoint: a state, and a checksum of it and of all tensors.

use safetensors::tensor::SafeTensors;
use serde_json::Value;

use crate::error::{Error, Result};

/// The entry of metadata.
pub(super) const ENTRY: &str = "gannet.checkpoint";

/// The state in the metadata of a file, if it has one, after its checksum was compared.
pub(super) fn verified_state(bytes: &[u8], file: &SafeTensors<'_>, origin: &str) -> Result<Option<Value>> {
    let damaged = |what: &str| Error::data(origin, format!("is a damaged checkpoint: {what}"));
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error.to_string()))?;
    let Some(entry) = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)) else { return Ok(None) };
    let text = entry;
    let mut entry: Value = serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
    // A number may be written in several ways, of which the checksum knows one.
    let as_written = entry.to_string();
    if as_written != *text {
        return Err(damaged("its checksum and its state are not written as they were"));
    }
    let state = entry.get_mut("state").map(Value::take).unwrap_or_default();
    let written = entry.get("checksum").and_then(Value::as_str).unwrap_or_default();
    let found = checksum(&state, file);
    if written != found {
        return Err(damaged(&format!("its checksum is {found} instead of {written}")));
    }
    Ok(Some(state))
}

/// CRC-32C of a state and of every tensor's name, shape and bytes, in the order of the names.
fn checksum(state: &Value, file: &SafeTensors<'_>) -> String {
    let mut sum = Checksum::of(state);
    let mut tensors = file.tensors();
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, tensor) in tensors {
        sum.name(&name, tensor.shape());
        sum.bytes(tensor.data());
    }
    sum.text()
}

/// A checksum in the making.
pub(super) struct Checksum(u32);

impl Checksum {
    pub(super) fn of(state: &Value) -> Self {
        Self(crc32c::crc32c(state.to_string().as_bytes()))
    }

    pub(super) fn name(&mut self, name: &str, shape: &[usize]) {
        self.bytes(name.as_bytes());
        shape.iter().for_each(|&length| self.bytes(&(length as u64).to_le_bytes()));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }

    pub(super) fn values(&mut self, values: &[f32]) {
        let mut block = [[0; size_of::<f32>()]; 1 << 10];
        for values in values.chunks(block.len()) {
            block.iter_mut().zip(values).for_each(|(bytes, value)| *bytes = value.to_le_bytes());
            self.bytes(block[..values.len()].as_flattened());
        }
    }

    pub(super) fn text(&self) -> String {
        format!("crc32c:{:08x}", self.0)
    }
}
