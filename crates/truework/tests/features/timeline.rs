use std::collections::BTreeSet;

use provider::{Note, Provider as _, Share, Timeline as _};
use serde_json::json;
use truework::Version;

use crate::bench::{direct, employment, income};
use crate::site::{Site, context};

fn codes(notes: &[Note]) -> Vec<(&str, Option<&str>)> {
    notes.iter().map(|note| (note.code.as_str(), note.strategy.as_deref())).collect()
}

#[tokio::test]
async fn an_orders_events_are_notes_in_their_order_whichever_end_the_vendor_begins_at() {
    for newest_first in [false, true] {
        let site = Site::of(Version::V2023_10_30).await;
        site.switch(json!({ "events_newest_first": newest_first }));
        let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
        let first = site.adapter.notes(&context(Share::Poll), &accepted.vendor).await.expect("notes");
        site.finish();
        let ctx = context(Share::Poll);
        let all = site.adapter.notes(&ctx, &accepted.vendor).await.expect("notes");
        assert_eq!(ctx.calls(), 1);
        let mut found = codes(&all);
        if newest_first {
            // Those of one moment stay as they came.
            found[..2].reverse();
        }
        let strategy = Some("smart-outreach");
        assert_eq!(
            found,
            [("order-created", None), ("pending-approval", None), ("processing", strategy), ("completed", None)]
        );
        assert!(all.is_sorted_by_key(|note| note.at) && all.iter().all(|note| note.at.is_some()));
        let parts: BTreeSet<_> = all.iter().filter_map(|note| note.part.as_deref()).collect();
        assert_eq!(parts, BTreeSet::from([accepted.vendor.check_id.as_deref().expect("one verification")]));
        let keys: BTreeSet<&str> = all.iter().map(|note| note.dedupe_key.as_str()).collect();
        assert_eq!(keys.len(), 4);
        assert!(!first.is_empty() && first.iter().all(|note| keys.contains(note.dedupe_key.as_str())));
    }
}

#[tokio::test]
async fn many_events_are_read_page_by_page() {
    let site = Site::of(Version::V2023_10_30).await;
    site.switch(json!({ "max_limit": 2 }));
    let accepted = site.accepted("000-00-0007", &direct(income(None, false))).await;
    site.finish();
    let ctx = context(Share::Poll);
    let all = site.adapter.notes(&ctx, &accepted.vendor).await.expect("notes");
    assert_eq!((all.len(), ctx.calls()), (7, 4));
}

#[tokio::test]
async fn a_sentence_is_not_passed_on() {
    let site = Site::of(Version::V2023_10_30).await;
    site.switch(json!({ "event_sentences": true }));
    let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
    site.finish();
    let all = site.adapter.notes(&context(Share::Poll), &accepted.vendor).await.expect("notes");
    assert_eq!(codes(&all), [("event", None); 4]);
}

#[tokio::test]
async fn older_versions_have_none_until_a_newer_one_is_set() {
    let site = Site::of(Version::V2022_08_01).await;
    let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
    assert!(site.adapter.timeline().is_none());
    site.finish();
    let newer = site.speaking(Version::V2023_10_30);
    let notes = newer.timeline().expect("a timeline").notes(&context(Share::Poll), &accepted.vendor).await;
    assert_eq!(notes.expect("of the order that holds the verification").len(), 4);
}

#[tokio::test]
async fn what_the_vendor_does_not_know_has_no_notes() {
    let site = Site::of(Version::V2023_10_30).await;
    let unknown = domain::VendorRef::order("nobody-knows-it");
    assert!(site.adapter.notes(&context(Share::Poll), &unknown).await.expect("none").is_empty());
}
