//! Every function against f64 on every instruction set: dense samples always, every `f32` in the ignored tests.

#![expect(clippy::neg_cmp_op_on_partial_ord, reason = "written so that NaN fails")]

use super::*;
use crate::reference::elementary::{sine_of_quarters, ulp_error};
use crate::reference::loss;

type Function = fn(Isa, &[f32], &mut [f32]);

/// A function, its reference and its stated error.
struct Case {
    name: &'static str,
    function: Function,
    reference: fn(f64) -> f64,
    limit: MaxUlp,
}

fn sine(isa: Isa, turns: &[f32], output: &mut [f32]) {
    sin_cos_of_turns(isa, turns, output, &mut vec![0.0; turns.len()]);
}

fn cosine(isa: Isa, turns: &[f32], output: &mut [f32]) {
    sin_cos_of_turns(isa, turns, &mut vec![0.0; turns.len()], output);
}

fn cases() -> Vec<Case> {
    vec![
        Case { name: "exp", function: exp, reference: f64::exp, limit: EXP_MAX_ULP },
        Case { name: "ln", function: ln, reference: f64::ln, limit: LN_MAX_ULP },
        Case { name: "tanh", function: tanh, reference: f64::tanh, limit: TANH_MAX_ULP },
        Case { name: "sigmoid", function: sigmoid, reference: loss::sigmoid, limit: SIGMOID_MAX_ULP },
        Case { name: "sin", function: sine, reference: |turns| sine_of_quarters(4.0 * turns), limit: SIN_COS_MAX_ULP },
        Case {
            name: "cos",
            function: cosine,
            reference: |turns| sine_of_quarters(4.0 * turns + 1.0),
            limit: SIN_COS_MAX_ULP,
        },
    ]
}

/// The worst error of a case over `inputs` on each instruction set, and where.
fn worst(case: &Case, inputs: &[f32]) -> Vec<(f64, f32)> {
    let truths: Vec<f64> = inputs.iter().map(|&x| (case.reference)(f64::from(x))).collect();
    let mut output = vec![f32::NAN; inputs.len()];
    let mut worst_on = |isa| {
        (case.function)(isa, inputs, &mut output);
        let mut worst = (0.0, 0.0);
        for ((&x, &y), &truth) in inputs.iter().zip(&output).zip(&truths) {
            let error = ulp_error(y, truth);
            if !(error <= worst.0) {
                worst = (error, x);
            }
        }
        worst
    };
    Isa::available().into_iter().map(&mut worst_on).collect()
}

/// Complaints about errors beyond the stated ones.
fn beyond(case: &Case, worst: &[(f64, f32)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (isa, &(error, at)) in Isa::available().into_iter().zip(worst) {
        println!("{} on {}: {error:.3} ULP at {at:e}", case.name, isa.kind());
        if !(error <= case.limit.on(isa)) {
            complaints.push(format!("{} on {}: {error} ULP at {at:e}", case.name, isa.kind()));
        }
    }
    complaints
}

fn valid(name: &str, x: f32) -> bool {
    !matches!(name, "sin" | "cos") || x.abs() <= TURNS_LIMIT
}

#[test]
fn errors_stay_within_the_stated_ulp_on_a_dense_sample() {
    let mut failures = Vec::new();
    for case in cases() {
        // Every 4,099th float (a prime, so that the low bits vary), then a fine grid where most of the action is.
        let mut inputs: Vec<f32> = (0..=u32::MAX).step_by(4099).map(f32::from_bits).collect();
        inputs.extend((-400_000..=400_000).map(|i| i as f32 * (1.0 / 16384.0)));
        inputs.extend((-200_000..=200_000).map(|i| 1.0 + i as f32 * f32::EPSILON));
        inputs.retain(|&x| valid(case.name, x));
        failures.extend(beyond(&case, &worst(&case, &inputs)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "minutes: all 2^32 arguments"]
fn errors_stay_within_the_stated_ulp_everywhere() {
    let mut failures = Vec::new();
    for case in cases() {
        let mut total = vec![(0.0, 0.0); Isa::available().len()];
        for block in 0..1 << 16 {
            let inputs: Vec<f32> =
                (0..1 << 16).map(|low| f32::from_bits(block << 16 | low)).filter(|&x| valid(case.name, x)).collect();
            for (total, found) in total.iter_mut().zip(worst(&case, &inputs)) {
                if !(found.0 <= total.0) {
                    *total = found;
                }
            }
        }
        failures.extend(beyond(&case, &total));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn special_values() {
    const INF: f32 = f32::INFINITY;
    const TINY: f32 = f32::from_bits(1);
    let table: [(&str, &[(f32, f32)]); 6] = [
        (
            "exp",
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (TINY, 1.0),
                (INF, INF),
                (-INF, 0.0),
                (89.0, INF),
                (-104.0, 0.0),
                (-103.9, TINY),
            ],
        ),
        (
            "ln",
            &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, f32::NAN), (-INF, f32::NAN), (-TINY, f32::NAN)],
        ),
        ("tanh", &[(0.0, 0.0), (-0.0, -0.0), (TINY, TINY), (-TINY, -TINY), (INF, 1.0), (-INF, -1.0), (f32::MAX, 1.0)]),
        ("sigmoid", &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (f32::MAX, 1.0), (f32::MIN, 0.0)]),
        ("sin", &[(0.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, -1.0), (-0.25, -1.0), (INF, f32::NAN), (1.0, 0.0)]),
        ("cos", &[(0.0, 1.0), (0.25, 0.0), (0.5, -1.0), (0.75, 0.0), (-0.5, -1.0), (-INF, f32::NAN), (1.0, 1.0)]),
    ];
    let mut failures = Vec::new();
    for (case, (name, values)) in cases().iter().zip(table) {
        assert_eq!(case.name, name);
        for isa in Isa::available() {
            for &(x, expected) in values.iter().chain(&[(f32::NAN, f32::NAN), (-f32::NAN, f32::NAN)]) {
                let mut output = [0.0];
                (case.function)(isa, &[x], &mut output);
                let same = if expected == 0.0 && name != "tanh" {
                    output[0] == 0.0
                } else {
                    output[0].to_bits() == expected.to_bits() || output[0].is_nan() && expected.is_nan()
                };
                if !same {
                    failures.push(format!("{name}({x:e}) on {} is {:e}, not {expected:e}", isa.kind(), output[0]));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn values_do_not_depend_on_length_or_position() {
    let inputs: Vec<f32> = (0..70).map(|i| (i as f32 - 31.0) * 0.37).collect();
    for case in cases() {
        for isa in Isa::available() {
            let mut whole = vec![0.0; inputs.len()];
            (case.function)(isa, &inputs, &mut whole);
            for start in 0..4 {
                for length in 0..=33 {
                    let mut part = vec![f32::NAN; length + 1];
                    (case.function)(isa, &inputs[start..start + length], &mut part[1..]);
                    for (index, value) in part[1..].iter().enumerate() {
                        let expected = whole[start + index];
                        let same = value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan();
                        assert!(same, "{} on {} at {index} of {length}", case.name, isa.kind());
                    }
                }
            }
        }
    }
}

#[test]
fn softplus_part_is_accurate() {
    struct Ln1p<'a>(&'a [f32], &'a mut [f32]);
    impl Kernel for Ln1p<'_> {
        type Output = ();
        fn run<S: Simd>(self, simd: S) {
            for (x, y) in self.0.chunks(S::LANES).zip(self.1.chunks_mut(S::LANES)) {
                simd.store_partial(vector::ln_1p_up_to_one(simd, simd.load_partial(x)), y);
            }
        }
    }
    let inputs: Vec<f32> = (0..=1 << 16).map(|i| i as f32 / 65536.0).chain([1e-7, 1e-20, 1e-38, 1e-45]).collect();
    for isa in Isa::available() {
        let mut output = vec![f32::NAN; inputs.len()];
        isa.run(Ln1p(&inputs, &mut output));
        for (&x, &y) in inputs.iter().zip(&output) {
            assert!(ulp_error(y, f64::from(x).ln_1p()) <= 3.0, "ln(1 + {x:e}) on {} is {y:e}", isa.kind());
        }
    }
}
