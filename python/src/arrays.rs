//! Arrays of NumPy: matrices are borrowed where they are `float32` in C order, samples in any order, and converted once otherwise; results
//! are new arrays.

use std::ops::Range;

use numpy::{
    Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeCheck;
use pyo3::types::IntoPyDict;

use gannet::Error;

use crate::calls::detached;
use crate::problem::Problem;

/// Values from which on the interpreter is left to others while they are found. To get it back may take the 5 milliseconds of
/// `sys.getswitchinterval()`, and so many values take less.
const MANY: usize = 1 << 16;

/// A matrix of `float32`.
pub(crate) type Matrix<'py> = Bound<'py, PyArray2<f32>>;

/// Whether the rows of an array stand one behind the other, as they are read.
fn is_dense(array: &Matrix<'_>) -> bool {
    array.is_c_contiguous() && array.is_aligned()
}

/// Refuses a masked array in which a value is masked: nothing here would skip it.
fn check_unmasked(value: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    if value.is_exact_instance_of::<PyUntypedArray>() {
        return Ok(());
    }
    if value.py().import("numpy.ma")?.call_method1("is_masked", (value,))?.is_truthy()? {
        let problem = format!("{name} has masked values; drop their rows, or fill them in, such as by filled(0)");
        return Err(PyValueError::new_err(problem));
    }
    Ok(())
}

/// The matrix of `value`, called `name`: itself where it is `float32` in C order, a copy otherwise.
pub(crate) fn matrix<'py>(value: &Bound<'py, PyAny>, name: &str) -> Result<Matrix<'py>, Problem> {
    check_unmasked(value, name)?;
    match value.cast::<PyArray2<f32>>() {
        Ok(array) if is_dense(array) => Ok(array.clone()),
        _ => converted(value, name, "float32"),
    }
}

/// The matrix of `value`, called `name`: itself where it is `float32`, however its values stand, a copy otherwise.
pub(crate) fn aligned<'py>(value: &Bound<'py, PyAny>, name: &str) -> Result<Matrix<'py>, Problem> {
    check_unmasked(value, name)?;
    match value.cast::<PyArray2<f32>>() {
        Ok(array) if array.is_aligned() => Ok(array.clone()),
        _ => converted(value, name, "float32"),
    }
}

/// The matrix of `value` as `kind`, in C order.
fn converted<'py, T: Element>(
    value: &Bound<'py, PyAny>,
    name: &str,
    kind: &str,
) -> Result<Bound<'py, PyArray2<T>>, Problem> {
    let array = value.py().import("numpy")?.call_method1("asarray", (value,))?;
    let untyped = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
    let dtype = untyped.dtype();
    let letter: String = dtype.getattr("kind")?.extract()?;
    if !matches!(letter.as_str(), "b" | "i" | "u" | "f") {
        let problem = format!("{name} has the dtype {dtype}; gannet takes real numbers, such as float32 or float64");
        return Err(PyTypeError::new_err(problem).into());
    }
    if untyped.ndim() != 2 {
        let found = format!("an array of shape {:?}", untyped.shape());
        return Err(Error::shape(name, "a matrix [rows, features]", found).into());
    }
    Ok(required(&array, kind)?.cast_into::<PyArray2<T>>().map_err(PyErr::from)?)
}

/// `value` as an array of `kind` in C order: itself where it is one, a copy otherwise.
pub(crate) fn required<'py>(value: &Bound<'py, PyAny>, kind: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let wanted = [("dtype", kind)].into_py_dict(py)?;
    // "A" is aligned.
    wanted.set_item("requirements", ["C", "A"])?;
    py.import("numpy")?.call_method("require", (value,), Some(&wanted))
}

/// The matrix of `value` as `float64`.
pub(crate) fn doubles<'py>(value: &Bound<'py, PyAny>, name: &str) -> Result<Bound<'py, PyArray2<f64>>, Problem> {
    check_unmasked(value, name)?;
    converted(value, name, "float64")
}

/// Borrows a matrix to be read.
pub(crate) fn readable<'py>(array: &Matrix<'py>, name: &str) -> Result<PyReadonlyArray2<'py, f32>, Problem> {
    let borrowed = array.try_readonly();
    borrowed.map_err(|_| PyValueError::new_err(format!("{name} shares memory with an array that is written")).into())
}

/// The addresses of a dense matrix.
fn addresses(array: &Matrix<'_>) -> Range<usize> {
    let first = array.data().addr();
    first..first + array.len() * size_of::<f32>()
}

/// Borrows a dense matrix to be written, while the dense matrices `read` are read. NumPy's own check knows views of one array alone, so the
/// addresses are compared, too.
pub(crate) fn writable<'py>(
    array: &Matrix<'py>,
    name: &str,
    read: &[&Matrix<'py>],
) -> Result<PyReadwriteArray2<'py, f32>, Problem> {
    let written = addresses(array);
    for other in read.iter().map(|other| addresses(other)) {
        if written.start.max(other.start) < written.end.min(other.end) {
            let problem = format!("{name} shares memory with another argument; give the result an array of its own");
            return Err(PyValueError::new_err(problem).into());
        }
    }
    array.try_readwrite().map_err(|error| {
        PyValueError::new_err(format!(
            "{name} cannot be written ({error}); give the result a writable array of its own, which shares no memory with another argument"
        ))
        .into()
    })
}

/// A new array of this shape, made by Python's own NumPy: one that is too large is its error, and no panic.
fn zeros<'py, T: Element, S: IntoPyObject<'py>, A: PyTypeCheck>(py: Python<'py>, shape: S) -> PyResult<Bound<'py, A>>
where
    PyErr: From<S::Error>,
{
    static ZEROS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = ZEROS.import(py, "numpy", "zeros")?.call1((shape, T::get_dtype(py)))?;
    Ok(made.cast_into::<A>()?)
}

/// A new vector of what `values` give for each place, of which there are `count`. Many are found without the interpreter.
pub(crate) fn vector<'py, T: Element>(
    py: Python<'py>,
    count: usize,
    values: impl Iterator<Item = T> + Send,
) -> Result<Bound<'py, PyArray1<T>>, Problem> {
    let made: Bound<'py, PyArray1<T>> = zeros::<T, _, _>(py, count)?;
    let mut written = made.try_readwrite().map_err(not_dense)?;
    let places = written.as_slice_mut().map_err(not_dense)?;
    let fill = || {
        places.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        Ok(())
    };
    if count < MANY { fill() } else { detached(py, fill) }?;
    drop(written);
    Ok(made)
}

/// The matrix that a result of `rows` rows goes to: `out`, which is checked, or a new one.
pub(crate) fn result<'py>(
    py: Python<'py>,
    out: Option<&Bound<'py, PyAny>>,
    [rows, columns]: [usize; 2],
    name: &str,
) -> Result<Matrix<'py>, Problem> {
    let Some(out) = out else { return Ok(zeros::<f32, _, _>(py, (rows, columns))?) };
    let array = out.cast::<PyArray2<f32>>().ok().filter(|array| is_dense(array)).ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{name} is no matrix of float32 in C order; make one with numpy.empty(shape, numpy.float32)"
        ))
    })?;
    if array.shape() != [rows, columns] {
        return Err(Error::shape(name, format!("[{rows}, {columns}]"), format!("{:?}", array.shape())).into());
    }
    Ok(array.clone())
}

/// Memory of a borrowed matrix that is not as it was promised to be.
pub(crate) fn not_dense<E>(_: E) -> Problem {
    PyValueError::new_err("the rows of an array do not stand one behind the other").into()
}
