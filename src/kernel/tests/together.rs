//! What holds for all kernels: NaN passes, and instruction sets with fused multiply-adds agree to the bit.

use super::super::activation::{Activation, backward_epilogue, forward_epilogue};
use super::super::average::follow;
use super::super::batch_normalization::{self, Groups, add_statistics};
use super::super::curvature::{Curved, curvature};
use super::super::dropout::{Dropout, DropoutPart, Keeps};
use super::super::layer_normalization::{CurvatureInputs, curve, differentiate, normalize};
use super::super::loss::{LossTerm, ScoreLoss, Side, bce_with_logits, pairing_loss, score_loss, softmax_cross_entropy};
use super::super::math;
use super::super::noise::{StreamKey, add_normal, normal, uniform};
use super::super::optimizer::{AdamStep, AdamWStep, RmsPropStep, SgdStep, Update, clip_parameters};
use super::super::panel::{Columns, gather_bytes, gather_rows, scatter_rows};
use super::super::penalty::{NormPenalty, add_scaled, directions, interpolate, weighted_row_sums};
use super::super::reduce::{add_assign, row_sums};
use super::super::spectral::{self, Division, Matrix};
use super::{bits, on_every_isa, values};
use crate::reference::isas;
use crate::simd::Isa;

/// Lanes of the test's panels.
const WIDTH: usize = 64;
/// Rows: more than a block of dropout.
const ROWS: usize = 70;

const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };
const ADAM: AdamStep = AdamStep { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, t: 7 };
const ADAMW: AdamWStep = AdamWStep { adam: ADAM, weight_decay: 0.5 };
const RMSPROP: RmsPropStep = RmsPropStep { learning_rate: 0.1, alpha: 0.9, epsilon: 1e-8 };
const SGD: SgdStep = SgdStep { learning_rate: 0.1, momentum: 0.9 };
const REAL: LossTerm = LossTerm::new(true, 0.5);

/// Both parts of a panel, full of samples and partly so.
const FULL: Groups = Groups { width: WIDTH, parts: 2, samples: WIDTH / 2 };
const PARTLY: Groups = Groups { samples: 29, ..FULL };

/// A panel as a matrix whose rows end before the next begins.
fn matrix(values: &[f32]) -> Matrix<'_> {
    Matrix { values, stride: WIDTH, columns: WIDTH - 3 }
}

/// A kernel as a function of one panel: what it makes of `x`.
type Case = (&'static str, fn(Isa, &[f32]) -> Vec<f32>);

fn on_copy(x: &[f32], run: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut y = x.to_vec();
    run(&mut y);
    y
}

fn mapped(x: &[f32], run: impl FnOnce(&[f32], &mut [f32])) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    run(x, &mut y);
    y
}

fn forward(isa: Isa, activation: Activation, probability: f32, x: &[f32]) -> Vec<f32> {
    let parts = [DropoutPart { lanes: 0..WIDTH, first_sample: 3, keeps: Keeps::Drawn(StreamKey::new(1, 1, 1)) }];
    let dropout = Dropout { probability, first_feature: 0, parts: &parts };
    on_copy(x, |y| forward_epilogue(isa, activation, &values(ROWS, 0.1), Some(&dropout), y, WIDTH))
}

fn backward(isa: Isa, activation: Activation, probability: f32, x: &[f32]) -> Vec<f32> {
    let output = forward(isa, activation, probability, x);
    on_copy(&values(x.len(), 1.0), |delta| backward_epilogue(isa, activation, probability, &output, delta))
}

fn scored(isa: Isa, loss: ScoreLoss, x: &[f32]) -> Vec<f32> {
    on_copy(x, |scores| {
        score_loss(isa, loss, REAL, scores, x.len(), true);
    })
}

fn directed(isa: Isa, penalty: NormPenalty, x: &[f32]) -> Vec<f32> {
    let mut norms = [0.0; WIDTH];
    on_copy(x, |panel| {
        directions(isa, penalty, 0.5, panel, WIDTH, 0, &mut norms, WIDTH, true);
    })
}

/// All kernels through which a value of a panel reaches a value of the result at the same place (or, for sums, its row).
const ELEMENTWISE: &[Case] = &[
    ("exp", |isa, x| mapped(x, |x, y| math::exp(isa, x, y))),
    ("ln", |isa, x| mapped(x, |x, y| math::ln(isa, x, y))),
    ("tanh", |isa, x| mapped(x, |x, y| math::tanh(isa, x, y))),
    ("sigmoid", |isa, x| mapped(x, |x, y| math::sigmoid(isa, x, y))),
    ("sin", |isa, x| mapped(x, |x, y| math::sin_cos_of_turns(isa, x, y, &mut vec![0.0; x.len()]))),
    ("cos", |isa, x| mapped(x, |x, y| math::sin_cos_of_turns(isa, x, &mut vec![0.0; x.len()], y))),
    ("linear", |isa, x| forward(isa, Activation::Linear, 0.0, x)),
    ("relu", |isa, x| forward(isa, Activation::Relu, 0.0, x)),
    ("leaky relu", |isa, x| forward(isa, LEAKY, 0.0, x)),
    ("tanh layer", |isa, x| forward(isa, Activation::Tanh, 0.0, x)),
    ("sigmoid layer", |isa, x| forward(isa, Activation::Sigmoid, 0.0, x)),
    ("linear, dropout", |isa, x| forward(isa, Activation::Linear, 0.5, x)),
    ("relu, dropout", |isa, x| forward(isa, Activation::Relu, 0.5, x)),
    ("leaky relu, dropout", |isa, x| forward(isa, LEAKY, 0.5, x)),
    ("tanh layer, dropout", |isa, x| forward(isa, Activation::Tanh, 0.5, x)),
    ("sigmoid layer, dropout", |isa, x| forward(isa, Activation::Sigmoid, 0.5, x)),
    ("linear, backward by output", |isa, x| backward(isa, Activation::Linear, 0.0, x)),
    ("relu, backward by output", |isa, x| backward(isa, Activation::Relu, 0.0, x)),
    ("leaky relu, backward by output", |isa, x| backward(isa, LEAKY, 0.0, x)),
    ("tanh, backward by output", |isa, x| backward(isa, Activation::Tanh, 0.0, x)),
    ("sigmoid, backward by output", |isa, x| backward(isa, Activation::Sigmoid, 0.0, x)),
    ("linear, dropout, backward by output", |isa, x| backward(isa, Activation::Linear, 0.5, x)),
    ("relu, dropout, backward by output", |isa, x| backward(isa, Activation::Relu, 0.5, x)),
    ("leaky relu, dropout, backward by output", |isa, x| backward(isa, LEAKY, 0.5, x)),
    ("tanh, dropout, backward by output", |isa, x| backward(isa, Activation::Tanh, 0.5, x)),
    ("sigmoid, dropout, backward by output", |isa, x| backward(isa, Activation::Sigmoid, 0.5, x)),
    ("backward by gradient", |isa, x| {
        on_copy(x, |delta| backward_epilogue(isa, Activation::Relu, 0.0, &vec![0.0; x.len()], delta))
    }),
    ("dropout, backward by gradient", |isa, x| {
        on_copy(x, |delta| backward_epilogue(isa, Activation::Tanh, 0.5, &vec![-0.0; x.len()], delta))
    }),
    ("bce", |isa, x| {
        on_copy(x, |logits| {
            bce_with_logits(isa, REAL, logits, x.len(), true);
        })
    }),
    ("softmax, real", |isa, x| {
        on_copy(x, |logits| {
            softmax_cross_entropy(isa, REAL, &mut values(x.len(), 1.0), logits, x.len(), false);
        })
    }),
    ("softmax, fake", |isa, x| {
        on_copy(x, |logits| {
            softmax_cross_entropy(isa, REAL, logits, &mut values(x.len(), 1.0), x.len(), true);
        })
    }),
    ("least squares", |isa, x| scored(isa, ScoreLoss::LeastSquares, x)),
    ("hinge", |isa, x| scored(isa, ScoreLoss::Hinge, x)),
    ("linear loss", |isa, x| scored(isa, ScoreLoss::Linear, x)),
    ("pairing, real", |isa, x| {
        on_copy(x, |logits| {
            pairing_loss(isa, Side::Discriminator, 0.5, logits, &mut values(x.len(), 1.0), x.len(), true);
        })
    }),
    ("pairing, fake", |isa, x| {
        on_copy(x, |logits| {
            pairing_loss(isa, Side::Generator, 0.5, &mut values(x.len(), 1.0), logits, x.len(), false);
        })
    }),
    ("directions, square", |isa, x| directed(isa, NormPenalty::Square, x)),
    ("directions, two-sided", |isa, x| directed(isa, NormPenalty::TwoSided, x)),
    ("directions, one-sided", |isa, x| directed(isa, NormPenalty::OneSided, x)),
    ("scaled values added", |isa, x| on_copy(&values(x.len(), 1.0), |y| add_scaled(isa, x, &values(WIDTH, 2.0), y))),
    ("added to", |isa, x| on_copy(x, |y| add_scaled(isa, &values(x.len(), 1.0), &values(WIDTH, 2.0), y))),
    ("interpolated fakes", |isa, x| on_copy(&values(x.len(), 1.0), |y| interpolate(isa, x, &values(WIDTH, 1.0), y))),
    ("interpolated real samples", |isa, x| {
        on_copy(x, |y| interpolate(isa, &values(x.len(), 1.0), &values(WIDTH, 1.0), y))
    }),
    ("curvature by output", |isa, x| {
        let ones = vec![1.0; x.len()];
        mapped(x, |x, y| {
            let curved = Curved { outputs: x, gradients: &ones, tangents: &ones };
            curvature(isa, Activation::Tanh, 0.0, curved, y, false);
        })
    }),
    ("curvature by tangent", |isa, x| {
        let halves = vec![0.5; x.len()];
        on_copy(&halves.clone(), |y| {
            let curved = Curved { outputs: &halves, gradients: &halves, tangents: x };
            curvature(isa, Activation::Sigmoid, 0.25, curved, y, true);
        })
    }),
    ("layer normalization", |isa, x| on_copy(x, |y| normalize(isa, y, WIDTH))),
    ("its derivative by sums", |isa, x| on_copy(&values(x.len(), 1.0), |y| differentiate(isa, x, y, WIDTH))),
    ("its derivative by vectors", |isa, x| on_copy(x, |y| differentiate(isa, &values(x.len(), 1.0), y, WIDTH))),
    ("its curvature by sums", |isa, x| curved_normalization(isa, [x, &values(x.len(), 1.0), &values(x.len(), 0.5)])),
    ("its curvature by gradients", |isa, x| {
        curved_normalization(isa, [&values(x.len(), 1.0), x, &values(x.len(), 0.5)])
    }),
    ("its curvature by tangents", |isa, x| {
        curved_normalization(isa, [&values(x.len(), 1.0), &values(x.len(), 0.5), x])
    }),
    ("batch normalization", |isa, x| on_copy(x, |y| batch_normalization::normalize(isa, y, FULL))),
    ("batch normalization's derivative by sums", |isa, x| {
        on_copy(&values(x.len(), 1.0), |y| batch_normalization::differentiate(isa, x, y, FULL))
    }),
    ("batch normalization's derivative by vectors", |isa, x| {
        on_copy(x, |y| batch_normalization::differentiate(isa, &values(x.len(), 1.0), y, FULL))
    }),
    ("scaled", |isa, x| on_copy(x, |y| spectral::scale(isa, y, 0.3))),
    ("clip", |isa, x| on_copy(x, |y| clip_parameters(isa, 0.5, y))),
    ("adam, parameter", |isa, x| {
        on_copy(x, |p| {
            Update::from(ADAM).apply(
                isa,
                p,
                &values(x.len(), 1.0),
                &mut [&mut vec![0.1; x.len()], &mut vec![0.1; x.len()]],
            );
        })
    }),
    ("adam, gradient to parameter", |isa, x| {
        on_copy(&values(x.len(), 1.0), |p| {
            Update::from(ADAM).apply(isa, p, x, &mut [&mut vec![0.1; x.len()], &mut vec![0.1; x.len()]]);
        })
    }),
    ("adam, gradient to first moment", |isa, x| {
        on_copy(&vec![0.1; x.len()], |m| {
            Update::from(ADAM).apply(isa, &mut vec![0.1; x.len()], x, &mut [m, &mut vec![0.1; x.len()]]);
        })
    }),
    ("adam, gradient to second moment", |isa, x| {
        on_copy(&vec![0.1; x.len()], |v| {
            Update::from(ADAM).apply(isa, &mut vec![0.1; x.len()], x, &mut [&mut vec![0.1; x.len()], v]);
        })
    }),
    ("adam, first moment", |isa, x| {
        on_copy(x, |m| {
            Update::from(ADAM).apply(
                isa,
                &mut vec![0.1; x.len()],
                &vec![0.1; x.len()],
                &mut [m, &mut vec![0.1; x.len()]],
            );
        })
    }),
    ("adamw, parameter", |isa, x| {
        on_copy(x, |p| {
            Update::from(ADAMW).apply(
                isa,
                p,
                &values(x.len(), 1.0),
                &mut [&mut vec![0.1; x.len()], &mut vec![0.1; x.len()]],
            );
        })
    }),
    ("rmsprop, gradient to parameter", |isa, x| {
        on_copy(&values(x.len(), 1.0), |p| {
            Update::from(RMSPROP).apply(isa, p, x, &mut [&mut vec![0.1; x.len()]]);
        })
    }),
    ("rmsprop, mean square", |isa, x| {
        on_copy(x, |square| {
            Update::from(RMSPROP).apply(isa, &mut vec![0.1; x.len()], &vec![0.1; x.len()], &mut [square]);
        })
    }),
    ("sgd, gradient to parameter", |isa, x| {
        on_copy(&values(x.len(), 1.0), |p| {
            Update::from(SGD).apply(isa, p, x, &mut [&mut vec![0.1; x.len()]]);
        })
    }),
    ("sgd, velocity", |isa, x| {
        on_copy(x, |velocity| {
            Update::from(SGD).apply(isa, &mut vec![0.1; x.len()], &vec![0.1; x.len()], &mut [velocity]);
        })
    }),
    ("descent, gradient to parameter", |isa, x| {
        on_copy(&values(x.len(), 1.0), |p| {
            Update::from(SgdStep { momentum: 0.0, ..SGD }).apply(isa, p, x, &mut []);
        })
    }),
    ("average of values", |isa, x| on_copy(&values(x.len(), 1.0), |average| follow(isa, 0.9, average, x))),
    ("average", |isa, x| on_copy(x, |average| follow(isa, 0.9, average, &values(x.len(), 1.0)))),
    ("add_assign", |isa, x| on_copy(&values(x.len(), 1.0), |to| add_assign(isa, to, x))),
];

fn curved_normalization(isa: Isa, [sums, gradients, tangents]: [&[f32]; 3]) -> Vec<f32> {
    let mut into = vec![0.5; sums.len()];
    curve(isa, CurvatureInputs { sums, gradients, tangents }, &mut into, WIDTH, true);
    into
}

/// Kernels whose results have other places than their inputs.
const OTHERS: &[Case] = &[
    ("row sums", |isa, x| {
        let mut sums = vec![0.0; ROWS];
        row_sums(isa, x, WIDTH, &mut sums, false);
        sums
    }),
    ("weighted row sums", |isa, x| {
        let mut sums = vec![0.0; ROWS];
        weighted_row_sums(isa, x, &values(WIDTH, 1.0), &mut sums, false);
        sums
    }),
    ("batch normalization of lanes without samples", |isa, x| {
        on_copy(x, |y| batch_normalization::normalize(isa, y, PARTLY))
    }),
    ("means of samples", |isa, x| {
        let [mut means, mut variances] = [vec![0.0; ROWS], vec![0.0; ROWS]];
        add_statistics(isa, x, PARTLY, [&mut means, &mut variances], false);
        [means, variances].concat()
    }),
    ("matrix times vector", |isa, x| {
        let mut products = vec![0.0; ROWS];
        spectral::times(isa, matrix(x), &values(WIDTH - 3, 1.0), &mut products);
        products
    }),
    ("vector times matrix", |isa, x| {
        let mut sums = vec![0.0; WIDTH - 3];
        spectral::transposed_times(isa, matrix(x), &values(ROWS, 1.0), 0, &mut sums);
        sums
    }),
    ("row products", |isa, x| {
        let mut products = vec![0.0; ROWS];
        spectral::row_products(isa, matrix(x), matrix(&values(x.len(), 1.0)), &mut products);
        products
    }),
    ("through the division", |isa, x| {
        let right = values(WIDTH - 3, 1.0);
        let division = Division { right: &right, along: 0.7, inverse: 0.3 };
        on_copy(x, |y| spectral::take_through(isa, y, WIDTH, &values(ROWS, 1.0), division))
    }),
    ("a vector of length 1", |isa, x| {
        on_copy(x, |y| {
            spectral::normalize(isa, y);
        })
    }),
    ("scatter", |isa, x| mapped(x, |x, y| scatter_rows(isa, x, WIDTH, WIDTH, y))),
    ("gather", |isa, x| mapped(x, |x, y| gather_rows(isa, x, ROWS, &(0..WIDTH as u32).collect::<Vec<_>>(), y, WIDTH))),
    ("bce sums", |isa, x| {
        let sums = bce_with_logits(isa, REAL, &mut x.to_vec(), x.len(), true);
        [sums.loss.to_bits(), sums.probability.to_bits()]
            .map(f64::from_bits)
            .iter()
            .flat_map(|sum| if sum.is_nan() { [f32::NAN; 2] } else { halves(*sum) })
            .collect()
    }),
];

/// Kernels without an input that could be NaN.
const SOURCES: &[Case] = &[
    ("normal", |isa, x| on_copy(x, |y| normal(isa, StreamKey::new(1, 2, 3), 7, y, WIDTH))),
    ("add_normal", |isa, x| on_copy(x, |y| add_normal(isa, StreamKey::new(1, 2, 3), 0.3, 7, y, WIDTH, 0..WIDTH))),
    ("uniform", |isa, x| on_copy(x, |y| uniform(isa, StreamKey::new(1, 2, 3), 7, -0.3, 0.3, y, WIDTH))),
    ("gather bytes", |isa, x| {
        let bytes: Vec<u8> = (0..x.len()).map(|i| (i % 256) as u8).collect();
        let rows: Vec<u32> = (0..WIDTH as u32).rev().collect();
        on_copy(x, |y| gather_bytes(isa, &bytes, Columns::all(ROWS), &rows, [2.0 / 255.0, -1.0], y, WIDTH))
    }),
];

/// The bits of an f64 in two floats that are surely numbers.
fn halves(sum: f64) -> [f32; 2] {
    let bits = sum.to_bits();
    [(bits >> 40) as f32, (bits & 0xff_ffff) as f32]
}

#[test]
fn nan_passes_through_every_kernel() {
    on_every_isa(|isa, complaints| {
        for (name, kernel) in ELEMENTWISE {
            // In every lane of a vector once, and in the rows of two blocks of dropout.
            for at in (0..WIDTH).chain([ROWS * WIDTH - 1]) {
                let mut x = values(ROWS * WIDTH, 2.0);
                x[at] = f32::NAN;
                let y = kernel(isa, &x);
                if !y[at].is_nan() {
                    complaints.push(format!("{name} makes {} of the NaN at {at}", y[at]));
                    break;
                }
            }
        }
        for (name, kernel) in OTHERS {
            let mut x = values(ROWS * WIDTH, 2.0);
            x[5 * WIDTH + 9] = f32::NAN;
            if !kernel(isa, &x).iter().any(|y| y.is_nan()) {
                complaints.push(format!("{name} loses the NaN"));
            }
        }
    });
}

#[test]
fn fused_instruction_sets_agree_to_the_bit() {
    let isas = isas::to_compare();
    let Some((&first, others)) = isas.split_first() else { return };
    let mut differing = Vec::new();
    let mut specials = values(ROWS * WIDTH, 3.0);
    let extremes =
        [0.0, -0.0, 1e-40, -1e-40, f32::MIN_POSITIVE, 88.9, -103.5, -87.4, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    specials[100..100 + extremes.len()].copy_from_slice(&extremes);
    for (name, kernel) in ELEMENTWISE.iter().chain(OTHERS).chain(SOURCES) {
        for (kind, x) in [("plain", &values(ROWS * WIDTH, 20.0)), ("special", &specials)] {
            let expected = bits(&kernel(first, x));
            for &isa in others {
                if bits(&kernel(isa, x)) != expected {
                    differing.push(format!("{name} on {kind} values differs on {}", isa.kind()));
                }
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
