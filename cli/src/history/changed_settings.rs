//! The settings of a run that were changed on its way, in words.

use std::collections::BTreeMap;

use gannet::internals::engine::setting_text;
use gannet::internals::numbers::thousands;
use serde_json::Value;

use crate::history::legs::{Change, Legs};

/// The name under which a leg keeps what its data are known again by, which says nothing to people.
const DATA: &str = "data";

/// By name, as in `config.toml`, the values that a setting had: `0.001, 0.0005 from step 3,200`.
pub(crate) fn told(legs: &Legs) -> BTreeMap<String, String> {
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for leg in legs.legs() {
        for Change { setting, before, after } in &leg.changes {
            if !["run.", "gan."].iter().any(|part| setting.starts_with(part)) && setting != DATA {
                continue;
            }
            let value = |value: &Option<Value>| match value {
                Some(_) if setting == DATA => "others".to_string(),
                Some(value) => setting_text(value),
                None => "none".to_string(),
            };
            let first = if setting == DATA { "its own".to_string() } else { value(before) };
            let values = told.entry(setting.clone()).or_insert(first);
            *values += &format!(", {} from step {}", value(after), thousands(leg.from));
        }
    }
    told
}
