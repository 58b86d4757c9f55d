//! A step as a program: what it does, in which order, as data.
//!
//! A [`Script`] says it in passes. It is written from the specification alone ([`script`]), and rewritings with stated conditions save
//! work in it ([`rewrite`]). A [`Program`] is a script whose values have their places on the tape ([`place`]); one interpreter runs it
//! for the trainer, for steps with given numbers and for the modular loss ([`run`]). Products, floating-point operations and the parts
//! of the waterfall bench are counted from the same script ([`count`]).
//!
//! ```text
//! generate     latents -> G -> fakes
//! stage        fakes that come from outside
//! judge        [real | fakes], or one of them, or samples between them -> D -> logits
//! keep         logits of the whole batch, for the means that a relativistic average objective compares with
//! loss         logits -> the gradient with respect to them
//! penalize     the same as learn, for D and its loss joined by penalties on its gradient with respect to its input
//! learn        that gradient back through a network: gradients of its parameters, or of its input, or both
//! share        of D's gradients with respect to pairs, those of the fakes, scaled to G's
//! narrow       that gradient without the rows of the conditions
//! hand over    the gradient with respect to fakes from outside
//! publish      fakes whose gradient comes from outside
//! answer       that gradient, back through the activation that made the fakes
//! ```
//!
//! Passes run chunk after chunk of the batch; what needs the whole batch stands between them, in a segment of its own. Real samples
//! and fakes pass D together, side by side in the same panels. A turn is what one network's update needs; a step is D's turn, as often
//! as the specification says, then G's.

mod context;
mod count;
mod judge;
mod losses;
mod penalize;
mod place;
mod rewrite;
mod run;
mod script;

pub(super) use context::{Context, Draws, Reals};
pub(super) use place::{Program, SegmentPlace};
pub(super) use run::run;
pub(super) use script::Script;

use super::streams::Stream;
use crate::kernel::activation::Activation;
use crate::kernel::loss::Side;
use crate::net::pass::InputMode;
use crate::network::Network;

/// What the passes of a segment do to each chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pass {
    /// Makes fakes by G, of latents from one stream, with G's dropout from another.
    Generate {
        /// Where the latents are drawn from.
        latents: Stream,
        /// Where G's dropout is drawn from.
        keeps: Stream,
    },
    /// Takes the fakes that are handed in.
    Stage,
    /// D's logits.
    Judge(Rows),
    /// Keeps D's logits of these for the whole batch.
    Keep(Rows),
    /// The gradient of a loss with respect to the logits.
    Loss(Loss),
    /// A backward pass.
    Learn {
        /// The network.
        network: Network,
        /// What its panels hold.
        rows: Rows,
        /// What becomes of the gradients of its parameters.
        gradients: Gradients,
        /// What becomes of that of its input.
        input: InputMode,
    },
    /// The gradients of D's parameters, of the loss of pairs and the penalties on them, or of the penalty on samples between real ones
    /// and fakes: a double backward pass. In a turn without penalties, the gradients of the loss alone.
    Penalize {
        /// [`Rows::Pairs`] or [`Rows::Between`].
        rows: Rows,
        /// What becomes of the gradients.
        gradients: Gradients,
    },
    /// The fakes' half of D's gradients with respect to its input, times what G's loss is of D's at each fake, back through the
    /// activation that made the fakes.
    Share(Activation),
    /// Of D's gradients with respect to fakes and conditions, those with respect to the fakes, back through the activation that made these.
    Narrow(Activation),
    /// Copies the gradient with respect to the fakes to where whoever made them fetches it.
    HandOver,
    /// Copies the fakes to where whoever answers with their gradient fetches them.
    Publish,
    /// Takes the gradient with respect to the fakes that is handed in, back through the activation that made them.
    Answer(Activation),
}

/// What a panel of D holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Real samples and fakes side by side.
    Pairs,
    /// Fakes alone.
    Fakes,
    /// Real samples alone.
    Reals,
    /// Samples drawn between a real one and a fake.
    Between,
}

/// A loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// D's, of pairs.
    Discriminator,
    /// G's, of fakes.
    Generator,
    /// D's of pairs, and how many times D's gradient at each fake G's is.
    Joint,
}

/// What becomes of the gradients of a network's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradients {
    /// They are not computed.
    Ignored,
    /// They are added up over the batch.
    Summed,
    /// They are added up, and the pass over the last chunk updates the parameters by them, operation by operation.
    SummedAndUsed,
}

/// A part of a turn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// These passes, over each chunk of the batch.
    Passes(Vec<Pass>),
    /// The means of the logits that were kept, for the loss of a side.
    Average(Side),
    /// The gradients of all slots are combined, and the network is updated by them.
    Update(Network),
}

impl Segment {
    /// The networks that are updated by what stands before these segments: nothing but updates stands between.
    fn updated(following: &[Self]) -> impl Iterator<Item = Network> {
        following.iter().map_while(|segment| match segment {
            Self::Update(network) => Some(*network),
            Self::Passes(_) | Self::Average(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
