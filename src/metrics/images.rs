//! Which classes the generated images belong to, and how much they differ among themselves: what shows a collapse.

use crate::error::{Error, Result};
use crate::kernel::sum::mean;
use crate::memory::filled;
use crate::metrics::check_rows;
use crate::metrics::distance::References;
use crate::metrics::moments::Moments;

/// A class counts as covered from this share of the samples on.
pub const COVERED_SHARE: f64 = 0.01;

/// Measures of generated images.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImagesReport {
    /// The share, 0 to 1, of the samples whose nearest real image belongs to each class.
    pub class_share: Vec<f64>,
    /// The number of classes with a share of at least [`COVERED_SHARE`].
    pub classes_covered: usize,
    /// The standard deviation of a pixel over the samples, mean of all pixels, in the unit of a pixel: near 0 if all samples
    /// look alike.
    pub pixel_sd: f64,
    /// The same of the real images.
    pub real_pixel_sd: f64,
}

/// Measures row-major `[images, features]` generated `samples` against `real` images with their `labels`, 0 to `classes` - 1.
/// The class of a sample is that of its nearest real image by Euclidean distance, the first of equals. Uses up to `threads`
/// threads (0 counts as 1); the result does not depend on their number.
///
/// Work: samples x real images x features.
///
/// # Errors
///
/// [`Error::Shape`] where a set is not whole rows or there is not one label an image; [`Error::Data`] where a value is not
/// finite or a label not below `classes`; [`Error::Threads`] where the system refuses threads.
pub fn evaluate(
    samples: &[f32],
    real: &[f32],
    labels: &[u8],
    features: usize,
    classes: usize,
    threads: usize,
) -> Result<ImagesReport> {
    let count = check_rows("samples", samples, features)?;
    let images = check_rows("real images", real, features)?;
    if labels.len() != images {
        return Err(Error::shape("labels", format!("{images}, one a real image"), format!("{}", labels.len())));
    }
    if let Some(i) = labels.iter().position(|&label| usize::from(label) >= classes) {
        return Err(Error::data("labels", format!("label {i} (counted from 0) is {}, not below {classes}", labels[i])));
    }
    let nearest = References::new(real, features)?.for_each(samples, threads, |_, distances| {
        let first = (0, f32::INFINITY);
        let keep_nearer =
            |best: (usize, f32), (i, &distance): (usize, &f32)| if distance < best.1 { (i, distance) } else { best };
        labels[distances.iter().enumerate().fold(first, keep_nearer).0]
    })?;
    let mut counts = filled(classes, 0usize)?;
    nearest.into_iter().for_each(|class| counts[usize::from(class)] += 1);
    let class_share: Vec<f64> = counts.into_iter().map(|members| members as f64 / count as f64).collect();
    Ok(ImagesReport {
        classes_covered: class_share.iter().filter(|&&share| share >= COVERED_SHARE).count(),
        class_share,
        pixel_sd: pixel_sd(samples, features),
        real_pixel_sd: pixel_sd(real, features),
    })
}

/// The standard deviation of each feature over the rows, mean of all features.
fn pixel_sd(rows: &[f32], features: usize) -> f64 {
    let count = rows.len() / features;
    let column = |feature: usize| (0..count).map(move |row| f64::from(rows[row * features + feature]));
    mean((0..features).map(|feature| Moments::of(column(feature)).sd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    fn digit_rows() -> Vec<f32> {
        digits::source().unwrap().rows(0..digits::COUNT).unwrap()
    }

    #[test]
    fn real_digits_belong_to_their_own_classes() {
        let rows = digit_rows();
        let (samples, real) = rows.split_at(600 * 64);
        let labels = &digits::labels()[600..];
        let report = evaluate(samples, real, labels, 64, 10, 2).unwrap();
        assert_eq!(report.classes_covered, 10);
        assert!((report.class_share.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (digit, share) in report.class_share.iter().enumerate() {
            let exact = digits::labels()[..600].iter().filter(|&&label| usize::from(label) == digit).count();
            // One nearest neighbor is right for some 97 % of these images.
            assert!((share - exact as f64 / 600.0).abs() < 0.03, "{digit}: {share}");
        }
        assert!((report.pixel_sd / report.real_pixel_sd - 1.0).abs() < 0.1, "{report:?}");
        assert_eq!(evaluate(samples, real, labels, 64, 10, 1).unwrap(), report);
    }

    #[test]
    fn a_collapse_shows() {
        let rows = digit_rows();
        let samples = rows[7 * 64..8 * 64].repeat(99);
        let report = evaluate(&[&samples[..], &rows[..64]].concat(), &rows, digits::labels(), 64, 10, 1).unwrap();
        assert_eq!((report.class_share[7], report.class_share[0], report.classes_covered), (0.99, 0.01, 2));
        assert!(report.pixel_sd < 0.2 * report.real_pixel_sd, "{report:?}");
    }

    #[test]
    fn the_first_of_equals_decides() {
        let report = evaluate(&[0.0, 9.0], &[1.0, -1.0, 1.0], &[2, 0, 1], 1, 3, 1).unwrap();
        assert_eq!(report.class_share, [0.0, 0.0, 1.0]);
        assert_eq!((report.pixel_sd, report.real_pixel_sd), (4.5, (8.0f64 / 9.0).sqrt()));
    }

    #[test]
    fn refuses_bad_input() {
        let bad = |samples: &[f32], real: &[f32], labels: &[u8], features| {
            assert!(evaluate(samples, real, labels, features, 10, 1).is_err());
        };
        bad(&[], &[1.0], &[1], 1);
        bad(&[1.0], &[f32::NAN], &[1], 1);
        bad(&[1.0, 2.0], &[1.0], &[1], 2);
        bad(&[1.0], &[1.0, 2.0], &[1], 1);
        bad(&[1.0], &[1.0], &[10], 1);
        bad(&[1.0], &[1.0], &[1], 0);
        assert!(matches!(evaluate(&[1.0], &[1.0], &[1], 1, usize::MAX, 1), Err(Error::OutOfMemory { .. })));
    }
}
