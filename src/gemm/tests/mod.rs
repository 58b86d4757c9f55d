//! Every engine's products, as the passes of a dense layer use them, against plain f64 loops, on every instruction set, at awkward shapes.

use super::*;
use crate::reference::activation::{self, ALL as ACTIVATIONS};
use crate::reference::numbers::numbers;
use crate::reference::product::Dense;
use crate::simd::LANE_GROUP;

mod caches;
mod choice;
mod epilogues;
mod shapes;
mod special;
mod update;

/// Largest difference of a sum of `terms` products of numbers in -1 .. 1, computed in f32.
fn tolerance(terms: usize) -> f64 {
    f64::from(f32::EPSILON) * (terms as f64 + 8.0)
}

fn assert_close(name: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let failures: Vec<String> = found
        .iter()
        .zip(expected)
        .enumerate()
        .filter(|(_, (found, expected))| !((f64::from(**found) - **expected).abs() <= tolerance))
        .map(|(index, (found, expected))| format!("[{index}] {found} instead of {expected}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{name}: {} of {} differ: {:?}",
        failures.len(),
        found.len(),
        &failures[..failures.len().min(5)]
    );
}

/// `(inputs, outputs)`: one of each, primes, around the widths of the micro-kernels, and the shapes of the presets.
const SHAPES: [(usize, usize); 12] =
    [(1, 1), (1, 3), (3, 1), (2, 2), (2, 128), (32, 1), (7, 33), (17, 5), (16, 16), (31, 65), (128, 64), (100, 97)];

/// Calls `test` for every engine, instruction set, shape, panel width, and for the whole result as well as a row block.
fn for_all(test: impl Fn(&dyn Engine, Isa, usize, usize, usize, std::ops::Range<usize>, String)) {
    for kind in EngineKind::ALL {
        for isa in Isa::available() {
            for (inputs, outputs) in SHAPES {
                for groups in [1, 2, 5, 16] {
                    let width = groups * LANE_GROUP;
                    let name = format!("{kind} {} {inputs}-{outputs} width {width}", isa.kind());
                    test(kind.engine(), isa, inputs, outputs, width, 0..usize::MAX, name.clone());
                    test(kind.engine(), isa, inputs, outputs, width, 1..3, format!("{name} block"));
                }
            }
        }
    }
}

/// A matrix of `columns` columns with rows `GAP` values further apart than they are long, NaN in between: who reads a gap
/// is found out.
fn spread(matrix: &[f32], columns: usize) -> Vec<f32> {
    let mut spread = vec![f32::NAN; matrix.len() / columns * (columns + GAP)];
    for (to, from) in spread.chunks_mut(columns + GAP).zip(matrix.chunks(columns)) {
        to[..columns].copy_from_slice(from);
    }
    spread
}

/// See [`spread`].
const GAP: usize = 3;

fn clamp(block: std::ops::Range<usize>, rows: usize) -> std::ops::Range<usize> {
    block.start.min(rows - 1)..block.end.min(rows)
}

#[test]
fn forward_matches_f64() {
    for_all(|engine, isa, inputs, outputs, width, block, name| {
        let block = clamp(block, outputs);
        let (weights, bias, input) = (numbers(inputs * outputs, 1), numbers(outputs, 2), numbers(inputs * width, 3));
        let spread = spread(&weights, inputs);
        let sums = Dense::new(&weights, &bias, &input, &vec![0.0; outputs * width], width).output;
        for activation in ACTIVATIONS {
            let mut output = vec![f32::NAN; block.len() * width];
            engine.panel_product(
                isa,
                PanelProduct {
                    weights: &spread[block.start * (inputs + GAP)..block.end * (inputs + GAP)],
                    stride: inputs + GAP,
                    transposed: false,
                    rows: 0..block.len(),
                    terms: inputs,
                    input: &input,
                    output: &mut output,
                    width,
                    epilogue: Epilogue::Activation { bias: &bias[block.clone()], activation, dropout: None },
                },
            );
            let sums = &sums[block.start * width..block.end * width];
            let expected: Vec<f64> = sums.iter().map(|&sum| activation::value(activation, sum)).collect();
            assert_close(&format!("forward {name} {activation:?}"), &output, &expected, tolerance(inputs));
        }
    });
}

#[test]
fn input_gradient_matches_f64() {
    for_all(|engine, isa, inputs, outputs, width, block, name| {
        let block = clamp(block, inputs);
        let (weights, delta) = (numbers(inputs * outputs, 4), numbers(outputs * width, 5));
        let spread = spread(&weights, inputs);
        let values: Vec<f32> = numbers(block.len() * width, 6).iter().map(|v| v.abs() * 0.9 + 0.05).collect();
        let sums = Dense::new(&weights, &vec![0.0; outputs], &vec![0.0; inputs * width], &delta, width).input_gradient;
        for activation in ACTIVATIONS {
            let mut output = vec![f32::NAN; block.len() * width];
            engine.panel_product(
                isa,
                PanelProduct {
                    weights: &spread,
                    stride: inputs + GAP,
                    transposed: true,
                    rows: block.clone(),
                    terms: outputs,
                    input: &delta,
                    output: &mut output,
                    width,
                    epilogue: Epilogue::Derivative(Derivative { activation, dropout: 0.0, values: &values }),
                },
            );
            let slopes = values.iter().map(|&y| activation::slope(activation, f64::from(y)));
            let sums = &sums[block.start * width..block.end * width];
            let expected: Vec<f64> = sums.iter().zip(slopes).map(|(sum, slope)| sum * slope).collect();
            assert_close(&format!("input gradient {name} {activation:?}"), &output, &expected, tolerance(outputs));
        }
    });
}

/// The ways in which panels of `width` lanes are filled: one full panel; one of two parts with fewer samples; several panels of
/// which the last has fewer; so many full ones that the sum is taken in blocks.
fn fillings(width: usize) -> Vec<Lanes> {
    let lanes = |panels, parts, samples| Lanes { panels, width, parts, samples };
    let mut fillings = vec![Lanes::full(width), lanes(3, 1, 2 * width + 1), lanes(20, 1, 20 * width)];
    if width.is_multiple_of(2 * LANE_GROUP) {
        let part = width / 2;
        fillings.extend([lanes(1, 2, part - 3), lanes(2, 2, part + 5)]);
    }
    fillings
}

#[test]
fn weight_gradient_matches_f64_and_accumulates() {
    for_all(|engine, isa, inputs, outputs, width, block, name| {
        let block = clamp(block, outputs);
        // Blocks of rows differ in nothing that the filling touches.
        let fillings = if block.start == 0 { fillings(width) } else { vec![Lanes::full(width)] };
        for lanes in fillings.into_iter().filter(|lanes| lanes.panels * inputs * outputs < 40_000) {
            let samples = lanes.panels * width;
            let mut delta = numbers(outputs * samples, 7);
            let input = numbers(inputs * samples, 8);
            let occupied: Vec<(usize, usize)> =
                lanes.occupied().flat_map(|(panel, range)| range.map(move |lane| (panel, lane))).collect();
            assert_eq!(occupied.len(), lanes.samples * lanes.parts);
            for (index, value) in delta.iter_mut().enumerate() {
                if !occupied.contains(&(index / (outputs * width), index % width)) {
                    *value = 0.0;
                }
            }
            for accumulate in [false, true] {
                let before = if accumulate { 0.5 } else { f32::NAN };
                let run = |bias_gradient: Option<&mut [f32]>| {
                    let mut gradient = vec![before; block.len() * (inputs + GAP)];
                    let product = OuterProduct {
                        delta: &delta,
                        input: &input,
                        rows: block.clone(),
                        gradient: &mut gradient,
                        stride: inputs + GAP,
                        bias_gradient,
                        outputs,
                        inputs,
                        lanes,
                        accumulate,
                        update: None,
                    };
                    engine.outer_product(isa, product);
                    gradient
                };
                let mut bias_gradient = vec![before; block.len()];
                let gradient = run(Some(&mut bias_gradient));
                let start = if accumulate { 0.5 } else { 0.0 };
                let mut expected = vec![start; block.len() * inputs];
                let mut expected_bias = vec![start; block.len()];
                for (delta, input) in delta.chunks(outputs * width).zip(input.chunks(inputs * width)) {
                    let of_panel = Dense::new(&vec![0.0; outputs * inputs], &vec![0.0; outputs], input, delta, width);
                    let rows = &of_panel.weight_gradient[block.start * inputs..block.end * inputs];
                    expected.iter_mut().zip(rows).for_each(|(sum, value)| *sum += value);
                    expected_bias
                        .iter_mut()
                        .zip(&of_panel.bias_gradient[block.clone()])
                        .for_each(|(sum, value)| *sum += value);
                }
                let name = format!("{name} {lanes:?}");
                let found: Vec<f32> = gradient.chunks(inputs + GAP).flat_map(|row| &row[..inputs]).copied().collect();
                assert_close(&format!("weight gradient {name}"), &found, &expected, tolerance(samples));
                assert_close(&format!("bias gradient {name}"), &bias_gradient, &expected_bias, tolerance(samples));
                let of_weights_alone = run(None);
                let same = gradient.iter().zip(&of_weights_alone).all(|(one, other)| one.to_bits() == other.to_bits());
                assert!(same, "weights alone {name}");
                let untouched = |value: &f32| value.to_bits() == before.to_bits();
                assert!(gradient.chunks(inputs + GAP).all(|row| row[inputs..].iter().all(untouched)), "gaps {name}");
            }
        }
    });
}

/// Fills of the micro-kernels in both directions, from one row to more than two tiles of any of them, on unaligned slices.
#[test]
fn every_tail_matches_f64() {
    let activation = Activation::LeakyRelu { slope: 0.2 };
    for width in [1, 3, 7].map(|groups| groups * LANE_GROUP) {
        for (inputs, outputs) in (1..=34).flat_map(|inputs| (1..=30).map(move |outputs| (inputs, outputs))) {
            // The allocator aligns vectors to 16 bytes: behind the first value, none of them is aligned to more than 4.
            let [weights, input] = [(outputs * inputs, 1), (inputs * width, 3)].map(unaligned);
            let [bias, delta] = [(outputs, 2), (outputs * width, 4)].map(unaligned);
            let (weights, input, bias, delta) = (&weights[1..], &input[1..], &bias[1..], &delta[1..]);
            let expected = Dense::new(weights, bias, input, delta, width);
            for kind in EngineKind::ALL {
                for isa in Isa::available() {
                    let name = format!("{kind} {} {inputs}-{outputs} width {width}", isa.kind());
                    let engine = kind.engine();
                    let mut output = vec![f32::NAN; 1 + outputs * width];
                    let output = &mut output[1..];
                    let stride = inputs;
                    let product = PanelProduct {
                        weights,
                        stride,
                        transposed: false,
                        rows: 0..outputs,
                        terms: inputs,
                        input,
                        output,
                        width,
                        epilogue: Epilogue::Activation { bias, activation, dropout: None },
                    };
                    engine.panel_product(isa, product);
                    let forward: Vec<f64> =
                        expected.output.iter().map(|&sum| activation::value(activation, sum)).collect();
                    assert_close(&format!("forward {name}"), output, &forward, tolerance(inputs));

                    let mut output = vec![f32::NAN; 1 + inputs * width];
                    let output = &mut output[1..];
                    let values = input;
                    let derivative = Some(Derivative { activation, dropout: 0.0, values });
                    let product = PanelProduct {
                        weights,
                        stride,
                        transposed: true,
                        rows: 0..inputs,
                        terms: outputs,
                        input: delta,
                        output,
                        width,
                        epilogue: derivative.map_or(Epilogue::None, Epilogue::Derivative),
                    };
                    engine.panel_product(isa, product);
                    let slopes = values.iter().map(|&y| activation::slope(activation, f64::from(y)));
                    let gradient: Vec<f64> = expected.input_gradient.iter().zip(slopes).map(|(x, y)| x * y).collect();
                    assert_close(&format!("input gradient {name}"), output, &gradient, tolerance(outputs));

                    let mut both = vec![f32::NAN; 1 + outputs * inputs + outputs];
                    let (gradient, bias_gradient) = both[1..].split_at_mut(outputs * inputs);
                    let product = OuterProduct {
                        delta,
                        input,
                        rows: 0..outputs,
                        gradient,
                        stride,
                        bias_gradient: Some(bias_gradient),
                        outputs,
                        inputs,
                        lanes: Lanes::full(width),
                        accumulate: false,
                        update: None,
                    };
                    engine.outer_product(isa, product);
                    let name = format!("weight gradient {name}");
                    let both_expected = [&expected.weight_gradient[..], &expected.bias_gradient].concat();
                    assert_close(&name, &both[1..], &both_expected, tolerance(width));
                }
            }
        }
    }
}

/// As many numbers as asked for, behind one that is left out.
fn unaligned((count, seed): (usize, u64)) -> Vec<f32> {
    numbers(1 + count, seed)
}
