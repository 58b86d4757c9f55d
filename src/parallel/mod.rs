//! The worker team.
