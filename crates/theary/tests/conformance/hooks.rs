//! The simulator's hooks, from its signature to our news.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use domain::{Certainty, Outcome, Standing};
use http::HeaderMap;
use provider::{HookNews, HookRequest, HookSays, ItemOutcome, Provider as _};
use serde_json::json;
use url::Url;

use crate::bench::{World, now, with_ssn};
use crate::samples;

type Received = Arc<Mutex<Vec<HookRequest>>>;

async fn receiver() -> (Url, Received) {
    let received = Received::default();
    let taken = Arc::clone(&received);
    let take = post(async move |headers: HeaderMap, body: Bytes| {
        taken.lock().expect("a lock").push(HookRequest { headers, body, received_at: now() });
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/vendor-hooks/theary", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/vendor-hooks/theary", take)).await });
    (url.parse().expect("a url"), received)
}

/// The news in what was received, once there are so many hooks.
async fn news(world: &World, received: &Received, count: usize) -> Vec<HookNews> {
    let wait = async {
        while received.lock().expect("a lock").len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("all hooks in time");
    let received = received.lock().expect("a lock");
    assert_eq!(received.len(), count, "no more hooks than expected");
    received.iter().flat_map(|hook| world.theary.receive_hook(hook).expect("authentic")).collect()
}

fn kinds(news: &[HookNews]) -> Vec<String> {
    let mut kinds: Vec<String> = news
        .iter()
        .map(|news| match &news.says {
            HookSays::Note { kind } => kind.clone(),
            HookSays::Snapshot(snapshot) => snapshot.native_status.clone(),
            HookSays::Changed | HookSays::MonitorChanged { .. } => "changed".to_owned(),
        })
        .collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn an_orders_hooks_tell_its_whole_story() {
    for (ssn, last, outcome) in [
        ("900450001", "COMPLETED", Some(Outcome::Clear)),
        ("900450002", "COMPLETED", Some(Outcome::Consider)),
        ("900450003", "COMPLETED", Some(Outcome::Consider)),
        ("900450010", "COMPLETED", Some(Outcome::Unresolved)),
        ("900450006", "REASSIGNED", None),
    ] {
        for check in [samples::employment_check(), samples::education_check()] {
            let world = World::with(json!({})).await;
            let (url, received) = receiver().await;
            let item = samples::item(1, with_ssn(ssn), check);
            let report = world.submit(&[item], Some(url)).await;
            let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
            world.simulator.control().advance(Duration::from_hours(1));
            let news = news(&world, &received, 3).await;
            let mut expected = [last, "CONTACT_PLAN", "OUTBOUND_ATTEMPT"];
            expected.sort_unstable();
            assert_eq!(kinds(&news), expected);
            for one in &news {
                assert_eq!(one.reference, Some(samples::reference(1)), "{ssn}");
                let HookSays::Snapshot(snapshot) = &one.says else { continue };
                assert_eq!(snapshot.part_id, accepted.vendor.check_id, "{ssn}");
                match (&snapshot.standing, outcome) {
                    (Standing::Completed { outcome, certainty, .. }, Some(expected)) => {
                        assert_eq!((*outcome, *certainty), (expected, Certainty::Full), "{ssn}");
                    }
                    (Standing::Waiting { .. }, None) => {}
                    (other, _) => panic!("{ssn}: {other:?}"),
                }
            }
        }
    }
}

/// Doubled and shuffled hooks are the same news; lost ones are missing, and polling has to do.
#[tokio::test]
async fn doubled_hooks_have_the_same_key() {
    let world = World::with(json!({"hooks": {"duplicate_every": 1, "reorder": 2}})).await;
    let (url, received) = receiver().await;
    world.submit(&[samples::employment(1)], Some(url)).await;
    world.simulator.control().advance(Duration::from_hours(1));
    let news = news(&world, &received, 6).await;
    let mut keys: Vec<&str> = news.iter().map(|news| news.dedupe_key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

/// Without a hook URL an order asks for none.
#[tokio::test]
async fn no_hooks_are_asked_for_without_a_place_to_send_them() {
    let world = World::with(json!({})).await;
    world.submit(&[samples::employment(1)], None).await;
    world.simulator.control().advance(Duration::from_hours(1));
    assert!(world.simulator.control().hook_reports().is_empty());
}
