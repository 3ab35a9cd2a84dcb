//! `GET /v1/checks/{id}/summary`

use axum::Json;
use axum::extract::State;
use domain::CheckId;
use http::Uri;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::known;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::PiiRead;
use crate::vendor_calls::{language, problem_of_reading};

/// The vendor's own summary of a check.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// Prose of the vendor's.
    text: String,
}

/// Read the vendor's summary of a check
///
/// A few sentences of the vendor's about a completed check, read while the caller waits. No outcome comes of them. Unmasked,
/// so it is audited.
#[utoipa::path(
    get, path = "/v1/checks/{id}/summary", operation_id = "getCheckSummary", tag = "checks",
    params(
        ("id" = CheckId, Path, description = "The check's id."),
        ("lang" = Option<String>, Query, description = "The language to ask for, where the vendor can choose: ISO 639-1.", example = "en"),
    ),
    responses((status = 200, description = "The summary.", body = Summary, example = json!(examples::summary())), Refusals),
    security(("bearer" = ["pii:read"]))
)]
pub async fn summary(
    State(app): State<App>,
    caller: Caller<PiiRead>,
    PathId(id): PathId<CheckId>,
    uri: Uri,
) -> Result<Json<Summary>, Problem> {
    let mut query = Query::of(&uri);
    let language = language(&mut query);
    query.end()?;
    let (tenant, check) = known(&app, &caller, id).await?;
    let text = app.engine().summary(&check, language).await;
    let text = text.map_err(|error| problem_of_reading(&app, "a summary", &check, error))?;
    let mut tx = app.store().begin().await?;
    app.audit(&mut tx, &caller, "check_summary.read", &tenant, id.to_string(), json!({})).await?;
    tx.save().await?;
    Ok(Json(Summary { text: text.into_exposed() }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, Conflict, VendorFault, VendorUnavailable);
