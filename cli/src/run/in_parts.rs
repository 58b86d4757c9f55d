//! Work that threads share, each a part of it.

use std::thread;

use gannet::{Error, Result};

/// Hands each of `parts` to `work` on a thread of its own, or on this one where there is one alone; what comes back is in their order.
///
/// # Errors
///
/// The first that `work` reports; threads that the system refuses.
pub(crate) fn each<P: Send, R: Send>(
    parts: impl ExactSizeIterator<Item = P>,
    work: impl Fn(P) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if parts.len() < 2 {
        return parts.map(work).collect();
    }
    thread::scope(|scope| {
        let work = &work;
        let mut running = Vec::with_capacity(parts.len());
        for part in parts {
            let spawned = thread::Builder::new().spawn_scoped(scope, move || work(part));
            running
                .push(spawned.map_err(|error| Error::data("threads", format!("the system gives no more: {error}")))?);
        }
        let panicked = || Err(Error::data("threads", "one ended unexpectedly"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_their_order_and_the_first_error_counts() {
        for count in [0, 1, 2, 5] {
            let squares = each(0..count, |part: usize| Ok(part * part)).unwrap();
            assert_eq!(squares, (0..count).map(|part| part * part).collect::<Vec<_>>());
        }
        let refused = each(0..4, |part: usize| match part {
            0 | 2 => Ok(part),
            _ => Err(Error::data("part", part.to_string())),
        });
        assert_eq!(refused.unwrap_err().to_string(), "part: 1");
    }
}
