//! The embedded font: widths and outlines of text.

use std::sync::OnceLock;

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The weights of the embedded font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// For labels and running text.
    Regular,
    /// For titles.
    SemiBold,
}

/// Height of a capital letter or digit over the font size: 1,490 of Inter's 2,048 units (`capHeight` in its OS/2 table).
pub(super) const CAP_HEIGHT: f32 = 1490.0 / 2048.0;

/// Depth below the baseline of letters such as `g` over the font size, rounded up from Inter's outlines.
pub(super) const DESCENT: f32 = 0.22;

/// The face of a weight. The files are part of the program, so that `None` cannot occur (a test reads both); text would be
/// left out then.
fn face(weight: Weight) -> Option<&'static Face<'static>> {
    static REGULAR: OnceLock<Option<Face<'static>>> = OnceLock::new();
    static SEMI_BOLD: OnceLock<Option<Face<'static>>> = OnceLock::new();
    let (cell, bytes): (_, &'static [u8]) = match weight {
        Weight::Regular => (&REGULAR, include_bytes!("../../assets/fonts/Inter-Regular.subset.ttf")),
        Weight::SemiBold => (&SEMI_BOLD, include_bytes!("../../assets/fonts/Inter-SemiBold.subset.ttf")),
    };
    cell.get_or_init(|| Face::parse(bytes, 0).ok()).as_ref()
}

/// Pixels per font unit at a font size in pixels.
fn scale(face: &Face<'_>, size: f32) -> f32 {
    size / f32::from(face.units_per_em())
}

/// The glyph of a sign; signs that the font lacks become its box for missing signs, which is the first glyph of every font.
fn glyph(face: &Face<'_>, sign: char) -> GlyphId {
    face.glyph_index(sign).unwrap_or_default()
}

/// How far a glyph moves the pen, in font units.
fn advance(face: &Face<'_>, glyph: GlyphId) -> f32 {
    f32::from(face.glyph_hor_advance(glyph).unwrap_or_default())
}

/// Width of a line of text in pixels at a font size in pixels.
pub(super) fn width(text: &str, size: f32, weight: Weight) -> f32 {
    let Some(face) = face(weight) else { return 0.0 };
    text.chars().map(|c| advance(face, glyph(face, c))).sum::<f32>() * scale(face, size)
}

/// The outline of a line of text that starts at the origin, baseline on the x axis, y downwards, in pixels.
///
/// `None` if there is nothing to draw.
pub(super) fn outline(text: &str, size: f32, weight: Weight) -> Option<Path> {
    let face = face(weight)?;
    let mut line = Line { path: PathBuilder::new(), pen: 0.0, scale: scale(face, size) };
    for c in text.chars() {
        let glyph = glyph(face, c);
        // A glyph without an outline, such as a space, only moves the pen.
        let _ = face.outline_glyph(glyph, &mut line);
        line.pen += advance(face, glyph);
    }
    line.path.finish()
}

/// A line of text in the making.
struct Line {
    path: PathBuilder,
    /// Where the next glyph starts, in font units.
    pen: f32,
    scale: f32,
}

impl Line {
    /// Where a point of the glyph, in font units, y upwards, lies on the line.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        ((self.pen + x) * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Line {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// Shortens a text with an ellipsis until it fits a width in pixels.
pub(super) fn ellipsize(text: &str, size: f32, weight: Weight, available: f32) -> String {
    if width(text, size, weight) <= available {
        return text.to_owned();
    }
    let room = available - width("…", size, weight);
    let mut used = 0.0;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            used += width(c.encode_utf8(&mut [0; 4]), size, weight);
            used <= room
        })
        .collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Breaks a text between words into at most `lines` lines of a width in pixels; what does not fit the last is shortened. A text
/// that has several lines already keeps them.
pub(super) fn wrap(text: &str, size: f32, weight: Weight, available: f32, lines: usize) -> Vec<String> {
    if text.contains('\n') {
        return text.lines().take(lines).map(|line| ellipsize(line, size, weight, available)).collect();
    }
    let mut broken: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match broken.last_mut() {
            Some(line) if broken_fits(line, word, size, weight, available) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => broken.push(word.to_owned()),
        }
    }
    if broken.len() > lines && lines > 0 {
        let rest = broken.split_off(lines - 1).join(" ");
        broken.push(rest);
    }
    broken.iter().map(|line| ellipsize(line, size, weight, available)).collect()
}

/// Whether a word still fits the line.
fn broken_fits(line: &str, word: &str, size: f32, weight: Weight, available: f32) -> bool {
    width(line, size, weight) + width(" ", size, weight) + width(word, size, weight) <= available
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_are_readable_and_know_the_signs_of_the_program() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = face(weight).expect("embedded font");
            for c in "abcXYZ 0123456789,.−–—·×±²ÄßéσμΣ≈≤…→∞√()%".chars() {
                assert_ne!(glyph(face, c), GlyphId(0), "{c} is missing in {weight:?}");
            }
        }
    }

    #[test]
    fn the_capital_height_is_that_of_the_outlines() {
        let bounds = outline("H", 2048.0, Weight::Regular).expect("outline").bounds();
        assert!((bounds.top() + 2048.0 * CAP_HEIGHT).abs() < 1.0, "{bounds:?}");
        assert!(bounds.bottom().abs() < 1.0, "{bounds:?}");
        let depth = outline("gjpqy", 1.0, Weight::Regular).expect("outline").bounds().bottom();
        assert!(depth <= DESCENT && depth > DESCENT - 0.02, "{depth}");
    }

    #[test]
    fn shortened_and_wrapped_text_fits() {
        let text = "a rather long text that has to be broken into several lines, or else cut off";
        for available in [0.0, 10.0, 100.0, 1e4] {
            let short = ellipsize(text, 20.0, Weight::Regular, available);
            assert!(width(&short, 20.0, Weight::Regular) <= available.max(width("…", 20.0, Weight::Regular)));
            let lines = wrap(text, 20.0, Weight::Regular, available, 2);
            assert!(lines.len() <= 2);
        }
        assert_eq!(wrap("", 20.0, Weight::Regular, 100.0, 2), Vec::<String>::new());
        assert_eq!(wrap("one two", 20.0, Weight::Regular, 1e3, 2), ["one two"]);
        assert_eq!(wrap("one\ntwo\nthree", 20.0, Weight::Regular, 1e3, 2), ["one", "two"]);
        assert_eq!(wrap(&format!("{text}\nlast"), 20.0, Weight::Regular, 100.0, 2).len(), 2);
    }
}
