//! A reconciliation case as callers see it.
//!
//! A scan reads a whole vendor account, which several tenants may share: of what it saw, a case shows only what is about
//! its own checks.

use domain::case::{Candidate, LookAlike, Sighting};
use domain::{
    Case, CaseId, CaseItem, CaseState, CheckId, ItemState, OrderId, ProviderId, Reason, Reference, ScanId, ScanReport,
    SubmissionId, Timestamp, VendorRef,
};
use serde::Serialize;
use serde_json::Value;
use store::{Decision, StoredSubmission, SubmissionState};
use utoipa::ToSchema;

/// A create call whose outcome is, or was, unknown.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationCase)]
pub struct CaseView {
    pub id: CaseId,
    state: CaseState,
    provider: ProviderId,
    account: String,
    submission_id: SubmissionId,
    /// Why the outcome is unknown.
    reason: Reason,
    /// When the create call began.
    sent_at: Timestamp,
    /// Nothing counts as absent before this.
    settle_until: Timestamp,
    /// After this a person must look if no scan could settle it.
    deadline: Timestamp,
    #[schema(required)]
    next_scan_at: Option<Timestamp>,
    opened_at: Timestamp,
    #[schema(required)]
    resolved_at: Option<Timestamp>,
    items: Vec<ItemView>,
}

/// One check of the create call.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationItem)]
struct ItemView {
    check_id: CheckId,
    order_id: OrderId,
    /// What the vendor was given to know it by.
    #[schema(value_type = String)]
    reference: Reference,
    state: ItemState,
    /// The vendor's object it was bound to.
    #[schema(required)]
    bound: Option<FoundView>,
    /// Further objects of the vendor that carry its reference.
    duplicates: Vec<FoundView>,
    /// Why a person must decide, while one must.
    #[schema(required)]
    review: Option<Reason>,
    /// When it was sent again.
    #[schema(required)]
    resent_at: Option<Timestamp>,
}

/// An object at the vendor.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundVendorObject)]
struct FoundView {
    order_id: String,
    #[schema(required)]
    check_id: Option<String>,
}

/// A case with its evidence.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationCaseDetail)]
pub struct CaseDetail {
    #[serde(flatten)]
    case: CaseView,
    /// The create call.
    #[schema(required)]
    submission: Option<SubmissionView>,
    /// Every look at the vendor's account since the case was opened, oldest first.
    scans: Vec<ScanView>,
    /// What people decided, oldest first.
    decisions: Vec<DecisionView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Submission)]
struct SubmissionView {
    /// `sending`, `accepted`, `rejected`, `not_sent`, `unknown` or `mixed`.
    state: &'static str,
    started_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// The status of the vendor's answer, if one came.
    #[schema(required)]
    http_status: Option<u16>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationScan)]
struct ScanView {
    id: ScanId,
    started_at: Timestamp,
    ended_at: Timestamp,
    /// Whether everything that had to be read was read.
    complete: bool,
    #[schema(required)]
    incomplete_because: Option<String>,
    stopped_early: bool,
    /// Pages of the vendor's list that were read.
    pages: u32,
    /// Candidates that were read in full.
    read: u32,
    /// Objects that were listed.
    objects: u32,
    cost: CostView,
    /// Objects that carry a reference of this case.
    found: Vec<SightingView>,
    /// Objects that look like a check of this case and carry no reference. Evidence, never proof. Of a reverification, which
    /// never carries one, they are those that could be it; the only one that `agrees_in` `parent_order` is bound.
    look_alikes: Vec<LookAlikeView>,
}

/// What a scan cost. It looks for all open cases of the account at once.
#[derive(Serialize, ToSchema)]
#[schema(as = ScanCost)]
struct CostView {
    /// Calls to the vendor that were made, repeated ones included.
    calls: u32,
    /// Calls that had to be made: one for each page, and one for each candidate that was read in full.
    least: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Sighting)]
struct SightingView {
    #[schema(value_type = String)]
    reference: Reference,
    vendor_order_id: String,
    #[schema(required)]
    vendor_check_id: Option<String>,
    #[schema(required)]
    created_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LookAlike)]
struct LookAlikeView {
    #[schema(value_type = String)]
    reference: Reference,
    vendor_order_id: String,
    #[schema(required)]
    created_at: Option<Timestamp>,
    /// The names of the fields that agree.
    agrees_in: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationDecision)]
struct DecisionView {
    at: Timestamp,
    actor: String,
    what: String,
    #[schema(required)]
    note: Option<String>,
    #[schema(value_type = Object)]
    data: Value,
}

impl CaseView {
    pub fn of(case: &Case) -> Self {
        Self {
            id: case.id,
            state: case.state,
            provider: case.account.provider.clone(),
            account: case.account.account.clone(),
            submission_id: case.submission,
            reason: case.why.clone(),
            sent_at: case.sent_at,
            settle_until: case.window_ends_at,
            deadline: case.deadline,
            next_scan_at: case.next_scan_at,
            opened_at: case.opened_at,
            resolved_at: case.resolved_at,
            items: case.items.iter().map(ItemView::of).collect(),
        }
    }
}

impl ItemView {
    fn of(item: &CaseItem) -> Self {
        Self {
            check_id: item.check_id,
            order_id: item.order_id,
            reference: item.reference,
            state: item.state,
            bound: item.bound.as_ref().map(FoundView::of),
            duplicates: item.duplicates.iter().map(FoundView::of).collect(),
            review: item.review.clone(),
            resent_at: item.resent_at,
        }
    }
}

impl FoundView {
    fn of(vendor: &VendorRef) -> Self {
        Self { order_id: vendor.order_id.clone(), check_id: vendor.check_id.clone() }
    }
}

impl CaseDetail {
    pub fn of(
        case: &Case,
        submission: Option<&StoredSubmission>,
        scans: &[ScanReport],
        decisions: Vec<Decision>,
    ) -> Self {
        Self {
            case: CaseView::of(case),
            submission: submission.map(|submission| SubmissionView {
                state: word(submission.state),
                started_at: submission.started_at,
                ended_at: submission.ended_at,
                http_status: submission.http_status,
            }),
            scans: scans
                .iter()
                .filter(|scan| case.resolved_at.is_none_or(|resolved_at| scan.started_at <= resolved_at))
                .map(|scan| ScanView::of(case, scan))
                .collect(),
            decisions: decisions
                .into_iter()
                .map(|decision| DecisionView {
                    at: decision.at,
                    actor: decision.actor,
                    what: decision.what,
                    note: decision.note,
                    data: decision.data,
                })
                .collect(),
        }
    }
}

const fn word(state: SubmissionState) -> &'static str {
    match state {
        SubmissionState::Sending => "sending",
        SubmissionState::Accepted => "accepted",
        SubmissionState::Rejected => "rejected",
        SubmissionState::NotSent => "not_sent",
        SubmissionState::Unknown => "unknown",
        SubmissionState::Mixed => "mixed",
    }
}

impl ScanView {
    fn of(case: &Case, scan: &ScanReport) -> Self {
        let is_ours = |reference: Reference| case.items.iter().any(|item| item.reference == reference);
        let seen = &scan.seen;
        let candidates = seen.candidates.iter().filter(|candidate| is_ours(candidate.reference));
        Self {
            id: scan.id,
            started_at: scan.started_at,
            ended_at: scan.ended_at,
            complete: seen.complete,
            incomplete_because: seen.incomplete_because.clone(),
            stopped_early: seen.stopped_early,
            pages: seen.pages,
            read: seen.read,
            objects: seen.objects,
            cost: CostView { calls: seen.calls, least: seen.pages.saturating_add(seen.read) },
            found: seen.found.iter().filter(|found| is_ours(found.reference)).map(SightingView::of).collect(),
            look_alikes: seen
                .look_alikes
                .iter()
                .filter(|alike| is_ours(alike.reference))
                .map(LookAlikeView::of)
                .chain(candidates.map(LookAlikeView::of_candidate))
                .collect(),
        }
    }
}

impl SightingView {
    fn of(sighting: &Sighting) -> Self {
        Self {
            reference: sighting.reference,
            vendor_order_id: sighting.vendor.order_id.clone(),
            vendor_check_id: sighting.vendor.check_id.clone(),
            created_at: sighting.created_at,
        }
    }
}

impl LookAlikeView {
    fn of(alike: &LookAlike) -> Self {
        Self {
            reference: alike.reference,
            vendor_order_id: alike.vendor_order_id.clone(),
            created_at: alike.created_at,
            agrees_in: alike.agrees_in.clone(),
        }
    }

    fn of_candidate(candidate: &Candidate) -> Self {
        Self {
            reference: candidate.reference,
            vendor_order_id: candidate.vendor_order_id.clone(),
            created_at: candidate.created_at,
            agrees_in: candidate.fits.then(|| "parent_order".to_owned()).into_iter().collect(),
        }
    }
}
