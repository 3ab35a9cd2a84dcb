//! Calls that a vendor makes to us.

use bytes::Bytes;
use domain::{Reference, Timestamp, VendorRef};
use http::HeaderMap;

use crate::snapshot::Snapshot;
use crate::text::vendor_id;

/// The most news that one hook may bring. Vendors send one; a flood is no news, and polling finds out the same.
pub const MOST_NEWS: usize = 1_000;

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
    /// The same for every delivery of the same news, and different for different news. Never cut: what is kept is its
    /// digest, and two that were cut alike would hide each other.
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
    /// A monitor of the vendor's own has something new; look at it.
    MonitorChanged { monitor_id: String },
    /// Somebody says so who showed nothing: at most a reason to look at an object that a check holds here. Carries no
    /// reference, and is not kept where it names nothing that is known.
    Hint,
    /// For the timeline only, by the vendor's own word for it, as [`native_status`](crate::native_status) keeps it.
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

/// An id that a hook names. Blank is none; one that cannot be kept makes the hook unreadable, since nobody could tell what
/// it is about.
pub fn named_id(id: Option<&str>) -> Result<Option<String>, HookRefused> {
    let named = id.filter(|id| !id.trim().is_empty());
    named.map(|id| vendor_id(id).ok_or(HookRefused::Unreadable)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_id_is_none_and_a_bad_one_is_refused() {
        assert_eq!(named_id(None), Ok(None));
        assert_eq!(named_id(Some(" ")), Ok(None));
        assert_eq!(named_id(Some("CHK1")), Ok(Some("CHK1".to_owned())));
        for bad in [" CHK1", "CHK\u{0}", &"x".repeat(4_096)] {
            assert_eq!(named_id(Some(bad)), Err(HookRefused::Unreadable));
        }
    }
}
