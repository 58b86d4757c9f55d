//! What a page that is made again says about itself.

use std::time::Duration;

/// What a page that is made again says about itself.
pub(super) struct Renewal {
    /// When the next one comes in general, and the time within which it is promised.
    pub(super) next: Duration,
    pub(super) promise: Duration,
    /// Whether all steps are done, and the run is measured.
    pub(super) is_ending: bool,
    /// Steps of each run in all, and of all runs together before this process.
    pub(super) planned: u64,
    pub(super) before: u64,
    /// The time since this process began.
    pub(super) elapsed: Duration,
}
