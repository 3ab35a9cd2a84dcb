//! Ours to theirs, and theirs to ours. Pure.

pub mod order;
pub mod standing;
