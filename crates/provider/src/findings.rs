//! What a vendor's sources say of a check beside its result. Asked when somebody wants to read it; no outcome needs it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{Finding, FindingVariables, Sensitive, VendorRef};

use crate::call::{CallContext, CallError, LostReason};

/// The most pages that are read of one check.
const MOST_PAGES: usize = 100;

/// The part of an adapter that reads findings. Texts come in the language that the context asks for, where the vendor can
/// choose.
#[async_trait]
pub trait Findings: Send + Sync {
    /// A page of what each source says. `cursor`: [`next`](DetailsPage::next) of the page before; `None`: the first. A
    /// cursor chooses a page of this list and can choose nothing else, whatever is in it.
    async fn details(
        &self,
        ctx: &CallContext,
        vendor: &VendorRef,
        cursor: Option<&str>,
    ) -> Result<DetailsPage, FindingsError>;

    /// A few sentences about the check as a whole.
    async fn summary(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Sensitive<String>, FindingsError>;

    /// What rules may decide by.
    async fn variables(
        &self,
        ctx: &CallContext,
        vendor: &VendorRef,
    ) -> Result<Sensitive<FindingVariables>, FindingsError>;
}

#[derive(Clone)]
pub struct DetailsPage {
    pub details: Sensitive<Vec<Finding>>,
    /// `None` on the last page.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindingsError {
    /// The vendor has not got that far. Holds its own word for where it is.
    #[error("the vendor is not ready: it says {status}")]
    NotReady { status: String },
    #[error("the vendor has no such check")]
    Missing,
    #[error("that is no cursor of this list")]
    BadCursor,
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Everything that was read of a check's details.
pub struct AllDetails {
    pub details: Sensitive<Vec<Finding>>,
    /// There are more than were asked for.
    pub truncated: bool,
}

/// Reads page after page, up to `most` details. A list that cannot be read so far, or whose pages run in a circle, is an
/// error.
pub async fn all(
    findings: &dyn Findings,
    ctx: &CallContext,
    vendor: &VendorRef,
    most: usize,
) -> Result<AllDetails, FindingsError> {
    let (mut details, mut visited) = (Vec::new(), BTreeSet::new());
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = findings.details(ctx, vendor, cursor.as_deref()).await?;
        details.extend(page.details.into_exposed());
        let is_over = details.len() > most;
        let Some(next) = page.next.filter(|_| !is_over) else {
            details.truncate(most);
            return Ok(AllDetails { details: Sensitive::new(details), truncated: is_over });
        };
        if !visited.insert(next.clone()) {
            return Err(CallError::Lost { why: LostReason::Unreadable }.into());
        }
        cursor = Some(next);
    }
    Err(CallError::Lost { why: LostReason::TooLarge }.into())
}
