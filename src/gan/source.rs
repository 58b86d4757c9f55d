//! Where real samples come from.

use crate::simd::Isa;

/// A finite set of real samples that the trainer draws batches from.
pub trait Source: Send + Sync {
    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Features of a sample.
    fn features(&self) -> usize;

    /// Writes samples into a panel: feature `f` of sample `samples[s]` to `panel[f * width + s]`; lanes from `samples.len()`
    /// to `width` become 0. Must not allocate. Every entry of `samples` is below [`len`](Self::len).
    fn gather(&self, isa: Isa, samples: &[u32], panel: &mut [f32], width: usize);
}
