//! Scatter plots of real and generated points over one another.

use std::collections::BTreeMap;

use gannet::Result;
use gannet::internals::numbers::thousands;
use plotters::element::Circle;

use super::axis::Axis;
use super::canvas::UNIT;
use super::frame::{self, Entry, Page, Panels, Sign};
use super::picture::{Heading, Picture};
use super::sampled;
use super::style::{GENERATED, REAL, WHITE};

/// Points of a kind that are drawn in a panel at most: more only make one blot.
const MOST_POINTS: usize = 5000;

/// A place that holds this share of the generated points, and this many times the share of the real ones, is marked: one dot upon
/// another looks like one. It is this large, in pixels.
const HEAP: f64 = 0.2;
const HEAP_TO_REAL: f64 = 8.0;
const HEAP_SIDE: f64 = 14.0;

/// Points outside are rings at the edge, this much of half the width within it.
const INSET: f64 = 0.015;

/// Space around the real points, as a share of their extent.
const MARGIN: f64 = 0.12;

/// One panel of [`scatter`].
#[derive(Clone, Copy, Debug)]
pub struct ScatterPanel<'a> {
    /// What the panel shows, for instance `before training`.
    pub title: &'a str,
    /// Real points, `[x, y]`. Any number, even none; of very many a fixed choice is drawn.
    pub real: &'a [[f32; 2]],
    /// Generated points, likewise.
    pub generated: &'a [[f32; 2]],
}

/// Draws 2-D points: in each panel the real ones and the generated ones, alternating, so that neither kind hides the other. Where
/// many generated points lie upon each other, a large dot stands for them.
///
/// All panels have the same axes, with the same scale in both directions, chosen to show the real points (the generated ones
/// where no real ones are). Generated points outside are rings at the edge, in the direction from the middle in which they lie, the
/// larger the more there are; a panel says how many.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) if there is no panel or more than 16.
pub fn scatter(heading: Heading<'_>, panels: &[ScatterPanel<'_>]) -> Result<Picture> {
    let (x_range, y_range) = ranges(panels);
    let side = |columns| match columns {
        1 => 860,
        2 => 720,
        3 => 560,
        _ => 460,
    };
    let length = side(Panels::columns(panels.len()));
    let x = frame::horizontal(length, |ticks| Axis::new(x_range.0, x_range.1, ticks));
    let y = Axis::new(y_range.0, y_range.1, (length / 90) as usize);
    let layout = Panels::new(panels.len(), frame::left_room(&y, ""), frame::bottom_room(""), |columns| {
        (side(columns), side(columns))
    })?;
    let legend = [
        Entry { sign: Sign::Dot, color: REAL, text: "real" },
        Entry { sign: Sign::Dot, color: GENERATED, text: "generated" },
    ];
    let mut page = Page::new(layout.size, heading, &legend)?;
    let top = page.top();
    let area = page.area();
    for (panel, plot) in panels.iter().zip(&layout.plots) {
        let plot = plot.below(top);
        let mut chart = plot.chart(&area, (x, y), ("", ""))?;
        chart.draw_series(dots(panel, &x, &y)).map_err(frame::failed)?;
        chart.draw_series(heaps(panel, &x, &y, length)).map_err(frame::failed)?;
        chart.draw_series(rings(panel, &x, &y, length)).map_err(frame::failed)?;
        plot.label(&area, panel.title, &outside(panel.generated, &x, &y))?;
        if panel.real.is_empty() && panel.generated.is_empty() {
            plot.remark(&area, "no points")?;
        }
    }
    drop(area);
    Ok(page.finish())
}

/// The points of a panel that lie on the axes, in the order in which they are drawn.
fn dots(panel: &ScatterPanel<'_>, x: &Axis, y: &Axis) -> impl Iterator<Item = Circle<(f64, f64), u32>> {
    let mut places = Vec::new();
    for (points, color) in [(panel.real, REAL), (panel.generated, GENERATED)] {
        let shown = points.len().min(MOST_POINTS);
        // The more points, the smaller and the paler.
        let (radius, alpha) = match shown {
            0..=300 => (6.0, 0.8),
            301..=1500 => (5.0, 0.65),
            1501..=3000 => (4.5, 0.55),
            _ => (4.0, 0.5),
        };
        let size = (radius * f64::from(UNIT)) as u32;
        for (i, position) in sampled::positions(points.len(), MOST_POINTS).enumerate() {
            let [px, py] = points[position].map(f64::from);
            if x.contains(px) && y.contains(py) {
                places
                    .push(((i as f64 + 0.5) / shown as f64, Circle::new((px, py), size, frame::filled(color, alpha))));
            }
        }
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places.into_iter().map(|(_, dot)| dot)
}

/// The places of a panel, `length` pixels wide, in which generated points lie upon each other, each as a dot within a light ring; the
/// more points, the larger.
fn heaps(panel: &ScatterPanel<'_>, x: &Axis, y: &Axis, length: i32) -> Vec<Circle<(f64, f64), u32>> {
    let cells = f64::from(length) / HEAP_SIDE;
    let cell = |[px, py]: [f64; 2]| {
        let place = |value: f64, axis: &Axis| ((value - axis.low()) / (axis.high() - axis.low()) * cells) as u32;
        (place(px, x), place(py, y))
    };
    let count = |points: &[[f32; 2]]| {
        let mut found: BTreeMap<(u32, u32), (usize, [f64; 2])> = BTreeMap::new();
        for point in points.iter().map(|point| point.map(f64::from)) {
            if x.contains(point[0]) && y.contains(point[1]) {
                let (count, sum) = found.entry(cell(point)).or_default();
                *count += 1;
                *sum = [sum[0] + point[0], sum[1] + point[1]];
            }
        }
        found
    };
    let (generated, real) = (count(panel.generated), count(panel.real));
    let share = |count: usize, points: &[[f32; 2]]| count as f64 / points.len().max(1) as f64;
    let mut dots = Vec::new();
    for (cell, (count, sum)) in generated {
        let (here, real) = (share(count, panel.generated), share(real.get(&cell).map_or(0, |cell| cell.0), panel.real));
        if count > 1 && here >= HEAP && here >= HEAP_TO_REAL * real {
            let radius = (6.0 + 10.0 * here.sqrt()) * f64::from(UNIT);
            let middle = (sum[0] / count as f64, sum[1] / count as f64);
            let ring = radius + 2.5 * f64::from(UNIT);
            dots.push(Circle::new(middle, ring as u32, frame::filled(WHITE, 1.0)));
            dots.push(Circle::new(middle, radius as u32, frame::filled(GENERATED, 1.0)));
        }
    }
    dots
}

/// Whether a point is finite and not on the axes.
fn lies_outside(point: &[f32; 2], x: &Axis, y: &Axis) -> bool {
    let [px, py] = point.map(f64::from);
    px.is_finite() && py.is_finite() && !(x.contains(px) && y.contains(py))
}

/// Rings at the edge of a panel, `length` pixels wide, for the generated points outside.
fn rings(panel: &ScatterPanel<'_>, x: &Axis, y: &Axis, length: i32) -> Vec<Circle<(f64, f64), u32>> {
    let middle = [x, y].map(|axis| f64::midpoint(axis.low(), axis.high()));
    let half = [x, y].map(|axis| (axis.high() - axis.low()) / 2.0);
    let side = 2.0 * HEAP_SIDE / f64::from(length);
    let mut found: BTreeMap<[i64; 2], (usize, [f64; 2])> = BTreeMap::new();
    for point in panel.generated.iter().filter(|point| lies_outside(point, x, y)) {
        let aside = [0, 1].map(|of| (f64::from(point[of]) - middle[of]) / half[of]);
        let most = aside[0].abs().max(aside[1].abs());
        let at = aside.map(|aside| aside / most * (1.0 - INSET));
        let (count, sum) = found.entry(at.map(|at| (at / side).round() as i64)).or_default();
        *count += 1;
        *sum = [sum[0] + at[0], sum[1] + at[1]];
    }
    let ring = |(count, sum): (usize, [f64; 2])| {
        let at = [0, 1].map(|of| middle[of] + half[of] * sum[of] / count as f64);
        let radius = (4.0 + 8.0 * (count as f64 / panel.generated.len() as f64).sqrt()) * f64::from(UNIT);
        let hole = radius - 2.5 * f64::from(UNIT);
        [(radius, GENERATED), (hole, WHITE)]
            .map(|(radius, color)| Circle::new((at[0], at[1]), radius as u32, frame::filled(color, 1.0)))
    };
    found.into_values().flat_map(ring).collect()
}

/// Ranges of both axes, of the same width.
fn ranges(panels: &[ScatterPanel<'_>]) -> ((f64, f64), (f64, f64)) {
    let range = |coordinate: usize| {
        let of = |points: &[[f32; 2]]| sampled::range(points.iter().map(|p| f64::from(p[coordinate])), MARGIN);
        let reals = panels.iter().filter_map(|p| of(p.real)).reduce(union);
        reals.or_else(|| panels.iter().filter_map(|p| of(p.generated)).reduce(union)).unwrap_or((-1.0, 1.0))
    };
    let (x, y) = (range(0), range(1));
    let half = ((x.1 - x.0) / 2.0).max((y.1 - y.0) / 2.0);
    let around = |(low, high): (f64, f64)| {
        let middle = (low + high) / 2.0;
        // All points equal: any width will do, as long as it is that of both axes.
        let half = if half > 0.0 { half } else { 1.0 };
        (middle - half, middle + half)
    };
    (around(x), around(y))
}

/// The smallest range that holds both.
fn union(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Says how many generated points a panel does not show.
fn outside(points: &[[f32; 2]], x: &Axis, y: &Axis) -> String {
    let far = points.iter().filter(|point| lies_outside(point, x, y)).count();
    let broken = points.iter().filter(|p| !p.iter().all(|v| v.is_finite())).count();
    let total = thousands(points.len() as u64);
    match (far, broken) {
        (0, 0) => String::new(),
        (far, 0) if far == points.len() => format!("all {total} generated outside: rings at the edge"),
        (far, 0) => format!("{} of {total} generated outside", thousands(far as u64)),
        (0, broken) => format!("{} of {total} generated not finite", thousands(broken as u64)),
        (far, broken) => {
            format!("of {total} generated: {} outside, {} not finite", thousands(far as u64), thousands(broken as u64))
        }
    }
}
