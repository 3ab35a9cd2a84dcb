//! What the demo orders, and what goes wrong with it. Every person is made up; the numbers are such that the simulators
//! bring each check to an end.

use serde_json::{Map, Value, json};

pub const VENDORS: [&str; 3] = ["truora", "theary", "truework"];

/// One way in which the answer to a create call is lost.
pub struct Mishap {
    /// What is armed at the simulator.
    pub fault: Value,
    pub label: &'static str,
}

/// Every mishap, each met by one order at each vendor.
pub fn mishaps() -> Vec<Mishap> {
    let mishap = |label, fault| Mishap { fault, label };
    vec![
        mishap("answer lost, work done", json!({ "fault": "drop_after" })),
        mishap("call lost, nothing done", json!({ "fault": "drop_before" })),
        mishap("502, work done", json!({ "fault": "status_after", "status": 502 })),
    ]
}

/// An order with one check at each of these vendors.
pub fn order(external_id: &str, number: u32, vendors: &[&str]) -> Value {
    json!({
        "external_id": external_id,
        "subject": {
            "type": "person", "first_name": "Taylor", "last_name": "Curtis", "date_of_birth": "1990-05-15",
            "email": "taylor.curtis@example.com", "phone": "+15550100",
            "identifiers": [
                { "type": "ssn", "country": "US", "value": "000-00-0000" },
                { "type": "national_id", "country": "CO", "value": national_id(number) },
            ],
        },
        "position": {
            "title": "Engineer", "company": "Example Hiring Inc", "city": "Springfield", "region": "IL", "country": "US",
            "salary": { "amount": "100000.00", "currency": "USD" },
        },
        "consent": { "obtained_at": "2026-01-05T10:00:00Z", "document": { "url": "https://example.com/release.pdf" } },
        "checks": vendors.iter().map(|vendor| check(vendor, number)).collect::<Vec<_>>(),
    })
}

/// A batch as NDJSON: what all of its orders share, then an order on each line.
pub fn batch(external_id: &str, orders: Vec<Value>) -> String {
    const SHARED: [&str; 2] = ["position", "consent"];
    let shared: Map<String, Value> = orders
        .first()
        .map(|order| SHARED.map(|key| (key.to_owned(), order[key].clone())))
        .into_iter()
        .flatten()
        .collect();
    let mut lines = vec![json!({ "external_id": external_id, "defaults": shared })];
    for mut order in orders {
        if let Some(order) = order.as_object_mut() {
            order.retain(|key, _| !SHARED.contains(&key.as_str()));
        }
        lines.push(order);
    }
    lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// How a batch call fails half-way: the create of its fifth order throws. Three of the others are made before that, four
/// after the call has ended. And its answer is lost.
pub fn half_way() -> Value {
    json!({ "batch_throw_at": 4, "siblings_before_error": 3, "siblings_after_error_ms": 1_500 })
}

/// How many orders such a call has, and how many of them come to be.
pub const HALF_WAY: (usize, usize) = (8, 7);

/// The switches as they are by themselves.
pub fn whole() -> Value {
    json!({ "batch_throw_at": null, "siblings_before_error": 0, "siblings_after_error_ms": 0 })
}

/// The smallest order there is.
pub fn background_order(external_id: &str, number: u32) -> Value {
    json!({
        "external_id": external_id,
        "subject": {
            "type": "person", "first_name": "Lucia", "last_name": "Prueba",
            "identifiers": [{ "type": "national_id", "country": "CO", "value": national_id(number) }],
        },
        "consent": { "obtained_at": "2026-01-05T10:00:00Z" },
        "checks": [{ "type": "background_check", "country": "CO" }],
    })
}

/// One of its own for each order: Truora gives equal people the same check. The simulator steers by the last digits;
/// those of 10 are clean.
fn national_id(number: u32) -> String {
    format!("{}10", 10_000_000 + number)
}

fn check(vendor: &str, number: u32) -> Value {
    match vendor {
        "truora" => json!({ "type": "background_check", "provider": "truora", "country": "CO" }),
        "theary" if number % 2 == 1 => json!({
            "type": "education_verification", "provider": "theary",
            "institution": { "name": "Sample University" }, "qualification": "BSc", "field_of_study": "Mathematics",
            "graduation_date": "2014-06-30",
        }),
        vendor => json!({
            "type": "employment_verification", "provider": vendor,
            "employer": { "name": "Fake Company", "location": "Springfield, IL", "email": "hr@example.com" },
            "title": "Software Engineer", "start_date": "2019-01-01",
        }),
    }
}
