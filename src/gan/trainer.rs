//! The trainer: owns both networks, draws batches, runs steps.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::model::Model;
use super::source::Source;
use super::spec::GanSpec;
use crate::error::Result;
use crate::simd::{Isa, IsaKind};

/// Which engine computes the products of the dense layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum EngineKind {
    /// `matrixmultiply::sgemm` and epilogues on the block.
    #[default]
    Matrixmultiply,
}

/// Settings of a run that do not change what is learned, except for the batch, the seed and the shuffling.
#[derive(Clone, Debug)]
pub struct TrainerOptions {
    /// Samples of a step.
    pub batch: usize,
    /// Seed of initial weights, shuffling, latents and dropout.
    pub seed: u64,
    /// Whether the data are shuffled anew for each epoch, or come in order.
    pub shuffle: bool,
    /// Worker threads; 0 = one for each processor.
    pub threads: usize,
    /// Engine.
    pub engine: EngineKind,
    /// A forced instruction set; `None` = `GANNET_ISA`, or the best.
    pub isa: Option<IsaKind>,
    /// Most bytes that parameters and workspace may take; `None` = no limit but the system's.
    pub memory_limit: Option<u64>,
    /// The rayon pool to take worker threads from; `None` = the trainer makes its own (none with one thread).
    pub pool: Option<Arc<rayon::ThreadPool>>,
}

impl Default for TrainerOptions {
    fn default() -> Self {
        Self {
            batch: 32,
            seed: 0,
            shuffle: true,
            threads: 1,
            engine: EngineKind::default(),
            isa: None,
            memory_limit: None,
            pool: None,
        }
    }
}

/// What a step reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Steps done, this one included.
    pub step: u64,
    /// D's loss, by the objective's formula, of the step's last D update.
    pub discriminator_loss: f64,
    /// G's loss (the one that it minimizes).
    pub generator_loss: f64,
    /// Mean D(x) over the real batch, before D's update.
    pub real_probability: f64,
    /// Mean D(G(z)) over the fakes of D's update, before it.
    pub fake_probability: f64,
}

/// How a run is laid out: what [`fmt::Display`] prints on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSummary {
    /// `tile-parallel`, `layer-parallel` or `serial`.
    pub schedule: &'static str,
    /// Samples side by side in a panel.
    pub panel_width: usize,
    /// Samples in work at once (for each worker, if tile-parallel).
    pub chunk: usize,
    /// Gradient slots.
    pub slots: usize,
    /// Worker threads.
    pub threads: usize,
    /// Bytes of parameters, optimizer moments, gradients and workspace.
    pub memory: u64,
    /// Matrix products of one step: calls of the engine.
    pub products_per_step: u64,
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} threads, panels of {} samples, chunks of {}, {} gradient slots, {:.1} MiB, {} products a step",
            self.schedule,
            self.threads,
            self.panel_width,
            self.chunk,
            self.slots,
            self.memory as f64 / (1024.0 * 1024.0),
            self.products_per_step
        )
    }
}

/// Trains one GAN on one source of samples. Not a step of it allocates, beyond what the engine's library does.
pub struct Trainer {
    _todo: (),
}

impl Trainer {
    /// Checks everything, takes all memory, draws initial weights.
    ///
    /// # Errors
    ///
    /// An invalid specification or option; a source of the wrong width, or with fewer samples than the batch; an
    /// instruction set that is missing; memory that the limit or the system refuses.
    pub fn new(_spec: GanSpec, _source: Arc<dyn Source>, _options: TrainerOptions) -> Result<Self> {
        todo!()
    }

    /// Runs `steps` steps. After each `interval`-th step of the trainer's count (and after the last of this call) `report` is
    /// called with that step's losses; losses are computed only for steps that are reported. `interval` 0: only the last.
    /// `ControlFlow::Break` ends the run early, after a whole step. Returns the last report.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotFinite`] as soon as a gradient or weight is not finite.
    pub fn run(
        &mut self,
        _steps: u64,
        _interval: u64,
        _report: impl FnMut(&StepReport) -> ControlFlow<()> + Send,
    ) -> Result<Option<StepReport>> {
        todo!()
    }

    /// Steps done so far.
    pub fn steps_done(&self) -> u64 {
        todo!()
    }

    /// Steps that make up `epochs` passes over the data, rounded up.
    pub fn steps_for_epochs(&self, _epochs: u64) -> u64 {
        todo!()
    }

    /// A copy of both networks' parameters.
    pub fn model(&self) -> Model {
        todo!()
    }

    /// Replaces both networks' parameters; optimizer moments and the step counter stay.
    ///
    /// # Errors
    ///
    /// A model that does not fit the specification.
    pub fn set_model(&mut self, _model: &Model) -> Result<()> {
        todo!()
    }

    /// What is trained.
    pub fn spec(&self) -> &GanSpec {
        todo!()
    }

    /// The options, with threads and instruction set as resolved.
    pub fn options(&self) -> &TrainerOptions {
        todo!()
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        todo!()
    }

    /// How the run is laid out.
    pub fn plan(&self) -> PlanSummary {
        todo!()
    }
}
