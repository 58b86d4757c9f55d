//! Values that an epilogue must tell apart: NaN, infinities, zeros, the mark of a dropped element.

use super::*;

#[test]
fn nan_passes_through_every_product() {
    for_all(|engine, isa, inputs, outputs, width, _, name| {
        let (weights, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
        let mut input = numbers(inputs * width, 3);
        input[width - 1] = f32::NAN;
        for activation in ACTIVATIONS {
            let mut output = vec![0.0; outputs * width];
            let product = PanelProduct {
                weights: &weights,
                stride: inputs,
                transposed: false,
                rows: 0..outputs,
                terms: inputs,
                input: &input,
                output: &mut output,
                width,
                epilogue: Epilogue::Activation { bias: &bias, activation, dropout: None },
            };
            engine.panel_product(isa, product);
            assert!(output.chunks(width).all(|row| row[width - 1].is_nan()), "forward {name} {activation:?}");
            let mut gradient = vec![0.0; inputs * width];
            let product = PanelProduct {
                weights: &weights,
                stride: inputs,
                transposed: true,
                rows: 0..inputs,
                terms: outputs,
                input: &output,
                output: &mut gradient,
                width,
                epilogue: Epilogue::Derivative(Derivative { activation, dropout: 0.0, values: &input }),
            };
            engine.panel_product(isa, product);
            assert!(gradient.chunks(width).all(|row| row[width - 1].is_nan()), "input gradient {name} {activation:?}");
            let (mut weight_gradient, mut bias_gradient) = (vec![0.0; inputs * outputs], vec![0.0; outputs]);
            let product = OuterProduct {
                delta: &output,
                input: &input,
                rows: 0..outputs,
                gradient: &mut weight_gradient,
                stride: inputs,
                bias_gradient: Some(&mut bias_gradient),
                outputs,
                inputs,
                lanes: Lanes::full(width),
                accumulate: false,
                update: None,
            };
            engine.outer_product(isa, product);
            let all = weight_gradient.iter().chain(&bias_gradient).all(|value| value.is_nan());
            assert!(all, "weight gradient {name} {activation:?}");
        }
    });
}

/// The derivative through dropout, with each value that an output can have.
#[test]
fn derivatives_tell_dropped_elements_and_zeros_apart() {
    for (activation, [at_zero, below]) in [
        (Activation::Linear, [1.0, 1.0]),
        (Activation::Relu, [0.0, 0.0]),
        (Activation::LeakyRelu { slope: 0.25 }, [0.25, 0.25]),
    ] {
        for dropout in [0.0, 0.5] {
            let scale = 1.0 / (1.0 - dropout);
            // No ReLU has a negative output.
            let negative = if activation == Activation::Relu { 0.0 } else { -1.5 };
            let values = [-0.0, 0.0, 1.5, negative, f32::NAN];
            // Without dropout, a negative zero is an output like any other.
            let dropped = if dropout > 0.0 { 0.0 } else { at_zero };
            let expected = [dropped, at_zero * scale, scale, below * scale, f32::NAN];
            for (kind, isa) in
                EngineKind::ALL.into_iter().flat_map(|kind| Isa::available().into_iter().map(move |isa| (kind, isa)))
            {
                let values: Vec<f32> = values.iter().flat_map(|value| [*value; LANE_GROUP]).collect();
                let mut output = vec![f32::NAN; values.len()];
                let product = PanelProduct {
                    weights: &[1.0; 5],
                    stride: 5,
                    transposed: true,
                    rows: 0..5,
                    terms: 1,
                    input: &[1.0; LANE_GROUP],
                    output: &mut output,
                    width: LANE_GROUP,
                    epilogue: Epilogue::Derivative(Derivative { activation, dropout, values: &values }),
                };
                kind.engine().panel_product(isa, product);
                for (found, expected) in output.iter().zip(expected.iter().flat_map(|value| [*value; LANE_GROUP])) {
                    let same = *found == expected || (found.is_nan() && expected.is_nan());
                    assert!(same, "{activation:?}, dropout {dropout}, {kind} {}: {found}, not {expected}", isa.kind());
                }
            }
        }
    }
}

#[test]
fn infinity_passes_as_the_activation_says() {
    for (activation, expected) in [
        (Activation::Linear, f32::NEG_INFINITY),
        (Activation::Relu, 0.0),
        (Activation::LeakyRelu { slope: 0.2 }, f32::NEG_INFINITY),
        (Activation::Tanh, -1.0),
        (Activation::Sigmoid, 0.0),
    ] {
        for (kind, isa) in
            EngineKind::ALL.into_iter().flat_map(|kind| Isa::available().into_iter().map(move |isa| (kind, isa)))
        {
            let mut output = [f32::NAN; LANE_GROUP];
            let product = PanelProduct {
                weights: &[1.0],
                stride: 1,
                transposed: false,
                rows: 0..1,
                terms: 1,
                input: &[f32::NEG_INFINITY; LANE_GROUP],
                output: &mut output,
                width: LANE_GROUP,
                epilogue: Epilogue::Activation { bias: &[0.5], activation, dropout: None },
            };
            kind.engine().panel_product(isa, product);
            assert_eq!(output, [expected; LANE_GROUP], "{activation:?}, {kind} {}", isa.kind());
        }
    }
}
