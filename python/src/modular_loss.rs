//! The adversarial loss as a part of its own: a discriminator that any generator can train against.

use gannet::Error;
use gannet::gan::ModularLoss as Inner;
use gannet::net::NetworkSpec;
use gannet_host::Guarded;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{self, Matrix};
use crate::calls;
use crate::options;
use crate::parameters::{self, Given};
use crate::problem::Problem;
use crate::report::Report;
use crate::spec::Spec;

/// A discriminator with its optimizer, which answers fakes with the gradient of the generator's loss.
#[pyclass(frozen, module = "gannet")]
pub(crate) struct ModularLoss {
    loss: Guarded<(Inner, u64)>,
    discriminator: NetworkSpec,
    batch: usize,
}

#[pymethods]
impl ModularLoss {
    /// Checks everything, takes all memory, draws the discriminator's initial weights.
    ///
    /// Of the settings, which are those of a Trainer, it takes the discriminator, its optimizer, the objective and the penalties; the generator
    /// may be left out.
    #[new]
    #[pyo3(signature = (settings, **options),
           text_signature = "(settings, *, batch=None, seed=0, threads=None, shards=1, engine='auto', isa=None, memory_limit=None)")]
    fn new(settings: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (spec, usual) = Spec::loss(settings)?;
        let options = options::read(options, options::LOSS, usual)?;
        let batch = options.batch;
        if spec.packing != 1 {
            let problem = "a loss judges each row alone; set it to 1, and hand in packs as rows";
            return Err(Problem::from(Error::setting("gan.packing", problem)).into());
        }
        let discriminator = spec.discriminator.clone();
        let loss = calls::made(settings.py(), || {
            let (objective, optimizer) = (spec.objective, spec.discriminator_optimizer);
            Ok((Inner::with_penalties(spec.discriminator, objective, spec.penalties, optimizer, options)?, 0))
        })?;
        Ok(Self { loss, discriminator, batch })
    }

    /// Updates the discriminator on `fakes` and `real`, then writes the gradient of the generator's loss with respect to the fakes to `out`.
    /// All are matrices [batch, features]. Arrays of float32 in C order are read and written where they stand. Returns the gradient, which is
    /// `out` or a new array, and a Report.
    #[pyo3(signature = (fakes, real, out = None))]
    fn step<'py>(
        &self,
        fakes: &Bound<'py, PyAny>,
        real: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Matrix<'py>, Report)> {
        let py = fakes.py();
        let (fakes, real) = (arrays::matrix(fakes, "fakes")?, arrays::matrix(real, "real")?);
        let gradient = arrays::result(py, out, [self.batch, self.discriminator.inputs()], "out")?;
        let report = {
            let mut written = arrays::writable(&gradient, "out", &[&fakes, &real])?;
            let (fakes, real) = (arrays::readable(&fakes, "fakes")?, arrays::readable(&real, "real")?);
            let fakes = fakes.as_slice().map_err(arrays::not_dense)?;
            let real = real.as_slice().map_err(arrays::not_dense)?;
            let place = written.as_slice_mut().map_err(arrays::not_dense)?;
            calls::using(py, &self.loss, |(loss, steps)| {
                let found = loss.step(fakes, real, place)?;
                *steps += 1;
                Ok(Report::of_modular(*steps, found))
            })?
        };
        Ok((gradient, report))
    }

    /// A copy of the discriminator's parameters: a dict from names such as `0.weight`, [outputs, inputs], to arrays.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let layers = calls::using(py, &self.loss, |(loss, _)| Ok(loss.discriminator()?))?;
        let dict = PyDict::new(py);
        parameters::put(&dict, "", &self.discriminator, &layers)?;
        Ok(dict)
    }

    /// Replaces the parameters that `parameters` has. A loss whose update failed takes steps again.
    fn set_parameters(&self, parameters: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = parameters.py();
        parameters::check_names(parameters, "parameters", &parameters::names("", &self.discriminator))?;
        let given = Given::parameters(parameters, "", &self.discriminator)?;
        Ok(calls::using(py, &self.loss, |(loss, _)| {
            let mut layers = loss.discriminator()?;
            given.put_into(&mut layers);
            Ok(loss.set_discriminator(&layers)?)
        })?)
    }

    /// Steps done.
    #[getter]
    fn steps_done(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(calls::using(py, &self.loss, |(_, steps)| Ok(*steps))?)
    }

    /// Rows of a step.
    #[getter]
    fn batch(&self) -> usize {
        self.batch
    }

    /// Values of a row.
    #[getter]
    fn features(&self) -> usize {
        self.discriminator.inputs()
    }

    fn __repr__(&self) -> String {
        format!("ModularLoss(features={}, batch={})", self.features(), self.batch)
    }
}
