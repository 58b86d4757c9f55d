//! Images that stay bytes in memory and are scaled while a batch is gathered.

use std::borrow::Cow;
use std::ops::Range;

use crate::data::check_count;
use crate::error::{Error, Result};
use crate::gan::source::{InMemory, Shape, Source};
use crate::memory::room;

/// Grayscale images of one size, one byte a pixel. A sample is an image, a feature is a pixel (row by row), and its value is
/// `byte * scale + offset`.
#[derive(Clone, Debug, PartialEq)]
pub struct ByteSource {
    bytes: Cow<'static, [u8]>,
    height: usize,
    width: usize,
    scale: f32,
    offset: f32,
}

impl ByteSource {
    /// Takes images of `height` x `width` pixels, one after another, with bytes 0 to `max` mapped to -1 to 1, the range of a
    /// generator that ends in tanh.
    ///
    /// # Errors
    ///
    /// As for [`ByteSource::with_scale`], and [`Error::Data`] if a byte exceeds `max`, naming the first.
    pub fn new(bytes: impl Into<Cow<'static, [u8]>>, height: usize, width: usize, max: u8) -> Result<Self> {
        if max == 0 {
            return Err(Error::setting("max", "the largest byte must be at least 1"));
        }
        let source = Self::with_scale(bytes, height, width, 2.0 / f32::from(max), -1.0)?;
        if let Some(i) = source.bytes.iter().position(|&byte| byte > max) {
            let (image, pixel) = (i / source.features(), i % source.features());
            return Err(Error::data(
                "images",
                format!("pixel {pixel} of image {image} (counted from 0) is {}, above {max}", source.bytes[i]),
            ));
        }
        Ok(source)
    }

    /// Takes images of `height` x `width` pixels, one after another, with any finite `scale` and `offset`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if there is no whole image, a last one that is not whole, or more than `u32::MAX` images;
    /// [`Error::InvalidSetting`] if `scale` or `offset` is not finite.
    pub fn with_scale(
        bytes: impl Into<Cow<'static, [u8]>>,
        height: usize,
        width: usize,
        scale: f32,
        offset: f32,
    ) -> Result<Self> {
        let bytes = bytes.into();
        let pixels = height.checked_mul(width).unwrap_or(0);
        if pixels == 0 || bytes.is_empty() || !bytes.len().is_multiple_of(pixels) {
            return Err(Error::shape(
                "images",
                "one or more whole images of at least one pixel",
                format!("{} bytes as images of {height} x {width} pixels", bytes.len()),
            ));
        }
        check_count("images", bytes.len() / pixels)?;
        for (name, value) in [("scale", scale), ("offset", offset)] {
            if !value.is_finite() {
                return Err(Error::setting(name, format!("{value} is not a finite number")));
            }
        }
        Ok(Self { bytes, height, width, scale, offset })
    }

    /// The bytes of all images, as they were given.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of images.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.features()
    }

    /// Features of a sample: the pixels of an image.
    pub fn features(&self) -> usize {
        self.height * self.width
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What a byte is multiplied by.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// What is then added.
    pub fn offset(&self) -> f32 {
        self.offset
    }

    /// The scaled images of `range`, row-major `[images, pixels]`; a range that reaches beyond the last image is cut there.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn rows(&self, range: Range<usize>) -> Result<Vec<f32>> {
        let (end, pixels) = (range.end.min(self.len()), self.features());
        let bytes = &self.bytes[range.start.min(end) * pixels..end * pixels];
        let mut rows = room(bytes.len())?;
        rows.extend(bytes.iter().map(|&byte| f32::from(byte).mul_add(self.scale, self.offset)));
        Ok(rows)
    }
}

impl Source for ByteSource {
    fn shape(&self) -> Shape {
        Shape::new(self.features(), self.len())
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        Some(InMemory::of_bytes(&self.bytes, self.features(), self.scale, self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, LANE_GROUP};

    #[test]
    fn refuses_what_is_no_row_of_images() {
        for (bytes, height, width) in
            [(0, 2, 2), (5, 2, 2), (4, 0, 2), (4, 2, 0), (4, usize::MAX, 2), (4, 1 << 32, usize::MAX)]
        {
            assert!(matches!(ByteSource::new(vec![0; bytes], height, width, 255), Err(Error::Shape { .. })));
        }
        assert!(matches!(ByteSource::new(vec![0; 4], 2, 2, 0), Err(Error::InvalidSetting { .. })));
        assert!(matches!(ByteSource::with_scale(vec![0; 4], 2, 2, f32::NAN, 0.0), Err(Error::InvalidSetting { .. })));
        assert!(matches!(
            ByteSource::with_scale(vec![0; 4], 2, 2, 1.0, f32::INFINITY),
            Err(Error::InvalidSetting { .. })
        ));
        let error = ByteSource::new(vec![0, 1, 2, 3, 4, 17, 6, 7], 2, 2, 16).unwrap_err().to_string();
        assert!(error.contains("pixel 1 of image 1") && error.contains("17"), "{error}");
    }

    #[test]
    fn the_range_of_bytes_becomes_minus_one_to_one() {
        for max in [16, 255] {
            let source = ByteSource::new((0..=max).collect::<Vec<u8>>(), 1, 1, max).unwrap();
            for (byte, value) in source.rows(0..usize::from(max) + 1).unwrap().into_iter().enumerate() {
                let expected = byte as f64 * 2.0 / f64::from(max) - 1.0;
                // The scale is rounded (2^-24 of a value of at most 2) and so is the result (2^-25).
                assert!((f64::from(value) - expected).abs() <= 1.5e-7, "{byte} of {max}: {value}");
            }
        }
    }

    #[test]
    fn rows_are_cut_at_the_end() {
        let source = ByteSource::with_scale(vec![1, 2, 3, 4], 1, 2, 1.0, 0.0).unwrap();
        assert_eq!(source.rows(1..9).unwrap(), [3.0, 4.0]);
        assert!(source.rows(7..9).unwrap().is_empty());
        assert_eq!(source.rows(0..1).unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn gathers_scaled_pixels_into_lanes() {
        let bytes: Vec<u8> = (0..6 * 6).map(|i| (i * 7) as u8).collect();
        let source = ByteSource::new(bytes, 2, 3, 255).unwrap();
        let rows = source.rows(0..6).unwrap();
        let samples = [5, 0, 3, 3];
        for isa in Isa::available() {
            let mut panel = vec![f32::NAN; 6 * LANE_GROUP];
            source.in_memory().unwrap().gather(isa, &samples, &mut panel, LANE_GROUP);
            for feature in 0..6 {
                for lane in 0..LANE_GROUP {
                    let expected = samples.get(lane).map_or(0.0, |&row| rows[row as usize * 6 + feature]);
                    let found = panel[feature * LANE_GROUP + lane];
                    // One rounding of a product below 2 between a fused and an unfused multiply-add.
                    assert!((found - expected).abs() <= 2.4e-7, "{isa:?}, feature {feature}, lane {lane}: {found}");
                }
            }
        }
    }
}
