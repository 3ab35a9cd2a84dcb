//! `GET /v1/monitors/{id}/runs`

use axum::Json;
use axum::extract::State;
use domain::{MonitorId, MonitorRun};
use http::Uri;
use uuid::Uuid;

use super::get::known;
use super::view::RunView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// What its cursors begin with. Runs have numbers and no ids.
const KIND: &str = "run";

/// List a monitor's runs
///
/// The latest first, down to run 0, the order that it began with.
#[utoipa::path(
    get, path = "/v1/monitors/{id}/runs", operation_id = "listMonitorRuns", tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id."), PageParams),
    responses((status = 200, description = "A page of runs.", body = List<RunView>, example = json!(examples::monitor_runs())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn runs(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<MonitorId>,
    uri: Uri,
) -> Result<Json<List<RunView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, KIND);
    query.end()?;
    let mut tx = app.store().begin().await?;
    known(&mut tx, &caller, id).await?;
    // Numbers are far below what the cursor holds; one that is not is nobody's.
    let before = page.after.map(|cursor| u32::try_from(cursor.as_u128()).unwrap_or(0).min(i32::MAX.cast_unsigned()));
    let runs = tx.monitors().runs(id, page.fetch(), before).await?;
    Ok(Json(page.list(runs, KIND, |run: &MonitorRun| Uuid::from_u128(run.number.into()), |run| RunView::of(&run))))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
