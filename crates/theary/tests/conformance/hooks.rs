//! The simulator's hooks, from its signature to our news.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use domain::{ActionKind, Certainty, Outcome, Standing};
use http::HeaderMap;
use provider::{HookNews, HookRequest, HookSays, ItemOutcome, Provider as _};
use sandbox::{Fault, FaultKind};
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
            HookSays::Changed | HookSays::Hint | HookSays::MonitorChanged { .. } => "changed".to_owned(),
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

/// Two deliveries of one event have ids of their own, and are the same news by what they say.
#[tokio::test]
async fn a_second_delivery_under_another_id_has_the_same_key() {
    let world = World::with(json!({"redeliver": true})).await;
    let (url, received) = receiver().await;
    world.submit(&[samples::employment(1)], Some(url)).await;
    world.simulator.control().advance(Duration::from_hours(1));
    let news = news(&world, &received, 6).await;
    let keys: BTreeSet<&str> = news.iter().map(|news| news.dedupe_key.as_str()).collect();
    let received = received.lock().expect("a lock");
    let ids: BTreeSet<_> = received
        .iter()
        .map(|hook| hook.headers["x-event-id"].clone())
        .map(|id| id.to_str().expect("text").to_owned())
        .collect();
    assert_eq!((keys.len(), ids.len()), (3, 6));
}

/// Hooks can come before the answer to the create call: they are known by the reference alone.
#[tokio::test]
async fn hooks_that_come_before_the_answer_name_the_reference() {
    let world = World::with(json!({"start_after_ms": 0, "complete_after_ms": 0})).await;
    let (url, received) = receiver().await;
    // The work is done at once, and the answer is held back until the hooks are in.
    world.simulator.control().arm(Fault::new("create", FaultKind::Stall));
    let items = [samples::employment(1)];
    let sending = world.submit(&items, Some(url));
    let hearing = news(&world, &received, 3);
    let news = tokio::select! {
        _ = sending => panic!("an answer"),
        news = hearing => news,
    };
    for one in &news {
        assert_eq!((one.reference, one.vendor.clone()), (Some(samples::reference(1)), None));
    }
    assert!(news.iter().any(|one| matches!(&one.says, HookSays::Snapshot(snapshot) if snapshot.standing.is_final())));
}

/// Each type of notification is a note of its own, and none of them ends anything.
#[tokio::test]
async fn every_notification_is_a_note() {
    let world = World::with(json!({"all_notifications": true, "hooks": {"reorder": 8}})).await;
    let (url, received) = receiver().await;
    world.submit(&[samples::education(1)], Some(url)).await;
    world.simulator.control().advance(Duration::from_hours(1));
    let news = news(&world, &received, 8).await;
    let types = [
        "ADDITIONAL_RESEARCH_NOTE",
        "AGENT_INTERVENTION",
        "COMPLETED",
        "CONTACT_PLAN",
        "INBOUND_MESSAGE",
        "INBOUND_RECEIVED_DETAIL",
        "OUTBOUND_ATTEMPT",
        "THIRD_PARTY_RECORD",
    ];
    assert_eq!(kinds(&news), types);
    let notes = news.iter().filter(|one| matches!(one.says, HookSays::Note { .. })).count();
    assert_eq!(notes, 7);
}

/// Every reason for an action says what is to be done, and a look that knows less is older than the hook.
#[tokio::test]
async fn every_reason_for_an_action_says_what_to_do() {
    for (reason, told) in [
        ("THIRD_PARTY_RECORD", "A third party keeps the record"),
        ("UPSTREAM_ISSUE", "Something that Theary depends on failed"),
        ("SYSTEM_FAILURE", "Theary itself failed"),
        ("SLA_REACHED", "The time for the search is over"),
        ("HUMAN_ESCALATION", "Theary cannot reach the source"),
        ("PRIMARY_EDUCATION", "It is about primary education"),
        ("INTERNATIONAL_EDUCATION", "The institution is abroad"),
        ("OTHER", "Theary needs a person to act and does not say what for"),
        ("SOMETHING_NEW", "Theary needs a person to act."),
    ] {
        let world = World::with(json!({"action_reason": reason, "action_keeps_status": true})).await;
        let (url, received) = receiver().await;
        let item = samples::item(1, with_ssn("900450006"), samples::education_check());
        let report = world.submit(&[item], Some(url)).await;
        let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
        world.simulator.control().advance(Duration::from_hours(1));
        let news = news(&world, &received, 3).await;
        let waiting = news.iter().find_map(|one| match &one.says {
            HookSays::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        });
        let waiting = waiting.expect("a snapshot");
        let Standing::Waiting { action } = &waiting.standing else { panic!("{reason}: {:?}", waiting.standing) };
        let message = action.message.as_deref().expect("a message");
        assert!(message.starts_with(told) && message.ends_with(&format!("({reason})")), "{message}");
        assert_eq!(action.kind, ActionKind::Human);
        let seen = world.look(&accepted.vendor).await;
        assert!(matches!(seen.standing, Standing::Working { .. }), "the search itself says nothing of it");
        assert!(seen.vendor_time.is_some() && seen.vendor_time < waiting.vendor_time, "and said so before");
    }
}

/// A result is one object or a list of them, wherever it comes from, and a search has one id, however it is written.
#[tokio::test]
async fn either_form_of_a_result_and_of_an_id_is_read() {
    for switches in [json!({"results_swapped": true}), json!({"bare_search_ids": true}), json!({"bare_ids": true})] {
        for (ssn, outcome) in [("900450001", Outcome::Clear), ("900450002", Outcome::Consider)] {
            let world = World::with(switches.clone()).await;
            let (url, received) = receiver().await;
            let item = samples::item(1, with_ssn(ssn), samples::employment_check());
            let report = world.submit(&[item], Some(url)).await;
            let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
            assert!(accepted.vendor.check_id.is_some());
            world.simulator.control().advance(Duration::from_hours(1));
            let news = news(&world, &received, 3).await;
            let ended = news.iter().find_map(|one| match &one.says {
                HookSays::Snapshot(snapshot) => Some(snapshot),
                _ => None,
            });
            let ended = ended.expect("a snapshot");
            assert_eq!(ended.part_id, accepted.vendor.check_id, "{switches}");
            assert!(
                matches!(&ended.standing, Standing::Completed { outcome: told, .. } if *told == outcome),
                "{switches}"
            );
            let unlearnt = domain::VendorRef::order(accepted.vendor.order_id.clone());
            let seen = world.look(&unlearnt).await;
            assert_eq!(seen.part_id, accepted.vendor.check_id, "{switches}");
            let Standing::Completed { result: Some(domain::CheckResult::Verification(result)), .. } = &seen.standing
            else {
                panic!("{switches}: {:?}", seen.standing)
            };
            assert_eq!(result.comments.as_deref(), Some("See the closing report."), "{switches}");
        }
    }
}

/// Whether a delete sends a hook is not documented; where it does, the hook says what the cancel asked for.
#[tokio::test]
async fn a_hook_of_a_delete_says_canceled() {
    let world = World::with(json!({"delete_tells": true})).await;
    let (url, received) = receiver().await;
    let report = world.submit(&[samples::employment(1)], Some(url)).await;
    let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
    let why = domain::Reason::new("client_request", "Not needed any more.");
    world.theary.cancel(&World::ctx(provider::Share::Poll), &accepted.vendor, &why).await.expect("a cancel");
    let news = news(&world, &received, 1).await;
    let HookSays::Snapshot(snapshot) = &news[0].says else { panic!("a snapshot") };
    assert_eq!((snapshot.native_status.as_str(), &snapshot.part_id), ("CANCELLED", &accepted.vendor.check_id));
    assert!(matches!(snapshot.standing, Standing::Canceled { .. }));
}

/// Without a hook URL an order asks for none.
#[tokio::test]
async fn no_hooks_are_asked_for_without_a_place_to_send_them() {
    let world = World::with(json!({})).await;
    world.submit(&[samples::employment(1)], None).await;
    world.simulator.control().advance(Duration::from_hours(1));
    assert!(world.simulator.control().hook_reports().is_empty());
}
