//! Calls that a vendor makes to us.

use bytes::Bytes;
use domain::{Reference, Timestamp, VendorRef};
use http::HeaderMap;

use crate::snapshot::Snapshot;

/// A vendor's call as it came in.
#[derive(Clone)]
pub struct HookRequest {
    pub headers: HeaderMap,
    pub body: Bytes,
    pub received_at: Timestamp,
}

/// One piece of news in a hook.
#[derive(Debug, Clone)]
pub struct HookNews {
    /// The same for every delivery of the same news, and different for different news.
    pub dedupe_key: String,
    /// The check it is about, where the hook carries our reference.
    pub reference: Option<Reference>,
    /// The vendor's object, where the hook names it.
    pub vendor: Option<VendorRef>,
    pub says: HookSays,
}

#[derive(Debug, Clone)]
pub enum HookSays {
    /// The whole body is signed: as good as a fetch.
    Snapshot(Box<Snapshot>),
    /// Something changed; fetch it.
    Changed,
    /// For the timeline only, by the vendor's own word for it.
    Note { kind: String },
}

/// Why a hook is not taken. Never says which part of a secret was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookRefused {
    #[error("no hook secret is set for this account")]
    NotConfigured,
    #[error("the signature or token is missing or wrong")]
    NotAuthentic,
    #[error("the hook is too old")]
    Expired,
    #[error("the body cannot be read")]
    Unreadable,
}
