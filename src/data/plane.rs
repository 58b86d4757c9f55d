//! Points in the plane on which GANs are tried: mixtures with many modes, and curves and squares with holes between them.
//!
//! As in [`synthetic`](crate::data::synthetic), points depend only on their number and the seed, and each function has a `fresh_` twin
//! for evaluation, whose points are independent of every training set.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::data::array::ArraySource;
use crate::data::random::Random;
use crate::data::synthetic::collect;
use crate::data::turn::sin_cos;
use crate::error::Result;

/// The centers of the modes of [`ring8`]: the angles 2 pi k / 8, k = 0 to 7, on the unit circle. With [`RING_SD`] as in Z. Lin et al.,
/// "PacGAN: The power of two samples in generative adversarial networks", 2018, section 4.1.
pub const RING_CENTERS: [[f64; 2]; 8] = {
    const DIAGONAL: f64 = FRAC_1_SQRT_2;
    [
        [1.0, 0.0],
        [DIAGONAL, DIAGONAL],
        [0.0, 1.0],
        [-DIAGONAL, DIAGONAL],
        [-1.0, 0.0],
        [-DIAGONAL, -DIAGONAL],
        [0.0, -1.0],
        [DIAGONAL, -DIAGONAL],
    ]
};

/// The standard deviation of both coordinates of a mode of [`ring8`].
pub const RING_SD: f64 = 0.01;

/// The centers of the modes of [`grid25`]: -4, -2, 0, 2 and 4 in both coordinates. With [`GRID_SD`] as in the same paper.
pub const GRID_CENTERS: [[f64; 2]; 25] = {
    let mut centers = [[0.0; 2]; 25];
    let mut mode = 0;
    while mode < 25 {
        centers[mode] = [2.0 * (mode / 5) as f64 - 4.0, 2.0 * (mode % 5) as f64 - 4.0];
        mode += 1;
    }
    centers
};

/// The standard deviation of both coordinates of a mode of [`grid25`].
pub const GRID_SD: f64 = 0.05;

/// What the roll of [`swiss_roll`] is divided by, so that its coordinates have a standard deviation of about 1; and the standard
/// deviation of the normal noise before that. As in I. Gulrajani et al., "Improved training of Wasserstein GANs", 2017, figure 1, and its
/// program.
pub const SWISS_ROLL_SCALE: f64 = 7.5;
/// See [`SWISS_ROLL_SCALE`].
pub const SWISS_ROLL_NOISE: f64 = 0.25;

/// Standard deviation of the normal noise added to each coordinate of a point of [`two_moons`], whose radius is 1.
pub const MOONS_NOISE: f64 = 0.05;

// Random 64-bit constants that keep the sets apart when they are made from the same seed.
const RING_DOMAIN: u64 = 0x4b92_d0e7_58a3_1cf6;
const GRID_DOMAIN: u64 = 0x91f5_3c68_ea07_b42d;
const SWISS_ROLL_DOMAIN: u64 = 0x2ce8_7a14_0f9d_63b5;
const MOONS_DOMAIN: u64 = 0xd763_19ab_c452_80fe;
const CHECKERBOARD_DOMAIN: u64 = 0x6a0d_f58e_3271_9bc4;

/// `points` training points of eight normal distributions around [`RING_CENTERS`] with standard deviation [`RING_SD`], equally likely.
///
/// # Errors
///
/// [`Error::InvalidSetting`](crate::Error::InvalidSetting) for 0 points or more than `u32::MAX`;
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory) if memory is refused.
pub fn ring8(points: usize, seed: u64) -> Result<ArraySource> {
    mixture_from(points, Random::new(RING_DOMAIN, seed), &RING_CENTERS, RING_SD)
}

/// The same distribution, independent of every training set. Errors as for [`ring8`].
pub fn fresh_ring8(points: usize, seed: u64) -> Result<ArraySource> {
    mixture_from(points, Random::new(RING_DOMAIN, seed).long_jump(), &RING_CENTERS, RING_SD)
}

/// `points` training points of 25 normal distributions around [`GRID_CENTERS`] with standard deviation [`GRID_SD`], equally likely.
/// Errors as for [`ring8`].
pub fn grid25(points: usize, seed: u64) -> Result<ArraySource> {
    mixture_from(points, Random::new(GRID_DOMAIN, seed), &GRID_CENTERS, GRID_SD)
}

/// The same distribution, independent of every training set. Errors as for [`ring8`].
pub fn fresh_grid25(points: usize, seed: u64) -> Result<ArraySource> {
    mixture_from(points, Random::new(GRID_DOMAIN, seed).long_jump(), &GRID_CENTERS, GRID_SD)
}

/// `points` training points on a spiral of one and a half turns: t (cos t, sin t) with t uniform from 1.5 pi to 4.5 pi and normal noise
/// of s.d. [`SWISS_ROLL_NOISE`], divided by [`SWISS_ROLL_SCALE`]; the roll of S. Marsland, "Machine Learning: An Algorithmic
/// Perspective", 2009, chapter 10, as scikit-learn's `make_swiss_roll` has it, without its length. Errors as for [`ring8`].
pub fn swiss_roll(points: usize, seed: u64) -> Result<ArraySource> {
    swiss_roll_from(points, Random::new(SWISS_ROLL_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`ring8`].
pub fn fresh_swiss_roll(points: usize, seed: u64) -> Result<ArraySource> {
    swiss_roll_from(points, Random::new(SWISS_ROLL_DOMAIN, seed).long_jump())
}

/// `points` training points on two half circles of radius 1 that reach into each other: (cos a, sin a) and (1 - cos a, 1/2 - sin a), a
/// uniform from 0 to pi, equally likely, with normal noise of s.d. [`MOONS_NOISE`]; as scikit-learn's `make_moons`. Errors as for
/// [`ring8`].
pub fn two_moons(points: usize, seed: u64) -> Result<ArraySource> {
    two_moons_from(points, Random::new(MOONS_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`ring8`].
pub fn fresh_two_moons(points: usize, seed: u64) -> Result<ArraySource> {
    two_moons_from(points, Random::new(MOONS_DOMAIN, seed).long_jump())
}

/// `points` training points uniform on the eight black squares of a board of 4 by 4 squares of side 1, from -2 to 2 in both coordinates,
/// the one at (-2, -2) black. As in W. Grathwohl et al., "FFJORD", 2019, at half its size. Errors as for [`ring8`].
pub fn checkerboard(points: usize, seed: u64) -> Result<ArraySource> {
    checkerboard_from(points, Random::new(CHECKERBOARD_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`ring8`].
pub fn fresh_checkerboard(points: usize, seed: u64) -> Result<ArraySource> {
    checkerboard_from(points, Random::new(CHECKERBOARD_DOMAIN, seed).long_jump())
}

fn mixture_from(points: usize, mut random: Random, centers: &[[f64; 2]], sd: f64) -> Result<ArraySource> {
    collect(points, || centers[one_of(&mut random, centers.len())].map(|center| center + sd * random.normal()))
}

fn swiss_roll_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let turns = 0.75 * (1.0 + 2.0 * random.uniform());
        let (sine, cosine) = sin_cos(turns);
        let radius = std::f64::consts::TAU * turns;
        [radius * cosine, radius * sine].map(|value| (value + SWISS_ROLL_NOISE * random.normal()) / SWISS_ROLL_SCALE)
    })
}

fn two_moons_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let is_upper = random.uniform() < 0.5;
        let (sine, cosine) = sin_cos(0.5 * random.uniform());
        let place = if is_upper { [cosine, sine] } else { [1.0 - cosine, 0.5 - sine] };
        place.map(|value| value + MOONS_NOISE * random.normal())
    })
}

fn checkerboard_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let square = one_of(&mut random, 8);
        let (column, row) = (square / 2, 2 * (square % 2) + square / 2 % 2);
        [column, row].map(|place| place as f64 - 2.0 + random.uniform())
    })
}

/// One of 0 to `count` - 1, equally likely; `count` is small.
fn one_of(random: &mut Random, count: usize) -> usize {
    (random.uniform() * count as f64) as usize
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::error::Error;

    const POINTS: usize = 100_000;

    /// The five sets: training and fresh.
    type Draw = fn(usize, u64) -> Result<ArraySource>;
    const ALL: [[Draw; 2]; 5] = [
        [ring8, fresh_ring8],
        [grid25, fresh_grid25],
        [swiss_roll, fresh_swiss_roll],
        [two_moons, fresh_two_moons],
        [checkerboard, fresh_checkerboard],
    ];

    fn rows(draw: Draw, seed: u64) -> Vec<[f64; 2]> {
        let source = draw(POINTS, seed).unwrap();
        source.values().chunks_exact(2).map(|row| [f64::from(row[0]), f64::from(row[1])]).collect()
    }

    /// Five standard errors of a mean over `count` points of a quantity with this standard deviation.
    fn bound(sd: f64, count: usize) -> f64 {
        5.0 * sd / (count as f64).sqrt()
    }

    #[test]
    fn centers_are_those_of_the_paper() {
        for (k, center) in RING_CENTERS.iter().enumerate() {
            let angle = TAU * k as f64 / 8.0;
            assert!((center[0] - angle.cos()).hypot(center[1] - angle.sin()) < 1e-15, "{k}: {center:?}");
        }
        let places = [-4.0, -2.0, 0.0, 2.0, 4.0];
        let expected: Vec<[f64; 2]> = places.iter().flat_map(|&x| places.map(|y| [x, y])).collect();
        assert_eq!(GRID_CENTERS.to_vec(), expected);
    }

    #[test]
    fn mixtures_have_equal_modes_of_their_spread() {
        for (draw, centers, sd) in
            [(ring8 as Draw, &RING_CENTERS[..], RING_SD), (fresh_grid25 as Draw, &GRID_CENTERS[..], GRID_SD)]
        {
            let mut found = vec![(0usize, [0.0; 2], 0.0); centers.len()];
            for [x, y] in rows(draw, 1) {
                let away = |center: &[f64; 2]| (x - center[0]).hypot(y - center[1]);
                let mode = (0..centers.len()).min_by(|&a, &b| away(&centers[a]).total_cmp(&away(&centers[b]))).unwrap();
                let (count, sum, squares) = &mut found[mode];
                *count += 1;
                *sum = [sum[0] + x - centers[mode][0], sum[1] + y - centers[mode][1]];
                *squares += away(&centers[mode]).powi(2);
            }
            let share = 1.0 / centers.len() as f64;
            for (mode, (count, sum, squares)) in found.into_iter().enumerate() {
                let part = count as f64 / POINTS as f64;
                assert!((part - share).abs() < bound((share * (1.0 - share)).sqrt(), POINTS), "{mode}: {part}");
                for sum in sum {
                    assert!((sum / count as f64).abs() < bound(sd, count), "{mode}: {sum}");
                }
                // The mean of r^2 / 2 is sd^2, that of its square 2 sd^4.
                let variance = 0.5 * squares / count as f64;
                assert!((variance / (sd * sd) - 1.0).abs() < bound(1.0, count), "{mode}: {variance}");
            }
        }
    }

    #[test]
    fn swiss_roll_lies_on_its_spiral() {
        let rows = rows(swiss_roll, 2);
        let (mut bins, mut squares) = ([0usize; 3], 0.0);
        for [x, y] in rows.iter().map(|row| row.map(|value| SWISS_ROLL_SCALE * value)) {
            let radius = x.hypot(y);
            // The nearest arm: t has the point's angle, or that and whole turns.
            let turns = (radius / TAU - y.atan2(x) / TAU).round() + y.atan2(x) / TAU;
            bins[(((turns - 0.75) / 0.5).floor().clamp(0.0, 2.0)) as usize] += 1;
            squares += (radius - TAU * turns).powi(2);
        }
        for count in bins {
            assert!((count as f64 / POINTS as f64 - 1.0 / 3.0).abs() < 0.01, "{bins:?}");
        }
        // Noise across the arm, and little of that along it.
        let across = (squares / POINTS as f64).sqrt();
        assert!((across / SWISS_ROLL_NOISE - 1.0).abs() < 0.03, "{across}");
        for coordinate in 0..2 {
            let mean = rows.iter().map(|row| row[coordinate]).sum::<f64>() / POINTS as f64;
            let sd = (rows.iter().map(|row| (row[coordinate] - mean).powi(2)).sum::<f64>() / POINTS as f64).sqrt();
            assert!((0.8..1.1).contains(&sd), "{coordinate}: {sd}");
        }
    }

    #[test]
    fn moons_are_half_circles() {
        // The distance from the upper half of the unit circle, whose ends are (-1, 0) and (1, 0).
        let away = |[x, y]: [f64; 2]| if y >= 0.0 { (x.hypot(y) - 1.0).abs() } else { (x.abs() - 1.0).hypot(y) };
        let (mut upper, mut first_halves, mut squares, mut height) = (0usize, 0usize, 0.0, 0.0);
        for [x, y] in rows(two_moons, 3) {
            let turned = [1.0 - x, 0.5 - y];
            let is_upper = away([x, y]) < away(turned);
            let (place, distance) = if is_upper { ([x, y], away([x, y])) } else { (turned, away(turned)) };
            assert!(distance < 6.0 * MOONS_NOISE, "{x} {y}");
            upper += usize::from(is_upper);
            first_halves += usize::from(place[0] > 0.0);
            squares += distance * distance;
            height += y;
        }
        // The means of the moons are 2 / pi and 1/2 - 2 / pi.
        assert!((height / POINTS as f64 - 0.25).abs() < bound(0.5, POINTS), "{height}");
        for count in [upper, first_halves] {
            assert!((count as f64 / POINTS as f64 - 0.5).abs() < bound(0.5, POINTS), "{upper} {first_halves}");
        }
        // Noise across the moon counts, and beyond its ends that along it, too.
        let ratio = (squares / POINTS as f64).sqrt() / MOONS_NOISE;
        assert!(ratio > 0.98 && ratio < 1.05, "{ratio}");
    }

    #[test]
    fn black_squares_are_equally_full() {
        let mut counts = [[0usize; 4]; 4];
        for [x, y] in rows(checkerboard, 4) {
            // Rounding to 32 bits may carry a point to the far side of its square.
            assert!((-2.0..=2.0).contains(&x) && (-2.0..=2.0).contains(&y), "{x} {y}");
            let [column, row] = [x, y].map(|value| ((value + 2.0) as usize).min(3));
            counts[column][row] += 1;
        }
        for (column, counts) in counts.iter().enumerate() {
            for (row, &count) in counts.iter().enumerate() {
                let expected = if (column + row) % 2 == 0 { 0.125 } else { 0.0 };
                assert!(
                    (count as f64 / POINTS as f64 - expected).abs() < bound(0.34, POINTS),
                    "{column} {row}: {count}"
                );
            }
        }
    }

    /// The values come from an independent implementation in another language; they hold on every platform.
    #[test]
    fn first_points_are_fixed() {
        let bits = [
            [0x3bda_d405, 0xbf80_c24a],
            [0x4005_5c90, 0x4081_fe7f],
            [0x3f13_56a9, 0xbf0a_c71a],
            [0xbf63_e64f, 0x3e89_271a],
            [0x3e94_d00b, 0x3f2e_7737],
        ];
        for ([training, _], expected) in ALL.into_iter().zip(bits) {
            let found: Vec<u32> = training(1, 0).unwrap().values().iter().map(|value| value.to_bits()).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn training_and_fresh_points_differ_and_repeat() {
        for [training, fresh] in ALL {
            let values = |draw: Draw, seed| draw(50, seed).unwrap().into_values();
            assert_eq!(values(training, 7), values(training, 7));
            assert_ne!(values(training, 7), values(training, 8));
            assert!(values(training, 7).iter().all(|value| !values(fresh, 7).contains(value)));
            assert_eq!(training(60, 7).unwrap().values()[..100], values(training, 7));
            for draw in [training, fresh] {
                assert!(matches!(draw(0, 1), Err(Error::InvalidSetting { .. })));
                assert!(matches!(draw(usize::MAX, 1), Err(Error::InvalidSetting { .. })));
            }
        }
    }
}
