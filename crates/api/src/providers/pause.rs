//! `POST /v1/providers/{provider}/pause`

use axum::extract::State;
use axum::response::Response;
use domain::ProviderId;
use http::StatusCode;
use serde::Deserialize;
use store::Paused;
use utoipa::ToSchema;

use super::get::known;
use super::view::ProviderView;
use crate::app::App;
use crate::body::{self, OptionalJsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::{Key, Start};
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::{ProvidersManage, Scope};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// For those who wonder why nothing is sent.
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Pause a provider
///
/// Stops sending to the vendor. Orders keep being accepted and wait. A vendor that other tenants use as well takes the
/// scope `tenants:all` too.
#[utoipa::path(
    post, path = "/v1/providers/{provider}/pause", operation_id = "pauseProvider", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "theary"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(content = Option<PauseRequest>, content_type = "application/json", example = json!({"reason": "The vendor announced maintenance."})),
    responses((status = 200, description = "The provider, paused.", body = ProviderView, example = json!(examples::provider())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn pause(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let request: PauseRequest = body::typed(body.value)?;
    let id = manageable(&app, &caller, path)?;
    let paused = Paused { at: app.now(), by: caller.subject().to_owned(), reason: request.reason.clone() };
    let view = afterwards(&app, &caller, &id, Some(&paused)).await?;
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    app.engine().pause(&mut attempt.tx, &id, caller.subject(), request.reason).await?;
    attempt.finish(&app, StatusCode::OK, None, &view).await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);

/// The provider of the path, if the caller may stop it for everybody who uses it.
pub fn manageable(app: &App, caller: &Caller<ProvidersManage>, path: Vec<String>) -> Result<ProviderId, Problem> {
    let id = known(app, path)?;
    let providers = app.engine().providers();
    if let Some(reason) = providers.off(&id) {
        return Err(Problem::parameter("provider", "provider_off", format!("{id} is off on this gateway: {reason}")));
    }
    if !providers.accounts_of(&id).all(|account| caller.owns(account)) {
        caller.must(Scope::TenantsAll)?;
    }
    Ok(id)
}

/// The provider as it will be once it is paused, or resumed. Made before the transaction, which would not show it, and
/// would hold a second connection meanwhile.
pub async fn afterwards(
    app: &App,
    caller: &Caller<ProvidersManage>,
    id: &ProviderId,
    paused: Option<&Paused>,
) -> Result<ProviderView, Problem> {
    let mut statuses = app.store().accounts().await?;
    for status in statuses.iter_mut().filter(|status| status.key.provider == *id) {
        status.paused = paused.cloned();
    }
    let tenant = (!caller.may(Scope::TenantsAll)).then(|| caller.tenant());
    Ok(ProviderView::of(app.engine().providers(), id, &statuses, tenant))
}
