//! An exchange in use: sums, signals and tasks go up the tree and down again.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::Exchange;
use super::branch::{Branch, Part, half};
use super::messages::{Signal, Standing, Task};
use crate::error::{Error, Result};
use crate::gan::workspace::StepSums;
use crate::kernel::loss::LossSums;
use crate::kernel::reduce::add_assign;
use crate::memory::{AlignedBuffer, bytes, room};
use crate::simd::Isa;

/// An exchange in use, the process's place, and room for what comes from others.
pub(in crate::gan) struct Shared {
    wire: Wire,
    process: usize,
    processes: usize,
    branch: Branch,
    received: AlignedBuffer,
}

/// An exchange whose errors name the process. Whoever holds a trainer alone may use it; the mutex lets others hold a trainer, too.
struct Wire(Mutex<Box<dyn Exchange>>);

impl Wire {
    fn exchange(&mut self) -> &mut dyn Exchange {
        &mut **self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&mut self, to: usize, message: &[u8]) -> Result<()> {
        self.exchange().send(to, message).map_err(|source| Error::Exchange { process: to, source })
    }

    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<()> {
        self.exchange().receive(from, message).map_err(|source| Error::Exchange { process: from, source })
    }

    fn swap(&mut self, with: usize, message: &[u8], received: &mut [u8]) -> Result<()> {
        self.exchange().swap(with, message, received).map_err(|source| Error::Exchange { process: with, source })
    }
}

/// Adds `sums` among a process and its `partners`: with the nearest, each of the two adds one half, of which it then does the same with the
/// farther ones; then they give each other the halves. Which of two sums comes first makes no difference to their sum.
fn add_among(
    wire: &mut Wire,
    isa: Isa,
    process: usize,
    partners: &[usize],
    sums: &mut [f32],
    received: &mut [f32],
) -> Result<()> {
    let [partner, farther @ ..] = partners else { return Ok(()) };
    let (left, right) = sums.split_at_mut(half(sums.len()));
    let (own, others) = if process < *partner { (left, right) } else { (right, left) };
    let of_partner = &mut received[..own.len()];
    wire.swap(*partner, bytes::of(others), bytes::of_mut(of_partner))?;
    add_assign(isa, own, of_partner);
    add_among(wire, isa, process, farther, own, received)?;
    wire.swap(*partner, bytes::of(own), bytes::of_mut(others))
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("branch", &self.branch).finish_non_exhaustive()
    }
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
        Ok(Self { wire: Wire(Mutex::new(exchange)), process, processes, branch, received: AlignedBuffer::zeroed(0)? })
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
        (self.branch.part.room(len) as u64).saturating_mul(size_of::<f32>() as u64)
    }

    /// Takes that room.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(in crate::gan) fn take_memory(&mut self, len: usize) -> Result<()> {
        self.received = AlignedBuffer::zeroed(self.branch.part.room(len))?;
        Ok(())
    }

    /// Adds `sums` of all processes, in place, in the tree. There is room for as many numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn add(&mut self, isa: Isa, sums: &mut [f32]) -> Result<()> {
        let Self { wire, branch, received, process, .. } = self;
        match &branch.part {
            Part::Second { first } => {
                wire.send(*first, bytes::of(sums))?;
                wire.receive(*first, bytes::of_mut(sums))
            }
            Part::Partner { second, partners } => {
                if let Some(second) = second {
                    let received = &mut received[..sums.len()];
                    wire.receive(*second, bytes::of_mut(received))?;
                    add_assign(isa, sums, received);
                }
                add_among(wire, isa, *process, partners, sums, received)?;
                second.map_or(Ok(()), |second| wire.send(second, bytes::of(sums)))
            }
        }
    }

    /// The same of messages of a few bytes, of which `join` makes one of a process's and of the next one's.
    fn combine<const N: usize>(&mut self, own: [u8; N], join: impl Fn([u8; N], [u8; N]) -> [u8; N]) -> Result<[u8; N]> {
        let Self { wire, branch, process, .. } = self;
        let (mut message, mut received) = (own, [0; N]);
        match &branch.part {
            Part::Second { first } => {
                wire.send(*first, &message)?;
                wire.receive(*first, &mut message)?;
            }
            Part::Partner { second, partners } => {
                if let Some(second) = second {
                    wire.receive(*second, &mut received)?;
                    message = join(message, received);
                }
                for partner in partners {
                    wire.swap(*partner, &message, &mut received)?;
                    message = if *process < *partner { join(message, received) } else { join(received, message) };
                }
                second.map_or(Ok(()), |second| wire.send(second, &message))?;
            }
        }
        Ok(message)
    }

    /// Sends `message` of process 0 to all others, which have as many bytes for it.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(in crate::gan) fn spread(&mut self, message: &mut [u8]) -> Result<()> {
        if let Some(parent) = self.branch.parent {
            self.wire.receive(parent, message)?;
        }
        self.hand_down(message)
    }

    /// Sends what the whole tree has come to down to the children, the last first: it has the most below it.
    fn hand_down(&mut self, message: &[u8]) -> Result<()> {
        let Self { wire, branch, .. } = self;
        branch.children.iter().rev().try_for_each(|child| wire.send(*child, message))
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
        let total = self.combine(packed(sums), |left, right| {
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
        let heard =
            self.combine(own.packed(), |left, right| joined(Signal::unpacked(left), Signal::unpacked(right)).packed())?;
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
            self.wire.receive(parent, &mut message)?;
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
        self.wire.send(to, &(text.len() as u64).to_ne_bytes())?;
        self.wire.send(to, text.as_bytes())
    }

    fn receive_text(&mut self, from: usize) -> Result<String> {
        /// Longer ones are no settings.
        const MOST: u64 = 1 << 24;
        let mut length = [0; 8];
        self.wire.receive(from, &mut length)?;
        let length = u64::from_ne_bytes(length);
        if length > MOST {
            let source = format!("{length} bytes are no settings: is the other process gannet, of this version?");
            return Err(Error::Exchange { process: from, source: source.into() });
        }
        let mut text = room(length as usize)?;
        text.resize(length as usize, 0);
        self.wire.receive(from, &mut text)?;
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
