//! Data-parallel training in several processes that share each batch: how their trainers begin, and how the others follow the first.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::exchange::{Exchange, Shared, Task, ranges};
use super::form::Form;
use super::model::Model;
use super::options::TrainerOptions;
use super::plan::{Plan, Schedule};
use super::settings;
use super::snapshot::Changes;
use super::source::Source;
use super::spec::GanSpec;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::memory::{bytes, filled};
use crate::network::Network;
use crate::parallel::Ahead;

impl<'a> Trainer<'a> {
    /// A trainer that shares each batch with other processes, all of which call this with the same specification, data and options, and then
    /// take the same steps. Each works on a part of the batch, has all parameters, and comes to the bits that one process with as many
    /// [`shards`](TrainerOptions::shards) comes to; reports, checkpoints and samples are the same in all of them.
    ///
    /// Where the exchange [says so](Exchange::goes_on_beside) in all processes, a trainer of wide networks has a thread more, which exchanges the
    /// gradients of layers while the backward pass goes on to those below.
    ///
    /// A run that one process is to stop ([`TrainerOptions::stop`], or a report that breaks) ends in all of them, a step later. A number
    /// that is not finite is the same error in all of them. What else fails in one process (its data, a hook) ends it alone: drop its trainer,
    /// or end the process, so that the others' exchange fails.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); [`Error::InvalidSetting`] for more processes than shards; [`Error::Exchange`] where another process
    /// could not begin, or has other settings.
    pub fn with_exchange(
        spec: GanSpec,
        source: Arc<dyn Source + 'a>,
        options: TrainerOptions,
        exchange: Box<dyn Exchange>,
    ) -> Result<Self> {
        let mut shared = Shared::new(exchange, options.shards)?;
        let script = |_, spec: &GanSpec, plan: &Plan| Form::default().script(spec, plan);
        let mut trainer = Self::of_shards(spec, source, options, Some(&mut shared), script);
        let agreed = shared.agree(trainer.as_ref().map(Self::settings_text).map_err(ToString::to_string));
        if let Ok(trainer) = &mut trainer {
            agreed?;
            trainer.adversary.ahead = trainer.ahead(&mut shared)?;
            trainer.adversary.shared = Some(shared);
        }
        trainer
    }

    /// The thread that exchanges gradients while the backward pass goes on, where all processes have one: in the layer-parallel schedule,
    /// which completes them layer by layer.
    fn ahead(&self, shared: &mut Shared) -> Result<Option<Ahead>> {
        let plan = &self.plan;
        let threads = (plan.schedule == Schedule::LayerParallel).then_some(plan.threads);
        if !shared.go_on_beside(threads)? {
            return Ok(None);
        }
        let ranges = Network::ALL.map(|network| ranges(self.spec.network(network)));
        Ahead::new("gannet-exchange", ranges.into(), shared.adder(plan.pass.isa)).map(Some)
    }

    /// Does what process 0 does with its trainer, until that [dismisses](Self::dismiss) the others: runs, turns of one network, and to
    /// [share a state](Self::share_state). `stop` of the options stops the runs of all.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); [`Error::InvalidSetting`] for a trainer that shares no batch, or is process 0; [`Error::Exchange`] for what only
    /// a process that calls it can do: steps with a hook or with given numbers.
    pub fn follow(&mut self) -> Result<()> {
        loop {
            let Some((task, standing)) = self.adversary.followed_task()? else {
                return Err(Error::setting("exchange", "there is no process 0 to follow; call what it would do"));
            };
            if task != Task::End {
                for (network, rate) in Network::ALL.into_iter().zip(standing.rates) {
                    self.set_learning_rate(network, rate)?;
                }
            }
            match task {
                Task::Run { steps, interval } => {
                    self.run_begun((steps, interval), None, |_, _| Ok(ControlFlow::Continue(())))?;
                }
                Task::DiscriminatorTurn => {
                    self.prepare_alone()?;
                    self.discriminator_alone()?;
                }
                Task::GeneratorTurn => {
                    self.prepare_alone()?;
                    self.generator_alone()?;
                }
                task @ (Task::Hooked { .. } | Task::Given) => {
                    let source = format!("begins {task}, which it has to be called for in every process");
                    return Err(Error::Exchange { process: 0, source: source.into() });
                }
                Task::State { bytes } => self.take_state(bytes)?,
                Task::End => return Ok(()),
            }
        }
    }

    /// Whether the last run ended before its end because another process that shares the batch was to stop.
    pub fn is_stopped_by_another(&self) -> bool {
        self.adversary.is_stopped_by_another()
    }

    /// Gives all that [follow](Self::follow) process 0 its state: parameters, optimizers, counts. (The learning rates of
    /// process 0 hold with every task.) It calls this after it has
    /// [restored](Self::restore) a checkpoint or [replaced](Self::set_model) parameters. A trainer that shares no batch has nobody to give it to.
    /// It takes memory for the state twice, which no plan counts, until it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`]; what [`checkpoint`](Self::checkpoint) reports.
    pub fn share_state(&mut self) -> Result<()> {
        if self.adversary.shared.is_none() {
            return Ok(());
        }
        let mut state = self.checkpoint()?.to_safetensors(&self.spec)?;
        self.adversary.begin_task(Task::State { bytes: state.len() as u64 })?;
        self.adversary.shared.as_mut().map_or(Ok(()), |shared| shared.spread(&mut state))
    }

    /// Takes the state of process 0, of so many bytes.
    fn take_state(&mut self, bytes: u64) -> Result<()> {
        if bytes > Model::largest_file(&self.spec) {
            let source = format!("{bytes} bytes are no state of these networks");
            return Err(Error::Exchange { process: 0, source: source.into() });
        }
        let mut state = filled(bytes as usize, 0)?;
        self.adversary.shared.as_mut().map_or(Ok(()), |shared| shared.spread(&mut state))?;
        let checkpoint = Checkpoint::from_safetensors(&state, &self.spec, "the state of process 0")?;
        self.restore(&checkpoint, Changes::Allowed)
    }

    /// Process 0 ends the [`follow`](Self::follow) of the others. A trainer that shares no batch has nobody to dismiss.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub fn dismiss(&mut self) -> Result<()> {
        self.adversary.begin_task(Task::End)
    }

    /// What decides the result, line by line.
    fn settings_text(&self) -> String {
        let settings = settings::settings(&self.spec, &self.options, self.intake.batches.extent());
        let version = format!("gannet {}", env!("CARGO_PKG_VERSION"));
        let lines = settings.iter().map(|(name, value)| format!("{name} {}", settings::text(value)));
        // What no setting tells: how they are drawn.
        let parameters = Network::ALL.map(|network| {
            let values = self.adversary.networks.parameters_view(network).parameters;
            format!("initial parameters of {network}: checksum {:08x}", crc32c::crc32c(bytes::of(values)))
        });
        std::iter::once(version).chain(lines).chain(parameters).collect::<Vec<_>>().join("\n")
    }
}
