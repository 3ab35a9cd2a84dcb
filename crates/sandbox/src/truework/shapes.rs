//! Every answer and hook of the newest version, held against our notes of what the vendor's two contracts promise: each field
//! there, none besides, and each of its kind.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::tests::{Site, body};

mod hooks;

const NOTES: &[&str] = &[include_str!("shapes/newest.txt"), include_str!("shapes/hooks.txt")];

/// The notes, read.
#[derive(Default)]
struct Shapes {
    objects: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
    words: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Shapes {
    fn read() -> Self {
        let mut shapes = Self::default();
        let lines = NOTES.iter().flat_map(|notes| notes.lines());
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some((name, words)) = line.split_once(" = ") {
                shapes.words.entry(name).or_default().extend(words.split(' '));
            } else {
                let (name, fields) = line.split_once(": ").expect("a name and its fields");
                let fields: Vec<_> =
                    fields.split(", ").map(|field| field.split_once(' ').unwrap_or((field, ""))).collect();
                shapes.objects.entry(name).or_default().extend(fields);
            }
        }
        shapes
    }

    /// Its own fields and those that it takes over from another.
    fn fields(&self, name: &str) -> BTreeMap<&'static str, &'static str> {
        let own = self.objects.get(name).unwrap_or_else(|| panic!("no notes on {name}"));
        let mut fields = BTreeMap::new();
        for (field, kind) in own {
            match field.strip_prefix("..") {
                Some(other) => fields.extend(self.fields(other)),
                None => _ = fields.insert(*field, *kind),
            }
        }
        fields
    }

    /// Everything that is wrong with a value, with where it is.
    fn faults(&self, value: &Value, kind: &str, place: &str, faults: &mut Vec<String>) {
        let (kind, words) = match kind.strip_prefix("word") {
            Some(rest) => (if rest.starts_with('?') { "word?" } else { "word" }, rest.trim_start_matches(['?', ' '])),
            None => (kind, ""),
        };
        let (kind, is_nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        if value.is_null() {
            if !is_nullable {
                faults.push(format!("{place} is null"));
            }
            return;
        }
        if let Some(inner) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            match value.as_array() {
                Some(list) => list.iter().for_each(|value| self.faults(value, inner, &format!("{place}[]"), faults)),
                None => faults.push(format!("{place} is no list")),
            }
            return;
        }
        let text = value.as_str();
        let is_right = match kind {
            "text" => value.is_string(),
            "time" => text.is_some_and(|text| text.len() >= 20 && text.contains('T')),
            "date" => text.is_some_and(|text| text.len() == 10 && text.split('-').count() == 3),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "map" => value.is_object(),
            "word" => {
                let canonical = value["canonical_value"].as_str().unwrap_or_default();
                self.words[words].contains(&canonical) && value["raw_value"].is_string()
            }
            _ if kind.starts_with('(') => {
                text.is_some_and(|text| kind.trim_matches(['(', ')']).split('|').any(|word| word == text))
            }
            name => return self.faults_of_object(value, name, place, faults),
        };
        if !is_right {
            faults.push(format!("{place} is no {kind} {words}: {value}"));
        }
    }

    fn faults_of_object(&self, value: &Value, name: &str, place: &str, faults: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            faults.push(format!("{place} is no {name}"));
            return;
        };
        let fields = self.fields(name);
        for (field, kind) in &fields {
            let (field, may_lack) = field.strip_suffix('~').map_or((*field, false), |field| (field, true));
            match object.get(field) {
                Some(value) => self.faults(value, kind, &format!("{place}.{field}"), faults),
                None if may_lack => {}
                None => faults.push(format!("{place}.{field} is missing")),
            }
        }
        let known: Vec<&str> = fields.keys().map(|field| field.trim_end_matches('~')).collect();
        let unknown = object.keys().filter(|field| !known.contains(&field.as_str()));
        faults.extend(unknown.map(|field| format!("{place}.{field} is not in the contract")));
    }

    fn hold(&self, value: &Value, kind: &str) {
        let mut faults = Vec::new();
        self.faults(value, kind, kind, &mut faults);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn the_notes_find_what_is_wrong() {
    let shapes = Shapes::read();
    let faults = |value: &Value, kind: &str| {
        let mut faults = Vec::new();
        shapes.faults(value, kind, "x", &mut faults);
        faults
    };
    let event = json!({ "id": "1", "created": "2026-11-20T10:00:00Z", "type": "a", "message": "b", "strategy": null,
                        "verification_request_id": null });
    assert!(faults(&event, "Event").is_empty());
    let mut odd = event.clone();
    odd["created"] = json!("yesterday");
    odd["message"] = Value::Null;
    odd["new"] = json!(1);
    odd.as_object_mut().expect("an object").remove("strategy");
    assert_eq!(faults(&odd, "Event").len(), 4);
    assert_eq!(faults(&json!([event, 1]), "[Event]?").len(), 1);
    let word = |canonical: &str| json!({ "canonical_value": canonical, "raw_value": "x" });
    assert!(faults(&word("processing"), "word State").is_empty());
    assert_eq!(faults(&word("frobnicated"), "word State").len(), 1);
    assert_eq!(faults(&json!("processing"), "word? State").len(), 1);
    assert!(faults(&Value::Null, "word? State").is_empty());
}

/// Orders of every kind, on every test number, at every step, and whatever else is answered about them.
#[tokio::test]
async fn every_answer_is_what_the_contract_promises() {
    let shapes = Shapes::read();
    let mut kinds_of_reports = 0;
    for last in [
        "00-0000", "00-0001", "00-0002", "00-0007", "01-0000", "03-0000", "20-0000", "99-0001", "99-0003", "99-0005",
        "99-0006", "99-0007", "99-0008", "99-0009", "99-0010", "99-0011", "99-0012", "99-0013",
    ] {
        let ssn = format!("000-{last}");
        let site = Site::new().await;
        site.switch(json!({ "completion_dates": last.ends_with('1') }));
        let query = "include_income_analytics=true&include_report_annotations=true";
        let direct = json!({ "search_key": "key-2", "targets": [{
            "type": "employment-income", "permissible_purpose": "employment", "use_case": "background",
            "first_name": "Jane", "last_name": "Sample", "social_security_number": ssn, "date_of_birth": "1990-05-15",
            "contact_email": "jane@example.com", "companies": [{ "name": "Asked Inc", "action": "verify" }, { "name": "B" }],
        }] });
        let mut ids = Vec::new();
        for (path, body) in [
            ("orders/target-employer".to_owned(), body(&ssn)),
            (format!("orders/employer-search?{query}"), body(&ssn)),
            ("orders/truework-direct".to_owned(), direct),
        ] {
            let (status, order) = site.create(&path, &body).await;
            assert_eq!(status, 201, "{ssn}: {order}");
            shapes.hold(&order, "Order");
            ids.push(order["id"].as_str().expect("an id").to_owned());
        }
        for _ in 0..3 {
            for id in &ids {
                let (_, order) = site.get(&format!("orders/{id}?{query}")).await;
                shapes.hold(&order, "Order");
                shapes.hold(&site.get(&format!("orders/{id}/events")).await.1, "Events");
                let verifications = order["verification_requests"].as_array().expect("a list");
                for report in verifications.iter().filter_map(|one| one["reports"].as_array()).flatten() {
                    kinds_of_reports += 1;
                    let report_id = report["id"].as_str().expect("an id");
                    shapes.hold(&site.get(&format!("reports/{report_id}?{query}")).await.1, "Report");
                    let (status, again) =
                        site.create("orders/reverification", &json!({ "report_id": report_id })).await;
                    assert_eq!(status, 201, "{ssn}: {again}");
                    shapes.hold(&again, "Order");
                }
            }
            site.advance(2);
        }
        shapes.hold(&site.get(&format!("orders?{query}")).await.1, "Orders");
        for id in &ids {
            let reason = json!({ "cancellation_reason": "other", "cancellation_details": "x" });
            let path = format!("orders/{id}/cancel");
            let (status, stopped) = site.answer(site.request(Method::PUT, &path).json(&reason)).await;
            if status == 200 {
                shapes.hold(&stopped, "Stopped");
                shapes.hold(&site.get(&format!("orders/{id}")).await.1, "Order");
            }
        }
        site.advance(Duration::from_hours(1).as_secs());
    }
    assert!(kinds_of_reports > 20, "reports were among them: {kinds_of_reports}");
}

/// A refusal of each status that the simulator answers by itself.
#[tokio::test]
async fn every_refusal_is_what_the_contract_promises() {
    let shapes = Shapes::read();
    let site = Site::new().await;
    let mut seen = Vec::new();
    let mut hold = |(status, answer): (http::StatusCode, Value)| {
        shapes.hold(&answer, "Refusal");
        seen.push(status.as_u16());
    };
    hold(site.create("orders/target-employer", &json!({})).await);
    hold(site.create("orders/target-employer", &body("000-99-0002")).await);
    hold(site.get("orders/nobody-knows-it").await);
    hold(site.get("orders/nobody-knows-it/events").await);
    hold(site.get("reports/nobody-knows-it").await);
    hold(site.answer(site.request_as(Method::GET, "orders", "tw_sk_test_bad", "2023-10-30")).await);
    hold(site.answer(site.request_as(Method::GET, "orders", &site.config.api_key, "2020-12-07")).await);
    site.switch(json!({ "rate_limit": 1 }));
    site.get("orders").await;
    hold(site.get("orders").await);
    for status in [403, 500, 501] {
        site.switch(json!({ "rate_limit": 0 }));
        site.simulator.control().arm(crate::Fault::new("list", crate::FaultKind::StatusBefore).status(status));
        hold(site.get("orders").await);
    }
    assert_eq!(seen, [400, 451, 404, 404, 404, 401, 406, 429, 403, 500, 501]);
}
