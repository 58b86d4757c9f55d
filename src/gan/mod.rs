//! Generative adversarial networks: objectives, the adversarial step, the trainer, presets and model files.
#![forbid(unsafe_code)]

mod adversary;
mod average;
mod averages;
mod batches;
pub mod checkpoint;
mod cut;
mod dense_network;
mod diagnosis;
mod distributed;
pub(crate) mod exchange;
mod failure;
mod fault;
mod form;
mod function;
mod given;
pub mod health;
mod hook;
mod intake;
mod model;
mod modular;
mod names;
mod networks;
mod norm_clip;
mod objective;
#[cfg(feature = "onnx")]
pub mod onnx;
mod optimizer_spec;
mod optimizer_state;
mod options;
#[cfg_attr(not(feature = "internals"), allow(dead_code, unreachable_pub, reason = "the program uses more of it"))]
pub(crate) mod outside;
mod penalties;
mod plan;
pub mod presets;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod program;
mod rate_schedule;
mod replicas;
mod sampler;
mod seal;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the program uses it"))]
pub(crate) mod settings;
mod snapshot;
pub mod source;
mod spec;
mod state;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod streams;
mod tensors;
mod trainer;
mod turns;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the program uses it"))]
pub(crate) mod version_1;
mod views;
pub mod weights;
mod workspace;

pub use adversary::StepReport;
pub use checkpoint::Checkpoint;
pub use dense_network::{DenseNetwork, DenseRun, GradientMode};
pub use exchange::{Exchange, ExchangeError};
pub use function::NetworkFunction;
pub use given::GivenStep;
pub use hook::{GradientHook, Gradients};
pub use model::Model;
pub use modular::{ModularLoss, ModularReport};
pub use objective::Objective;
pub use optimizer_spec::{Adam, AdamW, OptimizerSpec, RmsProp, Sgd};
pub use options::TrainerOptions;
pub use penalties::Penalties;
pub use plan::PlanSummary;
pub use rate_schedule::{RateDecay, RateSchedule};
pub use replicas::Replicas;
pub use sampler::Sampler;
pub use snapshot::Changes;
pub use source::Source;
pub use spec::{GanSpec, Order};
pub use trainer::Trainer;
pub use turns::{DiscriminatorReport, GeneratorReport};
pub use views::{TensorView, TensorViewMut};

pub use crate::network::Network;
pub use crate::tensor_name::{Role, TensorName};

#[cfg(test)]
mod tests;
