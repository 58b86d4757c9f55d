//! What steps report, and what a trainer tells of itself.

use std::ffi::c_void;

use gannet::gan::{DiscriminatorReport, GeneratorReport, ModularReport, PlanSummary, StepReport};

use crate::versioned::Versioned;

/// What a step reports. Set `size` to `sizeof(GannetReport)` before the call. A number that the call does not tell is NaN.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GannetReport {
    /// `sizeof(GannetReport)`.
    pub size: usize,
    /// Steps done: turns of the generator.
    pub step: u64,
    /// Turns of the discriminator done, from `gannet_trainer_step_discriminator`; otherwise 0.
    pub turn: u64,
    /// The discriminator's loss before its update.
    pub discriminator_loss: f64,
    /// The generator's loss, the one that it minimizes.
    pub generator_loss: f64,
    /// The mean probability that the discriminator gives a real sample of being real.
    pub real_probability: f64,
    /// The same of generated samples.
    pub fake_probability: f64,
    /// The penalties on the discriminator, which its loss does not contain; NaN without any.
    pub penalty: f64,
}

// SAFETY: repr(C), begins with its size, and consists of numbers.
unsafe impl Versioned for GannetReport {
    const NAME: &'static str = "GannetReport";
    const ZERO: Self = Self::NOTHING;
}

impl GannetReport {
    /// A report of nothing.
    pub(crate) const NOTHING: Self = Self {
        size: size_of::<Self>(),
        step: 0,
        turn: 0,
        discriminator_loss: f64::NAN,
        generator_loss: f64::NAN,
        real_probability: f64::NAN,
        fake_probability: f64::NAN,
        penalty: f64::NAN,
    };
}

impl From<StepReport> for GannetReport {
    fn from(report: StepReport) -> Self {
        Self {
            step: report.step,
            discriminator_loss: report.discriminator_loss,
            generator_loss: report.generator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
            ..Self::NOTHING
        }
    }
}

impl From<DiscriminatorReport> for GannetReport {
    fn from(report: DiscriminatorReport) -> Self {
        Self {
            turn: report.turn,
            discriminator_loss: report.loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
            ..Self::NOTHING
        }
    }
}

impl From<GeneratorReport> for GannetReport {
    fn from(report: GeneratorReport) -> Self {
        Self { step: report.step, generator_loss: report.loss, ..Self::NOTHING }
    }
}

impl From<ModularReport> for GannetReport {
    fn from(report: ModularReport) -> Self {
        Self {
            discriminator_loss: report.discriminator_loss,
            generator_loss: report.generator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
            ..Self::NOTHING
        }
    }
}

/// Is told the losses of a step while a run goes on. Returns 0 to go on; anything else ends the run behind the step that was reported.
///
/// It is called on the thread that runs the trainer. The trainer itself is busy; other handles may be used.
pub type GannetProgress = Option<unsafe extern "C" fn(context: *mut c_void, report: *const GannetReport) -> i32>;

/// What a trainer or a loss tells of itself. Set `size` to `sizeof(GannetInfo)` before the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GannetInfo {
    /// `sizeof(GannetInfo)`.
    pub size: usize,
    /// Steps done.
    pub steps_done: u64,
    /// Samples of a batch.
    pub batch: usize,
    /// Values of a latent; 0 of a loss.
    pub latents: usize,
    /// Values of a sample that the generator makes; of a loss those of a row that it judges.
    pub features: usize,
    /// Values of a sample's condition, which follow the features in a row of the data.
    pub conditions: usize,
    /// Parameters of the generator; 0 of a loss.
    pub generator_parameters: usize,
    /// Parameters of the discriminator.
    pub discriminator_parameters: usize,
    /// Threads that have work.
    pub threads: usize,
    /// Bytes of parameters and workspace, without the data.
    pub memory: u64,
    /// Matrix products of a step.
    pub products_per_step: u64,
}

// SAFETY: repr(C), begins with its size, and consists of numbers.
unsafe impl Versioned for GannetInfo {
    const NAME: &'static str = "GannetInfo";
    const ZERO: Self = Self {
        size: 0,
        steps_done: 0,
        batch: 0,
        latents: 0,
        features: 0,
        conditions: 0,
        generator_parameters: 0,
        discriminator_parameters: 0,
        threads: 0,
        memory: 0,
        products_per_step: 0,
    };
}

impl GannetInfo {
    /// What a plan tells.
    pub(crate) fn of_plan(plan: &PlanSummary) -> Self {
        Self { threads: plan.threads, memory: plan.memory, products_per_step: plan.products_per_step, ..Self::ZERO }
    }
}
