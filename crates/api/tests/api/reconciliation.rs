//! Cases, seen and decided through the API.

use std::time::Duration;

use crate::gateway::{Answer, Gateway, VENDOR, all_scopes, new_order};
use domain::{AccountKey, CheckId, ProviderId, Reference};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_case_is_listed_scanned_and_shown_with_its_evidence() {
    let gateway = Gateway::start().await;
    let case = gateway.case_of(&gateway.order(&new_order()).await).await.to_string();
    // Newest first is only told apart by the millisecond.
    gateway.clock.advance(Duration::from_millis(1));
    let other = gateway.case_of(&gateway.order(&new_order()).await).await.to_string();
    let path = format!("/v1/reconciliation/cases/{case}");

    let listed = gateway.call("GET", "/v1/reconciliation/cases?state=open&provider=fictive&limit=1", None).await;
    assert_eq!((listed.status, &listed.body["data"][0]["id"]), (StatusCode::OK, &json!(other)), "{}", listed.text);
    let cursor = listed.body["next_cursor"].as_str().expect("a next page");
    let next = gateway.call("GET", &format!("/v1/reconciliation/cases?state=open&cursor={cursor}"), None).await;
    assert_eq!((&next.body["data"][0]["id"], &next.body["next_cursor"]), (&json!(case), &json!(null)));
    for query in ["state=resolved", "provider=theary", "created_after=2026-11-22T00:00:00Z"] {
        let none = gateway.call("GET", &format!("/v1/reconciliation/cases?{query}"), None).await;
        assert_eq!(none.body["data"], json!([]), "{query}");
    }

    let before = gateway.call("GET", &path, None).await;
    assert_eq!((&before.body["items"][0]["state"], &before.body["scans"]), (&json!("unknown"), &json!([])));
    gateway.clock.advance(Duration::from_secs(10));
    let scanned = gateway.call("POST", &format!("{path}/scan"), None).await;
    assert_eq!(scanned.status, StatusCode::OK, "{}", scanned.text);
    let scan = &scanned.body["scans"][0];
    assert_eq!((&scan["complete"], &scan["pages"], &scan["read"]), (&json!(true), &json!(1), &json!(0)), "{scan}");
    assert_eq!(scan["cost"], json!({"calls": 1, "least": 1}));
}

#[tokio::test]
async fn what_cannot_be_decided_is_refused_where_it_is_wrong() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let case = gateway.case_of(&order).await;
    let path = format!("/v1/reconciliation/cases/{case}/resolve");
    let check = &order["checks"][0]["id"];
    let stranger = "chk_01h455vb4pex5vsknk084sn02q";
    for (body, pointer) in [
        (json!({}), "/items"),
        (json!({"items": []}), "/items"),
        (json!({"items": [{"check_id": check, "decision": "bind"}]}), "/items/0/vendor_order_id"),
        (
            json!({"items": [{"check_id": check, "decision": "fail", "vendor_order_id": "x"}]}),
            "/items/0/vendor_order_id",
        ),
        (
            json!({"items": [{"check_id": check, "decision": "fail"}, {"check_id": check, "decision": "resend"}]}),
            "/items/1/check_id",
        ),
        (json!({"items": [{"check_id": stranger, "decision": "fail"}]}), "/items/0/check_id"),
        (json!({"items": [{"check_id": "x", "decision": "fail"}]}), "/items/0/check_id"),
        (json!({"items": [{"check_id": check, "decision": "guess"}]}), "/items/0/decision"),
        (json!({"cancel_vendor_orders": ["x"]}), "/cancel_vendor_orders/0"),
    ] {
        let refused = gateway.call("POST", &path, Some(&body)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    // The vendor does not know this order.
    let bind = json!({"items": [{"check_id": check, "decision": "bind", "vendor_order_id": "x"}]});
    let foreign = gateway.call("POST", &path, Some(&bind)).await;
    assert_eq!(
        (foreign.status, &foreign.body["type"]),
        (StatusCode::CONFLICT, &json!("/problems/conflict")),
        "{}",
        foreign.text
    );
}

#[tokio::test]
async fn a_decision_is_carried_out_and_kept() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let case = gateway.case_of(&order).await;
    let path = format!("/v1/reconciliation/cases/{case}/resolve");
    let body =
        json!({"items": [{"check_id": order["checks"][0]["id"], "decision": "fail"}], "note": "The vendor lost it."});
    let decided = gateway.call("POST", &path, Some(&body)).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.text);
    assert_eq!(
        (&decided.body["decisions"][0]["actor"], &decided.body["decisions"][0]["note"]),
        (&json!("jane"), &json!("The vendor lost it.")),
        "{}",
        decided.text
    );
    let again = gateway.call("POST", &path, Some(&body)).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
}

#[tokio::test]
async fn a_repeated_decision_is_answered_again() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let case = gateway.case_of(&order).await;
    let path = format!("/v1/reconciliation/cases/{case}/resolve");
    let body = json!({"items": [{"check_id": order["checks"][0]["id"], "decision": "fail"}]}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k1")];
    let first = gateway.raw("POST", &path, &headers, body.clone()).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    // By now the check is settled; a new decision would be refused.
    let again = gateway.raw("POST", &path, &headers, body).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
}

#[tokio::test]
async fn orphans_are_shown_to_those_who_may_see_the_account() {
    let gateway = Gateway::start().await;
    let check: CheckId =
        gateway.order(&new_order()).await["checks"][0]["id"].as_str().expect("an id").parse().expect("an id");
    let shared = AccountKey::default_of(ProviderId::new(VENDOR));
    let private = AccountKey::new(ProviderId::new(VENDOR), "private");
    let mut tx = gateway.engine.store().begin().await.expect("a transaction");
    for (account, id, reference) in [
        (&shared, "s1", None),
        (&shared, "d1", Some(Reference::first(check))),
        (&private, "s2", None),
        (&private, "s3", None),
    ] {
        gateway.clock.advance(Duration::from_millis(1));
        let now = gateway.engine.now();
        assert!(tx.vendor_objects().add_orphan(account, id, reference, Some(now), now).await.expect("added"));
    }
    tx.save().await.expect("saved");

    let ids = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let data = answer.body["data"].as_array().expect("data");
        data.iter().map(|orphan| orphan["vendor_order_id"].as_str().expect("an id").to_owned()).collect()
    };
    let path = "/v1/reconciliation/orphans";
    let operator = gateway.token(&all_scopes());
    let seen = async |query: &str| gateway.call_as(&operator, "GET", &format!("{path}{query}"), None).await;
    let all = seen("").await;
    assert_eq!(ids(&all), ["s3", "s2", "d1", "s1"]);
    assert_eq!(
        all.body["data"][2],
        json!({
            "account": "fictive/default", "provider": "fictive", "vendor_order_id": "d1", "kind": "duplicate",
            "check_id": check.to_string(), "case_id": null, "created_at": "2026-11-21T09:00:00.002Z",
            "seen_at": "2026-11-21T09:00:00.002Z", "canceled": null
        })
    );
    assert_eq!(ids(&seen("?kind=duplicate").await), ["d1"]);
    assert_eq!(ids(&seen("?provider=fictive&kind=stranger").await), ["s3", "s2", "s1"]);
    assert_eq!(ids(&seen("?provider=theary").await), Vec::<String>::new());
    let first = seen("?limit=3").await;
    let cursor = first.body["next_cursor"].as_str().expect("a next page");
    assert_eq!(ids(&seen(&format!("?limit=3&cursor={cursor}")).await), ["s1"]);

    // An account that is shared is nobody's but the operators'.
    assert_eq!(ids(&gateway.call("GET", path, None).await), Vec::<String>::new());
    let owner = gateway.token_with(&["reconciliation:read"], |claims| claims["tenant"] = json!("other"));
    let own = gateway.call_as(&owner, "GET", &format!("{path}?limit=1"), None).await;
    assert_eq!(ids(&own), ["s3"]);
    let cursor = own.body["next_cursor"].as_str().expect("a next page");
    assert_eq!(ids(&gateway.call_as(&owner, "GET", &format!("{path}?cursor={cursor}"), None).await), ["s2"]);
    assert_eq!(seen("?kind=lost").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
