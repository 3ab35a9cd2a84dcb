//! `POST /v1/providers/{provider}/resume`

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::pause::{afterwards, manageable};
use super::view::ProviderView;
use crate::app::App;
use crate::body::OptionalJsonBody;
use crate::caller::Caller;
use crate::examples;
use crate::idempotency::{Key, Start};
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

/// Resume a provider
///
/// Sends to the vendor again; what has waited goes out. A vendor that other tenants use as well takes the scope
/// `tenants:all` too.
#[utoipa::path(
    post, path = "/v1/providers/{provider}/resume", operation_id = "resumeProvider", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "theary"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    responses((status = 200, description = "The provider.", body = ProviderView, example = json!(examples::provider())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn resume(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    key: Key,
    _: NoQuery,
    body: OptionalJsonBody,
) -> Result<Response, Problem> {
    let id = manageable(&app, &caller, path)?;
    let view = afterwards(&app, &caller, &id, None).await?;
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    app.engine().resume(&mut attempt.tx, &id, caller.subject()).await?;
    let answer = attempt.finish(&app, StatusCode::OK, None, &view).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);
