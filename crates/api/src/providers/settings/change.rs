//! `PATCH /v1/providers/{provider}/settings`

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use provider::{NamesMatching, SettingsChange};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get::SettingsView;
use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::faults::Faults;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::providers::administration::{account, in_body, into_body, refused};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettingsChange {
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
    /// Which records count as the subject's by name.
    names_matching: Option<Matching>,
    /// Whether sources that fail are tried again.
    retries: Option<bool>,
    /// How long a check may take: whole minutes or hours, from `15m` to `168h`.
    #[schema(examples("48h"))]
    max_duration: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Matching {
    /// Names that are alike.
    Soft,
    /// The same name only.
    Exact,
}

/// Change a vendor account's settings
///
/// They hold for every check that the account makes from now on, whoever orders it: an account that other tenants use as
/// well takes the scope `tenants:all` too. Sending the same again is harmless. Audited.
#[utoipa::path(
    patch, path = "/v1/providers/{provider}/settings", operation_id = "changeProviderSettings", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "truora")),
    request_body(content = ProviderSettingsChange, example = json!({"names_matching": "exact", "max_duration": "48h"})),
    responses((status = 200, description = "What is set now.", body = SettingsView, example = json!(examples::provider_settings())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    _: NoQuery,
    body: JsonBody,
) -> Result<Json<SettingsView>, Problem> {
    let request: ProviderSettingsChange = body::typed(body.value)?;
    let mut faults = Faults::default();
    let max_duration = request.max_duration.as_deref().map(duration);
    if max_duration == Some(None) {
        faults.push("/max_duration", "invalid", "Expected whole minutes or hours from 15m to 168h, such as 48h.");
    }
    faults.settle()?;
    let account = account(&app, &caller, path, request.account.as_deref(), in_body)?;
    let change = SettingsChange {
        names_matching: request.names_matching.map(|matching| match matching {
            Matching::Soft => NamesMatching::Soft,
            Matching::Exact => NamesMatching::Exact,
        }),
        retries: request.retries,
        max_duration: max_duration.flatten(),
    };
    Box::pin(app::to_the_end(async move {
        let refusal = |error| refused(error, "account", into_body);
        app.engine().change_settings(&account, caller.subject(), &change).await.map_err(refusal)?;
        let last = app.engine().last_settings(&account).await.map_err(refusal)?;
        Ok(Json(SettingsView::of(last)))
    }))
    .await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, VendorUnavailable);

/// `90m`, `48h`.
fn duration(text: &str) -> Option<Duration> {
    let (number, minutes) = match text.strip_suffix('h') {
        Some(hours) => (hours, 60),
        None => (text.strip_suffix('m')?, 1),
    };
    let number: u64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    Some(Duration::from_secs(number.checked_mul(minutes * 60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_minutes_or_hours() {
        assert_eq!((duration("48h"), duration("90m")), (Some(Duration::from_hours(48)), Some(Duration::from_mins(90))));
        for bad in ["", "h", "48", "-1h", "+1h", "1.5h", "1d", "99999999999999999999h", "18446744073709551615h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
