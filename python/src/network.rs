//! Networks as functions that can be differentiated: a layer of another program.

use gannet::Error;
use gannet::gan::{DenseNetwork, GradientMode};
use gannet::net::{LayerTensors, NetworkSpec};
use gannet_host::Guarded;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{self, Matrix};
use crate::calls;
use crate::options;
use crate::parameters::{self, Given};
use crate::problem::Problem;
use crate::spec::Spec;

/// A network that another program trains as one of its layers. Its parameters are the caller's to update.
#[pyclass(frozen, module = "gannet")]
pub(crate) struct Network {
    network: Guarded<DenseNetwork>,
    spec: NetworkSpec,
    most_rows: usize,
}

/// What a backward pass does with the gradients of the parameters.
fn gradient_mode(name: &str) -> Result<GradientMode, Problem> {
    match name {
        "ignore" => Ok(GradientMode::Ignore),
        "overwrite" => Ok(GradientMode::Overwrite),
        "accumulate" => Ok(GradientMode::Accumulate),
        _ => {
            let problem = format!("`{name}` is unknown; use ignore, overwrite or accumulate");
            Err(Error::setting("gradients", problem).into())
        }
    }
}

impl Network {
    /// Lets `work` use the network, without the interpreter.
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut DenseNetwork) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        Ok(calls::using(py, &self.network, |network| Ok(work(network)?))?)
    }

    /// Puts tensors into the network.
    fn put(&self, py: Python<'_>, given: Given) -> PyResult<()> {
        self.with(py, |network| {
            let mut layers = network.parameters()?;
            given.put_into(&mut layers);
            network.set_parameters(&layers)
        })
    }

    /// A dict of tensors, one of each of the network's.
    fn dict<'py>(&self, py: Python<'py>, layers: &[LayerTensors]) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        parameters::put(&dict, "", &self.spec, layers)?;
        Ok(dict)
    }
}

#[pymethods]
impl Network {
    /// Checks everything, takes all memory, draws initial weights.
    ///
    /// `settings` are a dict with the layers of one network, as config.toml has them ({"layers": [{"inputs": 2, "outputs": 16}, ...]}), or
    /// the settings of a Trainer, of which `network`, "generator" or "discriminator", names one. `batch` is the most rows of a pass.
    #[new]
    #[pyo3(signature = (settings, network = "generator", **options),
           text_signature = "(settings, network='generator', *, batch=None, seed=0, threads=None, engine='auto', isa=None, memory_limit=None)")]
    fn new(settings: &Bound<'_, PyAny>, network: &str, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (spec, usual) = Spec::network(settings, network)?;
        let options = options::read(options, options::NETWORK, usual)?;
        let most_rows = options.batch;
        let made = calls::made(settings.py(), || Ok(DenseNetwork::new(spec.clone(), options)?))?;
        Ok(Self { network: made, spec, most_rows })
    }

    /// The network's answer to each row, [rows, outputs], in `out` or a new array. What a backward pass needs is kept until the next forward
    /// pass.
    ///
    /// Without `training_seed` it is that of the network as it is after training: nothing is dropped, running statistics stand in for those of
    /// the rows, and groups of outputs are probabilities. With it the pass is one in training: dropout and groups of outputs are drawn, by the
    /// seed and the row's place alone, batch normalization takes the statistics of the rows, over groups of them, and the buffers follow the
    /// pass.
    #[pyo3(signature = (rows, *, training_seed = None, out = None))]
    fn forward<'py>(
        &self,
        rows: &Bound<'py, PyAny>,
        training_seed: Option<u64>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Matrix<'py>> {
        let py = rows.py();
        let rows = arrays::matrix(rows, "rows")?;
        self.check_columns(&rows, self.spec.inputs(), "rows")?;
        let outputs = arrays::result(py, out, [rows.shape()[0], self.spec.outputs()], "out")?;
        {
            let read = arrays::readable(&rows, "rows")?;
            let mut written = arrays::writable(&outputs, "out", &[&rows])?;
            let values = read.as_slice().map_err(arrays::not_dense)?;
            let place = written.as_slice_mut().map_err(arrays::not_dense)?;
            self.with(py, |network| match training_seed {
                Some(seed) => network.forward_in_training(values, seed, place),
                None => network.forward(values, place),
            })?;
        }
        Ok(outputs)
    }

    /// Goes back through the latest forward pass. `output_gradient`, [rows, outputs], is the gradient of a loss with respect to its outputs.
    /// Returns that with respect to its rows, [rows, inputs], in `out` or a new array. The gradients of the parameters, summed over the
    /// rows, are ignored, overwritten or accumulated, as `gradients` says.
    #[pyo3(signature = (output_gradient, *, gradients = "overwrite", out = None))]
    fn backward<'py>(
        &self,
        output_gradient: &Bound<'py, PyAny>,
        gradients: &str,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Matrix<'py>> {
        let py = output_gradient.py();
        let mode = gradient_mode(gradients)?;
        let gradient = arrays::matrix(output_gradient, "output_gradient")?;
        self.check_columns(&gradient, self.spec.outputs(), "output_gradient")?;
        let row_gradient = arrays::result(py, out, [gradient.shape()[0], self.spec.inputs()], "out")?;
        {
            let read = arrays::readable(&gradient, "output_gradient")?;
            let mut written = arrays::writable(&row_gradient, "out", &[&gradient])?;
            let values = read.as_slice().map_err(arrays::not_dense)?;
            let place = written.as_slice_mut().map_err(arrays::not_dense)?;
            self.with(py, |network| network.backward(values, Some(place), mode))?;
        }
        Ok(row_gradient)
    }

    /// A copy of the parameters: a dict from names such as `0.weight`, [outputs, inputs], to arrays.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let layers = self.with(py, |network| network.parameters())?;
        self.dict(py, &layers)
    }

    /// Replaces the parameters that `parameters` has; the buffers stay. A backward pass then needs a new forward pass first.
    fn set_parameters(&self, parameters: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = parameters.py();
        parameters::check_names(parameters, "parameters", &parameters::names("", &self.spec))?;
        let given = Given::parameters(parameters, "", &self.spec)?;
        self.put(py, given)
    }

    /// A copy of what normalizations keep beside the parameters, a dict from names to arrays, [outputs]: of batch normalization
    /// `0.running_mean` and `0.running_var`, of spectral normalization `0.singular_vector`, with which the next power iteration begins. With the
    /// parameters they are all that a checkpoint of the network needs.
    fn buffers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let layers = self.with(py, |network| network.parameters())?;
        Ok(parameters::buffers_dict(py, &self.spec, &layers)?)
    }

    /// Replaces the buffers that `buffers` has. A backward pass then needs a new forward pass first.
    fn set_buffers(&self, buffers: &Bound<'_, PyDict>) -> PyResult<()> {
        let given = Given::buffers(buffers, &self.spec)?;
        self.put(buffers.py(), given)
    }

    /// A copy of the gradients of the parameters, named as they are.
    fn gradients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let layers = self.with(py, |network| network.gradients())?;
        self.dict(py, &layers)
    }

    /// Values of a row of the input.
    #[getter]
    fn inputs(&self) -> usize {
        self.spec.inputs()
    }

    /// Values of a row of the output.
    #[getter]
    fn outputs(&self) -> usize {
        self.spec.outputs()
    }

    /// The most rows of a pass.
    #[getter]
    fn batch(&self) -> usize {
        self.most_rows
    }

    fn __repr__(&self) -> String {
        format!("Network(inputs={}, outputs={}, batch={})", self.inputs(), self.outputs(), self.most_rows)
    }
}

impl Network {
    /// Checks that a matrix has so many columns.
    fn check_columns(&self, rows: &Matrix<'_>, columns: usize, name: &str) -> Result<(), Problem> {
        if rows.shape()[1] == columns {
            return Ok(());
        }
        Err(Error::shape(name, format!("[rows, {columns}]"), format!("{:?}", rows.shape())).into())
    }
}
