//! `DELETE /v1/providers/{provider}/credentials/{database_id}`

use axum::extract::State;
use http::{StatusCode, Uri};

use crate::app::{self, App};
use crate::caller::Caller;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account_of_query, into_parameters, refused};
use crate::providers::custom_types::view::AccountParams;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

/// Delete the credentials for a database
///
/// The vendor forgets them. An account that other tenants use as well takes the scope `tenants:all` too. Audited.
#[utoipa::path(
    delete, path = "/v1/providers/{provider}/credentials/{database_id}", operation_id = "deleteCredentials", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("database_id" = String, Path, description = "The database's id, as the sources show it."),
        AccountParams,
    ),
    responses((status = 204, description = "They are gone."), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn delete(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let database_id = super::database(&path);
    let account = account_of_query(&app, &caller, path, &uri)?;
    Box::pin(app::to_the_end(async move {
        let gone = app.engine().delete_credentials(&account, caller.subject(), &database_id).await;
        gone.map(|()| StatusCode::NO_CONTENT).map_err(|error| refused(error, "credentials", into_parameters))
    }))
    .await
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, VendorUnavailable);
