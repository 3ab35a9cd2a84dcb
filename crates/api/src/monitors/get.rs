//! `GET /v1/monitors/{id}`

use axum::Json;
use axum::extract::State;
use domain::{Monitor, MonitorId};
use store::Tx;

use super::view::MonitorView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// Get a monitor
#[utoipa::path(
    get, path = "/v1/monitors/{id}", operation_id = "getMonitor", tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id.")),
    responses((status = 200, description = "The monitor.", body = MonitorView, example = json!(examples::monitor_view())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<MonitorId>,
    _: NoQuery,
) -> Result<Json<MonitorView>, Problem> {
    let mut tx = app.store().begin().await?;
    Ok(Json(MonitorView::of(known(&mut tx, &caller, id).await?)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// The monitor, if the caller has it.
pub async fn known<S>(tx: &mut Tx, caller: &Caller<S>, id: MonitorId) -> Result<Monitor, Problem> {
    tx.monitors().get(&caller.reach(), id).await?.ok_or_else(|| Problem::not_found("monitor"))
}
