//! What a relativistic average objective needs of the whole batch: each sample's logit is held against the mean of the others.
//!
//! With x real, y fake, `m` their mean logits and sp = softplus, D minimizes `E sp(m_y - D(x)) + E sp(D(y) - m_x)` and G
//! `E sp(m_x - D(y)) + E sp(D(x) - m_y)`. Each logit has two ways into a loss of `n` samples: its own term, and the mean that the terms of
//! the other kind share. So, with s = sigmoid,
//!
//! ```text
//! D:  n dL/dD(x) = -s(m_y - D(x)) - E s(D(y) - m_x)        n dL/dD(y) = s(D(y) - m_x) + E s(m_y - D(x))
//! G:  n dL/dD(y) = -s(m_x - D(y)) - E s(D(x) - m_y)
//! ```
//!
//! The first summand is a cross-entropy of the logit less the other mean, the second one number for all samples of a kind. Both are known
//! once D has judged the whole batch, which is why a segment of the program stands between.

use super::objective::Objective;
use crate::error::Result;
use crate::kernel::loss::{LossTerm, Side, bce_with_logits};
use crate::memory::AlignedBuffer;
use crate::simd::{Isa, LANE_GROUP};

/// The logits of a slot's samples.
#[derive(Debug)]
pub(super) struct Logits {
    /// Those of the real samples, those of the fakes, and room for as many.
    values: AlignedBuffer,
    samples: usize,
    padded: usize,
}

/// What the loss of each logit takes from the whole batch; of real samples and of fakes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Averages {
    /// The mean of the other kind, which is taken from the logit.
    pub(super) others: [f32; 2],
    /// What comes to the gradient.
    pub(super) more: [f32; 2],
}

/// Values of a slot of so many samples; none where the objective compares with no mean.
fn values(objective: Objective, samples: usize) -> usize {
    if objective.compares_with_means() { samples.next_multiple_of(LANE_GROUP).saturating_mul(3) } else { 0 }
}

/// Bytes for a batch of so many samples in so many slots, at most.
pub(super) fn bytes(objective: Objective, samples: usize, slots: usize) -> u64 {
    let values = values(objective, samples.saturating_add(slots.saturating_mul(LANE_GROUP)));
    (values as u64).saturating_mul(size_of::<f32>() as u64)
}

impl Logits {
    /// Room for the logits of so many samples.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn new(objective: Objective, samples: usize) -> Result<Self> {
        let padded = values(objective, samples) / 3;
        Ok(Self { values: AlignedBuffer::zeroed(3 * padded)?, samples, padded })
    }

    /// Those of a kind, 0 for real samples and 1 for fakes.
    pub(super) fn of(&mut self, kind: usize) -> &mut [f32] {
        &mut self.values[kind * self.padded..][..self.samples]
    }

    /// The sums of both kinds.
    pub(super) fn sums(&self) -> [f64; 2] {
        [0, 1].map(|kind| self.values[kind * self.padded..][..self.samples].iter().map(|logit| f64::from(*logit)).sum())
    }

    /// For real samples and fakes, the sum of the sigmoids of the logits less the mean of the others; and the sum of the softplus of those
    /// of the real samples.
    pub(super) fn compared(&mut self, isa: Isa, others: [f32; 2]) -> ([f64; 2], f64) {
        let Self { values, samples, padded } = self;
        let (logits, room) = values.split_at_mut(2 * *padded);
        let mut of = |kind: usize| {
            for (room, logit) in room.iter_mut().zip(&logits[kind * *padded..]) {
                *room = logit - others[kind];
            }
            bce_with_logits(isa, LossTerm { real: false, weight: 1.0, smoothing: 0.0 }, room, *samples, true)
        };
        let [real, fake] = [of(0), of(1)];
        ([real.probability, fake.probability], real.loss)
    }
}

impl Averages {
    /// The means that a batch's logits are held against, from the sums of both kinds.
    pub(super) fn of_means(sums: [f64; 2], batch: usize) -> Self {
        let [real, fake] = sums.map(|sum| (sum / batch as f64) as f32);
        Self { others: [fake, real], more: [0.0; 2] }
    }

    /// The same with what comes to the gradients of a side, from the sums of the sigmoids.
    pub(super) fn with_sigmoids(self, side: Side, [real, fake]: [f64; 2], batch: usize) -> Self {
        let count = batch as f64;
        let share = |sum: f64| (sum / count / count) as f32;
        let more = match side {
            // E s(m_y - D(x)) is 1 less E s(D(x) - m_y).
            Side::Discriminator => [-share(fake), share(count - real)],
            Side::Generator => [0.0, -share(real)],
        };
        Self { more, ..self }
    }
}
