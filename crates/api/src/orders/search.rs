//! `POST /v1/orders/search`

use axum::Json;
use axum::extract::State;
use domain::OrderId;

use super::filter::{self, SearchRequest};
use crate::app::App;
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::faults::Faults;
use crate::page::{List, Page};
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::views::OrderView;

/// Search orders
///
/// The filters of the list in the body, and the subject's e-mail address, identifier or last name, which are found
/// through blind indexes. Nothing is made, so an Idempotency-Key is without effect.
#[utoipa::path(
    post, path = "/v1/orders/search", operation_id = "searchOrders", tag = "orders",
    request_body(content = SearchRequest, content_type = "application/json", example = json!(examples::search())),
    responses((status = 200, description = "A page of orders.", body = List<OrderView>, example = json!(examples::order_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn search(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    _: NoQuery,
    body: JsonBody,
) -> Result<Json<List<OrderView>>, Problem> {
    let search: SearchRequest = body::typed(body.value)?;
    let mut faults = Faults::default();
    let page = Page::of_fields(search.limit, search.cursor.as_deref(), OrderId::PREFIX, &mut faults);
    let filter = filter::of_search(search, &mut faults);
    faults.settle()?;
    let before = page.after.map(OrderId::from_uuid);
    let orders = app.store().begin().await?.orders().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(orders, OrderId::PREFIX, |order| order.id.uuid(), |order| OrderView::masked(&order))))
}

refusals!(Refusals: ALWAYS; Malformed, TooSlow, TooLarge, UnsupportedMediaType, Invalid);
