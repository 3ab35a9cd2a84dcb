//! `GET /v1/orders`

use axum::Json;
use axum::extract::State;
use domain::OrderId;
use http::Uri;

use super::filter::{self, OrderParams};
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::views::OrderView;

/// List orders
///
/// Newest first. Filters combine; `metadata.<key>=<value>` filters by a pair of the metadata. Personal data never belongs
/// into an address: to find a person, search.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "listOrders", tag = "orders",
    params(OrderParams, PageParams),
    responses((status = 200, description = "A page of orders.", body = List<OrderView>, example = json!(examples::order_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    uri: Uri,
) -> Result<Json<List<OrderView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, OrderId::PREFIX);
    let filter = filter::of_query(&mut query);
    query.end()?;
    let before = page.after.map(OrderId::from_uuid);
    let orders = app.store().begin().await?.orders().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(orders, OrderId::PREFIX, |order| order.id.uuid(), |order| OrderView::masked(&order))))
}

refusals!(Refusals: ALWAYS; Invalid);
