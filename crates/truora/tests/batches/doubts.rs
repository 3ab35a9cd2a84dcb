//! Calls whose outcome is not known, at every step. In the end each check was made once, or a person is asked.

use std::time::Duration;

use domain::Sensitive;
use provider::{BulkProgress, BulkStage, Provider as _};
use serde_json::json;

use super::shapes::Spy;
use super::{File, Site, context, words};
use crate::support::truora;

const NUMBERS: &[&str] = &["1032456701", "1032456702"];

/// One fault at one call; the file ends well all the same.
async fn survives(on: &str, fault: &str, status: u16) {
    let site = Site::start().await;
    site.arm(&json!({ "on": on, "fault": fault, "status": status }));
    let mut file = File::of_numbers(NUMBERS);
    let rows = site.finish(&mut file).await;
    let told = format!("{fault} {status} at {on}, by {:?}", file.stages);
    assert_eq!(words(&rows), ["made", "made"], "{told}");
    assert_eq!(site.made(&rows), file.references(), "{told}");
    let books = site.books();
    assert_eq!(books.objects.len(), 2, "each check once: {told}");
    assert_eq!(books.batches.iter().map(|batch| batch.starts).sum::<usize>(), 1, "{told}");
    assert!(site.simulator.control().armed().is_empty(), "the fault was met: {told}");
}

#[tokio::test]
async fn every_fault_at_every_call_is_survived() {
    for on in
        ["batch_create", "batch_upload", "batch_start", "batch_get", "batch_report", "batch_report_link", "batch_file"]
    {
        for fault in ["drop_before", "drop_after", "truncate", "halve", "garbage", "rate_limit"] {
            survives(on, fault, 500).await;
        }
        for fault in ["status_before", "status_after"] {
            for status in [302, 408, 500, 503] {
                survives(on, fault, status).await;
            }
        }
    }
}

#[tokio::test]
async fn a_lost_create_is_made_anew_since_nothing_runs_before_the_start() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_create", "fault": "drop_after", "times": 3 }));
    let mut file = File::of_numbers(NUMBERS);
    assert_eq!(words(&site.finish(&mut file).await), ["made", "made"]);
    let states: Vec<_> = site.books().batches.into_iter().map(|batch| (batch.state, batch.starts)).collect();
    let idle = || ("not_started".to_owned(), 0);
    assert_eq!(states, [idle(), idle(), idle(), ("finished".to_owned(), 1)]);
}

#[tokio::test]
async fn a_vendor_that_never_makes_a_batch_is_given_up() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_create", "fault": "status_before", "times": 100_000 }));
    let mut file = File::of_numbers(NUMBERS);
    assert!(matches!(site.step(&mut file).await, BulkProgress::Doubt { .. }));
    site.pass(&mut file, Duration::from_mins(61));
    assert_eq!(words(&site.finish(&mut file).await), ["not begun no_batch"; 2]);
}

#[tokio::test]
async fn after_a_lost_upload_the_start_says_whether_the_file_came() {
    for (fault, uploads) in [("drop_after", 1), ("drop_before", 2)] {
        let site = Site::start().await;
        site.arm(&json!({ "on": "batch_upload", "fault": fault }));
        let mut file = File::of_numbers(NUMBERS);
        assert_eq!(words(&site.finish(&mut file).await), ["made", "made"]);
        let books = site.books();
        assert_eq!(
            (books.calls_of("batch_upload"), books.batches.len()),
            (uploads, usize::try_from(uploads).expect("few")),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_link_that_expired_or_was_used_is_abandoned() {
    let site = Site::start().await;
    let mut late = File::of_numbers(NUMBERS);
    site.bring_to(&mut late, BulkStage::Upload).await;
    site.pass(&mut late, Duration::from_mins(31));
    assert_eq!(words(&site.finish(&mut late).await), ["made", "made"]);
    assert_eq!((site.books().calls_of("batch_upload"), site.books().batches.len()), (1, 2), "it was not even tried");

    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_upload", "fault": "status_before", "status": 403, "times": 2 }));
    let mut used = File::of_numbers(NUMBERS);
    assert_eq!(words(&site.finish(&mut used).await), ["made", "made"]);
    assert_eq!(site.books().batches.len(), 3);
    site.arm(&json!({ "on": "batch_upload", "fault": "status_before", "status": 403, "times": 100 }));
    let mut never = File::of_numbers(&["1032456705"]);
    assert_eq!(words(&site.finish(&mut never).await), ["not begun batch_abandoned"]);
}

#[tokio::test]
async fn a_lost_start_is_looked_at_and_not_repeated() {
    let site = Site::with(json!({ "second_start": "repeats" })).await;
    site.arm(&json!({ "on": "batch_start", "fault": "drop_after" }));
    let mut file = File::of_numbers(NUMBERS);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made", "made"]);
    assert_eq!(site.books().calls_of("batch_start"), 1);
}

/// What the look protects from.
#[tokio::test]
async fn a_start_repeated_blindly_makes_everything_twice() {
    let site = Site::with(json!({ "second_start": "repeats" })).await;
    let mut file = File::of_numbers(NUMBERS);
    site.bring_to(&mut file, BulkStage::Start).await;
    let blind = file.state.clone();
    site.step(&mut file).await;
    site.bulk().step(&context(), &blind, &file.items).await;
    let rows = site.finish(&mut file).await;
    assert_eq!(site.books().objects.len(), 4);
    assert_eq!(words(&rows), ["ambiguous contradictory_report"; 2], "and a person must decide");
}

#[tokio::test]
async fn a_start_that_never_came_is_made_again_after_the_window_and_two_looks() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_start", "fault": "drop_before" }));
    let mut file = File::of_numbers(NUMBERS);
    site.bring_to(&mut file, BulkStage::Start).await;
    assert!(matches!(site.step(&mut file).await, BulkProgress::Doubt { .. }));
    let doubtful_since = file.state.doubtful_since.expect("in doubt");
    let mut idle_looks = 0;
    while file.state.in_doubt {
        if file.state.is_settled() {
            idle_looks += 1;
        }
        assert_eq!(site.books().calls_of("batch_start"), 1);
        site.step(&mut file).await;
    }
    assert!(idle_looks >= 2 && file.state.now >= doubtful_since + super::SETTLE);
    assert_eq!(words(&site.finish(&mut file).await), ["made", "made"]);
    assert_eq!((site.books().calls_of("batch_start"), site.books().objects.len()), (2, 2));
}

#[tokio::test]
async fn a_batch_whose_size_is_not_ours_is_never_started_again() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_start", "fault": "drop_before" }));
    let mut file = File::of_numbers(NUMBERS);
    site.bring_to(&mut file, BulkStage::Start).await;
    site.step(&mut file).await;
    file.items.push(File::of_numbers(&["1032456703"]).items.remove(0));
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["ambiguous batch_unknown"; 3]);
    assert_eq!(site.books().calls_of("batch_start"), 1);
}

#[tokio::test]
async fn a_batch_that_the_vendor_never_begins_goes_singly() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_start", "fault": "status_before", "status": 400, "times": 100_000 }));
    let mut file = File::of_numbers(NUMBERS);
    assert_eq!(words(&site.finish(&mut file).await), ["not begun batch_not_begun"; 2]);
    let books = site.books();
    assert_eq!((books.calls_of("batch_start"), books.objects.len()), (3, 0));
    assert_eq!((books.batches.len(), books.batches[0].starts), (1, 0));
}

#[tokio::test]
async fn a_batch_that_is_looked_at_and_holds_no_rows_is_abandoned() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_upload", "fault": "drop_before" }));
    site.arm(&json!({ "on": "batch_start", "fault": "drop_before" }));
    let mut file = File::of_numbers(NUMBERS);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made", "made"], "by {:?}", file.stages);
    let batches: Vec<_> = site.books().batches.into_iter().map(|batch| (batch.rows, batch.starts)).collect();
    assert_eq!(batches, [(0, 0), (2, 1)]);
}

#[tokio::test]
async fn a_status_that_no_document_knows_is_begun_and_none_at_all_is_not() {
    for (status, begun) in [(json!("queued"), true), (json!("not_started"), false), (json!(null), false)] {
        let spy = Spy::with(json!({ "status": status, "size": 2 }).to_string().into_bytes()).await;
        let adapter = truora(&spy.url().parse().expect("a URL"), "key", "key");
        let mut file = File::of_numbers(NUMBERS);
        file.enter(BulkStage::Start, Sensitive::new(json!({ "batch": "BCH1" })));
        file.state.in_doubt = true;
        let progress = adapter.bulk().expect("it has batches").step(&context(), &file.state, &file.items).await;
        assert_eq!(matches!(progress, BulkProgress::Next { stage: BulkStage::Run, .. }), begun, "{status}");
        assert!(spy.heads().iter().all(|head| head.starts_with("GET ")), "nothing was started");
    }
}

#[tokio::test]
async fn what_has_not_run_after_the_longest_run_is_left_to_a_person() {
    // The second row is due after ten days.
    let day = 24 * 60 * 60 * 1_000;
    let slow = |report_ms: u64| json!({ "rows_per_moment": 1, "moment_ms": 5 * day, "report_ms": report_ms });
    for (report_ms, expected) in [
        (2_000, ["made", "ambiguous not_in_report"]),
        // Nor is a search proof, though the first row's check shows that rows keep their references.
        (100 * day, ["ambiguous not_there"; 2]),
    ] {
        let site = Site::with(slow(report_ms)).await;
        let mut file = File::of_numbers(NUMBERS);
        site.bring_to(&mut file, BulkStage::Run).await;
        site.pass(&mut file, Duration::from_hours(8 * 24));
        assert_eq!(words(&site.finish(&mut file).await), expected);
        let books = site.books();
        assert_eq!((books.batches[0].state.as_str(), books.objects.len()), ("in_progress", 1));
    }
}

#[tokio::test]
async fn looks_that_fail_end_no_doubt() {
    let site = Site::start().await;
    site.arm(&json!({ "on": "batch_start", "fault": "drop_before" }));
    let mut file = File::of_numbers(NUMBERS);
    site.bring_to(&mut file, BulkStage::Start).await;
    site.step(&mut file).await;
    site.pass(&mut file, super::SETTLE);
    for fault in ["rate_limit", "drop_before", "garbage", "status_before"] {
        site.arm(&json!({ "on": "batch_get", "fault": fault }));
        let progress = site.step(&mut file).await;
        assert!(matches!(progress, BulkProgress::Wait { .. }), "{fault}");
        assert!(file.state.in_doubt);
    }
    assert_eq!(words(&site.finish(&mut file).await), ["made", "made"]);
}

#[tokio::test]
async fn the_adapter_says_which_checks_it_takes() {
    let site = Site::start().await;
    let bulk = site.truora.bulk().expect("it has batches");
    assert_eq!((bulk.most_rows(), bulk.used_from()), (1_000, None));
}
