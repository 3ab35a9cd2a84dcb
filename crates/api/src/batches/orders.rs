//! `GET /v1/batches/{id}/orders`

use axum::Json;
use axum::extract::State;
use domain::{BatchId, CheckStatus, OrderId, OrderStatus, Outcome};
use http::Uri;
use store::OrderFilter;
use utoipa::IntoParams;

use super::get::known;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::views::OrderView;

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct BatchOrderParams {
    status: Option<OrderStatus>,
    /// At least one check stands so.
    check_status: Option<CheckStatus>,
    outcome: Option<Outcome>,
    #[param(example = "ATS-4711")]
    external_id: Option<String>,
}

/// List a batch's orders
///
/// Newest first. Orders with the same `external_id` are all there: duplicates are neither merged nor refused.
#[utoipa::path(
    get, path = "/v1/batches/{id}/orders", operation_id = "listBatchOrders", tag = "batches",
    params(("id" = BatchId, Path, description = "The batch's id."), BatchOrderParams, PageParams),
    responses((status = 200, description = "A page of orders.", body = List<OrderView>, example = json!(examples::order_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn orders(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<BatchId>,
    uri: Uri,
) -> Result<Json<List<OrderView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, OrderId::PREFIX);
    let filter = OrderFilter {
        batch_id: Some(id),
        status: query.parsed("status", "the status of an order, such as in_progress", OrderStatus::parse),
        check_status: query.parsed("check_status", "the status of a check, such as in_progress", CheckStatus::parse),
        outcome: query.parsed("outcome", "clear, consider or unresolved", Outcome::parse),
        external_id: query.text("external_id"),
        ..OrderFilter::default()
    };
    query.end()?;
    let mut tx = app.store().begin().await?;
    known(&mut tx, &caller, id).await?;
    let before = page.after.map(OrderId::from_uuid);
    let orders = tx.orders().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(orders, OrderId::PREFIX, |order| order.id.uuid(), |order| OrderView::masked(&order))))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
