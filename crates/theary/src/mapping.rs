//! Ours to theirs, and theirs to ours. Pure.

pub mod actions;
pub mod order;
pub mod standing;
