//! The settings of a `config.toml` as a flat list: `run.batch`, `gan.generator_optimizer.beta1` ...

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::settings::schema::{given_twice, today};

/// Settings by name; layers as the widths of the network.
pub(crate) type Flat = BTreeMap<String, Value>;

/// The settings of a file.
///
/// # Errors
///
/// One that is given twice.
pub(crate) fn flat(table: &Table) -> Result<Flat, String> {
    let mut settings = Flat::new();
    add(table, "", &mut settings)?;
    Ok(settings)
}

fn add(table: &Table, prefix: &str, settings: &mut Flat) -> Result<(), String> {
    for (name, value) in table {
        let name = today(prefix, name);
        let name = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        let value = match value {
            Value::Table(inner) => {
                add(inner, &name, settings)?;
                continue;
            }
            Value::Array(layers) if name.ends_with(".layers") => Value::String(network(layers)),
            other => other.clone(),
        };
        if settings.contains_key(&name) {
            return Err(format!("{name} {}", given_twice()));
        }
        settings.insert(name, value);
    }
    Ok(())
}

/// The values of a sample, and how many columns of a table they are: what the generator's last layer tells.
pub(crate) fn outputs(settings: &Flat) -> Option<(usize, usize)> {
    let network = settings.get("gan.generator.layers")?.as_str()?;
    let features: usize = network.split([' ', ',']).next()?.rsplit('-').next()?.parse().ok()?;
    let groups = network.rsplit_once("softmax ").map(|(_, groups)| groups.split('+').map(str::parse::<usize>));
    let groups: Vec<usize> = groups.into_iter().flatten().collect::<Result<_, _>>().ok()?;
    Some((features, features.checked_sub(groups.iter().sum())? + groups.len()))
}

/// The layers of a network in a line: `2-16-32-2 relu`, with whatever is not the same in all hidden ones.
fn network(layers: &[Value]) -> String {
    let number = |layer: &Value, name: &str| layer.get(name).map(text).unwrap_or_default();
    let first = layers.first().map(|layer| number(layer, "inputs"));
    let widths = first.into_iter().chain(layers.iter().map(|layer| number(layer, "outputs")));
    let mut parts = vec![widths.collect::<Vec<_>>().join("-")];
    for layer in layers {
        let activation = layer.get("activation").and_then(Value::as_table);
        let words = activation.into_iter().flatten().map(|(_, value)| text(value));
        let normalization = layer.get("normalization").map(text).filter(|kind| kind != "none");
        let normalization = normalization.map(|kind| format!("{kind} normalization"));
        let dropout = layer.get("dropout").map(|share| format!("dropout {}", text(share)));
        let groups = layer.get("softmax").and_then(Value::as_array).filter(|groups| !groups.is_empty());
        let softmax = groups.map(|groups| format!("softmax {}", groups.iter().map(text).collect::<Vec<_>>().join("+")));
        let part = normalization.into_iter().chain(words).chain(dropout).chain(softmax).collect::<Vec<_>>().join(" ");
        if parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    parts.join(" ")
}

/// A value as people write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Numbers of 32 bits are written with the digits of 64.
        Value::Float(number) => (*number as f32).to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_one_name_each() {
        let table = "[run]\nbatch = 3\nsystem = 'circle'\n[gan]\ng = { kind = 'adam', beta1 = 0.8999999761581421 }\n[gan.generator]\nlayers = [\
             { inputs = 2, outputs = 9, activation = { kind = 'leaky_relu', slope = 0.2 }, dropout = 0.5 },\
             { inputs = 9, outputs = 1, activation = { kind = 'tanh' } }]";
        let found = flat(&table.parse().unwrap()).unwrap();
        let found: Vec<_> = found.iter().map(|(name, value)| format!("{name} = {}", text(value))).collect();
        assert_eq!(
            found,
            [
                "gan.g.beta1 = 0.9",
                "gan.g.kind = adam",
                "gan.generator.layers = 2-9-1 leaky_relu 0.2 dropout 0.5 tanh",
                "run.batch = 3",
                "run.preset = circle"
            ]
        );
        let twice = "[run]\npreset = 'circle'\nsystem = 'mnist'";
        assert!(flat(&twice.parse().unwrap()).unwrap_err().starts_with("run.preset is given twice"));
    }
}
