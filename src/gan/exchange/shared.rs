//! An exchange in use: sums, signals and tasks go up the tree and down again.

use std::any::Any;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Exchange;
use super::branch::Branch;
use super::messages::{Signal, Standing, Task};
use super::wire::Wire;
use crate::error::{Error, Result};
use crate::gan::workspace::StepSums;
use crate::kernel::loss::LossSums;
use crate::memory::room;
use crate::simd::Isa;

/// An exchange, and the process's place. Clones of the exchange's handle are used by one thread at a time, whichever has the mutex.
#[derive(Debug)]
pub(in crate::gan) struct Shared {
    wire: Arc<Mutex<Wire>>,
    process: usize,
    processes: usize,
    branch: Branch,
}

fn locked(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// The exchange of a run with so many shards.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for more processes than shards, or an exchange whose numbers make no sense.
    pub(in crate::gan) fn new(exchange: Box<dyn Exchange>, shards: usize) -> Result<Self> {
        let (process, processes) = (exchange.process(), exchange.processes());
        if process >= processes {
            let problem = format!("process {process} of {processes} is none of them; they are numbered from 0");
            return Err(Error::setting("exchange", problem));
        }
        if processes > shards {
            let least = processes.next_power_of_two();
            let problem = format!(
                "{shards} for {processes} processes; each needs one at least: take {least}, or a larger power of two"
            );
            return Err(Error::setting("shards", problem));
        }
        let branch = Branch::new(process, processes, shards.max(1));
        let wire = Arc::new(Mutex::new(Wire::new(exchange, process, processes)));
        Ok(Self { wire, process, processes, branch })
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        locked(&self.wire)
    }

    /// Whether this is process 0, which the others may follow.
    pub(in crate::gan) fn leads(&self) -> bool {
        self.branch.parent.is_none()
    }

    /// The shards of this process.
    pub(in crate::gan) fn shards(&self) -> Range<usize> {
        self.branch.shards.clone()
    }

    /// Bytes that room for `len` numbers from others takes.
    pub(in crate::gan) fn bytes(&self, len: usize) -> u64 {
        self.wire().bytes(len)
    }

    /// Takes that room.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(in crate::gan) fn take_memory(&mut self, len: usize) -> Result<()> {
        self.wire().take_memory(len)
    }

    /// Adds `sums` of all processes, in place, in the tree. There is room for as many numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn add(&mut self, isa: Isa, sums: &mut [f32]) -> Result<()> {
        self.wire().add(isa, sums)
    }

    /// The same for another thread.
    pub(in crate::gan) fn adder(&self, isa: Isa) -> impl FnMut(&mut [f32]) -> Result<()> + Send + 'static {
        let wire = self.wire.clone();
        move |sums| locked(&wire).add(isa, sums)
    }

    /// The error of an exchange that has panicked in another thread of this process.
    pub(in crate::gan) fn panicked(&self, panic: &(dyn Any + Send)) -> Error {
        let told = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let source = format!("its exchange panicked: {}", told.unwrap_or("no message"));
        Error::Exchange { process: self.process, source: source.into() }
    }

    /// Whether all processes exchange gradients while their threads, so many of this one, go on with the backward pass. A process that
    /// cannot, whatever its exchange says, has `None`.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn go_on_beside(&mut self, threads: Option<usize>) -> Result<bool> {
        let mut wire = self.wire();
        let own = threads.is_some_and(|threads| wire.goes_on_beside(threads));
        let [all] = wire.combine([u8::from(own)], |[left], [right]| [left & right])?;
        Ok(self.processes > 1 && all == 1)
    }

    /// Sends `message` of process 0 to all others, which have as many bytes for it.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn spread(&mut self, message: &mut [u8]) -> Result<()> {
        if let Some(parent) = self.branch.parent {
            self.wire().receive(parent, message)?;
        }
        self.hand_down(message)
    }

    /// Sends what the whole tree has come to down to the children, the last first: it has the most below it.
    fn hand_down(&mut self, message: &[u8]) -> Result<()> {
        let mut wire = self.wire();
        self.branch.children.iter().rev().try_for_each(|child| wire.send(*child, message))
    }

    /// Adds two numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn add_pair(&mut self, sums: [f64; 2]) -> Result<[f64; 2]> {
        self.add_numbers(sums)
    }

    fn add_numbers<const N: usize>(&mut self, sums: [f64; N]) -> Result<[f64; N]> {
        // Room for the largest of them, so that messages have one length.
        const MOST: usize = 7;
        let packed = |sums: [f64; N]| {
            let mut message = [0; 8 * MOST];
            for (bytes, sum) in message.chunks_exact_mut(8).zip(sums) {
                bytes.copy_from_slice(&sum.to_ne_bytes());
            }
            message
        };
        let unpacked = |message: [u8; 8 * MOST]| {
            let (numbers, _) = message.as_chunks::<8>();
            std::array::from_fn(|index| numbers.get(index).map_or(0.0, |bytes| f64::from_ne_bytes(*bytes)))
        };
        let total = self.wire().combine(packed(sums), |left, right| {
            let (left, right): ([f64; N], [f64; N]) = (unpacked(left), unpacked(right));
            packed(std::array::from_fn(|index| left[index] + right[index]))
        })?;
        Ok(unpacked(total))
    }

    /// Adds the loss sums of a step.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn add_sums(&mut self, sums: StepSums) -> Result<StepSums> {
        let StepSums { real, fake, generator, penalty } = sums;
        let of = |sums: LossSums| [sums.loss, sums.probability];
        let [a, b] = of(real);
        let [c, d] = of(fake);
        let [e, f] = of(generator);
        // All processes have penalties in the same steps.
        let [a, b, c, d, e, f, total] = self.add_numbers([a, b, c, d, e, f, penalty.unwrap_or(0.0)])?;
        let sums = |loss, probability| LossSums { loss, probability, not_finite: false };
        Ok(StepSums { real: sums(a, b), fake: sums(c, d), generator: sums(e, f), penalty: penalty.map(|_| total) })
    }

    /// Tells the others, and hears of them.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn signal(&mut self, own: Signal) -> Result<Signal> {
        let joined = |left: Signal, right: Signal| Signal {
            fault: left.fault.or(right.fault),
            stops: left.stops || right.stops,
        };
        let heard = self
            .wire()
            .combine(own.packed(), |left, right| joined(Signal::unpacked(left), Signal::unpacked(right)).packed())?;
        Ok(Signal::unpacked(heard))
    }

    /// What process 0 is about to do, and where it stands. It has the task in hand; another process that has one checks that it is the same,
    /// and each that it stands at the same step.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`], also where it is not.
    pub(in crate::gan) fn task(&mut self, own: Option<Task>, standing: Standing) -> Result<(Task, Standing)> {
        let mut message = own.unwrap_or(Task::End).packed(standing);
        if let Some(parent) = self.branch.parent {
            self.wire().receive(parent, &mut message)?;
        }
        self.hand_down(&message)?;
        let (task, of_first) = Task::unpacked(message);
        let problem = |source: String| Err(Error::Exchange { process: 0, source: source.into() });
        if let Some(own) = own.filter(|own| *own != task) {
            return problem(format!("begins {task}, and this one {own}; do the same in all processes"));
        }
        let counts = |standing: Standing| (standing.steps, standing.discriminator_turns);
        if task.goes_on() && counts(of_first) != counts(standing) {
            return problem(format!(
                "has done {} steps and {} turns of D, and this one {} and {}; restore the same checkpoint, or share the state of process 0",
                of_first.steps, of_first.discriminator_turns, standing.steps, standing.discriminator_turns
            ));
        }
        if own.is_some() && task.goes_on() && of_first.rates != standing.rates {
            return problem(format!(
                "has the learning rates {:?}, and this one {:?}; set the same in all processes",
                of_first.rates, standing.rates
            ));
        }
        Ok((task, of_first))
    }

    /// Checks that all processes have begun, with the same settings: each tells these, or why it could not begin.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`] where a process could not begin, or has other settings.
    pub(in crate::gan) fn agree(&mut self, begun: Result<String, String>) -> Result<()> {
        let told = match &begun {
            // The sign is a line of its own.
            Ok(settings) => format!("+\n{settings}"),
            Err(error) => format!("-{error}"),
        };
        let problem = if self.process == 0 { self.compare(&told)? } else { self.ask(&told)? };
        match problem {
            None => Ok(()),
            Some((process, problem)) => Err(Error::Exchange { process, source: problem.into() }),
        }
    }

    /// The first process's part: it hears all others, and tells them who does not fit.
    fn compare(&mut self, told: &str) -> Result<Option<(usize, String)>> {
        let mut problem = told.strip_prefix('-').map(|error| (0, could_not_begin(error)));
        for process in 1..self.processes {
            let other = self.receive_text(process)?;
            let found = match other.strip_prefix('-') {
                Some(error) => Some(could_not_begin(error)),
                None if other == told => None,
                None => Some(difference(told, &other)),
            };
            problem = problem.or(found.map(|found| (process, found)));
        }
        let verdict = problem.as_ref().map_or_else(String::new, |(process, problem)| format!("{process} {problem}"));
        for process in 1..self.processes {
            self.send_text(process, &verdict)?;
        }
        Ok(problem)
    }

    /// The other processes' part.
    fn ask(&mut self, told: &str) -> Result<Option<(usize, String)>> {
        self.send_text(0, told)?;
        let verdict = self.receive_text(0)?;
        let Some((process, problem)) = verdict.split_once(' ') else { return Ok(None) };
        Ok(Some((process.parse().unwrap_or(0), problem.to_string())))
    }

    fn send_text(&mut self, to: usize, text: &str) -> Result<()> {
        self.wire().send(to, &(text.len() as u64).to_ne_bytes())?;
        self.wire().send(to, text.as_bytes())
    }

    fn receive_text(&mut self, from: usize) -> Result<String> {
        /// Longer ones are no settings.
        const MOST: u64 = 1 << 24;
        let mut length = [0; 8];
        self.wire().receive(from, &mut length)?;
        let length = u64::from_ne_bytes(length);
        if length > MOST {
            let source = format!("{length} bytes are no settings: is the other process gannet, of this version?");
            return Err(Error::Exchange { process: from, source: source.into() });
        }
        let mut text = room(length as usize)?;
        text.resize(length as usize, 0);
        self.wire().receive(from, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn could_not_begin(error: &str) -> String {
    format!("could not begin: {error}")
}

/// How the settings of another process differ from those `told`, line by line.
fn difference(told: &str, other: &str) -> String {
    let mut lines = told.lines().zip(other.lines());
    let (own, other) = lines.find(|(own, other)| own != other).unwrap_or(("fewer settings", "more of them"));
    format!("has other settings than process 0: {other} instead of {own}; start all with the same")
}
