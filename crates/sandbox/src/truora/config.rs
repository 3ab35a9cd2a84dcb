//! `/v1/config`: the account's own check types.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Simulator, checks, gateway};

/// No Costa Rica.
const COUNTRIES: &[&str] = &["ALL", "BR", "CL", "CO", "MX", "PE"];

const DATA_SETS: &[&str] = &[
    "affiliations_and_insurances",
    "alert_in_media",
    "business_background",
    "criminal_record",
    "driving_licenses",
    "international_background",
    "legal_background",
    "personal_identity",
    "professional_background",
    "taxes_and_finances",
    "traffic_fines",
    "vehicle_information",
    "vehicle_permits",
];

type Weights = BTreeMap<String, f64>;

/// By country and name.
#[derive(Default)]
pub struct CustomTypes(BTreeMap<String, BTreeMap<String, Weights>>);

impl CustomTypes {
    /// The names of a country's types.
    pub fn of(&self, country: &str) -> impl Iterator<Item = String> {
        self.0.get(country).into_iter().flat_map(BTreeMap::keys).cloned()
    }

    /// As the vendor writes it: country, name, list. Weights are numbers.
    fn map(&self) -> Map<String, Value> {
        self.0.iter().map(|(country, types)| (country.clone(), map_of(types))).collect()
    }
}

fn map_of(types: &BTreeMap<String, Weights>) -> Value {
    let list = |weights: &Weights| -> Value {
        weights.iter().map(|(data_set, weight)| json!({ "data_set": data_set, "weight": weight })).collect()
    };
    Value::Object(types.iter().map(|(name, weights)| (name.clone(), list(weights))).collect())
}

/// The whole account's map, whatever was asked; the types that the vendor has by itself stand beside its own.
fn whole(types: &CustomTypes) -> Value {
    let mut configs = types.map();
    let built_in = json!([{ "data_set": "criminal_record", "weight": 0.4 }, { "data_set": "alert_in_media", "weight": 0 },
                          { "data_set": "business_background", "weight": 0.6 }]);
    let colombia = configs.entry("CO").or_insert_with(|| json!({}));
    colombia["company"] = built_in;
    json!({ "client_id": "TCIsandbox", "config_id": "CFGsandbox", "score_configs": configs })
}

pub fn router() -> Router<Arc<Simulator>> {
    Router::new().route("/v1/config", post(create).put(update).get(list).delete(remove))
}

struct Asked {
    country: String,
    name: String,
    weights: Weights,
}

fn read(body: &Bytes) -> Result<Asked, String> {
    let says = |text: &str| format!("Invalid request: {text}");
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| says("a form was expected"))?;
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let country = field("country").unwrap_or_default().to_ascii_uppercase();
    if !COUNTRIES.contains(&country.as_str()) {
        return Err(says("invalid country"));
    }
    let name = field("type").unwrap_or_default();
    if name.trim().is_empty() || matches!(name.as_str(), "person" | "vehicle" | "company") {
        return Err(says("invalid type"));
    }
    let mut weights = Weights::new();
    for (key, value) in &pairs {
        let Some(data_set) = key.strip_prefix("dataset_") else { continue };
        let weight: f64 =
            value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).ok_or_else(|| says("invalid weight"))?;
        if !DATA_SETS.contains(&data_set) {
            return Err(says("invalid dataset"));
        }
        weights.insert(data_set.to_owned(), weight);
    }
    if (weights.values().sum::<f64>() - 1.0).abs() > 1e-6 {
        return Err(says("the sum of the weights must be 1"));
    }
    Ok(Asked { country, name, weights })
}

fn invalid(message: &str) -> Response {
    gateway::error(StatusCode::BAD_REQUEST, message)
}

async fn create(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Response {
    let asked = match read(&body) {
        Ok(asked) => asked,
        Err(message) => return invalid(&message),
    };
    let mut own = simulator.own();
    own.types.0.entry(asked.country).or_default().insert(asked.name, asked.weights);
    (StatusCode::CREATED, Json(whole(&own.types))).into_response()
}

/// A type that does not exist is refused like any other bad request.
async fn update(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Response {
    let asked = match read(&body) {
        Ok(asked) => asked,
        Err(message) => return invalid(&message),
    };
    let mut own = simulator.own();
    match own.types.0.get_mut(&asked.country).and_then(|types| types.get_mut(&asked.name)) {
        Some(weights) => *weights = asked.weights,
        None => return invalid("Invalid request: type not found"),
    }
    Json(whole(&own.types)).into_response()
}

async fn list(State(simulator): State<Arc<Simulator>>) -> Response {
    Json(whole(&simulator.own().types)).into_response()
}

#[derive(Deserialize)]
struct Named {
    country: String,
    #[serde(rename = "type")]
    name: String,
}

/// Gives what is left of that country only.
async fn remove(State(simulator): State<Arc<Simulator>>, Query(named): Query<Named>) -> Response {
    let mut own = simulator.own();
    let types = own.types.0.get_mut(&named.country);
    match types.and_then(|types| types.remove(&named.name).map(|_| map_of(types))) {
        Some(left) => Json(json!({ named.country: left })).into_response(),
        None => checks::not_found(),
    }
}
