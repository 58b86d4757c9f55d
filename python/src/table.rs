//! Tables of numbers: their columns to one scale and back, and classes for samples of labelled ones.

use gannet::data::precision;
use gannet::data::table::{Standardization as Scaling, Table};
use gannet_settings::own_data;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays;
use crate::calls::detached;
use crate::problem::Problem;
use crate::sampler::check_indices;

/// Where the numbers come from, in messages.
const ORIGIN: &str = "X";

/// How the columns of a table become features of mean 0 and standard deviation 1, and samples become rows of the table again. A column of
/// scale 0 is constant and no feature.
#[pyclass(frozen, module = "gannet._gannet")]
pub(crate) struct Standardization(Scaling);

/// The table of an array, whose columns have these names.
fn table(values: &Bound<'_, PyAny>, names: Option<Vec<String>>) -> Result<Table, Problem> {
    let array = arrays::doubles(values, ORIGIN)?;
    let columns = array.shape().last().copied().unwrap_or(0);
    let values = array.to_vec().map_err(arrays::not_dense)?;
    Ok(Table::new(columns, values)?.with_names(names))
}

#[pymethods]
impl Standardization {
    /// Columns with these offsets and scales.
    #[new]
    fn new(offset: Vec<f64>, scale: Vec<f64>) -> PyResult<Self> {
        Ok(Self(Scaling::new(offset, scale).map_err(Problem::from)?))
    }

    /// That of the columns of `values`, and what training cannot see of them, each with its cause and cure.
    #[staticmethod]
    #[pyo3(signature = (values, names = None))]
    fn of(values: &Bound<'_, PyAny>, names: Option<Vec<String>>) -> PyResult<(Self, Vec<String>)> {
        let table = table(values, names)?;
        let found = detached(values.py(), || {
            let scaling = Scaling::of(&table, ORIGIN)?;
            let names = table.column_names();
            let unclear = precision::unclear(&table, &scaling)?;
            Ok((Self(scaling), unclear.iter().map(|unclear| unclear.text(&names)).collect()))
        });
        Ok(found?)
    }

    /// The rows of `values` as samples: float32, [rows, features].
    fn apply<'py>(&self, values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let py = values.py();
        let table = table(values, None)?;
        let samples = detached(py, || Ok(self.0.apply(&table, ORIGIN)?))?;
        let shape = [samples.len(), samples.features()];
        PyArray1::from_vec(py, samples.into_values()).reshape(shape)
    }

    /// Samples as rows of the table: float64, [samples, columns], with no more digits than they are worth.
    fn undo<'py>(&self, samples: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let py = samples.py();
        let samples = arrays::matrix(samples, "samples")?;
        let borrowed = arrays::readable(&samples, "samples")?;
        let values = borrowed.as_slice().map_err(arrays::not_dense)?;
        let columns = self.0.scale().len();
        let rows = values.len() / self.0.features().max(1);
        let made = arrays::vector(py, rows * columns, self.0.undo(values).flatten())?;
        made.reshape([rows, columns])
    }

    /// The offset of each column.
    #[getter]
    fn offset(&self) -> Vec<f64> {
        self.0.offset().to_vec()
    }

    /// The scale of each column.
    #[getter]
    fn scale(&self) -> Vec<f64> {
        self.0.scale().to_vec()
    }

    /// The number of features: columns that vary.
    #[getter]
    fn features(&self) -> usize {
        self.0.features()
    }
}

/// The classes of the generated samples of indices from 0 on, of classes with so many samples each: every class comes as often as in the
/// data.
#[pyfunction]
pub(crate) fn classes_of_samples(py: Python<'_>, counts: Vec<u64>, count: usize) -> PyResult<Bound<'_, PyArray1<i64>>> {
    check_indices(0, count)?;
    let classes = (0..count as u64).map(|index| own_data::class_of_sample(&counts, index) as i64);
    Ok(arrays::vector(py, count, classes)?)
}
