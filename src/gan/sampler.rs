//! Samples of a generator, from as many threads as are there.

use super::function::{NetworkFunction, SAMPLE_PANEL};
use super::model::Model;
use super::spec::GanSpec;
use super::streams::Stream;
use crate::error::{Error, Result};
use crate::kernel::noise::{self, StreamKey};
use crate::memory::filled;
use crate::net::panels::Part;
use crate::net::pass::NetworkView;
use crate::network::Network;
use crate::rows;
use crate::simd::Isa;

/// Makes samples by G. A sample depends on G, the seed and its index alone: threads that make parts of a sequence, each with a
/// handle of its own, make what one thread would.
///
/// ```
/// use gannet::{data::synthetic, gan::{Trainer, TrainerOptions, presets::Preset}};
///
/// let points = std::sync::Arc::new(synthetic::circle(1_024, 1)?);
/// let trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
/// let mut sampler = trainer.sampler()?;
/// let mut whole = vec![0.0; 1_000 * 2];
/// sampler.sample(7, 0, &mut whole)?;
///
/// // Four threads, 250 samples each.
/// let mut parts = vec![0.0; 1_000 * 2];
/// std::thread::scope(|scope| -> gannet::Result<()> {
///     for (part, rows) in parts.chunks_mut(250 * 2).enumerate() {
///         let mut sampler = sampler.share()?;
///         scope.spawn(move || sampler.sample(7, 250 * part as u64, rows).expect("G is finite"));
///     }
///     Ok(())
/// })?;
/// assert_eq!(parts, whole);
/// # Ok::<(), gannet::Error>(())
/// ```
///
/// A G with [conditions](super::GanSpec::conditions) is told them by [`sample_with`](Self::sample_with).
#[derive(Debug)]
pub struct Sampler {
    generator: NetworkFunction,
    /// Room for those of a sample.
    condition: Vec<f32>,
}

impl Sampler {
    /// The G of a model.
    ///
    /// # Errors
    ///
    /// As [`NetworkFunction::new`].
    pub fn new(model: &Model, spec: &GanSpec, isa: Isa) -> Result<Self> {
        let generator = NetworkFunction::new(model, spec, Network::Generator, isa)?;
        Ok(Self { generator, condition: filled(spec.conditions, 0.0)? })
    }

    /// A G of `spec` in training, as it is now.
    pub(super) fn of_view(view: NetworkView<'_>, spec: &GanSpec, isa: Isa) -> Result<Self> {
        let generator = NetworkFunction::of_view(Network::Generator, view, isa)?;
        Ok(Self { generator, condition: filled(spec.conditions, 0.0)? })
    }

    /// Another handle of the same G, for another thread: the weights are not copied.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn share(&self) -> Result<Self> {
        Ok(Self { generator: self.generator.share()?, condition: filled(self.condition.len(), 0.0)? })
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.generator.outputs()
    }

    /// Writes the samples of `seed` from index `first` on to `rows`, row-major, as many as it has room for. Nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where `rows` is not a number of whole rows, or an index is beyond 2^32 - 1, where the samples of a seed end;
    /// [`Error::ModelNotFinite`] where G makes a sample that is not finite; [`Error::InvalidSetting`] for a G with conditions.
    pub fn sample(&mut self, seed: u64, first: u64, rows: &mut [f32]) -> Result<()> {
        check_unconditional(self.condition.len())?;
        self.sample_with(seed, first, |_, _| (), rows)
    }

    /// The same under conditions: `condition` is called with the index of each sample, in order, and writes its conditions, which are 0
    /// before.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use gannet::{data::{Labelled, one_hot, synthetic}, gan::{GanSpec, Trainer, TrainerOptions}};
    /// use gannet::net::{Activation, NetworkSpec};
    ///
    /// // Points on a circle, and whether they lie on its right half: two classes.
    /// let points = synthetic::circle(1_024, 1)?;
    /// let labels = points.values().chunks(2).map(|point| u32::from(point[0] > 0.0)).collect();
    /// let data = Labelled::new(Arc::new(points), labels, 2)?;
    /// let network = |widths: &[usize]| NetworkSpec::dense(widths, Activation::Relu, 0.0, Activation::Linear);
    /// let spec = GanSpec::new(network(&[2 + 2, 32, 2]), network(&[2 + 2, 32, 1])).with_conditions(2);
    /// let trainer = Trainer::new(spec, Arc::new(data), TrainerOptions::default())?;
    ///
    /// let mut right = [0.0; 10 * 2];
    /// trainer.sampler()?.sample_with(7, 0, |_, condition| one_hot(1, condition), &mut right)?;
    /// # Ok::<(), gannet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sample`](Self::sample), and [`Error::Data`] for a condition that is not finite.
    pub fn sample_with(
        &mut self,
        seed: u64,
        first: u64,
        condition: impl FnMut(u64, &mut [f32]),
        rows: &mut [f32],
    ) -> Result<()> {
        self.sample_of(Stream::Sample.key(seed, 0), first, condition, rows)
    }

    /// The same with the latents of `key`.
    fn sample_of(
        &mut self,
        key: StreamKey,
        first: u64,
        mut write: impl FnMut(u64, &mut [f32]),
        rows: &mut [f32],
    ) -> Result<()> {
        let Self { generator, condition } = self;
        let (isa, features) = (generator.isa(), generator.outputs());
        let count = rows::whole("samples", rows.len(), features)?;
        let first = first_index(first, count)?;
        let latents = generator.inputs() - condition.len();
        for (index, rows) in rows.chunks_mut(SAMPLE_PANEL * features).enumerate() {
            let (first, count) = (first + index * SAMPLE_PANEL, rows.len() / features);
            let mut strange = None;
            let outcome = generator.pass(rows, Some(Part::drawn(key, first)), |panel| {
                let (latents, conditions) = panel.split_at_mut(latents * SAMPLE_PANEL);
                noise::normal(isa, key, first, latents, SAMPLE_PANEL);
                if condition.is_empty() {
                    return;
                }
                conditions.fill(0.0);
                for lane in 0..count {
                    condition.fill(0.0);
                    write((first + lane) as u64, condition);
                    if !condition.iter().all(|value| value.is_finite()) {
                        strange.get_or_insert(first + lane);
                    }
                    for (row, value) in conditions.chunks_exact_mut(SAMPLE_PANEL).zip(&*condition) {
                        row[lane] = *value;
                    }
                }
            });
            if let Some(sample) = strange {
                return Err(Error::data("conditions", format!("those of sample {sample} are not finite")));
            }
            outcome?;
        }
        Ok(())
    }
}

/// Refuses to sample a G with conditions without them.
fn check_unconditional(conditions: usize) -> Result<()> {
    if conditions == 0 {
        return Ok(());
    }
    let problem = format!("each sample needs {conditions}; `sample_with` takes them");
    Err(Error::setting("conditions", problem))
}

/// Checks that a seed has `count` samples from index `first` on.
fn first_index(first: u64, count: usize) -> Result<usize> {
    let end = first.saturating_add(count as u64);
    usize::try_from(first)
        .ok()
        .filter(|_| end <= 1 << 32)
        .ok_or_else(|| Error::shape("samples", "indices below 2^32", format!("{count} samples from index {first} on")))
}

impl Model {
    /// Samples of G without training: `count` rows of `spec.features()`, row-major. Latents depend on `seed` and the row
    /// alone: the first rows of a larger count are the same.
    ///
    /// # Errors
    ///
    /// More than 2^32 samples; memory that the system refuses; a model that does not fit `spec`; [`Error::ModelNotFinite`] where G has a
    /// weight or bias that is not finite, or makes a sample that is not; [`Error::InvalidSetting`] for a G with conditions.
    pub fn sample(&self, spec: &GanSpec, count: usize, seed: u64, isa: Isa) -> Result<Vec<f32>> {
        self.sample_columns(spec, count, usize::MAX, seed, isa)
    }

    /// The same under the conditions that `condition` writes, as [`Sampler::sample_with`] calls it.
    ///
    /// # Errors
    ///
    /// As [`Self::sample`] and [`Sampler::sample_with`].
    pub fn sample_with(
        &self,
        spec: &GanSpec,
        count: usize,
        seed: u64,
        condition: impl FnMut(u64, &mut [f32]),
        isa: Isa,
    ) -> Result<Vec<f32>> {
        self.sample_columns_of(spec, [count, usize::MAX], Stream::Sample.key(seed, 0), condition, isa)
    }

    /// The same, of which only the first `columns` values of each row are kept: no more memory is taken.
    ///
    /// # Errors
    ///
    /// As [`Self::sample`].
    pub fn sample_columns(
        &self,
        spec: &GanSpec,
        count: usize,
        columns: usize,
        seed: u64,
        isa: Isa,
    ) -> Result<Vec<f32>> {
        check_unconditional(spec.conditions)?;
        self.sample_columns_of(spec, [count, columns], Stream::Sample.key(seed, 0), |_, _| (), isa)
    }

    /// The same with the latents of `key`, under the conditions that `condition` writes.
    pub(crate) fn sample_columns_of(
        &self,
        spec: &GanSpec,
        [count, columns]: [usize; 2],
        key: StreamKey,
        mut condition: impl FnMut(u64, &mut [f32]),
        isa: Isa,
    ) -> Result<Vec<f32>> {
        first_index(0, count)?;
        let mut sampler = Sampler::new(self, spec, isa)?;
        let features = sampler.features();
        let columns = columns.clamp(1, features);
        let mut samples = filled(count.saturating_mul(columns), 0.0)?;
        if columns == features {
            sampler.sample_of(key, 0, condition, &mut samples)?;
            return Ok(samples);
        }
        let mut rows = filled(SAMPLE_PANEL.min(count) * features, 0.0)?;
        for (index, kept) in samples.chunks_mut(SAMPLE_PANEL * columns).enumerate() {
            let rows = &mut rows[..kept.len() / columns * features];
            sampler.sample_of(key, (index * SAMPLE_PANEL) as u64, &mut condition, rows)?;
            for (kept, row) in kept.chunks_exact_mut(columns).zip(rows.chunks_exact(features)) {
                kept.copy_from_slice(&row[..columns]);
            }
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::gan::presets::Preset;

    fn circle() -> (GanSpec, Model) {
        let spec = Preset::Circle.spec();
        let points = Arc::new(crate::data::synthetic::circle(64, 1).unwrap());
        let options = crate::gan::TrainerOptions { seed: 3, ..Default::default() };
        let model = crate::gan::Trainer::new(spec.clone(), points, options).unwrap().model().unwrap();
        (spec, model)
    }

    /// Wherever a sequence is cut, and whoever makes it.
    #[test]
    fn a_sample_depends_on_seed_and_index_alone() {
        let (spec, model) = circle();
        for isa in Isa::available() {
            let whole = model.sample(&spec, 700, 5, isa).unwrap();
            let mut sampler = Sampler::new(&model, &spec, isa).unwrap();
            for (first, count) in [(0, 700), (1, 699), (255, 2), (256, 256), (17, 0), (699, 1)] {
                let mut rows = vec![f32::NAN; count * 2];
                sampler.sample(5, first as u64, &mut rows).unwrap();
                assert_eq!(rows, whole[2 * first..][..2 * count], "{isa:?} {first} {count}");
            }
            assert_eq!(
                model.sample_columns(&spec, 700, 1, 5, isa).unwrap(),
                whole.iter().step_by(2).copied().collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn wrong_sizes_are_errors() {
        let (spec, model) = circle();
        let mut sampler = Sampler::new(&model, &spec, Isa::best()).unwrap();
        let mut rows = [0.0; 6];
        assert!(matches!(sampler.sample(1, 0, &mut rows[..5]), Err(Error::Shape { .. })));
        for first in [u64::MAX, 1 << 32, (1 << 32) - 2] {
            assert!(matches!(sampler.sample(1, first, &mut rows), Err(Error::Shape { .. })), "{first}");
        }
        sampler.sample(1, (1 << 32) - 3, &mut rows).unwrap();
    }
}
