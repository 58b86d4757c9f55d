//! The picture of all replicas: a strip for each measure, with a dot for each of them.

use gannet::Result;

use crate::measures::spread::succeeded;
use crate::numbers::counted_replicas;
use crate::plot::{Heading, Strip, StripPanel, strips};
use crate::run::replicas::Replicated;

/// A PNG file.
///
/// # Errors
///
/// What drawing reports.
pub(crate) fn draw(result: &Replicated) -> Result<Vec<u8>> {
    let title = format!("{}, {}", result.preset(), counted_replicas(result.count()));
    let subtitle = format!("verdicts: {}", result.counted());
    let drawn: Vec<(&str, Vec<f64>, [f64; 3], String)> = result
        .spreads()
        .map(|(measure, spread)| {
            let quartiles = [spread.first_quartile, spread.median, spread.third_quartile];
            let note = format!("{} succeeded", succeeded(spread.succeeded, result.count()));
            (measure.words, result.values(measure.name), quartiles, note)
        })
        .collect();
    let rows: Vec<[Strip<'_>; 1]> = drawn
        .iter()
        .map(|(_, values, quartiles, note)| [Strip { label: "", values, quartiles: *quartiles, note }])
        .collect();
    let panels: Vec<StripPanel<'_>> =
        drawn.iter().zip(&rows).map(|((title, ..), strips)| StripPanel { title, strips }).collect();
    strips(Heading { title: &title, subtitle: &subtitle }, &panels)?.to_png()
}
