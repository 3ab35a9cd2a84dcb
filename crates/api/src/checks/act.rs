//! `POST /v1/checks/{id}/actions`

use axum::extract::State;
use axum::response::Response;
use domain::{ActionAnswer, CheckId};
use engine::ActError;
use serde_json::json;

use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::Key;
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;
use crate::views::CheckView;

/// Answer what a check waits for
///
/// `resend_link`: the applicant needs a link that works. One that has not expired is given again; a new one is made only
/// while the applicant has not begun. Where they have, the check is answered as it stands now. Every call is audited.
#[utoipa::path(
    post, path = "/v1/checks/{id}/actions", operation_id = "actOnCheck", tag = "checks",
    params(
        ("id" = CheckId, Path, description = "The check's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = ActionAnswer, content_type = "application/json", example = json!({"type": "resend_link"})),
    responses((status = 200, description = "The check as it stands now.", body = CheckView, example = json!(examples::waiting_check_view())), Refusals),
    security(("bearer" = ["orders:write"]))
)]
pub async fn act(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    PathId(id): PathId<CheckId>,
    key: Key,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let answer: ActionAnswer = body::typed(body.value)?;
    let reach = caller.reach();
    let tenant = caller.tenant().clone();
    let gateway = app.clone();
    let work = Box::pin(app::to_the_end(async move {
        let mut tx = gateway.store().begin().await?;
        let order = tx.orders().of_check(&reach, id).await?.ok_or_else(|| Problem::not_found("check"))?;
        // Written before the vendor is asked, whatever comes of it.
        let data = json!({ "type": answer.as_str() });
        gateway.audit(&mut tx, &caller, "check.acted", &order.tenant, id.to_string(), data).await?;
        tx.save().await?;
        let order = gateway.engine().act(&reach, id, &answer).await.map_err(refusal)?;
        let check = order.as_ref().and_then(|order| order.check(id)).ok_or_else(|| Problem::not_found("check"))?;
        Ok(CheckView::of(check))
    }));
    key.around(&app, &tenant, &body.bytes, work).await
}

fn refusal(error: ActError) -> Problem {
    match error {
        ActError::Refused(why) => Problem::new(Kind::Conflict, why.message),
        ActError::Vendor(_) => {
            Problem::new(Kind::VendorUnavailable, "The vendor gave no answer; nothing has changed. Ask again later.")
        }
        ActError::Store(error) => error.into(),
    }
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict, VendorUnavailable);
