//! Every route, walked from the OpenAPI document, as everybody who might come along. A route without a rule fails.

use std::time::Duration;

use crate::gateway::{Answer, Gateway, VENDOR, all_scopes, new_order};
use domain::Clock as _;
use http::StatusCode;
use serde_json::{Value, json};

/// What a caller of another tenant, with the right scope, finds.
#[derive(Clone, Copy, PartialEq)]
enum Foreigner {
    /// There is no such object for it.
    NotFound,
    /// The same; whoever may see it is told that it cannot be done in the state that the fixture is in.
    NotFoundNorReady,
    /// A list that is empty.
    Empty,
    /// Its own.
    Served,
}

struct Rule {
    body: Option<Value>,
    /// Scopes that this use needs beside the documented one.
    also: &'static [&'static str],
    foreigner: Foreigner,
}

/// The rule of each operation with a token.
fn rule(operation: &str, check_id: &Value) -> Option<Rule> {
    use Foreigner::{Empty, NotFound, NotFoundNorReady, Served};
    let (body, also, foreigner): (_, &[_], _) = match operation {
        "createOrder" => (Some(new_order()), &[], Served),
        "createBatch" => (Some(json!({"orders": [new_order()]})), &[], Served),
        "listOrders" | "listBatches" | "listReconciliationCases" | "listOrphans" | "listAuditEntries" => {
            (None, &[], Empty)
        }
        "createMonitor" => {
            let body = json!({"order": new_order(), "frequency": "P1M", "end_date": "2028-01-01"});
            (Some(body), &["orders:write"], Served)
        }
        "updateMonitor" => (Some(json!({"status": "paused"})), &[], NotFound),
        "listMonitors" => (None, &[], Empty),
        "searchOrders" => (Some(json!({})), &[], Empty),
        "getOrder"
        | "getOrderReport"
        | "listOrderEvents"
        | "refreshOrder"
        | "cancelOrder"
        | "getBatch"
        | "listBatchOrders"
        | "cancelBatch"
        | "getBatchReport"
        | "getMonitor"
        | "deleteMonitor"
        | "listMonitorRuns"
        | "getCheck"
        | "getCheckVendorPayload"
        | "getReconciliationCase"
        | "scanReconciliationCase" => (None, &[], NotFound),
        "listOrderDocuments" | "getOrderDocument" | "listCheckDetails" | "getCheckSummary" | "getCheckVariables" => {
            (None, &[], NotFound)
        }
        "reverifyOrder" => (None, &[], NotFoundNorReady),
        "callProvider" => (Some(json!({"method": "GET", "path": "/things"})), &["tenants:all"], Served),
        "actOnCheck" => (Some(json!({"type": "resend_link"})), &[], NotFoundNorReady),
        "resolveReconciliationCase" => {
            (Some(json!({"items": [{"check_id": check_id, "decision": "fail"}]})), &[], NotFound)
        }
        "listProviders" | "getProvider" | "getBatchTemplate" => (None, &[], Served),
        "pauseProvider"
        | "resumeProvider"
        | "listSources"
        | "listCustomTypes"
        | "deleteCustomType"
        | "getProviderSettings"
        | "listCredentials"
        | "deleteCredentials" => (None, &["tenants:all"], Served),
        "createCustomType" => {
            let body = json!({"country": "CO", "name": "drivers", "weights": {"criminal_record": 1.0}});
            (Some(body), &["tenants:all"], Served)
        }
        "replaceCustomType" => (Some(json!({"weights": {"criminal_record": 1.0}})), &["tenants:all"], Served),
        "changeProviderSettings" => (Some(json!({"retries": true})), &["tenants:all"], Served),
        "putCredentials" => (Some(json!({"credentials": {"password": "p"}})), &["tenants:all"], Served),
        _ => return None,
    };
    Some(Rule { body, also, foreigner })
}

/// The operations without a token: they must not need one, and are tested on their own.
const OPEN: [&str; 5] =
    ["getHealth", "getReadiness", "getProblemKind", "receiveVendorHook", "receiveVendorHookForAccount"];

struct Fixture {
    order: Value,
    /// One whose check is completed.
    completed: Value,
    document: String,
    batch: Value,
    monitor: Value,
    case: String,
}

async fn fixture(gateway: &Gateway) -> Fixture {
    let order = gateway.order(&new_order()).await;
    let case = gateway.case_of(&order).await.to_string();
    gateway.payload_of(&order, b"{}").await;
    let batch = gateway.call("POST", "/v1/batches", Some(&json!({"orders": [new_order()]}))).await.body;
    let monitor = json!({"from_order_id": order["id"], "frequency": "weekly", "end_date": "2028-01-01"});
    let monitor = gateway.call("POST", "/v1/monitors", Some(&monitor)).await.body;
    let completed = gateway.order(&new_order()).await;
    let document = gateway.complete(&completed).await;
    Fixture { order, completed, document, batch, monitor, case }
}

fn fill(path: &str, fixture: &Fixture) -> String {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let needs_result = ["details", "summary", "variables", "{document_id}"].iter().any(|end| path.ends_with(end));
    let order = if needs_result { &fixture.completed } else { &fixture.order };
    let id = if path.starts_with("/v1/orders") {
        text(&order["id"])
    } else if path.starts_with("/v1/batches") {
        text(&fixture.batch["id"])
    } else if path.starts_with("/v1/monitors") {
        text(&fixture.monitor["id"])
    } else if path.starts_with("/v1/checks") {
        text(&order["checks"][0]["id"])
    } else {
        fixture.case.clone()
    };
    let path = path.replace("{document_id}", &fixture.document);
    let path = path.replace("{id}", &id).replace("{provider}", VENDOR).replace("{check_type}", "background_check");
    let path = path.replace("{country}", "CO").replace("{name}", "drivers").replace("{database_id}", "DBI1");
    if path.ends_with("/sources") { path + "?country=CO" } else { path }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_must_and_nobody_else() {
    let gateway = Gateway::start().await;
    let document = serde_json::to_value(api::openapi()).expect("json");
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            let id = operation["operationId"].as_str().expect("an operationId");
            if OPEN.contains(&id) {
                assert_eq!(operation["security"], json!([{}]), "{id} must say that it needs no token");
                continue;
            }
            let scope = operation["security"][0]["bearer"][0].as_str().expect("a scope");
            let fixture = fixture(&gateway).await;
            let rule = rule(id, &fixture.order["checks"][0]["id"])
                .unwrap_or_else(|| panic!("{id} has no rule: who may call it?"));
            walk(&gateway, &method.to_uppercase(), &fill(path, &fixture), scope, &rule).await;
            walked += 1;
        }
    }
    assert!(walked >= 34, "{walked}");
}

async fn walk(gateway: &Gateway, method: &str, path: &str, scope: &str, rule: &Rule) {
    let place = format!("{method} {path}");
    let call = async |token: &str| gateway.call_as(token, method, path, rule.body.as_ref()).await;
    let judge = |answer: &Answer, status: StatusCode, who: &str| {
        assert_eq!(answer.status, status, "{place} as {who}: {}", answer.text);
        assert_eq!(answer.body["status"], status.as_u16(), "{place} as {who}");
        assert!(answer.headers["content-type"] == "application/problem+json" && answer.body["request_id"].is_string());
    };
    let scopes = [&[scope], rule.also].concat();
    let now = gateway.clock.now().get().unix_timestamp();

    judge(&call("").await, StatusCode::UNAUTHORIZED, "nobody");
    let expired = gateway.token_with(&scopes, |claims| claims["exp"] = json!(now - 60));
    judge(&call(&expired).await, StatusCode::UNAUTHORIZED, "someone whose token expired");
    let elsewhere = gateway.token_with(&scopes, |claims| claims["aud"] = json!("elsewhere"));
    judge(&call(&elsewhere).await, StatusCode::UNAUTHORIZED, "someone meant for another audience");
    let mut others = all_scopes();
    others.retain(|other| *other != scope);
    judge(&call(&gateway.token(&others)).await, StatusCode::FORBIDDEN, "someone with every scope but the right one");
    for missing in rule.also {
        let without: Vec<_> = scopes.iter().copied().filter(|scope| scope != missing).collect();
        judge(&call(&gateway.token(&without)).await, StatusCode::FORBIDDEN, missing);
    }

    // One that has nothing of its own yet.
    let tenant = format!("foreigner of {method} {path}");
    let foreigner = gateway.token_with(&scopes, |claims| claims["tenant"] = json!(tenant));
    let found = call(&foreigner).await;
    match rule.foreigner {
        Foreigner::NotFound | Foreigner::NotFoundNorReady => judge(&found, StatusCode::NOT_FOUND, "another tenant"),
        Foreigner::Empty => assert_eq!(found.body, json!({"data": [], "next_cursor": null}), "{place}: {}", found.text),
        Foreigner::Served => assert!(found.status.is_success(), "{place}: {}", found.text),
    }
    if matches!(rule.foreigner, Foreigner::NotFound | Foreigner::NotFoundNorReady) {
        // Operators across tenants find it.
        let scopes = [scopes.as_slice(), &["tenants:all"]].concat();
        let operator = gateway.token_with(&scopes, |claims| claims["tenant"] = json!("operations"));
        let found = call(&operator).await;
        if rule.foreigner == Foreigner::NotFoundNorReady {
            judge(&found, StatusCode::CONFLICT, "an operator");
        } else {
            assert!(found.status.is_success(), "{place} as an operator: {}", found.text);
        }
    } else {
        let right = call(&gateway.token(&scopes)).await;
        assert!(right.status.is_success(), "{place} as the right one: {}", right.text);
    }
}

#[tokio::test]
async fn the_right_caller_is_served_everywhere() {
    let gateway = Gateway::start().await;
    for path in ["/v1/orders/{id}", "/v1/orders/{id}/events", "/v1/checks/{id}", "/v1/reconciliation/cases/{id}"] {
        let fixture = fixture(&gateway).await;
        let scope = if path.contains("reconciliation") { "reconciliation:read" } else { "orders:read" };
        let answer = gateway.call_as(&gateway.token(&[scope]), "GET", &fill(path, &fixture), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let gateway = Gateway::start().await;
    let token = gateway.token(&["orders:read"]);
    assert_eq!(gateway.call_as(&token, "GET", "/v1/orders", None).await.status, StatusCode::OK);
    gateway.clock.advance(Duration::from_mins(6));
    assert_eq!(gateway.call_as(&token, "GET", "/v1/orders", None).await.status, StatusCode::UNAUTHORIZED);
}
