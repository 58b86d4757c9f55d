//! Histories of runs. Second opinion: what is written of one is read as the same, and tells the same steps.

use gannet_cli::hostile::history;
use serde_json::Value;

use super::memory::{Cap, within};
use super::{ORIGIN, is_told};

/// A tree of JSON, as in a checkpoint, and the history made of it.
const CAP: Cap = Cap { each: 256, fixed: 64 << 10 };

pub fn check(input: &[u8]) -> bool {
    let written = match within(CAP, input.len(), || history(input, ORIGIN)) {
        Ok(written) => written,
        Err(error) => {
            is_told(&error, &["damaged", "version"]);
            return false;
        }
    };
    assert_eq!(history(&written, ORIGIN).expect("a history that was written"), written);
    let [given, back]: [Value; 2] =
        [input, &written[..]].map(|bytes| serde_json::from_slice(bytes).expect("a history is JSON"));
    assert_eq!(back["version"], 2);
    let steps = |history: &Value| -> Vec<[Value; 2]> {
        let legs = history["legs"].as_array().expect("legs");
        legs.iter().map(|leg| ["from", "to"].map(|name| leg[name].clone())).collect()
    };
    assert_eq!(steps(&given), steps(&back));
    true
}
