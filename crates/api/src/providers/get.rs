//! `GET /v1/providers/{provider}`

use axum::Json;
use axum::extract::State;
use domain::ProviderId;

use super::view::ProviderView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::{ProvidersRead, Scope};

/// Get a provider
#[utoipa::path(
    get, path = "/v1/providers/{provider}", operation_id = "getProvider", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "theary")),
    responses((status = 200, description = "The provider.", body = ProviderView, example = json!(examples::provider())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    PathTexts(path): PathTexts,
    _: NoQuery,
) -> Result<Json<ProviderView>, Problem> {
    let id = known(&app, path)?;
    let statuses = app.store().accounts().await?;
    let tenant = (!caller.may(Scope::TenantsAll)).then(|| caller.tenant());
    Ok(Json(ProviderView::of(app.engine().providers(), &id, &statuses, tenant)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// The provider that the path names.
pub fn known(app: &App, path: Vec<String>) -> Result<ProviderId, Problem> {
    let id = ProviderId::new(path.into_iter().next().unwrap_or_default());
    if app.engine().providers().ids().contains(&&id) { Ok(id) } else { Err(Problem::not_found("provider")) }
}
