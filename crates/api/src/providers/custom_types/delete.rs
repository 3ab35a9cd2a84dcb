//! `DELETE /v1/providers/{provider}/custom-types/{country}/{name}`

use axum::extract::State;
use http::{StatusCode, Uri};

use super::view::AccountParams;
use crate::app::{self, App};
use crate::caller::Caller;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account_of_query, into_parameters, refused};
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

/// Delete a custom type
///
/// Checks that were made of it go on; new ones are refused by the vendor. An account that other tenants use as well takes
/// the scope `tenants:all` too. Audited.
#[utoipa::path(
    delete, path = "/v1/providers/{provider}/custom-types/{country}/{name}", operation_id = "deleteCustomType", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("country" = String, Path, description = "The type's country.", example = "CO"),
        ("name" = String, Path, description = "The type's name.", example = "drivers"),
        AccountParams,
    ),
    responses((status = 204, description = "It is gone."), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn delete(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let [country, name] = super::named(&path);
    let account = account_of_query(&app, &caller, path, &uri)?;
    Box::pin(app::to_the_end(async move {
        let gone = app.engine().delete_custom_type(&account, caller.subject(), &country, &name).await;
        gone.map(|()| StatusCode::NO_CONTENT).map_err(|error| refused(error, "custom type", into_parameters))
    }))
    .await
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, VendorUnavailable);
