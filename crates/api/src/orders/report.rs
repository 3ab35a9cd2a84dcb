//! `GET /v1/orders/{id}/report`

use axum::Json;
use axum::extract::State;
use domain::{OrderId, Timestamp};
use http::HeaderMap;
use http::header::ACCEPT;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::EventView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::views::OrderView;

/// The most events of a report; a longer timeline is read page by page.
const MOST_EVENTS: u32 = 1_000;

/// Everything about an order, for the file.
#[derive(Serialize, ToSchema)]
pub struct Report {
    generated_at: Timestamp,
    order: OrderView,
    /// The first 1,000 events, oldest first.
    timeline: Vec<EventView>,
}

/// Get an order's report
///
/// Subject (masked), checks, results and timeline, as JSON.
#[utoipa::path(
    get, path = "/v1/orders/{id}/report", operation_id = "getOrderReport", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id.")),
    responses((status = 200, description = "The report.", body = Report, example = json!(examples::report())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn report(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<OrderId>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Json<Report>, Problem> {
    if !takes_json(&headers) {
        return Err(Problem::new(Kind::NotAcceptable, "Reports are given as application/json."));
    }
    let (mut tx, reach) = (app.store().begin().await?, caller.reach());
    let order = tx.orders().get(&reach, id).await?.ok_or_else(|| Problem::not_found("order"))?;
    let events = tx.orders().events(&reach, id, MOST_EVENTS, None).await?;
    let checks: Vec<_> = order.checks.iter().map(|check| check.id).collect();
    let sharers = tx.vendor_objects().sharers(&checks).await?;
    Ok(Json(Report {
        generated_at: app.now(),
        order: OrderView::masked(&order).sharing(&sharers),
        timeline: events.into_iter().map(EventView::of).collect(),
    }))
}

refusals!(Refusals: ALWAYS; NotFound, NotAcceptable, Invalid);

/// Whether the caller takes JSON (RFC 9110, section 12.5.1); whoever does not say takes anything.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut wishes = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|all| all.split(','))
        .peekable();
    if wishes.peek().is_none() {
        return true;
    }
    wishes.any(|wish| {
        let mut parts = wish.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        matches!(kind.as_str(), "application/json" | "application/*" | "*/*") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_given_to_those_who_take_it() {
        let takes =
            |accept: &'static str| takes_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        assert!(takes_json(&HeaderMap::new()));
        assert!(takes("application/json") && takes("text/html, */*;q=0.1") && takes("Application/JSON; q=0.5"));
        assert!(!takes("text/html") && !takes("application/pdf") && !takes("application/json;q=0"));
    }
}
