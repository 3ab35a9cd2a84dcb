//! `POST /v1/orders/{id}/reverify`

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use domain::{CheckId, Consent, Order, OrderId};
use engine::{ReverifyError, ReverifyWish};
use http::StatusCode;
use store::{Scope, Tx};
use utoipa::ToSchema;

use crate::app::App;
use crate::body::{ORDER, OptionalJsonBody};
use crate::caller::Caller;
use crate::idempotency::{Key, Start};
use crate::path::PathId;
use crate::problem::{Fault, Kind, Place, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;
use crate::views::OrderView;
use crate::{draft, examples};

/// What of an order is verified again, and how. It is read by [`draft`]; this type only documents it.
#[derive(ToSchema)]
#[schema(as = Reverification)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct ReverifyRequest {
    /// Checks of the order that are completed with a verification's result; all of those where omitted.
    #[schema(min_items = 1, max_items = 20)]
    checks: Option<Vec<CheckId>>,
    /// As in the earlier order where omitted; so is `metadata`.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    /// The subject's agreement, where it was obtained anew. That of the earlier order stands where omitted, unless it has
    /// expired.
    consent: Option<Consent>,
    /// What is done about a check that its vendor does not verify again: order it like the first, or order nothing.
    #[schema(inline)]
    if_unavailable: Option<IfUnavailable>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case", default = "order")]
#[expect(dead_code, reason = "it is read by the documentation only")]
enum IfUnavailable {
    Order,
    Refuse,
}

/// Verify an order's results again
///
/// Makes a new order about the same subject, with this one as its `parent_order_id`. Each check goes to the account that has
/// the result: as a reverification where the vendor has one, which costs less (`reverification` = `vendor`), else as a check
/// like the first (`new_check`).
///
/// The order must be final. A check is verified again once at a time: while that is under way, another is refused with 409.
#[utoipa::path(
    post, path = "/v1/orders/{id}/reverify", operation_id = "reverifyOrder", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The id of the order that has the results."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(
        content = Option<ReverifyRequest>, content_type = "application/json",
        examples(
            ("all" = (summary = "Every result that is a verification's", value = json!({}))),
            ("one" = (summary = "One check, by the vendor's reverification or not at all",
                      value = json!(examples::reverification()))),
        ),
    ),
    responses(
        (status = 201, description = "Accepted: the new order.", body = OrderView,
         headers(("Location" = String, description = "The address of the new order.")),
         example = json!(examples::reverification_view())),
        Refusals,
    ),
    security(("bearer" = ["orders:write"]))
)]
pub async fn reverify(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody<ORDER>,
) -> Result<Response, Problem> {
    // Judged after the key was looked up, as a new order is.
    let wish = draft::reverification(body.value, app.now());
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    let accepted = match wish {
        Ok(wish) => accept(&app, &mut attempt.tx, &caller.reach(), id, wish).await,
        Err(refusal) => Err(refusal),
    };
    let (attempt, order) = attempt.made(accepted).await?;
    let location = format!("/v1/orders/{}", order.id);
    let answer = attempt.finish(&app, StatusCode::CREATED, Some(location), &OrderView::masked(&order)).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);

async fn accept(app: &App, tx: &mut Tx, reach: &Scope, id: OrderId, wish: ReverifyWish) -> Result<Order, Problem> {
    let named = wish.checks.clone();
    match app.engine().reverify(tx, reach, id, wish).await {
        Ok(order) => order.ok_or_else(|| Problem::not_found("order")),
        Err(error) => Err(refusal(error, &named)),
    }
}

fn refusal(error: ReverifyError, named: &[CheckId]) -> Problem {
    let conflict = |detail: String| Problem::new(Kind::Conflict, detail);
    let fault = |pointer: String, code: &str, detail: &str| {
        Problem::invalid(vec![Fault::new(Place::Pointer(pointer), code, detail)])
    };
    match error {
        ReverifyError::Erased => conflict("The subject of the order was erased: nobody can be checked again.".into()),
        ReverifyError::NotFinal(status) => {
            conflict(format!("The order is {status}; its results can be verified again once it has ended."))
        }
        ReverifyError::NothingToVerify => {
            conflict("No check of the order was completed with a verification's result; make a new order.".into())
        }
        ReverifyError::Taken { check, order } => {
            conflict(format!("{check} is being verified again by {order}; wait until that has ended, or cancel it."))
        }
        ReverifyError::UnknownCheck { index } => {
            fault(format!("/checks/{index}"), "unknown_check", "The order has no such check.")
        }
        ReverifyError::NotVerified { index } => fault(
            format!("/checks/{index}"),
            "not_verified",
            "The check was not completed with a verification's result; make a new order.",
        ),
        ReverifyError::NamedTwice { index } => fault(format!("/checks/{index}"), "invalid", "Name each check once."),
        ReverifyError::ConsentExpired => {
            fault("/consent/expires_at".into(), "expired", "The consent has expired; obtain it anew.")
        }
        ReverifyError::Unavailable(reasons) => {
            let fault = |(check, reason): (CheckId, domain::Reason)| {
                let index = named.iter().position(|id| *id == check);
                let pointer = index.map_or_else(|| "/checks".to_owned(), |index| format!("/checks/{index}"));
                Fault::new(Place::Pointer(pointer), reason.code, format!("{check}: {}", reason.message))
            };
            Problem::invalid(reasons.into_iter().map(fault).collect())
        }
        ReverifyError::Store(error) => error.into(),
    }
}
