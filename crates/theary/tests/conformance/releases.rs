//! Releases that are uploaded before their order: whatever goes wrong with that, nothing of the order was sent.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{ConsentDocument, SubmissionId};
use provider::call::Unlimited;
use provider::{CallContext, ItemOutcome, Provider as _, Share, Submission, SubmissionItem, VendorHttp};
use sandbox::theary::Config;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use theary::{AccountSettings, Theary, UploadHosts};
use uuid::Uuid;

use crate::bench::{World, classes, jobs, settings};
use crate::samples;

/// An account that uploads releases to these hosts, or to the simulator.
async fn world(switches: Value, hosts: Option<&str>) -> World {
    let mut world = World::with(switches).await;
    let base_url = world.simulator.base_url();
    let host = hosts.or(base_url.host_str()).expect("a host").to_owned();
    let upload_hosts = Some(UploadHosts::new([host]));
    let settings = AccountSettings { upload_hosts, ..settings(base_url, &Config::default().token) };
    world.theary = Theary::new(settings, VendorHttp::new());
    world
}

fn with_release(mut items: Vec<SubmissionItem>, bytes: usize) -> Vec<SubmissionItem> {
    let mut pdf = b"%PDF-1.7 ".to_vec();
    pdf.resize(bytes, b'x');
    let content_base64 = STANDARD.encode(pdf);
    for item in &mut items {
        samples::edit(item, |order, _| {
            let content_base64 = content_base64.clone();
            order.consent.document =
                Some(ConsentDocument::Inline { filename: "release.pdf".to_owned(), content_base64 });
        });
    }
    items
}

fn calls(world: &World, operations: [&str; 3]) -> [u64; 3] {
    let books = world.simulator.control().books();
    operations.map(|operation| books.calls_of(operation))
}

const STEPS: [&str; 3] = ["upload_link", "upload", "create"];

/// What would not fit into one call does, once the orders name their releases only. The simulator refuses orders whose
/// release was not put where it was told to, and uploads that bring a token along.
#[tokio::test]
async fn orders_go_with_the_addresses_of_their_releases() {
    let world = world(json!({}), None).await;
    let items = with_release(jobs(3), 700 * 1024);
    assert_eq!(classes(&world.submit(&items, None).await), vec!["accepted"; 3]);
    assert_eq!(calls(&world, STEPS), [3, 3, 1]);
    assert_eq!(world.simulator.control().books().objects.len(), 3);

    // A link of the caller's is handed on as it is.
    assert_eq!(classes(&world.submit(&jobs(1), None).await), ["accepted"]);
    assert_eq!(calls(&world, STEPS), [3, 3, 2]);
}

#[tokio::test]
async fn every_form_of_a_release_is_taken() {
    let pdf = STANDARD.encode(b"%PDF-1.7 synthetic");
    let inline = |content_base64: String| ConsentDocument::Inline { filename: "r.pdf".to_owned(), content_base64 };
    let link = |url: &str| ConsentDocument::Link { url: url.to_owned() };
    for uploads in [false, true] {
        let world = if uploads { world(json!({}), None).await } else { World::with(json!({})).await };
        for document in [
            inline(pdf.clone()),
            inline(format!("data:application/pdf;base64,{pdf}")),
            link("https://forms.example/release.pdf"),
            link("gs://a-bucket/release.pdf"),
        ] {
            let mut item = samples::employment(1);
            samples::edit(&mut item, |order, _| order.consent.document = Some(document));
            assert!(world.theary.validate(&item.order, &item.check).is_empty());
            assert_eq!(classes(&world.submit(&[item], None).await), ["accepted"]);
        }
        assert_eq!(calls(&world, STEPS), if uploads { [2, 2, 4] } else { [0, 0, 4] });
    }
}

#[tokio::test]
async fn a_failed_upload_leaves_its_order_unsent_and_the_others_go() {
    let at = |on: &str, kind: FaultKind| Fault::new(on, kind);
    for (case, fault, code) in [
        ("no link", at("upload_link", FaultKind::StatusBefore).status(503), "release_not_uploaded"),
        ("no permission", at("upload_link", FaultKind::StatusBefore).status(403), "credentials_refused"),
        ("no JSON", at("upload_link", FaultKind::Garbage), "release_not_uploaded"),
        ("a cut call for a link", at("upload_link", FaultKind::DropAfter), "release_not_uploaded"),
        ("refused", at("upload", FaultKind::StatusBefore).status(400), "release_not_uploaded"),
        ("full", at("upload", FaultKind::StatusBefore).status(507), "release_not_uploaded"),
        ("moved", at("upload", FaultKind::StatusBefore).status(308), "release_not_uploaded"),
        ("a cut upload", at("upload", FaultKind::DropAfter), "release_not_uploaded"),
    ] {
        let world = world(json!({}), None).await;
        world.simulator.control().arm(fault);
        let mut items = with_release(jobs(1), 100);
        items.push(samples::employment(2));
        let report = world.submit(&items, None).await;
        assert_eq!(classes(&report), ["not sent", "accepted"], "{case}");
        let ItemOutcome::NotSent { why, .. } = &report.items[0] else { panic!("not sent") };
        assert_eq!(why.code, code, "{case}: {}", why.message);
        assert_eq!(world.simulator.control().books().objects.len(), 1, "{case}");
        assert_eq!(classes(&world.submit(&items[..1], None).await), ["accepted"], "{case}: the next attempt");
    }
}

/// Where nothing else is sent, what the vendor said of our credentials is told by the report.
#[tokio::test]
async fn refused_credentials_show_in_the_report() {
    let world = world(json!({"refuse_calls": u32::MAX}), None).await;
    let report = world.submit(&with_release(jobs(1), 100), None).await;
    assert_eq!((classes(&report), report.evidence.status), (vec!["not sent"], Some(401)));
    assert_eq!(calls(&world, STEPS), [1, 0, 0]);
}

#[tokio::test]
async fn links_to_other_hosts_are_not_followed() {
    for (hosts, link) in [
        (Some("storage.googleapis.com"), Value::Null),
        (None, json!("http://169.254.169.254/latest/meta-data")),
        (None, json!("https://storage.googleapis.com.evil.example/x?signature=secret")),
        (None, json!("no link")),
    ] {
        let world = world(json!({ "upload_link": link }), hosts).await;
        let report = world.submit(&with_release(jobs(1), 100), None).await;
        let ItemOutcome::NotSent { why, .. } = &report.items[0] else { panic!("not sent") };
        assert_eq!(why.code, "release_not_uploaded");
        assert!(!why.message.contains("signature"), "a link is as good as a key: {}", why.message);
        assert_eq!(calls(&world, STEPS), [1, 0, 0], "{link}");
    }
}

/// An upload that takes too long costs the attempt and not the order: the next attempt has the file.
#[tokio::test]
async fn what_was_uploaded_is_used_by_the_next_attempt() {
    let world = world(json!({}), None).await;
    world.simulator.control().arm(Fault::new("upload", FaultKind::Delay).delay(Duration::from_millis(1_600)));
    let timeout = Duration::from_mins(1);
    let lease = |spare: u64| {
        CallContext::new(Share::Create, timeout, std::sync::Arc::new(Unlimited))
            .with_lease(Instant::now() + timeout + Duration::from_millis(spare))
    };
    let items = with_release(jobs(1), 100);
    let submission =
        Submission { id: SubmissionId::from_uuid(Uuid::from_u128(1)), items, joint: false, hook_url: None };
    let report = world.theary.submit(&lease(1_500), &submission).await;
    let ItemOutcome::NotSent { why, .. } = &report.items[0] else { panic!("not sent") };
    assert_eq!((why.code.as_str(), calls(&world, STEPS)), ("lease_too_short", [1, 1, 0]));
    assert_eq!(classes(&world.theary.submit(&lease(60_000), &submission).await), ["accepted"]);
    assert_eq!(calls(&world, STEPS), [1, 1, 1]);
}
