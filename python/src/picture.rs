//! Pictures of samples.

use gannet_cli::plot::{Heading, HistogramPanel, ScatterPanel, histogram, scatter};
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays;
use crate::calls::detached;

/// The first two values of each row.
fn points(values: &[f32], columns: usize) -> Vec<[f32; 2]> {
    values.chunks_exact(columns.max(2)).map(|row| [row[0], row[1]]).collect()
}

/// A PNG file of samples over `real` ones, both of as many columns: points of the first two columns, or the histogram of the only one.
#[pyfunction]
pub(crate) fn picture<'py>(
    py: Python<'py>,
    real: &Bound<'py, PyAny>,
    samples: &Bound<'py, PyAny>,
    title: &str,
    subtitle: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let (real, samples) = (arrays::matrix(real, "real")?, arrays::matrix(samples, "samples")?);
    let columns = samples.shape()[1];
    let (real, samples) = (arrays::readable(&real, "real")?, arrays::readable(&samples, "samples")?);
    let real = real.as_slice().map_err(arrays::not_dense)?;
    let generated = samples.as_slice().map_err(arrays::not_dense)?;
    let bytes = detached(py, || {
        let heading = Heading { title, subtitle };
        let picture = if columns == 1 {
            histogram(heading, &[HistogramPanel { title: "", real, generated }], None)?
        } else {
            let (real, generated) = (points(real, columns), points(generated, columns));
            scatter(heading, &[ScatterPanel { title: "", real: &real, generated: &generated }])?
        };
        Ok(picture.to_png()?)
    })?;
    Ok(PyBytes::new(py, &bytes))
}
