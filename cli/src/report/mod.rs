//! A page about a run, or about several side by side, in one HTML file that needs nothing else.
//!
//! A page is made from what the folder of the run holds, whether the run has ended, goes on, was stopped or was killed. The
//! files are read as if an enemy had written them: none need be there, be whole or be small, and every string is escaped.

mod chart;
mod columns;
mod correlations;
mod crowd;
mod health;
mod legs;
mod live;
mod page;
mod pages;
mod quality;
mod read;
mod record;
mod renewal;
mod settings;
mod several;
mod shots;
mod single;
mod table;
#[cfg(test)]
mod tests;
mod trials;

pub(crate) use live::Live;
pub(crate) use pages::{memory, page_about, write, write_page};
pub(crate) use trials::{Trials, page_about_trials};
