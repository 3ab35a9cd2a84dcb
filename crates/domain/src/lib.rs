//! The words and rules of vetgate: orders, checks, outcomes, ids, and the one function that changes a check.
//!
//! Nothing here does I/O, waits or reads a clock; what time it is and what is random come in as parameters.
//! Start at [`order::Order`], then [`mod@reduce`] (how a check changes) and [`settle`] (when a doubt is settled).

pub mod batch;
pub mod case;
pub mod check;
pub mod draft;
pub mod event;
pub mod findings;
pub mod frequency;
pub mod id;
pub mod input;
pub mod money;
pub mod monitor;
pub mod observation;
pub mod order;
pub mod party;
pub mod reduce;
pub mod result;
pub mod reverification;
pub mod sensitive;
pub mod settle;
pub mod status;
pub mod subject;
pub mod time;
pub mod waterfall;

pub use batch::{Batch, BatchCancel, BatchStatus, CheckCounts, RejectedRow, RowFault};
pub use case::{AfterAbsence, Case, CaseItem, CaseState, ItemState, ScanReport};
pub use check::{Binding, CancelIntent, Check, CheckState, Ending, Stage};
pub use draft::{CheckDraft, OrderDraft, Wish};
pub use event::{Event, EventType};
pub use findings::{Finding, FindingFound, FindingIdentity, FindingRow, FindingSource, FindingTable, FindingVariables};
pub use frequency::{Frequency, FrequencyUnit};
pub use id::{
    AuditId, BatchId, CaseId, CheckId, DocumentId, EventId, InboxId, MonitorId, OrderId, Reference, ScanId,
    SubmissionId,
};
pub use input::{
    CheckInput, CheckSpec, CheckType, Consent, ConsentDocument, FieldError, FieldPlace, Money, OrderInput, Position,
    Purpose,
};
pub use monitor::{Monitor, MonitorMethod, MonitorRun, MonitorStatus, PauseReason, RunState, Told, VendorSide};
pub use observation::{Action, ActionAnswer, ActionKind, Certainty, Observation, ObservedAt, Standing, VendorRef};
pub use order::Order;
pub use party::{AccountKey, ProviderId, TenantId};
pub use reduce::{News, reduce};
pub use result::{BackgroundResult, CheckResult, IdentityResult, Outcome, Reason, Verdict, VerificationResult};
pub use reverification::{PriorReport, Reverified};
pub use sensitive::Sensitive;
pub use status::{CheckStatus, OrderStatus};
pub use subject::{Address, Company, Gender, Identifier, IdentifierType, Person, Subject, Vehicle};
pub use time::{Clock, Date, Entropy, Timestamp};
pub use waterfall::{Leg, Tried};
