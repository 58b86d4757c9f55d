//! Generative adversarial networks: objectives, the adversarial step, the trainer, presets and model files.
#![forbid(unsafe_code)]

mod adversary;
mod batches;
mod diagnosis;
mod given;
pub mod health;
pub mod model;
pub mod modular;
mod objective;
mod options;
mod plan;
pub mod presets;
pub mod replicas;
pub mod source;
pub mod spec;
mod state;
mod step;
mod streams;
pub mod trainer;
mod workspace;

pub use adversary::StepReport;
pub use given::GivenStep;
pub use model::Model;
pub use modular::{ModularLoss, ModularReport};
pub use objective::Objective;
pub use options::TrainerOptions;
pub use plan::PlanSummary;
pub use replicas::Replicas;
pub use source::Source;
pub use spec::{GanSpec, OptimizerSpec, Order};
pub use trainer::Trainer;

pub use crate::gemm::EngineKind;

#[cfg(test)]
mod tests;
