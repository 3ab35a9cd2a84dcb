//! `GET /v1/reconciliation/cases`

use axum::Json;
use axum::extract::State;
use domain::{CaseId, CaseState, ProviderId, Timestamp};
use http::Uri;
use store::CaseFilter;
use utoipa::IntoParams;

use super::view::CaseView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::ReconciliationRead;

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct CaseParams {
    state: Option<CaseState>,
    #[param(example = "theary")]
    provider: Option<String>,
    /// This time or later.
    created_after: Option<Timestamp>,
}

/// List reconciliation cases
///
/// Create calls whose outcome is, or was, unknown. Newest first.
#[utoipa::path(
    get, path = "/v1/reconciliation/cases", operation_id = "listReconciliationCases", tag = "reconciliation",
    params(CaseParams, PageParams),
    responses((status = 200, description = "A page of cases.", body = List<CaseView>, example = json!(examples::case_list())), Refusals),
    security(("bearer" = ["reconciliation:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ReconciliationRead>,
    uri: Uri,
) -> Result<Json<List<CaseView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, CaseId::PREFIX);
    let filter = CaseFilter {
        state: query.parsed("state", "open, needs_review or resolved", CaseState::parse),
        provider: query.text("provider").map(ProviderId::new),
        created_after: query.time("created_after"),
    };
    query.end()?;
    let before = page.after.map(CaseId::from_uuid);
    let cases = app.store().begin().await?.cases().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(cases, CaseId::PREFIX, |case| case.id.uuid(), |case| CaseView::of(&case))))
}

refusals!(Refusals: ALWAYS; Invalid);
