//! `POST /v1/providers/{provider}/custom-types`

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use provider::CustomType;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::CustomTypeView;
use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::{Key, Start};
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account, in_body, into_body, refused};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomType {
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
    /// ISO 3166-1 alpha-2, or `ALL`.
    #[schema(examples("CO"))]
    country: String,
    #[schema(max_length = 100)]
    name: String,
    /// From 0 to 1 for each data set that is searched, adding up to 1.
    weights: BTreeMap<String, f64>,
}

/// Make a custom type
///
/// It can be named by checks as soon as this is answered. An account that other tenants use as well takes the scope
/// `tenants:all` too. Where the vendor's answer is lost the account is looked at, and what is so is told. Audited.
#[utoipa::path(
    post, path = "/v1/providers/{provider}/custom-types", operation_id = "createCustomType", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = NewCustomType, example = json!(examples::custom_type())),
    responses((status = 201, description = "The type, as the vendor has it.", body = CustomTypeView, example = json!(examples::custom_type())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    key: Key,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let request: NewCustomType = body::typed(body.value)?;
    let account = account(&app, &caller, path, request.account.as_deref(), in_body)?;
    let wanted = CustomType { country: request.country, name: request.name, weights: request.weights };
    let bytes = body.bytes;
    Box::pin(app::to_the_end(async move {
        if let Some(answer) = key.replay(&app, caller.tenant(), &bytes).await? {
            return Ok(answer);
        }
        let made = app.engine().create_custom_type(&account, caller.subject(), &wanted).await;
        let view = CustomTypeView::of(made.map_err(|error| refused(error, "custom type", into_body))?);
        match key.begin(&app, caller.tenant(), &bytes).await {
            Ok(Start::Replay(answer)) => Ok(answer),
            Ok(Start::Fresh(attempt)) => attempt.finish(&app, StatusCode::CREATED, None, &view).await,
            // It is made, whether or not the answer can be kept.
            Err(_) => Ok((StatusCode::CREATED, axum::Json(view)).into_response()),
        }
    }))
    .await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict, VendorUnavailable);
