//! `GET /v1/providers/{provider}/settings`

use axum::Json;
use axum::extract::State;
use domain::Timestamp;
use http::Uri;
use serde::Serialize;
use serde_json::Value;
use store::StoredAuditEntry;
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

/// What was last set here. The vendor cannot be asked, and others may have changed it since.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderSettings)]
pub struct SettingsView {
    /// What was set through this gateway, each at its last value; empty: nothing was.
    #[schema(value_type = Object)]
    set_here: Value,
    #[schema(required)]
    changed_at: Option<Timestamp>,
    /// The `sub` of whoever changed it last.
    #[schema(required)]
    changed_by: Option<String>,
}

impl SettingsView {
    pub fn of(last: Option<StoredAuditEntry>) -> Self {
        let set_here = last.as_ref().map(|last| last.entry.data["settings"].clone()).filter(Value::is_object);
        Self {
            set_here: set_here.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            changed_at: last.as_ref().map(|last| last.entry.at),
            changed_by: last.map(|last| last.entry.actor),
        }
    }
}

/// Get a vendor account's settings
///
/// Shows what was set through this gateway. A vendor that cannot be asked for its settings may have others, set elsewhere or
/// by default. An account that other tenants use as well takes the scope `tenants:all` too.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/settings", operation_id = "getProviderSettings", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "truora"), AccountParams),
    responses((status = 200, description = "What was set here.", body = SettingsView, example = json!(examples::provider_settings())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<Json<SettingsView>, Problem> {
    let account = account_of_query(&app, &caller, path, &uri)?;
    let last = app.engine().last_settings(&account).await;
    Ok(Json(SettingsView::of(last.map_err(|error| refused(error, "account", into_parameters))?)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
