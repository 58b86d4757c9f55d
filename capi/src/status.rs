//! What a call came to.

use gannet::Error;

/// What a call came to. Numbers never change their meaning; later versions may add some. 17 and 18 mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum GannetStatus {
    /// The call did what it says.
    Ok = 0,
    /// A pointer that is needed is NULL.
    NullPointer = 1,
    /// A handle is none, has been freed, or is one of another kind.
    WrongHandle = 2,
    /// A handle is in use: by another thread, or by the call whose callback this is. Use a handle from one thread at a time.
    Busy = 3,
    /// A handle was made before the process forked. Make a new one in the child, or free it in the parent.
    Forked = 4,
    /// An earlier call came to `GANNET_PANIC`, so that this handle may be half changed. Free it, and go on from a checkpoint.
    Refused = 5,
    /// Gannet met a mistake of its own; please report the message. The handle refuses further calls.
    Panic = 6,
    /// An argument has a value that makes no sense: a number of no network, a text that is not UTF-8, a struct of a strange size.
    InvalidArgument = 7,
    /// The memory that the result is to be written to is too small; the size that is needed has been written.
    BufferTooSmall = 8,
    /// There are too many handles. Free some.
    TooManyHandles = 9,
    /// A setting makes no sense, or contradicts another one.
    InvalidSetting = 10,
    /// A matrix has another shape than is needed.
    Shape = 11,
    /// An instruction set was forced that this processor lacks.
    IsaUnavailable = 12,
    /// The memory limit is too low.
    MemoryLimit = 13,
    /// The system refused memory, or the machine does not have as much in all.
    OutOfMemory = 14,
    /// Training met a number that is not finite. The step is half done: load a checkpoint, or set the parameters.
    NotFinite = 15,
    /// A network in use makes numbers that are not finite.
    ModelNotFinite = 16,
    /// The callback that fills batches failed. The step has not begun; the next one asks for the same samples.
    Source = 19,
    /// A callback failed. The turn that called it has changed nothing.
    Callback = 20,
    /// Data that were handed in or read are not what they should be.
    Data = 21,
    /// The system refused a file operation.
    Io = 22,
    /// The worker threads could not be had.
    Threads = 23,
    /// Something that this version of the interface has no number for; the message says what. No function of this version comes to it.
    Other = 24,
    /// A function was called before what it needs, such as a backward pass before a forward pass.
    Misuse = 25,
}

/// What keeps a call from doing what it says.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: GannetStatus,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: GannetStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// A [`GannetStatus::InvalidArgument`].
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(GannetStatus::InvalidArgument, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::InvalidSetting { .. } => GannetStatus::InvalidSetting,
            Error::Shape { .. } => GannetStatus::Shape,
            Error::IsaUnavailable { .. } => GannetStatus::IsaUnavailable,
            Error::MemoryLimit { .. } => GannetStatus::MemoryLimit,
            Error::OutOfMemory { .. } => GannetStatus::OutOfMemory,
            Error::NotFinite { .. } => GannetStatus::NotFinite,
            Error::ModelNotFinite { .. } => GannetStatus::ModelNotFinite,
            Error::Source { .. } => GannetStatus::Source,
            Error::Callback { .. } => GannetStatus::Callback,
            Error::Data { .. } => GannetStatus::Data,
            Error::Io { .. } => GannetStatus::Io,
            Error::Threads { .. } => GannetStatus::Threads,
            Error::Misuse { .. } => GannetStatus::Misuse,
            _ => GannetStatus::Other,
        };
        Self::new(status, error.to_string())
    }
}
