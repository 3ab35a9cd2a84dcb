//! Reports and attachments.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use provider::{CallContext, CallError, DocumentRef, Fetched, LostReason, NotSentReason, Provider as _, Share, opened};
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Site, context};

async fn read_as(site: &Site, ctx: &CallContext, document: &DocumentRef) -> Result<String, CallError> {
    let stream = opened(document, site.truora.document(ctx, document).await?).await?;
    let pieces: Vec<_> = stream.try_collect().await?;
    Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
}

async fn read(site: &Site, document: &DocumentRef) -> Result<String, CallError> {
    read_as(site, &context(Share::LookUp), document).await
}

/// The attachments of a check that has ended.
async fn attached(site: &Site) -> Vec<DocumentRef> {
    let vendor = site.finished("1032456701").await;
    site.truora.documents(&context(Share::LookUp), &vendor).await.expect("a list")
}

fn status(status: u16) -> Result<String, CallError> {
    Err(CallError::Lost { why: LostReason::Status(status) })
}

#[tokio::test]
async fn a_report_of_one_check_is_a_pdf_in_the_language_asked_for() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let Ok(Fetched::Found(snapshot)) = site.truora.fetch(&context(Share::Poll), &vendor).await else {
        panic!("not found")
    };
    let [report] = snapshot.documents.as_slice() else { panic!("{:?}", snapshot.documents) };
    let spanish = read(&site, report).await.expect("a report");
    assert!(spanish.starts_with("%PDF-1.4") && spanish.contains("Reporte CHK"));
    let english = context(Share::LookUp).with_language("en".parse().ok());
    assert!(read_as(&site, &english, report).await.expect("a report").contains("Report CHK"));
    for locator in ["attachment/x", "pdf", "", "attachment/[\"..\",\"\",\"\",0]"] {
        let strange = DocumentRef { locator: locator.to_owned(), ..report.clone() };
        assert!(read(&site, &strange).await.is_err(), "{locator}");
    }
    site.truora.erase(&context(Share::LookUp), &vendor).await.expect("erased");
    assert_eq!(read(&site, report).await, status(404));
}

#[tokio::test]
async fn attachments_are_listed_whole_and_each_is_fetched_by_a_fresh_link() {
    let site = Site::with(json!({ "attachments": 5, "page_size": 2 })).await;
    let documents = attached(&site).await;
    assert_eq!(documents.len(), 5);
    for document in &documents {
        assert_eq!((document.kind.as_str(), document.media_type.as_str()), ("attachment", "application/pdf"));
        assert!(!document.locator.contains("http") && !document.locator.contains("Signature"), "a link is kept");
    }
    // Long after every link that was ever shown has ended.
    site.advance(3_600);
    for (number, document) in documents.iter().enumerate() {
        // The first two have the same name and source.
        let file = read(&site, document).await.expect("a file");
        assert!(file.starts_with("%PDF") && file.contains(&format!(" {number})")), "{number}: {file}");
    }
}

#[tokio::test]
async fn a_link_that_ended_on_the_way_is_said() {
    let site = Site::start().await;
    let documents = attached(&site).await;
    site.simulator.control().arm(Fault::new("file", FaultKind::StatusBefore).status(403));
    assert_eq!(read(&site, &documents[0]).await, status(403));
}

#[tokio::test]
async fn an_attachment_that_is_gone_is_missing() {
    let site = Site::start().await;
    let documents = attached(&site).await;
    site.behave(json!({ "attachments": 1 }));
    assert!(read(&site, &documents[0]).await.is_ok());
    assert_eq!(read(&site, &documents[1]).await, status(404));
}

#[tokio::test]
async fn links_lead_to_no_foreign_host() {
    let site = Site::start().await;
    for flaw in ["foreign_host", "no_link"] {
        site.behave(json!({ "attachment_flaw": flaw }));
        let documents = attached(&site).await;
        let refused = CallError::NotSent { why: NotSentReason::LinkRefused, retry_after: None };
        assert_eq!(read(&site, &documents[0]).await, Err(refused), "{flaw}");
    }
    assert_eq!(site.simulator.control().books().calls_of("file"), 0);
}

#[tokio::test]
async fn what_only_calls_itself_a_pdf_is_refused() {
    let site = Site::with(json!({ "attachment_flaw": "not_pdf" })).await;
    let documents = attached(&site).await;
    assert_eq!(read(&site, &documents[0]).await, Err(CallError::Lost { why: LostReason::Unreadable }));

    // It is called a picture: what it is, whoever reads it sees.
    site.behave(json!({ "attachment_flaw": "wrong_mime" }));
    let documents = attached(&site).await;
    assert_eq!(documents[0].media_type, "image/png");
    assert!(read(&site, &documents[0]).await.is_ok());
}

#[tokio::test]
async fn a_file_that_never_ends_is_no_hang() {
    let site = Site::with(json!({ "attachment_flaw": "endless" })).await;
    let documents = attached(&site).await;
    assert_eq!(read(&site, &documents[0]).await, Err(CallError::Lost { why: LostReason::TooLarge }));

    let mut impatient = context(Share::LookUp);
    impatient.timeout = Duration::from_millis(300);
    let timed_out = Err(CallError::Lost { why: LostReason::TimedOut });
    site.behave(json!({ "attachment_flaw": "silent" }));
    assert_eq!(read_as(&site, &impatient, &documents[0]).await, timed_out, "it begins, and says no more");
    site.behave(json!({ "attachment_flaw": "none" }));
    site.simulator.control().arm(Fault::new("file", FaultKind::Stall));
    assert_eq!(read_as(&site, &impatient, &documents[0]).await, timed_out, "it does not begin");
    site.simulator.control().arm(Fault::new("file", FaultKind::Truncate));
    let truncated = Err(CallError::Lost { why: LostReason::Truncated });
    assert_eq!(read(&site, &documents[0]).await, truncated);
}

#[tokio::test]
async fn a_list_of_attachments_that_cannot_be_read_is_an_error() {
    let site = Site::start().await;
    let vendor = site.finished("1032456701").await;
    let list = async || site.truora.documents(&context(Share::LookUp), &vendor).await;
    for fault in [FaultKind::Garbage, FaultKind::Halve, FaultKind::DropAfter] {
        site.simulator.control().arm(Fault::new("attachments", fault));
        assert!(list().await.is_err(), "{fault:?}");
    }
    let no_list = Fault { body: Some("{}".to_owned()), ..Fault::new("attachments", FaultKind::Garbage) };
    site.simulator.control().arm(no_list);
    assert!(list().await.is_err(), "an object without a list");
    site.behave(json!({ "next_loops": true }));
    assert!(list().await.is_err(), "a circle");
    site.behave(json!({ "next_loops": false, "next_prefix": "https://evil.example", "page_size": 1 }));
    assert!(list().await.is_err(), "a foreign host");
    site.behave(json!({ "next_prefix": "/" }));
    assert_eq!(list().await.map(|documents| documents.len()), Ok(2), "a double slash is borne");
}

/// The budget of an account that is used up.
struct Empty;

#[async_trait::async_trait]
impl provider::call::Budget for Empty {
    async fn take(&self, _: Share, _: Duration) -> Result<(), Duration> {
        Err(Duration::from_secs(7))
    }

    async fn pause(&self, _: Duration) {}
}

#[tokio::test]
async fn documents_come_out_of_the_accounts_budget() {
    let site = Site::start().await;
    let documents = attached(&site).await;
    let broke = CallContext::new(Share::LookUp, Duration::from_secs(5), Arc::new(Empty));
    let over = CallError::NotSent { why: NotSentReason::OverBudget, retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(read_as(&site, &broke, &documents[0]).await, Err(over));
}
