//! `GET /v1/monitors`

use axum::Json;
use axum::extract::State;
use domain::{MonitorId, MonitorStatus, OrderId, Timestamp};
use http::Uri;
use store::MonitorFilter;
use utoipa::IntoParams;

use super::view::MonitorView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct MonitorParams {
    status: Option<MonitorStatus>,
    /// The order that it began with.
    order_id: Option<OrderId>,
    /// At this time or later.
    created_after: Option<Timestamp>,
    /// Before this time.
    created_before: Option<Timestamp>,
}

/// List monitors
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/monitors", operation_id = "listMonitors", tag = "monitors",
    params(MonitorParams, PageParams),
    responses((status = 200, description = "A page of monitors.", body = List<MonitorView>, example = json!(examples::monitor_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    uri: Uri,
) -> Result<Json<List<MonitorView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, MonitorId::PREFIX);
    let filter = MonitorFilter {
        status: query.parsed("status", "enabled, paused or ended", MonitorStatus::parse),
        order_id: query.id("order_id"),
        created_after: query.time("created_after"),
        created_before: query.time("created_before"),
    };
    query.end()?;
    let before = page.after.map(MonitorId::from_uuid);
    let mut tx = app.store().begin().await?;
    let monitors = tx.monitors().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(monitors, MonitorId::PREFIX, |monitor| monitor.id.uuid(), MonitorView::of)))
}

refusals!(Refusals: ALWAYS; Invalid);
