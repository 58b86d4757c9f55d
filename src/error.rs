//! The error type of the whole crate.

use std::path::PathBuf;

use crate::network::Network;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. Each message says what is wrong and, where something can be done, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting has a value that makes no sense, or that contradicts another one.
    #[error("{name}: {problem}")]
    InvalidSetting {
        /// The setting's name, as in `config.toml` (for instance `batch`, `generator.layers[1].slope`).
        name: String,
        /// What is wrong with the value, and which values are possible.
        problem: String,
    },
    /// A slice or tensor handed in has another shape than the callee needs.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What has the wrong shape.
        what: String,
        /// The shape that was needed.
        expected: String,
        /// The shape that was found.
        found: String,
    },
    /// An instruction set was forced that this processor does not have.
    #[error("instruction set {requested} is not available on this processor; available: {available}")]
    IsaUnavailable {
        /// The name of the forced instruction set.
        requested: String,
        /// The names of those that the processor has, best first, separated by commas.
        available: String,
    },
    /// The memory plan of a run exceeds the limit set for it.
    #[error(
        "the run needs {}, more than the limit of {}; lower the batch or raise the limit",
        bytes_text(*needed),
        bytes_text(*limit)
    )]
    MemoryLimit {
        /// Bytes that the plan asks for.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The system refused memory, or the machine does not have as much in all.
    #[error("there are no {} of memory to be had; lower the batch or the size of the networks", bytes_text(*bytes))]
    OutOfMemory {
        /// Bytes that were asked for.
        bytes: u64,
    },
    /// Training met a NaN or an infinity. Where the learning rates are usual ones, look at the data: values far outside of -1 .. 1
    /// ask for scaling.
    #[error("step {step}: {}", not_finite(*network, *layer, quantity))]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// The network.
        network: Network,
        /// The layer, counted from 0.
        layer: usize,
        /// What is not finite, where it began: `real sample`, `generated sample` (one handed in) or `latent` at the input of the
        /// network's layer 0; an `activation` (the layer's output) or a `logit` (that of D's last layer); a `gradient` of the
        /// layer's parameters (it, or its square in Adam), or one `gradient with respect to the samples`; a `parameter`.
        quantity: &'static str,
    },
    /// A model with a NaN or an infinity was to be used: its weights and biases, or what its layers make of finite inputs.
    #[error(
        "{} of the {network}'s layer {layer} is not finite, so the model is of no use; take one from before its training failed",
        article(quantity)
    )]
    ModelNotFinite {
        /// The network.
        network: Network,
        /// The layer, counted from 0.
        layer: usize,
        /// `weight` or `bias`; `activation`, where all of these are finite and the layer's output is not.
        quantity: &'static str,
    },
    /// A panic came out of the middle of a training step, so what it left is neither the state before the step nor the one after it. A
    /// trainer refuses everything that needs a whole state until one replaces it, as [`Trainer::set_model`](crate::gan::Trainer::set_model)
    /// and [`Trainer::restore`](crate::gan::Trainer::restore) do.
    #[error(
        "step {step}: a panic left it half done, so the networks must not be used; go back to a model or a checkpoint"
    )]
    HalfDone {
        /// The step, counted from 1.
        step: u64,
    },
    /// A panic, that of a source for instance, ended a step before it changed anything. The networks are those of the step before, and
    /// [`Trainer::model`](crate::gan::Trainer::model) and [`Trainer::checkpoint`](crate::gan::Trainer::checkpoint) give them. Steps are
    /// refused until [`Trainer::restore`](crate::gan::Trainer::restore) or [`Trainer::set_model`](crate::gan::Trainer::set_model) says what
    /// to go on from.
    #[error("step {step}: a panic ended it before it changed anything; save the networks, or go on from a checkpoint")]
    Poisoned {
        /// The step, counted from 1.
        step: u64,
    },
    /// A source of real samples failed. The step that asked for them has not begun: the trainer stands where it stood.
    #[error("sample {sample} of the source: {source}")]
    Source {
        /// The number of the first sample that was not written.
        sample: u64,
        /// What the source says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process that shares the batch has gone, could not begin, or has other settings. The step in progress, if there is one, is not
    /// whole: go on from a checkpoint.
    #[error("process {process}: {source}")]
    Exchange {
        /// The number of that process.
        process: usize,
        /// What the exchange says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A function of the caller's failed: a hook, or the answer to G's fakes. The turn that called it has changed nothing.
    #[error("{source}")]
    Callback {
        /// What the function says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A function was called before what it needs.
    #[error("{call}: {problem}")]
    Misuse {
        /// The function.
        call: &'static str,
        /// What is missing, and what to call first.
        problem: String,
    },
    /// Data that were read are not what they should be.
    #[error("{origin}: {problem}")]
    Data {
        /// Where the data come from, usually a path.
        origin: String,
        /// What is wrong, with the offset where that is known, and what to do.
        problem: String,
    },
    /// The system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `create` ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The worker threads could not be had.
    #[error("threads: {problem}")]
    Threads {
        /// Why.
        problem: String,
    },
}

/// The message of [`Error::NotFinite`] behind the step: what is not finite, and what usually helps.
fn not_finite(network: Network, layer: usize, quantity: &str) -> String {
    let outside = |what: &str, help: &str| format!("a {what} is not finite; {help}");
    let place = format!("{} of the {network}'s layer {layer} is not finite", article(quantity));
    match quantity {
        "real sample" => outside(quantity, "clean the data of NaN and infinite values"),
        "generated sample" | "latent" => outside(quantity, "look at what hands them in"),
        "activation" => {
            format!("{place}; lower the learning rates; smaller initial weights help too")
        }
        "logit" => {
            format!(
                "{place}; lower the discriminator's learning rate, or give it dropout, so that its weights stay small"
            )
        }
        "parameter" => format!("{place}; lower the {network}'s learning rate, or go back to a model that was finite"),
        _ => format!("{place}; a lower learning rate usually helps"),
    }
}

/// `a weight`, `an activation`.
fn article(noun: &str) -> String {
    format!("{} {noun}", if noun.starts_with('a') { "an" } else { "a" })
}

impl Error {
    /// An [`Error::InvalidSetting`].
    pub fn setting(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::InvalidSetting { name: one_line(name.into()), problem: one_line(problem.into()) }
    }

    /// An [`Error::Callback`], of a text or any error.
    pub fn callback(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Callback { source: source.into() }
    }

    /// An [`Error::Shape`].
    pub fn shape(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Shape { what: what.into(), expected: expected.into(), found: found.into() }
    }

    /// An [`Error::Data`].
    pub fn data(origin: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Data { origin: one_line(origin.into()), problem: one_line(problem.into()) }
    }
}

/// Bytes of memory in words: as a number, and in MiB where that tells more.
pub fn bytes_text(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    let mib = bytes as f64 / MIB;
    if mib < 0.1 { format!("{bytes} bytes") } else { format!("{bytes} bytes ({mib:.1} MiB)") }
}

/// Most bytes of a message. What a file holds stands in some of them, and a name in a hostile file may have a million.
const LONGEST: usize = 4096;

/// `text` in one line, without what moves the cursor of a terminal, and not too long to be read.
fn one_line(text: String) -> String {
    if text.len() <= LONGEST && !text.contains(char::is_control) {
        return text;
    }
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LONGEST {
            return line + "...";
        }
        match character {
            '\n' | '\r' | '\t' => line.push(' '),
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_cannot_spoil_a_message() {
        let error = Error::MemoryLimit { needed: 3 << 20, limit: 1_000 };
        assert!(error.to_string().contains("3145728 bytes (3.0 MiB), more than the limit of 1000 bytes;"), "{error}");
        let error = Error::data("a\nb", format!("the name \u{1b}[2J\r{} is missing", "é".repeat(9_999)));
        let message = error.to_string();
        assert!(message.starts_with("a b: the name \\u{1b}[2J é"), "{message}");
        assert!(message.ends_with("é...") && message.len() < LONGEST + 50, "{} bytes", message.len());
        assert_eq!(Error::setting("batch", "größer").to_string(), "batch: größer");
    }
}
