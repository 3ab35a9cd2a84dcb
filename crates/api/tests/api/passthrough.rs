//! Calls of a vendor's own API.

use http::StatusCode;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::gateway::{Answer, VENDOR};
use crate::vendor::{Site, text};

const TRUORA: &str = "/v1/providers/truora/passthrough";

async fn pass(site: &Site, method: &str, path: &str) -> Answer {
    site.call("POST", TRUORA, Some(&json!({"method": method, "path": path}))).await
}

/// With an Idempotency-Key, and every scope.
async fn keyed(site: &Site, key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    site.gateway.raw("POST", TRUORA, &headers, body.to_string()).await
}

fn assert_refused(answer: &Answer, pointer: &str, code: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let error = &answer.body["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{}", answer.text);
}

/// A check at the vendor that another client of the account made.
fn stranger(site: &Site, fields: &Value) -> String {
    let options = json!({ "fields": fields });
    site.simulator.control().make_strangers(1, &options).pop().expect("a stranger")
}

fn vendor_id(order: &Value) -> &str {
    text(&order["checks"][0]["vendor"]["order_id"])
}

#[tokio::test]
async fn the_vendors_answer_is_inside_ours_whatever_it_is() {
    let site = Site::start(json!({})).await;
    let order = site.completed("1032456701").await;
    let check = format!("/v1/checks/{}", vendor_id(&order));
    let answer = pass(&site, "GET", &check).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!(200)), "{}", answer.text);
    assert_eq!(answer.body["body"]["check"]["check_id"], vendor_id(&order));
    assert_eq!(
        (&answer.body["headers"]["content-type"], &answer.body["body_base64"]),
        (&json!("application/json"), &Value::Null)
    );

    let missing = pass(&site, "GET", "/v1/checks/CHK0").await;
    assert_eq!((missing.status, &missing.body["status"]), (StatusCode::OK, &json!(404)));
    assert_eq!(missing.body["body"]["message"], "Resource not found");

    let printed = pass(&site, "POST", &format!("{check}/pdf")).await;
    assert_eq!(printed.body["status"], 200, "{}", printed.text);
    let query = json!({"method": "GET", "path": format!("{check}/pdf"), "query": {"lang": "en"}, "account": "own"});
    let pdf = site.call("POST", TRUORA, Some(&query)).await;
    assert_eq!((&pdf.body["body"], &pdf.body["headers"]["content-type"]), (&Value::Null, &json!("application/pdf")));
    assert!(text(&pdf.body["body_base64"]).starts_with("JVBERi0xLj"), "%PDF-1.");

    let audited = site.audited("provider.passthrough").await;
    let mut paths: Vec<_> = audited.iter().map(|entry| text(&entry["data"]["path"])).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        ["/v1/checks/{check_id}", "/v1/checks/{check_id}", "/v1/checks/{check_id}/pdf", "/v1/checks/{check_id}/pdf"]
    );
    assert_eq!((&audited[0]["target"], &audited[0]["tenant"]), (&json!("truora/own"), &json!("acme")));
    assert!(!Value::from(audited).to_string().contains("CHK"), "ids are not on record");
}

#[tokio::test]
async fn shared_accounts_are_for_operators_across_tenants() {
    let site = Site::start(json!({})).await;
    let call = |account: &str| json!({"method": "GET", "path": "/v1/checks", "account": account});
    let as_scopes = async |scopes: &[&str], tenant: &str, body: &Value| {
        let token = site.gateway.token_with(scopes, |claims| claims["tenant"] = json!(tenant));
        site.gateway.call_as(&token, "POST", TRUORA, Some(body)).await
    };
    let scope: &[&str] = &["vendor:passthrough"];
    assert_eq!(as_scopes(scope, "acme", &call("own")).await.status, StatusCode::OK);
    assert_eq!(as_scopes(scope, "acme", &call("default")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(as_scopes(scope, "other", &call("default")).await.status, StatusCode::FORBIDDEN);
    assert_refused(&as_scopes(scope, "other", &call("own")).await, "/account", "unknown_account");
    let operator: &[&str] = &["vendor:passthrough", "tenants:all"];
    for account in ["own", "default"] {
        assert_eq!(as_scopes(operator, "operations", &call(account)).await.status, StatusCode::OK);
    }
    assert_refused(&as_scopes(operator, "operations", &call("none")).await, "/account", "unknown_account");
    assert_eq!(as_scopes(&["tenants:all", "vendor:read"], "acme", &call("own")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.calls_of("list"), 3);
}

#[tokio::test]
async fn what_creates_or_leads_elsewhere_is_refused_and_nothing_is_sent() {
    let site = Site::start(json!({})).await;
    for (method, path, code) in [
        ("POST", "/v1/checks", "creates"),
        ("POST", "/v1/continuous-checks", "creates"),
        ("POST", "/v1/batches", "creates"),
        ("POST", "/v1/batches/BCH1/start", "creates"),
        ("GET", "/v1/checks/CHK1/attachments", "not_passed"),
        ("PATCH", "/v1/checks/CHK1", "not_passed"),
        ("GET", "/v2/anything", "not_passed"),
        ("GET", "https://evil.example/v1/checks", "invalid"),
        ("GET", "//evil.example/v1/checks", "invalid"),
        ("GET", "/v1/checks/../settings", "invalid"),
        ("GET", "/v1/checks/%2e%2e/settings", "invalid"),
        ("GET", "/v1/checks?start_key=x", "invalid"),
    ] {
        assert_refused(&pass(&site, method, path).await, "/path", code);
    }
    for (body, pointer, code) in [
        (json!({"method": "GET", "path": "/v1/checks", "json": {}}), "/method", "no_body"),
        (json!({"method": "POST", "path": "/v1/settings", "form": {}, "json": {}}), "/json", "not_both"),
        (json!({"method": "TRACE", "path": "/v1/checks"}), "/method", "invalid"),
        (json!({"method": "GET"}), "/path", "required"),
        (json!({"method": "GET", "path": "/v1/checks", "headers": {}}), "/headers", "unknown_field"),
        (json!({"method": "GET", "path": "/v1/checks", "query": {"a": 1}}), "/query/a", "invalid"),
    ] {
        assert_refused(&site.call("POST", TRUORA, Some(&body)).await, pointer, code);
    }
    let call = json!({"method": "GET", "path": "/things"});
    for (provider, status) in [
        (VENDOR, StatusCode::UNPROCESSABLE_ENTITY),
        ("sleeping", StatusCode::UNPROCESSABLE_ENTITY),
        ("nobody", StatusCode::NOT_FOUND),
    ] {
        let answer = site.call("POST", &format!("/v1/providers/{provider}/passthrough"), Some(&call)).await;
        assert_eq!(answer.status, status, "{provider}: {}", answer.text);
    }
    assert_eq!(site.simulator.control().books().calls.values().sum::<u64>(), 0);
    assert_eq!(site.audited("provider.passthrough").await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_orders_here_need_is_not_erased() {
    let site = Site::start(json!({})).await;
    let order = site.completed("1032456701").await;
    let erase = async |id: &str| pass(&site, "DELETE", &format!("/v1/checks/{id}")).await;
    assert_refused(&erase(vendor_id(&order)).await, "/path", "needed");
    // Nobody is bound to it yet, and it may be what a lost create call made.
    let lost = stranger(&site, &json!({"national_id": "1032456702", "custom_input": order["checks"][0]["id"]}));
    assert_refused(&erase(&lost).await, "/path", "needed");
    assert_eq!(site.calls_of("delete"), 0);

    let others = stranger(&site, &json!({"national_id": "1032456703"}));
    let erased = erase(&others).await;
    assert_eq!(erased.body["status"], 200, "{}", erased.text);
    assert_eq!(erase(&others).await.body["status"], 404);
    let audited = site.audited("provider.passthrough").await;
    assert_eq!((audited.len(), &audited[0]["data"]["erases"]), (2, &json!(others)));
}

#[tokio::test]
async fn a_call_with_a_key_is_made_once() {
    let site = Site::start(json!({})).await;
    let id = stranger(&site, &json!({"national_id": "1032456703"}));
    let call = json!({"method": "DELETE", "path": format!("/v1/checks/{id}"), "account": "own"});
    let first = keyed(&site, "k1", &call).await;
    assert_eq!((first.status, &first.body["status"]), (StatusCode::OK, &json!(200)), "{}", first.text);
    let again = keyed(&site, "k1", &call).await;
    assert_eq!((&again.body, again.headers["idempotent-replayed"].as_bytes()), (&first.body, &b"true"[..]));
    assert_eq!(site.calls_of("delete"), 1);

    // What the vendor failed at may be tried again under the same key.
    let list = json!({"method": "GET", "path": "/v1/checks", "account": "own"});
    site.simulator.control().arm(Fault::new("list", FaultKind::StatusBefore).status(500));
    assert_eq!(keyed(&site, "k2", &list).await.body["status"], 500);
    assert_eq!(keyed(&site, "k2", &list).await.body["status"], 200);
    let other = json!({"method": "GET", "path": "/v1/health", "account": "own"});
    assert_eq!(keyed(&site, "k2", &other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_says_so_and_is_on_record() {
    let site = Site::start(json!({})).await;
    let id = stranger(&site, &json!({"national_id": "1032456703"}));
    site.simulator.control().arm(Fault::new("delete", FaultKind::DropAfter));
    let answer = pass(&site, "DELETE", &format!("/v1/checks/{id}")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert!(text(&answer.body["detail"]).contains("not known"), "{}", answer.text);
    assert_eq!(site.audited("provider.passthrough").await.len(), 1);

    site.simulator.control().arm(Fault::new("list", FaultKind::Flood));
    assert_eq!(pass(&site, "GET", "/v1/checks").await.status, StatusCode::BAD_GATEWAY, "it is bounded");
}

#[tokio::test]
async fn only_so_many_calls_are_passed_at_once() {
    let site = Site::with(json!({}), |settings| settings.max_passed = 0).await;
    assert_eq!(pass(&site, "GET", "/v1/checks").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.calls_of("list"), 0);
}
