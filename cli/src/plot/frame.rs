//! What all charts share: the page with title, subtitle and legend, panels in rows, axes with grid and labels.

use gannet::{Error, Result};
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TRANSPARENT, TextStyle};
use plotters_backend::FontTransform;
use plotters_backend::text_anchor::{HPos, VPos};
use tiny_skia::Pixmap;

use super::axis::Axis;
use super::canvas::{Canvas, Face, UNIT, units};
use super::font::{self, CAP_HEIGHT, DESCENT, Weight};
use super::picture::{Heading, Picture};
use super::style::{self, AXIS, GRID, HAIRLINE, INK, LABEL, MARGIN, MUTED, Rgb, TEXT, TITLE, WHITE};

/// The whole page, for plotters.
pub(super) type Area<'a> = DrawingArea<Canvas<'a>, Shift>;
/// A chart with two linear axes.
pub(super) type Chart<'a, 'c> = ChartContext<'a, Canvas<'c>, Cartesian2d<Axis, Axis>>;

/// Most panels of a picture.
const MOST_PANELS: usize = 16;
/// Lines that a subtitle may take.
const SUBTITLE_LINES: usize = 2;
/// Height of the row of a title.
const TITLE_ROW: i32 = 50;
/// Height of a row of a subtitle, a legend or a panel's title.
pub(super) const TEXT_ROW: i32 = 38;
/// Length of a tick mark; labels begin at twice that.
const TICK: i32 = 6;
/// Space between panels.
const PANEL_GAP: i32 = 40;
/// Space between the signs of a legend and their texts, and between two entries.
const LEGEND_SIGN: f32 = 42.0;
const LEGEND_GAP: f32 = 34.0;

/// Room that a legend must leave for a title beside it: for some fifteen letters.
const LEAST_TITLE: f32 = 280.0;

/// The sign of a legend's entry.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    /// A point.
    Dot,
    /// A bar.
    Bar,
    /// A line.
    Line,
}

/// An entry of a legend.
pub(super) struct Entry<'a> {
    pub(super) sign: Sign,
    pub(super) color: Rgb,
    pub(super) text: &'a str,
}

/// The place where data are drawn, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plot {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A page: a pixmap with a heading; `top` is where the content below it starts.
pub(super) struct Page {
    pixmap: Pixmap,
    top: i32,
}

impl Page {
    /// A white page with a heading and a legend, for content of a size in pixels.
    ///
    /// The legend stands at the right of the title, which is shortened where it needs more room, or below it in narrow pages. The
    /// size depends on content, legend and number of lines alone, not on what is written.
    pub(super) fn new(content: (i32, i32), heading: Heading<'_>, legend: &[Entry<'_>]) -> Result<Self> {
        let (width, height) = content;
        let room = width as f32;
        let titled = font::width(heading.title, TITLE, Weight::SemiBold);
        let taken = if legend_width(legend) > 0.0 { LEGEND_GAP + legend_width(legend) } else { 0.0 };
        let beside = taken > 0.0 && room - taken >= LEAST_TITLE;
        let below = legend_width(legend) > 0.0 && !beside;
        let subtitle = font::wrap(heading.subtitle, TEXT, Weight::Regular, room, SUBTITLE_LINES);
        let title_rows = i32::from(titled > 0.0 || beside);
        let text_rows = subtitle.len() as i32 + i32::from(below);
        let rows = title_rows * TITLE_ROW + text_rows * TEXT_ROW;
        let top = MARGIN + if rows > 0 { rows + 22 } else { 0 };

        let mut page = Self { pixmap: blank(width + 2 * MARGIN, top + height + MARGIN)?, top };
        let mut canvas = page.canvas();
        let left = MARGIN as f32;
        let title_room = if beside { room - taken } else { room };
        let title = font::ellipsize(heading.title, TITLE, Weight::SemiBold, title_room);
        let mut y = left + TITLE * CAP_HEIGHT / 2.0;
        canvas.text(&title, title_face(), (left, y), (HPos::Left, VPos::Center), FontTransform::None);
        if beside {
            draw_legend(&mut canvas, legend, left + room - legend_width(legend), y);
        }
        y = (MARGIN + title_rows * TITLE_ROW) as f32 + TEXT * CAP_HEIGHT / 2.0;
        for line in &subtitle {
            canvas.text(line, text_face(MUTED), (left, y), (HPos::Left, VPos::Center), FontTransform::None);
            y += TEXT_ROW as f32;
        }
        if below {
            draw_legend(&mut canvas, legend, left, y);
        }
        Ok(page)
    }

    /// Where the content starts, from the top of the page.
    pub(super) fn top(&self) -> i32 {
        self.top
    }

    /// Draws a legend above a plot, at the right.
    pub(super) fn legend(&mut self, plot: &Plot, legend: &[Entry<'_>]) {
        let right = (plot.left + plot.width) as f32;
        draw_legend(&mut self.canvas(), legend, right - legend_width(legend), plot.label_middle());
    }

    /// Writes a remark into the middle of a page whose content is missing.
    pub(super) fn remark(&mut self, text: &str) {
        let (width, height) = (self.pixmap.width() as f32, self.pixmap.height() as f32);
        let middle = (width / 2.0, (self.top as f32 + height - MARGIN as f32) / 2.0);
        self.canvas().text(text, text_face(MUTED), middle, (HPos::Center, VPos::Center), FontTransform::None);
    }

    /// The page as a canvas.
    pub(super) fn canvas(&mut self) -> Canvas<'_> {
        Canvas::new(&mut self.pixmap)
    }

    /// The page for plotters.
    pub(super) fn area(&mut self) -> Area<'_> {
        self.canvas().into_drawing_area()
    }

    /// The finished picture.
    pub(super) fn finish(self) -> Picture {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let (opaque, _) = self.pixmap.data().as_chunks::<4>();
        let mut pixels = vec![0; 3 * opaque.len()];
        for (pixel, &[red, green, blue, _]) in pixels.as_chunks_mut().0.iter_mut().zip(opaque) {
            *pixel = [red, green, blue];
        }
        Picture { width, height, pixels }
    }
}

/// A white pixmap.
fn blank(width: i32, height: i32) -> Result<Pixmap> {
    let failed = || Error::OutOfMemory { bytes: width.max(0) as u64 * height.max(0) as u64 * 4 };
    let mut pixmap = Pixmap::new(width.max(0) as u32, height.max(0) as u32).ok_or_else(failed)?;
    pixmap.fill(tiny_skia::Color::from_rgba8(WHITE.0, WHITE.1, WHITE.2, 255));
    Ok(pixmap)
}

/// The face of a title.
fn title_face() -> Face {
    Face { size: TITLE, weight: Weight::SemiBold, color: style::color(INK, 1.0) }
}

/// The face of running text.
fn text_face(color: Rgb) -> Face {
    Face { size: TEXT, weight: Weight::Regular, color: style::color(color, 1.0) }
}

/// Width of a legend in pixels.
fn legend_width(legend: &[Entry<'_>]) -> f32 {
    let entries = legend.iter().map(|e| LEGEND_SIGN + font::width(e.text, TEXT, Weight::Regular) + LEGEND_GAP);
    (entries.sum::<f32>() - LEGEND_GAP).max(0.0)
}

/// Draws a legend in one row; `y` is the middle of its letters.
fn draw_legend(canvas: &mut Canvas<'_>, legend: &[Entry<'_>], mut x: f32, y: f32) {
    for entry in legend {
        let color = style::color(entry.color, 1.0);
        match entry.sign {
            Sign::Dot => canvas.dot(x + 24.0, y, 8.0, color),
            Sign::Bar => canvas.rectangle(x + 8.0, y - 10.0, 24.0, 20.0, style::color(entry.color, 0.6)),
            Sign::Line => canvas.rectangle(x, y.round() - 3.0, 32.0, 5.0, color),
        }
        canvas.text(entry.text, text_face(INK), (x + LEGEND_SIGN, y), (HPos::Left, VPos::Center), FontTransform::None);
        x += LEGEND_SIGN + font::width(entry.text, TEXT, Weight::Regular) + LEGEND_GAP;
    }
}

/// Panels of equal size in rows: the size of the whole, and each panel's plot relative to it.
pub(super) struct Panels {
    pub(super) size: (i32, i32),
    pub(super) plots: Vec<Plot>,
}

impl Panels {
    /// Lays out `count` panels: up to three in one row, more in a square. `left` is the room that the labels of the vertical
    /// axis need, `plot` the size of a plot by the number of columns. Fails for no panel and for more than 16.
    pub(super) fn new(count: usize, left: i32, bottom: i32, plot: impl Fn(usize) -> (i32, i32)) -> Result<Self> {
        if count == 0 || count > MOST_PANELS {
            return Err(Error::shape("panels of a picture", format!("1 to {MOST_PANELS}"), count.to_string()));
        }
        let columns = Self::columns(count);
        let (width, height) = plot(columns);
        let (across, down) = (left + width + PANEL_GAP, TEXT_ROW + height + bottom + PANEL_GAP);
        let plots = (0..count)
            .map(|i| Plot {
                left: MARGIN + (i % columns) as i32 * across + left,
                top: (i / columns) as i32 * down + TEXT_ROW,
                width,
                height,
            })
            .collect();
        let rows = count.div_ceil(columns);
        Ok(Self { size: (columns as i32 * across - PANEL_GAP, rows as i32 * down - PANEL_GAP), plots })
    }

    /// Columns for a number of panels.
    pub(super) fn columns(count: usize) -> usize {
        if count <= 3 { count } else { (count as f64).sqrt().ceil() as usize }
    }
}

impl Plot {
    /// The plot moved down, from the content's top to the page's.
    pub(super) fn below(self, top: i32) -> Self {
        Self { top: self.top + top, ..self }
    }

    /// The middle of the letters of what is written above the plot.
    fn label_middle(&self) -> f32 {
        self.top as f32 - 18.0 - TEXT * CAP_HEIGHT / 2.0
    }

    /// Writes a panel's title above the plot, at the left, and a note at the right.
    pub(super) fn label(&self, area: &Area<'_>, title: &str, note: &str) -> Result<()> {
        let y = (self.label_middle() * UNIT as f32) as i32;
        let noted = if note.is_empty() { 0.0 } else { font::width(note, LABEL, Weight::Regular) + 24.0 };
        let title = font::ellipsize(title, TEXT, Weight::SemiBold, self.width as f32 - noted);
        let style = text_style(TEXT, INK, FontStyle::Bold).pos(anchor(HPos::Left));
        area.draw_text(&title, &style, (units(self.left), y)).map_err(failed)?;
        let style = text_style(LABEL, MUTED, FontStyle::Normal).pos(anchor(HPos::Right));
        area.draw_text(note, &style, (units(self.left + self.width), y)).map_err(failed)
    }

    /// Writes a remark into the middle of an empty plot.
    pub(super) fn remark(&self, area: &Area<'_>, text: &str) -> Result<()> {
        let style = text_style(TEXT, MUTED, FontStyle::Normal).pos(anchor(HPos::Center));
        area.draw_text(text, &style, (units(self.left + self.width / 2), units(self.top + self.height / 2)))
            .map_err(failed)
    }

    /// Draws axes, grid, tick labels and the names of the axes around the plot; data are then drawn into the chart.
    pub(super) fn chart<'a, 'c>(
        &self,
        page: &'a Area<'c>,
        (x, y): (Axis, Axis),
        (x_name, y_name): (&str, &str),
    ) -> Result<Chart<'a, 'c>> {
        let (left, bottom) = (left_room(&y, y_name), bottom_room(x_name));
        let mut builder = ChartBuilder::on(page);
        let (page_width, page_height) = page.dim_in_pixel();
        builder
            .margin_left(units(self.left - left))
            .margin_top(units(self.top))
            .margin_right(page_width as i32 - units(self.left + self.width))
            .margin_bottom(page_height as i32 - units(self.top + self.height + bottom))
            .set_label_area_size(LabelAreaPosition::Left, units(left))
            .set_label_area_size(LabelAreaPosition::Bottom, units(bottom));
        let mut chart = builder.build_cartesian_2d(x, y).map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.max_light_lines(0)
            .light_line_style(TRANSPARENT)
            .bold_line_style(line(GRID, 1.0, HAIRLINE))
            .axis_style(line(AXIS, 1.0, HAIRLINE))
            .set_all_tick_mark_size(units(TICK))
            .label_style(text_style(LABEL, MUTED, FontStyle::Normal))
            .axis_desc_style(text_style(LABEL, MUTED, FontStyle::Normal));
        if !x_name.is_empty() {
            mesh.x_desc(x_name);
        }
        if !y_name.is_empty() {
            mesh.y_desc(y_name);
        }
        mesh.draw().map_err(failed)?;
        Ok(chart)
    }
}

/// Room for labels and name of the vertical axis, left of the plot.
pub(super) fn left_room(y: &Axis, name: &str) -> i32 {
    let widest = y.ticks().iter().map(|&t| font::width(&y.label(t), LABEL, Weight::Regular)).fold(0.0, f32::max);
    widest.ceil() as i32 + 2 * TICK + if name.is_empty() { 0 } else { 44 }
}

/// Room for labels and name of the horizontal axis, below the plot.
pub(super) fn bottom_room(name: &str) -> i32 {
    2 * TICK + (LABEL * (CAP_HEIGHT + DESCENT)).ceil() as i32 + if name.is_empty() { 0 } else { 36 }
}

/// The axis with the most ticks, of those that `make` gives for a number of ticks, whose labels fit a length in pixels.
pub(super) fn horizontal(length: i32, make: impl Fn(usize) -> Axis) -> Axis {
    let most = (length / 90).clamp(1, 12) as usize;
    let fits = |axis: &Axis| {
        let ticks = axis.ticks();
        let widest = ticks.iter().map(|&t| font::width(&axis.label(t), LABEL, Weight::Regular)).fold(0.0, f32::max);
        let spacing =
            length as f64 / (axis.high() - axis.low()) * ticks.windows(2).map(|t| t[1] - t[0]).fold(f64::MAX, f64::min);
        ticks.len() < 2 || f64::from(widest) + 30.0 <= spacing
    };
    (1..=most).rev().map(&make).find(fits).unwrap_or_else(|| make(1))
}

/// The style of a line of a width in pixels.
pub(super) fn line(rgb: Rgb, alpha: f64, width: i32) -> ShapeStyle {
    ShapeStyle { color: RGBColor(rgb.0, rgb.1, rgb.2).mix(alpha), filled: false, stroke_width: units(width) as u32 }
}

/// The style of a filled shape.
pub(super) fn filled(rgb: Rgb, alpha: f64) -> ShapeStyle {
    ShapeStyle { filled: true, ..line(rgb, alpha, 0) }
}

/// The style of a text of a size in pixels.
pub(super) fn text_style(size: f32, rgb: Rgb, slant: FontStyle) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::Name("Inter"), f64::from(size) * f64::from(UNIT), slant);
    TextStyle { color: style::color(rgb, 1.0), ..TextStyle::from(font) }
}

/// An anchor at half the height of the capitals.
pub(super) fn anchor(horizontal: HPos) -> plotters::style::text_anchor::Pos {
    plotters::style::text_anchor::Pos::new(horizontal, VPos::Center)
}

/// An error of plotters as one of ours. Drawing into memory cannot fail, so that it says something about this program.
pub(super) fn failed(error: DrawingAreaErrorKind<std::convert::Infallible>) -> Error {
    Error::data("picture", error.to_string())
}
