//! `POST /v1/orders/{id}/cancel`

use axum::extract::State;
use axum::response::Response;
use domain::{OrderId, Reason};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::{self, OptionalJsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::faults::Faults;
use crate::idempotency::{Key, Start};
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;
use crate::views::OrderView;

/// Why an order is canceled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// A word, `other` where omitted. Vendors know `immediate`, `high-turnaround-time`, `competitor`, `wrong-info` and
    /// `other`.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,49}$")]
    reason: Option<String>,
    /// In a sentence. Vendors may be told.
    #[schema(max_length = 1000)]
    details: Option<String>,
}

/// Cancel an order
///
/// Cancels what is not final yet, at each vendor that can. What waits is canceled at once; what is being sent is settled
/// first. A vendor that cannot cancel says so in the check's `status_reason`, and the check goes on.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", operation_id = "cancelOrder", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = Option<CancelRequest>, content_type = "application/json",
        example = json!({"reason": "wrong-info", "details": "The applicant withdrew."})),
    responses((status = 200, description = "The order as it stands now.", body = OrderView, example = json!(examples::order_view())), Refusals),
    security(("bearer" = ["orders:write"]))
)]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let reason = body::typed(body.value).and_then(CancelRequest::into_reason)?;
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    let order = app.engine().cancel(&mut attempt.tx, &caller.reach(), id, reason).await;
    let order = order.map_err(Problem::from).and_then(|order| order.ok_or_else(|| Problem::not_found("order")));
    let (attempt, order) = attempt.made(order).await?;
    let answer = attempt.finish(&app, StatusCode::OK, None, &OrderView::masked(&order)).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);

impl CancelRequest {
    pub fn into_reason(self) -> Result<Reason, Problem> {
        let word = self.reason.unwrap_or_else(|| "other".to_owned());
        let is_word = word.len() <= 50
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        if !is_word {
            let mut faults = Faults::default();
            faults.push("/reason", "invalid", "Expected a word such as wrong-info: at most 50 of a-z, 0-9, _ and -.");
            faults.settle()?;
        }
        Ok(Reason::new(word, self.details.unwrap_or_default()))
    }
}
