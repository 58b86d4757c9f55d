//! One training shared by several processes: each works on a part of every batch, and all come to the bits of one. Here threads stand for
//! the processes, and channels for the network between them; over sockets or MPI an [`Exchange`] looks the same.
//!
//! `cargo run --release --example shared_batch`

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use gannet::data::synthetic;
use gannet::gan::presets::Preset;
use gannet::gan::{Exchange, ExchangeError, Model, Trainer, TrainerOptions};

/// One process's channels to and from the others, by their numbers.
struct Channels {
    process: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
}

impl Exchange for Channels {
    fn processes(&self) -> usize {
        self.to.len()
    }

    fn process(&self) -> usize {
        self.process
    }

    // A channel whose other end is gone fails, so that nobody waits for a process that has given up.
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), ExchangeError> {
        Ok(self.to[to].send(message.to_vec())?)
    }

    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<(), ExchangeError> {
        let received = self.from[from].recv()?;
        if received.len() != message.len() {
            return Err(format!(
                "{} bytes instead of {}: the processes do not do the same",
                received.len(),
                message.len()
            )
            .into());
        }
        message.copy_from_slice(&received);
        Ok(())
    }
}

/// The channels of so many processes.
fn channels(processes: usize) -> Vec<Channels> {
    let mut ends: Vec<_> =
        (0..processes).map(|process| Channels { process, to: Vec::new(), from: Vec::new() }).collect();
    for from in 0..processes {
        for to in 0..processes {
            let (sender, receiver) = channel();
            ends[from].to.push(sender);
            ends[to].from.push(receiver);
        }
    }
    ends
}

fn main() -> gannet::Result<()> {
    const STEPS: u64 = 500;
    // As many processes as there are shards, at most, come to the same bits.
    let options = || TrainerOptions::default().with_batch(1_024).with_shards(4).with_threads(1);
    let points = Arc::new(synthetic::circle(10_000, 1)?);
    let train = |mut trainer: Trainer<'_>| -> gannet::Result<Model> {
        trainer.run(STEPS, 0, |_| ControlFlow::Continue(()))?;
        trainer.model()
    };
    let alone = train(Trainer::new(Preset::Circle.spec(), points.clone(), options())?)?;
    for processes in [2, 3, 4] {
        let models: Vec<gannet::Result<Model>> = std::thread::scope(|scope| {
            let processes = channels(processes).into_iter().map(|channels| {
                let points = points.clone();
                scope.spawn(move || {
                    let spec = Preset::Circle.spec();
                    train(Trainer::with_exchange(spec, points, options(), Box::new(channels))?)
                })
            });
            // All begin before the first is waited for.
            let threads: Vec<_> = processes.collect();
            threads.into_iter().map(|thread| thread.join().expect("no process panics")).collect()
        });
        for model in models {
            assert!(model? == alone, "the same bits");
        }
        println!("{processes} processes: the bits of one after {STEPS} steps");
    }
    Ok(())
}
