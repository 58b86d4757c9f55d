//! The settings of a run in words.

use gannet::gan::presets::Duration;
use gannet::internals::numbers::thousands;
use gannet::net::{Activation, LayerSpec, NetworkSpec, Normalization};
use maud::{Markup, html};

use crate::numbers::counted;
use crate::settings::config::RunConfig;
use crate::settings::table::SETTINGS;

/// Every setting that changes the result or the speed, under its name.
pub(super) fn settings(config: &RunConfig) -> Vec<(&'static str, String)> {
    let spec = &config.spec;
    let of_table = SETTINGS.iter().filter_map(|setting| setting.words);
    let mut settings: Vec<_> = of_table.map(|(name, words)| (name, words(config))).collect();
    // What a run does without is told by the empty text.
    settings.retain(|(_, words)| !words.is_empty());
    settings.insert(1, ("length", length(config)));
    settings.extend([
        ("generator", network(&spec.generator)),
        ("discriminator", network(&spec.discriminator)),
        ("G's optimizer", spec.generator_optimizer.to_string()),
        ("D's optimizer", spec.discriminator_optimizer.to_string()),
        ("G's initial weights", spec.generator.initialization.to_string()),
        ("D's initial weights", spec.discriminator.initialization.to_string()),
    ]);
    settings
}

/// How long it was to train.
pub(super) fn length(config: &RunConfig) -> String {
    match config.duration {
        Duration::Epochs(epochs) => counted(epochs, "epoch"),
        Duration::Steps(steps) => counted(steps, "step"),
    }
}

/// A network in a line: `2 - 16 ReLU - 32 ReLU - 2`.
fn network(network: &NetworkSpec) -> String {
    let mut parts = vec![inputs(network).to_string()];
    for layer in &network.layers {
        let names = names(layer);
        parts.push(if names.is_empty() { layer.outputs.to_string() } else { format!("{} {names}", layer.outputs) });
    }
    parts.join(" - ")
}

/// A network as a row of its widths, each with what happens there.
pub(super) fn network_row(name: &str, class: &str, network: &NetworkSpec) -> Markup {
    html! {
        div.network.(class) {
            h3 { (name) }
            ol {
                li { b { (thousands(inputs(network) as u64)) } small { "in" } }
                @for layer in &network.layers {
                    li { b { (thousands(layer.outputs as u64)) } small { (names(layer)) } }
                }
            }
            p.note { (counted(network.weights() as u64, "weight")) }
        }
    }
}

fn inputs(network: &NetworkSpec) -> usize {
    network.layers.first().map_or(0, |layer| layer.inputs)
}

/// What happens behind the product of a layer.
fn names(layer: &LayerSpec) -> String {
    let normalization = match layer.normalization {
        Normalization::None => String::new(),
        kind => format!("{} normalization", kind.name()),
    };
    let is_linear = layer.activation == Activation::Linear;
    let activation = if is_linear { String::new() } else { layer.activation.to_string() };
    let dropout = if layer.dropout > 0.0 { format!("dropout {}", layer.dropout) } else { String::new() };
    let groups: Vec<String> = layer.softmax.iter().map(usize::to_string).collect();
    let softmax = if groups.is_empty() { String::new() } else { format!("softmax of {}", groups.join(" + ")) };
    [normalization, activation, dropout, softmax]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
