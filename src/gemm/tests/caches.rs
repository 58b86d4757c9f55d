//! The blocks of the native engine follow the caches; the bits of its products do not.

use super::native::Native;
use super::*;
use crate::simd::Caches;

/// So large that the operands of products of these shapes are read where they stand, in the widest blocks.
const ENDLESS: Caches = Caches { level1: usize::MAX, level2: usize::MAX };

/// Caches of one byte, of odd sizes, of real ones, and with room for the largest blocks of copies.
const SIZES: [Caches; 5] = [
    Caches { level1: 1, level2: 1 },
    Caches { level1: 3_001, level2: 5_003 },
    Caches { level1: 12_345, level2: 54_321 },
    Caches::LEAST,
    Caches { level1: 1 << 20, level2: 1 },
];

/// `(inputs, outputs)`, from too few rows for copies to blocks of every kind and their tails.
const SHAPES: [(usize, usize); 7] = [(5, 7), (47, 48), (49, 50), (61, 97), (130, 64), (192, 384), (385, 193)];

/// The outputs, and the input gradients without and with dropout below.
fn products(engine: &Native, isa: Isa, [inputs, outputs]: [usize; 2], width: usize, of: Activation) -> [Vec<f32>; 3] {
    let stride = inputs + GAP;
    let weights = spread(&numbers(inputs * outputs, 1), inputs);
    // Behind the first value, none of them is aligned to more than 4 bytes.
    let [bias, input, delta] = [(outputs, 2), (inputs * width, 3), (outputs * width, 4)].map(unaligned);
    let (bias, input, delta) = (&bias[1..], &input[1..], &delta[1..]);
    let mut output = vec![f32::NAN; outputs * width];
    let forward = PanelProduct {
        weights: &weights,
        stride,
        transposed: false,
        rows: 0..outputs,
        terms: inputs,
        input,
        output: &mut output,
        width,
        epilogue: Epilogue::Activation { bias, activation: of, dropout: None },
    };
    engine.panel_product(isa, forward);
    // All rows but the first, as a part of them is given to a thread.
    let values: Vec<f32> = numbers((inputs - 1) * width, 5).iter().map(|y| if *y < -0.9 { -0.0 } else { *y }).collect();
    let [apart, through] = [0.0, 0.25].map(|dropout| {
        let mut output = vec![f32::NAN; values.len()];
        let derivative = Some(Derivative { activation: of, dropout, values: &values });
        let product = PanelProduct {
            weights: &weights,
            stride,
            transposed: true,
            rows: 1..inputs,
            terms: outputs,
            input: delta,
            output: &mut output,
            width,
            epilogue: derivative.map_or(Epilogue::None, Epilogue::Derivative),
        };
        engine.panel_product(isa, product);
        output
    });
    [output, apart, through]
}

#[test]
fn the_size_of_the_caches_changes_no_bit() {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    for isa in Isa::available() {
        for (inputs, outputs) in SHAPES {
            for width in [1, 3, 8, 17].map(|groups| groups * LANE_GROUP) {
                for activation in
                    [Activation::Linear, Activation::Relu, Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh]
                {
                    let of =
                        |caches| products(&Native { caches: Some(caches) }, isa, [inputs, outputs], width, activation);
                    let expected = of(ENDLESS);
                    assert!(expected.iter().flatten().all(|value| value.is_finite()), "every value is written");
                    for caches in SIZES {
                        for (found, expected) in of(caches).iter().zip(&expected) {
                            let same = bits(found) == bits(expected);
                            assert!(same, "{} {inputs}-{outputs} width {width} {activation:?} {caches:?}", isa.kind());
                        }
                    }
                }
            }
        }
    }
}

/// With a single row the rows of the weights may be any distance apart: none is ever used to find an address.
#[test]
fn a_huge_stride_of_a_single_row_is_no_address() {
    let width = LANE_GROUP;
    let engines: [&dyn Engine; 2] = [&Native { caches: Some(SIZES[0]) }, EngineKind::Matrixmultiply.engine()];
    for (engine, isa) in
        engines.into_iter().flat_map(|engine| Isa::available().into_iter().map(move |isa| (engine, isa)))
    {
        // With and without tiles.
        for size in [5, 60] {
            for transposed in [true, false] {
                let (rows, terms) = if transposed { (size, 1) } else { (1, size) };
                let mut output = vec![f32::NAN; rows * width];
                let product = PanelProduct {
                    weights: &numbers(size, 1),
                    stride: usize::MAX,
                    transposed,
                    rows: 0..rows,
                    terms,
                    input: &numbers(terms * width, 2),
                    output: &mut output,
                    width,
                    epilogue: Epilogue::None,
                };
                engine.panel_product(isa, product);
                assert!(output.iter().all(|value| value.is_finite()), "{size} {transposed} {}", isa.kind());
            }
        }
    }
}

/// A row has the same bits in a block so small that it has no tiles and in a larger one: how many threads share a product decides which.
#[test]
fn a_row_without_tiles_has_the_bits_of_one_in_a_tile() {
    let (inputs, outputs) = (6, 6);
    let (weights, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
    for (isa, width) in Isa::available().into_iter().flat_map(|isa| [16, 48, 64].map(|width| (isa, width))) {
        let (input, values) = (numbers(inputs * width, 3), numbers(inputs * width, 4));
        for transposed in [false, true] {
            let block = |rows: std::ops::Range<usize>| {
                let mut output = vec![f32::NAN; rows.len() * width];
                let activation = Activation::LeakyRelu { slope: 0.2 };
                let epilogue = if transposed {
                    let values = &values[rows.start * width..rows.end * width];
                    Epilogue::Derivative(Derivative { activation, dropout: 0.0, values })
                } else {
                    Epilogue::Activation { bias: &bias[rows.clone()], activation, dropout: None }
                };
                let product = PanelProduct {
                    weights: &weights,
                    stride: inputs,
                    transposed,
                    rows,
                    terms: inputs,
                    input: &input,
                    output: &mut output,
                    width,
                    epilogue,
                };
                EngineKind::Native.engine().panel_product(isa, product);
                output.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let whole = block(0..outputs);
            for row in 0..outputs {
                assert_eq!(
                    block(row..row + 1),
                    whole[row * width..][..width],
                    "row {row}, {width} lanes, {}",
                    isa.kind()
                );
            }
        }
    }
}
