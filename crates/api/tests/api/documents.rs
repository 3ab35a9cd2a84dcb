//! Documents of an order, with a vendor that gives them.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::gateway::{all_scopes, new_order};
use crate::vendor::{Site, text};

fn list_path(order: &Value) -> String {
    format!("/v1/orders/{}/documents", text(&order["id"]))
}

/// The order, its report and its attachments, by their addresses.
async fn documents(site: &Site) -> (Value, Vec<String>) {
    let order = site.completed("1032456701").await;
    let listed = site.call("GET", &list_path(&order), None).await;
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.text);
    let path = |document: &Value| format!("{}/{}", list_path(&order), text(&document["id"]));
    let paths = listed.body["data"].as_array().expect("documents").iter().map(path).collect();
    (order, paths)
}

#[tokio::test]
async fn documents_are_listed_masked_and_their_bytes_are_for_those_who_may_see() {
    let site = Site::start(json!({})).await;
    let order = site.completed("1032456701").await;
    let listed = site.get_as(&["orders:read"], &list_path(&order)).await;
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.text);
    let shown: Vec<_> = listed.body["data"]
        .as_array()
        .expect("documents")
        .iter()
        .map(|document| [&document["kind"], &document["media_type"], &document["filename"]].map(text))
        .collect();
    let attachment = ["attachment", "application/pdf", "***.pdf"];
    assert_eq!(shown, [["report", "application/pdf", "truora-report.pdf"], attachment, attachment]);
    assert_eq!(listed.body["unasked"], json!([]));
    assert!(!listed.text.contains("Prueba") && !listed.text.contains("http"), "{}", listed.text);
    assert_eq!(site.audited("document.read").await, Vec::<Value>::new());

    for document in listed.body["data"].as_array().expect("documents") {
        let path = format!("{}/{}", list_path(&order), text(&document["id"]));
        assert_eq!(site.get_as(&["orders:read", "vendor:read"], &path).await.status, StatusCode::FORBIDDEN);
        let answer = site.get_as(&["pii:read"], &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.text.starts_with("%PDF-1.4") && answer.text.trim_end().ends_with("%%EOF"), "not whole");
        for (name, value) in [
            ("content-type", "application/pdf"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
        ] {
            assert_eq!(answer.headers[name], value, "{name}");
        }
        let disposition = answer.headers["content-disposition"].to_str().expect("ASCII");
        assert!(disposition.starts_with("attachment; filename=\"doc_"), "{disposition}");
        let said = format!("{:?}", answer.headers);
        assert!(!said.contains("http:") && !said.contains("Signature") && !said.contains("sandbox-truora"), "{said}");
    }
    let audited = site.audited("document.read").await;
    assert_eq!(audited.len(), 3);
    let of_report = |entry: &&Value| entry["target"] == listed.body["data"][0]["id"];
    let entry = audited.iter().find(of_report).expect("the report");
    assert_eq!(entry["actor"], "jane");
    assert_eq!(entry["data"], json!({"order_id": order["id"], "check_id": order["checks"][0]["id"], "kind": "report"}));
}

#[tokio::test]
async fn a_report_comes_in_the_language_asked_for() {
    let site = Site::start(json!({})).await;
    let (_, paths) = documents(&site).await;
    assert!(site.call("GET", &paths[0], None).await.text.contains("(Reporte CHK"));
    assert!(site.call("GET", &format!("{}?lang=en", paths[0]), None).await.text.contains("(Report CHK"));
    for bad in ["lang=xx", "lang=EN", "lang=en-US", "lang=", "lang=en&lang=es", "language=en"] {
        let answer = site.call("GET", &format!("{}?{bad}", paths[0]), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
}

#[tokio::test]
async fn a_vendor_that_cannot_be_asked_takes_nothing_from_what_is_known() {
    let site = Site::start(json!({})).await;
    let order = site.completed("1032456701").await;
    site.simulator.control().arm(Fault::new("attachments", FaultKind::StatusBefore));
    let listed = site.call("GET", &list_path(&order), None).await;
    assert_eq!((listed.status, listed.body["data"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
    let unasked = json!([{
        "check_id": order["checks"][0]["id"], "code": "unexpected_status",
        "detail": "The vendor could not be asked: no answer: the vendor answered 500."
    }]);
    assert_eq!(listed.body["unasked"], unasked);
    for _ in 0..2 {
        // Asked again and again, each is known once.
        let listed = site.call("GET", &list_path(&order), None).await;
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(3));
    }
}

#[tokio::test]
async fn vendors_are_asked_about_what_is_completed_only() {
    let site = Site::start(json!({})).await;
    let order = site.sent("1032456701").await;
    let listed = site.call("GET", &list_path(&order), None).await;
    assert_eq!(listed.body, json!({"data": [], "unasked": []}));
    assert_eq!(site.calls_of("attachments"), 0);
}

#[tokio::test]
async fn what_fails_before_the_first_byte_is_a_problem_and_no_access() {
    let site = Site::start(json!({})).await;
    let (_, paths) = documents(&site).await;
    let (report, attachment) = (&paths[0], &paths[1]);
    for (flaw, status, kind) in [
        ("foreign_host", StatusCode::BAD_GATEWAY, "/problems/vendor-fault"),
        ("no_link", StatusCode::BAD_GATEWAY, "/problems/vendor-fault"),
        ("not_pdf", StatusCode::BAD_GATEWAY, "/problems/vendor-fault"),
    ] {
        site.behave(json!({ "attachment_flaw": flaw }));
        let answer = site.call("GET", attachment, None).await;
        assert_eq!((answer.status, text(&answer.body["type"])), (status, kind), "{flaw}: {}", answer.text);
        assert!(!answer.text.contains("example.net") && !answer.text.contains("Prueba"), "{flaw}: {}", answer.text);
    }
    for (on, fault, status, path) in [
        ("file", Fault::new("file", FaultKind::StatusBefore).status(500), StatusCode::SERVICE_UNAVAILABLE, attachment),
        ("file", Fault::new("file", FaultKind::StatusBefore).status(403), StatusCode::BAD_GATEWAY, attachment),
        ("file", Fault::new("file", FaultKind::DropBefore), StatusCode::SERVICE_UNAVAILABLE, attachment),
        ("attachments", Fault::new("attachments", FaultKind::Garbage), StatusCode::BAD_GATEWAY, attachment),
        ("document", Fault::new("document", FaultKind::StatusBefore).status(404), StatusCode::NOT_FOUND, report),
        ("document", Fault::new("document", FaultKind::RateLimit), StatusCode::SERVICE_UNAVAILABLE, report),
    ] {
        site.behave(json!({ "attachment_flaw": "none" }));
        site.simulator.control().arm(fault.clone());
        let answer = site.call("GET", path, None).await;
        assert_eq!(answer.status, status, "{on} {fault:?}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        // The vendor asked for a rest.
        site.gateway.clock.advance(std::time::Duration::from_secs(5));
    }
    assert_eq!(site.audited("document.read").await, Vec::<Value>::new());
    assert_eq!(site.call("GET", attachment, None).await.status, StatusCode::OK, "and orders go on");
}

#[tokio::test]
async fn a_document_that_breaks_off_at_the_vendor_breaks_off_here() {
    let site = Site::start(json!({})).await;
    let (_, paths) = documents(&site).await;
    site.simulator.control().arm(Fault::new("file", FaultKind::Truncate));
    let request = Request::get(&paths[1])
        .header("authorization", format!("Bearer {}", site.gateway.token(&all_scopes())))
        .body(Body::empty())
        .expect("a request");
    let answer = site.gateway.router.clone().oneshot(request).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::OK, "it had begun well");
    assert!(answer.into_body().collect().await.is_err(), "half a document passes for a whole one");
    assert_eq!(site.audited("document.read").await.len(), 1);
}

#[tokio::test]
async fn a_document_is_found_under_its_own_order_and_tenant_only() {
    let site = Site::start(json!({})).await;
    let (order, paths) = documents(&site).await;
    let other = site.gateway.order(&crate::vendor::colombian("1032456702")).await;
    let own = text(&order["id"]);
    for path in [
        paths[0].replace(own, text(&other["id"])),
        paths[0].replace(own, "ord_x"),
        format!("{}/doc_x", list_path(&order)),
        format!("{}/{own}", list_path(&order)),
        format!("{}/%2e%2e%2f", list_path(&order)),
    ] {
        let answer = site.call("GET", &path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
    }
    let stranger = site.gateway.token_with(&["pii:read", "orders:read"], |claims| claims["tenant"] = json!("other"));
    for path in [&paths[0], &list_path(&order)] {
        assert_eq!(site.gateway.call_as(&stranger, "GET", path, None).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(site.calls_of("document") + site.calls_of("file"), 0);
}

#[tokio::test]
async fn a_look_at_the_head_asks_no_vendor() {
    let site = Site::start(json!({})).await;
    let (_, paths) = documents(&site).await;
    let answer = site.call("HEAD", &paths[0], None).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(answer.headers["content-type"], "application/pdf");
    assert_eq!((site.calls_of("document"), site.audited("document.read").await.len()), (0, 0));
}

#[tokio::test]
async fn only_so_many_are_on_their_way_at_once() {
    let site = Site::with(json!({}), |settings| settings.max_documents = 0).await;
    let (_, paths) = documents(&site).await;
    let answer = site.call("GET", &paths[0], None).await;
    assert_eq!((answer.status, answer.headers["retry-after"].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, &b"5"[..]));
    assert_eq!(site.calls_of("document"), 0);
}

#[tokio::test]
async fn other_vendors_documents_come_the_same_way() {
    let gateway = crate::gateway::Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let document = gateway.complete(&order).await;
    let answer = gateway.call("GET", &format!("{}/{document}", list_path(&order)), None).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "a report"));
    assert_eq!(answer.headers["content-type"], "text/plain");
}
