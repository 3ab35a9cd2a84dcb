//! `GET /v1/providers/{provider}/sources`

use axum::Json;
use axum::extract::State;
use domain::Timestamp;
use http::Uri;
use provider::Source;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::administration::{account, in_query, into_parameters, refused};
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::ProvidersRead;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes")]
pub struct SourceParams {
    /// ISO 3166-1 alpha-2, or `ALL`.
    #[param(example = "CO")]
    country: String,
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
}

/// A database that the vendor searches.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView {
    id: String,
    name: String,
    datasets: Vec<String>,
    /// The last 24 hours, oldest first.
    hourly_status: Vec<HourView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SourceHour)]
struct HourView {
    /// When the hour began.
    at: Timestamp,
    /// The vendor's own word, such as `operational` or `major_outage`. There may be new ones.
    #[schema(examples("operational"))]
    status: String,
}

#[derive(Serialize, ToSchema)]
pub struct SourceList {
    data: Vec<SourceView>,
}

impl SourceView {
    fn of(source: Source) -> Self {
        let hour = |hour: provider::SourceHour| HourView { at: hour.at, status: hour.status };
        Self {
            id: source.id,
            name: source.name,
            datasets: source.datasets,
            hourly_status: source.hours.into_iter().map(hour).collect(),
        }
    }
}

/// List a vendor's sources
///
/// The databases that the vendor searches in a country, and how each did in every of the last 24 hours. An account that
/// other tenants use as well takes the scope `tenants:all` too.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/sources", operation_id = "listSources", tag = "providers",
    params(("provider" = String, Path, description = "The vendor.", example = "truora"), SourceParams),
    responses((status = 200, description = "The sources.", body = SourceList, example = json!(examples::source_list())), Refusals),
    security(("bearer" = ["providers:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ProvidersRead>,
    PathTexts(path): PathTexts,
    uri: Uri,
) -> Result<Json<SourceList>, Problem> {
    let mut query = Query::of(&uri);
    let name = query.text("account");
    let country = query.text("country");
    if country.is_none() {
        query.faults.parameter("country", "required", "Name the country, or ALL.");
    }
    query.end()?;
    let account = account(&app, &caller, path, name.as_deref(), in_query)?;
    let sources = app.engine().sources(&account, &country.unwrap_or_default()).await;
    let sources = sources.map_err(|error| refused(error, "country", into_parameters))?;
    Ok(Json(SourceList { data: sources.into_iter().map(SourceView::of).collect() }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, VendorUnavailable);
