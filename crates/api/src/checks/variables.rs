//! `GET /v1/checks/{id}/variables`

use axum::Json;
use axum::extract::State;
use domain::{CheckId, FindingVariables};
use serde_json::json;

use super::known;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::PiiRead;
use crate::vendor_calls::problem_of_reading;

/// Read the variables of a check
///
/// What the vendor computed from its findings for rules to decide by, under the vendor's own names. They can come later than
/// the result: until then the answer is 409 with `Retry-After`. Unmasked, so it is audited.
#[utoipa::path(
    get, path = "/v1/checks/{id}/variables", operation_id = "getCheckVariables", tag = "checks",
    params(("id" = CheckId, Path, description = "The check's id.")),
    responses((status = 200, description = "The variables.", body = FindingVariables, example = json!(examples::variables())), Refusals),
    security(("bearer" = ["pii:read"]))
)]
pub async fn variables(
    State(app): State<App>,
    caller: Caller<PiiRead>,
    PathId(id): PathId<CheckId>,
    _: NoQuery,
) -> Result<Json<FindingVariables>, Problem> {
    let (tenant, check) = known(&app, &caller, id).await?;
    let variables = app.engine().variables(&check).await;
    let variables = variables.map_err(|error| problem_of_reading(&app, "variables", &check, error))?;
    let mut tx = app.store().begin().await?;
    app.audit(&mut tx, &caller, "check_variables.read", &tenant, id.to_string(), json!({})).await?;
    tx.save().await?;
    Ok(Json(variables.into_exposed()))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, Conflict, VendorFault, VendorUnavailable);
