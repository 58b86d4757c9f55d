//! An exchange between threads of one process, which allocates nothing once its messages have had their largest size.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gannet::gan::{Exchange, ExchangeError};

/// A message on its way.
#[derive(Default)]
struct Content {
    message: Vec<u8>,
    is_full: bool,
    is_closed: bool,
}

/// A mailbox of one sender and one receiver.
#[derive(Default)]
struct Mailbox {
    content: Mutex<Content>,
    changed: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content, once `ready` says so.
    fn wait(&self, ready: impl Fn(&Content) -> bool) -> Result<MutexGuard<'_, Content>, ExchangeError> {
        let waits = |content: &mut Content| !ready(content) && !content.is_closed;
        let content = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        if ready(&content) { Ok(content) } else { Err("the other thread is gone".into()) }
    }
}

/// One thread's end: mailboxes from each sender to each receiver.
pub(crate) struct Mailboxes {
    process: usize,
    all: Arc<Vec<Vec<Mailbox>>>,
    /// Whether gradients are exchanged while the backward pass goes on.
    beside: bool,
    /// What is left of its calls; behind these it is gone, by an error or by a panic.
    calls: usize,
    panics: bool,
}

impl Mailboxes {
    /// The same, which exchanges gradients while the backward pass goes on, or does not.
    pub(crate) fn with_beside(mut self, beside: bool) -> Self {
        self.beside = beside;
        self
    }

    /// The same, which is gone after so many calls, by an error or by a panic.
    pub(crate) fn gone_after(mut self, calls: usize, panics: bool) -> Self {
        (self.calls, self.panics) = (calls, panics);
        self
    }

    /// Counts a call.
    fn call(&mut self) -> Result<(), ExchangeError> {
        if let Some(calls) = self.calls.checked_sub(1) {
            self.calls = calls;
            return Ok(());
        }
        self.close();
        assert!(!self.panics, "told to");
        Err("gone".into())
    }

    fn close(&self) {
        for other in 0..self.all.len() {
            for mailbox in [&self.all[self.process][other], &self.all[other][self.process]] {
                mailbox.lock().is_closed = true;
                mailbox.changed.notify_all();
            }
        }
    }
}

/// The ends of so many threads.
pub(crate) fn mailboxes(processes: usize) -> Vec<Mailboxes> {
    let row = |_| (0..processes).map(|_| Mailbox::default()).collect();
    let all: Arc<Vec<Vec<Mailbox>>> = Arc::new((0..processes).map(row).collect());
    let end = |process| Mailboxes { process, all: all.clone(), beside: true, calls: usize::MAX, panics: false };
    (0..processes).map(end).collect()
}

impl Exchange for Mailboxes {
    fn processes(&self) -> usize {
        self.all.len()
    }

    fn process(&self) -> usize {
        self.process
    }

    fn goes_on_beside(&self, _threads: usize) -> bool {
        self.beside
    }

    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), ExchangeError> {
        self.call()?;
        let mailbox = &self.all[self.process][to];
        let mut content = mailbox.wait(|content| !content.is_full && !content.is_closed)?;
        content.message.clear();
        content.message.extend_from_slice(message);
        content.is_full = true;
        mailbox.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<(), ExchangeError> {
        self.call()?;
        let mailbox = &self.all[from][self.process];
        let mut content = mailbox.wait(|content| content.is_full)?;
        if content.message.len() != message.len() {
            return Err(format!("{} bytes instead of {}", content.message.len(), message.len()).into());
        }
        message.copy_from_slice(&content.message);
        content.is_full = false;
        mailbox.changed.notify_all();
        Ok(())
    }
}

impl Drop for Mailboxes {
    fn drop(&mut self) {
        self.close();
    }
}
