//! The table `[gan]` of a configuration file, at any depth of which settings may be left out: the system's take their place.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::gan::{GanSpec, Objective, OptimizerSpec, Order};
use crate::net::{Initialization, LayerSpec, NetworkSpec};

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GanTable {
    objective: Option<Objective>,
    order: Option<Order>,
    discriminator_steps: Option<usize>,
    generator_optimizer: Option<OptimizerTable>,
    discriminator_optimizer: Option<OptimizerTable>,
    generator: Option<NetworkTable>,
    discriminator: Option<NetworkTable>,
}

/// An optimizer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
enum OptimizerTable {
    Adam { learning_rate: Option<f32>, beta1: Option<f32>, beta2: Option<f32>, epsilon: Option<f32> },
    Sgd { learning_rate: Option<f32>, momentum: Option<f32> },
}

/// A network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    initialization: Option<Initialization>,
    layers: Option<Vec<LayerSpec>>,
}

impl GanTable {
    /// Puts the table's settings into `spec`, which holds the system's. A discriminator whose layers the table leaves to the
    /// system gets the outputs that the objective needs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a learning rate that neither has.
    pub(super) fn fill(self, spec: &mut GanSpec) -> Result<()> {
        spec.objective = self.objective.unwrap_or(spec.objective);
        spec.order = self.order.unwrap_or(spec.order);
        spec.discriminator_steps = self.discriminator_steps.unwrap_or(spec.discriminator_steps);
        for (name, place, table) in [
            ("generator_optimizer", &mut spec.generator_optimizer, self.generator_optimizer),
            ("discriminator_optimizer", &mut spec.discriminator_optimizer, self.discriminator_optimizer),
        ] {
            if let Some(table) = table {
                *place = table.filled(name, place)?;
            }
        }
        let own_layers = self.discriminator.as_ref().is_some_and(|network| network.layers.is_some());
        for (place, table) in [(&mut spec.generator, self.generator), (&mut spec.discriminator, self.discriminator)] {
            if let Some(table) = table {
                table.fill(place);
            }
        }
        if !own_layers {
            spec.fit_discriminator();
        }
        Ok(())
    }
}

impl OptimizerTable {
    /// The optimizer, with the settings of the system's where that is of the same kind, and PyTorch's defaults otherwise.
    fn filled(self, name: &str, system: &OptimizerSpec) -> Result<OptimizerSpec> {
        let rate = |given: Option<f32>, same_kind: bool| {
            let missing = || {
                let problem = "learning_rate is missing; that of the system's optimizer, another kind, would not suit";
                Error::setting(format!("gan.{name}"), problem)
            };
            given.or(same_kind.then(|| system.learning_rate())).ok_or_else(missing)
        };
        Ok(match self {
            Self::Adam { learning_rate, beta1, beta2, epsilon } => {
                let same_kind = matches!(system, OptimizerSpec::Adam { .. });
                let mut filled = if same_kind { *system } else { OptimizerSpec::adam(0.0) };
                let rate = rate(learning_rate, same_kind)?;
                if let OptimizerSpec::Adam { beta1: one, beta2: two, epsilon: least, .. } = &mut filled {
                    (*one, *two, *least) = (beta1.unwrap_or(*one), beta2.unwrap_or(*two), epsilon.unwrap_or(*least));
                }
                filled.with_learning_rate(rate)
            }
            Self::Sgd { learning_rate, momentum } => {
                let same_kind = matches!(system, OptimizerSpec::Sgd { .. });
                let mut filled = if same_kind { *system } else { OptimizerSpec::sgd(0.0) };
                let rate = rate(learning_rate, same_kind)?;
                if let OptimizerSpec::Sgd { momentum: place, .. } = &mut filled {
                    *place = momentum.unwrap_or(*place);
                }
                filled.with_learning_rate(rate)
            }
        })
    }
}

impl NetworkTable {
    /// Puts the table's settings into the system's network.
    fn fill(self, network: &mut NetworkSpec) {
        network.initialization = self.initialization.unwrap_or(network.initialization);
        if let Some(layers) = self.layers {
            network.layers = layers;
        }
    }
}
