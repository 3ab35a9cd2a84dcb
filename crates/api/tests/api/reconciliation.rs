//! Cases, seen and decided through the API.

use std::time::Duration;

use crate::gateway::{Gateway, new_order};
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
    assert_eq!(
        (&scanned.body["scans"][0]["complete"], &scanned.body["scans"][0]["pages"]),
        (&json!(true), &json!(1)),
        "{}",
        scanned.text
    );
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
