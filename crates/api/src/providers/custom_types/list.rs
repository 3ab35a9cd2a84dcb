//! `GET /v1/providers/{provider}/custom-types`

use axum::Json;
use axum::extract::State;
use http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{AccountParams, CustomTypeView};
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account_of_query, into_parameters, refused};
use crate::refusals::refusals;
use crate::scope::ProvidersRead;

#[derive(Serialize, ToSchema)]
pub struct CustomTypeList {
    data: Vec<CustomTypeView>,
}

/// List custom types
///
/// The vendor account's own check types, as the vendor has them now. An account that other tenants use as well takes the
/// scope `tenants:all` too.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/custom-types", operation_id = "listCustomTypes", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "truora"), AccountParams),
    responses((status = 200, description = "The types.", body = CustomTypeList, example = json!(examples::custom_type_list())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<Json<CustomTypeList>, Problem> {
    let account = account_of_query(&app, &caller, path, &uri)?;
    let types = app.engine().custom_types(&account).await;
    let types = types.map_err(|error| refused(error, "account", into_parameters))?;
    Ok(Json(CustomTypeList { data: types.into_iter().map(CustomTypeView::of).collect() }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, VendorUnavailable);
