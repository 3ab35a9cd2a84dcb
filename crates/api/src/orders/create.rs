//! `POST /v1/orders`

use axum::extract::State;
use axum::response::Response;
use engine::AcceptError;
use http::StatusCode;

use crate::app::App;
use crate::body::{JsonBody, ORDER};
use crate::caller::Caller;
use crate::idempotency::{Key, Start};
use crate::problem::{Fault, Place, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::schema::OrderRequest;
use crate::scope::OrdersWrite;
use crate::views::OrderView;
use crate::{draft, examples};

/// Order checks about a subject
///
/// The order is durable when this answers; the vendors are called after that. Every input that the chosen vendors need is
/// checked before, and every fault is told at once.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "createOrder", tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe.")),
    request_body(
        content = OrderRequest, content_type = "application/json",
        examples(
            ("employment" = (summary = "An employment verification", value = json!(examples::order()))),
            ("background" = (summary = "A background check", value = json!(examples::background_order()))),
        ),
    ),
    responses(
        (status = 201, description = "Accepted.", body = OrderView,
         headers(("Location" = String, description = "The address of the order.")),
         example = json!(examples::order_view())),
        Refusals,
    ),
    security(("bearer" = ["orders:write"]))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    key: Key,
    _: NoQuery,
    body: JsonBody<ORDER>,
) -> Result<Response, Problem> {
    // Judged after the key was looked up: what was accepted once is answered again, even if its consent has expired since.
    let draft = draft::order(body.value, app.now());
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    let accepted = match draft {
        Ok(draft) => app.engine().accept(&mut attempt.tx, caller.tenant(), draft).await.map_err(Problem::from),
        Err(refusal) => Err(refusal),
    };
    let (attempt, order) = attempt.made(accepted).await?;
    let location = format!("/v1/orders/{}", order.id);
    let answer = attempt.finish(&app, StatusCode::CREATED, Some(location), &OrderView::masked(&order)).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; Conflict);

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Store(error) => error.into(),
            AcceptError::Invalid(faults) => Self::invalid(
                faults
                    .into_iter()
                    .map(|(pointer, fault)| Fault::new(Place::Pointer(pointer), fault.code, fault.detail))
                    .collect(),
            ),
        }
    }
}
