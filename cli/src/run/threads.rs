//! How many threads a run takes of those that it was asked for.

use gannet::cpu::available_threads;

/// What to say where a run takes fewer threads than it was asked for.
pub(crate) fn fewer_threads(asked: usize, taken: usize) -> Option<String> {
    let processors = available_threads();
    (asked > taken).then(|| {
        format!("threads: {asked} would only wait for each other on {processors} processors; the run takes {taken}")
    })
}
