//! The samples of a step, taken from the source before the step changes anything.
//!
//! ```text
//! in memory     read in place by the passes
//! elsewhere     the source writes all rows of the step here: in order on one thread, or in parts on all of them
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use super::batches::Batches;
use super::program::Reals;
use super::source::{InMemory, Shape, Source, write_batch};
use super::spec::GanSpec;
use crate::error::{Error, Result};
use crate::memory::AlignedBuffer;
use crate::parallel::{Chunks, Team};

/// Parts that a batch is cut into for each worker: enough that a slow part does not hold up the others for long.
const PARTS_OF_A_WORKER: usize = 4;

/// A source, and what a trainer takes from it.
pub(super) struct Intake<'a> {
    source: Arc<dyn Source + 'a>,
    shape: Shape,
    pub(super) batches: Batches,
    is_in_memory: bool,
    /// Rows of a step, `[batches, batch, features]`; empty where the source has its samples in memory.
    rows: AlignedBuffer,
}

/// The samples that were taken for a step.
#[derive(Clone, Copy)]
pub(super) enum Taken<'a> {
    /// These rows of samples in memory.
    InMemory(InMemory<'a>, &'a [u32]),
    /// These, row-major.
    Rows(&'a [f32]),
}

impl<'a> Taken<'a> {
    /// Those of batch `index` of `batches`.
    pub(super) fn batch(self, index: usize, batches: usize) -> Reals<'a> {
        match self {
            Self::InMemory(memory, rows) => Reals::Rows(memory, part(rows, index, batches)),
            Self::Rows(values) => Reals::Given(part(values, index, batches)),
        }
    }
}

/// Part `index` of `parts` equal ones.
fn part<T>(values: &[T], index: usize, parts: usize) -> &[T] {
    let len = values.len() / parts;
    &values[index * len..][..len]
}

impl<'a> Intake<'a> {
    /// Takes `batches` batches of `batch` samples for `spec` for each step, once [`take_memory`](Self::take_memory) has made
    /// room for them.
    ///
    /// # Errors
    ///
    /// A source of other features, or with fewer samples than a batch.
    pub(super) fn new(
        source: Arc<dyn Source + 'a>,
        spec: &GanSpec,
        [batch, batches]: [usize; 2],
        shuffle: bool,
        seed: u64,
    ) -> Result<Self> {
        let shape = source.shape();
        if shape.features() != spec.row_features() {
            let expected = match spec.conditions {
                0 => format!("{} features, as the generator makes", spec.features()),
                conditions => {
                    format!("{} features, as the generator makes, and {conditions} conditions", spec.features())
                }
            };
            return Err(Error::shape("data", expected, format!("{} features", shape.features())));
        }
        let order = Batches::new(shape.extent(), batch, batches, shuffle, seed)?;
        let is_in_memory = match source.in_memory() {
            Some(memory) => memory.check(shape).map(|()| true)?,
            None => false,
        };
        Ok(Self { source, shape, batches: order, is_in_memory, rows: AlignedBuffer::zeroed(0)? })
    }

    /// Values of the rows of a step.
    fn values(&self) -> usize {
        if self.is_in_memory { 0 } else { self.batches.of_step().saturating_mul(self.shape.features()) }
    }

    /// Bytes that this keeps beside the source.
    pub(super) fn bytes(&self) -> u64 {
        self.batches.bytes().saturating_add((self.values() as u64).saturating_mul(size_of::<f32>() as u64))
    }

    /// Takes the memory that [`bytes`](Self::bytes) tells of.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn take_memory(&mut self) -> Result<()> {
        self.batches.take_memory()?;
        self.rows = AlignedBuffer::zeroed(self.values())?;
        Ok(())
    }

    /// Takes the samples of the next `batches` batches, at most as many as a step has. Until [`Batches::advance`] is called, they are the
    /// same.
    ///
    /// # Errors
    ///
    /// [`Error::Source`].
    pub(super) fn take(&mut self, team: &Team<'_>, batches: usize) -> Result<Taken<'_>> {
        let samples = self.batches.samples(batches);
        let numbers = self.batches.draw(batches);
        if self.is_in_memory {
            let Some(memory) = self.source.in_memory() else {
                return Err(Error::shape("data", "samples in memory, as before", "none"));
            };
            memory.check(self.shape)?;
            return Ok(Taken::InMemory(memory, self.batches.rows(batches)));
        }
        let (source, features) = (&*self.source, self.shape.features());
        let rows = &mut self.rows[..samples * features];
        if self.shape.is_concurrent() && team.workers() > 1 {
            let samples = samples.div_ceil(PARTS_OF_A_WORKER * team.workers());
            // The error of the first part that has one.
            let failed = Mutex::new((usize::MAX, Ok(())));
            let parts = rows.len().div_ceil(samples * features);
            team.for_each((0..parts, Chunks::new(&mut *rows, samples * features)), |(index, values)| {
                let outcome = write_batch(numbers.skip(index * samples), features, values, |batch| source.fill(batch));
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if outcome.is_err() && index < failed.0 {
                    *failed = (index, outcome);
                }
            });
            failed.into_inner().unwrap_or_else(PoisonError::into_inner).1?;
        } else {
            write_batch(numbers, features, rows, |batch| source.fill(batch))?;
        }
        Ok(Taken::Rows(rows))
    }
}
