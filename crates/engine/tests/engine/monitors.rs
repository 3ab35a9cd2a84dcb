//! Monitors that the gateway orders again for: each due time once, whatever happens in between.

use std::time::Duration;

use domain::{
    CheckStatus, Clock as _, EventType, Frequency, Monitor, MonitorId, MonitorMethod, MonitorRun, MonitorStatus, Order,
    OrderDraft, OrderId, PauseReason, RunState, Subject, Timestamp,
};
use engine::{MonitorChanges, MonitorError, MonitorWish};
use serde_json::json;
use store::Scope;

use crate::world::{Options, World, draft, draft_of};

pub const DAY: Duration = Duration::from_hours(24);

pub async fn try_to_monitor(world: &World, id: OrderId, every: &str, end: &str) -> Result<Monitor, MonitorError> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let wish = MonitorWish { frequency: frequency(every), end_date: end.parse().expect("a date") };
    let monitor = world.engine.monitor_existing(&mut tx, &Scope::All, id, wish).await?.expect("an order");
    tx.save().await.expect("saved");
    Ok(monitor)
}

pub async fn monitor(world: &World, id: OrderId, every: &str, end: &str) -> Monitor {
    try_to_monitor(world, id, every, end).await.expect("a monitor")
}

pub fn frequency(text: &str) -> Frequency {
    text.parse().expect("a frequency")
}

/// As it stands, deleted ones too.
pub async fn state(world: &World, id: MonitorId) -> Monitor {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    tx.monitors().peek(id).await.expect("read").expect("a monitor")
}

/// Oldest first.
pub async fn runs(world: &World, id: MonitorId) -> Vec<MonitorRun> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut runs = tx.monitors().runs(id, 1_000, None).await.expect("read");
    runs.reverse();
    runs
}

pub async fn order_of(world: &World, run: &MonitorRun) -> Order {
    world.order(run.order_id.expect("a run with an order")).await
}

/// The monitor's events on the timeline of a run's order.
pub async fn told_of(world: &World, order: OrderId) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, order, 1_000, None).await.expect("read");
    let of_monitor = events.into_iter().filter(|event| event.event.kind == EventType::MonitorChanged);
    of_monitor.map(|event| event.event.data).collect()
}

pub async fn change(world: &World, id: MonitorId, changes: MonitorChanges) -> Monitor {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let monitor = world.engine.change_monitor(&mut tx, &Scope::All, id, changes).await.expect("changed");
    tx.save().await.expect("saved");
    monitor.expect("a monitor")
}

pub async fn delete(world: &World, id: MonitorId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    assert!(world.engine.delete_monitor(&mut tx, &Scope::All, id).await.expect("deleted"));
    tx.save().await.expect("saved");
}

/// Works until then, going from one thing that is due to the next.
pub async fn live_until(world: &World, then: Timestamp) {
    loop {
        while world.work().await > 0 {}
        let now = world.clock.now();
        if now >= then {
            return;
        }
        let due = world.engine.store().next_due(now).await.expect("read").unwrap_or(then);
        world.clock.advance(due.min(then).since(now).max(Duration::from_secs(1)));
    }
}

pub async fn live(world: &World, time: Duration) {
    live_until(world, world.clock.now() + time).await;
}

/// The order with its subject's consent ending then.
pub fn until(mut draft: OrderDraft, end: Timestamp) -> OrderDraft {
    let mut input = draft.input.expose().clone();
    input.consent.expires_at = Some(end);
    draft.input = input.into();
    draft
}

/// The order about somebody with this national id, by which the simulator chooses how checks end.
pub fn about(mut draft: OrderDraft, number: &str) -> OrderDraft {
    let mut input = draft.input.expose().clone();
    if let Subject::Person(person) = &mut input.subject {
        for identifier in &mut person.identifiers {
            number.clone_into(&mut identifier.value);
        }
    }
    draft.input = input.into();
    draft
}

#[tokio::test]
async fn each_due_time_makes_one_order_that_ends_like_any_other() {
    let world = World::new().await;
    let first = world.accept(draft("theary", 0)).await;
    let made = monitor(&world, first, "weekly", "2026-01-20").await;
    assert_eq!((made.method(), made.next_run_at), (MonitorMethod::Reorder, Some(world.clock.now() + 7 * DAY)));
    live(&world, 25 * DAY).await;

    let runs = runs(&world, made.id).await;
    let numbers: Vec<_> = runs.iter().map(|run| (run.number, run.state, run.changed)).collect();
    assert_eq!(
        numbers,
        [(0, RunState::Ended, None), (1, RunState::Ended, Some(false)), (2, RunState::Ended, Some(false))]
    );
    for run in &runs[1..] {
        let order = order_of(&world, run).await;
        assert_eq!((order.parent_order_id, order.checks[0].status()), (Some(first), CheckStatus::Completed));
        assert_eq!(told_of(&world, order.id).await, []);
    }
    assert_eq!(world.books("theary").calls_of("create"), 3);
    let ended = state(&world, made.id).await;
    assert_eq!((ended.status, ended.next_run_at), (MonitorStatus::Ended, None));
}

#[tokio::test]
async fn periods_that_were_missed_make_one_run() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    world.work_until_settled(&[first]).await;
    world.clock.advance(10 * DAY + Duration::from_hours(1));
    assert_eq!(world.engine.run_monitors().await.expect("worked"), 1, "one run");
    assert_eq!(world.engine.run_monitors().await.expect("worked"), 0);
    assert_eq!(runs(&world, made.id).await.len(), 2);
    let next = state(&world, made.id).await.next_run_at.expect("a next run");
    assert_eq!(next, made.created_at + 11 * DAY);
}

#[tokio::test]
async fn processes_that_work_at_once_make_one_run() {
    let world = World::new().await;
    let other = world.another(&Options::default()).await;
    let mut monitors = Vec::new();
    for number in 0..10 {
        let first = world.accept(draft("truework", number)).await;
        monitors.push(monitor(&world, first, "P1M", "2026-12-31").await.id);
    }
    live(&world, 2 * DAY).await;
    world.clock.advance(31 * DAY);
    let (one, two) = tokio::join!(world.engine.run_monitors(), other.run_monitors());
    assert_eq!(one.expect("worked") + two.expect("worked"), 10);
    for id in monitors {
        assert_eq!(runs(&world, id).await.len(), 2);
    }
}

#[tokio::test]
async fn a_run_that_a_dying_process_left_half_done_is_made_once() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    world.work_until_settled(&[first]).await;
    world.clock.advance(DAY);
    world.engine.run_monitors().await.expect("worked");
    // It claimed the monitor and was gone.
    world.clock.advance(DAY);
    let now = world.clock.now();
    let claimed = world.engine.store().claim_monitors(None, 10, now, now + Duration::from_secs(30)).await;
    assert_eq!(claimed.expect("claimed"), [made.id]);
    assert_eq!(world.engine.run_monitors().await.expect("worked"), 0, "it is somebody else's for now");
    live(&world, Duration::from_hours(2)).await;
    let runs = runs(&world, made.id).await;
    assert_eq!(runs.last().map(|run| run.due_at), Some(made.created_at + 2 * DAY));
    assert_eq!(runs.iter().filter(|run| run.due_at == made.created_at + 2 * DAY).count(), 1);
}

#[tokio::test]
async fn a_run_that_is_due_while_one_is_open_is_left_out_and_noted() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    // Nobody sends the first order.
    world.clock.advance(DAY);
    assert_eq!(world.engine.run_monitors().await.expect("worked"), 1);
    let seen = runs(&world, made.id).await;
    assert_eq!((seen[1].state, seen[1].order_id, seen[0].state), (RunState::Skipped, None, RunState::Open));
    assert_eq!(state(&world, made.id).await.status, MonitorStatus::Enabled);
    world.work_until_settled(&[first]).await;
    live(&world, 2 * DAY).await;
    let later = runs(&world, made.id).await;
    assert!(later.iter().any(|run| run.state == RunState::Ended && run.number > 1), "{later:?}");
}

#[tokio::test]
async fn nobody_is_checked_without_consent() {
    let world = World::new().await;
    let end = world.clock.now() + 36 * Duration::from_hours(1);
    let first = world.accept(until(draft("theary", 0), end)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    live(&world, 4 * DAY).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::ConsentExpired)));
    assert_eq!(runs(&world, made.id).await.len(), 2, "the one run that lay before the consent's end");
    assert_eq!(world.books("theary").calls_of("create"), 2);
}

#[tokio::test]
async fn the_vendors_dedupe_is_passed_by_and_a_change_is_told() {
    let world = World::new().await;
    world.vendor("truora").control().set_behavior(json!({ "dedupe_hours": 100_000 })).expect("a switch");
    // Two checks: no vendor repeats such an order by itself.
    let first = world.accept(draft_of(&["truora", "truework"], 0)).await;
    let made = monitor(&world, first, "daily", "2026-01-03").await;
    assert_eq!(made.method(), MonitorMethod::Reorder);
    live(&world, 4 * DAY).await;
    let runs = runs(&world, made.id).await;
    assert_eq!(runs.len(), 3);
    let mut objects = Vec::new();
    for run in &runs {
        let order = order_of(&world, run).await;
        assert!(order.checks.iter().all(|check| check.status() == CheckStatus::Completed));
        objects.push(order.checks[0].state.binding().expect("bound").vendor.order_id.clone());
    }
    objects.sort();
    objects.dedup();
    assert_eq!(objects.len(), 3, "each run is a new check of the vendor");
}

#[tokio::test]
async fn a_first_order_without_a_result_is_not_run_again() {
    let world = World::new().await;
    let first = world.accept(draft("theary", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &Scope::All, first, domain::Reason::new("caller", "")).await.expect("noted");
    tx.save().await.expect("saved");
    live(&world, 3 * DAY).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::FirstOrderFailed)));
    assert_eq!(world.books("theary").calls_of("create"), 0);
    let again = try_to_monitor(&world, first, "daily", "2026-12-31").await;
    assert!(matches!(again, Err(MonitorError::NoResult)), "{again:?}");
}

#[tokio::test]
async fn pausing_and_deleting_stop_the_runs_and_enabling_starts_them_again() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    let taken = try_to_monitor(&world, first, "daily", "2026-12-31").await;
    assert!(matches!(taken, Err(MonitorError::Taken)), "{taken:?}");
    live(&world, Duration::from_hours(12)).await;
    let paused = change(&world, made.id, MonitorChanges { enabled: Some(false), frequency: None }).await;
    assert_eq!(
        (paused.status, paused.pause, paused.next_run_at),
        (MonitorStatus::Paused, Some(PauseReason::Caller), None)
    );
    live(&world, 3 * DAY).await;
    assert_eq!(runs(&world, made.id).await.len(), 1);
    let changes = MonitorChanges { enabled: Some(true), frequency: Some(frequency("P2D")) };
    let enabled = change(&world, made.id, changes).await;
    assert_eq!(enabled.next_run_at, Some(world.clock.now() + 2 * DAY));
    live(&world, 3 * DAY).await;
    assert_eq!(runs(&world, made.id).await.len(), 2);
    delete(&world, made.id).await;
    live(&world, 5 * DAY).await;
    assert_eq!(runs(&world, made.id).await.len(), 2);
    // The order may be monitored anew.
    monitor(&world, first, "daily", "2026-12-31").await;
}

#[tokio::test]
async fn what_ends_before_its_first_run_is_refused() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    for (every, end) in [("weekly", "2026-01-07"), ("yearly", "2026-12-31"), ("daily", "2025-12-31")] {
        let refused = try_to_monitor(&world, first, every, end).await;
        assert!(matches!(refused, Err(MonitorError::EndsTooSoon)), "{every}: {refused:?}");
    }
}
