//! A vendor account's own things: who may touch them, how refusals are told, and that all of it is audited.

use http::StatusCode;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, VENDOR, all_scopes};

const BASE: &str = "/v1/providers/fictive";

async fn as_operator(gateway: &Gateway, method: &str, path: &str, body: Option<&Value>) -> Answer {
    gateway.call_as(&gateway.token(&all_scopes()), method, &format!("{BASE}{path}"), body).await
}

fn drivers(name: &str) -> Value {
    json!({"country": "CO", "name": name, "weights": {"criminal_record": 1.0}})
}

async fn audited(gateway: &Gateway) -> Vec<Value> {
    let entries = gateway.call_as(&gateway.token(&all_scopes()), "GET", "/v1/audit", None).await.body;
    entries["data"].as_array().expect("entries").clone()
}

#[tokio::test]
async fn an_account_that_is_shared_is_for_operators_and_one_of_a_tenant_alone_for_that_tenant() {
    let gateway = Gateway::start().await;
    let of = |tenant: &str, scope: &str| gateway.token_with(&[scope], |claims| claims["tenant"] = json!(tenant));
    let call = async |token: &str, query: &str| {
        gateway.call_as(token, "GET", &format!("{BASE}/custom-types{query}"), None).await
    };
    assert_eq!(call(&of("acme", "providers:read"), "").await.status, StatusCode::FORBIDDEN);
    // Another tenant's account is not even named.
    let foreign = call(&of("acme", "providers:read"), "?account=private").await;
    assert_eq!(
        (foreign.status, &foreign.body["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("unknown_account"))
    );
    assert!(!foreign.text.contains("private"), "{}", foreign.text);
    // Its own comes before the shared one.
    assert_eq!(call(&of("other", "providers:read"), "").await.status, StatusCode::OK);
    assert_eq!(call(&of("other", "providers:read"), "?account=private").await.status, StatusCode::OK);
    assert_eq!(call(&of("other", "providers:read"), "?account=default").await.status, StatusCode::FORBIDDEN);
    assert_eq!(as_operator(&gateway, "GET", "/custom-types?account=private", None).await.status, StatusCode::OK);

    let path = format!("{BASE}/custom-types");
    let writer = of("other", "providers:manage");
    let made = gateway.call_as(&writer, "POST", &path, Some(&drivers("mine"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let mut shared = drivers("theirs");
    shared["account"] = json!("default");
    assert_eq!(gateway.call_as(&writer, "POST", &path, Some(&shared)).await.status, StatusCode::FORBIDDEN);
    // What is done to an account of a tenant's alone is for that tenant to read.
    let log = gateway.call_as(&of("other", "audit:read"), "GET", "/v1/audit", None).await.body;
    let mut told: Vec<_> =
        log["data"].as_array().expect("entries").iter().map(|entry| &entry["data"]["outcome"]).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["asked", "done"]);
    assert_eq!(log["data"][0]["target"], "fictive/private");
}

#[tokio::test]
async fn what_cannot_be_done_is_told_for_what_it_is() {
    let gateway = Gateway::start().await;
    let create = async |name: &str| as_operator(&gateway, "POST", "/custom-types", Some(&drivers(name))).await;
    for (name, status, kind) in [
        ("taken", 409, "conflict"),
        ("denied", 503, "vendor-unavailable"),
        ("away", 503, "vendor-unavailable"),
        ("lost", 503, "vendor-unavailable"),
    ] {
        let answer = create(name).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        assert_eq!(answer.body["type"], format!("/problems/{kind}"), "{name}");
    }
    assert!(create("lost").await.body["detail"].as_str().expect("a sentence").contains("not known"));
    assert!(create("away").await.body["detail"].as_str().expect("a sentence").contains("Nothing was changed"));
    let pointers = |answer: &Answer| -> Vec<Value> {
        answer.body["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|fault| json!([fault["pointer"], fault["parameter"]]))
            .collect()
    };
    let wrong = create("wrong").await;
    assert_eq!(pointers(&wrong), [json!(["/name", null]), json!(["/weights/criminal_record", null])]);
    // In a replacement the name stands in the address.
    let weights = json!({"weights": {"criminal_record": 1.0}});
    let wrong = as_operator(&gateway, "PUT", "/custom-types/CO/wrong", Some(&weights)).await;
    assert_eq!(pointers(&wrong), [json!([null, "name"]), json!(["/weights/criminal_record", null])]);
    for (method, path, body) in [
        ("PUT", "/custom-types/CO/missing", Some(&weights)),
        ("DELETE", "/custom-types/CO/missing", None),
        ("DELETE", "/credentials/missing", None),
    ] {
        assert_eq!(as_operator(&gateway, method, path, body).await.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert_eq!(as_operator(&gateway, "DELETE", "/custom-types/CO/a%2Fb", None).await.status, StatusCode::NO_CONTENT);
    let mut outcomes: Vec<_> = audited(&gateway)
        .await
        .iter()
        .filter(|entry| entry["data"]["name"] == "lost")
        .map(|entry| entry["data"]["outcome"].clone())
        .collect();
    outcomes.sort_by_key(Value::to_string);
    assert_eq!(outcomes, ["asked", "asked", "unclear", "unclear"]);
}

#[tokio::test]
async fn bad_input_is_refused_at_its_place() {
    let gateway = Gateway::start().await;
    for (method, path, body, place) in [
        ("GET", "/sources", None, "country"),
        ("GET", "/sources?country=XX", None, "country"),
        ("GET", "/sources?country=CO&account=nobody", None, "account"),
        ("GET", "/custom-types?colour=red", None, "colour"),
        ("POST", "/custom-types", Some(json!({"country": "CO", "weights": {}})), "/name"),
        ("POST", "/custom-types", Some(json!({"country": "CO", "name": "x", "weights": {"a": "much"}})), "/weights/a"),
        (
            "POST",
            "/custom-types",
            Some(json!({"country": "CO", "name": "x", "weights": {}, "account": "nobody"})),
            "/account",
        ),
        ("PATCH", "/settings", Some(json!({"names_matching": "loose"})), "/names_matching"),
        ("PATCH", "/settings", Some(json!({"retries": "yes"})), "/retries"),
        ("PATCH", "/settings", Some(json!({"max_duration": "2d"})), "/max_duration"),
        ("PUT", "/credentials/DBI1", Some(json!({"credentials": {}})), "/credentials"),
        ("PUT", "/credentials/DBI1", Some(json!({"credentials": {"password": ""}})), "/credentials/password"),
        (
            "PUT",
            "/credentials/DBI1",
            Some(json!({"credentials": {"password": "s3cret".repeat(2_000)}})),
            "/credentials/password",
        ),
        ("PUT", "/credentials/DBI1", Some(json!({"credentials": {"password": 7}})), "/credentials/password"),
    ] {
        let answer = as_operator(&gateway, method, path, body.as_ref()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path}: {}", answer.text);
        let fault = &answer.body["errors"][0];
        assert!(fault["pointer"] == place || fault["parameter"] == place, "{method} {path}: {}", answer.text);
        assert!(!answer.text.contains("s3cret"), "{path}");
    }
    for (vendor, status) in [("sleeping", 422), ("nobody", 404)] {
        let path = format!("/v1/providers/{vendor}/custom-types");
        let answer = gateway.call_as(&gateway.token(&all_scopes()), "GET", &path, None).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
}

#[tokio::test]
async fn settings_show_what_was_set_here_and_nothing_else() {
    let gateway = Gateway::start().await;
    let nothing = as_operator(&gateway, "GET", "/settings", None).await;
    assert_eq!(nothing.body, json!({"set_here": {}, "changed_at": null, "changed_by": null}));
    as_operator(&gateway, "PATCH", "/settings", Some(&json!({"names_matching": "exact", "max_duration": "90m"}))).await;
    let changed =
        as_operator(&gateway, "PATCH", "/settings", Some(&json!({"max_duration": "48h", "retries": false}))).await;
    let all = json!({"names_matching": "exact", "max_duration": "48h", "retries": false});
    assert_eq!((changed.status, &changed.body["set_here"]), (StatusCode::OK, &all), "{}", changed.text);
    let shown = as_operator(&gateway, "GET", "/settings", None).await.body;
    assert_eq!((&shown["set_here"], &shown["changed_by"]), (&all, &json!("jane")));
    let other = as_operator(&gateway, "GET", "/settings?account=private", None).await.body;
    assert_eq!(other["set_here"], json!({}), "another account's are its own");
}

#[tokio::test]
async fn secrets_are_seen_nowhere() {
    const SECRET: &str = "-----BEGIN KEY-----\nMUY SECRETO\n-----END KEY-----";
    let gateway = Gateway::start().await;
    let body = json!({"credentials": {"username": "usuario-secreto", "private_key": SECRET}});
    let mut seen = String::new();
    for database in ["DBI1", "denied", "wrong", "lost"] {
        let answer = as_operator(&gateway, "PUT", &format!("/credentials/{database}"), Some(&body)).await;
        assert_eq!(answer.status.is_success(), database == "DBI1", "{}", answer.text);
        seen += &answer.text;
    }
    seen += &as_operator(&gateway, "GET", "/credentials", None).await.text;
    let log = audited(&gateway).await;
    assert_eq!(log.len(), 8, "each is asked, and ends");
    assert!(log.iter().all(|entry| entry["action"] == "provider.credentials.put" && entry["actor"] == "jane"));
    seen += &Value::Array(log).to_string();
    assert!(!seen.contains("SECRETO") && !seen.contains("secreto"), "{seen}");
}

#[tokio::test]
async fn a_repeated_create_with_the_same_key_is_answered_once() {
    let gateway = Gateway::start().await;
    let send = async |body: &Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
        gateway.raw("POST", &format!("/v1/providers/{VENDOR}/custom-types"), &headers, body.to_string()).await
    };
    let first = send(&drivers("drivers")).await;
    let again = send(&drivers("drivers")).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED), "{}", again.text);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(send(&drivers("others")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(audited(&gateway).await.len(), 2, "the vendor was asked once");
}
