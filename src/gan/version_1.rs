//! Settings as checkpoints and run folders of version 1 had them: texts, made of names in the code. Nothing writes them any more.
//! And the seeds of what such runs draw outside of their steps.
//!
//! This file and what names it can go when nobody goes on with such runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::settings::{self, SAMPLES, Settings, number};
use super::streams::Stream;
use crate::kernel::noise::StreamKey;

/// What version 1 called [`SAMPLES`].
const OLD_SAMPLES: &str = "data: number of samples";

/// The last parts of the names of settings that are no whole numbers, also where the text has no point.
const FRACTIONS: [&str; 6] = ["learning_rate", "beta1", "beta2", "epsilon", "momentum", "dropout"];

/// Settings of version 1 as they are called and written today.
pub fn settings_of_version_1(texts: &BTreeMap<String, String>) -> Settings {
    let mut settings = Settings::new();
    for (name, text) in texts {
        let field = name.rsplit('.').next().unwrap_or_default();
        let name = if name == OLD_SAMPLES { SAMPLES } else { name };
        // `leaky_relu { slope: 0.2 }` are two settings today.
        let slope = text.strip_suffix(" }").and_then(|text| text.split_once(" { slope: "));
        let text = match slope {
            Some((activation, slope)) if field == "activation" => {
                let name = name.strip_suffix("activation").unwrap_or_default();
                settings.insert(format!("{name}slope"), fraction(slope));
                activation
            }
            _ => text,
        };
        let value = if FRACTIONS.contains(&field) { fraction(text) } else { whole(text) };
        settings.insert(name.to_string(), value);
    }
    settings::complete(&mut settings);
    settings
}

/// A number with a fraction; what is none stays a text.
fn fraction(text: &str) -> Value {
    text.parse().map_or_else(|_| text.into(), number)
}

/// A whole number or a truth; what is neither stays a text.
fn whole(text: &str) -> Value {
    let truth = || text.parse().map_or_else(|_| text.into(), Value::Bool);
    text.parse::<u64>().map_or_else(|_| truth(), Value::from)
}

/// What a run of version 1 draws from for a purpose outside of its steps: the latents of this seed or one of the next two.
pub(super) fn key(stream: Stream, seed: u64) -> StreamKey {
    let (next, step) = match stream {
        Stream::Measures => (1, 0),
        Stream::Health => (2, 0),
        Stream::HealthDirections => (2, 1),
        _ => (0, 0),
    };
    Stream::Sample.key(seed.wrapping_add(next), step)
}
