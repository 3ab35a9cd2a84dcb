//! What a vendor says of a check beside its result.

use std::time::Duration;

use http::StatusCode;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::gateway::{Answer, new_order};
use crate::vendor::{Site, text};

fn path(order: &Value, part: &str) -> String {
    format!("/v1/checks/{}/{part}", text(&order["checks"][0]["id"]))
}

fn assert_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.body["errors"][0]["code"], code, "{}", answer.text);
}

#[tokio::test]
async fn details_come_page_by_page_and_are_audited() {
    let site = Site::start(json!({ "page_size": 3 })).await;
    let order = site.completed("1032456790").await;
    assert_eq!(
        site.get_as(&["orders:read", "vendor:read"], &path(&order, "details")).await.status,
        StatusCode::FORBIDDEN
    );
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get_as(&["pii:read"], &path(&order, &format!("details?lang=en{cursor}"))).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(!page.text.contains("/v1/"), "a link of the vendor's: {}", page.text);
        for finding in page.body["data"].as_array().expect("findings") {
            assert_eq!(finding["tables"][0]["title"], "Result");
            ids.push(text(&finding["id"]).to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 7);
    let audited = site.audited("check_details.read").await;
    assert_eq!((audited.len(), &audited[0]["target"]), (3, &order["checks"][0]["id"]));

    let other = site.completed("1032456791").await;
    for (order, query) in
        [(&other, &cursor[1..]), (&order, "cursor=x"), (&order, "cursor="), (&order, "cursor=Li4vLi4")]
    {
        let answer = site.call("GET", &path(order, &format!("details?{query}")), None).await;
        assert_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    }
    for query in ["lang=xx", "limit=5"] {
        let answer = site.call("GET", &path(&other, &format!("details?{query}")), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
}

#[tokio::test]
async fn what_is_not_there_yet_says_what_to_do() {
    let site = Site::start(json!({ "variables_ms": 60_000 })).await;
    let order = site.gateway.order(&crate::vendor::colombian("1032456701")).await;
    for part in ["details", "summary", "variables"] {
        let answer = site.call("GET", &path(&order, part), None).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{part}: {}", answer.text);
        assert!(text(&answer.body["detail"]).contains("check.completed"), "{part}: {}", answer.text);
    }
    let order = site.completed("1032456702").await;
    let summary = site.call("GET", &path(&order, "summary"), None).await;
    assert_eq!(summary.body, json!({"text": "The background check is completed."}));
    let early = site.call("GET", &path(&order, "variables"), None).await;
    assert_eq!((early.status, early.headers["retry-after"].as_bytes()), (StatusCode::CONFLICT, &b"30"[..]));
    assert_eq!(site.audited("check_variables.read").await, Vec::<Value>::new());
    site.gateway.clock.advance(Duration::from_mins(2));
    let variables = site.call("GET", &path(&order, "variables"), None).await;
    let values = json!({"country": "CO", "person": {"criminal_records": {"count": 0}}});
    assert_eq!(variables.body, json!({"status": "completed", "values": values}));
    assert_eq!(site.audited("check_variables.read").await.len(), 1);
    assert_eq!(site.audited("check_summary.read").await.len(), 1);
}

#[tokio::test]
async fn a_vendor_that_gives_none_or_fails_is_told_apart() {
    let site = Site::start(json!({})).await;
    let mut employment = new_order();
    employment["checks"] = json!([{"type": "employment_verification", "employer": {"name": "Tech Corp"}}]);
    let order = site.gateway.order(&employment).await;
    assert_problem(
        &site.call("GET", &path(&order, "details"), None).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "not_supported",
    );

    let order = site.completed("1032456701").await;
    for (fault, status) in [
        (Fault::new("summary", FaultKind::StatusBefore).status(500), StatusCode::SERVICE_UNAVAILABLE),
        (Fault::new("summary", FaultKind::StatusBefore).status(400), StatusCode::BAD_GATEWAY),
        (Fault::new("summary", FaultKind::StatusBefore).status(404), StatusCode::NOT_FOUND),
        (Fault::new("summary", FaultKind::Garbage), StatusCode::BAD_GATEWAY),
        (Fault::new("summary", FaultKind::Truncate), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        site.simulator.control().arm(fault.clone());
        let answer = site.call("GET", &path(&order, "summary"), None).await;
        assert_eq!(answer.status, status, "{fault:?}: {}", answer.text);
    }
    assert_eq!(site.audited("check_summary.read").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_report_takes_in_what_it_can_get() {
    let site = Site::start(json!({ "page_size": 3 })).await;
    let order = site.completed("1032456790").await;
    let report = format!("/v1/orders/{}/report", text(&order["id"]));
    let plain = site.get_as(&["orders:read"], &report).await;
    assert!(plain.status == StatusCode::OK && plain.body.get("findings").is_none(), "{}", plain.text);
    assert_eq!(site.audited("order_report.read").await, Vec::<Value>::new());

    let all = format!("{report}?include=details,summary,variables&lang=en");
    assert_eq!(site.get_as(&["orders:read"], &all).await.status, StatusCode::FORBIDDEN);
    site.simulator.control().arm(Fault::new("summary", FaultKind::StatusBefore));
    let whole = site.get_as(&["orders:read", "pii:read"], &all).await;
    assert_eq!(whole.status, StatusCode::OK, "{}", whole.text);
    let found = &whole.body["findings"][0];
    assert_eq!((found["details"].as_array().map(Vec::len), &found["details_truncated"]), (Some(7), &json!(false)));
    assert_eq!(found["details"][6]["tables"][0]["title"], "Result");
    assert_eq!((&found["summary"], &found["variables"]["status"]), (&Value::Null, &json!("completed")));
    let failed = json!([{
        "part": "summary", "code": "unexpected_status", "detail": "No answer: the vendor answered 500."
    }]);
    assert_eq!(found["failed"], failed);
    let audited = site.audited("order_report.read").await;
    assert_eq!(audited[0]["data"], json!({"include": ["details", "summary", "variables"]}));

    for query in ["include=", "include=details,", "include=pdf", "include=summary,summary", "lang=xx"] {
        let answer = site.call("GET", &format!("{report}?{query}"), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
}

#[tokio::test]
async fn a_report_of_checks_without_findings_still_comes() {
    let site = Site::start(json!({})).await;
    let mut order = new_order();
    order["checks"] = json!([{"type": "employment_verification", "employer": {"name": "Tech Corp"}}]);
    let order = site.gateway.order(&order).await;
    let path = format!("/v1/orders/{}/report?include=summary", text(&order["id"]));
    let report = site.call("GET", &path, None).await;
    assert_eq!(report.body["findings"][0]["failed"][0]["code"], "not_supported", "{}", report.text);
    assert_eq!(report.body["findings"][0]["summary"], Value::Null);
}
