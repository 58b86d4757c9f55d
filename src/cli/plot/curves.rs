//! The course of a training: losses and probabilities over the steps.

use plotters::element::PathElement;
use plotters_backend::FontStyle;
use plotters_backend::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::units;
use super::frame::{self, Area, Chart, Entry, Page, Plot, Sign};
use super::style::{AXIS, GENERATED, LABEL, MUTED, REAL, Rgb};
use super::{Heading, Picture, sampled};
use crate::{Error, Result};

/// A horizontal line to compare with, such as the value at equilibrium.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Where the line lies.
    pub value: f64,
    /// What it means, for instance `2 ln 2`; may be empty.
    pub label: &'a str,
}

/// What [`losses`] draws. All slices have the length of `steps`; NaN and infinite values leave gaps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Losses<'a> {
    /// The steps at which the values were taken, ascending.
    pub steps: &'a [u64],
    /// Loss of the discriminator.
    pub discriminator: &'a [f64],
    /// Loss of the generator.
    pub generator: &'a [f64],
    /// Mean D(x) over the real samples.
    pub real: &'a [f64],
    /// Mean D(G(z)) over the generated samples.
    pub fake: &'a [f64],
    /// Lines to compare the losses with.
    pub loss_references: &'a [Reference<'a>],
    /// Lines to compare the probabilities with.
    pub probability_references: &'a [Reference<'a>],
}

/// Size of each of the two plots, and the space between them.
const WIDTH: i32 = 1500;
const HEIGHT: i32 = 400;
const GAP: i32 = 66;

/// Points that a curve is drawn through at most, two for each stretch of it: its smallest and its largest value.
const MOST_POINTS: usize = 1500;

/// A curve is smoothed over this share of its length.
const SMOOTHING: f64 = 0.02;

/// Draws two charts under one another: the losses of both networks, and the discriminator's mean probabilities D(x) and D(G(z)).
///
/// The values as they are stand pale behind a smoothed line (a moving mean of a moving mean, each over 2 % of the values).
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) if the slices differ in length.
pub fn losses(heading: Heading<'_>, losses: &Losses<'_>) -> Result<Picture> {
    for (what, values) in [
        ("discriminator losses", losses.discriminator),
        ("generator losses", losses.generator),
        ("probabilities of real samples", losses.real),
        ("probabilities of generated samples", losses.fake),
    ] {
        if values.len() != losses.steps.len() {
            return Err(Error::shape(what, losses.steps.len().to_string(), values.len().to_string()));
        }
    }
    let (first, last) = (losses.steps.first().map_or(0, |&s| s) as f64, losses.steps.last().map_or(1, |&s| s) as f64);
    // From the very start, if the values start near it.
    let first = if first <= 0.1 * last { 0.0 } else { first };
    let x = frame::horizontal(WIDTH, |ticks| Axis::whole(first, last, ticks));
    let loss = loss_axis(losses);
    let probability = Axis::new(0.0, 1.0, 5);

    let left = frame::left_room(&loss, "loss").max(frame::left_room(&probability, "probability"));
    let below = frame::bottom_room("step");
    let size = (left + WIDTH, 2 * HEIGHT + GAP + frame::bottom_room("") + below);
    let legend = [
        Entry { sign: Sign::Line, color: REAL, text: "discriminator · D(x)" },
        Entry { sign: Sign::Line, color: GENERATED, text: "generator · D(G(z))" },
    ];
    let mut page = Page::new(size, heading, &legend)?;
    let upper = Plot { left: super::style::MARGIN + left, top: page.top(), width: WIDTH, height: HEIGHT };
    let lower = upper.below(HEIGHT + frame::bottom_room("") + GAP);
    let area = page.area();
    let draw =
        |plot: Plot, y, names, series, references| draw(&area, plot, (x, y), names, losses.steps, series, references);
    draw(upper, loss, ("", "loss"), [losses.discriminator, losses.generator], losses.loss_references)?;
    draw(lower, probability, ("step", "probability"), [losses.real, losses.fake], losses.probability_references)?;
    drop(area);
    Ok(page.finish())
}

/// Draws one of the two charts.
fn draw(
    area: &Area<'_>,
    plot: Plot,
    (x, y): (Axis, Axis),
    names: (&str, &str),
    steps: &[u64],
    series: [&[f64]; 2],
    references: &[Reference<'_>],
) -> Result<()> {
    let mut chart = plot.chart(area, (x, y), names)?;
    for reference in references.iter().filter(|reference| y.contains(reference.value)) {
        draw_reference(area, &mut chart, &plot, (x, y), reference)?;
    }
    for (values, color) in series.into_iter().zip([REAL, GENERATED]) {
        draw_curve(&mut chart, steps, values, (color, 0.3, 2))?;
    }
    for (values, color) in series.into_iter().zip([REAL, GENERATED]) {
        let smooth = smoothed(values);
        draw_curve(&mut chart, steps, &smooth, (color, 1.0, 5))?;
    }
    if series.iter().all(|values| values.iter().all(|value| !value.is_finite())) {
        plot.remark(area, "no values")?;
    }
    Ok(())
}

/// Draws a reference line with its label above its right end.
fn draw_reference(
    area: &Area<'_>,
    chart: &mut Chart<'_, '_>,
    plot: &Plot,
    (x, y): (Axis, Axis),
    reference: &Reference<'_>,
) -> Result<()> {
    let ends = vec![(x.low(), reference.value), (x.high(), reference.value)];
    chart.draw_series([PathElement::new(ends, frame::line(AXIS, 1.0, 3))]).map_err(frame::failed)?;
    let share = (reference.value - y.low()) / (y.high() - y.low());
    let height = plot.top + plot.height - (share * f64::from(plot.height)).round() as i32;
    let style = frame::text_style(LABEL, MUTED, FontStyle::Normal).pos(frame::anchor(HPos::Right));
    area.draw_text(reference.label, &style, (units(plot.left + plot.width - 10), units(height - 18)))
        .map_err(frame::failed)
}

/// Draws a curve of a color, opacity and width, in as many parts as its gaps make.
fn draw_curve(chart: &mut Chart<'_, '_>, steps: &[u64], values: &[f64], look: (Rgb, f64, i32)) -> Result<()> {
    let (color, alpha, width) = look;
    let points: Vec<(f64, f64)> = thinned(values).into_iter().map(|i| (steps[i] as f64, values[i])).collect();
    let parts = points.split(|point| !point.1.is_finite());
    for part in parts.filter(|part| !part.is_empty()) {
        let drawn = match *part {
            [point] => chart.draw_series([plotters::element::Circle::new(
                point,
                units(width.max(4)) as u32,
                frame::filled(color, alpha),
            )]),
            _ => chart.draw_series([PathElement::new(part.to_vec(), frame::line(color, alpha, width))]),
        };
        drawn.map_err(frame::failed)?;
    }
    Ok(())
}

/// The axis of the losses: all of the smoothed values, and the raw ones unless they are far off.
fn loss_axis(losses: &Losses<'_>) -> Axis {
    let finite = |values: &[f64]| -> Vec<f64> { values.iter().copied().filter(|v| v.is_finite()).collect() };
    let ranges = [losses.discriminator, losses.generator].into_iter().flat_map(|values| {
        let smooth = finite(&smoothed(values));
        let ends = smooth.iter().copied().reduce(f64::min).zip(smooth.iter().copied().reduce(f64::max));
        [ends, sampled::range(finite(values).into_iter())]
    });
    let (low, high) = ranges.flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
    let low = if low > 0.0 && low < 0.5 * high { 0.0 } else { low };
    Axis::new(low, high, 6)
}

/// Which values to draw: all of a short curve; of a long one the smallest and the largest of each stretch, in their order, and
/// one of those that are not finite.
fn thinned(values: &[f64]) -> Vec<usize> {
    if values.len() <= MOST_POINTS {
        return (0..values.len()).collect();
    }
    let stretches = MOST_POINTS / 2;
    let border = |i: usize| (i as u128 * values.len() as u128 / stretches as u128) as usize;
    let mut chosen = Vec::with_capacity(3 * stretches);
    for i in 0..stretches {
        let stretch = border(i)..border(i + 1);
        let finite = || stretch.clone().filter(|&j| values[j].is_finite());
        let least = finite().min_by(|&a, &b| values[a].total_cmp(&values[b]));
        let largest = finite().max_by(|&a, &b| values[a].total_cmp(&values[b]));
        let gap = stretch.clone().find(|&j| !values[j].is_finite());
        let mut found: Vec<usize> = [least, largest, gap].into_iter().flatten().collect();
        found.sort_unstable();
        found.dedup();
        chosen.extend(found);
    }
    chosen
}

/// The moving mean of the moving mean, over the finite values around each place; NaN where the value itself is not finite.
fn smoothed(values: &[f64]) -> Vec<f64> {
    let half = (values.len() as f64 * SMOOTHING / 2.0).round() as usize;
    moving_mean(&moving_mean(values, half), half)
}

/// The mean of the finite values at most `half` places away; at the ends the window shrinks evenly on both sides, so that the
/// line starts and ends where the values do.
fn moving_mean(values: &[f64], half: usize) -> Vec<f64> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push((0.0, 0usize));
    for value in values {
        let &(sum, count) = sums.last().unwrap_or(&(0.0, 0));
        sums.push(if value.is_finite() { (sum + value, count + 1) } else { (sum, count) });
    }
    let mean = |i: usize| {
        let reach = half.min(i).min(values.len() - 1 - i);
        let ((before, skipped), (after, counted)) = (sums[i - reach], sums[i + reach + 1]);
        (after - before) / (counted - skipped) as f64
    };
    (0..values.len()).map(|i| if values[i].is_finite() { mean(i) } else { f64::NAN }).collect()
}
