//! Columns of a table as operators of a graph.
//!
//! ```text
//! numbers       Gather of their features, Cast to 64 bits, then each of their curves: Mul and Add where all are lines, else the knot below
//!               by a binary search in a table (Add, Gather, LessOrEqual, Where for each bit), and the line between its neighbors
//! grid          Sub, Mul, Div, Add, Floor, Mul, Add, Div: the nearest multiple of a step; then Add of an offset, Where for missing ones
//! choices       Mul by weights, then Gather, ArgMax, Gather of each
//! constants     Gather of any feature, Cast, Mul by 0, Add
//! columns       Concat and Gather in their order
//! ```

use super::columns::{Choice, Column, Curve, Grid, NumberColumn, check};
use super::graph::{Graph, int};
use super::messages::{DOUBLE, FLOAT};
use crate::error::Result;
use crate::memory::{filled, room};
use crate::net::LayerSpec;

/// The output with the probabilities of groups.
const PROBABILITIES: &str = "probabilities";

/// Adds what makes columns of the last value, the samples of a generator that ends in `layer`, and the outputs of the graph: the columns as
/// `output`, and the probabilities of the groups as [`PROBABILITIES`] where it has such.
///
/// # Errors
///
/// [`crate::Error::InvalidSetting`] for columns that do not fit; [`crate::Error::OutOfMemory`].
pub(super) fn add(graph: &mut Graph, columns: &[Column], layer: &LayerSpec, output: &str) -> Result<()> {
    check(columns, layer.outputs)?;
    let samples = graph.last();
    let weighted = weighted(graph, columns, layer.outputs, &samples)?;
    // Of each kind where the columns stand, and what they are.
    let (mut numbers, mut choices, mut constants) = (Vec::new(), Vec::new(), Vec::new());
    let mut places: [Vec<usize>; 3] = Default::default();
    for (place, column) in columns.iter().enumerate() {
        let kind = match column {
            Column::Number(number) => {
                numbers.push(number);
                0
            }
            Column::Choice(choice) => {
                choices.push(choice);
                1
            }
            Column::Constant(value) => {
                constants.push(*value);
                2
            }
        };
        places[kind].push(place);
    }
    let mut parts = Vec::new();
    if !numbers.is_empty() {
        parts.push(add_numbers(graph, &numbers, layer.outputs, [&samples, &weighted])?);
    }
    for (index, choice) in choices.into_iter().enumerate() {
        parts.push(add_choice(graph, choice, &format!("choice_{index}"), &weighted)?);
    }
    if !constants.is_empty() {
        parts.push(add_constants(graph, &constants, &samples)?);
    }
    if parts.len() > 1 {
        let mut order: Vec<i64> = filled(columns.len(), 0)?;
        for (joined, place) in (0..).zip(places.concat()) {
            order[place] = joined;
        }
        graph.join(parts, "joined");
        graph.tensor("order", &[order.len()], &order)?;
        graph.node("Gather", &["order"], "columns", vec![int("axis", 1)]);
    }
    graph.output(output, DOUBLE, columns.len());
    if !layer.softmax.is_empty() {
        add_probabilities(graph, layer, &weighted)?;
    }
    Ok(())
}

/// The samples, times the weights of groups, where there are such.
fn weighted(graph: &mut Graph, columns: &[Column], features: usize, samples: &str) -> Result<String> {
    let mut weights = filled(features, 1.0_f32)?;
    for column in columns {
        let (first, of_group) = match column {
            Column::Number(NumberColumn { missing: Some((first, of_group)), .. }) => (*first, of_group.as_slice()),
            Column::Choice(Choice { feature, weights, .. }) => (*feature, weights.as_slice()),
            _ => continue,
        };
        weights[first..first + of_group.len()].copy_from_slice(of_group);
    }
    if weights.iter().all(|weight| *weight == 1.0) {
        return Ok(samples.into());
    }
    graph.tensor("weights", &[features], &weights)?;
    graph.of_all("Mul", &[samples, "weights"], "weighted", Vec::new());
    Ok(graph.last())
}

/// The values of features, in this order.
fn gather(graph: &mut Graph, from: &str, features: impl Iterator<Item = usize>, name: &str) -> Result<()> {
    let features: Vec<i64> = features.map(|feature| feature as i64).collect();
    let tensor = format!("{name}.features");
    graph.tensor(&tensor, &[features.len()], &features)?;
    graph.of_all("Gather", &[from, &tensor], name, vec![int("axis", 1)]);
    Ok(())
}

/// All columns of numbers, side by side.
fn add_numbers(
    graph: &mut Graph,
    columns: &[&NumberColumn],
    features: usize,
    [samples, weighted]: [&str; 2],
) -> Result<String> {
    let count = columns.len();
    let mut scores = samples.to_string();
    if columns.iter().enumerate().any(|(place, column)| column.feature != place) || count != features {
        gather(graph, samples, columns.iter().map(|column| column.feature), "scores")?;
        scores = graph.last();
    }
    graph.of("Cast", &scores, "numbers", vec![int("to", i64::from(DOUBLE))]);
    let stages = columns.iter().map(|column| column.curves.len()).max().unwrap_or(0);
    for stage in 0..stages {
        add_curves(graph, columns, stage)?;
    }
    if columns.iter().any(|column| column.grid.is_some()) {
        add_grid(graph, columns)?;
    }
    let row = |of: fn(&NumberColumn) -> f64| columns.iter().map(|column| of(column)).collect::<Vec<f64>>();
    let offsets = row(|column| column.offset);
    if offsets.iter().any(|offset| *offset != 0.0) {
        graph.tensor("offsets", &[count], &offsets)?;
        graph.node("Add", &["offsets"], "moved", Vec::new());
    }
    if columns.iter().any(|column| column.missing.is_some()) {
        let numbers = graph.last();
        // Where none can be missing, the same value is compared with itself.
        let feature =
            |place: usize| columns.iter().map(move |column| column.missing.map_or(0, |(first, _)| first + place));
        gather(graph, weighted, feature(0), "present")?;
        gather(graph, weighted, feature(1), "absent")?;
        graph.of_all("Less", &["present", "absent"], "is_missing", Vec::new());
        graph.tensor("missing", &[], &[f64::NAN])?;
        graph.of_all("Where", &["is_missing", "missing", &numbers], "numbers_there", Vec::new());
    }
    Ok(graph.last())
}

/// One curve of each column, its own where it has as many.
fn add_curves(graph: &mut Graph, columns: &[&NumberColumn], stage: usize) -> Result<()> {
    const SAME: Curve = Curve::Line { offset: 0.0, scale: 1.0 };
    let name = |part: &str| format!("curve_{stage}.{part}");
    let curves: Vec<&Curve> = columns.iter().map(|column| column.curves.get(stage).unwrap_or(&SAME)).collect();
    let points = |curve: &&Curve| if let Curve::Points(points) = curve { points.len() } else { 0 };
    let most = curves.iter().map(points).max().unwrap_or(0);
    if most == 0 {
        let [mut offsets, mut scales] = [room(curves.len())?, room(curves.len())?];
        for curve in curves {
            if let Curve::Line { offset, scale } = curve {
                offsets.push(*offset);
                scales.push(*scale);
            }
        }
        graph.tensor(&name("scales"), &[scales.len()], &scales)?;
        graph.tensor(&name("offsets"), &[offsets.len()], &offsets)?;
        graph.node("Mul", &[&name("scales")], &name("scaled"), Vec::new());
        graph.node("Add", &[&name("offsets")], &name("value"), Vec::new());
        return Ok(());
    }
    // A table of 2^bits entries for each curve: entry n belongs to numbers with n points below them.
    let bits = usize::BITS - most.leading_zeros();
    let of_curve = 1_usize << bits;
    let len = curves.len().saturating_mul(of_curve);
    let mut knots = filled(len, f64::INFINITY)?;
    let [mut froms, mut inverses, mut lows, mut highs] =
        [filled(len, 0.0)?, filled(len, 0.0)?, filled(len, 0.0)?, filled(len, 0.0)?];
    for (index, curve) in curves.iter().enumerate() {
        let first = index * of_curve;
        match curve {
            Curve::Line { offset, scale } => {
                (inverses[first], lows[first], highs[first]) = (1.0, *offset, offset + scale);
            }
            Curve::Points(points) => {
                for (below, [x, _]) in points.iter().enumerate() {
                    knots[first + below + 1] = *x;
                }
                for entry in 0..=points.len() {
                    let low = points[entry.saturating_sub(1)];
                    let high = points[entry.min(points.len() - 1)];
                    let place = first + entry;
                    (froms[place], lows[place], highs[place]) = (low[0], low[1], high[1]);
                    if high[0] > low[0] {
                        inverses[place] = 1.0 / (high[0] - low[0]);
                    }
                }
            }
        }
    }
    let firsts: Vec<i64> = (0..curves.len()).map(|index| (index * of_curve) as i64).collect();
    let (x, mut below) = (graph.last(), name("first"));
    graph.tensor(&below, &[firsts.len()], &firsts)?;
    graph.tensor(&name("knots"), &[len], &knots)?;
    for bit in (0..bits).rev() {
        let name = |part: &str| name(&format!("{part}_{bit}"));
        graph.tensor(&name("step"), &[], &[1_i64 << bit])?;
        graph.of_all("Add", &[&below, &name("step")], &name("further"), Vec::new());
        graph.of_all(
            "Gather",
            &[&format!("curve_{stage}.knots"), &name("further")],
            &name("knot"),
            vec![int("axis", 0)],
        );
        graph.of_all("LessOrEqual", &[&name("knot"), &x], &name("is_below"), Vec::new());
        graph.of_all("Where", &[&name("is_below"), &name("further"), &below], &name("below"), Vec::new());
        below = name("below");
    }
    for (part, table) in [("from", &froms), ("inverse", &inverses), ("low", &lows), ("high", &highs)] {
        graph.tensor(&name(&format!("{part}s")), &[len], table)?;
        graph.of_all("Gather", &[&name(&format!("{part}s")), &below], &name(part), vec![int("axis", 0)]);
    }
    graph.tensor(&name("one"), &[], &[1.0_f64])?;
    graph.of_all("Sub", &[&x, &name("from")], &name("distance"), Vec::new());
    graph.of_all("Mul", &[&name("distance"), &name("inverse")], &name("part"), Vec::new());
    graph.of_all("Sub", &[&name("one"), &name("part")], &name("rest"), Vec::new());
    graph.of_all("Mul", &[&name("low"), &name("rest")], &name("of_low"), Vec::new());
    graph.of_all("Mul", &[&name("high"), &name("part")], &name("of_high"), Vec::new());
    graph.of_all("Add", &[&name("of_low"), &name("of_high")], &name("value"), Vec::new());
    Ok(())
}

/// Rounds numbers to their grids, where they have one.
fn add_grid(graph: &mut Graph, columns: &[&NumberColumn]) -> Result<()> {
    const ANY: Grid = Grid { least: 0.0, start: 0.0, step: 1.0, unit: 1.0 };
    let numbers = graph.last();
    let grids: Vec<Grid> = columns.iter().map(|column| column.grid.unwrap_or(ANY)).collect();
    let mut add = |name: &str, of: fn(&Grid) -> f64| {
        let values: Vec<f64> = grids.iter().map(of).collect();
        graph.tensor(name, &[values.len()], &values)
    };
    add("grid.least", |grid| grid.least)?;
    add("grid.start", |grid| grid.start)?;
    add("grid.step", |grid| grid.step)?;
    add("grid.unit", |grid| grid.unit)?;
    graph.tensor("grid.half", &[], &[0.5_f64])?;
    let steps = [
        ("Sub", "grid.least", "grid.distance"),
        ("Mul", "grid.unit", "grid.parts"),
        ("Div", "grid.step", "grid.steps"),
        ("Add", "grid.half", "grid.above"),
    ];
    steps.into_iter().for_each(|(operator, tensor, output)| graph.node(operator, &[tensor], output, Vec::new()));
    graph.node("Floor", &[], "grid.whole", Vec::new());
    let back = [
        ("Mul", "grid.step", "grid.counted"),
        ("Add", "grid.start", "grid.place"),
        ("Div", "grid.unit", "grid.number"),
    ];
    back.into_iter().for_each(|(operator, tensor, output)| graph.node(operator, &[tensor], output, Vec::new()));
    let has_grid: Vec<bool> = columns.iter().map(|column| column.grid.is_some()).collect();
    if !has_grid.iter().all(|has| *has) {
        graph.tensor("grid.has", &[columns.len()], &has_grid)?;
        graph.of_all("Where", &["grid.has", "grid.number", &numbers], "rounded", Vec::new());
    }
    Ok(())
}

/// A column of one of several numbers.
fn add_choice(graph: &mut Graph, choice: &Choice, name: &str, weighted: &str) -> Result<String> {
    let part = |part: &str| format!("{name}.{part}");
    gather(graph, weighted, choice.feature..choice.feature + choice.values.len(), &part("group"))?;
    graph.node("ArgMax", &[], &part("place"), vec![int("axis", 1), int("keepdims", 1)]);
    graph.tensor(&part("values"), &[choice.values.len()], &choice.values)?;
    graph.of_all("Gather", &[&part("values"), &part("place")], &part("value"), vec![int("axis", 0)]);
    Ok(graph.last())
}

/// Columns that are the same in all rows, side by side.
fn add_constants(graph: &mut Graph, constants: &[f64], samples: &str) -> Result<String> {
    gather(graph, samples, constants.iter().map(|_| 0), "constant.any")?;
    graph.node("Cast", &[], "constant.numbers", vec![int("to", i64::from(DOUBLE))]);
    graph.tensor("constant.zero", &[], &[0.0_f64])?;
    graph.node("Mul", &["constant.zero"], "constant.zeros", Vec::new());
    graph.tensor("constant.values", &[constants.len()], constants)?;
    graph.node("Add", &["constant.values"], "constants", Vec::new());
    Ok(graph.last())
}

/// The probabilities of all groups, side by side: their values times their weights, of which each group has a sum of 1.
fn add_probabilities(graph: &mut Graph, layer: &LayerSpec, weighted: &str) -> Result<()> {
    let mut first = layer.numbers();
    let mut parts = Vec::new();
    graph.tensor("group.axes", &[1], &[1_i64])?;
    for (index, size) in layer.softmax.iter().enumerate() {
        let part = |part: &str| format!("group_{index}.{part}");
        gather(graph, weighted, first..first + size, &part("values"))?;
        graph.of_all("ReduceSum", &[&part("values"), "group.axes"], &part("sum"), vec![int("keepdims", 1)]);
        graph.of_all("Div", &[&part("values"), &part("sum")], &part("probabilities"), Vec::new());
        parts.push(graph.last());
        first += size;
    }
    graph.join(parts, "all_probabilities");
    graph.output(PROBABILITIES, FLOAT, first - layer.numbers());
    Ok(())
}
