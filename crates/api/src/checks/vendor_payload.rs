//! `GET /v1/checks/{id}/vendor-payload`

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::CheckId;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::json;

use crate::app::App;
use crate::caller::Caller;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::VendorRead;

/// When the answer was received.
const RECEIVED_AT: &str = "x-received-at";

/// Get the vendor's own last answer
///
/// Unchanged, and so unmasked: it is audited. Its form is the vendor's own and changes with the vendor.
#[utoipa::path(
    get, path = "/v1/checks/{id}/vendor-payload", operation_id = "getCheckVendorPayload", tag = "checks",
    params(("id" = CheckId, Path, description = "The check's id.")),
    responses(
        (status = 200, description = "What the vendor answered.", body = Object, content_type = "application/json",
         headers(("X-Received-At" = String, description = "When it was received.")),
         example = json!({"id": "search_456", "status": "IN_PROGRESS"})),
        Refusals,
    ),
    security(("bearer" = ["vendor:read"]))
)]
pub async fn vendor_payload(
    State(app): State<App>,
    caller: Caller<VendorRead>,
    PathId(id): PathId<CheckId>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let (mut tx, reach) = (app.store().begin().await?, caller.reach());
    let order = tx.orders().of_check(&reach, id).await?.ok_or_else(|| Problem::not_found("check"))?;
    let (payload, received_at) = tx.payloads().get(&reach, id).await?.ok_or_else(|| {
        Problem::new(crate::problem::Kind::NotFound, "No answer of the vendor about this check is here yet.")
    })?;
    app.audit(&mut tx, &caller, "vendor_payload.read", &order.tenant, id.to_string(), json!({})).await?;
    tx.save().await?;
    let payload = payload.into_exposed();
    // Only what is JSON is called so; a browser must never take a vendor's page for one of ours.
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_ok();
    let kind = if is_json { "application/json" } else { "application/octet-stream" };
    let mut response = payload.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    if let Ok(at) = HeaderValue::from_str(&received_at.to_string()) {
        headers.insert(RECEIVED_AT, at);
    }
    Ok(response)
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
