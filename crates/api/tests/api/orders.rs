//! An order's way through the API.

use std::time::Duration;

use crate::gateway::{Gateway, SECRETS, all_scopes, new_order};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn an_order_is_made_read_found_and_canceled() {
    let gateway = Gateway::start().await;
    let made = gateway.call("POST", "/v1/orders", Some(&new_order())).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let id = made.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.headers["location"], format!("/v1/orders/{id}").as_str());
    assert_eq!(made.body["status"], "queued");
    assert_eq!(made.body["subject"]["date_of_birth"], "1990-**-**");
    assert_eq!(made.body["subject"]["identifiers"][0]["value"], "***-**-6789");

    let read = gateway.call("GET", &format!("/v1/orders/{id}"), None).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &made.body));
    let check_id = read.body["checks"][0]["id"].as_str().expect("an id");
    let check = gateway.call("GET", &format!("/v1/checks/{check_id}"), None).await;
    assert_eq!((check.status, &check.body), (StatusCode::OK, &read.body["checks"][0]));
    for secret in SECRETS {
        assert!(!made.text.contains(secret) && !read.text.contains(secret), "{secret}");
    }

    let report = gateway.call("GET", &format!("/v1/orders/{id}/report"), None).await;
    assert_eq!(report.status, StatusCode::OK, "{}", report.text);
    assert_eq!((&report.body["order"], &report.body["timeline"][0]["type"]), (&made.body, &json!("order.created")));
    let csv = gateway.raw("GET", &format!("/v1/orders/{id}/report"), &[("accept", "text/csv")], "").await;
    assert_eq!((csv.status, &csv.body["type"]), (StatusCode::NOT_ACCEPTABLE, &json!("/problems/not-acceptable")));

    gateway.clock.advance(Duration::from_secs(5));
    let refreshed = gateway.call("POST", &format!("/v1/orders/{id}/refresh"), None).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    let reason = json!({"reason": "wrong-info", "details": "The applicant withdrew."});
    let canceled = gateway.call("POST", &format!("/v1/orders/{id}/cancel"), Some(&reason)).await;
    assert_eq!(canceled.status, StatusCode::OK, "{}", canceled.text);
    assert_eq!(
        (&canceled.body["status"], &canceled.body["checks"][0]["status"]),
        (&json!("canceled"), &json!("canceled"))
    );
    assert_eq!(canceled.body["checks"][0]["status_reason"]["code"], "wrong-info");
    assert!(canceled.body["version"].as_i64() > made.body["version"].as_i64());
    // Asking again is fine, and without a body too.
    let again = gateway.call("POST", &format!("/v1/orders/{id}/cancel"), None).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &canceled.body));

    let events = gateway.call("GET", &format!("/v1/orders/{id}/events"), None).await;
    let kinds: Vec<_> = events.body["data"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["order.created", "check.canceled", "order.canceled"], "{}", events.text);
    let first = gateway.call("GET", &format!("/v1/orders/{id}/events?limit=2"), None).await;
    let cursor = first.body["next_cursor"].as_str().expect("a next page");
    let second = gateway.call("GET", &format!("/v1/orders/{id}/events?cursor={cursor}"), None).await;
    assert_eq!((second.body["data"].as_array().map(Vec::len), &second.body["next_cursor"]), (Some(1), &Value::Null));
    assert_eq!(second.body["data"][0], events.body["data"][2]);
}

#[tokio::test]
async fn lists_filter_and_page() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut order = new_order();
        order["external_id"] = json!(format!("A-{number}"));
        order["metadata"] = json!({"parity": if number % 2 == 0 { "even" } else { "odd" }, "r & d": "x=y"});
        ids.push(gateway.order(&order).await["id"].clone());
        gateway.clock.advance(Duration::from_secs(10));
    }
    let canceled = ids[1].as_str().expect("an id");
    gateway.call("POST", &format!("/v1/orders/{canceled}/cancel"), None).await;
    ids.reverse();

    let listed = async |query: &str| {
        let answer = gateway.call("GET", &format!("/v1/orders?{query}"), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        let data = answer.body["data"].as_array().expect("data").iter().map(|order| order["id"].clone());
        (data.collect::<Vec<_>>(), answer.body["next_cursor"].clone())
    };
    assert_eq!(listed("").await, (ids.clone(), Value::Null));
    let (first, next) = listed("limit=2").await;
    assert_eq!(first, ids[..2]);
    // New orders do not move the pages that follow.
    gateway.order(&new_order()).await;
    let (second, next) = listed(&format!("limit=2&cursor={}", next.as_str().expect("a cursor"))).await;
    assert_eq!(second, ids[2..4]);
    assert_eq!(
        listed(&format!("limit=2&cursor={}", next.as_str().expect("a cursor"))).await,
        (ids[4..].to_vec(), Value::Null)
    );

    for (query, found) in [
        ("external_id=A-3", vec![1]),
        ("external_id=a-3", vec![]),
        ("metadata.parity=odd", vec![1, 3]),
        ("metadata.parity=odd&metadata.r%20%26%20d=x%3Dy&status=canceled", vec![3]),
        ("status=canceled", vec![3]),
        ("check_status=canceled&provider=fictive&check_type=background_check", vec![3]),
        ("provider=theary", vec![]),
        ("outcome=clear", vec![]),
        ("created_after=2026-11-21T09:00:30Z&created_before=2026-11-21T09:00:45Z", vec![0, 1]),
        ("batch_id=bat_01h455vb4pex5vsknk084sn02q", vec![]),
    ] {
        let expected: Vec<_> = found.into_iter().map(|index: usize| ids[index].clone()).collect();
        assert_eq!(listed(query).await.0, expected, "{query}");
    }
}

#[tokio::test]
async fn people_are_found_by_what_is_known_of_them() {
    let gateway = Gateway::start().await;
    let id = gateway.order(&new_order()).await["id"].clone();
    let mut other = new_order();
    other["subject"]["last_name"] = json!("Jones");
    other["subject"]["identifiers"] = json!([]);
    gateway.order(&other).await;
    let found = async |search: Value| {
        let answer = gateway.call("POST", "/v1/orders/search", Some(&search)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(SECRETS.iter().all(|secret| !answer.text.contains(secret)));
        answer.body["data"].as_array().expect("data").iter().map(|order| order["id"].clone()).collect::<Vec<_>>()
    };
    for subject in [
        json!({"last_name": "SMITH-GOMEZ"}),
        json!({"identifier": {"type": "ssn", "country": "US", "value": "123456789"}}),
        json!({"identifier": {"type": "ssn", "country": "US", "value": "123-45-6789"}, "last_name": "smith-gómez", "email": "John.Smith@Example.com"}),
    ] {
        assert_eq!(found(json!({"subject": subject})).await, std::slice::from_ref(&id), "{subject}");
    }
    for subject in [
        json!({"last_name": "Smith"}),
        json!({"identifier": {"type": "passport", "country": "US", "value": "123456789"}}),
        json!({"identifier": {"type": "ssn", "country": "CO", "value": "123456789"}}),
        json!({"email": "nobody@example.com"}),
    ] {
        assert!(found(json!({"subject": subject})).await.is_empty(), "{subject}");
    }
    assert_eq!(found(json!({"subject": {"email": "john.smith@example.com"}, "limit": 1})).await.len(), 1);
    assert_eq!(found(json!({})).await.len(), 2);
}

#[tokio::test]
async fn what_is_revealed_is_on_record() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let id = order["id"].as_str().expect("an id");
    let path = format!("/v1/orders/{id}?reveal=identifiers");
    let refused = gateway.call_as(&gateway.token(&["orders:read"]), "GET", &path, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let shown = gateway.call("GET", &path, None).await;
    assert_eq!(shown.body["subject"]["identifiers"][0]["value"], "123-45-6789", "{}", shown.text);
    assert_eq!(shown.body["subject"]["date_of_birth"], "1990-**-**");
    assert_eq!(shown.headers["cache-control"], "no-store");

    // The log is told in the order of the clock.
    gateway.clock.advance(Duration::from_secs(1));
    let payload = br#"{"id": "v1", "status": "odd"}"#;
    let check = order["checks"][0]["id"].as_str().expect("an id");
    let path = format!("/v1/checks/{check}/vendor-payload");
    assert_eq!(gateway.call("GET", &path, None).await.status, StatusCode::NOT_FOUND);
    gateway.payload_of(&order, payload).await;
    let vendors = gateway.call("GET", &path, None).await;
    assert_eq!((vendors.status, vendors.text.as_bytes()), (StatusCode::OK, payload.as_slice()));
    assert_eq!(vendors.headers["content-type"], "application/json");
    gateway.payload_of(&order, b"<script>").await;
    assert_eq!(gateway.call("GET", &path, None).await.headers["content-type"], "application/octet-stream");

    let audit = gateway.call("GET", "/v1/audit", None).await;
    let entries = audit.body["data"].as_array().expect("entries");
    let actions: Vec<_> = entries.iter().map(|entry| (&entry["action"], &entry["target"], &entry["actor"])).collect();
    let payload_read = (&json!("vendor_payload.read"), &json!(check), &json!("jane"));
    assert_eq!(actions, [payload_read, payload_read, (&json!("order.revealed"), &json!(id), &json!("jane"))]);
    assert!(SECRETS.iter().all(|secret| !audit.text.contains(secret)));
}

#[tokio::test]
async fn what_a_vendor_needs_is_asked_for_at_once() {
    let gateway = Gateway::start().await;
    let mut order = new_order();
    order["subject"]["last_name"] = Value::Null;
    order["checks"] = json!([
        {"type": "background_check", "country": "US"},
        {"type": "background_check", "country": "US", "provider": "sleeping"},
        {"type": "background_check", "country": "US", "provider": "nobody"},
        {"type": "background_check", "country": "US", "provider": "fictive", "account": "private"},
        {"type": "income_verification"}
    ]);
    let refused = gateway.call("POST", "/v1/orders", Some(&order)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<_> =
        refused.body["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
    assert_eq!(
        pointers,
        ["/subject/last_name", "/checks/1/provider", "/checks/2/provider", "/checks/3/account", "/checks/4/type"],
        "{}",
        refused.text
    );
    assert_eq!(gateway.call("GET", "/v1/orders", None).await.body["data"], json!([]));
}

#[tokio::test]
async fn providers_are_shown_paused_and_resumed() {
    let gateway = Gateway::start().await;
    let listed = gateway.call("GET", "/v1/providers", None).await;
    let ids: Vec<_> =
        listed.body["data"].as_array().expect("data").iter().map(|one| (&one["id"], &one["enabled"])).collect();
    assert_eq!(ids, [(&json!("fictive"), &json!(true)), (&json!("sleeping"), &json!(false))], "{}", listed.text);
    // Another tenant's own account is not shown.
    let accounts = listed.body["data"][0]["accounts"].as_array().expect("accounts");
    assert_eq!(accounts.iter().map(|account| &account["id"]).collect::<Vec<_>>(), ["default"]);

    let ops = gateway.token(&all_scopes());
    let paused =
        gateway.call_as(&ops, "POST", "/v1/providers/fictive/pause", Some(&json!({"reason": "maintenance"}))).await;
    assert_eq!(paused.status, StatusCode::OK, "{}", paused.text);
    let read = gateway.call_as(&ops, "GET", "/v1/providers/fictive", None).await;
    assert_eq!(read.body, paused.body);
    assert_eq!(
        (&read.body["accounts"][0]["paused"]["by"], read.body["accounts"].as_array().map(Vec::len)),
        (&json!("jane"), Some(2))
    );
    let resumed = gateway.call_as(&ops, "POST", "/v1/providers/fictive/resume", None).await;
    assert_eq!(resumed.body["accounts"][0]["paused"], Value::Null);
    assert_eq!(gateway.call("GET", "/v1/providers/fictive", None).await.body["accounts"][0]["paused"], Value::Null);
    assert_eq!(
        gateway.call_as(&ops, "POST", "/v1/providers/sleeping/pause", None).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(gateway.call_as(&ops, "POST", "/v1/providers/nobody/pause", None).await.status, StatusCode::NOT_FOUND);
    // A vendor that others use as well is not one tenant's to stop.
    assert_eq!(gateway.call("POST", "/v1/providers/fictive/pause", None).await.status, StatusCode::FORBIDDEN);
}
