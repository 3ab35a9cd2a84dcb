//! What callers see: masked, and in the words of the contract.

pub mod check;
pub mod order;
pub mod subject;

pub use check::{CheckView, Sharers};
pub use order::OrderView;
pub use subject::SubjectView;

/// How much of the subject is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// Nothing that identifies on its own.
    Masked,
    /// The identifiers' values. Needs the scope `pii:read` and is audited. Everything else stays masked.
    Identifiers,
}
