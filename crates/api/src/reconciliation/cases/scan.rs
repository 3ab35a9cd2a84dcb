//! `POST /v1/reconciliation/cases/{id}/scan`

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain::CaseId;
use engine::ScanError;

use super::get::detail;
use super::view::CaseDetail;
use crate::app::{self, App};
use crate::body::OptionalJsonBody;
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::Key;
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ReconciliationResolve;

/// Scan for a case now
///
/// Looks through the vendor account once, and settles what can be settled. It takes as long as the vendor does.
#[utoipa::path(
    post, path = "/v1/reconciliation/cases/{id}/scan", operation_id = "scanReconciliationCase", tag = "reconciliation",
    params(
        ("id" = CaseId, Path, description = "The case's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    responses((status = 200, description = "The case as it stands now.", body = CaseDetail, example = json!(examples::case_detail())), Refusals),
    security(("bearer" = ["reconciliation:resolve"]))
)]
pub async fn scan(
    State(app): State<App>,
    caller: Caller<ReconciliationResolve>,
    PathId(id): PathId<CaseId>,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let (engine, reach) = (app.engine().clone(), caller.reach());
    let work = Box::pin(app::to_the_end(async move {
        let case = engine.scan_now(&reach, id).await?.ok_or_else(|| Problem::not_found("case"))?;
        detail(&mut engine.store().begin().await?, &case).await
    }));
    key.around(&app, caller.tenant(), &body.bytes, work).await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Busy => {
                let detail = "The account is being scanned just now; the case will show what it finds.";
                Self::new(Kind::Conflict, detail).retry_after(Duration::from_secs(5))
            }
            ScanError::Store(error) => error.into(),
        }
    }
}
