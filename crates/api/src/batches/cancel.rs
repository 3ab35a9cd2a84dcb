//! `POST /v1/batches/{id}/cancel`

use axum::extract::State;
use axum::response::Response;
use domain::BatchId;
use http::StatusCode;

use super::get::detail;
use super::view::BatchDetail;
use crate::app::App;
use crate::body::{self, OptionalJsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::{Key, Start};
use crate::orders::cancel::CancelRequest;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;

/// Cancel a batch
///
/// Nothing of it is sent from this answer on. Its orders are then canceled one after the other, each as if it had been
/// canceled by itself: what waits at once, what is being sent once that is settled, what a vendor works on at each vendor
/// that can. Watch `counts` and `status`. A batch that is completed stays as it is.
#[utoipa::path(
    post, path = "/v1/batches/{id}/cancel", operation_id = "cancelBatch", tag = "batches",
    params(
        ("id" = BatchId, Path, description = "The batch's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = Option<CancelRequest>, content_type = "application/json",
        example = json!({"reason": "other", "details": "The intake was uploaded by mistake."})),
    responses((status = 200, description = "The batch as it stands now.", body = BatchDetail, example = json!(examples::batch_detail())), Refusals),
    security(("bearer" = ["orders:write"]))
)]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    PathId(id): PathId<BatchId>,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let reason = body::typed(body.value).and_then(CancelRequest::into_reason)?;
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    let batch = app.engine().cancel_batch(&mut attempt.tx, &caller.reach(), id, reason).await;
    let batch = batch.map_err(Problem::from).and_then(|batch| batch.ok_or_else(|| Problem::not_found("batch")));
    let (mut attempt, batch) = attempt.made(batch).await?;
    let view = detail(&mut attempt.tx, batch).await?;
    let answer = attempt.finish(&app, StatusCode::OK, None, &view).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);
