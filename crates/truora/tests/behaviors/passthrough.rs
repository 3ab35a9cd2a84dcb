//! Calls of others through the gateway.

use provider::{
    CallError, NotSentReason, PassRefusal, PassedBody, PassedCall, Passthrough, Provider as _, Share, VendorAnswer,
};
use serde_json::Value;

use super::{Site, context};

fn call(method: &str, path: &str) -> PassedCall {
    let method = method.parse().expect("a method");
    PassedCall { method, path: path.to_owned(), query: Vec::new(), body: PassedBody::None }
}

fn passthrough(site: &Site) -> &dyn Passthrough {
    site.truora.passthrough().expect("it passes calls on")
}

async fn pass(site: &Site, call: &PassedCall) -> Result<VendorAnswer, CallError> {
    passthrough(site).pass(&context(Share::LookUp), call).await
}

#[tokio::test]
async fn reads_are_passed_with_their_query_and_answered_as_they_are() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let mut one = call("GET", &format!("/v1/checks/{}/details", vendor.order_id));
    one.query = vec![("lang".to_owned(), "en".to_owned())];
    let answer = pass(&site, &one).await.expect("an answer");
    let body: Value = answer.json().expect("json");
    assert_eq!(body["details"][0]["tables"][0]["title"], "Result");
    let missing = pass(&site, &call("GET", "/v1/checks/CHK0")).await.expect("an answer");
    assert_eq!(missing.status.as_u16(), 404);
}

#[tokio::test]
async fn rules_and_the_log_of_hooks_are_read_at_the_accounts_host() {
    let site = Site::start().await;
    site.finished("1032456701").await;
    let rules = pass(&site, &call("GET", "/v1/bre/rules")).await.expect("an answer");
    assert_eq!((rules.status.as_u16(), rules.json::<Value>().expect("json")["rules"].is_array()), (200, true));
    let none = pass(&site, &call("GET", "/v1/bre/rules/RUL0")).await.expect("an answer");
    assert_eq!(none.status.as_u16(), 404);
    let log: Value = pass(&site, &call("GET", "/v1/hooks/events")).await.expect("an answer").json().expect("json");
    let key = log["events"][0]["idempotency_key"].as_str().expect("a key").to_owned();
    let one = pass(&site, &call("GET", &format!("/v1/hooks/events/{key}"))).await.expect("an answer");
    assert_eq!(one.status.as_u16(), 200);
    assert!(String::from_utf8_lossy(&one.body).contains(&key));
}

#[tokio::test]
async fn whatever_makes_checks_is_refused_and_not_sent() {
    let site = Site::start().await;
    for (method, path) in [
        ("POST", "/v1/checks"),
        ("POST", "/v1/continuous-checks"),
        ("POST", "/v1/batches"),
        ("POST", "/v1/batches/BCH1/start"),
        ("POST", "/v1/validations"),
        ("POST", "/v1/processes"),
        ("POST", "/v1/enrollments"),
    ] {
        assert_eq!(passthrough(&site).judge(&call(method, path)), Err(PassRefusal::Creates), "{method} {path}");
        let not_sent = CallError::NotSent { why: NotSentReason::BadRequest, retry_after: None };
        assert_eq!(pass(&site, &call(method, path)).await.err(), Some(not_sent), "{method} {path}");
    }
    for (method, path) in [
        ("PUT", "/v1/continuous-checks/CCK1"),
        ("PUT", "/v1/batches/BCH1"),
        ("GET", "/v1/checks/CHK1/attachments"),
        ("GET", "/v1/batches/BCH1/report"),
        ("POST", "/v1/bre/rules/RUL1/actions"),
        ("POST", "/v1/api-keys"),
        ("GET", "/v1/hooks"),
    ] {
        let judged = passthrough(&site).judge(&call(method, path));
        assert!(matches!(judged, Err(PassRefusal::Withheld(_))), "{method} {path}: {judged:?}");
    }
    for (method, path) in [("GET", "/v2/checks"), ("PATCH", "/v1/checks/CHK1"), ("GET", "/account-api/v1/batches/BCH1")]
    {
        let judged = passthrough(&site).judge(&call(method, path));
        assert!(matches!(judged, Err(PassRefusal::Unknown { .. })), "{method} {path}: {judged:?}");
    }
    for path in ["/v1/checks/../checks", "//v1/checks", "/v1/checks/%2e%2e", "https://evil.example/v1/checks"] {
        assert_eq!(passthrough(&site).judge(&call("GET", path)), Err(PassRefusal::Path), "{path}");
    }
    assert_eq!(site.simulator.control().books().calls.values().sum::<u64>(), 0);
}

#[tokio::test]
async fn erasing_names_what_is_erased() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let erase = call("DELETE", &format!("/v1/checks/{}", vendor.order_id));
    let passed = passthrough(&site).judge(&erase).expect("passed");
    assert_eq!(
        (passed.template, passed.changes, passed.erases),
        ("/v1/checks/{check_id}", true, Some(vendor.order_id))
    );
    assert_eq!(pass(&site, &erase).await.expect("an answer").status.as_u16(), 200);
    assert_eq!(pass(&site, &erase).await.expect("an answer").status.as_u16(), 404);
}

#[tokio::test]
async fn forms_and_json_are_sent_as_what_they_are() {
    let site = Site::start().await;
    let mut form = call("POST", "/v1/checks/CHK0/pdf");
    form.body = PassedBody::Form(vec![("a b".to_owned(), "c&d".to_owned())]);
    assert_eq!(pass(&site, &form).await.expect("an answer").status.as_u16(), 404);
    // A call that takes a form only.
    let mut json = call("POST", "/v1/config");
    json.body = PassedBody::Json(serde_json::json!({ "country": "CO" }));
    assert_eq!(pass(&site, &json).await.expect("an answer").status.as_u16(), 400);
}

#[tokio::test]
async fn logins_are_not_passed_in_either_direction() {
    let site = Site::start().await;
    for (method, path) in [
        ("GET", "/v1/config/credentials"),
        ("POST", "/v1/config/credentials/DBI1"),
        ("DELETE", "/v1/config/credentials/DBI1"),
    ] {
        let judged = passthrough(&site).judge(&call(method, path));
        assert!(matches!(judged, Err(PassRefusal::Withheld(_))), "{method} {path}: {judged:?}");
    }
}
