//! Where the vendor's links may lead, and what they are given.

use provider::BulkStage;
use serde_json::json;

use super::{File, Site, words};

#[tokio::test]
async fn a_link_to_a_foreign_host_is_not_followed() {
    let site = Site::with(json!({ "upload_base": "https://files.example.org" })).await;
    let mut file = File::of_numbers(&["1032456701"]);
    assert_eq!(words(&site.finish(&mut file).await), ["not begun foreign_link"]);
    assert_eq!(site.books().batches[0].rows, 0);
}

#[tokio::test]
async fn a_report_on_a_foreign_host_is_done_without() {
    let site = Site::with(json!({ "report_base": "http://169.254.169.254" })).await;
    let mut file = File::of_numbers(&["1032456701", "1032456702"]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["missing foreign_link"; 2], "the list shows that references are kept");
    assert_eq!(site.books().calls_of("batch_report"), 3, "it was asked for again in case that helps");
    assert_eq!(site.books().calls_of("batch_file"), 0);
}

#[tokio::test]
async fn double_slashes_are_borne() {
    let site = Site::with(json!({ "double_slash": true })).await;
    let mut file = File::of_numbers(&["1032456701"]);
    assert_eq!(words(&site.finish(&mut file).await), ["made"]);
}

#[tokio::test]
async fn links_are_given_no_key() {
    // The simulator takes any request under a link; so the key's absence is seen at a host of our own.
    let spy = super::shapes::Spy::start().await;
    let site = Site::with(json!({ "upload_base": spy.url() })).await;
    let mut file = File::of_numbers(&["1032456701"]);
    site.bring_to(&mut file, BulkStage::Upload).await;
    site.step(&mut file).await;
    let heads = spy.heads();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with("PUT /batch-upload-service/"), "{}", heads[0]);
    let head = heads[0].to_ascii_lowercase();
    assert!(!head.contains("truora-api-key") && !head.contains("sandbox-truora-key"), "{head}");
    assert!(head.contains("content-type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), "{head}");
}
