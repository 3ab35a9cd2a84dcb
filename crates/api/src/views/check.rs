//! A check as callers see it.

use std::collections::BTreeMap;

use domain::result::ReportDetails;
use domain::{
    Action, Check, CheckId, CheckResult, CheckState, CheckStatus, CheckType, Leg, Money, OrderId, Outcome, ProviderId,
    Reason, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::mask;

/// One product about the subject, fulfilled by one vendor.
#[derive(Serialize, ToSchema)]
#[schema(as = Check)]
pub struct CheckView {
    pub id: CheckId,
    pub order_id: OrderId,
    #[serde(rename = "type")]
    pub kind: CheckType,
    pub provider: ProviderId,
    /// The vendor account, `default` where there is one only.
    pub account: String,
    /// The vendor's own product, where one was asked for.
    #[schema(required)]
    pub product: Option<String>,
    pub status: CheckStatus,
    /// Why it stands where it does, if there is more to say than the status says.
    #[schema(required)]
    pub status_reason: Option<Reason>,
    /// The vendor's object, once it is known.
    #[schema(required)]
    pub vendor: Option<VendorView>,
    /// What the vendor waits for, while it does.
    #[schema(required)]
    pub action: Option<Action>,
    #[schema(required)]
    pub outcome: Option<Outcome>,
    #[schema(required)]
    pub result: Option<CheckResult>,
    /// The vendor's price: its own quote, charged only for what it completes. `null` where it tells none.
    #[schema(required)]
    pub price: Option<Money>,
    /// How many different results were seen; 0 before the first.
    pub revision: u32,
    #[schema(required)]
    pub estimated_completion_at: Option<Timestamp>,
    /// The check of the parent order whose result is verified again.
    #[schema(required)]
    pub reverifies: Option<CheckId>,
    /// How it is verified again.
    #[schema(required)]
    pub reverification: Option<Reverification>,
    /// The vendors that were tried before this one, in turn, and gave way to the next.
    pub attempts: Vec<AttemptView>,
    /// The vendors that are tried next, in turn, should this one find nothing.
    pub next_providers: Vec<String>,
    #[schema(required)]
    pub cancel_requested_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When the vendor's object was first known.
    #[schema(required)]
    pub submitted_at: Option<Timestamp>,
    /// When it became final.
    #[schema(required)]
    pub completed_at: Option<Timestamp>,
}

/// How a result is verified again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReverificationWay)]
pub enum Reverification {
    /// By the vendor's own reverification, which costs less than a new check.
    Vendor,
    /// By a check like the first: the vendor has no reverification for it, or its time was over.
    NewCheck,
}

impl Reverification {
    fn of(check: &Check) -> Option<(CheckId, Self)> {
        let reverified = check.input.expose().reverifies.as_deref()?;
        let way = if reverified.report.is_some() { Self::Vendor } else { Self::NewCheck };
        Some((reverified.check_id, way))
    }
}

/// The vendor's object that fulfils a check.
#[derive(Serialize, ToSchema)]
#[schema(as = VendorObject)]
pub struct VendorView {
    pub order_id: String,
    /// The part of the vendor's order, where the vendor has parts and its id is known yet.
    #[schema(required)]
    pub check_id: Option<String>,
    /// The vendor's own word, unchanged.
    #[schema(required)]
    pub status: Option<String>,
    /// Further checks of the same tenant that this object fulfils: the vendor has answered their orders with it, too, or they
    /// went out as parts of it. Told where a single order or check is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<Vec<CheckId>>,
}

/// A vendor that was tried and gave way to the next.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckAttempt)]
pub struct AttemptView {
    pub provider: ProviderId,
    pub account: String,
    /// The vendor's own product, where one was asked for.
    #[schema(required)]
    pub product: Option<String>,
    pub status: CheckStatus,
    #[schema(required)]
    pub status_reason: Option<Reason>,
    #[schema(required)]
    pub vendor: Option<VendorView>,
    #[schema(required)]
    pub outcome: Option<Outcome>,
    #[schema(required)]
    pub result: Option<CheckResult>,
    /// The vendor's price: its own quote, charged only for what it completes. `null` where it tells none.
    #[schema(required)]
    pub price: Option<Money>,
    #[schema(required)]
    pub submitted_at: Option<Timestamp>,
    #[schema(required)]
    pub completed_at: Option<Timestamp>,
}

impl AttemptView {
    fn of(leg: &Leg, state: &CheckState) -> Self {
        Self {
            provider: leg.account.provider.clone(),
            account: leg.account.account.clone(),
            product: leg.product.clone(),
            status: state.status(),
            status_reason: state.status_reason().cloned(),
            vendor: VendorView::of(state),
            outcome: state.outcome(),
            result: state.result().map(masked),
            price: state.result().and_then(CheckResult::quote),
            submitted_at: state.submitted_at,
            completed_at: state.ended_at,
        }
    }
}

impl VendorView {
    fn of(state: &CheckState) -> Option<Self> {
        state.binding().map(|binding| Self {
            order_id: binding.vendor.order_id.clone(),
            check_id: binding.vendor.check_id.clone(),
            status: state.native_status().map(str::to_owned),
            shared_with: None,
        })
    }
}

/// As a caller names it.
fn name(leg: &Leg) -> String {
    let provider = &leg.account.provider;
    leg.product.as_ref().map_or_else(|| provider.to_string(), |product| format!("{provider}:{product}"))
}
/// Which checks share their vendor's object with which others.
pub type Sharers = BTreeMap<CheckId, Vec<CheckId>>;

impl CheckView {
    /// The same, saying with whom its vendor's object is shared.
    #[must_use]
    pub fn sharing(mut self, sharers: &Sharers) -> Self {
        if let Some(vendor) = &mut self.vendor {
            vendor.shared_with = Some(sharers.get(&self.id).cloned().unwrap_or_default());
        }
        self
    }

    pub fn of(check: &Check) -> Self {
        let state = &check.state;
        let tried = state.legs.iter().zip(&state.tried);
        let (reverifies, reverification) = Reverification::of(check).unzip();
        Self {
            id: check.id,
            order_id: check.order_id,
            kind: check.kind,
            provider: check.account.provider.clone(),
            account: check.account.account.clone(),
            product: state.leg().and_then(|leg| leg.product.clone()),
            status: check.status(),
            status_reason: state.status_reason().cloned(),
            vendor: VendorView::of(state),
            action: state.action().cloned(),
            outcome: state.outcome(),
            result: state.result().map(masked),
            price: state.result().and_then(CheckResult::quote),
            revision: state.revision(),
            estimated_completion_at: state.estimated_completion_at(),
            reverifies,
            reverification,
            attempts: tried.map(|(leg, tried)| AttemptView::of(leg, &tried.state)).collect(),
            next_providers: state.legs_left().iter().map(name).collect(),
            cancel_requested_at: state.cancel.as_ref().map(|cancel| cancel.requested_at),
            created_at: check.created_at,
            submitted_at: state.submitted_at,
            completed_at: state.ended_at,
        }
    }
}

/// A result is what the caller ordered and is shown; what sources add about the subject's birth, and how to reach the
/// person who answered, is masked like everywhere else.
fn masked(result: &CheckResult) -> CheckResult {
    let mut result = result.clone();
    match &mut result {
        CheckResult::Verification(found) => {
            if let Some(email) = found.respondent.as_mut().and_then(|respondent| respondent.email.as_mut()) {
                *email = mask::email(email);
            }
            found.details.iter_mut().for_each(|details| mask_details(details));
            found
                .further
                .iter_mut()
                .filter_map(|further| further.details.as_mut())
                .for_each(|details| mask_details(details));
        }
        CheckResult::Background(found) => {
            if let Some(birth) = found.identity.as_mut().and_then(|identity| identity.date_of_birth.as_mut()) {
                *birth = mask::written_date(birth);
            }
        }
        CheckResult::Identity(found) => {
            if let Some(document) = &mut found.document {
                document.number = document.number.as_deref().map(mask::identifier);
                document.date_of_birth = document.date_of_birth.as_deref().map(mask::written_date);
            }
            if let Some(by) = found.overridden.as_mut().and_then(|overridden| overridden.by.as_mut()) {
                *by = mask::email(by);
            }
        }
    }
    result
}

/// What of a report names others, may be a number of a person's, or is a free text about one.
fn mask_details(details: &mut ReportDetails) {
    for id in &mut details.employer_ids {
        id.value = mask::identifier(&id.value);
    }
    let hide = |text: &mut Option<String>| {
        if let Some(text) = text {
            mask::HIDDEN.clone_into(text);
        }
    };
    details.disputes.iter_mut().for_each(|dispute| hide(&mut dispute.description));
    for account in &mut details.accounts {
        hide(&mut account.owner);
        account.name = account.name.as_deref().map(mask::digits);
        for stream in &mut account.income_streams {
            stream.name = stream.name.as_deref().map(mask::digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::result::{DocumentSeen, IdentityFound, Respondent};
    use domain::{BackgroundResult, IdentityResult, VerificationResult};

    use super::*;

    #[test]
    fn results_are_masked_too() {
        let background = CheckResult::Background(Box::new(BackgroundResult {
            identity: Some(IdentityFound { date_of_birth: Some("1990-05-15".to_owned()), ..IdentityFound::default() }),
            ..BackgroundResult::default()
        }));
        let verification = CheckResult::Verification(Box::new(VerificationResult {
            respondent: Some(Respondent { email: Some("hr@example.com".to_owned()), ..Respondent::default() }),
            ..VerificationResult::default()
        }));
        let identity = CheckResult::Identity(Box::new(IdentityResult {
            document: Some(DocumentSeen {
                number: Some("1032456701".to_owned()),
                date_of_birth: Some("1990-05-15".to_owned()),
                expires_on: Some("2031-01-31".to_owned()),
                ..DocumentSeen::default()
            }),
            ..IdentityResult::default()
        }));
        let shown =
            serde_json::to_string(&[masked(&background), masked(&verification), masked(&identity)]).expect("json");
        assert!(shown.contains("******6701") && shown.contains("2031-01-31") && !shown.contains("103245"), "{shown}");
        assert!(shown.contains("1990-**-**") && shown.contains("h***@example.com"), "{shown}");
        assert!(!shown.contains("05-15") && !shown.contains("hr@"), "{shown}");
    }
}
