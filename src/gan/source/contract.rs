//! The trait of all sources.

use super::in_memory::InMemory;
use super::shape::Shape;
use super::writer::{BatchWriter, BoxError};

/// Real samples that the trainer draws batches from. A source implements [`shape`](Self::shape), and either [`fill`](Self::fill) or
/// [`in_memory`](Self::in_memory).
///
/// ```
/// use std::io::{Read, Seek, SeekFrom, Write};
/// use std::{fs::File, ops::ControlFlow, sync::{Arc, Mutex}};
/// use gannet::gan::{Trainer, TrainerOptions, presets::Preset};
/// use gannet::gan::source::{BatchWriter, BoxError, Shape, Source};
///
/// /// Points in a file of `f32`, two numbers each.
/// struct Points {
///     file: Mutex<File>,
///     count: usize,
/// }
///
/// impl Source for Points {
///     fn shape(&self) -> Shape {
///         Shape::new(2, self.count)
///     }
///
///     fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
///         let mut file = self.file.lock().map_err(|_| "a read of the file panicked")?;
///         while let Some((number, row)) = batch.next_row() {
///             let mut bytes = [0; 8];
///             file.seek(SeekFrom::Start(8 * number))?;
///             file.read_exact(&mut bytes)?;
///             for (value, bytes) in row.iter_mut().zip(bytes.chunks_exact(4)) {
///                 *value = f32::from_le_bytes(bytes.try_into()?);
///             }
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut file = tempfile::tempfile()?;
/// for index in 0..200 {
///     file.write_all(&f32::to_le_bytes((index as f32).sin()))?;
/// }
/// let points = Points { file: Mutex::new(file), count: 100 };
/// let mut trainer = Trainer::new(Preset::Circle.spec(), Arc::new(points), TrainerOptions::default())?;
/// trainer.run(10, 0, |_| ControlFlow::Continue(()))?;
/// # Ok(())
/// # }
/// ```
pub trait Source: Send + Sync {
    /// What there is to be had. A trainer asks once, when it is made.
    fn shape(&self) -> Shape;

    /// Writes the samples of a batch. The trainer calls this before a step begins, with all samples that the step takes: on the thread
    /// that runs the trainer, or where the shape [allows](Shape::concurrent) it, on several threads with a part of them each. Whether a
    /// step allocates memory is up to this.
    ///
    /// The trainer may ask for the same samples again, after an error for instance.
    ///
    /// # Errors
    ///
    /// Whatever keeps the samples from being read. [`Error::Source`](crate::Error::Source) carries it to the caller of the trainer.
    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        let memory = self.in_memory().ok_or("the source implements neither fill nor in_memory")?;
        memory.fill(batch).ok_or_else(|| "the source has fewer samples in memory than its shape says".into())
    }

    /// The samples, if all of them lie in memory and stay as they are. The trainer then reads them in place and never calls
    /// [`fill`](Self::fill). It asks when it is made and at the beginning of every step.
    fn in_memory(&self) -> Option<InMemory<'_>> {
        None
    }
}

/// A source that is borrowed.
impl<S: Source + ?Sized> Source for &S {
    fn shape(&self) -> Shape {
        (**self).shape()
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        (**self).fill(batch)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        (**self).in_memory()
    }
}
