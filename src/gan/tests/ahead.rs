//! Gradients that processes exchange while the backward pass goes on. Two threads stand for two processes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::gemm::{Engine, EngineKind, OuterProduct, PanelProduct};

const HIDDEN: usize = 400;

/// Opens when a process has received gradients.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

/// One process's channels to and from the other.
struct Channels {
    process: usize,
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
    beside: bool,
    gate: Arc<Gate>,
}

impl Exchange for Channels {
    fn processes(&self) -> usize {
        2
    }

    fn process(&self) -> usize {
        self.process
    }

    fn send(&mut self, _to: usize, message: &[u8]) -> std::result::Result<(), ExchangeError> {
        Ok(self.to.send(message.to_vec())?)
    }

    fn receive(&mut self, _from: usize, message: &mut [u8]) -> std::result::Result<(), ExchangeError> {
        message.copy_from_slice(&self.from.recv()?);
        // Half of D's second layer and what is behind it; all other messages are shorter.
        if message.len() >= HIDDEN * HIDDEN {
            *self.gate.is_open.lock().unwrap() = true;
            self.gate.opened.notify_all();
        }
        Ok(())
    }

    fn goes_on_beside(&self, _threads: usize) -> bool {
        self.beside
    }
}

/// The native engine, which holds the last product of D's backward pass, of its first layer's weights, until the gate is open or its
/// patience is over.
struct Holding {
    gate: Arc<Gate>,
    patience: Duration,
    was_open: AtomicBool,
}

impl Engine for Holding {
    fn panel_product(&self, isa: Isa, product: PanelProduct<'_>) {
        EngineKind::Native.engine().panel_product(isa, product);
    }

    fn outer_product(&self, isa: Isa, product: OuterProduct<'_>) -> bool {
        if (product.inputs, product.outputs) == (FEATURES, HIDDEN) {
            let Gate { is_open, opened } = &*self.gate;
            let (is_open, _) =
                opened.wait_timeout_while(is_open.lock().unwrap(), self.patience, |is_open| !*is_open).unwrap();
            self.was_open.store(*is_open, Relaxed);
        }
        EngineKind::Native.engine().outer_product(isa, product)
    }
}

/// A step of two processes, and whether each has received gradients before the end of D's backward pass.
fn step(beside: bool, patience: Duration) -> Vec<(bool, Model)> {
    let ((to_second, of_first), (to_first, of_second)) = (channel(), channel());
    let ends = [(to_second, of_second), (to_first, of_first)];
    std::thread::scope(|scope| {
        let processes = ends.into_iter().enumerate().map(|(process, (to, from))| {
            scope.spawn(move || {
                let gate = Arc::new(Gate::default());
                let engine: &'static Holding =
                    Box::leak(Box::new(Holding { gate: gate.clone(), patience, was_open: AtomicBool::new(false) }));
                let exchange = Box::new(Channels { process, to, from, beside, gate });
                let (spec, source) = (spec(Order::DiscriminatorFirst, HIDDEN), Arc::new(Rows::new(40)));
                let options = TrainerOptions { shards: 2, threads: 1, ..options(40) };
                let mut trainer = Trainer::with_exchange(spec, source, options, exchange).unwrap();
                trainer.plan.pass.engine = engine;
                trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
                (engine.was_open.load(Relaxed), trainer.model().unwrap())
            })
        });
        let processes: Vec<_> = processes.collect();
        processes.into_iter().map(|process| process.join().unwrap()).collect()
    })
}

/// Each backward pass is held in its last product until the gradients of the other process's layers have come.
#[test]
fn layers_that_are_complete_are_exchanged_before_the_pass_ends() {
    let beside = step(true, Duration::from_secs(120));
    let after = step(false, Duration::from_millis(100));
    assert!(beside.iter().all(|(was_open, _)| *was_open));
    assert!(!after.iter().any(|(was_open, _)| *was_open));
    assert!(beside.iter().chain(&after).all(|(_, model)| *model == beside[0].1), "the same bits");
}
