//! Generators equal the scalar ones; their numbers pass simple statistics; streams are independent.

use rand_core::Rng;
use rand_xoshiro::Xoshiro128PlusPlus;

use super::super::noise::{Generators, StreamKey, add_normal, normal, uniform};
use super::{bits, on_every_isa, values};
use crate::reference::noise as reference;
use crate::simd::{Isa, Kernel, Simd};

fn scalar(key: StreamKey, sample: usize) -> Xoshiro128PlusPlus {
    reference::generator(key.state(sample))
}

/// `draws` rows of `lanes` raw draws each, from sample `first_sample` on.
struct Raw {
    key: StreamKey,
    first_sample: usize,
    draws: usize,
}

impl Kernel for Raw {
    type Output = Vec<Vec<u32>>;

    fn run<S: Simd>(self, simd: S) -> Vec<Vec<u32>> {
        let mut generators = Generators::new(simd, self.key, self.first_sample);
        let mut row = || {
            let mut row = vec![0; S::LANES];
            simd.store_u32(generators.next(), &mut row);
            row
        };
        (0..self.draws).map(|_| row()).collect()
    }
}

#[test]
fn every_lane_equals_the_scalar_generator() {
    on_every_isa(|isa, complaints| {
        for (seed, first_sample) in [(0, 0), (1, 5), (u64::MAX, 16), (42, 1 << 20), (7, u32::MAX as usize - 3)] {
            let key = StreamKey::new(seed, 3, 9).block(seed as usize % 5);
            let rows = isa.run(Raw { key, first_sample, draws: 100 });
            for lane in 0..isa.lanes() {
                let mut generator = scalar(key, first_sample + lane);
                for (draw, row) in rows.iter().enumerate() {
                    if row[lane] != generator.next_u32() {
                        complaints.push(format!("seed {seed}, lane {lane}, draw {draw}"));
                        break;
                    }
                }
            }
        }
    });
}

/// The numbers of [`normal`] times the deviation, rounded once, in the lanes that are named and no others.
#[test]
fn noise_is_added_to_its_lanes_alone() {
    const WIDTH: usize = 64;
    let key = StreamKey::new(11, 0, 2);
    on_every_isa(|isa, complaints| {
        for features in [1, 2, 3, 7] {
            for lanes in [0..64, 0..32, 32..64, 16..48, 16..16] {
                let mut numbers = vec![0.0; features * WIDTH];
                normal(isa, key, 100, &mut numbers, WIDTH);
                let before = values(features * WIDTH, 3.0);
                let mut found = before.clone();
                add_normal(isa, key, 0.37, 100, &mut found, WIDTH, lanes.clone());
                let expected: Vec<f32> = (0..features * WIDTH)
                    .map(|index| {
                        let (row, lane) = (index / WIDTH, index % WIDTH);
                        let noise = lanes.contains(&lane).then(|| numbers[row * WIDTH + lane - lanes.start]);
                        noise.map_or(before[index], |noise| noise.mul_add(0.37, before[index]))
                    })
                    .collect();
                // Where multiply-adds are not fused, the product is rounded too.
                let near = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= 1e-6);
                let same = (0..found.len())
                    .all(|index| lanes.contains(&(index % WIDTH)) || found[index].to_bits() == before[index].to_bits());
                if !(near && same) {
                    complaints.push(format!("{features} features, lanes {lanes:?}"));
                }
            }
        }
    });
}

#[test]
fn panels_follow_the_scalar_generator() {
    let key = StreamKey::new(11, 0, 2);
    on_every_isa(|isa, complaints| {
        for features in [1, 2, 3, 7] {
            let (width, first) = (48, 100);
            let mut normals = vec![f32::NAN; features * width];
            normal(isa, key, first, &mut normals, width);
            let mut uniforms = vec![f32::NAN; features * width];
            uniform(isa, key, first, -2.0, 6.0, &mut uniforms, width);
            for sample in 0..width {
                let mut generator = scalar(key, first + sample);
                for feature in 0..features {
                    let expected = reference::uniform(generator.next_u32(), -2.0, 6.0);
                    if !((f64::from(uniforms[feature * width + sample]) - expected).abs() < 1e-6) {
                        complaints.push(format!("uniform {feature} {sample}"));
                    }
                }
                let mut generator = scalar(key, first + sample);
                for pair in 0..features.div_ceil(2) {
                    let expected = reference::box_muller(generator.next_u32(), generator.next_u32());
                    for (feature, expected) in (2 * pair..features).zip(expected) {
                        let found = normals[feature * width + sample];
                        if !((f64::from(found) - expected).abs() < 2e-6) {
                            complaints.push(format!("normal {feature} {sample}: {found} {expected}"));
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn a_panel_does_not_depend_on_how_it_is_cut() {
    let key = StreamKey::new(5, 6, 7);
    on_every_isa(|isa, complaints| {
        let mut whole = vec![0.0; 3 * 64];
        normal(isa, key, 32, &mut whole, 64);
        let mut part = vec![0.0; 3 * 16];
        normal(isa, key, 64, &mut part, 16);
        for feature in 0..3 {
            if bits(&part[feature * 16..][..16]) != bits(&whole[feature * 64 + 32..][..16]) {
                complaints.push(format!("feature {feature}"));
            }
        }
    });
}

#[test]
fn uniform_never_reaches_its_end() {
    on_every_isa(|isa, complaints| {
        for (low, high) in
            [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0 + f32::EPSILON), (-1e-3, 2e-3), (3.0, 3.0), (1e6, 1e6 + 1.0)]
        {
            let mut panel = vec![f32::NAN; 1 << 16];
            uniform(isa, StreamKey::new(1, 2, 3), 0, low, high, &mut panel, 1 << 10);
            if !panel.iter().all(|&x| x >= low && (x < high || low == high)) {
                complaints.push(format!("outside of {low} .. {high}"));
            }
        }
    });
}

/// Mean, variance, excess of the fourth moment, largest magnitude.
fn moments(values: &[f32]) -> (f64, f64, f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let power = |n: i32| values.iter().map(|&x| (f64::from(x) - mean).powi(n)).sum::<f64>() / count;
    let variance = power(2);
    (mean, variance, power(4) / (variance * variance) - 3.0, values.iter().fold(0.0, |m, x| f64::from(x.abs()).max(m)))
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / a.len() as f64
}

/// A million normal numbers: the standard error of their mean and of a correlation is 1e-3.
const SAMPLES: usize = 1 << 18;

fn million(key: StreamKey, first_sample: usize) -> Vec<f32> {
    let mut panel = vec![0.0; 4 * SAMPLES];
    normal(Isa::best(), key, first_sample, &mut panel, SAMPLES);
    panel
}

#[test]
fn normal_numbers_are_normal() {
    let panel = million(StreamKey::new(0, 0, 0), 0);
    let (mean, variance, excess, largest) = moments(&panel);
    assert!(mean.abs() < 4e-3, "mean {mean}");
    assert!((variance - 1.0).abs() < 6e-3, "variance {variance}");
    assert!(excess.abs() < 2e-2, "excess {excess}");
    assert!(largest > 4.5 && largest < 6.6, "largest {largest}");
    // Two-sided tail probabilities of the standard normal distribution, and four standard errors.
    for (limit, probability) in [(0.674_489_75, 0.5), (1.959_964, 0.05), (3.290_527, 1e-3), (3.890_592, 1e-4)] {
        let share = panel.iter().filter(|x| x.abs() > limit).count() as f64 / panel.len() as f64;
        let tolerance = 4.0 * (probability / panel.len() as f64).sqrt();
        assert!((share - probability).abs() < tolerance, "beyond {limit}: {share}");
    }
    // The two results of a pair are independent, in value and in magnitude.
    let (first, second) = panel.split_at(SAMPLES);
    assert!(correlation(first, &second[..SAMPLES]).abs() < 8e-3);
    let square = |x: &[f32]| x.iter().map(|x| x * x - 1.0).collect::<Vec<_>>();
    assert!(correlation(&square(first), &square(&second[..SAMPLES])).abs() < 2e-2);
}

#[test]
fn neighbouring_samples_steps_seeds_streams_and_blocks_are_uncorrelated() {
    let key = StreamKey::new(3, 100, 1);
    let panel = million(key, 0);
    let others = [
        ("sample", million(key, 1)),
        ("group", million(key, 16)),
        ("step", million(StreamKey::new(3, 101, 1), 0)),
        ("seed", million(StreamKey::new(4, 100, 1), 0)),
        ("stream", million(StreamKey::new(3, 100, 2), 0)),
        ("seed and step exchanged", million(StreamKey::new(100, 3, 1), 0)),
        ("block", million(key.block(0), 0)),
        ("next block", million(key.block(1), 0)),
    ];
    for (name, other) in &others {
        let found = correlation(&panel, other);
        assert!(found.abs() < 4e-3, "{name}: {found}");
    }
    let found = correlation(&others[6].1, &others[7].1);
    assert!(found.abs() < 4e-3, "blocks: {found}");
}

#[test]
fn the_first_bits_of_neighbouring_samples_are_balanced() {
    // Each bit of the first draw of 2^18 successive samples, and its exclusive or with the next sample's.
    let key = StreamKey::new(9, 9, 9);
    let first: Vec<u32> = (0..SAMPLES).map(|sample| scalar(key, sample).next_u32()).collect();
    for bit in 0..32 {
        let ones = first.iter().filter(|&x| x >> bit & 1 == 1).count() as f64 / SAMPLES as f64;
        assert!((ones - 0.5).abs() < 5e-3, "bit {bit}: {ones}");
        let changes = first.windows(2).filter(|x| (x[0] ^ x[1]) >> bit & 1 == 1).count() as f64 / SAMPLES as f64;
        assert!((changes - 0.5).abs() < 5e-3, "changes of bit {bit}: {changes}");
    }
}

#[test]
fn no_state_is_all_zero() {
    for seed in 0..1000 {
        let key = StreamKey::new(seed, seed, seed).block(seed as usize);
        assert_ne!(key.0[0], key.0[1]);
        assert_ne!(key.state(seed as usize), [0; 4]);
    }
}
