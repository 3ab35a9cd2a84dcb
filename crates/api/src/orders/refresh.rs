//! `POST /v1/orders/{id}/refresh`

use axum::extract::State;
use axum::response::Response;
use domain::OrderId;

use crate::app::{self, App};
use crate::body::OptionalJsonBody;
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::Key;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;
use crate::views::OrderView;

/// Fetch an order from its vendors now
///
/// Looks at each check that a vendor works on, and asks the vendor what it did for it. A vendor that cannot be reached leaves its checks as they are.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refresh", operation_id = "refreshOrder", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    responses((status = 200, description = "The order as it stands now.", body = OrderView, example = json!(examples::order_view())), Refusals),
    security(("bearer" = ["orders:write"]))
)]
pub async fn refresh(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let (engine, reach) = (app.engine().clone(), caller.reach());
    let work = Box::pin(app::to_the_end(async move {
        let order = engine.refresh(&reach, id).await?.ok_or_else(|| Problem::not_found("order"))?;
        Ok(OrderView::masked(&order))
    }));
    key.around(&app, caller.tenant(), &body.bytes, work).await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);
