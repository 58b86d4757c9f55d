//! The mean and the deviation of numbers.

/// The mean and the deviation of numbers, in units of the greatest, so that no square overflows.
pub(crate) struct Scale {
    unit: f64,
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// The scale of these numbers, of which NaN are left out. With `fill`, these count as the mean.
    pub(crate) fn of(numbers: impl Iterator<Item = f64> + Clone, fill: bool) -> Self {
        let present = || numbers.clone().filter(|number| !number.is_nan());
        let (least, greatest) = (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
        if !(least <= greatest) {
            return Self { unit: 1.0, mean: 0.0, deviation: 0.0 };
        }
        if least == greatest {
            return Self { unit: 1.0, mean: least, deviation: 0.0 };
        }
        let unit = least.abs().max(greatest.abs());
        let (mut mean, count) = (0.0, present().count() as f64);
        // The second pass adds what rounding took from the first.
        for _ in 0..2 {
            mean += present().map(|number| number / unit - mean).sum::<f64>() / count;
        }
        let squares: f64 = present().map(|number| (number / unit - mean).powi(2)).sum();
        let rows = if fill { numbers.count() as f64 } else { count };
        Self { unit, mean, deviation: (squares / rows).sqrt() }
    }

    /// Whether fewer than two numbers differ.
    pub(crate) fn is_constant(&self) -> bool {
        !(self.deviation > 0.0)
    }

    /// How many deviations a number is above the mean. Of a scale of equal numbers, how far it is from them.
    pub(crate) fn standardized(&self, number: f64) -> f64 {
        let centred = number / self.unit - self.mean;
        if self.is_constant() { centred } else { centred / self.deviation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_of_known_numbers() {
        let numbers = [1.0, 3.0, f64::NAN, f64::NAN];
        assert_eq!(Scale::of(numbers.into_iter(), false).standardized(3.0), 1.0);
        assert!((Scale::of(numbers.into_iter(), true).standardized(3.0) - 2f64.sqrt()).abs() <= 1e-15);
        // A great mean takes no digits, and great numbers do not overflow.
        assert!((Scale::of([1e9 + 1.0, 1e9 + 3.0].into_iter(), false).standardized(1e9 + 3.0) - 1.0).abs() <= 1e-6);
        assert_eq!(Scale::of([1.7e308, -1.7e308].into_iter(), false).standardized(1.7e308), 1.0);
        for constant in [vec![], vec![f64::NAN], vec![5.0, 5.0], vec![0.0, 0.0]] {
            let scale = Scale::of(constant.iter().copied(), true);
            assert!(scale.is_constant() && scale.standardized(7.0).is_finite(), "{constant:?}");
        }
    }
}
