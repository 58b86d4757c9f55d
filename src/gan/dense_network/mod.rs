//! A dense network of its own, forward and backward: what another program wraps as one of its layers.

mod passes;
mod tiles;
mod views;

use std::fmt;
use std::sync::Arc;

use super::options::{Resources, TrainerOptions};
use crate::error::{Error, Result};
use crate::memory;
use crate::net::panels::PassPlan;
use crate::net::{LayerTensors, NetworkSpec};
use crate::parallel::{self, Team, ThreadPool};
use crate::rows;
use passes::Passes;

pub use passes::GradientMode;

/// A network as a function of rows that can be differentiated: outputs, the gradient with respect to the rows, and the gradients of the
/// parameters. Another program trains it by an optimizer and a loss of its own, as one layer of a larger model for instance.
///
/// All memory is taken by [`new`](Self::new), for batches of up to [`TrainerOptions::batch`] rows. A call takes any number of rows up to
/// that. The same rows, seed and parameters give the same bits at any number of threads, and however much room there is.
///
/// Parameters and gradients are [`LayerTensors`], as those of a [`Model`](super::Model) and of [`ModularLoss`](super::ModularLoss) are; the
/// latter's gradient with respect to the fakes is what [`backward`](Self::backward) takes. To apply a network whose parameters stay as they
/// are from several threads, [`NetworkFunction`](super::NetworkFunction) is enough.
///
/// ```
/// use gannet::gan::{DenseNetwork, GradientMode, TrainerOptions};
/// use gannet::net::{Activation, NetworkSpec};
///
/// let spec = NetworkSpec::dense(&[2, 16, 1], Activation::Tanh, 0.0, Activation::Linear);
/// let mut network = DenseNetwork::new(spec, TrainerOptions::default().with_batch(64))?;
///
/// // Two rows, and the gradient of the sum of their outputs.
/// let (rows, mut outputs, mut row_gradient) = ([0.5, -0.5, 1.0, 2.0], [0.0; 2], [0.0; 4]);
/// network.forward(&rows, &mut outputs)?;
/// network.backward(&[1.0, 1.0], Some(&mut row_gradient), GradientMode::Overwrite)?;
/// let gradients = network.gradients()?;
/// assert_eq!(gradients[1].bias, [2.0]);
///
/// // A step of gradient descent.
/// let mut parameters = network.parameters()?;
/// for (layer, gradient) in parameters.iter_mut().zip(&gradients) {
///     layer.weight.iter_mut().zip(&gradient.weight).for_each(|(weight, gradient)| *weight -= 0.1 * gradient);
///     layer.bias.iter_mut().zip(&gradient.bias).for_each(|(bias, gradient)| *bias -= 0.1 * gradient);
/// }
/// network.set_parameters(&parameters)?;
/// # Ok::<(), gannet::Error>(())
/// ```
pub struct DenseNetwork {
    passes: Passes,
    most_rows: usize,
    threads: usize,
    memory: u64,
    pool: Option<Arc<ThreadPool>>,
}

impl fmt::Debug for DenseNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passes, most_rows, threads, .. } = self;
        formatter
            .debug_struct("DenseNetwork")
            .field("spec", passes.spec())
            .field("most_rows", most_rows)
            .field("threads", threads)
            .finish_non_exhaustive()
    }
}

impl DenseNetwork {
    /// Checks everything, takes all memory, draws initial parameters as `spec` says.
    ///
    /// Of the options these count: `batch`, the most rows of a call; `seed`, that of the parameters; `threads` and `pool`; `engine`, `isa`
    /// and `memory_limit`.
    ///
    /// # Errors
    ///
    /// An invalid specification or option; an instruction set that is missing; memory that the limit or the system refuses.
    pub fn new(spec: NetworkSpec, options: TrainerOptions) -> Result<Self> {
        spec.validate("network")?;
        let most_rows = options.batch;
        if most_rows == 0 || u32::try_from(most_rows).is_err() {
            return Err(Error::setting("batch", format!("{most_rows} is not between 1 and 2^32 - 1")));
        }
        let mut resources = Resources::resolve(&options)?;
        let memory = Passes::memory(&spec, most_rows);
        memory::check(memory, options.memory_limit)?;
        let threads = Passes::most_threads(&spec, most_rows, resources.threads);
        resources.ensure_pool(threads)?;
        let plan = PassPlan { isa: resources.isa, engine: options.engine.engine(), tasks: threads };
        let passes = Passes::new(spec, most_rows, options.seed, plan)?;
        Ok(Self { passes, most_rows, threads, memory, pool: resources.pool })
    }

    /// The network.
    pub fn spec(&self) -> &NetworkSpec {
        self.passes.spec()
    }

    /// The most rows of a call.
    pub fn most_rows(&self) -> usize {
        self.most_rows
    }

    /// The most threads that work at once.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Bytes of parameters, gradients and what passes keep.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Rows that stand side by side in memory in a call of `rows` rows; the last ones may be fewer. In training they are a group of
    /// [batch normalization](crate::net::Normalization::Batch). Their number depends on the network and on `rows` alone.
    pub fn panel_width(&self, rows: usize) -> usize {
        self.passes.tiles(rows.max(1)).width()
    }

    /// Writes the network's answer to each row of `rows`, `[rows, inputs]`, to `outputs`, `[rows, outputs]`; both are row-major. It is that
    /// of the network as it is after training, and depends on no other row: nothing is dropped, running statistics stand in for those
    /// of the rows, and groups of outputs are probabilities. It changes nothing but what a backward pass needs, which is kept until the next
    /// forward pass.
    ///
    /// With several threads each call enters the pool, for which rayon allocates some small blocks; [`run`](Self::run) enters it once for
    /// many calls. Beside that nothing is allocated, with the native engine.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the slices are not as many whole rows, or more than there is room for. [`Error::Data`] for a row that is not
    /// finite, or a layer whose output is not. After an error there is no forward pass to go back through.
    pub fn forward(&mut self, rows: &[f32], outputs: &mut [f32]) -> Result<()> {
        self.run(|run| run.forward(rows, outputs))
    }

    /// The same as in training:
    ///
    /// - Dropout and [groups of outputs](crate::net::LayerSpec::softmax) are drawn. A draw depends on `seed` and the row's place in the batch
    ///   alone; take another seed for each batch.
    /// - [Batch normalization](crate::net::Normalization::Batch) takes mean and variance of the rows, over groups of
    ///   [`panel_width`](Self::panel_width) rows, and its running statistics follow those of all groups as PyTorch's do, with a momentum of 0.1.
    /// - [Spectral normalization](crate::net::Normalization::Spectral) keeps the singular vector that its power iteration finds, with which
    ///   the next one begins: one iteration a pass, as PyTorch's `spectral_norm` does.
    ///
    /// Both are among the [buffers](LayerTensors::buffers) of the parameters. A pass that fails leaves them as they were.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward). With batch normalization also [`Error::Shape`] for a number of rows that leaves one alone in a group, of
    /// which nothing would be left.
    pub fn forward_in_training(&mut self, rows: &[f32], seed: u64, outputs: &mut [f32]) -> Result<()> {
        self.run(|run| run.forward_in_training(rows, seed, outputs))
    }

    /// Goes back through the latest forward pass. `output_gradient`, `[rows, outputs]`, is the gradient of a loss with respect to its
    /// outputs; that with respect to its rows is written to `row_gradient`, `[rows, inputs]`, if there is one; the gradients of the
    /// parameters, summed over the rows, go where `mode` says. May be called several times for one forward pass.
    ///
    /// Gradients that overflow are infinite or NaN, as the arithmetic leaves them: look at them before an update.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] without a forward pass: before the first one, and after one that failed or parameters that were set since.
    /// [`Error::Shape`] where a slice does not have as many rows as that; [`Error::Data`] for a gradient handed in that is not finite.
    pub fn backward(
        &mut self,
        output_gradient: &[f32],
        row_gradient: Option<&mut [f32]>,
        mode: GradientMode,
    ) -> Result<()> {
        self.run(|run| run.backward(output_gradient, row_gradient, mode))
    }

    /// Calls `work` with the network while its threads stay awake: many passes enter the pool once, and allocate nothing at any number of
    /// threads. See [`TrainerOptions::pool`] for what this means to other jobs of the pool.
    ///
    /// ```
    /// use gannet::gan::{DenseNetwork, GradientMode, TrainerOptions};
    /// use gannet::net::{Activation, NetworkSpec};
    ///
    /// let spec = NetworkSpec::dense(&[2, 16, 1], Activation::Tanh, 0.0, Activation::Linear);
    /// let mut network = DenseNetwork::new(spec, TrainerOptions::default().with_batch(256).with_threads(2))?;
    /// let (rows, gradient, mut outputs) = (vec![0.5; 256 * 2], vec![1.0; 256], vec![0.0; 256]);
    /// network.run(|run| {
    ///     for _ in 0..10 {
    ///         run.forward(&rows, &mut outputs)?;
    ///         run.backward(&gradient, None, GradientMode::Accumulate)?;
    ///     }
    ///     gannet::Result::Ok(())
    /// })?;
    /// # Ok::<(), gannet::Error>(())
    /// ```
    pub fn run<R>(&mut self, work: impl FnOnce(&mut DenseRun<'_>) -> R) -> R {
        let pool = self.pool.clone();
        parallel::with_team(self.threads, pool.as_ref(), |team| work(&mut DenseRun { network: self, team }))
    }

    /// A copy of the parameters and buffers: all that a checkpoint needs.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn parameters(&self) -> Result<Vec<LayerTensors>> {
        let views = &self.passes.views;
        views.layout.tensors(&views.parameters)
    }

    /// Replaces the parameters. Buffers that a layer should have but does not are [as new](LayerTensors::buffers). A backward pass then needs a
    /// new forward pass first.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where they do not fit the specification, [`Error::InvalidSetting`] for buffers that no normalization has; then nothing
    /// is changed. [`Error::OutOfMemory`].
    pub fn set_parameters(&mut self, tensors: &[LayerTensors]) -> Result<()> {
        let Passes { views, latest, .. } = &mut self.passes;
        views.set_parameters(tensors)?;
        *latest = None;
        Ok(())
    }

    /// A copy of the gradients of the parameters, without buffers; zeros before the first backward pass that computes them.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn gradients(&self) -> Result<Vec<LayerTensors>> {
        self.passes.views.layout.trained_tensors(self.passes.gradients())
    }

    /// Copies the parameters of layer `layer`, counted from 0, to memory of the caller's: `weight` row-major `[outputs, inputs]`, `bias`
    /// `[outputs]`. Nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where there is no such layer, or a slice has another length.
    pub fn read_layer(&self, layer: usize, weight: &mut [f32], bias: &mut [f32]) -> Result<()> {
        self.check_layer(layer, weight.len(), bias.len())?;
        let views = &self.passes.views;
        views.layout.read_layer(&views.parameters, layer, (weight, bias));
        Ok(())
    }

    /// The same with the gradients of the parameters.
    ///
    /// # Errors
    ///
    /// As [`read_layer`](Self::read_layer).
    pub fn read_layer_gradients(&self, layer: usize, weight: &mut [f32], bias: &mut [f32]) -> Result<()> {
        self.check_layer(layer, weight.len(), bias.len())?;
        self.passes.views.layout.read_layer(self.passes.gradients(), layer, (weight, bias));
        Ok(())
    }

    /// Replaces the parameters of layer `layer`, shaped as [`read_layer`](Self::read_layer) gives them; its buffers stay. Nothing is allocated.
    /// A backward pass then needs a new forward pass first.
    ///
    /// # Errors
    ///
    /// As [`read_layer`](Self::read_layer); then nothing is changed.
    pub fn set_layer(&mut self, layer: usize, weight: &[f32], bias: &[f32]) -> Result<()> {
        self.check_layer(layer, weight.len(), bias.len())?;
        let Passes { views, latest, .. } = &mut self.passes;
        views.set_layer(layer, (weight, bias));
        *latest = None;
        Ok(())
    }

    /// Checks that there is a layer with so many weights and biases.
    fn check_layer(&self, layer: usize, weights: usize, biases: usize) -> Result<()> {
        let layers = self.passes.views.layout.layers();
        let Some(place) = layers.get(layer) else {
            let expected = format!("one from 0 to {}", layers.len() - 1);
            return Err(Error::shape("layer", expected, layer.to_string()));
        };
        for (role, expected, found) in [("weight", place.weight_count(), weights), ("bias", place.bias.len(), biases)] {
            if expected != found {
                let what = format!("network.{layer}.{role}");
                return Err(Error::shape(what, format!("{expected} values"), format!("{found} values")));
            }
        }
        Ok(())
    }
}

/// A [`DenseNetwork`] whose threads are awake: what [`DenseNetwork::run`] hands out.
pub struct DenseRun<'a> {
    network: &'a mut DenseNetwork,
    team: &'a Team<'a>,
}

impl fmt::Debug for DenseRun<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DenseRun").field("network", &self.network).finish_non_exhaustive()
    }
}

impl DenseRun<'_> {
    /// The network, to read and set its parameters between passes.
    pub fn network(&mut self) -> &mut DenseNetwork {
        self.network
    }

    /// As [`DenseNetwork::forward`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn forward(&mut self, rows: &[f32], outputs: &mut [f32]) -> Result<()> {
        self.pass(rows, None, outputs)
    }

    /// As [`DenseNetwork::forward_in_training`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn forward_in_training(&mut self, rows: &[f32], seed: u64, outputs: &mut [f32]) -> Result<()> {
        self.pass(rows, Some(seed), outputs)
    }

    fn pass(&mut self, rows: &[f32], seed: Option<u64>, outputs: &mut [f32]) -> Result<()> {
        let DenseNetwork { passes, most_rows, .. } = &mut *self.network;
        passes.latest = None;
        let (of_row, of_output) = (passes.spec().inputs(), passes.spec().outputs());
        let count = rows::whole("rows", rows.len(), of_row)?;
        if count > *most_rows {
            let expected = format!("at most {most_rows} rows, the batch that the network was made for");
            return Err(Error::shape("rows", expected, format!("{count} rows")));
        }
        check_rows("outputs", outputs.len(), count, of_output)?;
        if seed.is_some() {
            check_groups(passes, count)?;
        }
        rows::finite("rows", rows, of_row)?;
        passes.forward(self.team, rows, seed, outputs)
    }

    /// As [`DenseNetwork::backward`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn backward(
        &mut self,
        output_gradient: &[f32],
        row_gradient: Option<&mut [f32]>,
        mode: GradientMode,
    ) -> Result<()> {
        let passes = &mut self.network.passes;
        let Some(latest) = passes.latest else {
            let problem =
                "there is no forward pass to go back through; call forward first, and again after parameters were set";
            return Err(Error::Misuse { call: "backward", problem: problem.into() });
        };
        let (of_row, of_output) = (passes.spec().inputs(), passes.spec().outputs());
        check_rows("output_gradient", output_gradient.len(), latest.rows, of_output)?;
        if let Some(gradient) = &row_gradient {
            check_rows("row_gradient", gradient.len(), latest.rows, of_row)?;
        }
        rows::finite("output_gradient", output_gradient, of_output)?;
        passes.backward(self.team, latest, output_gradient, row_gradient, mode);
        Ok(())
    }
}

/// Checks that no row is alone in its group, where batch normalization takes the statistics of groups.
fn check_groups(passes: &Passes, count: usize) -> Result<()> {
    if count == 0 || !passes.groups_rows() {
        return Ok(());
    }
    let width = passes.tiles(count).width();
    if count % width != 1 {
        return Ok(());
    }
    let expected = format!("two rows or more in each group of batch normalization, which has {width}");
    Err(Error::shape("rows", expected, format!("{count} rows, the last alone in its group; add or leave out a row")))
}

/// Checks that `len` values are `rows` rows of `features`.
fn check_rows(what: &str, len: usize, rows: usize, features: usize) -> Result<()> {
    if len == rows * features {
        return Ok(());
    }
    Err(Error::shape(what, format!("{rows} x {features} values"), format!("{len} values")))
}
