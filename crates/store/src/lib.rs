//! Postgres: one file per aggregate, personal data encrypted.
//!
//! [`Store`] is the database, [`Tx`] one transaction of it. Whatever belongs together (a changed order, its events, the
//! work that follows) is written through one `Tx`; what a worker does alone (claiming, leases, budgets) is one
//! statement of `Store`. Every read made for a caller is bound to a [`Scope`].
//!
//! Subjects, inputs, states, vendors' answers and hooks are sealed by the [`vault`] before they reach a statement. The
//! plain columns beside them are projections to find rows by: ids, statuses, times and words.
//!
//! **Lock order**, everywhere: rows of orders by ascending id, then whatever else. Only whoever walks through a batch to
//! cancel it holds the batch's row before; nobody who holds an order waits for a batch. A monitor's row comes after orders.
//!
//! The store never reads a clock: times come in as [`domain::Timestamp`].

pub mod accounts;
pub mod audit;
pub mod batches;
pub mod cancellations;
pub mod cases;
pub mod catch_up;
pub mod claims;
pub mod documents;
pub mod error;
pub mod idempotency;
pub mod inbox;
pub mod kin;
pub mod lanes;
pub mod monitors;
pub mod normalise;
pub mod orders;
pub mod orphans;
mod paging;
pub mod payloads;
pub mod scans;
mod sealed;
pub mod sequencer;
pub mod submissions;
pub mod sweeps;
pub mod tx;
pub mod vault;
pub mod vendor_files;
pub mod vendor_notes;
pub mod vendor_objects;

pub use crate::accounts::{AccountStatus, Circuit, Paused};
pub use crate::audit::{AuditEntry, StoredAuditEntry};
pub use crate::batches::BatchFilter;
pub use crate::cancellations::Cancellation;
pub use crate::cases::{CaseFilter, Decision};
pub use crate::claims::Claim;
pub use crate::documents::StoredDocument;
pub use crate::error::StoreError;
pub use crate::idempotency::{Begun, KeyHash, Looked, RequestHash, StoredAnswer};
pub use crate::inbox::{InboxItem, InboxSource};
pub use crate::kin::Kin;
pub use crate::lanes::Lane;
pub use crate::monitors::{Due, MonitorFilter, OpenRun, WatchedCheck};
pub use crate::orders::{IdentifierFilter, OrderFilter, Plan, StoredEvent, Work};
pub use crate::orphans::{ObjectCancel, Orphan, OrphanFilter, OrphanKind};
pub use crate::submissions::{Finished, NewSubmission, StoredSubmission, SubmissionPart, SubmissionState};
pub use crate::tx::{MIGRATOR, Scope, Store, Tx, WakeListener};
pub use crate::vault::{OrderKey, Vault, VaultError};
pub use crate::vendor_files::{FileClaim, FileNews, NewFile, Stop, StoredFile};
pub use crate::vendor_objects::Holder;
