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
pub mod model;
pub mod modular;
mod names;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
mod network;
mod networks;
mod objective;
mod optimizer_state;
mod options;
mod plan;
pub mod presets;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
mod program;
pub mod replicas;
mod seal;
mod settings;
pub mod source;
pub mod spec;
mod state;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
mod streams;
mod tensors;
pub mod trainer;
pub mod weights;
mod workspace;

pub use adversary::StepReport;
pub use checkpoint::Checkpoint;
pub use given::GivenStep;
pub use model::Model;
pub use modular::{ModularLoss, ModularReport};
pub use objective::Objective;
pub use options::TrainerOptions;
pub use plan::PlanSummary;
pub use replicas::Replicas;
pub use source::Source;
pub use spec::{GanSpec, OptimizerSpec, Order};
pub use trainer::{Changes, Trainer};
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use {
    network::Network,
    program::{Gradients, Loss, Pass, Rows},
    settings::steps_for_epochs,
    streams::Stream,
};

pub use crate::gemm::EngineKind;

#[cfg(test)]
mod tests;
