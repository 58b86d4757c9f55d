//! Samples that lie in memory as they are, which the trainer reads in place.

use super::shape::{Extent, Shape};
use super::writer::BatchWriter;
use crate::error::{Error, Result};
use crate::kernel::panel::{self, Columns};
use crate::rows;
use crate::simd::Isa;

/// A row-major matrix of samples in memory, borrowed. The trainer reads it in place: no copy, and no call of the source in a step.
///
/// It is a [`Source`](super::Source) of its own, so a trainer may train on what its caller keeps:
///
/// ```
/// use std::{ops::ControlFlow, sync::Arc};
/// use gannet::gan::{Trainer, TrainerOptions, presets::Preset, source};
///
/// let points: Vec<f32> = (0..2_000).map(|index| (index as f32).sin()).collect();
/// let mut trainer = Trainer::new(Preset::Circle.spec(), Arc::new(source::from_rows(&points, 2)?), TrainerOptions::default())?;
/// trainer.run(3, 0, |_| ControlFlow::Continue(()))?;
/// drop(trainer);
/// println!("{} values, still the caller's", points.len());
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InMemory<'a> {
    values: Values<'a>,
    features: usize,
}

/// The values of the samples.
#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    Floats(&'a [f32]),
    /// The value is `byte * scale + offset`.
    Bytes {
        bytes: &'a [u8],
        scale: f32,
        offset: f32,
    },
}

/// Samples in memory: rows of `features` values, one row a sample. A value that is not finite is an error of the step that meets it.
///
/// # Errors
///
/// [`Error::Shape`] if there is no value, no feature, or a last row that is not whole.
pub fn from_rows(values: &[f32], features: usize) -> Result<InMemory<'_>> {
    rows::some("samples", values.len(), features)?;
    Ok(InMemory { values: Values::Floats(values), features })
}

/// Samples in memory as bytes, for instance the pixels of images: rows of `features` bytes, one row a sample, of which each stands for
/// `byte * scale + offset`.
///
/// # Errors
///
/// [`Error::Shape`] as for [`from_rows`]; [`Error::InvalidSetting`] if `scale` or `offset` is not finite.
///
/// ```
/// use gannet::gan::source::{self, Source};
///
/// let pixels = [0, 255, 51, 204];
/// let images = source::from_bytes(&pixels, 2, 2.0 / 255.0, -1.0)?;
/// assert_eq!((images.samples(), images.features()), (2, 2));
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn from_bytes(bytes: &[u8], features: usize, scale: f32, offset: f32) -> Result<InMemory<'_>> {
    rows::some("samples", bytes.len(), features)?;
    for (name, value) in [("scale", scale), ("offset", offset)] {
        if !value.is_finite() {
            return Err(Error::setting(name, format!("{value} is not a finite number")));
        }
    }
    Ok(InMemory { values: Values::Bytes { bytes, scale, offset }, features })
}

impl<'a> InMemory<'a> {
    /// Rows that the caller has checked.
    pub(crate) fn of_rows(values: &'a [f32], features: usize) -> Self {
        Self { values: Values::Floats(values), features }
    }

    /// Rows of bytes that the caller has checked.
    pub(crate) fn of_bytes(bytes: &'a [u8], features: usize, scale: f32, offset: f32) -> Self {
        Self { values: Values::Bytes { bytes, scale, offset }, features }
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        let values = match self.values {
            Values::Floats(values) => values.len(),
            Values::Bytes { bytes, .. } => bytes.len(),
        };
        values / self.features
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Checks that these are the samples that a source has promised.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`].
    pub(in crate::gan) fn check(&self, promised: Shape) -> Result<()> {
        let values = match self.values {
            Values::Floats(values) => values.len(),
            Values::Bytes { bytes, .. } => bytes.len(),
        };
        let holds = match promised.extent() {
            Extent::Finite(samples) => samples.checked_mul(self.features as u64) == Some(values as u64),
            Extent::Chosen(_) | Extent::Endless => false,
        };
        if holds && self.features == promised.features() {
            return Ok(());
        }
        let text = |shape: Shape| format!("{} samples of {} features", shape.extent(), shape.features());
        let found = Shape::new(self.features, self.samples());
        Err(Error::shape("data in memory", text(promised), text(found)))
    }

    /// Writes the samples of a batch; `None` where one does not exist.
    pub(super) fn fill(&self, batch: &mut BatchWriter<'_>) -> Option<()> {
        while let Some((number, row)) = batch.next_row() {
            self.copy(number, row)?;
        }
        Some(())
    }

    /// Writes sample `number` to `row`, which has a place for each feature; `None` where it does not exist.
    pub(crate) fn copy(&self, number: u64, row: &mut [f32]) -> Option<()> {
        let features = self.features;
        let start = usize::try_from(number).ok()?.checked_mul(features)?;
        let range = start..start.checked_add(features)?;
        match self.values {
            Values::Floats(values) => row.copy_from_slice(values.get(range)?),
            Values::Bytes { bytes, scale, offset } => {
                for (value, &byte) in row.iter_mut().zip(bytes.get(range)?) {
                    *value = f32::from(byte).mul_add(scale, offset);
                }
            }
        }
        Some(())
    }

    /// Writes samples into a panel: feature `f` of sample `rows[s]` to `panel[f * width + s]`; lanes from `rows.len()` to `width` become
    /// 0. Every row is below [`samples`](Self::samples).
    pub(crate) fn gather(&self, isa: Isa, rows: &[u32], panel: &mut [f32], width: usize) {
        self.gather_columns(isa, Columns::all(self.features), rows, panel, width);
    }

    /// The same of the last features, as many as the panel has rows.
    pub(crate) fn gather_last(&self, isa: Isa, rows: &[u32], panel: &mut [f32], width: usize) {
        self.gather_columns(isa, Columns::last(panel.len() / width, self.features), rows, panel, width);
    }

    fn gather_columns(&self, isa: Isa, columns: Columns, rows: &[u32], panel: &mut [f32], width: usize) {
        match self.values {
            Values::Floats(values) => panel::gather_columns(isa, values, columns, rows, panel, width),
            Values::Bytes { bytes, scale, offset } => {
                panel::gather_bytes(isa, bytes, columns, rows, [scale, offset], panel, width);
            }
        }
    }
}
