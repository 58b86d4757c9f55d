//! Checkpoints. Second opinion: the tensors cut out by hand, and a checksum of its own, which also goes in the place of the one
//! that a mutation broke, so that what lies behind it is reached.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::data::synthetic;
use gannet::gan::checkpoint::notes;
use gannet::gan::{Changes, Checkpoint, Trainer, TrainerOptions};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use super::memory::{Cap, within};
use super::model::{self, spec, tensors};
use super::{ORIGIN, is_told};

/// As a model file; and the state is a tree of JSON, of which an object with one entry has 7 bytes in the file and a node of
/// some 640 in memory.
const CAP: Cap = Cap { each: 64 + 128, fixed: model::CAP.fixed };
/// The entry of metadata.
const ENTRY: &str = "gannet.checkpoint";

thread_local! {
    /// What checkpoints are put into.
    static TRAINER: RefCell<Trainer<'static>> = RefCell::new(trainer());
}

/// A trainer of the small networks.
pub(crate) fn trainer() -> Trainer<'static> {
    let points = Arc::new(synthetic::circle(20, 1).expect("20 points"));
    let options = TrainerOptions::default().with_batch(4).with_threads(1);
    Trainer::new(spec(), points, options).expect("a small GAN")
}

pub fn check(input: &[u8]) -> bool {
    let accepted = check_as_it_is(input);
    repaired(input).map_or(accepted, |repaired| check_as_it_is(&repaired) || accepted)
}

fn check_as_it_is(input: &[u8]) -> bool {
    let spec = spec();
    let parsed = within(CAP, input.len(), || Checkpoint::from_safetensors(input, &spec, ORIGIN));
    let noted = within(CAP, input.len(), || notes(input, ORIGIN));
    let checkpoint = match parsed {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            is_told(&error, &[""]);
            return false;
        }
    };
    assert_eq!(noted.expect("a checkpoint"), checkpoint.notes);
    let entry = entry(input).expect("a checkpoint");
    assert_eq!(entry["checksum"], checksum(&entry["state"], input));
    assert_eq!(entry["state"]["step"], checkpoint.step());
    // Its optimizers may be others.
    if let Ok(written) = checkpoint.to_safetensors(&spec) {
        let back = Checkpoint::from_safetensors(&written, &spec, ORIGIN).expect("a checkpoint that was written");
        assert_eq!(back.to_safetensors(&spec).expect("it was written before"), written);
        assert_eq!((back.step(), &back.notes), (checkpoint.step(), &checkpoint.notes));
    }
    TRAINER.with_borrow_mut(|trainer| {
        if trainer.restore(&checkpoint, Changes::Allowed).is_ok() {
            assert_eq!(trainer.steps_done(), checkpoint.step());
            // Values that are no numbers may stop it.
            trainer.run(1, 0, |_| ControlFlow::Continue(())).ok();
        }
    });
    true
}

/// The entry of metadata.
fn entry(file: &[u8]) -> Option<Value> {
    let (_, metadata) = SafeTensors::read_metadata(file).ok()?;
    serde_json::from_str(metadata.metadata().as_ref()?.get(ENTRY)?).ok()
}

/// CRC-32C of the state and of each tensor's name, shape and bytes, in the order of the names.
fn checksum(state: &Value, file: &[u8]) -> String {
    let mut bytes = state.to_string().into_bytes();
    for (name, tensor) in tensors(file).expect("a safetensors file") {
        bytes.extend(name.bytes());
        bytes.extend(tensor.shape.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(tensor.bytes);
    }
    format!("crc32c:{:08x}", crc32c::crc32c(&bytes))
}

/// The file with a checksum that is right.
fn repaired(input: &[u8]) -> Option<Vec<u8>> {
    let file = SafeTensors::deserialize(input).ok()?;
    let state = entry(input)?.get("state")?.clone();
    let entry = json!({ "checksum": checksum(&state, input), "state": state }).to_string();
    let tensors: Vec<(String, TensorView<'_>)> = file.tensors();
    safetensors::serialize(tensors, Some([(ENTRY.to_string(), entry)].into())).ok()
}
