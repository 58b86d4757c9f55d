//! What the program asks of the engine beyond its interface.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

use serde_json::Value;

use crate::Result;
use crate::gan::exchange;
use crate::gan::health::{self, Health};
use crate::gan::streams::Stream;
use crate::gan::{GanSpec, Model, Replicas, Source, StepReport, Trainer};
use crate::net::NetworkSpec;
use crate::net::parameters::ParameterLayout;
use crate::simd::Isa;

pub use crate::data::idx::{has_mnist, image_size};
pub use crate::error::bytes_text;
pub use crate::gan::outside::{Derivation, RunSeed};
pub use crate::gan::settings::text as setting_text;
pub use crate::gan::settings::{CHANGED as CHANGED_SETTINGS, complete as complete_settings, steps_for_epochs};
pub use crate::gan::version_1::settings_of_version_1;

/// Gives D's last layer what the objective needs: its number of logits, and no activation. Says whether that was a change.
pub fn fit_discriminator(spec: &mut GanSpec) -> bool {
    spec.fit_discriminator()
}

/// The numbers that the parameters of a network take, with what aligns them.
pub fn parameters(network: &NetworkSpec) -> usize {
    ParameterLayout::new(network).len()
}

/// The widths that a sample takes on its way through a network: the input's, then each layer's output's.
pub fn widths(network: &NetworkSpec) -> impl Iterator<Item = usize> {
    network.widths()
}

/// Bytes of the largest model or checkpoint that a run of `spec` writes.
pub fn largest_model_file(spec: &GanSpec) -> u64 {
    Model::largest_file(spec)
}

/// The settings that decide the result, by their names in `config.toml`.
pub fn settings(trainer: &Trainer<'_>) -> BTreeMap<String, Value> {
    trainer.settings()
}

/// Refuses what was `saved` with other layers: no state of it fits.
///
/// # Errors
///
/// [`Error::InvalidSetting`](crate::Error::InvalidSetting) that names what differs.
pub fn check_layers(trainer: &Trainer<'_>, saved: &BTreeMap<String, Value>) -> Result<()> {
    trainer.check_layers(saved)
}

/// Writes the conditions of the sample of an index, which are 0 before.
pub type ConditionOf<'a> = &'a dyn Fn(u64, &mut [f32]);

/// Samples of G for the measures of a run, under their conditions.
///
/// # Errors
///
/// As [`Model::sample`].
pub fn measured_samples(
    model: &Model,
    spec: &GanSpec,
    count: usize,
    seed: RunSeed,
    condition: ConditionOf<'_>,
    isa: Isa,
) -> Result<Vec<f32>> {
    model.sample_columns_of(spec, [count, usize::MAX], seed.key(Stream::Measures), condition, isa)
}

/// Samples of G for the pictures of a run, under their conditions, of which only the first `columns` values of each row are kept.
///
/// # Errors
///
/// As [`Model::sample`].
pub fn shown_samples(
    model: &Model,
    spec: &GanSpec,
    count_and_columns: [usize; 2],
    seed: RunSeed,
    condition: ConditionOf<'_>,
    isa: Isa,
) -> Result<Vec<f32>> {
    model.sample_columns_of(spec, count_and_columns, seed.key(Stream::Pictures), condition, isa)
}

/// The health of a run: [`health::examine`] by its seed.
///
/// # Errors
///
/// As there.
pub fn examine(
    model: &Model,
    gradients: Option<&Model>,
    spec: &GanSpec,
    real: &dyn Source,
    seed: RunSeed,
    isa: Isa,
) -> Result<Health> {
    health::examine_by(model, gradients, spec, real, seed, isa)
}

/// A report of a step that is known from a file: losses of D and G, mean probabilities of real samples and of fakes; and penalties.
pub fn step_report(
    step: u64,
    [discriminator_loss, generator_loss, real_probability, fake_probability]: [f64; 4],
    penalty: Option<f64>,
) -> StepReport {
    StepReport { step, discriminator_loss, generator_loss, real_probability, fake_probability, penalty }
}

/// A trainer that is alone, as one replica.
pub fn single(trainer: Trainer<'_>) -> Replicas<'_> {
    Replicas::single(trainer)
}

/// The shards on which `process` of so many works.
pub fn shards_of(process: usize, processes: usize, shards: usize) -> Range<usize> {
    exchange::shards_of(process, processes, shards)
}

/// The threads on which replicas take turns.
pub fn workers(replicas: &Replicas<'_>) -> usize {
    replicas.workers()
}

/// Calls `piece` with the index of a replica, its trainer and its companion, on any worker, again and again until it returns
/// `Break` for that replica. Replicas that go on come in turn.
///
/// # Panics
///
/// If there is not one companion for each replica.
pub fn take_turns<'a, S: Send>(
    replicas: &mut Replicas<'a>,
    companions: &mut [S],
    piece: impl Fn(usize, &mut Trainer<'a>, &mut S) -> ControlFlow<()> + Sync,
) {
    replicas.take_turns(companions, piece);
}

/// Writes samples of a source that has them in memory into a panel: feature `f` of sample `rows[s]` to `panel[f * width + s]`.
pub fn gather(source: &dyn Source, isa: Isa, rows: &[u32], panel: &mut [f32], width: usize) {
    if let Some(memory) = source.in_memory() {
        memory.gather(isa, rows, panel, width);
    }
}
