//! Instruction sets: which ones the processor has, and one vector trait over all of them.
//!
//! A kernel is written once, generic over [`Simd`], and run by [`Isa::run`], which enters a `#[target_feature]` function
//! for the instruction set. An [`Isa`] can only be made by a check of the processor, so holding one proves that its
//! instructions may be executed.
//!
//! How large the processor's caches are ([`Caches`]) decides on the sizes of blocks, never on results.
//!
//! The invariant behind every `unsafe` block of this module: a token (a value of a type that implements [`Simd`]) exists
//! only if the processor has the instructions. `x86.rs` makes tokens and holds the only lists of required features.

mod caches;
mod column;
mod portable;
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

pub use caches::{CACHES_VARIABLE, Caches};
pub use column::{Column, ColumnMut};
pub use portable::Portable;
pub use vector::{Kernel, Simd};
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// Samples of a panel come in groups of this many lanes: one AVX-512 register of `f32`, two AVX2 registers.
///
/// Panel widths are multiples of it, whatever the instruction set, so that results do not depend on the register width.
pub const LANE_GROUP: usize = 16;

/// Registers of a lane group on the narrowest instruction set.
pub const GROUP_PARTS: usize = 2;

/// The environment variable that forces an instruction set, see [`Isa::resolve`].
pub const ISA_VARIABLE: &str = "GANNET_ISA";

/// The name of an instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
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
pub struct Isa(Token);

/// The proof inside an [`Isa`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

impl Isa {
    /// The instruction sets of this processor, best first. The last is always [`IsaKind::Portable`].
    pub fn available() -> Vec<Self> {
        Self::available_by(Self::detect)
    }

    /// The best instruction set of this processor.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// The instruction set `kind`.
    ///
    /// # Errors
    ///
    /// [`Error::IsaUnavailable`] where the processor lacks it.
    pub fn require(kind: IsaKind) -> Result<Self> {
        Self::require_by(Self::detect, kind)
    }

    /// `forced` if given, else what the environment variable `GANNET_ISA` names, else [`Isa::best`].
    ///
    /// # Errors
    ///
    /// [`Error::IsaUnavailable`] where the processor lacks what was forced; [`Error::InvalidSetting`] for a name in
    /// `GANNET_ISA` that is unknown, or a [`GANNET_CACHES`](CACHES_VARIABLE) that is not two sizes.
    pub fn resolve(forced: Option<IsaKind>) -> Result<Self> {
        Caches::named()?;
        // Found here, so that no product has to.
        Caches::found();
        let variable = std::env::var_os(ISA_VARIABLE).filter(|name| !name.is_empty());
        let variable = variable.as_deref().map(|name| name.to_string_lossy());
        Self::resolve_by(Self::detect, forced, variable.as_deref())
    }

    // The same by any means of detection, so that tests can play a processor that lacks instructions.

    fn available_by(detect: fn(IsaKind) -> Option<Self>) -> Vec<Self> {
        [IsaKind::Avx512, IsaKind::Avx2, IsaKind::Portable].into_iter().filter_map(detect).collect()
    }

    fn require_by(detect: fn(IsaKind) -> Option<Self>, kind: IsaKind) -> Result<Self> {
        detect(kind).ok_or_else(|| {
            let available: Vec<String> = Self::available_by(detect).iter().map(|isa| isa.kind().to_string()).collect();
            Error::IsaUnavailable { requested: kind.to_string(), available: available.join(", ") }
        })
    }

    fn resolve_by(
        detect: fn(IsaKind) -> Option<Self>,
        forced: Option<IsaKind>,
        variable: Option<&str>,
    ) -> Result<Self> {
        match (forced, variable) {
            (Some(kind), _) => Self::require_by(detect, kind),
            (None, Some(name)) => {
                let kind = name.parse().map_err(|_| {
                    Error::setting(ISA_VARIABLE, format!("`{name}` is unknown; use avx512, avx2 or portable"))
                })?;
                Self::require_by(detect, kind)
            }
            (None, None) => Ok(Self::available_by(detect)[0]),
        }
    }

    fn detect(kind: IsaKind) -> Option<Self> {
        match kind {
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx512 => Avx512::detect().map(|token| Self(Token::Avx512(token))),
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx2 => Avx2::detect().map(|token| Self(Token::Avx2(token))),
            #[cfg(not(target_arch = "x86_64"))]
            IsaKind::Avx512 | IsaKind::Avx2 => None,
            IsaKind::Portable => Some(Self(Token::Portable(Portable::token()))),
        }
    }

    /// The name.
    pub fn kind(self) -> IsaKind {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => IsaKind::Avx512,
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => IsaKind::Avx2,
            Token::Portable(_) => IsaKind::Portable,
        }
    }

    /// The number of `f32` in a register.
    pub fn lanes(self) -> usize {
        if self.kind() == IsaKind::Avx512 { 16 } else { 8 }
    }

    /// Whether a multiply-add rounds once.
    pub fn fused(self) -> bool {
        self.kind() != IsaKind::Portable || Portable::FUSED
    }

    /// Runs `kernel` with this instruction set: the one door from ordinary code to vector code.
    #[doc(hidden)]
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(token) => token.enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(token) => token.enter(kernel),
            Token::Portable(token) => token.enter(kernel),
        }
    }
}
