//! The table `[gan]` of a configuration file, at any depth of which settings may be left out: the preset's take their place.

use gannet::gan::{Adam, AdamW, GanSpec, OptimizerSpec, RmsProp, Sgd};
use gannet::internals::engine;
use gannet::net::{Activation, LayerSpec, NetworkSpec, Normalization};
use gannet::{Error, Result};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::kinded::Kinded;
use crate::toml_error::readable;

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GanTable {
    generator_optimizer: Option<Kinded>,
    discriminator_optimizer: Option<Kinded>,
    generator: Option<NetworkTable>,
    discriminator: Option<NetworkTable>,
}

/// An optimizer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
enum OptimizerTable {
    Adam {
        learning_rate: Option<f32>,
        beta1: Option<f32>,
        beta2: Option<f32>,
        epsilon: Option<f32>,
    },
    AdamW {
        learning_rate: Option<f32>,
        beta1: Option<f32>,
        beta2: Option<f32>,
        epsilon: Option<f32>,
        weight_decay: Option<f32>,
    },
    RmsProp {
        learning_rate: Option<f32>,
        alpha: Option<f32>,
        epsilon: Option<f32>,
    },
    Sgd {
        learning_rate: Option<f32>,
        momentum: Option<f32>,
    },
}

/// A network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    initialization: Option<Kinded>,
    layers: Option<Vec<LayerTable>>,
}

/// A layer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerTable {
    inputs: usize,
    outputs: usize,
    #[serde(default)]
    normalization: Normalization,
    activation: Option<Kinded>,
    #[serde(default)]
    dropout: f32,
    #[serde(default)]
    softmax: Vec<usize>,
}

/// The activation of hidden layers where the preset has no hidden layer: that of most presets.
const HIDDEN: Activation = Activation::LeakyRelu { slope: 0.2 };

impl GanTable {
    /// The names of its settings.
    pub const NAMES: [&str; 4] = ["generator_optimizer", "discriminator_optimizer", "generator", "discriminator"];

    /// Puts the table's settings into `spec`, which holds the preset's. A discriminator whose layers the table leaves to the
    /// preset gets the inputs of a pack, and the outputs that the objective needs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a learning rate that neither has, and for what is of no known kind.
    pub fn fill(self, spec: &mut GanSpec) -> Result<()> {
        for (name, place, table) in [
            ("generator_optimizer", &mut spec.generator_optimizer, self.generator_optimizer),
            ("discriminator_optimizer", &mut spec.discriminator_optimizer, self.discriminator_optimizer),
        ] {
            if let Some(table) = table {
                *place = OptimizerTable::read(table, name, place)?.filled(name, place)?;
            }
        }
        let own_layers = self.discriminator.as_ref().is_some_and(|network| network.layers.is_some());
        for (name, place, table) in [
            ("gan.generator", &mut spec.generator, self.generator),
            ("gan.discriminator", &mut spec.discriminator, self.discriminator),
        ] {
            if let Some(table) = table {
                table.fill(name, place)?;
            }
        }
        if !own_layers {
            if spec.packing > 1 {
                *spec = spec.clone().with_packing(spec.packing);
            }
            engine::fit_discriminator(spec);
        }
        Ok(())
    }
}

impl GanTable {
    /// The network that a table of one describes, without a preset.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for what is unknown.
    pub fn network(table: Table) -> Result<NetworkSpec> {
        let table: NetworkTable =
            table.try_into().map_err(|error: toml::de::Error| Error::setting("network", readable(&error)))?;
        let mut network = NetworkSpec::new(Vec::new());
        table.fill("network", &mut network)?;
        Ok(network)
    }
}

impl OptimizerTable {
    /// The table of the optimizer called `name`; without a kind, of the kind that has its settings, or the preset's.
    fn read(table: Kinded, name: &str, preset: &OptimizerSpec) -> Result<Self> {
        // The first that stands there decides: betas alone are Adam's.
        let only = [
            ("weight_decay", "adamw"),
            ("alpha", "rmsprop"),
            ("beta1", "adam"),
            ("beta2", "adam"),
            ("epsilon", "adam"),
            ("momentum", "sgd"),
        ];
        table.read(&format!("gan.{name}"), &only, preset.name())
    }

    /// The optimizer, with the settings of the preset's where that is of the same kind, and PyTorch's defaults otherwise.
    fn filled(self, name: &str, preset: &OptimizerSpec) -> Result<OptimizerSpec> {
        let rate = |given: Option<f32>, of_preset: Option<f32>| {
            let missing = || {
                let problem = "learning_rate is missing; that of the preset's optimizer, another kind, would not suit: add learning_rate = RATE to the table";
                Error::setting(format!("gan.{name}"), problem)
            };
            given.or(of_preset).ok_or_else(missing)
        };
        Ok(match self {
            Self::Adam { learning_rate, beta1, beta2, epsilon } => {
                let preset = if let OptimizerSpec::Adam(adam) = preset { Some(*adam) } else { None };
                let learning_rate = rate(learning_rate, preset.map(|adam| adam.learning_rate))?;
                let mut adam = preset.unwrap_or(Adam::new(learning_rate));
                adam.learning_rate = learning_rate;
                adam.beta1 = beta1.unwrap_or(adam.beta1);
                adam.beta2 = beta2.unwrap_or(adam.beta2);
                adam.epsilon = epsilon.unwrap_or(adam.epsilon);
                adam.into()
            }
            Self::AdamW { learning_rate, beta1, beta2, epsilon, weight_decay } => {
                let preset = if let OptimizerSpec::AdamW(adamw) = preset { Some(*adamw) } else { None };
                let learning_rate = rate(learning_rate, preset.map(|adamw| adamw.learning_rate))?;
                let mut adamw = preset.unwrap_or(AdamW::new(learning_rate));
                adamw.learning_rate = learning_rate;
                adamw.beta1 = beta1.unwrap_or(adamw.beta1);
                adamw.beta2 = beta2.unwrap_or(adamw.beta2);
                adamw.epsilon = epsilon.unwrap_or(adamw.epsilon);
                adamw.weight_decay = weight_decay.unwrap_or(adamw.weight_decay);
                adamw.into()
            }
            Self::RmsProp { learning_rate, alpha, epsilon } => {
                let preset = if let OptimizerSpec::RmsProp(rmsprop) = preset { Some(*rmsprop) } else { None };
                let learning_rate = rate(learning_rate, preset.map(|rmsprop| rmsprop.learning_rate))?;
                let mut rmsprop = preset.unwrap_or(RmsProp::new(learning_rate));
                rmsprop.learning_rate = learning_rate;
                rmsprop.alpha = alpha.unwrap_or(rmsprop.alpha);
                rmsprop.epsilon = epsilon.unwrap_or(rmsprop.epsilon);
                rmsprop.into()
            }
            Self::Sgd { learning_rate, momentum } => {
                let preset = if let OptimizerSpec::Sgd(sgd) = preset { Some(*sgd) } else { None };
                let learning_rate = rate(learning_rate, preset.map(|sgd| sgd.learning_rate))?;
                let mut sgd = preset.unwrap_or(Sgd::new(learning_rate));
                sgd.learning_rate = learning_rate;
                sgd.momentum = momentum.unwrap_or(sgd.momentum);
                sgd.into()
            }
        })
    }
}

impl NetworkTable {
    /// Puts the table's settings into the preset's network called `name`.
    fn fill(self, name: &str, network: &mut NetworkSpec) -> Result<()> {
        if let Some(table) = self.initialization.filter(|table| !table.is_empty()) {
            network.initialization =
                table.read(&format!("{name}.initialization"), &[("sigma", "normal")], "pytorch")?;
        }
        if let Some(layers) = self.layers {
            let usual = usual_activations(network);
            let last = layers.len().saturating_sub(1);
            let layers = layers.into_iter().enumerate().map(|(index, layer)| {
                let place = format!("{name}.layers[{index}].activation");
                layer.read(&place, usual[usize::from(index == last)])
            });
            network.layers = layers.collect::<Result<_>>()?;
        }
        Ok(())
    }
}

/// The activations of the preset's hidden layers, and of its last one.
fn usual_activations(network: &NetworkSpec) -> [Activation; 2] {
    match network.layers.as_slice() {
        [] => [HIDDEN, Activation::Linear],
        [last] => [HIDDEN, last.activation],
        [first, .., last] => [first.activation, last.activation],
    }
}

impl LayerTable {
    /// The layer; `place` is the name of its activation, for which the `usual` one stands in.
    fn read(self, place: &str, usual: Activation) -> Result<LayerSpec> {
        let activation = match self.activation.filter(|table| !table.is_empty()) {
            // A slope says the kind, and a kind says itself: no other is needed.
            Some(table) => table.read(place, &[("slope", "leaky_relu")], "leaky_relu")?,
            None => usual,
        };
        let layer = LayerSpec::new(self.inputs, self.outputs, activation);
        Ok(layer.with_normalization(self.normalization).with_dropout(self.dropout).with_softmax(self.softmax))
    }
}
