//! Generative adversarial networks: objectives, the adversarial step, the trainer, presets and model files.
#![forbid(unsafe_code)]

mod adversary;
mod batches;
pub mod checkpoint;
mod diagnosis;
mod failure;
mod fault;
mod given;
pub mod health;
mod model;
mod modular;
mod names;
mod network;
mod networks;
mod objective;
mod optimizer_state;
mod options;
mod plan;
pub mod presets;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod program;
mod replicas;
mod seal;
mod settings;
pub(crate) mod source;
mod spec;
mod state;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod streams;
mod tensors;
mod trainer;
pub mod weights;
mod workspace;

pub use adversary::StepReport;
pub use checkpoint::Checkpoint;
pub use given::GivenStep;
pub use model::Model;
pub use modular::{ModularLoss, ModularReport};
pub use network::Network;
pub use objective::Objective;
pub use options::TrainerOptions;
pub use plan::PlanSummary;
pub use replicas::Replicas;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use settings::steps_for_epochs;
pub use source::Source;
pub use spec::{GanSpec, OptimizerSpec, Order};
pub use trainer::{Changes, Trainer};

#[cfg(test)]
mod tests;
