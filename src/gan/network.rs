//! Which of the two networks.

use std::fmt;

use super::names::{DISCRIMINATOR, GENERATOR};

/// One of the two networks of a GAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// G: latents in, samples out.
    Generator,
    /// D: samples in, logits out.
    Discriminator,
}

impl Network {
    /// Both, G first.
    pub const ALL: [Self; 2] = [Self::Generator, Self::Discriminator];

    /// Its name, as files and errors have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generator => GENERATOR,
            Self::Discriminator => DISCRIMINATOR,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
