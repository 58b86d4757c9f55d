//! Samplers: samples of a generator.

use std::path::PathBuf;

use gannet::Error;
use gannet::cpu::Isa;
use gannet::gan::{Model, Sampler as Inner};
use gannet_host::Guarded;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::{self, Matrix};
use crate::calls::{self, detached};
use crate::problem::Problem;
use crate::spec::Spec;

/// Makes samples by a generator. A sample depends on the generator, the seed and its index alone.
#[pyclass(frozen, module = "gannet")]
pub(crate) struct Sampler {
    sampler: Guarded<Inner>,
    features: usize,
    conditions: usize,
}

/// Samples of a seed.
const SAMPLES: u64 = 1 << 32;

/// Checks that a seed has the samples of the indices from `first` on, before memory for them is taken.
pub(crate) fn check_indices(first: u64, count: usize) -> Result<(), Problem> {
    let is_inside = first.checked_add(count as u64).is_some_and(|end| end <= SAMPLES);
    let found = || format!("{count} samples from index {first} on");
    if is_inside { Ok(()) } else { Err(Error::shape("samples", "indices below 2^32", found()).into()) }
}

impl Sampler {
    pub(crate) fn new(sampler: Inner, conditions: usize) -> Result<Self, Problem> {
        let features = sampler.features();
        Ok(Self { sampler: Guarded::new(|| Ok::<_, Problem>(sampler))?, features, conditions })
    }
}

#[pymethods]
impl Sampler {
    /// The generator in a model or a checkpoint of a GAN of these settings: the path of a file, or its bytes.
    #[new]
    #[pyo3(signature = (settings, model))]
    fn of_model(settings: &Bound<'_, PyAny>, model: &Bound<'_, PyAny>) -> PyResult<Self> {
        let spec = Spec::of(settings)?.spec;
        let path = model.cast::<PyBytes>().is_err().then(|| model.extract::<PathBuf>()).transpose()?;
        let bytes = model.cast::<PyBytes>().map_or(&[][..], |bytes| bytes.as_bytes());
        let made = detached(model.py(), || {
            let model = match &path {
                Some(path) => Model::load(&spec, path)?,
                None => Model::from_safetensors(bytes, &spec, "the model in memory")?,
            };
            Ok(Inner::new(&model, &spec, Isa::resolve(None)?)?)
        })?;
        Ok(Self::new(made, spec.conditions)?)
    }

    /// Another sampler of the same generator, for another thread: the weights are not copied.
    fn share(&self, py: Python<'_>) -> PyResult<Self> {
        let shared = calls::using(py, &self.sampler, |sampler| Ok(sampler.share()?))?;
        Ok(Self::new(shared, self.conditions)?)
    }

    /// The samples of `seed` with the indices from `first` on: a matrix of float32, [count, features]. A generator with conditions needs
    /// those of each sample, [count, conditions]. The samples go to `out`, or to a new array.
    #[pyo3(signature = (count, *, seed = 0, first = 0, conditions = None, out = None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        seed: u64,
        first: u64,
        conditions: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Matrix<'py>> {
        check_indices(first, count)?;
        let samples = arrays::result(py, out, [count, self.features], "out")?;
        let told = conditions.map(|conditions| arrays::matrix(conditions, "conditions")).transpose()?;
        self.check_conditions(told.as_ref(), count)?;
        let read: Vec<_> = told.iter().collect();
        let mut written = arrays::writable(&samples, "out", &read)?;
        let rows = written.as_slice_mut().map_err(arrays::not_dense)?;
        match &told {
            None => calls::using(py, &self.sampler, |sampler| Ok(sampler.sample(seed, first, rows)?))?,
            Some(told) => {
                let borrowed = arrays::readable(told, "conditions")?;
                let values = borrowed.as_slice().map_err(arrays::not_dense)?;
                let mut each = values.chunks_exact(self.conditions.max(1));
                let next = |_, place: &mut [f32]| {
                    if let Some(condition) = each.next() {
                        place.copy_from_slice(condition);
                    }
                };
                calls::using(py, &self.sampler, |sampler| Ok(sampler.sample_with(seed, first, next, rows)?))?;
            }
        }
        drop(written);
        Ok(samples)
    }

    /// Values of a sample.
    #[getter]
    fn features(&self) -> usize {
        self.features
    }

    /// Values of a sample's condition.
    #[getter]
    fn conditions(&self) -> usize {
        self.conditions
    }

    fn __repr__(&self) -> String {
        format!("Sampler(features={}, conditions={})", self.features, self.conditions)
    }
}

impl Sampler {
    /// Checks that there are conditions for `count` samples, where the generator has any.
    fn check_conditions(&self, told: Option<&Matrix<'_>>, count: usize) -> Result<(), Problem> {
        let expected = format!("[{count}, {}]", self.conditions);
        match told {
            None if self.conditions == 0 => Ok(()),
            None => Err(Error::shape("conditions", expected, "None").into()),
            Some(_) if self.conditions == 0 => {
                Err(Error::setting("conditions", "this generator has none; leave them out").into())
            }
            Some(told) if told.shape() != [count, self.conditions] => {
                Err(Error::shape("conditions", expected, format!("{:?}", told.shape())).into())
            }
            Some(_) => Ok(()),
        }
    }
}
