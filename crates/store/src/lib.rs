//! Postgres: one file per aggregate, personal data encrypted.
//!
//! [`Store`] is the database, [`Tx`] one transaction of it. Whatever belongs together (a changed order, its events, the
//! work that follows) is written through one `Tx`; what a worker does alone (claiming, leases, budgets) is one
//! statement of `Store`. Every read made for a caller is bound to a [`Scope`].
//!
//! Subjects, inputs, states, vendors' answers and hooks are sealed by the [`vault`] before they reach a statement. The
//! plain columns beside them are projections to find rows by: ids, statuses, times and words.
//!
//! **Lock order**, everywhere: rows of orders by ascending id, then whatever else.
//!
//! The store never reads a clock: times come in as [`domain::Timestamp`].

pub mod accounts;
pub mod audit;
pub mod cases;
pub mod claims;
pub mod documents;
pub mod error;
pub mod idempotency;
pub mod inbox;
pub mod normalise;
pub mod orders;
pub mod payloads;
pub mod scans;
mod sealed;
pub mod sequencer;
pub mod submissions;
pub mod tx;
pub mod vault;
pub mod vendor_objects;

pub use crate::accounts::{AccountStatus, Circuit, Paused};
pub use crate::audit::{AuditEntry, StoredAuditEntry};
pub use crate::cases::{CaseFilter, Decision};
pub use crate::claims::Claim;
pub use crate::documents::StoredDocument;
pub use crate::error::StoreError;
pub use crate::idempotency::{Begun, KeyHash, RequestHash, StoredAnswer};
pub use crate::inbox::InboxItem;
pub use crate::orders::{IdentifierFilter, OrderFilter, Plan, StoredEvent, Work};
pub use crate::submissions::{Finished, NewSubmission, StoredSubmission, SubmissionPart, SubmissionState};
pub use crate::tx::{MIGRATOR, Scope, Store, Tx, WakeListener};
pub use crate::vault::{OrderKey, Vault, VaultError};
pub use crate::vendor_objects::Holder;
