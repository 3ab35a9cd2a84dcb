//! `GET /v1/orders/{id}/events`

use axum::Json;
use axum::extract::State;
use domain::{CheckId, EventId, EventType, OrderId, Timestamp};
use http::Uri;
use serde::Serialize;
use serde_json::{Map, Value};
use store::StoredEvent;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// Something that happened to an order. Ids and statuses, never personal data.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    pub id: EventId,
    #[serde(rename = "type")]
    pub kind: EventType,
    pub order_id: OrderId,
    /// The check it is about; `null` for the order as a whole.
    #[schema(required)]
    pub check_id: Option<CheckId>,
    /// The order's version after the change.
    pub version: i64,
    /// When the gateway learned of it.
    pub at: Timestamp,
    /// Statuses and words. A `check.notification` tells of a step of the vendor's work: `notification` is the vendor's
    /// word for it, and where the vendor says more, `strategy` how it went about it, `vendor_time` when, and
    /// `vendor_check_id` for which part of its order.
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

impl EventView {
    pub fn of(stored: StoredEvent) -> Self {
        let event = stored.event;
        Self {
            id: stored.id,
            kind: event.kind,
            order_id: event.order_id,
            check_id: event.check_id,
            version: event.version,
            at: event.at,
            data: event.data,
        }
    }
}

/// List an order's events
///
/// Its timeline, oldest first.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", operation_id = "listOrderEvents", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id."), PageParams),
    responses((status = 200, description = "A page of events.", body = List<EventView>, example = json!(examples::event_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn events(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<OrderId>,
    uri: Uri,
) -> Result<Json<List<EventView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, EventId::PREFIX);
    query.end()?;
    let (mut tx, reach) = (app.store().begin().await?, caller.reach());
    if tx.orders().get(&reach, id).await?.is_none() {
        return Err(Problem::not_found("order"));
    }
    let after = page.after.map(EventId::from_uuid);
    let events = tx.orders().events(&reach, id, page.fetch(), after).await?;
    Ok(Json(page.list(events, EventId::PREFIX, |event| event.id.uuid(), EventView::of)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
