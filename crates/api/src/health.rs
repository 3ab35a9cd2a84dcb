//! `GET /healthz` and `GET /readyz`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::refusals::refusals;

/// The gateway is well.
#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(examples("ok"))]
    status: &'static str,
    /// The gateway's version.
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process is alive
///
/// Asks nothing of the database: an orchestrator that restarts on this must not restart because of it.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "health",
    responses((status = 200, description = "Alive.", body = Health, example = json!(OK)), HealthRefusals),
    security(())
)]
pub async fn healthz() -> Json<Health> {
    Json(OK)
}

refusals!(HealthRefusals: ; Internal);

/// Whether the gateway can serve
///
/// It can once the database answers and has every migration of this version.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness", tag = "health",
    responses((status = 200, description = "Ready.", body = Health, example = json!(OK)), ReadyRefusals),
    security(())
)]
pub async fn readyz(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let not_ready = |detail: String| Err(Problem::new(Kind::NotReady, detail));
    if let Err(error) = app.store().ping().await {
        tracing::warn!(%error, "not ready");
        return not_ready("The database cannot be reached.".to_owned());
    }
    match app.store().pending_migrations().await {
        Ok(0) => Ok(Json(OK)),
        Ok(count) => not_ready(format!("{count} migrations are not applied yet; run `vetgate migrate`.")),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            not_ready("The database's migrations cannot be read.".to_owned())
        }
    }
}

refusals!(ReadyRefusals: ; Internal, NotReady);
