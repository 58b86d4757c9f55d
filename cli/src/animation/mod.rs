//! The pictures of a run as an animation: an animated PNG (APNG), which browsers and many viewers play.
//!
//! It has half the size of the pictures, one pixel a point, and a palette (`palette.rs`); from frame to frame only the
//! pixels that change are stored. A viewer that knows no animations shows the last picture. Of 51 pictures of `circle` with
//! 13.3 MB it makes a file of 1.4 MB.

mod palette;

use std::collections::BTreeMap;
use std::io::Cursor;

use gannet::{Error, Result};
use palette::{Colors, Palette, Rgb, TRANSPARENT};

/// Frames at most; of more pictures so many are taken, evenly.
const MOST_FRAMES: usize = 100;
/// Milliseconds that the frames take together, as far as each takes no more than it may; and that the last one stays.
const LENGTH: usize = 5000;
const LONGEST: usize = 500;
const LAST: u16 = 2000;

/// Pictures whose longer side has more pixels than this are halved.
const LARGEST: usize = 800;
/// The largest file of a picture that is read, in bytes.
pub(crate) const LARGEST_FILE: u64 = 1 << 26;
/// The largest picture that is read, in pixels.
const MOST_PIXELS: usize = 1 << 26;
/// How hard frames are compressed, from 1 to 9.
const LEVEL: u8 = 6;
/// Pixels, of 3 bytes, that are kept at most from one pass over the frames to the next.
const MOST_KEPT: usize = 1 << 20;
/// Frames whose colors make the palette, at most.
const MOST_COUNTED: usize = 16;

/// Width and height.
type Size = (usize, usize);

/// An APNG file that shows PNG files of one size one after another, for about five seconds, again and again.
///
/// The last one stays for two seconds; where there are more than 100, some are left out, evenly.
///
/// # Errors
///
/// [`Error::Data`] if there is no picture, or if one is no PNG file, is damaged, has transparency, or another size than the
/// first; it says which, counted from 1.
pub(crate) fn animation(frames: &[Vec<u8>]) -> Result<Vec<u8>> {
    let shown = shown(frames.len());
    let Some(&last) = shown.last() else { return Err(Error::data("animation", "there is no picture")) };
    let mut colors = Colors::new();
    // Few pictures are decoded twice: those that are counted stay until they are drawn, unless they are large.
    let mut counted = BTreeMap::new();
    let mut room = MOST_KEPT;
    let mut size = None;
    for i in thinned(shown.len(), MOST_COUNTED) {
        let image = Image::decode(frames, shown[i], size)?;
        size = size.or(Some(image.original));
        colors.count(&image.pixels);
        if let Some(left) = room.checked_sub(image.pixels.len()) {
            room = left;
            counted.insert(shown[i], image);
        }
    }
    let mut palette = colors.palette();
    let palette_bytes = palette.bytes();
    let mut indices = |i: usize| {
        let image = counted.remove(&i).map_or_else(|| Image::decode(frames, i, size), Ok)?;
        Ok(image.indices(&mut palette))
    };
    let still = indices(last)?;
    encode(still, &palette_bytes, &shown[..shown.len() - 1], indices)
}

/// Which of these pictures no animation can show, from 0, and why: they are no sound pictures, or have not the size that most have.
pub(crate) fn unfit(frames: &[Vec<u8>]) -> Vec<(usize, String)> {
    let sizes: Vec<Result<Size, String>> = frames.iter().map(|frame| decode(frame).map(|(size, _)| size)).collect();
    let mut counts: BTreeMap<Size, usize> = BTreeMap::new();
    sizes.iter().flatten().for_each(|&size| *counts.entry(size).or_default() += 1);
    let usual = counts.into_iter().max_by_key(|&(_, count)| count).map(|(size, _)| size);
    let problem = |size: Result<Size, String>| match size {
        Err(problem) => Some(problem),
        Ok(size) if Some(size) != usual => Some("has another size than the other pictures".to_string()),
        Ok(_) => None,
    };
    sizes.into_iter().enumerate().filter_map(|(index, size)| Some((index, problem(size)?))).collect()
}

/// The pictures that the animation in `file` shows; `None` where it is none.
pub(crate) fn count(file: &[u8]) -> Option<usize> {
    let reader = png::Decoder::new(Cursor::new(file)).read_info().ok()?;
    Some(reader.info().animation_control()?.num_frames as usize)
}

/// The positions of those of `count` pictures that an animation shows.
pub(crate) fn shown(count: usize) -> Vec<usize> {
    thinned(count, MOST_FRAMES)
}

/// At most `limit` of `count` positions, evenly spaced, with the first and the last.
fn thinned(count: usize, limit: usize) -> Vec<usize> {
    let kept = count.min(limit);
    let steps = kept.saturating_sub(1).max(1);
    (0..kept).map(|i| (i * (count - 1) + steps / 2) / steps).collect()
}

/// A picture, halved if it is large.
struct Image {
    /// Its size before that.
    original: Size,
    width: usize,
    pixels: Vec<Rgb>,
}

impl Image {
    /// Reads picture `i`, which must have the size `size`, if one is given.
    fn decode(frames: &[Vec<u8>], i: usize, size: Option<Size>) -> Result<Self> {
        let failed = |problem: String| Error::data(format!("picture {} of the animation", i + 1), problem);
        let (original, channels) = decode(&frames[i]).map_err(failed)?;
        let (pixels, _) = channels.as_chunks();
        if let Some((width, height)) = size.filter(|&size| size != original) {
            let problem = format!("has {} x {} pixels, the first {width} x {height}", original.0, original.1);
            return Err(failed(problem));
        }
        let (width, height) = original;
        if width.max(height) <= LARGEST || width.min(height) < 2 {
            return Ok(Self { original, width, pixels: pixels.to_vec() });
        }
        Ok(Self { original, width: width / 2, pixels: halved(pixels, width) })
    }

    /// The indices of the pixels' colors.
    fn indices(&self, palette: &mut Palette) -> Indices {
        Indices { width: self.width, pixels: self.pixels.iter().map(|&color| palette.index(color)).collect() }
    }
}

/// Width, height, and red, green and blue of each pixel of a PNG file; or what is wrong with it.
fn decode(file: &[u8]) -> Result<(Size, Vec<u8>), String> {
    let failed = |error: png::DecodingError| format!("is no sound PNG file: {error}");
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(failed)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let bytes = match (width.checked_mul(height), reader.output_buffer_size()) {
        (Some(pixels), Some(bytes)) if pixels <= MOST_PIXELS => bytes,
        _ => return Err(format!("is too large: {width} x {height} pixels")),
    };
    let mut samples = vec![0; bytes];
    let info = reader.next_frame(&mut samples).map_err(failed)?;
    let channels = match info.color_type {
        png::ColorType::Rgb => samples,
        png::ColorType::Grayscale => samples.iter().flat_map(|&shade| [shade; 3]).collect(),
        _ => return Err("has transparency".to_owned()),
    };
    Ok(((width, height), channels))
}

/// The means of squares of four pixels. What is left over of an odd side is dropped.
fn halved(pixels: &[Rgb], width: usize) -> Vec<Rgb> {
    let mut means = Vec::with_capacity(pixels.len() / 4);
    for rows in pixels.chunks_exact(2 * width) {
        let (upper, lower) = rows.split_at(width);
        for ([a, b], [c, d]) in upper.as_chunks().0.iter().zip(lower.as_chunks().0) {
            let value = |pixel: &Rgb, i: usize| u16::from(pixel[i]);
            let mean = |i: usize| ((value(a, i) + value(b, i) + value(c, i) + value(d, i) + 2) / 4) as u8;
            means.push([mean(0), mean(1), mean(2)]);
        }
    }
    means
}

/// A picture as indices into the palette.
struct Indices {
    width: usize,
    pixels: Vec<u8>,
}

/// The part of a picture that differs from another, with the transparent color where it does not.
#[derive(Debug, PartialEq)]
struct Change {
    left: usize,
    top: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Change {
    /// What differs in `new`; one transparent pixel if nothing does.
    fn between(old: &Indices, new: &Indices) -> Self {
        let differs = |&i: &usize| old.pixels[i] != new.pixels[i];
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for i in (0..new.pixels.len()).filter(differs) {
            let (x, y) = (i % new.width, i / new.width);
            (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
        }
        if left > right {
            return Self { left: 0, top: 0, width: 1, pixels: vec![TRANSPARENT] };
        }
        let places = (top..=bottom).flat_map(|y| (left..=right).map(move |x| y * new.width + x));
        let pixels = places.map(|i| if differs(&i) { new.pixels[i] } else { TRANSPARENT }).collect();
        Self { left, top, width: right + 1 - left, pixels }
    }
}

/// The file: the picture that stands for the whole, then the `earlier` frames, then that picture again.
fn encode(
    still: Indices,
    palette: &[u8],
    earlier: &[usize],
    mut frame: impl FnMut(usize) -> Result<Indices>,
) -> Result<Vec<u8>> {
    let failed = |error: png::EncodingError| Error::data("animation", error.to_string());
    let count = earlier.len() + 1;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, still.width as u32, (still.pixels.len() / still.width) as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_trns(&[0][..]);
    encoder.set_deflate_compression(png::DeflateCompression::Level(LEVEL));
    // Neighboring indices have nothing to do with one another.
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_animated(count as u32, 0).map_err(failed)?;
    encoder.set_sep_def_img(true).map_err(failed)?;
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&still.pixels).map_err(failed)?;
    let mut before: Option<Indices> = None;
    let frames = earlier.iter().map(|&i| frame(i)).chain([Ok(still)]);
    for (i, now) in frames.enumerate() {
        let now = now?;
        let (change, blend) = match &before {
            None => (Change { left: 0, top: 0, width: now.width, pixels: now.pixels.clone() }, png::BlendOp::Source),
            Some(before) => (Change::between(before, &now), png::BlendOp::Over),
        };
        let each = (LENGTH / count).min(LONGEST) as u16;
        writer.set_frame_delay(if i + 1 == count { LAST } else { each }, 1000).map_err(failed)?;
        writer.set_blend_op(blend).map_err(failed)?;
        writer.reset_frame_position().map_err(failed)?;
        let height = change.pixels.len() / change.width;
        writer.set_frame_dimension(change.width as u32, height as u32).map_err(failed)?;
        writer.set_frame_position(change.left as u32, change.top as u32).map_err(failed)?;
        writer.write_image_data(&change.pixels).map_err(failed)?;
        before = Some(now);
    }
    writer.finish().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
