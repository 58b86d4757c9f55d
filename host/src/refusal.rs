//! Why an object is not used.

use std::any::Any;
use std::fmt;
use std::mem;

/// Why a call does nothing, or does not come back with what it was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another call on the object is in progress.
    Busy,
    /// The object was made by the process that this one was forked from.
    Forked,
    /// This process was forked while the other one was in a call.
    ForkedInCall,
    /// An earlier call on the object panicked.
    Panicked,
    /// This call panicked, with these words.
    Panic(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => formatter
                .write_str("it is in another call; use an object from one thread at a time, and not from its own callbacks"),
            Self::Forked => formatter.write_str(
                "it was made before the process forked, and its threads are the parent's; make another one in the child",
            ),
            Self::ForkedInCall => formatter.write_str(
                "the process forked while a call of gannet was in progress; fork between calls, or start a new program in the child",
            ),
            Self::Panicked => formatter.write_str("an earlier call panicked; make another one, and go on from a checkpoint"),
            Self::Panic(words) => write!(
                formatter,
                "gannet has a mistake, please report it: {words}; make another object, and go on from a checkpoint"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// What a panic says.
pub fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let payload = match payload.downcast::<String>() {
        Ok(text) => return *text,
        Err(other) => other,
    };
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_string();
    }
    // The destructor of anything else might panic again.
    mem::forget(payload);
    "a panic without a message".to_string()
}
