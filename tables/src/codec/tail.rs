//! How the numbers of a column go on beyond an end of the data.

use super::probit::REACH;

/// Straight lines that a tail is made of: with more, no value moves by a hundredth of the way to the bound.
const LINES: usize = 32;
/// Least power by which a tail thins out: at 2 it falls along a straight line to nothing at the bound.
const LEAST_POWER: f64 = 2.0;

/// How values go on from an end of the data towards a bound, and thin out on the way.
///
/// Of the cases in which a normal variable is beyond the score `start`, where the data end, it is farther out than `s` in
/// `exp((start² - s²) / 2)`, or in fewer: in half as many at 6 from 3 on. A distance from the bound that is the power `1 / k` of this share
/// is a generalized Pareto distribution with the shape `-1 / k` (J. Pickands, "Statistical inference using extreme order statistics",
/// 1975): of its values `(1 - t)^k` lie beyond the part `t` of the way. Where `k` goes with the slope of the data's end, values go on as
/// densely as they are there; a heavy tail, which would go beyond the bound, has the least power.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tail {
    /// Distances of scores from 0 with their values, from the end of the data outwards.
    knots: Vec<[f64; 2]>,
}

impl Tail {
    /// That from the score `start`, as a distance from 0, and the value `end` towards `bound`, where values move by `slope` a score. None
    /// where they do not go on.
    pub(super) fn new(start: f64, [end, bound]: [f64; 2], slope: f64) -> Option<Self> {
        // By halves: the distance may overflow.
        let half = (0.5 * bound - 0.5 * end).abs();
        if !(half > 0.0 && slope > 0.0) {
            return None;
        }
        let power = (2.0 * (half / slope) * start).max(LEAST_POWER);
        let knot = |line: usize| {
            let score = start + (REACH - start) * line as f64 / LINES as f64;
            let left = ((start * start - score * score) / (2.0 * power)).exp();
            [score, (1.0 - left) * bound + left * end]
        };
        Some(Self { knots: (0..=LINES).map(knot).collect() })
    }

    /// The score, as a distance from 0, up to which the data go.
    pub(super) fn start(&self) -> f64 {
        self.knots[0][0]
    }

    /// The value of a score with this distance from 0; none within the data.
    pub(super) fn value(&self, score: f64) -> Option<f64> {
        let above = self.knots.partition_point(|[knot, _]| *knot < score);
        let [near, far] = [above.checked_sub(1)?, above.min(LINES)].map(|place| self.knots[place]);
        let part = if far[0] > near[0] { (score - near[0]) / (far[0] - near[0]) } else { 1.0 };
        Some((1.0 - part) * near[1] + part * far[1])
    }

    /// Distances of scores from 0 with their values, between which the tail is straight lines, from the end of the data outwards.
    #[cfg(feature = "onnx")]
    pub(super) fn knots(&self) -> &[[f64; 2]] {
        &self.knots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::probit::probit;

    /// Values that a normal variable makes of a tail, beyond an end at 0 and up to 1 as a part of the way.
    fn parts(slope: f64) -> Vec<f64> {
        let rows = 1_000.0;
        let tail = Tail::new(probit(1.0 - 0.5 / rows), [100.0, 120.0], slope).unwrap();
        let share = |index: usize| 1.0 - 0.5 / rows * (index as f64 + 0.5) / 10_000.0;
        (0..10_000).map(|index| (tail.value(probit(share(index))).unwrap() - 100.0) / 20.0).collect()
    }

    #[test]
    fn values_thin_out_towards_the_bound() {
        // A heavy tail that would go far beyond the bound, one that would reach it, and a short one.
        for slope in [5_000.0, 40.0, 10.0] {
            let parts = parts(slope);
            assert!(parts.iter().all(|part| (0.0..1.0).contains(part)), "{slope}");
            let counts: Vec<usize> =
                (0..10).map(|tenth| parts.iter().filter(|part| (10.0 * **part) as usize == tenth).count()).collect();
            assert!(counts.is_sorted_by(|near, far| near >= far), "{slope}: {counts:?}");
            assert!(counts[0] > 1_500 && counts[9] < 250, "{slope}: {counts:?}");
        }
    }

    /// Each knot is a value of the generalized Pareto distribution; between knots, values are nearly those of it.
    #[test]
    fn knots_are_quantiles_of_the_distribution() {
        let mut wrong = Vec::new();
        for start in [1.5, 3.09, 4.5] {
            for [end, bound] in [[100.0, 120.0], [-3.0, -7.5], [0.0, 1e-9], [-1e300, 1e300]] {
                // From a heavy tail, which has the least power, to a short one.
                for part_a_score in [10.0, 1.0, 0.3, 0.02] {
                    let way: f64 = bound - end;
                    let tail = Tail::new(start, [end, bound], part_a_score * way.abs()).unwrap();
                    let power = (start / part_a_score).max(2.0);
                    let part = |score: f64| {
                        let share = (0.5 * (start + score) * (start - score)).exp();
                        1.0 - share.powf(1.0 / power)
                    };
                    assert_eq!(tail.knots.len(), 33);
                    for (line, [score, value]) in tail.knots.iter().enumerate() {
                        let expected = start + (6.0 - start) * line as f64 / 32.0;
                        let off = [(score - expected) / expected, (value - end) / way - part(expected)];
                        // The part is off by the rounding of the end, too.
                        let rounded = 1e-14 * (1.0 + (end / way).abs());
                        if !off.iter().all(|off| off.abs() <= rounded) {
                            wrong.push(format!("knot {line} of {start}, {end}, {bound}, {power}: {off:?}"));
                        }
                    }
                    for step in 1..=1_000 {
                        let score = start + (6.0 - start) * f64::from(step) / 1_000.0;
                        let off = (tail.value(score).unwrap() - end) / way - part(score);
                        if !(off.abs() < 0.01) {
                            wrong.push(format!("{score} of {start}, {end}, {bound}, {power}: {off}"));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}: {:?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    }

    #[test]
    fn a_tail_goes_on_as_the_data_do() {
        let tail = Tail::new(3.0, [0.0, 100.0], 2.0).unwrap();
        assert!((tail.value(3.1).unwrap() - 0.2).abs() < 0.02, "{:?}", tail.value(3.1));
        assert_eq!([tail.value(3.0), tail.value(-1.0), tail.value(f64::NAN)], [None; 3]);
        assert!(tail.value(f64::INFINITY).unwrap() < 100.0);
        assert!(Tail::new(3.0, [5.0, 5.0], 2.0).is_none() && Tail::new(3.0, [0.0, 1.0], 0.0).is_none());
        // No distance overflows.
        let far = Tail::new(2.0, [f64::MAX, f64::MIN], f64::MAX).unwrap();
        assert!([2.1, 5.0, f64::INFINITY].iter().all(|score| far.value(*score).unwrap().is_finite()));
    }
}
