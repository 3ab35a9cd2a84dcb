//! `PUT /v1/providers/{provider}/custom-types/{country}/{name}`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use provider::CustomType;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::CustomTypeView;
use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::path::PathTexts;
use crate::problem::{Place, Problem};
use crate::providers::administration::{account, in_body, refused};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomTypeWeights {
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
    /// From 0 to 1 for each data set that is searched, adding up to 1. In place of all that there were.
    weights: BTreeMap<String, f64>,
}

/// Replace a custom type
///
/// Gives it other weights, for checks that are made from now on. An account that other tenants use as well takes the scope
/// `tenants:all` too. Where the vendor's answer is lost the account is looked at, and what is so is told. Audited.
#[utoipa::path(
    put, path = "/v1/providers/{provider}/custom-types/{country}/{name}", operation_id = "replaceCustomType", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("country" = String, Path, description = "The type's country.", example = "CO"),
        ("name" = String, Path, description = "The type's name.", example = "drivers"),
    ),
    request_body(content = CustomTypeWeights, example = json!(examples::custom_type_weights())),
    responses((status = 200, description = "The type, as the vendor has it.", body = CustomTypeView, example = json!(examples::custom_type())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn replace(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    _: NoQuery,
    body: JsonBody,
) -> Result<Json<CustomTypeView>, Problem> {
    let request: CustomTypeWeights = body::typed(body.value)?;
    let [country, name] = super::named(&path);
    let account = account(&app, &caller, path, request.account.as_deref(), in_body)?;
    let wanted = CustomType { country, name, weights: request.weights };
    Box::pin(app::to_the_end(async move {
        let now = app.engine().replace_custom_type(&account, caller.subject(), &wanted).await;
        Ok(Json(CustomTypeView::of(now.map_err(|error| refused(error, "custom type", place))?)))
    }))
    .await
}

/// Country and name stand in the path.
fn place(pointer: &str) -> Place {
    match pointer {
        "/country" | "/name" => Place::Parameter(pointer[1..].to_owned()),
        _ => Place::Pointer(pointer.to_owned()),
    }
}

refusals!(Refusals: ALWAYS | BODY; NotFound, VendorUnavailable);
