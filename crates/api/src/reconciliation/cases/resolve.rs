//! `POST /v1/reconciliation/cases/{id}/resolve`

use axum::extract::State;
use axum::response::Response;
use domain::{CaseId, CheckId};
use engine::{Choice, Resolution, ResolveError};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::get::detail;
use super::view::CaseDetail;
use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::faults::Faults;
use crate::idempotency::{Key, Start};
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ReconciliationResolve;

/// The most items, or vendor orders, of one decision.
const MOST: usize = 1_000;

/// What a person decides.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    #[serde(default)]
    #[schema(max_items = 1000)]
    items: Vec<ItemDecision>,
    /// Recorded duplicates of this case's checks, its own or a sweep's, to be canceled at the vendor.
    #[serde(default)]
    #[schema(max_items = 1000)]
    cancel_vendor_orders: Vec<String>,
    /// Why. Kept with the decision.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemDecision {
    check_id: CheckId,
    decision: DecisionWord,
    /// The vendor's order; needed to bind.
    vendor_order_id: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DecisionWord {
    /// This is the vendor's order of the check.
    Bind,
    /// The vendor does not have it: send it again.
    Resend,
    /// Give the check up.
    Fail,
}

/// Decide a reconciliation case
///
/// Binding fetches the vendor's order first: it must be unbound and carry no other reference, else 409. Either all of it
/// is carried out or nothing. Kept in the audit log with who and why. Vendor orders to cancel are noted with it, and the
/// vendor is asked after that until it answers; what came of each is in the case's log of decisions, and in the list of
/// orphans.
#[utoipa::path(
    post, path = "/v1/reconciliation/cases/{id}/resolve", operation_id = "resolveReconciliationCase", tag = "reconciliation",
    params(
        ("id" = CaseId, Path, description = "The case's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = ResolveRequest, content_type = "application/json", example = json!(examples::resolution())),
    responses((status = 200, description = "The case as it stands now.", body = CaseDetail, example = json!(examples::case_detail())), Refusals),
    security(("bearer" = ["reconciliation:resolve"]))
)]
pub async fn resolve(
    State(app): State<App>,
    caller: Caller<ReconciliationResolve>,
    PathId(id): PathId<CaseId>,
    key: Key,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let request: ResolveRequest = body::typed(body.value)?;
    let resolution = request.into_resolution(caller.subject())?;
    let (reach, bytes) = (caller.reach(), body.bytes);
    app::to_the_end(async move {
        if let Some(answer) = key.replay(&app, caller.tenant(), &bytes).await? {
            return Ok(answer);
        }
        // Asks the vendor, so that no transaction must be open meanwhile.
        let vetted = found(app.engine().vet(&reach, id, &resolution).await);
        let attempt = match key.begin(&app, caller.tenant(), &bytes).await? {
            Start::Replay(answer) => return Ok(answer),
            Start::Fresh(attempt) => attempt,
        };
        let (mut attempt, vetted) = attempt.made(vetted).await?;
        let case = found(app.engine().resolve(&mut attempt.tx, &reach, id, &resolution, &vetted).await);
        let (mut attempt, case) = attempt.made(case).await?;
        let view = detail(&mut attempt.tx, &case).await?;
        let answer = attempt.finish(&app, StatusCode::OK, None, &view).await?;
        app.engine().wake();
        Ok(answer)
    })
    .await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict, VendorUnavailable);

fn found<T>(found: Result<Option<T>, ResolveError>) -> Result<T, Problem> {
    found?.ok_or_else(|| Problem::not_found("case"))
}

impl ResolveRequest {
    fn into_resolution(self, actor: &str) -> Result<Resolution, Problem> {
        let mut faults = Faults::default();
        if self.items.is_empty() && self.cancel_vendor_orders.is_empty() {
            faults.push("/items", "required", "Decide at least one item, or name a vendor order to cancel.");
        }
        for (pointer, count) in
            [("/items", self.items.len()), ("/cancel_vendor_orders", self.cancel_vendor_orders.len())]
        {
            if count > MOST {
                faults.push(pointer, "too_many", format!("At most {MOST} entries are taken."));
            }
        }
        let mut items: Vec<(CheckId, Choice)> = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.into_iter().enumerate() {
            if items.iter().any(|(known, _)| *known == item.check_id) {
                faults.push(format!("/items/{index}/check_id"), "repeated", "Decide each check once.");
            }
            items.push((item.check_id, item.into_choice(index, &mut faults)));
        }
        faults.settle()?;
        Ok(Resolution {
            items,
            cancel_vendor_orders: self.cancel_vendor_orders,
            note: self.note,
            actor: actor.to_owned(),
        })
    }
}

impl ItemDecision {
    fn into_choice(self, index: usize, faults: &mut Faults) -> Choice {
        let pointer = format!("/items/{index}/vendor_order_id");
        match (self.decision, self.vendor_order_id) {
            (DecisionWord::Bind, Some(vendor_order_id)) if !vendor_order_id.is_empty() => {
                Choice::Bind { vendor_order_id }
            }
            (DecisionWord::Bind, _) => {
                faults.push(pointer, "required", "Name the vendor's order to bind to.");
                Choice::Bind { vendor_order_id: String::new() }
            }
            (decision, named) => {
                if named.is_some() {
                    faults.push(pointer, "invalid", "Leave it out: only binding takes a vendor's order.");
                }
                match decision {
                    DecisionWord::Fail => Choice::Fail,
                    _ => Choice::Resend,
                }
            }
        }
    }
}

impl From<ResolveError> for Problem {
    fn from(error: ResolveError) -> Self {
        let fault = |pointer: String, code: &str, detail: &str| {
            let mut faults = Faults::default();
            faults.push(pointer, code, detail);
            faults.settle().err().unwrap_or_else(|| Self::not_found("fault"))
        };
        match error {
            ResolveError::NotInCase { index } => {
                fault(format!("/items/{index}/check_id"), "unknown_check", "The case has no such check.")
            }
            ResolveError::SameObject { index } => {
                let detail = "An item before it names the same vendor order; an order can be one check's only.";
                fault(format!("/items/{index}/vendor_order_id"), "repeated", detail)
            }
            ResolveError::NotADuplicate { index } => {
                let detail =
                    "Only vendor orders that are recorded as duplicates of this case's checks can be canceled here.";
                fault(format!("/cancel_vendor_orders/{index}"), "not_a_duplicate", detail)
            }
            ResolveError::NotOpen { index } => {
                Self::new(Kind::Conflict, format!("The check of item {index} is settled already."))
            }
            ResolveError::Foreign { index, detail } => Self::new(Kind::Conflict, format!("Item {index}: {detail}")),
            ResolveError::Vendor(detail) => {
                let retry = std::time::Duration::from_secs(30);
                Self::new(Kind::VendorUnavailable, detail).retry_after(retry)
            }
            ResolveError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;

    #[test]
    fn one_vendor_order_for_two_checks_is_a_fault_of_the_second() {
        let problem = Problem::from(ResolveError::SameObject { index: 1 });
        assert_eq!(problem.kind(), Kind::Invalid);
        assert_eq!(problem.faults()[0].place, Place::Pointer("/items/1/vendor_order_id".to_owned()));
    }
}
