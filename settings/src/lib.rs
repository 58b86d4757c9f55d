//! The settings of a GAN: what they are called, mean and may be. The program's `config.toml`, its options and its reports follow from
//! them, and so do the settings that other languages give as JSON.
//!
//! | what | where |
//! |---|---|
//! | settings with one value, such as the objective | [`Setting`]; those of the table `[gan]` are [`Setting::GAN`] |
//! | optimizers and networks | [`GanTable`] |
//! | the settings of a JSON text | [`json::parse`] |
//! | the defaults for own data | [`own_data`] |
#![forbid(unsafe_code)]

mod control;
mod gan_table;
pub mod json;
mod kind;
mod kinded;
pub mod nearest;
mod objective;
pub mod own_data;
mod penalties;
mod setting;
pub mod toml_error;
pub mod values;

pub use gan_table::GanTable;
pub use kind::Kind;
pub use setting::{
    CommandOption, HasSpec, Setting, Words, chosen, fraction, in_32_bits, number, path, size, text, whole,
};
