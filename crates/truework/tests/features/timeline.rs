use std::collections::BTreeSet;

use provider::{HookSays, Share};
use serde_json::json;
use truework::Version;

use crate::bench::{direct, employment, income};
use crate::site::{Site, context};

#[tokio::test]
async fn an_orders_events_are_notes_that_are_noted_once() {
    let site = Site::of(Version::V2023_10_30).await;
    let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
    let first = site.adapter.events(&context(Share::Poll), &accepted.vendor).await.expect("events");
    site.finish();
    let ctx = context(Share::Poll);
    let all = site.adapter.events(&ctx, &accepted.vendor).await.expect("events");
    assert_eq!(ctx.calls(), 1);
    let kinds: Vec<&str> = all
        .iter()
        .map(|note| match &note.says {
            HookSays::Note { kind } => kind.as_str(),
            other => panic!("no note: {other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["order-created", "pending-approval", "processing (smart-outreach)", "completed"]);
    assert!(all.iter().all(|note| note.vendor.as_ref().is_some_and(|of| of.order_id == accepted.vendor.order_id)));
    let keys: BTreeSet<&str> = all.iter().map(|note| note.dedupe_key.as_str()).collect();
    assert_eq!(keys.len(), 4);
    assert!(!first.is_empty() && first.iter().all(|note| keys.contains(note.dedupe_key.as_str())));
}

#[tokio::test]
async fn many_events_are_read_page_by_page() {
    let site = Site::of(Version::V2023_10_30).await;
    site.switch(json!({ "max_limit": 2 }));
    let accepted = site.accepted("000-00-0007", &direct(income(None, false))).await;
    site.finish();
    let ctx = context(Share::Poll);
    let all = site.adapter.events(&ctx, &accepted.vendor).await.expect("events");
    assert_eq!((all.len(), ctx.calls()), (7, 4));
}

#[tokio::test]
async fn older_versions_have_none() {
    let site = Site::of(Version::V2022_08_01).await;
    let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
    let ctx = context(Share::Poll);
    assert!(site.adapter.events(&ctx, &accepted.vendor).await.expect("none").is_empty());
    assert_eq!(ctx.calls(), 0);
}
