//! Processes that share a batch: who works on which shards, and how their sums become those of one process.
//!
//! ```text
//! shards      0     1       2     3          4 shards of 3 processes
//! processes   0     0       1     2          a process has a subtree of the batch's tree
//! up           \   /         \   /           process 2 sends its sums to 1, which adds them to its own
//!                0 ----------- 1             process 1 sends those to 0, which adds them: the sums of the batch
//! down         the same way back             0 sends them to 1, and 1 to 2
//! ```
//!
//! Sums are added where one process would add them, so that any number of processes comes to the same bits.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::fault::Fault;
use super::names;
use super::workspace::StepSums;
use crate::error::{Error, Result};
use crate::kernel::loss::LossSums;
use crate::kernel::reduce::add_assign;
use crate::memory::{AlignedBuffer, bytes, room};
use crate::network::Network;
use crate::simd::Isa;

/// What the sending or receiving of a message may fail with.
pub type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

/// How one of several processes that share a batch talks to the others: over MPI, sockets, or channels between threads of one process.
/// [`Trainer::with_exchange`](super::Trainer::with_exchange) takes it.
///
/// Messages of one process to another arrive in their order, and their lengths are known to both. A process that gives up drops its
/// exchange; the calls of the others that wait for it then have to fail, or they would wait for ever. Numbers are sent as the bytes that
/// they stand in: all processes run on processors of one byte order.
pub trait Exchange: Send {
    /// How many processes there are.
    fn processes(&self) -> usize;

    /// The number of this one, from 0.
    fn process(&self) -> usize;

    /// Sends a message to process `to`. It may return before that one has received it.
    ///
    /// # Errors
    ///
    /// The other process, or the way to it, is gone.
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), ExchangeError>;

    /// Receives the next message of process `from`, which is as long as `message`.
    ///
    /// # Errors
    ///
    /// The other process, or the way to it, is gone.
    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<(), ExchangeError>;
}

/// A process's place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its shards.
    pub(super) shards: Range<usize>,
    /// The processes whose sums it adds to its own, one after the other.
    children: Vec<usize>,
    /// The process that it sends its sums to; none has the first.
    parent: Option<usize>,
}

impl Branch {
    /// The place of `process` of `processes`, at most `shards`, which is a power of two.
    fn new(process: usize, processes: usize, shards: usize) -> Self {
        let (mut shards, mut members) = (0..shards, 0..processes);
        let (mut children, mut parent) = (Vec::new(), None);
        while members.len() > 1 {
            // The larger half of the processes has the left half of the shards.
            let border = members.start + members.len().div_ceil(2);
            let middle = shards.start + shards.len() / 2;
            if process < border {
                if process == members.start {
                    children.insert(0, border);
                }
                (shards, members) = (shards.start..middle, members.start..border);
            } else {
                if process == border {
                    parent = Some(members.start);
                }
                (shards, members) = (middle..shards.end, border..members.end);
            }
        }
        Self { shards, children, parent }
    }
}

/// An exchange in use, the process's place, and room for what comes from others.
pub(super) struct Shared {
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
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("branch", &self.branch).finish_non_exhaustive()
    }
}

/// What processes tell each other after the passes of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signal {
    /// The fault of the batch's first samples that have one.
    pub(super) fault: Option<Fault>,
    /// Whether one of them is to stop after this step.
    pub(super) stops: bool,
    /// Whether the step is reported.
    pub(super) reports: bool,
    /// Whether that is so in some of them alone, which none of them can go on from.
    differs: bool,
}

impl Signal {
    /// What one process tells.
    pub(super) fn new(fault: Option<Fault>, stops: bool, reports: bool) -> Self {
        Self { fault, stops, reports, differs: false }
    }
}

impl Shared {
    /// The exchange of a run with so many shards.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for more processes than shards, or an exchange whose numbers make no sense.
    pub(super) fn new(exchange: Box<dyn Exchange>, shards: usize) -> Result<Self> {
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

    /// The shards of this process.
    pub(super) fn shards(&self) -> Range<usize> {
        self.branch.shards.clone()
    }

    /// Bytes that room for `len` numbers from others takes.
    pub(super) fn bytes(&self, len: usize) -> u64 {
        let values = if self.branch.children.is_empty() { 0 } else { len as u64 };
        values.saturating_mul(size_of::<f32>() as u64)
    }

    /// Takes that room.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn take_memory(&mut self, len: usize) -> Result<()> {
        self.received = AlignedBuffer::zeroed(if self.branch.children.is_empty() { 0 } else { len })?;
        Ok(())
    }

    /// Adds `sums` of all processes, in place, in the tree. There is room for as many numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(super) fn add(&mut self, isa: Isa, sums: &mut [f32]) -> Result<()> {
        let Self { wire, branch, received, .. } = self;
        for child in &branch.children {
            let received = &mut received[..sums.len()];
            wire.receive(*child, bytes::of_mut(received))?;
            add_assign(isa, sums, received);
        }
        if let Some(parent) = branch.parent {
            wire.send(parent, bytes::of(sums))?;
            wire.receive(parent, bytes::of_mut(sums))?;
        }
        self.hand_down(bytes::of(sums))
    }

    /// The same of messages of a few bytes, of which `join` makes one of a process's and of the next one's.
    fn combine<const N: usize>(&mut self, own: [u8; N], join: impl Fn([u8; N], [u8; N]) -> [u8; N]) -> Result<[u8; N]> {
        let Self { wire, branch, .. } = self;
        let mut message = own;
        for child in &branch.children {
            let mut received = [0; N];
            wire.receive(*child, &mut received)?;
            message = join(message, received);
        }
        if let Some(parent) = branch.parent {
            wire.send(parent, &message)?;
            wire.receive(parent, &mut message)?;
        }
        self.hand_down(&message)?;
        Ok(message)
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
    pub(super) fn add_pair(&mut self, sums: [f64; 2]) -> Result<[f64; 2]> {
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
    pub(super) fn add_sums(&mut self, sums: StepSums) -> Result<StepSums> {
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
    pub(super) fn signal(&mut self, own: Signal) -> Result<Signal> {
        let joined = |left: Signal, right: Signal| Signal {
            fault: left.fault.or(right.fault),
            stops: left.stops || right.stops,
            reports: left.reports,
            differs: left.differs || right.differs || left.reports != right.reports,
        };
        let heard =
            self.combine(own.packed(), |left, right| joined(Signal::unpacked(left), Signal::unpacked(right)).packed())?;
        let heard = Signal::unpacked(heard);
        if heard.differs {
            let source = "not all processes report the same steps; run as many steps with the same interval in each";
            return Err(Error::Exchange { process: self.process, source: source.into() });
        }
        Ok(heard)
    }

    /// Checks that all processes have begun, with the same settings: each tells these, or why it could not begin.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`] where a process could not begin, or has other settings.
    pub(super) fn agree(&mut self, begun: Result<String, String>) -> Result<()> {
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

/// Bytes of a [`Signal`].
const SIGNAL: usize = 16;

impl Signal {
    fn packed(self) -> [u8; SIGNAL] {
        let mut message = [0; SIGNAL];
        let flags = [self.stops, self.reports, self.differs];
        message[..3].copy_from_slice(&flags.map(u8::from));
        if let Some(Fault { network, layer, quantity }) = self.fault {
            message[3] = 1 + network as u8;
            message[4] = names::QUANTITIES.iter().position(|name| *name == quantity).unwrap_or(0) as u8;
            message[8..].copy_from_slice(&(layer as u64).to_ne_bytes());
        }
        message
    }

    fn unpacked(message: [u8; SIGNAL]) -> Self {
        let [stops, reports, differs, network, quantity, ..] = message;
        let mut layer = [0; 8];
        layer.copy_from_slice(&message[8..]);
        let fault = network.checked_sub(1).map(|network| Fault {
            network: if network == 0 { Network::Generator } else { Network::Discriminator },
            layer: u64::from_ne_bytes(layer) as usize,
            quantity: names::QUANTITIES.get(usize::from(quantity)).copied().unwrap_or(names::ACTIVATION),
        });
        let [stops, reports, differs] = [stops, reports, differs].map(|flag| flag != 0);
        Self { fault, stops, reports, differs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every process has a subtree, all shards are somebody's, and sums go to who would add them.
    #[test]
    fn processes_have_subtrees() {
        for shards in (0..8).map(|power| 1 << power) {
            for processes in 1..=shards {
                let branches: Vec<Branch> =
                    (0..processes).map(|process| Branch::new(process, processes, shards)).collect();
                let mut next = 0;
                for (process, branch) in branches.iter().enumerate() {
                    let range = branch.shards.clone();
                    assert_eq!(range.start, next, "{processes} of {shards}");
                    assert!(range.len().is_power_of_two() && range.start.is_multiple_of(range.len()));
                    next = range.end;
                    assert_eq!(branch.parent.is_none(), process == 0);
                    // What a child covers begins where the process's own, and its children's before it, end.
                    let mut covered = range;
                    for child in &branch.children {
                        assert_eq!(branches[*child].parent, Some(process));
                        let of_child = below(&branches, *child);
                        assert_eq!((of_child.start, of_child.len()), (covered.end, covered.len()));
                        covered.end = of_child.end;
                    }
                }
                assert_eq!(next, shards);
            }
        }
    }

    /// The shards of a process and of all below it.
    fn below(branches: &[Branch], process: usize) -> Range<usize> {
        let branch = &branches[process];
        let end = branch.children.last().map_or(branch.shards.end, |child| below(branches, *child).end);
        branch.shards.start..end
    }

    #[test]
    fn signals_come_back_from_their_bytes() {
        for (stops, reports, differs) in [(false, false, true), (true, false, false), (false, true, false)] {
            for quantity in names::QUANTITIES {
                for network in Network::ALL {
                    let fault = Some(Fault { network, layer: 70_000, quantity });
                    let signal = Signal { fault, stops, reports, differs };
                    assert_eq!(Signal::unpacked(signal.packed()), signal);
                }
            }
            let signal = Signal { fault: None, stops, reports, differs };
            assert_eq!(Signal::unpacked(signal.packed()), signal);
        }
    }
}
