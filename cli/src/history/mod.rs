//! What a run has done so far, and how it ended.

pub(crate) mod changed_settings;
pub(crate) mod end;
pub(crate) mod legs;
mod legs_version_1;
pub(crate) mod losses;
pub(crate) mod lost_replicas;
pub(crate) mod origin;
