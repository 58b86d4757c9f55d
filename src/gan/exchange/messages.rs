//! What processes tell each other beside their sums, and the bytes that it takes.

use std::fmt;

use crate::gan::fault::Fault;
use crate::gan::names;
use crate::network::Network;

/// What processes tell each other after the passes of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::gan) struct Signal {
    /// The fault of the batch's first samples that have one.
    pub(in crate::gan) fault: Option<Fault>,
    /// Whether one of them is to stop after this step.
    pub(in crate::gan) stops: bool,
}

/// What process 0 is about to do, and the others with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gan) enum Task {
    /// A run of so many steps that reports with this interval.
    Run { steps: u64, interval: u64 },
    /// The same with a hook on gradients, which the others cannot know.
    Hooked { steps: u64, interval: u64 },
    /// D's turn of a step alone.
    DiscriminatorTurn,
    /// G's turn of a step alone.
    GeneratorTurn,
    /// A step with given numbers, which the others cannot know.
    Given,
    /// Its state goes to the others, as the bytes of a checkpoint.
    State { bytes: u64 },
    /// Nothing more: they are dismissed.
    End,
}

/// Bytes of a [`Signal`].
pub(super) const SIGNAL: usize = 16;

impl Signal {
    pub(super) fn packed(self) -> [u8; SIGNAL] {
        let mut message = [0; SIGNAL];
        message[0] = u8::from(self.stops);
        if let Some(Fault { network, layer, quantity }) = self.fault {
            message[1] = 1 + network as u8;
            message[2] =
                names::QUANTITIES.iter().position(|name| *name == quantity).unwrap_or(usize::from(u8::MAX)) as u8;
            message[8..].copy_from_slice(&(layer as u64).to_ne_bytes());
        }
        message
    }

    pub(super) fn unpacked(message: [u8; SIGNAL]) -> Self {
        let [stops, network, quantity, ..] = message;
        let mut layer = [0; 8];
        layer.copy_from_slice(&message[8..]);
        let fault = network.checked_sub(1).map(|network| Fault {
            network: if network == 0 { Network::Generator } else { Network::Discriminator },
            layer: u64::from_ne_bytes(layer) as usize,
            quantity: names::QUANTITIES.get(usize::from(quantity)).copied().unwrap_or(names::ACTIVATION),
        });
        Self { fault, stops: stops != 0 }
    }
}

/// Where process 0 stands when a task begins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::gan) struct Standing {
    /// Steps done.
    pub(in crate::gan) steps: u64,
    /// Turns of D done.
    pub(in crate::gan) discriminator_turns: u64,
    /// The learning rates of G and D, which a schedule starts from.
    pub(in crate::gan) rates: [f32; 2],
}

/// Bytes of a [`Task`], and of where process 0 stands.
pub(super) const TASK: usize = 48;

impl Task {
    /// The kind's number, and the numbers of a run.
    fn numbers(self) -> [u64; 3] {
        match self {
            Self::End => [0; 3],
            Self::Run { steps, interval } => [1, steps, interval],
            Self::Hooked { steps, interval } => [2, steps, interval],
            Self::DiscriminatorTurn => [3, 0, 0],
            Self::GeneratorTurn => [4, 0, 0],
            Self::Given => [5, 0, 0],
            Self::State { bytes } => [6, bytes, 0],
        }
    }

    /// Whether it goes on from where the processes stand.
    pub(super) fn goes_on(self) -> bool {
        !matches!(self, Self::State { .. } | Self::End)
    }

    pub(super) fn packed(self, standing: Standing) -> [u8; TASK] {
        let mut message = [0; TASK];
        let [kind, first, second] = self.numbers();
        let [of_generator, of_discriminator] = standing.rates.map(|rate| u64::from(rate.to_bits()));
        let numbers =
            [kind, first, second, standing.steps, standing.discriminator_turns, of_generator << 32 | of_discriminator];
        for (bytes, number) in message.chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_ne_bytes());
        }
        message
    }

    pub(super) fn unpacked(message: [u8; TASK]) -> (Self, Standing) {
        let (numbers, _) = message.as_chunks::<8>();
        let number = |index: usize| numbers.get(index).map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        let (steps, interval) = (number(1), number(2));
        let rates = [number(5) >> 32, number(5)].map(|bits| f32::from_bits(bits as u32));
        let standing = Standing { steps: number(3), discriminator_turns: number(4), rates };
        let task = match number(0) {
            1 => Self::Run { steps, interval },
            2 => Self::Hooked { steps, interval },
            3 => Self::DiscriminatorTurn,
            4 => Self::GeneratorTurn,
            5 => Self::Given,
            6 => Self::State { bytes: steps },
            _ => Self::End,
        };
        (task, standing)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { steps, interval } => write!(formatter, "{steps} steps with the interval {interval} of reports"),
            Self::Hooked { steps, interval } => {
                write!(formatter, "{steps} steps with a hook and the interval {interval} of reports")
            }
            Self::DiscriminatorTurn => formatter.write_str("D's turn alone"),
            Self::GeneratorTurn => formatter.write_str("G's turn alone"),
            Self::Given => formatter.write_str("a step with given numbers"),
            Self::State { .. } => formatter.write_str("to share its state"),
            Self::End => formatter.write_str("nothing more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_back_from_their_bytes() {
        let (steps, interval) = (1 << 40, 7);
        let runs = [Task::Run { steps, interval }, Task::Hooked { steps, interval }];
        for task in runs.into_iter().chain([
            Task::DiscriminatorTurn,
            Task::GeneratorTurn,
            Task::Given,
            Task::State { bytes: steps },
            Task::End,
        ]) {
            let standing = Standing { steps: 5, discriminator_turns: 1 << 33, rates: [0.1, -1e-30] };
            assert_eq!(Task::unpacked(task.packed(standing)), (task, standing));
        }
    }

    #[test]
    fn signals_come_back_from_their_bytes() {
        for stops in [false, true] {
            for quantity in names::QUANTITIES {
                for network in Network::ALL {
                    let fault = Some(Fault { network, layer: 70_000, quantity });
                    let signal = Signal { fault, stops };
                    assert_eq!(Signal::unpacked(signal.packed()), signal);
                }
            }
            let signal = Signal { fault: None, stops };
            assert_eq!(Signal::unpacked(signal.packed()), signal);
        }
    }
}
