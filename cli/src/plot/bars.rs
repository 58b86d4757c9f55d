//! Bars of real and generated values, one panel a column of a table.

use gannet::{Error, Result};
use plotters::element::{PathElement, Rectangle};
use plotters_backend::FontStyle;
use plotters_backend::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::units;
use super::font::{self, CAP_HEIGHT, Weight};
use super::frame::{self, Area, Entry, Page, Panels, Plot, Sign};
use super::picture::{Heading, Picture};
use super::style::{GENERATED, LABEL, MUTED, REAL};

/// What the bars of a panel stand for.
#[derive(Clone, Copy, Debug)]
pub enum Bins<'a> {
    /// Equal parts of the range from the first to the second number.
    Range(f64, f64),
    /// Categories of these names.
    Names(&'a [String]),
}

/// One panel of [`bars`].
#[derive(Clone, Copy, Debug)]
pub struct BarPanel<'a> {
    /// What it shows: the name of a column.
    pub title: &'a str,
    /// What is to be said of it; may be empty.
    pub note: &'a str,
    /// What the bars stand for.
    pub bins: Bins<'a>,
    /// The share of the real values in each bar, 0 to 1.
    pub real: &'a [f64],
    /// The share of the generated values, likewise.
    pub generated: &'a [f64],
}

/// Panels of a picture at most.
pub const MOST_PANELS: usize = 16;
/// Size of a panel by the number of columns of panels.
const SIZES: [(i32, i32); 4] = [(1100, 560), (780, 480), (560, 380), (430, 280)];
/// Space above the highest bar, as a multiple of it.
const HEADROOM: f64 = 1.15;

/// Draws bars: in each panel the shares of the real and of the generated values, of a range as a filled outline and a line upon it, of
/// categories side by side. Each panel has axes of its own, which depend on the real values; a bar of generated ones that is higher ends
/// at the edge.
///
/// # Errors
///
/// [`Error::Shape`] if there is no panel or more than [`MOST_PANELS`], or one has bars without partners.
pub fn bars(heading: Heading<'_>, panels: &[BarPanel<'_>]) -> Result<Picture> {
    let size = |columns: usize| SIZES[columns.clamp(1, SIZES.len()) - 1];
    let axes: Vec<Axis> = panels.iter().map(|panel| height(panel)).collect();
    let left = axes.iter().map(|axis| frame::left_room(axis, "")).max().unwrap_or(0);
    let layout = Panels::new(panels.len(), left, frame::bottom_room(""), size)?;
    let legend = [
        Entry { sign: Sign::Bar, color: REAL, text: "real" },
        Entry { sign: Sign::Bar, color: GENERATED, text: "generated" },
    ];
    let mut page = Page::new(layout.size, heading, &legend)?;
    let top = page.top();
    let area = page.area();
    for ((panel, axis), plot) in panels.iter().zip(axes).zip(&layout.plots) {
        if panel.real.len() != panel.generated.len() {
            return Err(Error::shape("bars", panel.real.len().to_string(), panel.generated.len().to_string()));
        }
        draw(&area, plot.below(top), panel, axis)?;
    }
    drop(area);
    Ok(page.finish())
}

/// The vertical axis of a panel.
fn height(panel: &BarPanel<'_>) -> Axis {
    let highest = |shares: &[f64]| shares.iter().copied().filter(|share| share.is_finite()).fold(0.0, f64::max);
    let top = match highest(panel.real) {
        real if real > 0.0 => HEADROOM * real,
        _ => HEADROOM * highest(panel.generated),
    };
    Axis::new(0.0, if top > 0.0 { top } else { 1.0 }, 4)
}

/// Draws one panel.
fn draw(area: &Area<'_>, plot: Plot, panel: &BarPanel<'_>, y: Axis) -> Result<()> {
    let count = panel.real.len();
    match panel.bins {
        Bins::Range(low, high) => {
            let x = frame::horizontal(plot.width, |ticks| Axis::new(low, high, ticks));
            let mut chart = plot.chart(area, (x, y), ("", ""))?;
            let edge = |index: usize| low + (high - low) * index as f64 / count.max(1) as f64;
            let real = panel.real.iter().enumerate().map(|(index, share)| {
                Rectangle::new([(edge(index), 0.0), (edge(index + 1), share.min(y.high()))], frame::filled(REAL, 0.4))
            });
            chart.draw_series(real).map_err(frame::failed)?;
            let tops = panel.generated.iter().enumerate().flat_map(|(index, share)| {
                let share = share.min(y.high());
                [(edge(index), share), (edge(index + 1), share)]
            });
            let line: Vec<(f64, f64)> = tops.collect();
            if !line.is_empty() {
                chart.draw_series([PathElement::new(line, frame::line(GENERATED, 0.95, 4))]).map_err(frame::failed)?;
            }
        }
        Bins::Names(names) => {
            let x = Axis::rows(count.max(1));
            let mut chart = plot.chart(area, (x, y), ("", ""))?;
            for (shares, color, [from, to]) in
                [(panel.real, REAL, [-0.4, 0.0]), (panel.generated, GENERATED, [0.0, 0.4])]
            {
                let rectangles = shares.iter().enumerate().map(|(index, share)| {
                    let at = (index + 1) as f64;
                    Rectangle::new([(at + from, 0.0), (at + to, share.min(y.high()))], frame::filled(color, 0.6))
                });
                chart.draw_series(rectangles).map_err(frame::failed)?;
            }
            write(area, plot, names, count)?;
        }
    }
    plot.label(area, panel.title, panel.note)
}

/// Writes names below the bars, as much of each as there is room for; none where there is hardly any.
fn write(area: &Area<'_>, plot: Plot, names: &[String], count: usize) -> Result<()> {
    /// Least room for a name.
    const LEAST: f32 = 36.0;
    let room = plot.width as f32 / count.max(1) as f32;
    if room < LEAST {
        return Ok(());
    }
    let style = frame::text_style(LABEL, MUTED, FontStyle::Normal).pos(frame::anchor(HPos::Center));
    let y = units(plot.top + plot.height) + units((14.0 + LABEL * CAP_HEIGHT / 2.0) as i32);
    for (index, name) in names.iter().take(count).enumerate() {
        let name = font::ellipsize(name, LABEL, Weight::Regular, room - 10.0);
        let x = units(plot.left + ((index as f32 + 0.5) * room) as i32);
        area.draw_text(&name, &style, (x, y)).map_err(frame::failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bars_are_drawn() {
        let names = ["a", "a very long name of a category that does not fit", ""].map(str::to_string);
        let (some, none, odd) = ([0.2, 0.5, 0.3], [0.0; 3], [f64::NAN, 2.0, 0.1]);
        for bins in [Bins::Range(0.0, 3.0), Bins::Range(f64::NAN, f64::INFINITY), Bins::Names(&names)] {
            for (real, generated) in [(&some, &some), (&none, &none), (&odd, &some), (&some, &odd)] {
                let panel = BarPanel { title: "column", note: "", bins, real, generated };
                bars(Heading::default(), &[panel; 5]).unwrap();
            }
        }
        let empty = BarPanel { title: "", note: "", bins: Bins::Names(&[]), real: &[], generated: &[] };
        bars(Heading::default(), &[empty]).unwrap();
        let uneven = BarPanel { real: &some, ..empty };
        for panels in [&[][..], &[empty; 17], &[uneven]] {
            assert!(matches!(bars(Heading::default(), panels), Err(Error::Shape { .. })));
        }
    }
}
