//! A chart: curves over the steps as inline SVG that stretches with the page, with axes and legend as text beside it.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::table::Point;
use crate::measures::spread::quantile;
use crate::numbers::{json_number, number, tick_label};
use crate::plot::Axis;

/// Size of the drawing; the page stretches it to its place.
const WIDTH: f64 = 2_000.0;
const HEIGHT: f64 = 1_000.0;
/// Colors of curves; later ones begin again, with dashes.
pub(super) const COLORS: usize = 8;
/// Least length of an axis, as a share of its largest value.
const NARROWEST: f64 = 0.02;
/// Greatest over least value from which powers of ten say more than a linear axis.
const WIDE_RANGE: f64 = 200.0;

/// A curve.
pub(super) struct Series<'a> {
    pub(super) label: &'a str,
    /// The number of its color.
    pub(super) color: usize,
    pub(super) points: Vec<Point>,
}

/// What a chart shows.
#[derive(Default)]
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What the title means; empty for none.
    pub(super) meaning: &'a str,
    pub(super) series: Vec<Series<'a>>,
    /// Curves without a name behind the others, of which those far from most may leave the drawing.
    pub(super) faint: Vec<Vec<Point>>,
    /// A level to compare with, and its name.
    pub(super) level: Option<(f64, &'a str)>,
    /// Values that the axis holds in any case.
    pub(super) holds: &'a [f64],
    /// Whether values of many sizes may be shown by their powers of ten.
    pub(super) powers: bool,
    /// Whether the range of the values that make a point is shown.
    pub(super) bands: bool,
    /// Whether it is wider than others.
    pub(super) large: bool,
    /// Whether its curves are named in it, not elsewhere.
    pub(super) legend: bool,
}

/// The range of the values of `curves`, without the outermost ones.
fn most(curves: &[Vec<Point>]) -> impl Iterator<Item = f64> + use<> {
    /// Share of the values at each end that may leave the drawing.
    const CUT: f64 = 0.01;
    let mut values: Vec<f64> =
        curves.iter().flatten().map(|point| point.mean).filter(|mean| mean.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    [CUT, 1.0 - CUT].map(|share| quantile(&values, share)).into_iter().filter(|value| value.is_finite())
}

/// Where values lie in the drawing.
struct Scale {
    x: Axis,
    y: Axis,
    powers: bool,
}

impl Scale {
    fn new(chart: &Chart<'_>, until: f64) -> Option<Self> {
        let points = || chart.series.iter().flat_map(|series| &series.points).filter(|point| point.mean.is_finite());
        let held = chart.holds.iter().copied().chain(chart.level.map(|(value, _)| value));
        let all = points().map(|point| point.mean).chain(held).chain(most(&chart.faint));
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        points().next()?;
        let powers = chart.powers && low > 0.0 && high / low > WIDE_RANGE;
        let y = if powers {
            Axis::whole(low.log10().floor(), high.log10().ceil(), 4)
        } else {
            // Where all values are nearly the same, the axis shows that they are.
            let size = low.abs().max(high.abs());
            let least = if size > 0.0 { NARROWEST * size } else { 1.0 };
            let grown = (least - (high - low)).max(0.0) / 2.0;
            let (low, high) = (if chart.holds.contains(&low) { low } else { low - grown }, high + grown);
            let room = (high - low) * 0.06;
            // An axis that begins at a value to be held begins there.
            let at = |end: f64, room: f64| if chart.holds.contains(&end) { end } else { end + room };
            Axis::new(at(low, -room), at(high, room), if chart.large { 6 } else { 4 })
        };
        Some(Self { x: Axis::whole(0.0, until.max(1.0), 4), y, powers })
    }

    fn x(&self, step: f64) -> f64 {
        (step - self.x.low()) / (self.x.high() - self.x.low())
    }

    /// From the top.
    fn y(&self, value: f64) -> f64 {
        let value = if self.powers { value.log10() } else { value };
        1.0 - (value - self.y.low()) / (self.y.high() - self.y.low())
    }

    fn label(&self, tick: f64) -> String {
        if self.powers { tick_label(10f64.powf(tick), 10f64.powf(tick)) } else { self.y.label(tick) }
    }
}

impl Chart<'_> {
    /// The chart over the steps up to `until`; nothing where there is nothing to show.
    pub(super) fn markup(&self, until: f64) -> Markup {
        let Some(scale) = Scale::new(self, until) else { return Markup::default() };
        let ticks: Vec<(f64, String)> = scale
            .y
            .ticks()
            .into_iter()
            .map(|tick| (1.0 - (tick - scale.y.low()) / (scale.y.high() - scale.y.low()), scale.label(tick)))
            .collect();
        let widest = ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(1);
        html! {
            figure.chart.large[self.large] style={ "--y:" (widest) "ch" } {
                figcaption {
                    b { (self.title) }
                    @if !self.meaning.is_empty() { " " span.meaning { (self.meaning) } }
                    span.at {}
                }
                (self.legend())
                .plot {
                    .y aria-hidden="true" {
                        @for (at, label) in &ticks { span style={ "top:" (percent(*at)) } { (label) } }
                    }
                    .area tabindex="0" role="group" aria-label={ (self.title) ": read values with the arrow keys" } {
                        (self.drawing(&scale, &ticks))
                    }
                    .x aria-hidden="true" {
                        @for tick in scale.x.ticks() {
                            @let at = scale.x(tick);
                            span.end[at > 0.96] style={ "left:" (percent(at)) } { (scale.x.label(tick)) }
                        }
                    }
                }
                script type="application/json" { (PreEscaped(self.data(&scale))) }
            }
        }
    }

    /// The curves' names with their last values, which the page replaces by those under the pointer.
    fn legend(&self) -> Markup {
        html! {
            ul.legend.bare[!self.legend] {
                @for series in &self.series {
                    @if let Some(last) = last(&series.points) {
                        li class=(color(series.color)) {
                            @if self.legend { i {} (series.label) " " }
                            output { (number(last)) }
                        }
                    }
                }
                @if let Some((_, name)) = self.level { li.level { i {} (name) } }
            }
        }
    }

    fn drawing(&self, scale: &Scale, ticks: &[(f64, String)]) -> Markup {
        let across = |y: f64| format!("M0 {}H{WIDTH}", rounded(y * HEIGHT));
        let grid: String = ticks.iter().map(|(at, _)| across(*at)).collect();
        let ends = self.series.iter().filter_map(|series| Some((series.label, last(&series.points)?)));
        let ends: Vec<String> = ends.map(|(label, value)| format!("{label} {}", number(value))).collect();
        html! {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ (self.title) " over the steps; at the end: " (ends.join(", ")) } {
                path.grid d=(grid) {}
                @if let Some((value, _)) = self.level { path.level d=(across(scale.y(value))) {} }
                @for points in &self.faint { path.line.faint d=(line(scale, points)) {} }
                @for series in &self.series {
                    g class=(color(series.color)) {
                        @if self.bands { path.band d=(band(scale, &series.points)) {} }
                        path.line d=(line(scale, &series.points)) {}
                    }
                }
            }
        }
    }

    /// What the page reads values from.
    fn data(&self, scale: &Scale) -> String {
        let list = |values: &mut dyn Iterator<Item = f64>| values.map(json_number).collect::<Vec<_>>().join(",");
        let (x, y) = (&scale.x, &scale.y);
        let mut text = format!(
            r#"{{"x":[{}],"y":[{}],"powers":{},"series":["#,
            list(&mut [x.low(), x.high()].into_iter()),
            list(&mut [y.low(), y.high()].into_iter()),
            scale.powers
        );
        let shown = self.series.iter().filter(|series| last(&series.points).is_some());
        for (index, Series { points, .. }) in shown.enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let steps = list(&mut points.iter().map(|point| point.step.round()));
            let means = list(&mut points.iter().map(|point| point.mean));
            write!(text, r#"{comma}{{"x":[{steps}],"y":[{means}]}}"#).ok();
        }
        text + "]}"
    }
}

/// The last value of a curve.
fn last(points: &[Point]) -> Option<f64> {
    points.iter().rev().map(|point| point.mean).find(|mean| mean.is_finite())
}

/// The classes of a color.
pub(super) fn color(index: usize) -> String {
    let dashes = ["", " dashed", " dotted"][index / COLORS % 3];
    format!("c{}{dashes}", index % COLORS)
}

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// A place in the drawing. What lies far outside of it is brought near.
fn rounded(place: f64) -> i64 {
    place.clamp(-1e6, 1e6).round() as i64
}

/// The path of a curve; it has a gap where a value is no number, and a dot where one stands alone.
fn line(scale: &Scale, points: &[Point]) -> String {
    let mut path = String::new();
    for stretch in points.split(|point| !point.mean.is_finite()) {
        for (index, point) in stretch.iter().enumerate() {
            let (x, y) = (rounded(WIDTH * scale.x(point.step)), rounded(HEIGHT * scale.y(point.mean)));
            write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' }).ok();
        }
        if stretch.len() == 1 {
            path += "h0";
        }
    }
    path
}

/// The outline of the range around a curve.
fn band(scale: &Scale, points: &[Point]) -> String {
    let mut path = String::new();
    for stretch in points.split(|point| !point.mean.is_finite()) {
        if stretch.iter().all(|point| point.low >= point.high) {
            continue;
        }
        let highs = stretch.iter().map(|point| (point.step, point.high));
        let lows = stretch.iter().rev().map(|point| (point.step, point.low));
        for (index, (step, value)) in highs.chain(lows).enumerate() {
            let (x, y) = (rounded(WIDTH * scale.x(step)), rounded(HEIGHT * scale.y(value)));
            write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' }).ok();
        }
        path.push('Z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<Point> {
        let point = |(index, &value): (usize, &f64)| Point {
            step: index as f64,
            mean: value,
            low: value - 0.5,
            high: value + 0.5,
        };
        values.iter().enumerate().map(point).collect()
    }

    fn chart(values: &[f64]) -> Chart<'static> {
        let series = vec![Series { label: "<b>", color: 9, points: points(values) }];
        Chart { title: "T", series, bands: true, legend: true, ..Chart::default() }
    }

    #[test]
    fn a_gap_parts_the_curve() {
        let chart = chart(&[0.0, 1.0, f64::NAN, 1.0, f64::INFINITY]);
        let scale = Scale::new(&chart, 4.0).unwrap();
        let path = line(&scale, &chart.series[0].points);
        // The axis runs from -0.06 to 1.06.
        assert_eq!(path, "M0 946L500 54M1500 54h0");
        assert_eq!(band(&scale, &chart.series[0].points).matches('Z').count(), 2);
    }

    #[test]
    fn labels_are_escaped_and_data_are_json() {
        let text = chart(&[0.25, f64::NAN, 1e300]).markup(2.0).into_string();
        assert!(!text.contains("<b>T</b> <b>") && text.contains("&lt;b&gt;") && text.contains("c1 dashed"), "{text}");
        let data = text.split("application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["series"][0]["y"], serde_json::json!([0.25, null, 1e300]));
    }

    #[test]
    fn sizes_that_differ_much_are_shown_by_powers() {
        let mut chart = chart(&[1e-3, 10.0]);
        assert!(!Scale::new(&chart, 1.0).unwrap().powers);
        chart.powers = true;
        let scale = Scale::new(&chart, 1.0).unwrap();
        assert!(scale.powers && (scale.y(1e-3) - 1.0).abs() < 1e-9 && scale.y(10.0).abs() < 1e-9);
        assert_eq!(scale.label(-2.0), "0.01");
    }

    #[test]
    fn a_constant_curve_lies_in_the_middle_of_a_sensible_axis() {
        for value in [0.5, -3e-5, 1e9, 0.0] {
            let chart = chart(&[value, value * (1.0 + 1e-9), value]);
            let scale = Scale::new(&chart, 2.0).unwrap();
            assert!((scale.y(value) - 0.5).abs() < 1e-3, "{value}");
            let labels: Vec<String> = scale.y.ticks().into_iter().map(|tick| scale.label(tick)).collect();
            assert!(labels.len() >= 2 && labels.iter().all(|label| label.chars().count() <= 9), "{value}: {labels:?}");
        }
        // A share that is always 0 stays at the edge.
        let chart = Chart { holds: &[0.0], ..chart(&[0.0, 0.0]) };
        let scale = Scale::new(&chart, 2.0).unwrap();
        assert_eq!((scale.y.low(), scale.y(0.0)), (0.0, 1.0));
    }

    #[test]
    fn outliers_of_a_crowd_do_not_squeeze_it() {
        let mut faint = vec![points(&[1.0; 50]); 100];
        faint.push(points(&[1e9]));
        let chart = Chart { faint, ..chart(&[1.0; 50]) };
        let scale = Scale::new(&chart, 50.0).unwrap();
        assert!(scale.y.high() < 2.0, "{:?}", scale.y);
        let text = chart.markup(50.0).into_string();
        assert_eq!(text.matches("faint").count(), 101);
        // Only the curve with a name is told.
        assert_eq!(text.matches(r#"{"x":["#).count(), 2);
    }

    #[test]
    fn nothing_gives_no_chart() {
        for values in [&[][..], &[f64::NAN], &[f64::INFINITY]] {
            assert_eq!(chart(values).markup(1.0).into_string(), "");
        }
        for until in [0.0, f64::NAN, f64::INFINITY, 1e300] {
            chart(&[f64::MAX, f64::MIN, 0.0]).markup(until);
        }
    }
}
