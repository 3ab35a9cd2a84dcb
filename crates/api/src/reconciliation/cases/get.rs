//! `GET /v1/reconciliation/cases/{id}`

use axum::Json;
use axum::extract::State;
use domain::{Case, CaseId};
use store::Tx;

use super::view::CaseDetail;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ReconciliationRead;

/// Get a reconciliation case
///
/// With its evidence: the create call, each item's state, every scan with what it saw, and what people decided.
#[utoipa::path(
    get, path = "/v1/reconciliation/cases/{id}", operation_id = "getReconciliationCase", tag = "reconciliation",
    params(("id" = CaseId, Path, description = "The case's id.")),
    responses((status = 200, description = "The case.", body = CaseDetail, example = json!(examples::case_detail())), Refusals),
    security(("bearer" = ["reconciliation:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<ReconciliationRead>,
    PathId(id): PathId<CaseId>,
    _: NoQuery,
) -> Result<Json<CaseDetail>, Problem> {
    let mut tx = app.store().begin().await?;
    let case = tx.cases().get(&caller.reach(), id).await?.ok_or_else(|| Problem::not_found("case"))?;
    Ok(Json(detail(&mut tx, &case).await?))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// The case with its evidence.
pub async fn detail(tx: &mut Tx, case: &Case) -> Result<CaseDetail, Problem> {
    let submission = tx.submissions().get(case.submission).await?;
    let scans = tx.scans().since(&case.account, case.opened_at).await?;
    let decisions = tx.cases().decisions(case.id).await?;
    Ok(CaseDetail::of(case, submission.as_ref(), &scans, decisions))
}
