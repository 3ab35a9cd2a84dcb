//! The rules, by what they are about. Each takes a way to make benches, and fails with a message that names the case.

pub mod cancel;
pub mod create;
pub mod fetch;
pub mod hooks;
pub mod locate;
pub mod lost;
pub mod sweep;
pub mod unsent;
pub mod validate;
