//! Which network of a GAN: the name that files, errors and views have in common.

use std::fmt;

/// One of the two networks of a GAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
            Self::Generator => "generator",
            Self::Discriminator => "discriminator",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
