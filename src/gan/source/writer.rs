//! How a source hands over samples.

use crate::error::{Error, Result};

/// An error of a source, whatever its type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The numbers of the samples of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    /// These.
    Listed(&'a [u32]),
    /// This one and those after it.
    From(u64),
}

impl Numbers<'_> {
    /// The number at a position of the batch.
    fn at(self, position: usize) -> u64 {
        match self {
            Self::Listed(numbers) => u64::from(numbers[position]),
            Self::From(first) => first + position as u64,
        }
    }

    /// Those from a position on.
    pub(in crate::gan) fn skip(self, positions: usize) -> Self {
        match self {
            Self::Listed(numbers) => Self::Listed(&numbers[positions..]),
            Self::From(first) => Self::From(first + positions as u64),
        }
    }
}

/// The samples that a source is asked for, and the place that it writes them to, row after row in the order of the batch.
///
/// A row that is asked for and not written is no number, which the step reports as a sample that is not finite.
#[derive(Debug)]
pub struct BatchWriter<'a> {
    numbers: Numbers<'a>,
    features: usize,
    /// `[samples, features]`, row-major.
    values: &'a mut [f32],
    /// Rows handed out.
    given: usize,
    /// Rows known to be written; the one after them is what an error is about.
    done: usize,
}

impl<'a> BatchWriter<'a> {
    /// The number of samples that are asked for.
    pub fn len(&self) -> usize {
        self.values.len() / self.features
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The numbers of the samples, in the order in which they are to be written.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = u64> + use<'a> {
        let numbers = self.numbers;
        (0..self.len()).map(move |position| numbers.at(position))
    }

    /// The next sample that is to be written: its number, and its row.
    pub fn next_row(&mut self) -> Option<(u64, &mut [f32])> {
        let position = self.given;
        let row = self.values.chunks_exact_mut(self.features).nth(position)?;
        (self.done, self.given) = (position, position + 1);
        Some((self.numbers.at(position), row))
    }

    /// The rows of the next `count` samples that are to be written, one behind the other, for a source that makes several at once; fewer
    /// where fewer are left. Their numbers follow in [`numbers`](Self::numbers) on those of the rows before.
    pub fn next_rows(&mut self, count: usize) -> &mut [f32] {
        let first = self.given;
        (self.done, self.given) = (first, first.saturating_add(count).min(self.len()));
        &mut self.values[first * self.features..self.given * self.features]
    }

    /// All samples that are still to be written, for a source that has them in another order, or writes them on several threads.
    pub fn rows(&mut self) -> impl ExactSizeIterator<Item = (u64, &mut [f32])> {
        let (first, numbers) = (self.given, self.numbers);
        self.given = self.len();
        let rows = self.values.chunks_exact_mut(self.features).enumerate().skip(first);
        rows.map(move |(position, row)| (numbers.at(position), row))
    }

    /// Writes the next sample.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where `row` is not one value for each feature, or all samples are written.
    pub fn write(&mut self, row: &[f32]) -> Result<()> {
        let (features, samples) = (self.features, self.len());
        if row.len() != features {
            return Err(Error::shape("sample", format!("{features} values"), row.len().to_string()));
        }
        let Some((_, place)) = self.next_row() else {
            return Err(Error::shape("batch", format!("{samples} samples"), "more"));
        };
        place.copy_from_slice(row);
        self.done = self.given;
        Ok(())
    }
}

/// Lets `write` fill `values`, `[samples, features]` with `features` not 0, with the samples of these numbers.
///
/// # Errors
///
/// [`Error::Source`].
pub(crate) fn write_batch(
    numbers: Numbers<'_>,
    features: usize,
    values: &mut [f32],
    write: impl FnOnce(&mut BatchWriter<'_>) -> Result<(), BoxError>,
) -> Result<()> {
    // What is not written must not pass for a sample of the batch before.
    values.fill(f32::NAN);
    let mut writer = BatchWriter { numbers, features, values, given: 0, done: 0 };
    let outcome = write(&mut writer);
    let (samples, given) = (writer.len(), writer.given);
    let error = match outcome {
        Ok(()) if given == samples => return Ok(()),
        Ok(()) => {
            writer.done = given;
            Error::shape("batch", format!("{samples} samples"), given.to_string()).into()
        }
        Err(error) => error,
    };
    let sample = numbers.at(writer.done.min(samples.saturating_sub(1)));
    Err(Error::Source { sample, source: error })
}
