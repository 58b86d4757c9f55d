//! Latents from a file: what samples are to be made of, instead of drawn numbers.

use std::path::Path;

use gannet::data::{csv, npy};
use gannet::gan::GanSpec;
use gannet::{Error, Result};

use crate::data::reading_limit;
use crate::folder::contents::Contents;
use crate::numbers::counted;

/// The rows of the file `path` (CSV or NPY), each a latent, with the conditions behind them that `condition` writes for the sample of an
/// index: the inputs of the generator, row-major.
///
/// # Errors
///
/// A file that cannot be read, or whose rows are no latents of this generator.
pub(crate) fn read(path: &Path, spec: &GanSpec, condition: impl Fn(u64, &mut [f32])) -> Result<Vec<f32>> {
    let origin = path.display().to_string();
    let most = reading_limit::for_reading(None);
    let table = match Contents::of(path)? {
        Contents::Npy => npy::read_within(path, most),
        Contents::Text => csv::read_within(path, most),
        other => {
            return Err(other.instead(path, "a file of latents; latents are a .csv or .npy with a row for each sample"));
        }
    };
    let table = table.map_err(|error| reading_limit::of_reading(error, None, path))?;
    let width = spec.latents();
    if table.columns != width {
        let behind = if spec.conditions > 0 { "; classes come from --label" } else { "" };
        let found = table.columns;
        let problem = format!(
            "has rows of {}, but a latent of this generator has {width}; give {}{behind}",
            counted(found as u64, "number"),
            counted(width as u64, "column")
        );
        return Err(Error::data(origin, problem));
    }
    let (of_row, count) = (width + spec.conditions, table.rows());
    let mut inputs = Vec::new();
    let bytes = (count as u64).saturating_mul(of_row as u64).saturating_mul(size_of::<f32>() as u64);
    inputs.try_reserve_exact(count.saturating_mul(of_row)).map_err(|_| Error::OutOfMemory { bytes })?;
    for (index, row) in table.values.chunks_exact(width).enumerate() {
        for (column, value) in row.iter().enumerate() {
            let narrow = *value as f32;
            if !narrow.is_finite() {
                let problem =
                    format!("row {}, column {}: {value} is beyond 32 bits, which latents have", index + 1, column + 1);
                return Err(Error::data(origin, problem));
            }
            inputs.push(narrow);
        }
        let begin = inputs.len();
        inputs.resize(begin + spec.conditions, 0.0);
        condition(index as u64, &mut inputs[begin..]);
    }
    Ok(inputs)
}
