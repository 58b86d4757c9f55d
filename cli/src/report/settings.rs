//! The settings of a run in words.

use gannet::gan::OptimizerSpec;
use gannet::gan::presets::Duration;
use gannet::internals::numbers::thousands;
use gannet::net::{Activation, Initialization, LayerSpec, NetworkSpec};
use maud::{Markup, html};

use super::words::{counted, spaced};
use crate::settings::config::RunConfig;
use crate::settings::values::{ENGINES, OBJECTIVES, ORDERS, name_of};

/// Every setting that changes the result or the speed, under its name.
pub(super) fn settings(config: &RunConfig) -> Vec<(&'static str, String)> {
    let spec = &config.spec;
    let some = |value: Option<String>| value.unwrap_or_else(|| "-".to_string());
    vec![
        ("preset", config.preset.name().to_string()),
        ("length", length(config)),
        ("batch", thousands(config.batch as u64)),
        ("seed", config.seed.to_string()),
        ("objective", spaced(name_of(OBJECTIVES, &spec.objective))),
        ("order", spaced(name_of(ORDERS, &spec.order))),
        ("D steps per G step", thousands(spec.discriminator_steps as u64)),
        ("generator", network(&spec.generator)),
        ("discriminator", network(&spec.discriminator)),
        ("G's optimizer", optimizer(&spec.generator_optimizer)),
        ("D's optimizer", optimizer(&spec.discriminator_optimizer)),
        ("G's initial weights", initialization(&spec.generator)),
        ("D's initial weights", initialization(&spec.discriminator)),
        ("points", some(config.points.map(|points| thousands(points as u64)))),
        ("data", some(config.directory.as_ref().map(|folder| folder.display().to_string()))),
        ("shuffled", if config.shuffle { "for each epoch" } else { "no" }.to_string()),
        ("threads", if config.threads == 0 { "one a processor".to_string() } else { config.threads.to_string() }),
        ("engine", name_of(ENGINES, &config.engine).to_string()),
        ("instruction set", config.isa.map_or_else(|| "the best".to_string(), |isa| isa.to_string())),
        ("memory limit", config.memory_limit.map_or_else(|| "none".to_string(), |limit| counted(limit, "byte"))),
    ]
}

/// How long it was to train.
pub(super) fn length(config: &RunConfig) -> String {
    match config.duration {
        Duration::Epochs(epochs) => counted(epochs, "epoch"),
        Duration::Steps(steps) => counted(steps, "step"),
    }
}

fn optimizer(optimizer: &OptimizerSpec) -> String {
    match *optimizer {
        OptimizerSpec::Adam { learning_rate, beta1, beta2, .. } => {
            format!("Adam, rate {learning_rate}, betas {beta1} and {beta2}")
        }
        OptimizerSpec::Sgd { learning_rate, momentum: 0.0 } => format!("gradient descent, rate {learning_rate}"),
        OptimizerSpec::Sgd { learning_rate, momentum } => {
            format!("gradient descent, rate {learning_rate}, momentum {momentum}")
        }
    }
}

fn initialization(network: &NetworkSpec) -> String {
    match network.initialization {
        Initialization::Pytorch => "PyTorch's".to_string(),
        Initialization::Xavier => "Xavier".to_string(),
        Initialization::He => "He".to_string(),
        Initialization::Normal { sigma } => format!("normal, deviation {sigma}"),
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
    let activation = match layer.activation {
        Activation::Linear => String::new(),
        Activation::Relu => "ReLU".to_string(),
        Activation::LeakyRelu { slope } => format!("leaky ReLU {slope}"),
        Activation::Tanh => "tanh".to_string(),
        Activation::Sigmoid => "sigmoid".to_string(),
    };
    let dropout = if layer.dropout > 0.0 { format!("dropout {}", layer.dropout) } else { String::new() };
    [activation, dropout].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
