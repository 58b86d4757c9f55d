//! Real handwritten digits of 8 x 8 pixels, embedded in the program.
//!
//! E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
//! <https://doi.org/10.24432/C50P49>, licensed CC BY 4.0. `assets/digits.md` says how the files were made.

use crate::data::bytes::ByteSource;
use crate::error::Result;

/// Images.
pub const COUNT: usize = 1797;
/// Rows of an image.
pub const HEIGHT: usize = 8;
/// Columns of an image.
pub const WIDTH: usize = 8;
/// The largest value of a pixel.
pub const MAX: u8 = 16;

static IMAGES: &[u8; COUNT * HEIGHT * WIDTH] = include_bytes!("../../assets/digits.bin");
static LABELS: &[u8; COUNT] = include_bytes!("../../assets/digits_labels.bin");

/// The pixels, `[COUNT, HEIGHT, WIDTH]` row-major, 0 (paper) to [`MAX`] (ink).
pub fn images() -> &'static [u8] {
    IMAGES
}

/// The digit of each image, 0 to 9.
pub fn labels() -> &'static [u8] {
    LABELS
}

/// The images as a source, with pixels scaled to [-1, 1] and no copy made.
///
/// # Errors
///
/// None with the embedded file; the result is [`ByteSource::new`]'s.
pub fn source() -> Result<ByteSource> {
    ByteSource::new(images(), HEIGHT, WIDTH, MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a of 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
    fn checksum(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    /// The expected values were printed by numpy from scikit-learn's `load_digits`.
    #[test]
    fn the_embedded_files_are_those_of_scikit_learn() {
        assert_eq!(images().iter().map(|&pixel| u64::from(pixel)).sum::<u64>(), 561_718);
        assert_eq!(checksum(images()), 0x493f_a2f6_7df5_50a1);
        assert_eq!(checksum(labels()), 0x5c66_ed87_5b0a_9785);
        assert_eq!(images()[..16], [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
        let mut histogram = [0; 10];
        labels().iter().for_each(|&label| histogram[usize::from(label)] += 1);
        assert_eq!(histogram, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn the_source_spans_minus_one_to_one() {
        let source = source().unwrap();
        assert_eq!((source.len(), source.features()), (1797, 64));
        let rows = source.rows(0..COUNT).unwrap();
        assert_eq!(rows.iter().copied().fold(f32::INFINITY, f32::min), -1.0);
        assert_eq!(rows.iter().copied().fold(f32::NEG_INFINITY, f32::max), 1.0);
    }
}
