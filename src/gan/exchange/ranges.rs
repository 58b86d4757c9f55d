//! Which gradients are exchanged at once while the backward pass goes on.

use crate::net::parameters::ParameterLayout;
use crate::net::{NetworkSpec, Normalization};

/// Fewest values that are exchanged at once, 64 KiB: on links of 1 to 10 Gbit/s they take as long as the latency of a message, 50 to
/// 500 us. Smaller layers go with the one below.
const LEAST: usize = 16 * 1024;

/// Where ranges of a network's gradients begin that are exchanged at once, from the last to the first; none where all are exchanged after the
/// pass. It follows from the network alone, so that all processes exchange the same.
pub(in crate::gan) fn ranges(spec: &NetworkSpec) -> Vec<usize> {
    // What batch normalization keeps stands behind the parameters of all layers, and each layer's pass adds to it.
    if spec.has(Normalization::Batch) {
        return Vec::new();
    }
    let layout = ParameterLayout::new(spec);
    let (mut ranges, mut end) = (Vec::new(), layout.len());
    for start in layout.layers().iter().rev().map(|place| place.weight.start) {
        if end - start >= LEAST || start == 0 {
            ranges.push(start);
            end = start;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::activation::Activation;

    #[test]
    fn layers_go_together_until_they_are_worth_a_message() {
        for (sizes, layers) in [
            (&[200, 200, 200, 1][..], &[1, 0][..]),
            (&[2, 10, 10, 1], &[0]),
            (&[2, 200, 200, 200], &[2, 1, 0]),
            (&[500, 10, 500], &[0]),
        ] {
            let spec = NetworkSpec::dense(sizes, Activation::Relu, 0.0, Activation::Linear);
            let layout = ParameterLayout::new(&spec);
            let starts: Vec<_> = layers.iter().map(|layer| layout.layer(*layer).weight.start).collect();
            assert_eq!(ranges(&spec), starts, "{sizes:?}");
            assert_eq!(ranges(&spec.clone().with_normalization(Normalization::Layer)), starts, "{sizes:?}");
            assert!(ranges(&spec.with_normalization(Normalization::Batch)).is_empty(), "{sizes:?}");
        }
    }
}
