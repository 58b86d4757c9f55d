//! Samples in NumPy's memory, read where they stand.

use std::slice;

use gannet::gan::Source;
use gannet::gan::source::{BatchWriter, BoxError, InMemory, Shape, from_rows};
use numpy::{PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::Matrix;
use crate::problem::Problem;

/// The rows of an array, which lives as long as this does.
pub(crate) struct Borrowed {
    /// The first value of the first sample.
    values: *const f32,
    samples: usize,
    features: usize,
    /// Bytes from a sample to the next, and from a value of it to the next.
    strides: [isize; 2],
    is_dense: bool,
    _array: Py<PyArray2<f32>>,
}

// SAFETY: the memory is only read, and the array keeps it; documented is that nobody writes it or takes it away (by `resize` without the
// check of references) while gannet computes.
unsafe impl Send for Borrowed {}
// SAFETY: as above.
unsafe impl Sync for Borrowed {}

impl Borrowed {
    /// Borrows an array, as [`matrix`](crate::arrays::matrix) or [`aligned`](crate::arrays::aligned) gives it.
    pub(crate) fn new(array: Matrix<'_>) -> Result<Self, Problem> {
        let (&[samples, features], &[row, column]) = (array.shape(), array.strides()) else {
            return Err(crate::arrays::not_dense(()));
        };
        let is_dense = array.is_c_contiguous();
        let strides = [row, column];
        let borrowed = Self { values: array.data(), samples, features, strides, is_dense, _array: array.unbind() };
        // An array without values is always dense.
        if is_dense {
            from_rows(borrowed.rows(), features)?;
        }
        Ok(borrowed)
    }

    /// The rows of an array where they stand one behind the other.
    fn rows(&self) -> &[f32] {
        // NumPy takes an array without values for aligned, wherever it points.
        if self.samples * self.features == 0 {
            return &[];
        }
        // SAFETY: the array has as many values from there on, aligned and in C order, and is kept by this.
        unsafe { slice::from_raw_parts(self.values, self.samples * self.features) }
    }
}

impl Source for Borrowed {
    fn shape(&self) -> Shape {
        Shape::new(self.features, self.samples).concurrent()
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        if self.is_dense { from_rows(self.rows(), self.features).ok() } else { None }
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        let [of_row, of_column] = self.strides;
        while let Some((number, row)) = batch.next_row() {
            for (column, value) in row.iter_mut().enumerate() {
                let offset = number as isize * of_row + column as isize * of_column;
                // SAFETY: sample and column are below those of the array, whose strides reach no further than its memory; its values are
                // aligned.
                *value = unsafe { *self.values.byte_offset(offset) };
            }
        }
        Ok(())
    }
}
