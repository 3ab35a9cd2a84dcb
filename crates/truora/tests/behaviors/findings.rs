//! Details, summary and variables.

use domain::VendorRef;
use provider::findings::all;
use provider::{CallError, DetailsPage, Findings, FindingsError, Provider as _, Share};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{Site, context};

fn findings(site: &Site) -> &dyn Findings {
    site.truora.findings().expect("it has findings")
}

async fn page(site: &Site, vendor: &VendorRef, cursor: Option<&str>) -> Result<DetailsPage, FindingsError> {
    findings(site).details(&context(Share::LookUp), vendor, cursor).await
}

#[tokio::test]
async fn details_are_read_page_by_page_and_to_the_end() {
    let site = Site::with(json!({ "page_size": 3 })).await;
    let vendor = site.finished("1032456790").await;
    let (mut counts, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(&site, &vendor, cursor.as_deref()).await.expect("a page");
        counts.push(page.details.expose().len());
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(counts, [3, 3, 1]);

    let ctx = context(Share::LookUp);
    let whole = all(findings(&site), &ctx, &vendor, 500).await.expect("all");
    assert!(!whole.truncated && whole.details.expose().len() == 7);
    let criminal = whole.details.expose().iter().find(|detail| detail.dataset.as_deref() == Some("criminal_record"));
    let criminal = serde_json::to_value(criminal.expect("a criminal record")).expect("json");
    assert_eq!((&criminal["severity"], &criminal["score"]), (&json!("very_high"), &json!(0.0)));
    assert_eq!(criminal["found"]["last_name"], "Prueba Ficticia");
    assert_eq!(criminal["tables"], json!([{ "title": "Resultado", "rows": [{ "Estado": "found" }] }]));
    for (most, truncated) in [(7, false), (4, true), (3, true)] {
        let some = all(findings(&site), &ctx, &vendor, most).await.expect("some");
        assert_eq!((some.details.expose().len(), some.truncated), (most, truncated));
    }
}

#[tokio::test]
async fn every_page_is_in_the_language_asked_for() {
    let site = Site::with(json!({ "page_size": 3 })).await;
    let vendor = site.finished("1032456701").await;
    let english = context(Share::LookUp).with_language("en".parse().ok());
    let whole = all(findings(&site), &english, &vendor, 500).await.expect("all");
    let titles = whole.details.expose().iter().flat_map(|detail| &detail.tables).map(|table| table.title.as_deref());
    assert_eq!(titles.collect::<Vec<_>>(), [Some("Result"); 7]);
}

#[tokio::test]
async fn a_cursor_leads_to_no_other_list_and_pages_run_in_no_circle() {
    let site = Site::with(json!({ "page_size": 3 })).await;
    let vendor = site.finished("1032456701").await;
    for (cursor, expected) in [
        ("", FindingsError::BadCursor),
        ("a\nb", FindingsError::BadCursor),
        (&*"x".repeat(341), FindingsError::BadCursor),
        // The simulator refuses what is not base64, as the vendor does: nothing of it was taken for another parameter.
        ("x&lang=en#/../../settings", FindingsError::BadCursor),
        ("https://evil.example/v1/checks/CHK1/details?start_key=a", FindingsError::BadCursor),
    ] {
        assert_eq!(page(&site, &vendor, Some(cursor)).await.err(), Some(expected), "{cursor:?}");
    }
    site.behave(json!({ "next_prefix": "https://evil.example" }));
    assert!(matches!(page(&site, &vendor, None).await, Err(FindingsError::Call(_))));
    site.behave(json!({ "next_prefix": "", "next_loops": true, "page_size": 10 }));
    assert!(matches!(page(&site, &vendor, None).await, Err(FindingsError::Call(_))));
    assert!(all(findings(&site), &context(Share::LookUp), &vendor, 500).await.is_err());
}

#[tokio::test]
async fn what_is_not_there_is_missing_and_what_cannot_be_read_is_said() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let (ctx, nobody) = (context(Share::LookUp), VendorRef::order("CHK0"));
    let findings = findings(&site);
    assert_eq!(page(&site, &nobody, None).await.err(), Some(FindingsError::Missing));
    assert_eq!(findings.summary(&ctx, &nobody).await.err(), Some(FindingsError::Missing));
    assert_eq!(findings.variables(&ctx, &nobody).await.err(), Some(FindingsError::Missing));
    for body in ["{}", "[]", "<html>", r#"{"details": 1, "summary": 1, "variables_status": 1}"#] {
        let arm = |on: &str| {
            site.simulator.control().arm(Fault { body: Some(body.to_owned()), ..Fault::new(on, FaultKind::Garbage) });
        };
        arm("details");
        assert!(matches!(page(&site, &vendor, None).await, Err(FindingsError::Call(CallError::Lost { .. }))), "{body}");
        arm("summary");
        assert!(matches!(findings.summary(&ctx, &vendor).await, Err(FindingsError::Call(_))), "{body}");
        arm("variables");
        assert!(matches!(findings.variables(&ctx, &vendor).await, Err(FindingsError::Call(_))), "{body}");
    }
}

#[tokio::test]
async fn a_summary_is_prose() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let summary = findings(&site).summary(&context(Share::LookUp), &vendor).await.expect("a summary");
    assert_eq!(summary.expose(), "The background check is completed.");
}

#[tokio::test]
async fn variables_have_a_status_of_their_own() {
    let site = Site::with(json!({ "variables_ms": 60_000 })).await;
    let accepted = site.order(&super::in_colombia("1032456701")).await;
    let ctx = context(Share::LookUp);
    let not_ready = || FindingsError::NotReady { status: "in_progress".to_owned() };
    assert_eq!(findings(&site).variables(&ctx, &accepted.vendor).await.err(), Some(not_ready()));
    site.advance(10);
    // It ended, and they are still computed.
    assert_eq!(findings(&site).variables(&ctx, &accepted.vendor).await.err(), Some(not_ready()));
    site.advance(60);
    let variables = findings(&site).variables(&ctx, &accepted.vendor).await.expect("variables").into_exposed();
    let expected = json!({ "country": "CO", "person": { "criminal_records": { "count": 0 } } });
    assert_eq!((variables.status.as_str(), Value::Object(variables.values)), ("completed", expected));
}
