//! Softmax over groups and its derivative against f64, and the noise against its generator.

use rand_core::Rng;

use super::super::noise::StreamKey;
use super::super::softmax::{Gumbel, differentiate, softmax};
use super::{on_every_isa, values};
use crate::reference::noise::generator;
use crate::simd::Isa;

/// Groups of rows, and lanes.
const SHAPES: [(&[usize], usize); 4] = [(&[2], 16), (&[3, 2, 7], 48), (&[30], 16), (&[2, 2], 32)];

/// What is drawn in each row of sample `sample`.
fn noise(key: StreamKey, sample: usize, rows: usize) -> Vec<f64> {
    let mut generator = generator(key.state(sample));
    (0..rows).map(|_| -(-(f64::from((generator.next_u32() >> 8) | 1) / f64::from(1 << 24)).ln()).ln()).collect()
}

fn column(panel: &[f32], width: usize, lane: usize) -> Vec<f64> {
    panel.iter().skip(lane).step_by(width).map(|value| f64::from(*value)).collect()
}

/// The softmax of each group of a sample's sums.
fn expected(sums: &[f64], groups: &[usize], temperature: f64) -> Vec<f64> {
    let mut rest = sums;
    let mut outputs = Vec::new();
    for &rows in groups {
        let group;
        (group, rest) = rest.split_at(rows);
        let largest = group.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = group.iter().map(|sum| ((sum - largest) / temperature).exp()).collect();
        let total: f64 = powers.iter().sum();
        outputs.extend(powers.iter().map(|power| power / total));
    }
    outputs
}

#[test]
fn softmax_matches_f64_with_noise_and_without() {
    let key = StreamKey::new(1, 2, 3);
    on_every_isa(|isa, complaints| {
        for (groups, width) in SHAPES {
            let rows = groups.iter().sum();
            for (temperature, first_sample) in [(1.0, None), (0.2, None), (0.2, Some(0)), (0.5, Some(1_000))] {
                let sums = values(rows * width, 3.0);
                let mut found = sums.clone();
                let drawn = first_sample.map(|first_sample| Gumbel { key, first_sample });
                softmax(isa, &mut found, width, groups, temperature, drawn);
                for lane in 0..width {
                    let mut sums = column(&sums, width, lane);
                    if let Some(first) = first_sample {
                        sums.iter_mut().zip(noise(key, first + lane, rows)).for_each(|(sum, noise)| *sum += noise);
                    }
                    let truth = expected(&sums, groups, f64::from(temperature));
                    for (row, (found, truth)) in column(&found, width, lane).iter().zip(&truth).enumerate() {
                        // Sums of magnitude 20 over a temperature of 0.2 are good to 1e-5.
                        if !((found - truth).abs() <= 2e-5) {
                            complaints
                                .push(format!("{groups:?} {temperature} row {row} lane {lane}: {found}, not {truth}"));
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn derivatives_match_differences() {
    on_every_isa(|isa, complaints| {
        for (groups, width) in SHAPES {
            let rows: usize = groups.iter().sum();
            let sums = values(rows * width, 1.0);
            let vectors: Vec<f32> = values(2 * rows * width, 1.5).split_off(rows * width);
            let temperature = 0.5;
            let (mut outputs, mut found) = (sums.clone(), vectors.clone());
            softmax(isa, &mut outputs, width, groups, temperature, None);
            differentiate(isa, &outputs, &mut found, width, groups, temperature);
            for lane in 0..width {
                let (sums, vector) = (column(&sums, width, lane), column(&vectors, width, lane));
                let moved = |by: f64| {
                    let moved: Vec<f64> = sums.iter().zip(&vector).map(|(sum, vector)| sum + by * vector).collect();
                    expected(&moved, groups, f64::from(temperature))
                };
                let (up, down) = (moved(1e-5), moved(-1e-5));
                for (row, found) in column(&found, width, lane).into_iter().enumerate() {
                    let truth = (up[row] - down[row]) / 2e-5;
                    if !((found - truth).abs() <= 1e-5) {
                        complaints.push(format!("{groups:?} row {row} lane {lane}: {found}, not {truth}"));
                    }
                }
            }
        }
    });
}

/// The largest output with noise is drawn by the probabilities that there are without.
#[test]
fn the_largest_is_drawn_by_its_probability() {
    const SAMPLES: usize = 1 << 14;
    let sums = [0.0_f32, 1.0, -1.0, 2.0];
    let mut panel: Vec<f32> = sums.iter().flat_map(|sum| vec![*sum; SAMPLES]).collect();
    let noise = Gumbel { key: StreamKey::new(4, 5, 6), first_sample: 0 };
    softmax(Isa::best(), &mut panel, SAMPLES, &[4], 0.2, Some(noise));
    let mut counts = [0; 4];
    for lane in 0..SAMPLES {
        let values = column(&panel, SAMPLES, lane);
        counts[(0..4).max_by(|one, other| values[*one].total_cmp(&values[*other])).unwrap()] += 1;
    }
    let truth = expected(&sums.map(f64::from), &[4], 1.0);
    for (count, truth) in counts.iter().zip(truth) {
        let share = f64::from(*count) / SAMPLES as f64;
        // Five standard errors of a share of one half.
        assert!((share - truth).abs() < 0.02, "{counts:?}");
    }
}

/// Whatever is not finite is not hidden.
#[test]
fn what_is_not_finite_shows_in_the_whole_group() {
    on_every_isa(|isa, complaints| {
        for strange in [f32::NAN, f32::INFINITY] {
            for place in 0..3 {
                let mut panel = vec![0.5; 5 * 16];
                panel[place * 16 + 3] = strange;
                softmax(isa, &mut panel, 16, &[3, 2], 0.2, None);
                let lane = column(&panel, 16, 3);
                if !(lane[..3].iter().all(|value| value.is_nan()) && lane[3..].iter().all(|value| *value == 0.5)) {
                    complaints.push(format!("{strange} in row {place}: {lane:?}"));
                }
            }
        }
    });
}
