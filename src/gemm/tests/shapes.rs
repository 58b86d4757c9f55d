//! Operands that do not fit each other are refused by every engine, however large the sizes that they claim.

use super::*;

/// Sizes of the operands of a product of 5 outputs, 4 inputs and 32 samples, each of which a test spoils. `terms`: those of the forward
/// product and of the input gradient.
#[derive(Clone, Copy)]
struct Sizes {
    weights: usize,
    bias: usize,
    input: usize,
    output: usize,
    delta: usize,
    stride: usize,
    first_row: usize,
    terms: [usize; 2],
    lanes: Lanes,
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    const RIGHT: Sizes = Sizes {
        weights: 20,
        bias: 5,
        input: 128,
        output: 160,
        delta: 160,
        stride: 4,
        first_row: 0,
        terms: [4, 5],
        lanes: Lanes { panels: 1, width: 32, parts: 2, samples: 16 },
    };
    let forward = |engine: &dyn Engine, isa, sizes: Sizes| {
        let product = PanelProduct {
            weights: &numbers(sizes.weights, 1),
            stride: sizes.stride,
            transposed: false,
            rows: 0..5,
            terms: sizes.terms[0],
            input: &numbers(sizes.input, 3),
            output: &mut numbers(sizes.output, 4),
            width: sizes.lanes.width,
            epilogue: Epilogue::Activation {
                bias: &numbers(sizes.bias, 2),
                activation: Activation::Relu,
                dropout: None,
            },
        };
        engine.panel_product(isa, product);
    };
    let input_gradient = |engine: &dyn Engine, isa, sizes: Sizes| {
        let product = PanelProduct {
            weights: &numbers(sizes.weights, 1),
            stride: sizes.stride,
            transposed: true,
            rows: sizes.first_row..sizes.first_row + 4,
            terms: sizes.terms[1],
            input: &numbers(sizes.delta, 2),
            output: &mut numbers(128, 3),
            width: sizes.lanes.width,
            epilogue: Epilogue::Derivative(Derivative {
                activation: Activation::Relu,
                dropout: 0.0,
                values: &numbers(sizes.input, 4),
            }),
        };
        engine.panel_product(isa, product);
    };
    let weight_gradient = |engine: &dyn Engine, isa, sizes: Sizes| {
        let product = OuterProduct {
            delta: &numbers(sizes.delta, 1),
            input: &numbers(sizes.input, 2),
            rows: sizes.first_row..sizes.first_row.saturating_add(5),
            gradient: &mut numbers(sizes.weights, 3),
            stride: sizes.stride,
            bias_gradient: Some(&mut numbers(sizes.bias, 4)),
            outputs: 5,
            inputs: 4,
            lanes: sizes.lanes,
            accumulate: false,
            update: None,
        };
        engine.outer_product(isa, product);
    };
    type Product<'a> = &'a dyn Fn(&dyn Engine, Isa, Sizes);
    let lanes = |panels, width, parts| Lanes { panels, width, parts, samples: 16 };
    let cases: [(&str, Product<'_>, Vec<Sizes>); 3] = [
        (
            "forward",
            &forward,
            vec![
                Sizes { weights: 19, ..RIGHT },
                Sizes { bias: 4, ..RIGHT },
                Sizes { bias: 6, ..RIGHT },
                Sizes { input: 127, ..RIGHT },
                Sizes { input: 0, ..RIGHT },
                Sizes { input: 0, terms: [0, 0], ..RIGHT },
                Sizes { input: 160, ..RIGHT },
                Sizes { output: 159, ..RIGHT },
                Sizes { stride: 3, ..RIGHT },
                Sizes { stride: 1 << 61, ..RIGHT },
                Sizes { lanes: lanes(1, 8, 1), ..RIGHT },
                Sizes { lanes: lanes(1, 0, 1), ..RIGHT },
            ],
        ),
        (
            "input gradient",
            &input_gradient,
            vec![
                Sizes { weights: 19, ..RIGHT },
                Sizes { input: 96, ..RIGHT },
                Sizes { delta: 192, ..RIGHT },
                Sizes { delta: 159, ..RIGHT },
                Sizes { delta: 0, ..RIGHT },
                Sizes { delta: 0, terms: [0, 0], ..RIGHT },
                Sizes { first_row: 1, ..RIGHT },
                Sizes { first_row: usize::MAX - 4, ..RIGHT },
                Sizes { stride: 1 << 62, ..RIGHT },
            ],
        ),
        (
            "weight gradient",
            &weight_gradient,
            vec![
                Sizes { weights: 19, ..RIGHT },
                Sizes { bias: 4, ..RIGHT },
                Sizes { bias: 6, ..RIGHT },
                Sizes { input: 127, ..RIGHT },
                Sizes { delta: 159, ..RIGHT },
                Sizes { stride: 3, ..RIGHT },
                Sizes { stride: 1 << 62, ..RIGHT },
                Sizes { first_row: 1, ..RIGHT },
                Sizes { first_row: usize::MAX, ..RIGHT },
                Sizes { lanes: lanes(0, 32, 2), ..RIGHT },
                Sizes { lanes: lanes(2, 32, 2), ..RIGHT },
                Sizes { lanes: lanes(1 << 60, 32, 2), ..RIGHT },
                Sizes { lanes: lanes(1, 32, 0), ..RIGHT },
                Sizes { lanes: lanes(1, 32, 3), ..RIGHT },
            ],
        ),
    ];
    for kind in [EngineKind::Auto, EngineKind::Native, EngineKind::Matrixmultiply] {
        for isa in Isa::available() {
            for (name, product, wrong) in &cases {
                let run = |sizes| {
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| product(kind.engine(), isa, sizes)))
                        .is_ok()
                };
                assert!(run(RIGHT), "{name}, {kind}");
                for (number, sizes) in wrong.iter().enumerate() {
                    assert!(!run(*sizes), "{name}, {kind} {}, case {number}", isa.kind());
                }
            }
        }
    }
}
