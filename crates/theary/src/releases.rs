//! Signed releases on their way to the vendor: within the order, or by its upload link in a step before.
//!
//! A PDF may stand in the order itself. Where the account names the hosts that the vendor's upload links may lead to, it
//! is put there first and the order holds its `gs://` address: the create call stays small, and a batch of many releases
//! fits. Uploading makes no order, so whatever goes wrong with it leaves the order provably not sent. What was uploaded is
//! remembered for the next attempt, which a lease that became too short meanwhile makes likely.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{ConsentDocument, Reason};
use provider::{CallContext, CallError, LostReason, SubmissionItem};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::Client;
use crate::tokens::TimeSource;

/// How an inline PDF may begin besides with itself.
const DATA_URL: &str = "data:application/pdf;base64,";

/// How long an uploaded file is used for another attempt. How long the vendor keeps it is not documented.
const KEPT: Duration = Duration::from_hours(1);

/// The most uploads that are remembered.
const MOST_KEPT: usize = 1_000;

/// The longest address of a file that is put into an order.
const LONGEST_URI: usize = 2_000;

/// Where the vendor's upload links may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadHosts(Vec<String>);

impl UploadHosts {
    /// Hosts by name; one that begins with a dot stands for everything below that domain.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty()).collect())
    }

    /// The link, if it leads where it may. Plain `http` only where the very host is named, as a simulator's is.
    fn follow(&self, link: &str) -> Result<Url, Fault> {
        let url = Url::parse(link.trim()).map_err(|_| Fault::Link)?;
        let host = url.host_str().ok_or(Fault::Link)?.to_ascii_lowercase();
        let is_named = self.0.contains(&host);
        let is_below = |domain: &String| domain.starts_with('.') && host.ends_with(domain.as_str());
        if !is_named && !self.0.iter().any(is_below) {
            return Err(Fault::Host(host));
        }
        let is_plain = url.scheme() == "http" && is_named;
        let fine = (url.scheme() == "https" || is_plain) && url.username().is_empty() && url.password().is_none();
        if fine { Ok(url) } else { Err(Fault::Link) }
    }
}

/// Why a release is not at the vendor. Holds nothing of the link: it is as good as a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the release could not be uploaded ({0})")]
    Call(CallError),
    /// Or the token endpoint did, when it was asked for the token of that call.
    #[error("Theary answered {0} when it was asked for an upload link")]
    NoLink(u16),
    #[error("Theary's answer holds no upload link that can be used")]
    Link,
    #[error("Theary's upload link leads to {0}, which is not among theary.upload_hosts; add it if it is the vendor's")]
    Host(String),
    #[error("the upload of the release was answered with {0}")]
    Refused(u16),
    #[error("the release is no PDF in base64")]
    Unreadable,
}

impl Fault {
    /// How the call for a link failed.
    fn from_read(error: CallError) -> Self {
        match error {
            CallError::Lost { why: LostReason::Status(status) } => Self::NoLink(status),
            error => Self::Call(error),
        }
    }

    /// The status that speaks of our credentials, where one does.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::NoLink(status) => Some(*status),
            _ => None,
        }
    }

    /// What it says of the order, which was not sent, and when the vendor wants to be asked again.
    pub fn reason(&self) -> (Reason, Option<Duration>) {
        let (code, retry_after) = match self {
            Self::Call(CallError::NotSent { why, retry_after }) => (why.code(), *retry_after),
            Self::NoLink(401 | 403) => ("credentials_refused", None),
            _ => ("release_not_uploaded", None),
        };
        (Reason::new(code, format!("Not sent: {self}.")), retry_after)
    }
}

/// The answer to the call for an upload link.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadLink {
    signed_url: String,
    file_uri: String,
}

/// The PDF of an inline release. `None`: it is no base64.
pub fn decode(content_base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(content_base64.strip_prefix(DATA_URL).unwrap_or(content_base64)).ok()
}

/// Uploads of one account.
pub struct Releases {
    hosts: UploadHosts,
    clock: TimeSource,
    /// By reference and content. Never by content alone: a file that two orders share might go with the first of them.
    uploaded: Mutex<BTreeMap<[u8; 32], Uploaded>>,
}

struct Uploaded {
    uri: String,
    at: Instant,
}

impl Releases {
    pub fn new(hosts: UploadHosts, clock: TimeSource) -> Self {
        Self { hosts, clock, uploaded: Mutex::default() }
    }

    /// Sees to it that the item's inline release is at the vendor. Gives its `gs://` address; `None`: it has none inline.
    pub async fn upload(
        &self,
        client: &Client,
        ctx: &CallContext,
        item: &SubmissionItem,
    ) -> Result<Option<String>, Fault> {
        let Some(ConsentDocument::Inline { content_base64, .. }) = &item.order.consent.document else {
            return Ok(None);
        };
        let mut key = Sha256::new();
        key.update(item.reference.to_string());
        key.update(content_base64);
        let key: [u8; 32] = key.finalize().into();
        if let Some(uri) = self.known(&key) {
            return Ok(Some(uri));
        }
        let pdf = decode(content_base64).ok_or(Fault::Unreadable)?;
        let answer = client.upload_link(ctx).await.map_err(Fault::from_read)?;
        if !answer.status.is_success() {
            return Err(Fault::NoLink(answer.status.as_u16()));
        }
        let link: UploadLink = answer.json().map_err(|_| Fault::Link)?;
        let uri_is_fine = link.file_uri.starts_with("gs://")
            && link.file_uri.len() <= LONGEST_URI
            && link.file_uri.chars().all(|letter| letter.is_ascii_graphic());
        if !uri_is_fine {
            return Err(Fault::Link);
        }
        let url = self.hosts.follow(&link.signed_url)?;
        let answer = client.put_pdf(ctx, url, pdf).await.map_err(Fault::Call)?;
        if !answer.status.is_success() {
            return Err(Fault::Refused(answer.status.as_u16()));
        }
        self.remember(key, link.file_uri.clone());
        Ok(Some(link.file_uri))
    }

    fn known(&self, key: &[u8; 32]) -> Option<String> {
        let now = (self.clock)();
        let uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = uploaded.get(key)?;
        (now.saturating_duration_since(known.at) < KEPT).then(|| known.uri.clone())
    }

    fn remember(&self, key: [u8; 32], uri: String) {
        let at = (self.clock)();
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        uploaded.retain(|_, known| at.saturating_duration_since(known.at) < KEPT);
        if uploaded.len() >= MOST_KEPT
            && let Some(oldest) = uploaded.iter().min_by_key(|(_, known)| known.at).map(|(key, _)| *key)
        {
            uploaded.remove(&oldest);
        }
        uploaded.insert(key, Uploaded { uri, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_only_where_they_may() {
        let hosts = UploadHosts::new(["storage.googleapis.com".to_owned(), ".Theary.ai".to_owned(), " ".to_owned()]);
        let follow = |link: &str| hosts.follow(link).map(String::from);
        for good in ["https://storage.googleapis.com/b/f?sig=1", "https://files.theary.ai/x", "https://a.b.THEARY.ai/"]
        {
            assert!(follow(good).is_ok(), "{good}");
        }
        assert!(follow("http://storage.googleapis.com/b").is_ok(), "the very host is named");
        for foreign in ["https://evil.example/", "https://storage.googleapis.com.evil.example/", "https://xtheary.ai/"]
        {
            assert!(matches!(follow(foreign), Err(Fault::Host(_))), "{foreign}");
        }
        for bad in [
            "http://files.theary.ai/x",
            "https://user:pass@storage.googleapis.com/",
            "file:///etc/passwd",
            "gs://bucket/file",
            "",
            "//storage.googleapis.com/x",
        ] {
            assert!(follow(bad).is_err(), "{bad}");
        }
        assert!(matches!(UploadHosts::new([]).follow("https://storage.googleapis.com/"), Err(Fault::Host(_))));
    }
}
