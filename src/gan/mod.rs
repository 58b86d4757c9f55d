//! Generative adversarial networks: objectives, the adversarial step, the trainer, presets and model files.

pub mod model;
pub mod presets;
pub mod source;
pub mod spec;
pub mod trainer;

pub use source::Source;
pub use spec::{GanSpec, Objective, OptimizerSpec, Order};
pub use trainer::{EngineKind, PlanSummary, StepReport, Trainer, TrainerOptions};
