//! The course of a training: losses and probabilities over the steps.

use std::ops::Range;

use gannet::{Error, Result};
use plotters::element::{Circle, PathElement};
use plotters::series::DashedLineSeries;
use plotters_backend::FontStyle;
use plotters_backend::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::units;
use super::font::{self, Weight};
use super::frame::{self, Area, Chart, Entry, Page, Plot, Sign, TEXT_ROW};
use super::picture::{Heading, Picture};
use super::sampled;
use super::style::{AXIS, GENERATED, LABEL, MARGIN, MUTED, REAL, Rgb};

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
const GAP: i32 = 34;

/// Space before the label of a reference line, and the most that the label takes.
const LABEL_GAP: i32 = 12;
const MOST_LABEL: f32 = 240.0;

/// Stretches that a long curve is divided into: pairs of pixels.
const STRETCHES: usize = 750;

/// A curve is smoothed over this share of its length.
const SMOOTHING: f64 = 0.02;

/// Draws two charts under one another: the losses of both networks, and the discriminator's mean probabilities D(x) and D(G(z)).
///
/// The values as they are stand pale behind a smoothed line (a moving mean of a moving mean, each over 2 % of the curve).
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) if the slices differ in length.
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

    let left = frame::left_room(&loss, "").max(frame::left_room(&probability, ""));
    let references = losses.loss_references.iter().chain(losses.probability_references);
    let right = references.map(|reference| font::width(reference.label, LABEL, Weight::Regular)).fold(0.0, f32::max);
    let right = if right > 0.0 { right.min(MOST_LABEL) as i32 + LABEL_GAP } else { 0 };
    let chart_height = TEXT_ROW + HEIGHT + frame::bottom_room("");
    let size = (left + WIDTH + right, 2 * chart_height + GAP + frame::bottom_room("step") - frame::bottom_room(""));
    let mut page = Page::new(size, heading, &[])?;
    let upper = Plot { left: MARGIN + left, top: page.top() + TEXT_ROW, width: WIDTH, height: HEIGHT };
    let lower = upper.below(chart_height + GAP);
    let entry = |color, text| Entry { sign: Sign::Line, color, text };
    page.legend(&upper, &[entry(REAL, "discriminator"), entry(GENERATED, "generator")]);
    page.legend(&lower, &[entry(REAL, "D(x), real"), entry(GENERATED, "D(G(z)), generated")]);
    let area = page.area();
    let (x_name, curves) = ("", [losses.discriminator, losses.generator]);
    upper.label(&area, "loss", "")?;
    draw(&area, upper, (x, loss), x_name, losses.steps, curves, losses.loss_references)?;
    let (x_name, curves) = ("step", [losses.real, losses.fake]);
    lower.label(&area, "probability of being real, according to the discriminator", "")?;
    draw(&area, lower, (x, probability), x_name, losses.steps, curves, losses.probability_references)?;
    drop(area);
    Ok(page.finish())
}

/// Draws one of the two charts.
fn draw(
    area: &Area<'_>,
    plot: Plot,
    (x, y): (Axis, Axis),
    x_name: &str,
    steps: &[u64],
    series: [&[f64]; 2],
    references: &[Reference<'_>],
) -> Result<()> {
    let mut chart = plot.chart(area, (x, y), (x_name, ""))?;
    for (values, color) in series.into_iter().zip([REAL, GENERATED]) {
        draw_curve(&mut chart, &outline(steps, values), (color, 0.3, 2))?;
    }
    draw_references(area, &mut chart, &plot, (x, y), references)?;
    for (values, color) in series.into_iter().zip([REAL, GENERATED]) {
        draw_curve(&mut chart, &smoothed(steps, values), (color, 1.0, 5))?;
    }
    if series.iter().all(|values| values.iter().all(|value| !value.is_finite())) {
        plot.remark(area, "no values")?;
    }
    Ok(())
}

/// Draws dashed lines with their labels at the right of the plot. A label that would touch an earlier one is left out.
fn draw_references(
    area: &Area<'_>,
    chart: &mut Chart<'_, '_>,
    plot: &Plot,
    (x, y): (Axis, Axis),
    references: &[Reference<'_>],
) -> Result<()> {
    let mut labeled: Vec<i32> = Vec::new();
    for reference in references.iter().filter(|reference| y.contains(reference.value)) {
        let ends = [(x.low(), reference.value), (x.high(), reference.value)];
        let dashes = DashedLineSeries::new(ends, units(12) as u32, units(8) as u32, frame::line(AXIS, 1.0, 2));
        chart.draw_series(dashes).map_err(frame::failed)?;
        let share = (reference.value - y.low()) / (y.high() - y.low());
        let height = plot.top + plot.height - (share * f64::from(plot.height)).round() as i32;
        if labeled.iter().all(|other| f64::from(other.abs_diff(height)) > 1.1 * f64::from(LABEL)) {
            let style = frame::text_style(LABEL, MUTED, FontStyle::Normal).pos(frame::anchor(HPos::Left));
            let label = font::ellipsize(reference.label, LABEL, Weight::Regular, MOST_LABEL);
            let place = (units(plot.left + plot.width + LABEL_GAP), units(height));
            area.draw_text(&label, &style, place).map_err(frame::failed)?;
            labeled.push(height);
        }
    }
    Ok(())
}

/// Draws a curve of a color, opacity and width, in as many parts as its gaps make.
fn draw_curve(chart: &mut Chart<'_, '_>, points: &[(f64, f64)], look: (Rgb, f64, i32)) -> Result<()> {
    let (color, alpha, width) = look;
    let parts = points.split(|point| !point.1.is_finite());
    for part in parts.filter(|part| !part.is_empty()) {
        let drawn = match *part {
            [point] => chart.draw_series([Circle::new(point, units(width.max(4)) as u32, frame::filled(color, alpha))]),
            _ => chart.draw_series([PathElement::new(part.to_vec(), frame::line(color, alpha, width))]),
        };
        drawn.map_err(frame::failed)?;
    }
    Ok(())
}

/// The axis of the losses: all of the smoothed values, and the raw ones unless they are far off.
fn loss_axis(losses: &Losses<'_>) -> Axis {
    let ranges = [losses.discriminator, losses.generator].into_iter().flat_map(|values| {
        let smooth = smoothed(losses.steps, values);
        let finite = || smooth.iter().map(|point| point.1).filter(|value| value.is_finite());
        let ends = finite().reduce(f64::min).zip(finite().reduce(f64::max));
        [ends, sampled::range(values.iter().copied(), 0.08)]
    });
    let (low, high) = ranges.flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
    let nonnegative = losses.discriminator.iter().chain(losses.generator).all(|&loss| loss >= 0.0 || loss.is_nan());
    let low = if nonnegative && low < 0.5 * high { 0.0 } else { low };
    Axis::new(low, high, 6)
}

/// The stretches of a curve of a number of values: single values if there are few.
fn stretches(count: usize) -> impl Iterator<Item = Range<usize>> {
    let stretches = if count <= 2 * STRETCHES { count } else { STRETCHES };
    let border = move |i: usize| (i as u128 * count as u128 / stretches.max(1) as u128) as usize;
    (0..stretches).map(move |i| border(i)..border(i + 1))
}

/// A curve as a screen can show it: of each stretch the smallest and the largest value, in their order, and one of those that
/// are not finite.
fn outline(steps: &[u64], values: &[f64]) -> Vec<(f64, f64)> {
    let mut chosen = Vec::new();
    for stretch in stretches(values.len()) {
        let finite = || stretch.clone().filter(|&i| values[i].is_finite());
        let least = finite().min_by(|&a, &b| values[a].total_cmp(&values[b]));
        let largest = finite().max_by(|&a, &b| values[a].total_cmp(&values[b]));
        let gap = stretch.clone().find(|&i| !values[i].is_finite());
        let mut found: Vec<usize> = [least, largest, gap].into_iter().flatten().collect();
        found.sort_unstable();
        found.dedup();
        chosen.extend(found);
    }
    chosen.into_iter().map(|i| (steps[i] as f64, values[i])).collect()
}

/// The smoothed curve: the moving mean of the moving mean of each stretch's mean. Stretches without a finite value are gaps.
fn smoothed(steps: &[u64], values: &[f64]) -> Vec<(f64, f64)> {
    let (places, means): (Vec<f64>, Vec<f64>) = stretches(values.len())
        .map(|stretch| {
            // The ends of the curve keep their places, so that the line reaches from the first step to the last.
            let middle = match stretch {
                Range { start: 0, .. } => 0,
                Range { end, .. } if end == values.len() => end - 1,
                Range { start, end } => (start + end) / 2,
            };
            (steps[middle] as f64, mean(&values[stretch]))
        })
        .unzip();
    let half = (means.len() as f64 * SMOOTHING / 2.0).round() as usize;
    places.into_iter().zip(moving_mean(&moving_mean(&means, half), half)).collect()
}

/// The mean over at most `half` places to both sides; NaN where the value itself is not finite.
fn moving_mean(values: &[f64], half: usize) -> Vec<f64> {
    let around = |i: usize| &values[i.saturating_sub(half)..(i + half + 1).min(values.len())];
    (0..values.len()).map(|i| if values[i].is_finite() { mean(around(i)) } else { f64::NAN }).collect()
}

/// The mean of the finite values; NaN if there is none.
fn mean(values: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values.iter().filter(|value| value.is_finite()) {
        sum += value;
        count += 1.0;
    }
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_keep_peaks_and_gaps_of_long_curves() {
        let steps: Vec<u64> = (0..90_000).collect();
        let mut values = vec![1.0; steps.len()];
        values[40_001] = 9.0;
        values[40_002] = -9.0;
        values[70_000] = f64::NAN;
        let points = outline(&steps, &values);
        assert!(points.len() <= 3 * STRETCHES && points.is_sorted_by(|a, b| a.0 < b.0));
        assert!(points.contains(&(40_001.0, 9.0)) && points.contains(&(40_002.0, -9.0)));
        assert_eq!(points.iter().filter(|point| point.1.is_nan()).count(), 1);
    }

    #[test]
    fn smoothing_keeps_means_and_ends_and_gaps() {
        for count in [1, 2, 7, 1500, 1501, 20_000] {
            let steps: Vec<u64> = (1..=count).collect();
            let smooth = smoothed(&steps, &vec![2.5; count as usize]);
            assert!(smooth.iter().all(|point| point.1 == 2.5));
            assert_eq!((smooth[0].0, smooth[smooth.len() - 1].0), (1.0, count as f64));
        }
        assert!(smoothed(&[], &[]).is_empty());
        let zigzag: Vec<f64> = (0..1000).map(|i| if i % 2 == 0 { 0.0 } else { 1.0 }).collect();
        let smooth = smoothed(&(0..1000).collect::<Vec<_>>(), &zigzag);
        assert!(smooth[20..980].iter().all(|point| (point.1 - 0.5).abs() < 0.01));
        let holes = moving_mean(&[1.0, f64::NAN, f64::INFINITY, 4.0], 5);
        assert!(holes[0] == 2.5 && holes[1].is_nan() && holes[2].is_nan() && holes[3] == 2.5, "{holes:?}");
    }
}
