//! `GET /v1/providers/{provider}/credentials`

use axum::Json;
use axum::extract::State;
use http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account_of_query, into_parameters, refused};
use crate::providers::custom_types::view::AccountParams;
use crate::refusals::refusals;
use crate::scope::ProvidersRead;

/// That the vendor has credentials for a database. Which ones is not shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Credentials)]
pub struct CredentialsView {
    pub database_id: String,
}

#[derive(Serialize, ToSchema)]
pub struct CredentialsList {
    data: Vec<CredentialsView>,
}

/// List the databases with credentials
///
/// Which databases the vendor has the account's credentials for, never the credentials. An account that other tenants use as
/// well takes the scope `tenants:all` too.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/credentials", operation_id = "listCredentials", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "truora"), AccountParams),
    responses((status = 200, description = "The databases.", body = CredentialsList, example = json!(examples::credentials_list())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<Json<CredentialsList>, Problem> {
    let account = account_of_query(&app, &caller, path, &uri)?;
    let ids = app.engine().credentials(&account).await;
    let ids = ids.map_err(|error| refused(error, "account", into_parameters))?;
    Ok(Json(CredentialsList { data: ids.into_iter().map(|database_id| CredentialsView { database_id }).collect() }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, VendorUnavailable);
