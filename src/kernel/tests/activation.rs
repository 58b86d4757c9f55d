//! The epilogues against f64, the marks of dropout, derivatives by finite differences.

use super::super::activation::{Activation, backward_epilogue, forward_epilogue};
use super::super::dropout::{DROPOUT_FEATURES, Dropout, DropoutPart, Keeps};
use super::super::noise::StreamKey;
use super::{bits, close, on_every_isa, values};
use crate::reference::activation::{ALL, value};
use crate::reference::{self, difference};

const DROPPED: u32 = 0x8000_0000;

#[test]
fn forward_matches_f64() {
    let specials =
        [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-40, -1e-40, f32::MAX, f32::MIN, 100.0, -100.0];
    on_every_isa(|isa, complaints| {
        for activation in ALL {
            for width in [16, 48, 112] {
                let bias = [0.0, 0.25, -1.5];
                let mut x = values(bias.len() * width, 6.0);
                x[..specials.len()].copy_from_slice(&specials);
                let mut y = x.clone();
                forward_epilogue(isa, activation, &bias, None, &mut y, width);
                for (index, (&x, &y)) in x.iter().zip(&y).enumerate() {
                    let truth = value(activation, f64::from(x + bias[index / width]));
                    if !close(y, truth, 3e-7) {
                        complaints.push(format!("{activation:?}({x:e}) is {y:e}, not {truth:e}"));
                    }
                }
            }
        }
    });
}

/// Whether the stream keeps an element.
fn keeps(key: StreamKey, feature: usize, sample: usize, probability: f32) -> bool {
    reference::noise::keeps(
        key.block(feature / DROPOUT_FEATURES).state(sample),
        feature % DROPOUT_FEATURES,
        probability,
    )
}

#[test]
fn drawn_dropout_follows_the_scalar_generator() {
    let (first, second) = (StreamKey::new(1, 2, 3), StreamKey::new(1, 2, 4));
    let (features, width, probability) = (2 * DROPOUT_FEATURES + 3, 64, 0.3);
    let parts = [
        DropoutPart { lanes: 0..16, first_sample: 5, keeps: Keeps::Drawn(first) },
        DropoutPart { lanes: 16..64, first_sample: 40, keeps: Keeps::Drawn(second) },
    ];
    let dropout = Dropout { probability, first_feature: DROPOUT_FEATURES, parts: &parts };
    let bias = values(features, 0.5);
    let x = values(features * width, 3.0);
    on_every_isa(|isa, complaints| {
        for activation in ALL {
            let mut plain = x.clone();
            forward_epilogue(isa, activation, &bias, None, &mut plain, width);
            let mut y = x.clone();
            forward_epilogue(isa, activation, &bias, Some(&dropout), &mut y, width);
            for (index, (&plain, &y)) in plain.iter().zip(&y).enumerate() {
                let (feature, lane) = (DROPOUT_FEATURES + index / width, index % width);
                let kept = if lane < 16 {
                    keeps(first, feature, 5 + lane, probability)
                } else {
                    keeps(second, feature, 40 + lane - 16, probability)
                };
                let right = if kept {
                    y.to_bits() != DROPPED && close(y, f64::from(plain) / (1.0 - f64::from(probability)), 2e-7)
                } else {
                    y.to_bits() == DROPPED
                };
                if !right {
                    complaints
                        .push(format!("{activation:?}, feature {feature}, lane {lane}, kept {kept}: {plain:e} {y:e}"));
                }
            }
        }
    });
}

#[test]
fn a_row_block_on_its_own_gives_the_same_bits() {
    let (features, width) = (3 * DROPOUT_FEATURES, 32);
    let parts = [DropoutPart { lanes: 0..32, first_sample: 0, keeps: Keeps::Drawn(StreamKey::new(8, 8, 8)) }];
    let (bias, x) = (values(features, 0.5), values(features * width, 3.0));
    on_every_isa(|isa, complaints| {
        let run = |from: usize, to: usize| {
            let dropout = Dropout { probability: 0.5, first_feature: from, parts: &parts };
            let mut y = x[from * width..to * width].to_vec();
            forward_epilogue(isa, Activation::Tanh, &bias[from..to], Some(&dropout), &mut y, width);
            bits(&y)
        };
        let whole = run(0, features);
        if run(DROPOUT_FEATURES, features) != whole[DROPOUT_FEATURES * width..] {
            complaints.push("the lower rows differ".to_string());
        }
        if run(0, DROPOUT_FEATURES) != whole[..DROPOUT_FEATURES * width] {
            complaints.push("the upper rows differ".to_string());
        }
    });
}

#[test]
fn keep_rates_are_right_and_neighbours_independent() {
    let (features, width) = (256, 1024);
    on_every_isa(|isa, complaints| {
        for probability in [0.1_f32, 0.3, 0.5, 0.999, 1.0] {
            let parts =
                [DropoutPart { lanes: 0..width, first_sample: 0, keeps: Keeps::Drawn(StreamKey::new(4, 5, 6)) }];
            let dropout = Dropout { probability, first_feature: 0, parts: &parts };
            let mut y = vec![1.0; features * width];
            forward_epilogue(isa, Activation::Linear, &vec![0.0; features], Some(&dropout), &mut y, width);
            let dropped: Vec<bool> = y.iter().map(|y| y.to_bits() == DROPPED).collect();
            let count = dropped.len() as f64;
            let expected = f64::from(probability);
            let tolerance = 4.5 * (expected * (1.0 - expected) / count).sqrt() + 1.0 / 131_072.0;
            let rate = dropped.iter().filter(|&&dropped| dropped).count() as f64 / count;
            if !((rate - expected).abs() <= tolerance) {
                complaints.push(format!("probability {probability}: {rate}"));
            }
            for (name, distance) in [("samples", 1), ("features", width), ("pairs", 2 * width), ("blocks", 64 * width)]
            {
                let both = dropped.iter().zip(&dropped[distance..]).filter(|(a, b)| **a && **b).count();
                let rate = both as f64 / (count - distance as f64);
                if !((rate - expected * expected).abs() <= 2.0 * tolerance) {
                    complaints.push(format!("neighbouring {name} at {probability}: {rate}"));
                }
            }
        }
    });
}

#[test]
fn given_keeps_are_obeyed_and_samples_beyond_are_kept() {
    let (layer, rows, width, first_feature) = (DROPOUT_FEATURES + 5, 5, 32, DROPOUT_FEATURES);
    let samples = 29;
    let given: Vec<u8> = (0..samples * layer).map(|i| u8::from(i % 3 != 0)).collect();
    let keeps = Keeps::Given { keeps: &given, features: layer };
    let parts =
        [DropoutPart { lanes: 0..16, first_sample: 3, keeps }, DropoutPart { lanes: 16..32, first_sample: 19, keeps }];
    let dropout = Dropout { probability: 0.25, first_feature, parts: &parts };
    on_every_isa(|isa, complaints| {
        let mut y = vec![3.0; rows * width];
        forward_epilogue(isa, Activation::Relu, &vec![0.0; rows], Some(&dropout), &mut y, width);
        for (index, &y) in y.iter().enumerate() {
            let (feature, sample) = (first_feature + index / width, 3 + index % width);
            let kept = sample >= samples || given[sample * layer + feature] == 1;
            let expected = if kept { 4.0f32 } else { -0.0 };
            if y.to_bits() != expected.to_bits() {
                complaints.push(format!("feature {feature}, sample {sample}: {y}"));
            }
        }
    });
}

#[test]
fn marks_tell_dropped_from_kept_zeros_and_hide_nothing() {
    let given: Vec<u8> = [0, 1].repeat(8);
    let parts = [DropoutPart { lanes: 0..16, first_sample: 0, keeps: Keeps::Given { keeps: &given, features: 1 } }];
    let dropout = Dropout { probability: 0.5, first_feature: 0, parts: &parts };
    let x = [
        0.0,
        0.0,
        -0.0,
        -0.0,
        -1.0,
        -1.0,
        f32::NAN,
        f32::NAN,
        f32::INFINITY,
        f32::INFINITY,
        2.0,
        2.0,
        -1e-45,
        -1e-45,
        1e-45,
        1e-45,
    ];
    on_every_isa(|isa, complaints| {
        for activation in ALL {
            let mut y = x;
            forward_epilogue(isa, activation, &[0.0], Some(&dropout), &mut y, 16);
            for (lane, (&x, &y)) in x.iter().zip(&y).enumerate() {
                let plain = value(activation, f64::from(x)) as f32;
                let right = match lane % 2 {
                    0 if plain.is_finite() => y.to_bits() == DROPPED,
                    0 => y.is_nan(),
                    _ if plain == 0.0 => y.to_bits() == 0,
                    _ => y.to_bits() != DROPPED && close(y, 2.0 * f64::from(plain), 2e-7),
                };
                if !right {
                    complaints.push(format!("{activation:?}({x:e}) in lane {lane} is {y:e}"));
                }
            }
        }
    });
}

#[test]
fn derivatives_agree_with_finite_differences() {
    let given: Vec<u8> = (0..256).map(|i| u8::from(i % 4 != 0)).collect();
    let parts = [DropoutPart { lanes: 0..256, first_sample: 0, keeps: Keeps::Given { keeps: &given, features: 1 } }];
    on_every_isa(|isa, complaints| {
        for activation in ALL {
            for probability in [0.0, 0.5, 0.3] {
                let dropout = Dropout { probability, first_feature: 0, parts: &parts };
                let x: Vec<f32> = values(256, 4.0).iter().map(|x| if x.abs() < 0.01 { 1.0 } else { *x }).collect();
                let mut y = x.clone();
                forward_epilogue(isa, activation, &[0.0], Some(&dropout), &mut y, 256);
                let upstream = values(256, 2.0);
                let mut delta = upstream.clone();
                backward_epilogue(isa, activation, probability, &y, &mut delta);
                for (index, &delta) in delta.iter().enumerate() {
                    let x = f64::from(x[index]);
                    let slope = difference::slope(|x| value(activation, x), x, 1e-5);
                    let kept = probability == 0.0 || given[index] == 1;
                    let scale = if kept { 1.0 / (1.0 - f64::from(probability)) } else { 0.0 };
                    let expected = f64::from(upstream[index]) * slope * scale;
                    if !((f64::from(delta) - expected).abs() <= 2e-6) {
                        complaints.push(format!("{activation:?}'({x}), dropout {probability}: {delta} not {expected}"));
                    }
                }
            }
        }
    });
}

#[test]
fn at_zero_the_slope_is_that_of_the_negative_side() {
    on_every_isa(|isa, complaints| {
        for (activation, probability, output, expected) in [
            (Activation::Relu, 0.0, 0.0, 0.0),
            (Activation::Relu, 0.5, 0.0, 0.0),
            (Activation::LeakyRelu { slope: 0.25 }, 0.0, 0.0, 0.25),
            (Activation::LeakyRelu { slope: 0.25 }, 0.0, -0.0, 0.25),
            (Activation::LeakyRelu { slope: 0.25 }, 0.5, 0.0, 0.5),
            (Activation::LeakyRelu { slope: 0.25 }, 0.5, -0.0, 0.0),
            (Activation::Linear, 0.5, -0.0, 0.0),
            (Activation::Linear, 0.0, -0.0, 1.0),
            (Activation::Linear, 0.5, f32::INFINITY, 2.0),
            (Activation::Relu, 0.5, f32::INFINITY, 2.0),
        ] {
            for length in [1, 8, 16, 17] {
                let mut delta = vec![1.0; length];
                backward_epilogue(isa, activation, probability, &vec![output; length], &mut delta);
                if !delta.iter().all(|&delta| delta == expected) {
                    complaints.push(format!("{activation:?} {probability} {output}: {delta:?}"));
                }
            }
        }
    });
}
