//! A weight gradient with an update by each rule: the same bits as one after the other, and nothing that is not finite goes unseen.

use super::native::Native;
use super::*;
use crate::kernel::optimizer::examples;
use crate::simd::Caches;

/// Weights, states, gradients, bias gradients, and whether all is finite.
type Updated = ([Vec<f32>; 5], bool);

/// A layer's gradient from `delta`, whose rows end in gaps of zeros, and the update by it.
fn updated(
    engine: &dyn Engine,
    isa: Isa,
    [inputs, outputs]: [usize; 2],
    delta: &[f32],
    lanes: Lanes,
    (update, fused): (Update, bool),
) -> Updated {
    let (stride, first_row) = (inputs + GAP, 1.min(outputs - 1));
    let rows = outputs - first_row;
    let matrix = |seed, offset: f32| -> Vec<f32> {
        let mut values: Vec<f32> = numbers(rows * stride, seed).iter().map(|value| value + offset).collect();
        values.chunks_mut(stride).for_each(|row| row[inputs..].fill(0.0));
        values
    };
    let [mut parameters, mut first, mut second, mut gradient] =
        [(1, 0.0), (2, 1.0), (3, 1.0), (4, 0.0)].map(|(seed, offset)| matrix(seed, offset));
    let mut bias_gradient = numbers(rows, 5);
    let input = numbers(inputs * lanes.panels * lanes.width, 6);
    let product = OuterProduct {
        delta,
        input: &input,
        rows: first_row..outputs,
        gradient: &mut gradient,
        stride,
        bias_gradient: Some(&mut bias_gradient),
        outputs,
        inputs,
        lanes,
        accumulate: true,
        update: None,
    };
    let mut states = [&mut first[..], &mut second[..]];
    states[update.state_names().len()..].fill_with(Default::default);
    let update = WeightUpdate { update, parameters: &mut parameters, states };
    let finite = if fused {
        engine.outer_product(isa, OuterProduct { update: Some(update), ..product })
    } else {
        engine.outer_product(isa, product) && update.apply(isa, &gradient)
    };
    ([parameters, first, second, gradient, bias_gradient], finite)
}

/// Compares the update within the product with that after it, by each rule.
fn compare(name: &str, engine: &dyn Engine, isa: Isa, [inputs, outputs]: [usize; 2], lanes: Lanes) {
    let name = format!("{name} {} {inputs}-{outputs} {lanes:?}", isa.kind());
    let mut delta = vec![0.0; outputs * lanes.panels * lanes.width];
    let numbers = numbers(delta.len(), 7);
    for (panel, range) in lanes.occupied() {
        for row in 0..outputs {
            let at = (panel * outputs + row) * lanes.width;
            delta[at..][range.clone()].copy_from_slice(&numbers[at..][range.clone()]);
        }
    }
    for update in examples() {
        let run = |delta: &[f32], fused| updated(engine, isa, [inputs, outputs], delta, lanes, (update, fused));
        let (apart, fused) = (run(&delta, false), run(&delta, true));
        assert!(apart.1 && fused.1, "{name} {update:?}: finite");
        assert!(apart.0 == fused.0, "{name} {update:?}");
        // The last row of the layer, so the last tile, and the first of the product.
        for (row, value) in [(outputs - 1, f32::NAN), (outputs - 1, f32::INFINITY), (1.min(outputs - 1), f32::NAN)] {
            let mut delta = delta.clone();
            delta[row * lanes.width] = value;
            assert!(!run(&delta, true).1, "{name} {update:?}: {value} in row {row} of the gradient");
        }
    }
}

const fn lanes(panels: usize, parts: usize, samples: usize) -> Lanes {
    Lanes { panels, width: 64, parts, samples }
}

#[test]
fn an_update_in_the_product_has_the_bits_of_one_after_it() {
    for kind in EngineKind::ALL {
        for isa in Isa::available() {
            for (inputs, outputs) in SHAPES.into_iter().chain([(64, 30), (48, 29)]) {
                // One block of samples, two ranges of one, and two blocks.
                for lanes in [lanes(1, 1, 64), lanes(2, 2, 40), lanes(7, 1, 400)] {
                    compare(&kind.to_string(), kind.engine(), isa, [inputs, outputs], lanes);
                }
            }
        }
    }
}

/// Whatever the caches: tile after tile, and in blocks of the gradient, of which the largest shape has three.
#[test]
fn an_update_behind_a_block_has_the_bits_of_one_after_the_product() {
    for level2 in [1 << 20, 2 << 20, 1 << 30] {
        let engine = Native { caches: Some(Caches { level1: 48 << 10, level2 }) };
        for isa in Isa::available() {
            for (shape, lanes) in
                [([64, 30], lanes(2, 2, 40)), ([520, 1_030], lanes(1, 1, 64)), ([47, 200], lanes(5, 1, 320))]
            {
                compare(&format!("native with {level2}"), &engine, isa, shape, lanes);
            }
        }
    }
}
