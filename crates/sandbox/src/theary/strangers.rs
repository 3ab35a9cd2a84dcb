//! Orders of other clients of the tenant, to tell ours from.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::habits::Habits;
use super::orders::Order;
use super::store::State;
use super::{OUR_TENANT, Simulator};

/// What `POST /_sandbox/strangers` says of them, beside `count`.
struct Wanted<'a> {
    kind: &'a str,
    age: Duration,
    names: Vec<(&'a str, &'a str)>,
    references: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(options: &'a Value) -> Self {
        let list = |field: &str| options[field].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            kind: options["kind"].as_str().unwrap_or("mixed"),
            age: Duration::from_millis(options["age_ms"].as_u64().unwrap_or(0)),
            names: list("names").iter().filter_map(|name| Some((name[0].as_str()?, name[1].as_str()?))).collect(),
            references: list("references").iter().filter_map(Value::as_str).collect(),
        }
    }
}

pub fn make(vendor: &Simulator, state: &mut State, count: usize, options: &Value) -> Vec<String> {
    let habits = vendor.habits.get();
    let wanted = Wanted::read(options);
    let made_at = vendor.tools.clock.now() - wanted.age;
    let latest = state.latest_of_ours().map_or_else(example, |order| order.body.clone());
    let models = models(state, &wanted, &latest);
    (0..count)
        .map(|at| {
            let mut body = models.get(at % models.len().max(1)).unwrap_or(&latest).clone();
            body["webhookConfig"] = Value::Null;
            for search in body["searchTypes"].as_array_mut().into_iter().flatten() {
                search["searchConfig"] = json!({});
                search["externalSearchId"] = reference(&wanted, at);
            }
            // Old ones were not all made in the same instant.
            let apart = Duration::from_millis(if wanted.age.is_zero() { 0 } else { at as u64 });
            let order = order(&body, &wanted, &habits, made_at - apart);
            let id = order.id.clone();
            state.add(order);
            id
        })
        .collect()
}

fn order(body: &Value, wanted: &Wanted<'_>, habits: &Habits, made_at: time::OffsetDateTime) -> Order {
    let mut order = Order::new(body, OUR_TENANT, habits, made_at, true);
    if wanted.kind == "empty" {
        order.searches.clear();
    }
    order
}

/// The reference that the next one carries.
fn reference(wanted: &Wanted<'_>, at: usize) -> Value {
    let carries_one = wanted.kind == "foreign" || wanted.kind == "mixed" && at % 2 == 1;
    match wanted.references.get(at % wanted.references.len().max(1)) {
        _ if !carries_one => Value::Null,
        Some(given) => (*given).into(),
        None => format!("client-{}-{at}", rand::random::<u32>()).into(),
    }
}

/// What strangers are like: for each name that is given the latest order of ours on that person, or the latest of all
/// under that name.
fn models(state: &State, wanted: &Wanted<'_>, latest: &Value) -> Vec<Value> {
    if wanted.kind == "other" {
        return vec![named(latest, "Else", "Body")];
    }
    let mut known: HashMap<(&str, &str), &Value> = HashMap::new();
    if !wanted.names.is_empty() {
        for order in state.orders.iter().filter(|order| !order.stranger) {
            let applicant = &order.body["applicant"];
            if let Some(name) = applicant["firstName"].as_str().zip(applicant["lastName"].as_str()) {
                known.insert(name, &order.body);
            }
        }
    }
    let like = |&(first, last): &(&str, &str)| {
        known.get(&(first, last)).map_or_else(|| named(latest, first, last), |body| (*body).clone())
    };
    wanted.names.iter().map(like).collect()
}

fn named(model: &Value, first: &str, last: &str) -> Value {
    let mut body = model.clone();
    body["applicant"]["firstName"] = first.into();
    body["applicant"]["lastName"] = last.into();
    body
}

/// What strangers order where there is nothing of ours to be like.
fn example() -> Value {
    json!({
        "applicant": {"firstName": "Stran", "lastName": "Ger", "ssn": "900-10-0100"},
        "businessContext": {
            "entityName": "Elsewhere Works", "appliedJobTitle": "Clerk", "worksiteCity": "Reno", "worksiteState": "NV",
            "proposedSalary": 50_000,
        },
        "searchTypes": [{"searchType": "EMPLOYMENT"}],
        "history": {"employment": [{"employerName": "Past Works", "position": "Clerk"}]},
    })
}
