//! Grids of images.

use gannet::{Error, Result};

use super::frame;
use super::picture::{Heading, Picture};
use super::style::{MARGIN, NOT_A_NUMBER};

/// The longer side of the images together in pixels, at most, where they are enlarged: of a grid, and of a single row.
const GRID_TARGET: usize = 800;
const ROW_TARGET: usize = 1500;

/// Most pixels of a picture, and of one of its sides.
const MOST_PIXELS: usize = 1 << 26;
const LONGEST_SIDE: usize = 1 << 14;

/// Draws greyscale images in a grid, row by row, enlarged by a whole number so that the picture is about 600 to 900 pixels wide
/// (a single row: 1,500).
///
/// `images` holds one image after another, each of `height` rows of `width` values: -1 is black, 1 white, what lies beyond is
/// cut, NaN is magenta. `columns` is cut to the number of images; 0 stands for the most square grid, and as many columns as
/// images for one row.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) if an image has no pixel, if `images` is no whole number of images, or if the picture
/// would have more than 67 million pixels or a side of more than 16,384.
pub fn image_grid(
    heading: Heading<'_>,
    images: &[f32],
    height: usize,
    width: usize,
    columns: usize,
) -> Result<Picture> {
    let pixels = height.checked_mul(width).unwrap_or(0);
    if pixels == 0 || !images.len().is_multiple_of(pixels) {
        let expected = format!("a whole number of images of {height} x {width} pixels");
        return Err(Error::shape("images of a grid", expected, format!("{} values", images.len())));
    }
    let count = (images.len() / pixels).max(1);
    let columns = if columns == 0 { (count as f64).sqrt().ceil() as usize } else { columns.min(count) };
    let rows = count.div_ceil(columns);
    let target = if rows == 1 && columns > 1 { ROW_TARGET } else { GRID_TARGET };
    let largest = columns.saturating_mul(width).max(rows.saturating_mul(height));
    let scale = (target / largest).max(1);
    // A sixteenth of an image tells images apart without breaking up the grid.
    let gap = (scale * width.min(height) / 16).clamp(4, 14);
    let (across, down) =
        (width.saturating_mul(scale).saturating_add(gap), height.saturating_mul(scale).saturating_add(gap));
    let (wide, high) = (columns.saturating_mul(across), rows.saturating_mul(down));
    if wide.saturating_mul(high) > MOST_PIXELS || wide.max(high) > LONGEST_SIDE {
        let expected = format!("at most {MOST_PIXELS} pixels, {LONGEST_SIDE} a side");
        return Err(Error::shape("picture of images", expected, format!("{rows} x {columns} images")));
    }

    let size = ((columns * across - gap) as i32, (rows * down - gap) as i32);
    let mut page = frame::Page::new(size, heading, &[])?;
    if images.is_empty() {
        page.remark("no images");
    }
    let (left, top) = (MARGIN as usize, page.top() as usize);
    let mut picture = page.finish();
    for (i, image) in images.chunks_exact(pixels).enumerate() {
        let (x, y) = (left + i % columns * across, top + i / columns * down);
        for (row, values) in image.chunks_exact(width).enumerate() {
            for line in 0..scale {
                let start = (y + row * scale + line) * picture.width as usize + x;
                let target = &mut picture.pixels[3 * start..3 * (start + width * scale)];
                for (value, pixels) in values.iter().zip(target.chunks_exact_mut(3 * scale)) {
                    let shade = shade(*value);
                    pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&shade));
                }
            }
        }
    }
    Ok(picture)
}

/// The color of a value in [-1, 1].
fn shade(value: f32) -> [u8; 3] {
    if value.is_nan() {
        return [NOT_A_NUMBER.0, NOT_A_NUMBER.1, NOT_A_NUMBER.2];
    }
    [((value.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8; 3]
}
