//! What a vendor says that it did, in a check's timeline: once, in order, and in nobody's way.

use std::time::Duration;

use domain::{CheckStatus, Event, EventType, OrderDraft, OrderId, Outcome};
use sandbox::{Fault, FaultKind};
use serde_json::{Map, Value, json};
use store::Scope;
use trials::drafts::with_ssn;

use crate::world::{Options, World, draft};

/// Of the simulator: completed; processing for good; a Direct order of two verifications.
const COMPLETED: &str = "000-00-0000";
const FOR_GOOD: &str = "000-99-0004";
const TWO: &str = "000-99-0010";

fn order(ssn: &str) -> OrderDraft {
    with_ssn(draft("truework", 0), ssn)
}

/// The same at no employer, which is answered at once.
fn search() -> OrderDraft {
    with_options(without_employer(order(COMPLETED)), json!({}))
}

fn without_employer(mut draft: OrderDraft) -> OrderDraft {
    let mut input = draft.checks[0].input.expose().clone();
    if let domain::CheckSpec::EmploymentVerification(asked) = &mut input.spec {
        asked.employer = None;
    }
    draft.checks[0].input = input.into();
    draft
}

fn with_options(mut draft: OrderDraft, options: Value) -> OrderDraft {
    let mut input = draft.checks[0].input.expose().clone();
    input.vendor_options = serde_json::from_value(options).expect("an object");
    draft.checks[0].input = input.into();
    draft
}

async fn timeline(world: &World, id: OrderId) -> Vec<Event> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 1_000, None).await.expect("read");
    events.into_iter().map(|stored| stored.event).collect()
}

/// Of the notes in a timeline: what is said, in the order of the timeline.
async fn notes(world: &World, id: OrderId) -> Vec<Map<String, Value>> {
    let events = timeline(world, id).await.into_iter();
    events.filter(|event| event.kind == EventType::CheckNotification).map(|event| event.data).collect()
}

async fn codes(world: &World, id: OrderId) -> Vec<String> {
    notes(world, id).await.iter().map(|data| data["notification"].as_str().expect("a word").to_owned()).collect()
}

fn calls(world: &World, of: &str) -> u64 {
    world.books("truework").calls_of(of)
}

/// Sends an order, and no more.
async fn sent(world: &World, draft: OrderDraft) -> OrderId {
    let id = world.accept(draft).await;
    world.engine.dispatch(&world.account("truework"), 10).await.expect("dispatched");
    id
}

async fn look(world: &World) {
    world.engine.follow(&world.account("truework"), 10).await.expect("followed");
}

async fn refresh(world: &World, id: OrderId) {
    world.engine.refresh(&Scope::All, id).await.expect("refreshed").expect("an order");
}

/// When the simulator has ended what it works on.
fn finish(world: &World) {
    world.clock.advance(Duration::from_hours(2));
}

#[tokio::test]
async fn each_step_stands_once_before_what_it_led_to() {
    let world = World::new().await;
    let id = sent(&world, order(COMPLETED)).await;
    let sent_at = world.engine.now();
    refresh(&world, id).await;
    assert_eq!(codes(&world, id).await, ["order-created", "pending-approval"]);
    // Another process looks at the same time, twice, and a caller as well.
    finish(&world);
    let other = world.another(&Options::default()).await;
    let (account, scope) = (world.account("truework"), Scope::All);
    let (one, two, asked) =
        tokio::join!(world.engine.refresh(&scope, id), other.refresh(&scope, id), world.engine.follow(&account, 10));
    assert!(one.is_ok() && two.is_ok() && asked.is_ok());
    world.work_until_settled(&[id]).await;
    refresh(&world, id).await;

    let events = timeline(&world, id).await;
    let told: Vec<&str> = events
        .iter()
        .map(|event| match event.kind {
            EventType::CheckNotification => event.data["notification"].as_str().expect("a word"),
            other => other.as_str(),
        })
        .collect();
    let of_check =
        ["check.submitted", "order-created", "pending-approval", "processing", "completed", "check.completed"];
    let told: Vec<&str> = told.into_iter().filter(|word| of_check.contains(word)).collect();
    assert_eq!(told, of_check);
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    assert!(versions.is_sorted(), "{versions:?}");

    let check = world.order(id).await.checks.remove(0);
    let part = check.state.binding().and_then(|binding| binding.vendor.check_id.clone()).expect("a verification");
    let all = notes(&world, id).await;
    assert_eq!(all[0].get("vendor_check_id"), None, "the order as a whole");
    assert!(all[1..].iter().all(|data| data["vendor_check_id"] == part));
    assert_eq!(all[2]["strategy"], "smart-outreach");
    assert!(all.iter().all(|data| data["provider"] == "truework" && data["status"] == "in_progress"));
    // The vendor's own time is beside the one at which it was learned.
    let done = events.iter().find(|event| event.data.get("notification") == Some(&json!("completed"))).expect("a note");
    let vendor_time: domain::Timestamp = done.data["vendor_time"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(vendor_time.since(sent_at), Duration::from_secs(3));
    assert!(done.at > vendor_time);
}

#[tokio::test]
async fn the_vendor_is_asked_when_something_changed_and_not_with_every_poll() {
    let world = World::new().await;
    let id = sent(&world, order(FOR_GOOD)).await;
    for _ in 0..30 {
        finish(&world);
        look(&world).await;
    }
    let looks = calls(&world, "get");
    assert!(looks >= 30, "{looks}");
    assert_eq!(calls(&world, "events"), 1, "its word was the same from the first look on");
    assert_eq!(codes(&world, id).await, ["order-created", "pending-approval", "processing"]);
    // Whoever asks gets an answer, though nothing is new.
    refresh(&world, id).await;
    assert_eq!((calls(&world, "events"), codes(&world, id).await.len()), (2, 3));
}

#[tokio::test]
async fn a_note_is_not_repeated_however_long_it_was_ago() {
    let world = World::new().await;
    let id = sent(&world, order(FOR_GOOD)).await;
    refresh(&world, id).await;
    world.clock.advance(Duration::from_hours(24 * 60));
    world.engine.store().purge_inbox(world.engine.now()).await.expect("purged");
    refresh(&world, id).await;
    refresh(&world, id).await;
    assert_eq!(codes(&world, id).await, ["order-created", "pending-approval", "processing"]);
}

#[tokio::test]
async fn a_step_that_could_not_be_read_is_read_after_the_next_change() {
    let world = World::new().await;
    let faults = [FaultKind::StatusBefore, FaultKind::DropBefore, FaultKind::Garbage, FaultKind::Truncate];
    for fault in faults {
        let id = sent(&world, order(COMPLETED)).await;
        let before = calls(&world, "events");
        world.vendor("truework").control().arm(Fault::new("events", fault));
        refresh(&world, id).await;
        assert_eq!((calls(&world, "events") - before, codes(&world, id).await.len()), (1, 0), "{fault:?}");
        let check = world.order(id).await.checks.remove(0);
        assert_eq!(check.state.native_status(), Some("pending-approval"), "the look itself counts: {fault:?}");
        finish(&world);
        look(&world).await;
        let check = world.order(id).await.checks.remove(0);
        assert_eq!(
            (check.status(), check.state.outcome()),
            (CheckStatus::Completed, Some(Outcome::Clear)),
            "{fault:?}"
        );
        assert_eq!(codes(&world, id).await.len(), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn a_result_does_not_wait_for_the_steps_that_led_to_it() {
    let world = World::new().await;
    let id = sent(&world, order(COMPLETED)).await;
    finish(&world);
    world.vendor("truework").control().arm(Fault::new("events", FaultKind::StatusBefore).times(2));
    look(&world).await;
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Completed);
    assert!(codes(&world, id).await.is_empty());
    // Two further looks, by themselves, and none after that.
    let (gets, told) = (calls(&world, "get"), timeline(&world, id).await.len());
    let done = async || codes(&world, id).await.len() == 4;
    world.work_until(Duration::from_mins(2), "the notes came after all", done).await;
    assert_eq!((calls(&world, "events"), calls(&world, "get") - gets), (3, 2));
    for _ in 0..5 {
        finish(&world);
        world.work().await;
        refresh(&world, id).await;
    }
    assert_eq!((calls(&world, "events"), codes(&world, id).await.len()), (3, 4));
    assert_eq!(timeline(&world, id).await.len(), told + 4, "nothing but notes came");
}

#[tokio::test]
async fn a_vendor_that_never_tells_is_left_alone_until_somebody_asks() {
    let world = World::new().await;
    let id = sent(&world, order(COMPLETED)).await;
    finish(&world);
    world.vendor("truework").control().arm(Fault::new("events", FaultKind::StatusBefore).status(403).times(1_000));
    for _ in 0..40 {
        world.work().await;
        finish(&world);
    }
    assert_eq!(calls(&world, "events"), 9, "the look that found the end, and eight for the notes");
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Completed);
    world.vendor("truework").control().clear_faults();
    refresh(&world, id).await;
    assert_eq!((calls(&world, "events"), codes(&world, id).await.len()), (10, 4));
    refresh(&world, id).await;
    assert_eq!(calls(&world, "events"), 10, "there is nothing more to read of it");
}

#[tokio::test]
async fn a_vendor_that_tells_nothing_but_waits_holds_nothing_up() {
    let world = World::with(Options { timeout: Duration::from_millis(500), ..Options::default() }).await;
    let id = sent(&world, order(COMPLETED)).await;
    finish(&world);
    world.vendor("truework").control().arm(Fault::new("events", FaultKind::Stall));
    look(&world).await;
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Completed);
    world.work_until(Duration::from_mins(1), "read after all", async || codes(&world, id).await.len() == 4).await;
}

#[tokio::test]
async fn the_steps_of_what_was_answered_at_once_are_read_afterwards() {
    let world = World::new().await;
    let id = sent(&world, search()).await;
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Completed, "by the create call's own answer");
    assert_eq!(calls(&world, "events"), 0, "which waits for nothing");
    while world.work().await > 0 {}
    assert_eq!((calls(&world, "events"), calls(&world, "get")), (1, 1));
    let codes = codes(&world, id).await;
    assert_eq!(
        (codes.first().map(String::as_str), codes.last().map(String::as_str)),
        (Some("order-created"), Some("completed"))
    );
    finish(&world);
    world.work().await;
    assert_eq!((calls(&world, "events"), calls(&world, "get")), (1, 1));
}

#[tokio::test]
async fn of_several_verifications_each_step_says_whose_it_is_and_all_belong_to_the_check() {
    let world = World::new().await;
    let id = sent(&world, with_options(without_employer(order(TWO)), json!({ "direct": true }))).await;
    refresh(&world, id).await;
    world.work_until_settled(&[id]).await;
    let order = world.order(id).await;
    let events = timeline(&world, id).await;
    let notes: Vec<&Event> = events.iter().filter(|event| event.kind == EventType::CheckNotification).collect();
    assert!(notes.iter().all(|event| event.check_id == Some(order.checks[0].id)));
    let mut parts: Vec<&str> = notes.iter().filter_map(|event| event.data.get("vendor_check_id")?.as_str()).collect();
    assert_eq!(parts.len(), 6, "three steps each");
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), 2);
}

#[tokio::test]
async fn what_the_vendor_writes_about_a_person_stays_there() {
    let world = World::new().await;
    world.vendor("truework").control().set_behavior(json!({ "event_sentences": true })).expect("a switch");
    let id = sent(&world, order(COMPLETED)).await;
    world.work_until_settled(&[id]).await;
    let notes = notes(&world, id).await;
    assert_eq!(notes.len(), 4);
    for data in notes {
        assert_eq!(data["notification"], "event");
        let text = Value::Object(data).to_string();
        for word in ["Taylor", "Curtis", "000-00", "now"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[tokio::test]
async fn nothing_is_noted_of_an_order_that_could_be_anothers() {
    let world = World::new().await;
    // The vendor gives no reference back, so that nothing says whose the order is.
    let hidden = json!({ "hide_search_key": true, "hide_metadata": true });
    world.vendor("truework").control().set_behavior(hidden).expect("switches");
    let id = sent(&world, order(COMPLETED)).await;
    refresh(&world, id).await;
    assert_eq!((calls(&world, "events"), codes(&world, id).await.len()), (0, 0));
    // Once it does, there is no doubt any more.
    let shown = json!({ "hide_search_key": false, "hide_metadata": false });
    world.vendor("truework").control().set_behavior(shown).expect("switches");
    world.work_until_settled(&[id]).await;
    assert_eq!(codes(&world, id).await.len(), 4);
}
