//! `/v1/health`: the databases of a country, and how each did in the last 24 hours.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Simulator, gateway};

pub fn router() -> Router<Arc<Simulator>> {
    Router::new().route("/v1/health", get(health))
}

/// All three are required, in this odd case.
#[derive(Deserialize)]
struct Asked {
    country: Option<String>,
    #[serde(rename = "unixTimestampSeconds")]
    at: Option<i64>,
    #[serde(rename = "unixtimezoneOffsetSeconds")]
    offset: Option<i64>,
}

/// The body is a bare array, of whole hours of the asked day: the last one is the hour that was asked for where that is
/// the day's last.
async fn health(State(_): State<Arc<Simulator>>, Query(asked): Query<Asked>) -> Response {
    let invalid =
        |what: &str| gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: {what} was expected"));
    let Some(country) = asked.country else { return invalid("country") };
    let Some(at) = asked.at else { return invalid("unixTimestampSeconds") };
    let Some(offset) = asked.offset else { return invalid("unixtimezoneOffsetSeconds") };
    if !["ALL", "BR", "CO", "CL", "MX", "PE", "CR"].contains(&country.as_str()) {
        return invalid("a country in capitals");
    }
    let hour = (at + offset).rem_euclid(86_400) / 3_600;
    // Nobody knows what is yet to come.
    let hourly = |bad: i64, word: &str| -> Vec<Value> {
        let state = |of: i64| {
            if of > hour {
                "undetermined"
            } else if of == bad {
                word
            } else {
                "operational"
            }
        };
        (0..24).map(|of| json!(state(of))).collect()
    };
    let database = |number: u32, name: &str, data_sets: &[&str], hourly: Vec<Value>| {
        json!({ "database_id": format!("DBI{number:040x}"), "database_name": format!("{name} {country}"),
                "data_sets": data_sets, "hourly_status": hourly })
    };
    axum::Json(json!([
        database(1, "Registro civil", &["personal_identity"], hourly(23, "major_outage")),
        database(2, "Antecedentes", &["criminal_record", "legal_background"], hourly(3, "degraded_performance")),
    ]))
    .into_response()
}
