//! The history of a run as gannet wrote it before its settings had a version: texts, made of names in the code. Nothing writes it
//! any more; this file can go when nobody goes on with such runs.

use std::collections::{BTreeMap, BTreeSet};

use gannet::internals::engine::settings_of_version_1;
use serde::Deserialize;
use serde_json::{Value, json};

/// A setting that was changed.
#[derive(Deserialize)]
struct Change {
    setting: String,
    before: Option<String>,
    after: Option<String>,
}

/// Makes the JSON object of such a history one of today's `version`.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn translate(history: &mut Value, version: u64) -> serde_json::Result<()> {
    let texts: BTreeMap<String, String> = serde_json::from_value(taken(history, "settings"))?;
    // None are known of a run that an even older program began.
    let settings = if texts.is_empty() { json!({}) } else { json!(settings_of_version_1(&texts)) };
    // It had an entry: it is an object.
    history["settings"] = settings;
    for leg in history.get_mut("legs").and_then(Value::as_array_mut).into_iter().flatten() {
        let changes: Vec<Change> = serde_json::from_value(taken(leg, "changes"))?;
        leg["changes"] = changes.iter().flat_map(translated).collect();
    }
    history["version"] = version.into();
    Ok(())
}

/// What a change is today: where one text told of two settings, it may be two.
fn translated(change: &Change) -> Vec<Value> {
    let settings = |text: &Option<String>| {
        settings_of_version_1(&text.iter().map(|text| (change.setting.clone(), text.clone())).collect())
    };
    let [before, after] = [&change.before, &change.after].map(settings);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter(|&name| before.get(name) != after.get(name));
    differing.map(|name| json!({ "setting": name, "before": before.get(name), "after": after.get(name) })).collect()
}

fn taken(object: &mut Value, name: &str) -> Value {
    object.get_mut(name).map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_changes_are_translated() {
        let mut history = json!({
            "settings": {
                "data": "200 samples",
                "data: number of samples": "200",
                "gan.generator.layers[0].activation": "leaky_relu { slope: 0.2 }",
                "gan.generator.layers[0].dropout": "0",
                "gan.generator_optimizer.epsilon": "0.00000001",
                "run.shuffle": "true",
            },
            "legs": [
                { "changes": [] },
                { "changes": [
                    { "setting": "gan.generator.layers[0].activation", "before": "leaky_relu { slope: 0.2 }", "after": "relu" },
                    { "setting": "gan.generator_optimizer.momentum", "before": null, "after": "0.5" },
                ] },
            ],
        });
        translate(&mut history, 2).unwrap();
        let settings = &history["settings"];
        for (name, expected) in [
            ("data", json!("200 samples")),
            ("data.samples", json!(200)),
            ("gan.generator.layers[0].activation", json!("leaky_relu")),
            ("gan.generator.layers[0].slope", json!(0.2)),
            ("gan.generator.layers[0].dropout", json!(0.0)),
            ("gan.generator_optimizer.epsilon", json!(1e-8)),
            ("run.shuffle", json!(true)),
        ] {
            assert_eq!(settings[name], expected, "{name}");
        }
        let change = |setting: &str, before: Value, after: Value| json!({ "setting": setting, "before": before, "after": after });
        let expected = [
            change("gan.generator.layers[0].activation", json!("leaky_relu"), json!("relu")),
            change("gan.generator.layers[0].slope", json!(0.2), Value::Null),
            change("gan.generator_optimizer.momentum", Value::Null, json!(0.5)),
        ];
        assert_eq!(history["legs"][1]["changes"], json!(expected));
        assert_eq!((&history["legs"][0]["changes"], &history["version"]), (&json!([]), &json!(2)));
        for damaged in ["{}", "[]", "3", r#"{"settings":{"a":1},"legs":[]}"#, r#"{"settings":{},"legs":[3]}"#] {
            assert!(translate(&mut serde_json::from_str(damaged).unwrap(), 2).is_err(), "{damaged}");
        }
    }
}
