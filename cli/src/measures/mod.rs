//! What a generator has learned, in numbers.

pub(crate) mod best;
pub(crate) mod columns;
pub(crate) mod compared;
pub(crate) mod comparison;
pub(crate) mod finding;
pub(crate) mod judgement;
pub(crate) mod measure;
pub(crate) mod quality;
pub(crate) mod ranks;
pub(crate) mod recognition;
pub(crate) mod shares;
pub(crate) mod spread;
