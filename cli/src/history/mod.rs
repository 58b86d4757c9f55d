//! What a run has done so far, and how it ended.

pub(crate) mod changed_settings;
pub(crate) mod end;
pub(crate) mod legs;
pub(crate) mod losses;
pub(crate) mod lost_replicas;
pub(crate) mod origin;
