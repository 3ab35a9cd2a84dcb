//! `GET /v1/orders/{id}`

use axum::Json;
use axum::extract::State;
use domain::OrderId;
use http::Uri;
use serde_json::json;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::{OrdersRead, Scope};
use crate::views::{OrderView, Reveal};

/// Get an order
///
/// Masked, unless `reveal=identifiers` is asked for, which takes the scope `pii:read` as well and is audited.
#[utoipa::path(
    get, path = "/v1/orders/{id}", operation_id = "getOrder", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("reveal" = Option<String>, Query, description = "`identifiers`: show the identifiers' values.", pattern = "^identifiers$"),
    ),
    responses((status = 200, description = "The order.", body = OrderView, example = json!(examples::order_view())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<OrderId>,
    uri: Uri,
) -> Result<Json<OrderView>, Problem> {
    let mut query = Query::of(&uri);
    let reveal = query.parsed("reveal", "identifiers", |text| (text == "identifiers").then_some(Reveal::Identifiers));
    query.end()?;
    let reveal = reveal.unwrap_or(Reveal::Masked);
    if reveal == Reveal::Identifiers {
        caller.must(Scope::PiiRead)?;
    }
    let mut tx = app.store().begin().await?;
    let order = tx.orders().get(&caller.reach(), id).await?.ok_or_else(|| Problem::not_found("order"))?;
    let checks: Vec<_> = order.checks.iter().map(|check| check.id).collect();
    let sharers = tx.vendor_objects().sharers(&checks).await?;
    if reveal == Reveal::Identifiers {
        // Nothing is shown that is not on record.
        let data = json!({"fields": ["identifiers"]});
        app.audit(&mut tx, &caller, "order.revealed", &order.tenant, id.to_string(), data).await?;
        tx.save().await?;
    }
    Ok(Json(OrderView::of(&order, reveal).sharing(&sharers)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
