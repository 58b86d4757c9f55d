//! Trainers: both networks, and the data that they learn from.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gannet::Error;
use gannet::data::Labelled;
use gannet::gan::{Changes, Checkpoint, Model, Network, Source, Trainer as Inner, checkpoint};
use gannet_host::{Guarded, Refusal};
use numpy::{PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::borrowed::Borrowed;
use crate::calls::{self, detached};
use crate::parameters::Given;
use crate::problem::Problem;
use crate::report::Report;
use crate::run::{self, Asked};
use crate::sampler::Sampler;
use crate::spec::{Spec, network_named};
use crate::{arrays, file as files, options, parameters};

/// The note of a checkpoint that a caller wants to find beside it.
const NOTE: &str = "gannet.python";

/// Trains one GAN on the rows of an array.
#[pyclass(frozen, module = "gannet")]
pub(crate) struct Trainer {
    trainer: Guarded<Inner<'static>>,
    /// The process that made it.
    process: u32,
    stop: Arc<AtomicBool>,
    spec: Spec,
    batch: usize,
    threads: usize,
}

impl Trainer {
    /// Lets `work` use the trainer, without the interpreter.
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Inner<'static>) -> Result<R, Problem> + Send,
    ) -> PyResult<R> {
        Ok(calls::using(py, &self.trainer, work)?)
    }

    /// The bytes of a checkpoint with a note.
    fn checkpoint(&self, py: Python<'_>, note: String) -> PyResult<Vec<u8>> {
        self.with(py, |trainer| {
            let mut checkpoint = trainer.checkpoint()?;
            if !note.is_empty() {
                checkpoint.notes.insert(NOTE.to_string(), note);
            }
            Ok(checkpoint.to_safetensors(trainer.spec())?)
        })
    }

    /// A dict of tensors, one of each of both networks'.
    fn dict<'py>(&self, py: Python<'py>, model: &Model) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for network in Network::ALL {
            let prefix = format!("{}.", network.name());
            parameters::put(&dict, &prefix, self.spec.spec.network(network), model.network(network))?;
        }
        Ok(dict)
    }

    /// Goes on from a checkpoint that `read` reads.
    fn go_on(
        &self,
        py: Python<'_>,
        changes: bool,
        read: impl FnOnce(&Inner<'static>) -> Result<Checkpoint, Problem> + Send,
    ) -> PyResult<()> {
        let changes = if changes { Changes::Allowed } else { Changes::Refused };
        self.with(py, |trainer| {
            let checkpoint = read(trainer)?;
            Ok(trainer.restore(&checkpoint, changes)?)
        })
    }
}

#[pymethods]
impl Trainer {
    /// Checks everything, takes all memory, draws initial weights.
    ///
    /// `settings` are the name of a preset, a dict with the tables `run` and `gan` of config.toml, or such a dict as the text of JSON.
    /// `data` are the samples, a matrix [samples, features], with conditions behind the features where the settings have them. A matrix of
    /// float32 is read where it stands for as long as the trainer lives, in C order soonest, and must not be changed meanwhile; any other
    /// is converted once, and so is one with `labels` that is not in C order. `labels` are the class of each sample, counted from 0, of as many classes as the settings have conditions: then `data`
    /// have the features alone.
    #[new]
    #[pyo3(signature = (settings, data, *, labels = None, **options),
           text_signature = "(settings, data, *, labels=None, batch=None, seed=0, threads=None, shards=1, shuffle=None, engine='auto', isa=None, memory_limit=None)")]
    fn new(
        settings: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        labels: Option<Vec<u32>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = settings.py();
        let spec = Spec::of(settings)?;
        let stop = Arc::new(AtomicBool::new(false));
        let options = options::read(options, options::TRAINER, spec.options())?.with_stop(Arc::clone(&stop));
        let batch = options.batch;
        // Beside labels, rows are read whole.
        let data = if labels.is_some() { arrays::matrix(data, "data") } else { arrays::aligned(data, "data") };
        let samples = Arc::new(Borrowed::new(data?)?);
        let of_gan = spec.spec.clone();
        let made = calls::made(py, || {
            let source: Arc<dyn Source> = match labels {
                Some(labels) => Arc::new(Labelled::new(samples, labels, of_gan.conditions)?),
                None => samples,
            };
            Ok(Inner::new(of_gan, source, options)?)
        })?;
        let threads = calls::using(py, &made, |trainer| Ok(trainer.plan().threads))?;
        Ok(Self { trainer: made, process: process::id(), stop, spec, batch, threads })
    }

    /// Runs `steps` steps. After each `report_every`-th step, and after the last of this call, `progress` is called with a Report; 0 means
    /// after the last alone. Losses are computed only for steps that are reported.
    ///
    /// The run ends early, after a whole step, where `progress` returns something true, and after `stop()`. What `progress` raises, and
    /// KeyboardInterrupt, end it too and come out of this call; the trainer then stands after a whole step, and the next run goes on
    /// from there. Returns the report of the last step, or None where it was not reported.
    #[pyo3(signature = (steps, *, report_every = 0, progress = None))]
    fn run(
        &self,
        py: Python<'_>,
        steps: u64,
        report_every: u64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Option<Report>> {
        let asked = Asked { steps, report_every, progress };
        self.with(py, |trainer| {
            let outcome = run::run(trainer, &asked, &self.stop);
            // A stop ends one run.
            self.stop.store(false, Ordering::Relaxed);
            outcome
        })
    }

    /// Ends the run in progress after its step, or where there is none, the next one before its first step. Any thread may call this.
    fn stop(&self) -> PyResult<()> {
        // A run in progress holds the trainer, which cannot be asked then.
        if self.process != process::id() {
            return Err(Problem::from(Refusal::Forked).into());
        }
        self.stop.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The discriminator's turn of a step alone. As many of them as the setting `discriminator_steps` says and one of the generator are a
    /// step, bit for bit.
    fn step_discriminator(&self, py: Python<'_>) -> PyResult<Report> {
        self.with(py, |trainer| {
            let found = trainer.step_discriminator()?;
            Ok(Report::of_discriminator(trainer.steps_done(), found))
        })
    }

    /// The generator's turn of a step alone.
    fn step_generator(&self, py: Python<'_>) -> PyResult<Report> {
        self.with(py, |trainer| Ok(trainer.step_generator()?.into()))
    }

    /// The generator's turn with a loss of the caller's: `answer` is called with the fakes, [batch, features], and returns the gradient of
    /// that loss with respect to them, of the same shape, summed over the batch as the loss is. The discriminator takes no part. What
    /// `answer` raises comes out of this call, and the trainer is as it was.
    fn step_generator_with(&self, py: Python<'_>, answer: Py<PyAny>) -> PyResult<()> {
        let shape = [self.batch, self.spec.spec.features()];
        let mut raised = None;
        let outcome = self.with(py, |trainer| {
            Ok(trainer.step_generator_with(|fakes, gradient| {
                Python::attach(|py| answered(answer.bind(py), fakes, gradient, shape)).map_err(|problem| {
                    raised = Some(problem);
                    Error::callback("the answer to the fakes failed")
                })
            })?)
        });
        raised.map_or(outcome, |problem| Err(problem.into()))
    }

    /// The steps that make up so many passes over the data.
    fn steps_for_epochs(&self, py: Python<'_>, epochs: u64) -> PyResult<u64> {
        self.with(py, |trainer| Ok(trainer.steps_for_epochs(epochs)))
    }

    /// Replaces a network's learning rate from its next update on.
    fn set_learning_rate(&self, py: Python<'_>, network: &str, rate: f32) -> PyResult<()> {
        let network = network_named(network)?;
        self.with(py, |trainer| Ok(trainer.set_learning_rate(network, rate)?))
    }

    /// A copy of the parameters in training: a dict from names such as `generator.0.weight`, [outputs, inputs], to arrays.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let model = self.with(py, |trainer| Ok(trainer.raw_model()?))?;
        self.dict(py, &model)
    }

    /// A copy of the gradients over the batch of each network's last update, named as the parameters are; before the first they are 0.
    fn gradients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let model = self.with(py, |trainer| Ok(trainer.gradients()?))?;
        self.dict(py, &model)
    }

    /// Replaces the parameters that `parameters` has; moments of the optimizers and the number of steps stay. A trainer whose step failed
    /// takes steps again.
    fn set_parameters(&self, parameters: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = parameters.py();
        let prefixes = Network::ALL.map(|network| (network, format!("{}.", network.name())));
        let names: Vec<String> = prefixes
            .iter()
            .flat_map(|(network, prefix)| parameters::names(prefix, self.spec.spec.network(*network)))
            .collect();
        parameters::check_names(parameters, "parameters", &names)?;
        let mut given = Vec::new();
        for (network, prefix) in &prefixes {
            given.push((*network, Given::parameters(parameters, prefix, self.spec.spec.network(*network))?));
        }
        self.with(py, |trainer| {
            let mut model = trainer.raw_model()?;
            for (network, given) in given {
                given.put_into(match network {
                    Network::Generator => &mut model.generator,
                    Network::Discriminator => &mut model.discriminator,
                });
            }
            Ok(trainer.set_model(&model)?)
        })
    }

    /// Makes samples by a copy of the generator as it is now: training may go on beside it.
    fn sampler(&self, py: Python<'_>) -> PyResult<Sampler> {
        let made = self.with(py, |trainer| Ok(trainer.sampler()?))?;
        Ok(Sampler::new(made, self.spec.spec.conditions)?)
    }

    /// Writes a checkpoint to a file, whole or not at all: all that a run needs to go on as if it had never stopped.
    #[pyo3(signature = (path, *, overwrite = false))]
    fn save(&self, py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<()> {
        let bytes = self.checkpoint(py, String::new())?;
        Ok(detached(py, || files::write(&path, &bytes, overwrite))?)
    }

    /// Goes on from a checkpoint in a file: what follows is, bit for bit, what would have followed in the run that it was taken of. Settings
    /// that are not those of the checkpoint are an error, unless `changes` allows them.
    #[pyo3(signature = (path, *, changes = false))]
    fn load(&self, py: Python<'_>, path: PathBuf, changes: bool) -> PyResult<()> {
        self.go_on(py, changes, |trainer| Ok(Checkpoint::load(trainer.spec(), &path)?))
    }

    /// The bytes of a checkpoint, with a note that `checkpoint_note` finds.
    #[pyo3(signature = (note = String::new()), text_signature = "($self, note='')")]
    fn to_bytes<'py>(&self, py: Python<'py>, note: String) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.checkpoint(py, note)?))
    }

    /// Goes on from the bytes of a checkpoint, as `load` does from a file.
    #[pyo3(signature = (bytes, *, changes = false))]
    fn restore(&self, py: Python<'_>, bytes: &[u8], changes: bool) -> PyResult<()> {
        self.go_on(py, changes, |trainer| {
            Ok(Checkpoint::from_safetensors(bytes, trainer.spec(), "the checkpoint in memory")?)
        })
    }

    /// The bytes of a file with both networks alone, as samples are made by them: the program's model.safetensors.
    fn model_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |trainer| Ok(trainer.model()?.to_safetensors(trainer.spec())?))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Steps done.
    #[getter]
    fn steps_done(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |trainer| Ok(trainer.steps_done()))
    }

    /// How the steps are laid out, in words.
    #[getter]
    fn plan(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |trainer| Ok(trainer.plan().to_string()))
    }

    /// The instruction set in use.
    #[getter]
    fn isa(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |trainer| Ok(trainer.isa().kind().to_string()))
    }

    /// Samples of a batch.
    #[getter]
    fn batch(&self) -> usize {
        self.batch
    }

    /// Threads that work, the caller's included.
    #[getter]
    fn threads(&self) -> usize {
        self.threads
    }

    /// Values of a sample.
    #[getter]
    fn features(&self) -> usize {
        self.spec.spec.features()
    }

    /// Values that both networks are told of a sample.
    #[getter]
    fn conditions(&self) -> usize {
        self.spec.spec.conditions
    }

    /// Values of a latent vector.
    #[getter]
    fn latents(&self) -> usize {
        self.spec.spec.latents()
    }

    fn __repr__(&self) -> String {
        let (features, conditions, latents) = (self.features(), self.conditions(), self.latents());
        let (batch, threads) = (self.batch, self.threads);
        format!(
            "Trainer(latents={latents}, features={features}, conditions={conditions}, batch={batch}, threads={threads})"
        )
    }
}

/// Writes the gradient that `answer` returns for `fakes`, `[batch, features]`, to `gradient`.
fn answered(answer: &Bound<'_, PyAny>, fakes: &[f32], gradient: &mut [f32], shape: [usize; 2]) -> Result<(), Problem> {
    let fakes = arrays::vector(answer.py(), fakes.len(), fakes.iter().copied())?.reshape(shape)?;
    let found = arrays::matrix(&answer.call1((fakes,))?, "the gradient")?;
    if found.shape() != shape {
        return Err(Error::shape("the gradient", format!("{shape:?}"), format!("{:?}", found.shape())).into());
    }
    let found = arrays::readable(&found, "the gradient")?;
    gradient.copy_from_slice(found.as_slice().map_err(arrays::not_dense)?);
    Ok(())
}

/// The note in the bytes of a checkpoint; empty where there is none. `origin`, a path, opens messages.
#[pyfunction]
#[pyo3(signature = (bytes, origin = "the checkpoint in memory"))]
pub(crate) fn checkpoint_note(bytes: &[u8], origin: &str) -> PyResult<String> {
    let notes = checkpoint::notes(bytes, origin).map_err(Problem::from)?;
    Ok(notes.get(NOTE).cloned().unwrap_or_default())
}

/// The bytes of a checkpoint of a run of these settings with another note.
#[pyfunction]
pub(crate) fn checkpoint_with_note<'py>(
    settings: &Bound<'py, PyAny>,
    bytes: &[u8],
    note: String,
) -> PyResult<Bound<'py, PyBytes>> {
    let spec = Spec::of(settings)?.spec;
    let made = detached(settings.py(), || {
        let mut checkpoint = Checkpoint::from_safetensors(bytes, &spec, "the checkpoint in memory")?;
        checkpoint.notes.insert(NOTE.to_string(), note);
        Ok(checkpoint.to_safetensors(&spec)?)
    })?;
    Ok(PyBytes::new(settings.py(), &made))
}
