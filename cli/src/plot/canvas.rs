//! The drawing surface: tiny-skia's antialiased shapes behind the backend interface of plotters.
//!
//! Plotters speaks whole numbers. Its own bitmap backend takes them for pixels, so that curves and glyphs snap to the pixel
//! grid; here one of its units is 1/[`UNIT`] of a pixel.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};
use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};

use super::font::{self, CAP_HEIGHT, DESCENT, Weight};
use super::stamp;

/// Units of plotters in a pixel.
pub(super) const UNIT: i32 = 16;

/// Units of a number of pixels.
pub(super) fn units(pixels: i32) -> i32 {
    pixels.saturating_mul(UNIT)
}

/// Pixels of a number of units.
fn pixels(units: i32) -> f32 {
    units as f32 / UNIT as f32
}

/// A surface that draws on a pixmap.
pub(super) struct Canvas<'a> {
    pixmap: &'a mut Pixmap,
}

impl<'a> Canvas<'a> {
    /// Draws on `pixmap`.
    pub(super) fn new(pixmap: &'a mut Pixmap) -> Self {
        Self { pixmap }
    }

    /// Fills a closed path.
    fn fill(&mut self, path: Option<&Path>, color: BackendColor, transform: Transform) {
        if let Some(path) = path {
            self.pixmap.fill_path(path, &paint(color), FillRule::Winding, transform, None);
        }
    }

    /// Draws a line of text. `at` is where its anchor goes, in pixels; vertically a text reaches from the top of its capitals
    /// to the bottom of its descenders, and its center is that of the capitals.
    pub(super) fn text(&mut self, text: &str, face: Face, at: (f32, f32), anchor: (HPos, VPos), turn: FontTransform) {
        let width = font::width(text, face.size, face.weight);
        let dx = match anchor.0 {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let dy = face.size
            * match anchor.1 {
                VPos::Top => CAP_HEIGHT,
                VPos::Center => CAP_HEIGHT / 2.0,
                VPos::Bottom => -DESCENT,
            };
        let (a, b) = match turn {
            FontTransform::None => (1.0, 0.0),
            FontTransform::Rotate90 => (0.0, 1.0),
            FontTransform::Rotate180 => (-1.0, 0.0),
            FontTransform::Rotate270 => (0.0, -1.0),
        };
        let transform = Transform::from_row(a, b, -b, a, at.0, at.1).pre_translate(dx, dy);
        self.fill(font::outline(text, face.size, face.weight).as_ref(), face.color, transform);
    }

    /// Fills a rectangle given in pixels.
    pub(super) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, color: BackendColor) {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            self.pixmap.fill_rect(rect, &paint(color), Transform::identity(), None);
        }
    }

    /// Fills a circle given in pixels.
    pub(super) fn dot(&mut self, x: f32, y: f32, radius: f32, color: BackendColor) {
        self.fill(PathBuilder::from_circle(x, y, radius).as_ref(), color, Transform::identity());
    }

    /// Strokes or fills the polygon through points in units.
    fn polygon(&mut self, points: impl IntoIterator<Item = BackendCoord>, color: BackendColor, width: Option<u32>) {
        let mut path = PathBuilder::new();
        for (x, y) in points {
            let (x, y) = (pixels(x), pixels(y));
            if path.is_empty() { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        match width {
            None => {
                path.close();
                self.fill(path.finish().as_ref(), color, Transform::identity());
            }
            Some(width) => {
                let stroke = Stroke {
                    width: width as f32 / UNIT as f32,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    ..Stroke::default()
                };
                if let Some(path) = path.finish() {
                    self.pixmap.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
                }
            }
        }
    }
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Face {
    /// Font size in pixels.
    pub(super) size: f32,
    /// Weight of the font.
    pub(super) weight: Weight,
    /// Color of the text.
    pub(super) color: BackendColor,
}

/// A paint of one color.
fn paint(color: BackendColor) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(shade(color));
    paint
}

/// A color of plotters as one of tiny-skia.
fn shade(color: BackendColor) -> Color {
    let (red, green, blue) = color.rgb;
    let mut shade = Color::from_rgba8(red, green, blue, 255);
    shade.set_alpha(color.alpha as f32);
    shade
}

/// What plotters asks of a text's style, as a face.
fn face(style: &impl BackendTextStyle) -> Face {
    let weight = match style.style() {
        FontStyle::Bold => Weight::SemiBold,
        _ => Weight::Regular,
    };
    Face { size: style.size() as f32 / UNIT as f32, weight, color: style.color() }
}

/// Moves the middle of a line so that its edges fall between pixels.
fn snap(middle: i32, width: u32) -> f32 {
    let half = width as f32 / UNIT as f32 / 2.0;
    (pixels(middle) - half).round()
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.pixmap.width() * UNIT as u32, self.pixmap.height() * UNIT as u32)
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        self.rectangle(pixels(point.0), pixels(point.1), pixels(1), pixels(1), color);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        let width = style.stroke_width();
        if from.0 == to.0 || from.1 == to.1 {
            let thick = pixels(width as i32);
            let (left, top) = (from.0.min(to.0), from.1.min(to.1));
            let (across, down) = (pixels((from.0 - to.0).abs()).round(), pixels((from.1 - to.1).abs()).round());
            let (x, y, w, h) = if from.0 == to.0 {
                (snap(left, width), pixels(top).round(), thick, down)
            } else {
                (pixels(left).round(), snap(top, width), across, thick)
            };
            self.rectangle(x, y, w, h, style.color());
        } else {
            self.polygon([from, to], style.color(), Some(width));
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Done {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        self.polygon(corners, style.color(), (!fill).then(|| style.stroke_width()));
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let points: Vec<_> = path.into_iter().collect();
        match *points {
            [from, to] => self.draw_line(from, to, style)?,
            _ => self.polygon(points, style.color(), Some(style.stroke_width())),
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        let (x, y, radius) = (pixels(center.0), pixels(center.1), pixels(radius as i32));
        if fill {
            // Of dots there are thousands.
            if !stamp::dot(self.pixmap, (x, y), radius, shade(style.color())) {
                self.dot(x, y, radius, style.color());
            }
        } else if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            let stroke = Stroke { width: pixels(style.stroke_width() as i32), ..Stroke::default() };
            self.pixmap.stroke_path(&path, &paint(style.color()), &stroke, Transform::identity(), None);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        self.polygon(corners, style.color(), None);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let anchor = style.anchor();
        let at = (pixels(at.0), pixels(at.1));
        self.text(text, face(style), at, (anchor.h_pos, anchor.v_pos), style.transform());
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let face = face(style);
        let width = font::width(text, face.size, face.weight);
        Ok(((width * UNIT as f32).ceil() as u32, (face.size * (CAP_HEIGHT + DESCENT) * UNIT as f32).ceil() as u32))
    }
}
