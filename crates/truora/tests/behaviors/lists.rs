//! Reading the list of checks.

use provider::{Provider as _, Share};
use serde_json::json;

use super::{Site, context, in_colombia, query};

#[tokio::test]
async fn a_list_that_runs_in_a_circle_is_not_complete() {
    let site = Site::with(json!({ "next_loops": true })).await;
    site.simulator.control().make_strangers(25, &json!({}));
    let item = in_colombia("1032456701");
    let accepted = site.order(&item).await;
    let seen = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(!seen.complete);
    assert_eq!(seen.incomplete_because.as_deref(), Some("the pages run in a circle"));
    assert_eq!(seen.found.len(), 1, "what was seen until then stays");
    assert_eq!(seen.found[0].vendor, accepted.vendor);
    assert_eq!(seen.calls, 3, "no page is read twice");
}

#[tokio::test]
async fn links_with_two_slashes_or_a_host_are_followed() {
    let site = Site::start().await;
    site.simulator.control().make_strangers(25, &json!({}));
    let absolute = site.simulator.base_url().as_str().trim_end_matches('/').to_owned();
    for prefix in ["/".to_owned(), absolute] {
        site.behave(json!({ "next_prefix": prefix }));
        let seen = site.truora.locate(&context(Share::LookUp), &query(&in_colombia("1032456701"))).await;
        assert!(seen.complete, "{prefix}: {:?}", seen.incomplete_because);
        assert_eq!((seen.pages, seen.calls, seen.objects), (3, 3, 25), "{prefix}");
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_never_followed() {
    // Another simulator stands for the foreign host: its books show every call.
    let (site, foreign) = (Site::start().await, Site::start().await);
    site.simulator.control().make_strangers(25, &json!({}));
    site.behave(json!({ "next_prefix": foreign.simulator.base_url().as_str().trim_end_matches('/') }));
    let seen = site.truora.locate(&context(Share::LookUp), &query(&in_colombia("1032456701"))).await;
    assert!(!seen.complete);
    assert_eq!(seen.incomplete_because.as_deref(), Some("the link to the next page leads to another host"));
    assert!(foreign.simulator.control().books().calls.is_empty(), "the key went to another host");
}

#[tokio::test]
async fn it_stops_at_what_is_too_old_if_the_newest_come_first() {
    let site = Site::start().await;
    let day = 24 * 3600 * 1000;
    site.simulator.control().make_strangers(200, &json!({ "age_ms": day }));
    let item = in_colombia("1032456701");
    site.order(&item).await;
    let seen = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(seen.complete && seen.stopped_early);
    assert_eq!((seen.calls, seen.listed.len(), seen.found.len()), (2, 1, 1));
}

#[tokio::test]
async fn it_reads_everything_if_the_oldest_come_first() {
    let site = Site::with(json!({ "oldest_first": true })).await;
    let day = 24 * 3600 * 1000;
    site.simulator.control().make_strangers(30, &json!({ "age_ms": day }));
    site.simulator.control().make_strangers(30, &json!({}));
    let item = in_colombia("1032456701");
    site.order(&item).await;
    let seen = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(seen.complete && !seen.stopped_early);
    assert_eq!((seen.found.len(), seen.objects), (1, 61));
}

#[tokio::test]
async fn where_references_are_not_given_back_the_same_subject_is_evidence() {
    let site = Site::with(json!({ "echo_custom_input": false })).await;
    let item = in_colombia("1032456701");
    let accepted = site.order(&item).await;
    site.simulator.control().make_strangers(3, &json!({ "fields": { "national_id": "52000000" } }));
    let seen = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(seen.complete && seen.found.is_empty() && !seen.echoes);
    let alike: Vec<_> = seen.look_alikes.iter().map(|alike| alike.vendor_order_id.as_str()).collect();
    assert_eq!(alike, [accepted.vendor.order_id.as_str()]);
}

#[tokio::test]
async fn a_check_that_comes_late_into_the_list_is_found_later() {
    let site = Site::with(json!({ "list_lag_ms": 60_000 })).await;
    let item = in_colombia("1032456701");
    site.order(&item).await;
    let looked = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(looked.complete && looked.found.is_empty());
    site.advance(61);
    let looked = site.truora.locate(&context(Share::LookUp), &query(&item)).await;
    assert!(looked.complete && looked.found.len() == 1 && looked.echoes);
}
