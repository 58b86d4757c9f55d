//! Instruction sets: which ones the processor has, and one vector trait over all of them.
//!
//! A kernel is written once, generic over [`Simd`], and run by [`Isa::run`], which enters a `#[target_feature]` function
//! for the instruction set. An [`Isa`] can only be made by a check of the processor, so holding one proves that its
//! instructions may be executed.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Samples of a panel come in groups of this many lanes: one AVX-512 register of `f32`, two AVX2 registers.
///
/// Panel widths are multiples of it, whatever the instruction set, so that results do not depend on the register width.
pub const LANE_GROUP: usize = 16;

/// The name of an instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum IsaKind {
    /// AVX-512F, DQ, BW and VL with FMA: 16 lanes.
    Avx512,
    /// AVX2 with FMA: 8 lanes.
    Avx2,
    /// The `wide` crate: 8 lanes, whatever the target offers at compile time.
    Portable,
}

impl fmt::Display for IsaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        })
    }
}

impl FromStr for IsaKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "avx512" => Ok(Self::Avx512),
            "avx2" => Ok(Self::Avx2),
            "portable" => Ok(Self::Portable),
            other => Err(Error::setting("isa", format!("`{other}` is unknown; use avx512, avx2 or portable"))),
        }
    }
}

/// An instruction set that this processor was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(IsaKind);

impl Isa {
    /// The instruction sets of this processor, best first. The last is always [`IsaKind::Portable`].
    pub fn available() -> Vec<Self> {
        todo!()
    }

    /// The best instruction set of this processor.
    pub fn best() -> Self {
        todo!()
    }

    /// The instruction set `kind`, or [`Error::IsaUnavailable`] where the processor lacks it.
    pub fn require(_kind: IsaKind) -> Result<Self> {
        todo!()
    }

    /// `forced` if given, else what the environment variable `GANNET_ISA` names, else [`Isa::best`].
    ///
    /// # Errors
    ///
    /// [`Error::IsaUnavailable`] where the processor lacks what was forced; [`Error::InvalidSetting`] for a name in
    /// `GANNET_ISA` that is unknown.
    pub fn resolve(_forced: Option<IsaKind>) -> Result<Self> {
        todo!()
    }

    /// The name.
    pub fn kind(self) -> IsaKind {
        self.0
    }

    /// The number of `f32` in a register.
    pub fn lanes(self) -> usize {
        if self.0 == IsaKind::Avx512 { 16 } else { 8 }
    }
}
