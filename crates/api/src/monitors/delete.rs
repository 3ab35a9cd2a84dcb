//! `DELETE /v1/monitors/{id}`

use axum::extract::State;
use domain::MonitorId;
use http::StatusCode;

use crate::app::App;
use crate::caller::Caller;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::MonitorsManage;

/// Delete a monitor
///
/// No run begins any more; a vendor that repeats the check is told to stop. The orders of its runs stay.
#[utoipa::path(
    delete, path = "/v1/monitors/{id}", operation_id = "deleteMonitor", tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id.")),
    responses((status = 204, description = "It is gone."), Refusals),
    security(("bearer" = ["monitors:manage"]))
)]
pub async fn delete(
    State(app): State<App>,
    caller: Caller<MonitorsManage>,
    PathId(id): PathId<MonitorId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store().begin().await?;
    if !app.engine().delete_monitor(&mut tx, &caller.reach(), id).await? {
        return Err(Problem::not_found("monitor"));
    }
    tx.save().await?;
    app.engine().wake();
    Ok(StatusCode::NO_CONTENT)
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, Conflict);
