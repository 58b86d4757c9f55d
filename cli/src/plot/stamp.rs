//! Dots that are drawn again and again: the coverage of their pixels is computed once.
//!
//! tiny-skia rounds the points of an outline to 1/256 of a pixel before it fills it. Two dots whose points lie alike in their
//! pixels after that cover these alike, wherever they are. So a dot is looked up by its rounded points, and the picture is, to
//! the bit, the one that filling each outline gives. That makes the dots of a scatter plot four times as fast.

use std::cell::RefCell;
use std::collections::HashMap;

use tiny_skia::{Color, FillRule, Mask, Path, PathBuilder, PathSegment, Pixmap, Point, Transform};

/// Points of an outline at most; that of a larger dot has more.
const POINTS: usize = 20;
/// Stamps that are kept at most, of some 200 bytes each.
const MOST: usize = 1 << 12;
/// Units that tiny-skia rounds to in a pixel: 64, at four times the resolution.
const ROUNDED: f32 = 256.0;

/// The rounded points of an outline, from a pixel.
type Key = [[i16; 2]; POINTS];

/// The coverage of pixels from one on, row by row.
struct Stamp {
    width: usize,
    coverage: Vec<u8>,
}

#[derive(Default)]
struct Stamps {
    known: HashMap<Key, Stamp>,
    /// Where an outline is filled in its place; empty between two of them.
    surface: Option<Mask>,
}

thread_local! {
    static STAMPS: RefCell<Stamps> = RefCell::new(Stamps::default());
}

/// Fills a circle given in pixels with a color that is not opaque. Says whether it could: not at the border, and not where the
/// outline has to be changed before it is rounded.
pub(super) fn dot(pixmap: &mut Pixmap, (x, y): (f32, f32), radius: f32, color: Color) -> bool {
    let (left, top) = ((x - radius).floor() - 1.0, (y - radius).floor() - 1.0);
    let side = (2.0 * radius).ceil() + 4.0;
    let inside =
        left >= 0.0 && top >= 0.0 && left + side <= pixmap.width() as f32 && top + side <= pixmap.height() as f32;
    if !inside || color.alpha() >= 1.0 {
        return false;
    }
    let (left, top, side) = (left as usize, top as usize, side as usize);
    let Some(path) = PathBuilder::from_circle(x, y, radius) else { return false };
    let Some(key) = key(&path, (left, top)) else { return false };
    STAMPS.with_borrow_mut(|Stamps { known, surface }| {
        if known.len() >= MOST {
            known.clear();
        }
        let size = (pixmap.width(), pixmap.height());
        let stamp = match known.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let Some(stamp) = cut(surface, size, &path, (left, top, side)) else { return false };
                place.insert(stamp)
            }
        };
        press(stamp, pixmap, (left, top), color);
        true
    })
}

/// The rounded points of an outline, from the pixel `(left, top)` on. `None` for one that has too many, or a curve that turns in
/// the vertical, if only by a rounding error: tiny-skia cuts such curves.
fn key(path: &Path, (left, top): (usize, usize)) -> Option<Key> {
    let points = path.points();
    if points.len() > POINTS {
        return None;
    }
    let mut last = Point::zero();
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(to) | PathSegment::LineTo(to) => last = to,
            PathSegment::QuadTo(control, to) => {
                let falls = last.y <= control.y && control.y <= to.y;
                let rises = last.y >= control.y && control.y >= to.y;
                if !falls && !rises {
                    return None;
                }
                last = to;
            }
            PathSegment::CubicTo(..) => return None,
            PathSegment::Close => {}
        }
    }
    let mut key = [[i16::MIN; 2]; POINTS];
    for (place, point) in key.iter_mut().zip(points) {
        let rounded = |value: f32, from: usize| i16::try_from((value * ROUNDED) as i64 - 256 * from as i64).ok();
        *place = [rounded(point.x, left)?, rounded(point.y, top)?];
    }
    Some(key)
}

/// The coverage of the square of a `side` at `(left, top)` by an outline, which lies in it.
fn cut(
    surface: &mut Option<Mask>,
    (width, height): (u32, u32),
    path: &Path,
    (left, top, side): (usize, usize, usize),
) -> Option<Stamp> {
    if surface.as_ref().is_none_or(|mask| (mask.width(), mask.height()) != (width, height)) {
        *surface = Mask::new(width, height);
    }
    let mask = surface.as_mut()?;
    mask.fill_path(path, FillRule::Winding, true, Transform::identity());
    let mut coverage = Vec::with_capacity(side * side);
    for row in mask.data_mut().chunks_exact_mut(width as usize).skip(top).take(side) {
        coverage.extend_from_slice(&row[left..left + side]);
        row[left..left + side].fill(0);
    }
    Some(Stamp { width: side, coverage })
}

/// Puts a color over the pixels that a stamp covers, with the arithmetic of tiny-skia's pipeline of low precision.
fn press(stamp: &Stamp, pixmap: &mut Pixmap, (left, top): (usize, usize), color: Color) {
    let color = color.premultiply();
    let color = [color.red(), color.green(), color.blue(), color.alpha()].map(|value| (value * 255.0 + 0.5) as u16);
    let width = pixmap.width() as usize;
    let rows = pixmap.data_mut().chunks_exact_mut(4 * width).skip(top);
    for (row, coverage) in rows.zip(stamp.coverage.chunks_exact(stamp.width)) {
        let (pixels, _) = row[4 * left..4 * (left + stamp.width)].as_chunks_mut::<4>();
        for (pixel, &covered) in pixels.iter_mut().zip(coverage) {
            let covered = u16::from(covered);
            let rest = 255 - part(color[3], covered);
            for (value, color) in pixel.iter_mut().zip(color) {
                *value = (part(color, covered) + part(u16::from(*value), rest)) as u8;
            }
        }
    }
}

/// A value of up to 255 times a share of 255.
#[inline(always)]
fn part(value: u16, share: u16) -> u16 {
    (value * share + 255) >> 8
}

#[cfg(test)]
mod tests {
    use tiny_skia::Paint;

    use super::*;

    #[test]
    fn stamps_give_the_pixels_of_filled_outlines() {
        let blank = || {
            let mut pixmap = Pixmap::new(1700, 1100).unwrap();
            pixmap.fill(Color::WHITE);
            pixmap
        };
        let (mut stamped, mut filled) = (blank(), blank());
        let mut state = 1_u64;
        let mut random = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let (mut stamps, dots) = (0, 20_000);
        for _ in 0..dots {
            // Centers on the grid of the charts, some beyond the border.
            let at = (random(16 * 1720) as f32 / 16.0 - 10.0, random(16 * 1120) as f32 / 16.0 - 10.0);
            let radius = [4.0, 4.5, 5.0, 6.0][random(4) as usize];
            let mut color = Color::from_rgba8(random(256) as u8, random(256) as u8, random(256) as u8, 255);
            color.set_alpha([0.5, 0.55, 0.65, 0.8, 0.01, 0.999][random(6) as usize]);
            let mut paint = Paint { anti_alias: true, ..Paint::default() };
            paint.set_color(color);
            let path = PathBuilder::from_circle(at.0, at.1, radius).unwrap();
            filled.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
            if dot(&mut stamped, at, radius, color) {
                stamps += 1;
            } else {
                stamped.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
            }
        }
        let different = stamped.pixels().iter().zip(filled.pixels()).filter(|(a, b)| a != b).count();
        assert_eq!(different, 0);
        let known = STAMPS.with_borrow(|stamps| stamps.known.len());
        assert!(stamps > dots / 2 && known < dots / 2, "{stamps} of {dots} stamped, {known} stamps");
    }
}
