//! What an object needs that another language holds: it has one user at a time, is of no use after a fork, and lets no panic out.
//!
//! | what | where |
//! |---|---|
//! | an object that refuses what cannot go well | [`Guarded`] |
//! | work without an object, whose panic is a refusal | [`caught`] |
//! | why it refuses | [`Refusal`] |
//! | the words of a panic | [`panic_text`] |
#![forbid(unsafe_code)]

mod calls;
mod guarded;
mod refusal;

pub use guarded::{Guarded, caught};
pub use refusal::{Refusal, panic_text};
