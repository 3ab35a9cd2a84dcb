//! Reports in all their forms, as callers get them.

use axum::body::Body;
use domain::CheckResult;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, SECRETS, new_order};
use crate::vendor::{Site, text};

fn path(order: &Value) -> String {
    format!("/v1/orders/{}/report", text(&order["id"]))
}

async fn get(gateway: &Gateway, token: &str, path: &str, accept: &str) -> Answer {
    let request =
        Request::builder().uri(path).header("authorization", format!("Bearer {token}")).header("accept", accept);
    gateway.send(request.body(Body::empty()).expect("a request")).await
}

async fn read(gateway: &Gateway, path: &str, accept: &str) -> Answer {
    get(gateway, &gateway.token(&["orders:read"]), path, accept).await
}

fn header<'a>(answer: &'a Answer, name: &http::HeaderName) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The text of a PDF, without its spaces.
fn text_of(pdf: &Answer) -> String {
    let document = lopdf::Document::load_mem(&pdf.bytes).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).expect("text");
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[tokio::test]
async fn a_report_comes_in_the_form_that_is_asked_for() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let id = text(&order["id"]);

    for accept in ["application/json", "*/*", "text/html;q=0.5, application/json", "application/*"] {
        let json = read(&gateway, &path(&order), accept).await;
        assert_eq!((json.status, header(&json, &CONTENT_TYPE)), (StatusCode::OK, "application/json"), "{accept}");
        assert_eq!(json.body["order"], order);
    }

    let page = read(&gateway, &path(&order), "text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(
        (page.status, header(&page, &CONTENT_TYPE)),
        (StatusCode::OK, "text/html; charset=utf-8"),
        "{}",
        page.text
    );
    let policy = header(&page, &CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!policy.contains("script") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.text.starts_with("<!doctype html>") && page.text.contains("<html lang=\"en\">"));

    let pdf = read(&gateway, &path(&order), "application/json;q=0.1, application/pdf").await;
    assert_eq!((pdf.status, header(&pdf, &CONTENT_TYPE)), (StatusCode::OK, "application/pdf"));
    assert_eq!(header(&pdf, &CONTENT_DISPOSITION), format!("attachment; filename=\"{id}.pdf\""));
    assert!(pdf.bytes.starts_with(b"%PDF-1.7"));

    for answer in [&page, &pdf] {
        assert_eq!((header(answer, &CACHE_CONTROL), header(answer, &VARY)), ("no-store", "accept"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    for said in [
        "Juán Smith-Gómez",
        "***-**-6789",
        "1990-**-**",
        "2026-11-20 10:00:00 UTC",
        "Background check",
        "order.created",
        id,
    ] {
        assert!(page.text.contains(said), "{said}");
        let squeezed: String = said.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(text_of(&pdf).to_lowercase().contains(&squeezed.to_lowercase()), "{said}");
    }
    for secret in SECRETS {
        assert!(!page.text.contains(secret) && !text_of(&pdf).contains(&secret.replace(' ', "")), "{secret}");
        assert!(!pdf.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn who_may_not_see_an_order_sees_no_form_of_its_report() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let stranger = gateway.token_with(&["orders:read"], |claims| claims["tenant"] = json!("other"));
    let narrow = gateway.token(&["orders:write", "pii:read"]);
    let plain = gateway.token(&["orders:read"]);
    for accept in ["application/json", "text/html", "application/pdf"] {
        assert_eq!(get(&gateway, &stranger, &path(&order), accept).await.status, StatusCode::NOT_FOUND, "{accept}");
        assert_eq!(get(&gateway, &narrow, &path(&order), accept).await.status, StatusCode::FORBIDDEN, "{accept}");
        // What vendors say beside results is unmasked.
        let with_details = format!("{}?include=summary", path(&order));
        assert_eq!(get(&gateway, &plain, &with_details, accept).await.status, StatusCode::FORBIDDEN, "{accept}");
    }
    for accept in ["text/csv", "application/pdf;q=0", "text/html;q=0, application/pdf;q=0.0", "image/*"] {
        let refused = read(&gateway, &path(&order), accept).await;
        assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        assert_eq!(refused.body["type"], "/problems/not-acceptable");
        assert!(text(&refused.body["detail"]).contains("application/pdf"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_name_runs_no_script() {
    let gateway = Gateway::start().await;
    let mut order = new_order();
    order["subject"]["first_name"] = json!("<script>alert('Juán')</script>");
    order["metadata"]["<img src=x onerror=alert(1)>"] = json!("\"><svg onload=alert(2)>");
    let order = gateway.order(&order).await;
    let page = read(&gateway, &path(&order), "text/html").await;
    for tag in ["<script", "<img", "<svg"] {
        assert!(!page.text.contains(tag), "{tag}");
    }
    assert!(page.text.contains("&#60;script&#62;alert(&#39;Juán&#39;)&#60;/script&#62; Smith-Gómez"), "{}", page.text);
    let pdf = read(&gateway, &path(&order), "application/pdf").await;
    assert!(text_of(&pdf).contains("<script>alert('Juán')</script>Smith-Gómez"));
}

#[tokio::test]
async fn a_vendors_price_and_time_are_told() {
    let gateway = Gateway::start().await;
    let mut order = new_order();
    order["checks"] = json!([{
        "type": "employment_verification", "employer": {"name": "Łódź Engineering"}, "title": "Инженер", "start_date": "2020-01-15"
    }, {"type": "background_check", "country": "US"}]);
    let order = gateway.order(&order).await;
    let result: CheckResult = serde_json::from_value(json!({
        "type": "verification", "verdict": "verified", "price": {"amount": "42.95", "currency": "USD"},
        "claimed": {"employer": "Łódź Engineering", "title": "Инженер"}, "verified": {"employer": "Łódź Engineering", "title": "Αναλυτής"},
        "respondent": {"name": "Hanna Rossi", "email": "hanna@example.com"}
    }))
    .expect("a result");
    gateway.complete_with(&order, Some(result)).await;

    let report = read(&gateway, &path(&order), "application/json").await;
    let price = json!({"amount": "42.95", "currency": "USD"});
    let [check, other] = [0, 1].map(|at| &report.body["order"]["checks"][at]);
    assert_eq!((&check["price"], &other["price"]), (&price, &Value::Null), "{}", report.text);
    let costs = &report.body["costs"];
    let attempt = json!({
        "check_id": check["id"], "type": "employment_verification", "attempt": 1, "provider": "fictive", "product": null,
        "status": "completed", "price": price, "submitted_at": check["submitted_at"], "ended_at": check["completed_at"],
        "took_seconds": 0
    });
    assert_eq!((&costs["attempts"][0], &costs["attempts"][1]["took_seconds"]), (&attempt, &Value::Null));
    assert_eq!((&costs["totals"], &costs["unpriced"]), (&json!([price]), &json!(1)));
    let asked = json!({"employer": "Łódź Engineering", "title": "Инженер", "start_date": "2020-01-15"});
    assert_eq!(report.body["asked"][0]["facts"], asked);
    assert_eq!(report.body["asked"][1]["country"], "US");
    assert_eq!(report.body["ground"]["consent"]["obtained_at"], "2026-11-20T10:00:00Z");
    assert_eq!(report.body["documents"][0]["filename"], "report.txt");

    let pdf = text_of(&read(&gateway, &path(&order), "application/pdf").await);
    for said in ["ŁódźEngineering", "Инженер", "Αναλυτής", "h***@example.com", "42.95USD", "nottold", "report.txt"]
    {
        assert!(pdf.contains(said), "{said}: {pdf}");
    }
    assert!(!pdf.contains("hanna@"));
}

#[tokio::test]
async fn what_vendors_say_beside_results_is_printed_too_and_on_record() {
    let site = Site::start(json!({ "page_size": 3 })).await;
    let order = site.completed("1032456790").await;
    let gateway = &site.gateway;
    let plain = read(gateway, &path(&order), "text/html").await;
    assert!(plain.text.contains("What each kind of record says") && !plain.text.contains("Beside the result"));
    assert_eq!(site.audited("order_report.read").await, Vec::<Value>::new());

    let token = gateway.token(&["orders:read", "pii:read"]);
    let all = format!("{}?include=details,summary", path(&order));
    let page = get(gateway, &token, &all, "text/html").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(
        page.text.contains("Beside the result of check 1") && page.text.contains("The background check is completed.")
    );
    let pdf = get(gateway, &token, &all, "application/pdf").await;
    assert!(text_of(&pdf).contains("Thebackgroundcheckiscompleted."));
    assert_eq!(site.audited("order_report.read").await.len(), 2);
}
