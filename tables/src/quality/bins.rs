//! Numbers as codes of ten bins, as SDMetrics cuts them.

use super::cells::Codes;

/// Bins of the range of a column, NumPy's default.
const BINS: usize = 10;

/// The bins of numbers between the least and the greatest of this column; `None` where a range has no ten bins in f64.
///
/// SDMetrics cuts each table by its own range, by `numpy.histogram_bin_edges` and `numpy.digitize`. The greatest number then has a bin of
/// its own, and so have missing values: the same one.
pub(crate) fn binned(values: &[f64]) -> Option<Codes> {
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    let (mut least, mut greatest) =
        (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
    if !(least <= greatest) {
        (least, greatest) = (0.0, 1.0);
    } else if least == greatest {
        (least, greatest) = (least - 0.5, greatest + 0.5);
    }
    let step = (greatest - least) / BINS as f64;
    let mut edges: Vec<f64> = (0..BINS).map(|edge| edge as f64 * step + least).collect();
    edges.push(greatest);
    if !step.is_finite() || edges.windows(2).any(|pair| !(pair[0] < pair[1])) {
        return None;
    }
    let code = |value: &f64| {
        if value.is_nan() { BINS as u16 + 1 } else { edges.partition_point(|edge| edge <= value) as u16 }
    };
    Some(Codes { codes: values.iter().map(code).collect(), width: BINS as u16 + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_numpy() {
        let codes = |values: &[f64]| binned(values).map(|codes| codes.codes);
        // numpy.digitize(x, numpy.histogram_bin_edges(x[~numpy.isnan(x)])), NumPy 2.4.6.
        assert_eq!(codes(&[0.0, 0.5, 1.0, 9.9, 10.0, f64::NAN]), Some(vec![1, 1, 2, 10, 11, 11]));
        assert_eq!(codes(&[7.0, 7.0]), Some(vec![6, 6]));
        assert_eq!(codes(&[f64::NAN]), Some(vec![11]));
        assert_eq!(codes(&[]), Some(vec![]));
        // "Too many bins for data range", and an infinite range.
        assert_eq!((codes(&[1.0, 1.0 + f64::EPSILON]), codes(&[-1.7e308, 1.7e308])), (None, None));
    }
}
