//! The running statistics of batch normalization, which stand in for those of a group after training.

use super::parameters::ParameterLayout;
use super::spec::{NetworkSpec, Normalization};

/// The share of a batch in running statistics: PyTorch's `momentum`.
const MOMENTUM: f32 = 0.1;

/// Lets the running statistics among the `parameters` follow those of a batch of `samples` samples, whose sums stand where the buffers do in
/// the arena `sums`.
pub(crate) fn follow(
    spec: &NetworkSpec,
    layout: &ParameterLayout,
    parameters: &mut [f32],
    (sums, samples): (&[f32], usize),
) {
    for (layer, place) in spec.layers.iter().zip(layout.layers()) {
        if layer.normalization != Normalization::Batch {
            continue;
        }
        for buffer in &place.buffers {
            let sums = &sums[buffer.clone()];
            for (running, sum) in parameters[buffer.clone()].iter_mut().zip(sums) {
                *running += MOMENTUM * (sum / samples as f32 - *running);
            }
        }
    }
}
