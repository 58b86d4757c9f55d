//! Sources that are made of what a caller has: borrowed rows, functions, streams.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use super::contract::Source;
use super::in_memory::InMemory;
use super::shape::{Extent, Shape};
use super::writer::{BatchWriter, BoxError};

impl Source for InMemory<'_> {
    fn shape(&self) -> Shape {
        Shape::new(self.features(), self.samples())
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        Some(*self)
    }
}

/// Samples that `write` makes from their number. It writes all values of the row, and may be called by several threads at once.
///
/// ```
/// use std::{ops::ControlFlow, sync::Arc};
/// use gannet::gan::{Trainer, TrainerOptions, presets::Preset, source};
///
/// let spiral = source::from_fn(2, 10_000, |number, row| {
///     let turn = number as f32 / 10_000.0;
///     let (sine, cosine) = (20.0 * turn).sin_cos();
///     row.copy_from_slice(&[turn * cosine, turn * sine]);
/// });
/// let mut trainer = Trainer::new(Preset::Circle.spec(), Arc::new(spiral), TrainerOptions::default())?;
/// trainer.run(10, 0, |_| ControlFlow::Continue(()))?;
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn from_fn<'a>(
    features: usize,
    extent: impl Into<Extent>,
    write: impl Fn(u64, &mut [f32]) + Send + Sync + 'a,
) -> impl Source + 'a {
    try_from_fn(features, extent, move |number, row: &mut [f32]| {
        write(number, row);
        Ok::<(), Infallible>(())
    })
}

/// The same of a function that may fail: its error ends the run and comes back in [`Error::Source`](crate::Error::Source).
///
/// ```
/// use std::{io, ops::ControlFlow, sync::Arc};
/// use gannet::{Error, gan::{Trainer, TrainerOptions, presets::Preset, source::{self, Extent}}};
///
/// let sensor = source::try_from_fn(2, Extent::Endless, |number, row: &mut [f32]| {
///     row.fill((number as f32).cos());
///     if number < 70 { Ok(()) } else { Err(io::Error::other("the sensor is off")) }
/// });
/// let options = TrainerOptions::default().with_batch(32);
/// let mut trainer = Trainer::new(Preset::Circle.spec(), Arc::new(sensor), options)?;
/// match trainer.run(10, 0, |_| ControlFlow::Continue(())) {
///     Err(Error::Source { sample: 70, source }) => assert_eq!(source.to_string(), "the sensor is off"),
///     other => panic!("{other:?}"),
/// }
/// // Two steps are done, the third has not begun.
/// assert_eq!(trainer.steps_done(), 2);
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn try_from_fn<'a, E: Into<BoxError>>(
    features: usize,
    extent: impl Into<Extent>,
    write: impl Fn(u64, &mut [f32]) -> Result<(), E> + Send + Sync + 'a,
) -> impl Source + 'a {
    Function { shape: Shape::new(features, extent).concurrent(), write }
}

struct Function<F> {
    shape: Shape,
    write: F,
}

impl<E: Into<BoxError>, F: Fn(u64, &mut [f32]) -> Result<(), E> + Send + Sync> Source for Function<F> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        while let Some((number, row)) = batch.next_row() {
            (self.write)(number, row).map_err(Into::into)?;
        }
        Ok(())
    }
}

/// An endless source of samples that come in their own order. `next` is called for one sample after the other, by one thread at a
/// time, and writes all values of the row.
///
/// The number of the sample tells where the run stands. It rises by one from call to call; two cases are different. A run that goes on
/// from a checkpoint begins at the number where that run stopped: a stream that can, moves there, and the run has the bits of one that
/// never stopped. After an error, a hook's too, the samples that no whole turn has taken are asked for again.
///
/// ```
/// use std::{convert::Infallible, ops::ControlFlow, sync::Arc};
/// use gannet::gan::{Trainer, TrainerOptions, presets::Preset, source};
///
/// // A point that wanders.
/// let mut place = [0.0, 0.5];
/// let walk = source::stream(2, move |_, row: &mut [f32]| {
///     place = [place[0] + 0.1 * place[1], place[1] - 0.1 * place[0]];
///     row.copy_from_slice(&place);
///     Ok::<(), Infallible>(())
/// });
/// let mut trainer = Trainer::new(Preset::Circle.spec(), Arc::new(walk), TrainerOptions::default())?;
/// trainer.run(10, 0, |_| ControlFlow::Continue(()))?;
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn stream<'a, E: Into<BoxError>>(
    features: usize,
    next: impl FnMut(u64, &mut [f32]) -> Result<(), E> + Send + 'a,
) -> impl Source + 'a {
    Stream { features, next: Mutex::new(next) }
}

struct Stream<F> {
    features: usize,
    next: Mutex<F>,
}

impl<E: Into<BoxError>, F: FnMut(u64, &mut [f32]) -> Result<(), E> + Send> Source for Stream<F> {
    fn shape(&self) -> Shape {
        Shape::new(self.features, Extent::Endless)
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        // The trainer keeps account of a panic in a source.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((number, row)) = batch.next_row() {
            next(number, row).map_err(Into::into)?;
        }
        Ok(())
    }
}
