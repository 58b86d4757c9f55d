//! Samples in NumPy's memory, read where they stand.

use std::slice;

use gannet::gan::Source;
use gannet::gan::source::{InMemory, Shape, from_rows};
use numpy::{PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::Matrix;
use crate::problem::Problem;

/// The rows of an array, which lives as long as this does.
pub(crate) struct Borrowed {
    values: *const f32,
    samples: usize,
    features: usize,
    _array: Py<PyArray2<f32>>,
}

// SAFETY: the memory is only read, and the array keeps it; documented is that nobody writes it or takes it away (by `resize` without the
// check of references) while gannet computes.
unsafe impl Send for Borrowed {}
// SAFETY: as above.
unsafe impl Sync for Borrowed {}

impl Borrowed {
    /// Borrows an array whose rows stand one behind the other, as [`matrix`](crate::arrays::matrix) gives it.
    pub(crate) fn new(array: Matrix<'_>) -> Result<Self, Problem> {
        let &[samples, features] = array.shape() else {
            return Err(crate::arrays::not_dense(()));
        };
        let borrowed = Self { values: array.data(), samples, features, _array: array.unbind() };
        from_rows(borrowed.rows(), features)?;
        Ok(borrowed)
    }

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
        Shape::new(self.features, self.samples)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        from_rows(self.rows(), self.features).ok()
    }
}
