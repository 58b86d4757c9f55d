//! What an evaluation says of a GAN's health.
//!
//! [`examine`] takes the figures of one moment from both networks and the data; [`Watch`] judges them over time:
//!
//! ```text
//! let mut watch = Watch::new(&spec);
//! at each evaluation:
//!     let health = examine(&trainer.model()?, Some(&trainer.gradients()?), &spec, &data, seed, isa)?;
//!     let verdict = watch.push(trainer.steps_done(), &health);
//! ```

mod cells;
mod coverage;
mod distance;
mod examination;
mod figures;
mod thresholds;
mod verdict;
mod watch;

pub use examination::examine;
#[cfg(feature = "internals")]
pub(crate) use examination::examine_by;
pub use figures::Health;
pub use verdict::Verdict;
pub use watch::Watch;
