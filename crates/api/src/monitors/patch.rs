//! `PATCH /v1/monitors/{id}`

use axum::Json;
use axum::extract::State;
use domain::{Frequency, MonitorId};
use engine::MonitorChanges;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::MonitorView;
use crate::app::App;
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::MonitorsManage;

/// What is to change. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = MonitorPatch)]
#[serde(deny_unknown_fields)]
pub struct MonitorPatch {
    frequency: Option<Frequency>,
    status: Option<WantedStatus>,
}

#[derive(Deserialize, ToSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
enum WantedStatus {
    Enabled,
    Paused,
}

/// Change a monitor
///
/// A run that is under way goes on. A changed frequency, and enabling it again, count the next run from now. The end date
/// cannot be changed: make a new monitor.
#[utoipa::path(
    patch, path = "/v1/monitors/{id}", operation_id = "updateMonitor", tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id.")),
    request_body(content = MonitorPatch, content_type = "application/json", example = json!({"frequency": "P2W", "status": "enabled"})),
    responses((status = 200, description = "The monitor as it stands now.", body = MonitorView, example = json!(examples::monitor_view())), Refusals),
    security(("bearer" = ["monitors:manage"]))
)]
pub async fn patch(
    State(app): State<App>,
    caller: Caller<MonitorsManage>,
    PathId(id): PathId<MonitorId>,
    _: NoQuery,
    body: JsonBody,
) -> Result<Json<MonitorView>, Problem> {
    let patch: MonitorPatch = body::typed(body.value)?;
    let changes = MonitorChanges {
        frequency: patch.frequency,
        enabled: patch.status.map(|status| status == WantedStatus::Enabled),
    };
    let mut tx = app.store().begin().await?;
    let monitor = app.engine().change_monitor(&mut tx, &caller.reach(), id, changes).await?;
    let monitor = monitor.ok_or_else(|| Problem::not_found("monitor"))?;
    tx.save().await?;
    app.engine().wake();
    Ok(Json(MonitorView::of(monitor)))
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);
