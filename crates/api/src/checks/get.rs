//! `GET /v1/checks/{id}`

use axum::Json;
use axum::extract::State;
use domain::CheckId;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::views::CheckView;

/// Get a check
#[utoipa::path(
    get, path = "/v1/checks/{id}", operation_id = "getCheck", tag = "checks",
    params(("id" = CheckId, Path, description = "The check's id.")),
    responses((status = 200, description = "The check.", body = CheckView, example = json!(examples::check_view())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<CheckId>,
    _: NoQuery,
) -> Result<Json<CheckView>, Problem> {
    let mut tx = app.store().begin().await?;
    let order = tx.orders().of_check(&caller.reach(), id).await?;
    let check = order.as_ref().and_then(|order| order.check(id)).ok_or_else(|| Problem::not_found("check"))?;
    let sharers = tx.vendor_objects().sharers(&[id]).await?;
    Ok(Json(CheckView::of(check).sharing(&sharers)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
