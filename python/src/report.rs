//! What steps report.

use gannet::gan::{DiscriminatorReport, GeneratorReport, ModularReport, StepReport};
use pyo3::prelude::*;

/// What a step reports. A number that the call does not tell is nan.
#[pyclass(frozen, get_all, module = "gannet")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    /// Steps done: turns of the generator.
    pub(crate) step: u64,
    /// The discriminator's loss before its update.
    pub(crate) discriminator_loss: f64,
    /// The generator's loss, the one that it minimizes.
    pub(crate) generator_loss: f64,
    /// The mean probability that the discriminator gives a real sample of being real.
    pub(crate) real_probability: f64,
    /// The same of generated samples.
    pub(crate) fake_probability: f64,
    /// The penalties on the discriminator, which its loss does not contain; nan without any.
    pub(crate) penalty: f64,
}

impl Report {
    /// A report of nothing but the step.
    fn of_step(step: u64) -> Self {
        let nan = f64::NAN;
        Self {
            step,
            discriminator_loss: nan,
            generator_loss: nan,
            real_probability: nan,
            fake_probability: nan,
            penalty: nan,
        }
    }

    /// The report of the discriminator's turn alone, after so many steps.
    pub(crate) fn of_discriminator(step: u64, report: DiscriminatorReport) -> Self {
        Self {
            discriminator_loss: report.loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
            ..Self::of_step(step)
        }
    }

    /// The report of the modular loss.
    pub(crate) fn of_modular(step: u64, report: ModularReport) -> Self {
        Self {
            step,
            discriminator_loss: report.discriminator_loss,
            generator_loss: report.generator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
        }
    }
}

impl From<GeneratorReport> for Report {
    fn from(report: GeneratorReport) -> Self {
        Self { generator_loss: report.loss, ..Self::of_step(report.step) }
    }
}

impl From<StepReport> for Report {
    fn from(report: StepReport) -> Self {
        Self {
            step: report.step,
            discriminator_loss: report.discriminator_loss,
            generator_loss: report.generator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty.unwrap_or(f64::NAN),
        }
    }
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        let Self { step, discriminator_loss, generator_loss, real_probability, fake_probability, penalty } = self;
        format!(
            "Report(step={step}, discriminator_loss={discriminator_loss:.4}, generator_loss={generator_loss:.4}, \
             real_probability={real_probability:.4}, fake_probability={fake_probability:.4}, penalty={penalty:.4})"
        )
    }
}
