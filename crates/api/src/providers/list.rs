//! `GET /v1/providers`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::ProviderView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::{ProvidersRead, Scope};

#[derive(Serialize, ToSchema)]
pub struct ProviderList {
    data: Vec<ProviderView>,
}

/// List the providers
///
/// Every vendor that this gateway knows, those that are not set up as well.
#[utoipa::path(
    get, path = "/v1/providers", operation_id = "listProviders", tag = "providers",
    responses((status = 200, description = "The providers.", body = ProviderList, example = json!(examples::provider_list())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    _: NoQuery,
) -> Result<Json<ProviderList>, Problem> {
    let statuses = app.store().accounts().await?;
    let providers = app.engine().providers();
    let tenant = (!caller.may(Scope::TenantsAll)).then(|| caller.tenant());
    let data = providers.ids().into_iter().map(|id| ProviderView::of(providers, id, &statuses, tenant)).collect();
    Ok(Json(ProviderList { data }))
}

refusals!(Refusals: ALWAYS; Invalid);
