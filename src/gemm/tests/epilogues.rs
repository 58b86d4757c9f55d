//! Every epilogue follows on either A, whatever the engine compiles into its loops.

use super::*;
use crate::kernel::dropout::{DropoutPart, Keeps};
use crate::kernel::noise::StreamKey;

/// The weights' transpose and a copy of it that stands row by row give the same bits with each epilogue.
#[test]
fn a_transpose_has_the_bits_of_its_copy() {
    for_all(|engine, isa, inputs, outputs, width, _, name| {
        let (weights, input) = (numbers(inputs * outputs, 1), numbers(outputs * width, 2));
        let transpose: Vec<f32> =
            (0..inputs).flat_map(|i| (0..outputs).map(move |o| (o, i))).map(|(o, i)| weights[o * inputs + i]).collect();
        let (bias, values) = (numbers(inputs, 3), numbers(inputs * width, 4));
        // Outputs of a ReLU, which are those of other activations too; and with the mark of a dropped element here and there.
        let values: Vec<f32> = values.into_iter().map(|value| value.max(0.0)).collect();
        let mut marked = values.clone();
        marked.iter_mut().step_by(7).for_each(|value| *value = -0.0);
        let part = DropoutPart { lanes: 0..width, first_sample: 0, keeps: Keeps::Drawn(StreamKey::new(1, 2, 3)) };
        let parts = [part];
        let epilogues = |activation| {
            let dropout = |probability| Some(Dropout { probability, first_feature: 0, parts: &parts });
            let activated = |dropout| Epilogue::Activation { bias: &bias, activation, dropout };
            let derivative = |dropout, values| Epilogue::Derivative(Derivative { activation, dropout, values });
            [
                Epilogue::None,
                activated(None),
                activated(dropout(0.25)),
                derivative(0.0, values.as_slice()),
                derivative(0.25, marked.as_slice()),
            ]
        };
        let result = |weights: &[f32], stride, transposed, epilogue| {
            let mut output = vec![f32::NAN; inputs * width];
            let (input, output_of_it) = (&input, &mut output);
            engine.panel_product(
                isa,
                PanelProduct {
                    weights,
                    stride,
                    transposed,
                    rows: 0..inputs,
                    terms: outputs,
                    input,
                    output: output_of_it,
                    width,
                    epilogue,
                },
            );
            output.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        for activation in ACTIVATIONS {
            for (number, (one, other)) in epilogues(activation).into_iter().zip(epilogues(activation)).enumerate() {
                let found = result(&weights, inputs, true, one);
                assert!(found == result(&transpose, outputs, false, other), "{name} {activation:?}, epilogue {number}");
            }
        }
    });
}
