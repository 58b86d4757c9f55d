//! The verdicts on a run: their words, and what usually helps.

use std::fmt;

/// What a run's figures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// There are too few evaluations, or G has had too little time to learn.
    TooEarly,
    /// Nothing stands out, in all that can be judged.
    Healthy,
    /// D tells all samples apart, again and again, and G does not catch up.
    DiscriminatorTooStrong,
    /// The samples show a few modes of the data alone.
    CollapseSuspected,
    /// G does not change, or no gradient reaches it.
    GeneratorNotLearning,
    /// The samples lie far from the data.
    FarFromData,
    /// The run ended with an error.
    Failed,
}

impl Verdict {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::TooEarly,
        Self::Healthy,
        Self::DiscriminatorTooStrong,
        Self::CollapseSuspected,
        Self::GeneratorNotLearning,
        Self::FarFromData,
        Self::Failed,
    ];

    /// Whether something is wrong: every verdict but "too early to tell" and "healthy".
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::TooEarly | Self::Healthy)
    }

    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooEarly => "too early to tell",
            Self::Healthy => "healthy",
            Self::DiscriminatorTooStrong => "D too strong",
            Self::CollapseSuspected => "collapse suspected",
            Self::GeneratorNotLearning => "G not learning",
            Self::FarFromData => "far from the data",
            Self::Failed => "failed",
        }
    }

    /// What usually helps; `None` where nothing needs help.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Healthy => None,
            Self::TooEarly => Some("train longer, or evaluate more often"),
            Self::DiscriminatorTooStrong => Some(
                "D tells all real and generated samples apart, and G does not catch up: lower D's learning rate or raise G's, \
                 take fewer steps of D, choose an objective that does not saturate, add a penalty (R1), or give D fewer units or dropout",
            ),
            Self::CollapseSuspected => Some(
                "the samples miss modes of the data: lower G's learning rate or Adam's beta1, raise the batch, give G more \
                 latent features, or try another seed",
            ),
            Self::GeneratorNotLearning => Some(
                "G does not change: raise its learning rate if it is tiny; if its gradient has vanished, lower D's learning \
                 rate and choose an objective that does not saturate; if units are dead, choose leaky ReLU and lower the learning rate",
            ),
            Self::FarFromData => Some(
                "the samples lie far from the data: lower the learning rates if the losses are large or swing, else train \
                 longer, or give both networks more units",
            ),
            Self::Failed => Some("remove the cause of the error, then go on from the last checkpoint"),
        }
    }

    /// The verdict with these words.
    pub fn from_words(words: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.words() == words)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_their_verdict() {
        for &verdict in Verdict::ALL {
            assert_eq!(Verdict::from_words(verdict.words()), Some(verdict));
            assert_eq!(verdict.to_string(), verdict.words());
            assert_eq!(verdict.hint().is_none(), verdict == Verdict::Healthy);
            // They stand in a cell of a table.
            assert!(!verdict.words().contains([',', '"', '\n']));
        }
        assert_eq!(Verdict::from_words("ill"), None);
    }
}
