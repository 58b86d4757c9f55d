//! Histograms of real and generated values over one another, with the true density.

use gannet::Result;
use gannet::internals::numbers::thousands;
use plotters::element::{PathElement, Polygon};

use super::axis::Axis;
use super::frame::{self, Area, Entry, Page, Panels, Plot, Sign};
use super::picture::{Heading, Picture};
use super::sampled;
use super::style::{GENERATED, INK, REAL};
use crate::numbers::tick_label;

/// One panel of [`histogram`].
#[derive(Clone, Copy, Debug)]
pub struct HistogramPanel<'a> {
    /// What the panel shows, for instance `before training`.
    pub title: &'a str,
    /// Real values. Any number, even none.
    pub real: &'a [f32],
    /// Generated values, likewise.
    pub generated: &'a [f32],
}

/// Points that a density curve is drawn through.
const CURVE_POINTS: usize = 600;

/// Space beside the real values, as a share of their extent.
const MARGIN: f64 = 0.04;

/// The vertical axis ends at this multiple of the highest real bar, or of the density; a peak of the generated values above it is
/// cut off. The axis does not depend on them, so that pictures of one run can be compared, and follow each other in an animation.
const HEADROOM: f64 = 1.5;

/// Draws 1-D values: in each panel the histograms of the real and of the generated ones, as densities, and the true density
/// (a probability density: its integral is 1) where one is given.
///
/// All panels have the same axes, which depend on the real values and the density alone (on the generated ones where there are
/// neither); a panel says how many generated values lie outside, and how high a peak is that does not fit.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) if there is no panel or more than 16.
pub fn histogram(
    heading: Heading<'_>,
    panels: &[HistogramPanel<'_>],
    density: Option<&dyn Fn(f64) -> f64>,
) -> Result<Picture> {
    let size = |columns| match columns {
        1 => (1300, 620),
        2 => (780, 560),
        3 => (560, 440),
        _ => (460, 340),
    };
    let (low, high) = range(panels);
    let (width, height) = size(Panels::columns(panels.len()));
    let x = frame::horizontal(width, |ticks| Axis::new(low, high, ticks));
    let bins = bins(panels);
    let drawn: Vec<_> =
        panels.iter().map(|p| (Bars::new(p.real, &x, bins), Bars::new(p.generated, &x, bins))).collect();
    let curve: Vec<(f64, f64)> = density.map_or_else(Vec::new, |density| {
        let at = |i: usize| x.low() + (x.high() - x.low()) * i as f64 / (CURVE_POINTS - 1) as f64;
        (0..CURVE_POINTS).map(|i| (at(i), density(at(i)))).collect()
    });
    let y = Axis::new(0.0, top(&drawn, &curve), (height / 90) as usize);

    let layout = Panels::new(panels.len(), frame::left_room(&y, "density"), frame::bottom_room(""), size)?;
    let mut legend = vec![
        Entry { sign: Sign::Bar, color: REAL, text: "real" },
        Entry { sign: Sign::Bar, color: GENERATED, text: "generated" },
    ];
    if density.is_some() {
        legend.push(Entry { sign: Sign::Line, color: INK, text: "true density" });
    }
    let mut page = Page::new(layout.size, heading, &legend)?;
    let down = page.top();
    let area = page.area();
    for ((panel, (real, generated)), plot) in panels.iter().zip(&drawn).zip(&layout.plots) {
        draw(&area, plot.below(down), panel.title, (x, y), (real, generated), &curve)?;
    }
    drop(area);
    Ok(page.finish())
}

/// Draws one panel.
fn draw(
    area: &Area<'_>,
    plot: Plot,
    title: &str,
    (x, y): (Axis, Axis),
    (real, generated): (&Bars, &Bars),
    curve: &[(f64, f64)],
) -> Result<()> {
    let mut chart = plot.chart(area, (x, y), ("", "density"))?;
    for (bars, color) in [(real, REAL), (generated, GENERATED)] {
        for outline in bars.outlines(&x) {
            let lines = below(&outline, y.high());
            chart.draw_series([Polygon::new(outline, frame::filled(color, 0.32))]).map_err(frame::failed)?;
            let lines = lines.into_iter().map(|line| PathElement::new(line, frame::line(color, 0.9, 3)));
            chart.draw_series(lines).map_err(frame::failed)?;
        }
    }
    let stretches = curve.split(|point| !point.1.is_finite()).filter(|stretch| stretch.len() > 1);
    let lines = stretches.map(|stretch| PathElement::new(stretch.to_vec(), frame::line(INK, 1.0, 4)));
    chart.draw_series(lines).map_err(frame::failed)?;
    plot.label(area, title, &generated.note(&y))?;
    if real.shown + generated.shown == 0 && curve.is_empty() {
        plot.remark(area, "no values")?;
    }
    Ok(())
}

/// The parts of a line that are not entirely above `high`: a peak that is cut off stays open.
fn below(line: &[(f64, f64)], high: f64) -> Vec<Vec<(f64, f64)>> {
    let parts = line.chunk_by(|a, b| !(a.1 > high && b.1 > high));
    parts.filter(|part| part.len() > 1).map(<[_]>::to_vec).collect()
}

/// The range of the horizontal axis.
fn range(panels: &[HistogramPanel<'_>]) -> (f64, f64) {
    let union = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
    let of = |values: &[f32]| sampled::range(values.iter().map(|&v| f64::from(v)), MARGIN);
    let reals = panels.iter().filter_map(|p| of(p.real)).reduce(union);
    reals.or_else(|| panels.iter().filter_map(|p| of(p.generated)).reduce(union)).unwrap_or((-1.0, 1.0))
}

/// The number of bins: twice the cube root of the number of values (Rice's rule), within what is readable.
fn bins(panels: &[HistogramPanel<'_>]) -> usize {
    let most = panels.iter().map(|p| p.real.len().max(p.generated.len())).max().unwrap_or(0);
    ((2.0 * (most as f64).cbrt()).round() as usize).clamp(16, 80)
}

/// The upper end of the vertical axis.
fn top(bars: &[(Bars, Bars)], curve: &[(f64, f64)]) -> f64 {
    let curve = curve.iter().map(|p| p.1).filter(|d| d.is_finite()).fold(0.0, f64::max);
    let real = bars.iter().map(|(real, _)| real.peak()).fold(curve, f64::max);
    let generated = bars.iter().map(|(_, generated)| generated.peak()).fold(0.0, f64::max);
    let top = if real > 0.0 { HEADROOM * real } else { 1.06 * generated };
    if top > 0.0 { top } else { 1.0 }
}

/// The bars of a histogram.
struct Bars {
    /// Density in each bin: its share of all finite values, those outside the axis included, over the bin's width.
    heights: Vec<f64>,
    /// All values.
    total: usize,
    /// Values inside the axis.
    shown: usize,
    /// Values that are NaN or infinite.
    broken: usize,
}

impl Bars {
    /// Counts values into bins that divide the axis evenly.
    fn new(values: &[f32], x: &Axis, bins: usize) -> Self {
        let mut counts = vec![0u64; bins];
        let width = (x.high() - x.low()) / bins as f64;
        let (mut shown, mut broken) = (0, 0);
        for value in values.iter().map(|&v| f64::from(v)) {
            if x.contains(value) {
                counts[(((value - x.low()) / width) as usize).min(bins - 1)] += 1;
                shown += 1;
            } else if !value.is_finite() {
                broken += 1;
            }
        }
        let unit = 1.0 / ((values.len() - broken).max(1) as f64 * width);
        Self { heights: counts.iter().map(|&c| c as f64 * unit).collect(), total: values.len(), shown, broken }
    }

    /// The highest bar.
    fn peak(&self) -> f64 {
        self.heights.iter().copied().fold(0.0, f64::max)
    }

    /// The outline of each stretch of bars without a gap, from the axis up, along the bars, and back to the axis.
    fn outlines(&self, x: &Axis) -> Vec<Vec<(f64, f64)>> {
        let edge = |i: usize| x.low() + (x.high() - x.low()) * i as f64 / self.heights.len() as f64;
        let bins: Vec<usize> = (0..self.heights.len()).collect();
        let stretches = bins.chunk_by(|&a, &b| (self.heights[a] > 0.0) == (self.heights[b] > 0.0));
        let outline = |stretch: &[usize]| {
            let tops = stretch.iter().flat_map(|&i| [(edge(i), self.heights[i]), (edge(i + 1), self.heights[i])]);
            let ends =
                stretch.first().zip(stretch.last()).map(|(&first, &last)| [(edge(first), 0.0), (edge(last + 1), 0.0)]);
            let [start, end] = ends?;
            Some(std::iter::once(start).chain(tops).chain(std::iter::once(end)).collect())
        };
        stretches.filter(|stretch| stretch.iter().any(|&i| self.heights[i] > 0.0)).filter_map(outline).collect()
    }

    /// Says what of the values a panel does not show.
    fn note(&self, y: &Axis) -> String {
        let mut parts = Vec::new();
        if self.peak() > y.high() {
            parts.push(format!("generated peak {} cut off", tick_label(self.peak(), y.high() / 10.0)));
        }
        let total = thousands(self.total as u64);
        let far = self.total - self.shown - self.broken;
        if far > 0 {
            parts.push(format!("{} of {total} generated outside", thousands(far as u64)));
        }
        if self.broken > 0 {
            parts.push(format!("{} of {total} generated not finite", thousands(self.broken as u64)));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_densities_over_all_finite_values() {
        let x = Axis::new(0.0, 4.0, 4);
        let values = [0.0, 0.5, 3.5, 4.0, 9.0, -9.0, f32::NAN, f32::INFINITY];
        let bars = Bars::new(&values, &x, 2);
        assert_eq!(bars.heights, [2.0 / 6.0 / 2.0; 2]);
        assert_eq!((bars.total, bars.shown, bars.broken), (8, 4, 2));
        assert_eq!(bars.note(&Axis::new(0.0, 1.0, 4)), "2 of 8 generated outside, 2 of 8 generated not finite");
        assert_eq!(
            bars.note(&Axis::new(0.0, 0.1, 4)),
            "generated peak 0.17 cut off, 2 of 8 generated outside, 2 of 8 generated not finite"
        );
    }

    #[test]
    fn outlines_leave_out_gaps_and_what_is_cut_off() {
        let x = Axis::new(0.0, 4.0, 4);
        let bars = Bars::new(&[0.5, 2.5, 3.5, 3.6], &x, 4);
        let outlines = bars.outlines(&x);
        assert_eq!(outlines[0], [(0.0, 0.0), (0.0, 0.25), (1.0, 0.25), (1.0, 0.0)]);
        assert_eq!(outlines[1], [(2.0, 0.0), (2.0, 0.25), (3.0, 0.25), (3.0, 0.5), (4.0, 0.5), (4.0, 0.0)]);
        assert_eq!(below(&outlines[1], 0.4), [outlines[1][..4].to_vec(), outlines[1][4..].to_vec()]);
        assert!(Bars::new(&[], &x, 4).outlines(&x).is_empty());
    }
}
