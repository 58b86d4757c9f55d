//! Values of several runs as dots in rows, each over the half in the middle and the median.

use gannet::Result;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters_backend::FontStyle;
use plotters_backend::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{UNIT, units};
use super::font::{self, Weight};
use super::frame::{self, Entry, Page, Plot, Sign, TEXT_ROW};
use super::picture::{Heading, Picture};
use super::style::{GENERATED, INK, LABEL, MARGIN, REAL};

/// A row of dots.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    /// What it shows; may be empty.
    pub label: &'a str,
    /// The values. Those that are not finite are left out.
    pub values: &'a [f64],
    /// First quartile, median and third quartile. What is not finite is left out.
    pub quartiles: [f64; 3],
    /// What is to be said of it, at the right; may be empty.
    pub note: &'a str,
}

/// A chart of rows over one axis.
#[derive(Clone, Copy, Debug)]
pub struct StripPanel<'a> {
    /// What the values are.
    pub title: &'a str,
    /// The rows, from the top.
    pub strips: &'a [Strip<'a>],
}

/// Size of a chart: its width, and the height of a row.
const WIDTH: i32 = 1100;
const ROW: i32 = 46;
/// Most that labels and notes take, and the space beside them.
const MOST_LABEL: f32 = 560.0;
const MOST_NOTE: f32 = 220.0;
const LABEL_GAP: i32 = 16;
/// Space between charts.
const GAP: i32 = 26;
/// Rows of a picture at most, which keeps it small enough for any program.
const MOST_ROWS: usize = 200;
/// Greatest over least value from which powers of ten say more than a linear axis.
const WIDE_RANGE: f64 = 200.0;

/// Draws charts below one another, each with its own axis: a dot for each value, a bar for the half in the middle, and a line for the
/// median. Positive values of many sizes are shown by their powers of ten. Of more than 200 rows the first are drawn.
///
/// # Errors
///
/// Memory that the system refuses.
pub fn strips(heading: Heading<'_>, panels: &[StripPanel<'_>]) -> Result<Picture> {
    let mut room = MOST_ROWS;
    let panels: Vec<StripPanel<'_>> = panels
        .iter()
        .map(|panel| {
            let strips = &panel.strips[..panel.strips.len().min(room)];
            room -= strips.len();
            StripPanel { strips, ..*panel }
        })
        .filter(|panel| !panel.strips.is_empty())
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>, most: f32| {
        let widest = texts.map(|text| font::width(text, LABEL, Weight::Regular)).fold(0.0, f32::max).min(most);
        if widest > 0.0 { widest.ceil() as i32 + LABEL_GAP } else { 0 }
    };
    let all = || panels.iter().flat_map(|panel| panel.strips);
    let left = widest(&mut all().map(|strip| strip.label), MOST_LABEL).max(LABEL_GAP);
    let right = widest(&mut all().map(|strip| strip.note), MOST_NOTE);
    let height = |panel: &StripPanel<'_>| panel.strips.len() as i32 * ROW;
    let below = frame::bottom_room("");
    let heights: i32 = panels.iter().map(|panel| TEXT_ROW + height(panel) + below + GAP).sum();
    let legend = [
        Entry { sign: Sign::Dot, color: GENERATED, text: "a run" },
        Entry { sign: Sign::Bar, color: REAL, text: "middle half" },
        Entry { sign: Sign::Line, color: REAL, text: "median" },
    ];
    let mut page = Page::new((left + WIDTH + right, (heights - GAP).max(ROW)), heading, &legend)?;
    if panels.is_empty() {
        page.remark("no values");
    }
    let mut top = page.top() + TEXT_ROW;
    let area = page.area();
    for panel in &panels {
        let plot = Plot { left: MARGIN + left, top, width: WIDTH, height: height(panel) };
        draw(&area, plot, panel)?;
        top += height(panel) + below + GAP + TEXT_ROW;
    }
    drop(area);
    Ok(page.finish())
}

/// Draws one chart.
fn draw(area: &frame::Area<'_>, plot: Plot, panel: &StripPanel<'_>) -> Result<()> {
    let (x, place) = horizontal(panel);
    let rows = panel.strips.len();
    let mut chart = plot.chart(area, (x, Axis::rows(rows)), ("", ""))?;
    plot.label(area, panel.title, "")?;
    for (index, strip) in panel.strips.iter().enumerate() {
        let row = (rows - index) as f64;
        let [low, median, high] = strip.quartiles.map(&place);
        if low.is_finite() && high.is_finite() {
            let bar = Rectangle::new([(low, row - 0.3), (high, row + 0.3)], frame::filled(REAL, 0.22));
            chart.draw_series([bar]).map_err(frame::failed)?;
        }
        let values = strip.values.iter().map(|&value| place(value)).filter(|value| value.is_finite());
        let size = (6.0 * f64::from(UNIT)) as u32;
        let dots = values.map(|value| Circle::new((value, row), size, frame::filled(GENERATED, 0.6)));
        chart.draw_series(dots).map_err(frame::failed)?;
        if median.is_finite() {
            let line = PathElement::new(vec![(median, row - 0.36), (median, row + 0.36)], frame::line(REAL, 1.0, 5));
            chart.draw_series([line]).map_err(frame::failed)?;
        }
        let middle = plot.top + (index as i32) * ROW + ROW / 2;
        let style = || frame::text_style(LABEL, INK, FontStyle::Normal);
        let label = font::ellipsize(strip.label, LABEL, Weight::Regular, MOST_LABEL);
        let at = (units(plot.left - LABEL_GAP), units(middle));
        area.draw_text(&label, &style().pos(frame::anchor(HPos::Right)), at).map_err(frame::failed)?;
        let note = font::ellipsize(strip.note, LABEL, Weight::Regular, MOST_NOTE);
        let at = (units(plot.left + plot.width + LABEL_GAP), units(middle));
        area.draw_text(&note, &style().pos(frame::anchor(HPos::Left)), at).map_err(frame::failed)?;
    }
    Ok(())
}

/// The axis of the values, and where on it a value lies.
fn horizontal(panel: &StripPanel<'_>) -> (Axis, fn(f64) -> f64) {
    let all = || panel.strips.iter().flat_map(|strip| strip.values.iter().chain(&strip.quartiles)).copied();
    let finite = || all().filter(|value| value.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > 0.0 && high / low > WIDE_RANGE {
        return (Axis::powers(low.log10().floor(), high.log10().ceil()), f64::log10);
    }
    if !(low <= high) {
        return (Axis::new(0.0, 1.0, 1), |value| value);
    }
    let room = 0.03 * (high - low);
    (frame::horizontal(WIDTH, |ticks| Axis::new(low - room, high + room, ticks)), |value| value)
}
