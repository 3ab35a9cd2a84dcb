//! The vendor's log of its hooks, and the rules that have them sent.

use std::time::Duration;

use domain::Timestamp;
use provider::{AdministrationFault, HookLog, HookNews, HookSays, LogReading, Provider as _, Share};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use truora::{Registration, RegistrationFault};
use url::Url;

use super::{Site, context, in_colombia, now};

fn of(site: &Site) -> &dyn HookLog {
    site.truora.hook_log().expect("there is one")
}

async fn read(site: &Site, since: Timestamp) -> LogReading {
    of(site).read(&context(Share::LookUp), since).await
}

fn news(site: &Site, reading: &LogReading) -> Vec<HookNews> {
    let of_each = reading.entries.iter().map(|entry| of(site).news(&entry.body).expect("readable"));
    of_each.flatten().collect()
}

/// Some checks from beginning to end, told to nobody.
async fn finished(site: &Site, count: usize) {
    for number in 0..count {
        site.order(&in_colombia(&format!("10324{number:03}01"))).await;
    }
    site.advance(300);
}

#[tokio::test]
async fn what_was_told_to_nobody_is_read_in_any_order_of_the_log() {
    for behavior in [
        json!({}),
        json!({ "event_log_oldest_first": true, "event_log_path": "/v1/hooks/events" }),
        json!({ "page_size": 3, "next_prefix": "/" }),
    ] {
        let site = Site::with(behavior).await;
        let before = now() - Duration::from_mins(1);
        finished(&site, 5).await;
        let reading = read(&site, before).await;
        assert!(reading.complete && reading.pages > 1, "{reading:?}");
        let news = news(&site, &reading);
        assert_eq!(news.len(), 15, "created, started and finished of each");
        assert!(news.iter().all(|news| news.dedupe_key.starts_with("log:HIK") && news.reference.is_some()));
        let ends =
            news.iter().filter(|news| matches!(&news.says, HookSays::Snapshot(seen) if seen.standing.is_final()));
        assert_eq!(ends.count(), 5);
        let keys: std::collections::BTreeSet<_> = reading.entries.iter().map(|entry| entry.key.clone()).collect();
        assert_eq!(keys, news.into_iter().map(|news| news.dedupe_key).collect());
        let again = read(&site, before).await;
        assert!(again.entries.iter().all(|entry| keys.contains(&entry.key)), "the same at every reading");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_read_where_the_log_shows_its_order() {
    let site = Site::start().await;
    for number in 0..20 {
        site.order(&in_colombia(&format!("10325{number:03}01"))).await;
        site.advance(20);
    }
    let whole = read(&site, now() - Duration::from_mins(1)).await;
    let recent = read(&site, now() + Duration::from_mins(6)).await;
    assert!(whole.complete && recent.complete);
    assert!(recent.pages < whole.pages && !recent.entries.is_empty(), "{} of {}", recent.pages, whole.pages);
    assert!(recent.entries.len() <= 8, "{}", recent.entries.len());
}

#[tokio::test]
async fn a_log_that_cannot_be_read_to_its_end_is_incomplete() {
    let site = Site::start().await;
    finished(&site, 5).await;
    let since = now() - Duration::from_mins(1);
    for (behavior, fault) in [
        (json!({}), Some(Fault::new("event_log", FaultKind::StatusBefore).skip(1))),
        (json!({}), Some(Fault::new("event_log", FaultKind::Garbage).skip(1))),
        (json!({ "next_loops": true }), None),
        (json!({ "event_log_path": "/v1/somewhere/else" }), None),
    ] {
        site.behave(behavior.clone());
        if let Some(fault) = fault {
            site.simulator.control().arm(fault);
        }
        let reading = read(&site, since).await;
        assert!(!reading.complete && reading.entries.len() >= 10, "{behavior}: {reading:?}");
    }
}

fn target(path: &str) -> Url {
    format!("http://127.0.0.1:9/vendor-hooks/{path}").parse().expect("a URL")
}

#[tokio::test]
async fn a_rule_is_made_once_and_mended_where_it_differs() {
    let site = Site::with(json!({ "rules_show_key": true })).await;
    let ctx = context(Share::LookUp);
    let mut keys = Vec::new();
    let mut register = async |url: &str| {
        let done = site.truora.register_hook(&ctx, &target(url)).await.expect("registered");
        assert_eq!(done.not_offered, ["checks.check.delayed"]);
        keys.push(done.signing_key.is_some());
        (done.rules[0].rule_id.clone(), done.rules[0].what)
    };
    let (made, what) = register("truora").await;
    assert_eq!(what, Registration::Made);
    assert_eq!(register("truora").await, (made.clone(), Registration::Unchanged));
    assert_eq!(register("truora/mexico").await, (made.clone(), Registration::Mended));
    assert_eq!(register("truora/mexico").await, (made, Registration::Unchanged));
    assert_eq!(keys, [true, false, false, false], "the key is shown when the action is made");
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_rule() {
    let site = Site::start().await;
    let ctx = context(Share::LookUp);
    for skip in 0..8 {
        site.simulator.control().clear_faults();
        site.simulator.control().arm(Fault::new("rules", FaultKind::DropAfter).skip(skip));
        let _ = site.truora.register_hook(&ctx, &target("truora")).await;
    }
    site.simulator.control().clear_faults();
    let done = site.truora.register_hook(&ctx, &target("truora")).await.expect("registered");
    assert_eq!(done.rules[0].what, Registration::Unchanged);
    let url = site.simulator.base_url().join("v1/bre/rules").expect("a path");
    let rules = super::raw(url).await;
    assert_eq!(rules["rules"].as_array().map(Vec::len), Some(1), "{rules}");
}

#[tokio::test]
async fn an_account_that_may_make_no_rules_says_so() {
    let site = Site::with(json!({ "rules_api": false })).await;
    let refused = site.truora.register_hook(&context(Share::LookUp), &target("truora")).await.err();
    assert!(matches!(refused, Some(RegistrationFault::Vendor(AdministrationFault::Denied(_)))), "{refused:?}");
}
