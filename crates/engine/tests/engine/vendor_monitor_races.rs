//! Monitors of a vendor's own when something comes between two of a worker's steps: each is held up there.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, CheckStatus, Monitor, MonitorMethod, MonitorStatus, OrderId, PauseReason, ProviderId};
use engine::{Account, Engine, EngineSettings, MonitorChanges, OsEntropy, Providers};
use sandbox::{Fault, FaultKind};
use tracing::field::{Field, Visit};
use tracing::span;

use crate::held::{holding, release, until_somebody_waits};
use crate::monitors::{DAY, change, live, monitor, order_of, runs, state};
use crate::vendor_monitors::{at_vendor, sql, vendor_id};
use crate::world::{World, draft};

const ENABLE: MonitorChanges = MonitorChanges { enabled: Some(true), frequency: None };
const PAUSE: MonitorChanges = MonitorChanges { enabled: Some(false), frequency: None };

/// A monitor of an order that has ended, and whose end is noted.
async fn made(world: &World) -> (OrderId, Monitor) {
    let first = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[first]).await;
    let made = monitor(world, first, "daily", "2026-12-31").await;
    world.engine.run_monitors().await.expect("worked");
    (first, made)
}

/// The account's worker tends its monitors.
fn tending(world: &World) -> tokio::task::JoinHandle<usize> {
    let (engine, account) = (world.engine.clone(), world.account("truora"));
    tokio::spawn(async move { engine.monitors(&account).await.expect("worked") })
}

#[tokio::test]
async fn one_that_is_enabled_while_it_is_laid_to_rest_does_not_sleep() {
    let world = World::new().await;
    let (first, made) = made(&world).await;
    change(&world, made.id, PAUSE).await;
    // The worker has read that it is paused.
    let mut held = holding(&world, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE".to_owned()).await;
    let worker = tending(&world);
    until_somebody_waits(&world, &mut held).await;
    change(&world, made.id, ENABLE).await;
    release(held).await;
    assert_eq!(worker.await.expect("ended"), 1);
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(at_vendor(&world, first).await.len(), 1);
}

#[tokio::test]
async fn a_machine_that_slept_through_its_lease_does_not_make_the_create_call() {
    let world = World::new().await;
    let (first, made) = made(&world).await;
    let mut orders = holding(&world, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE".to_owned()).await;
    let worker = tending(&world);
    until_somebody_waits(&world, &mut orders).await;
    let row = format!("SELECT FROM monitors WHERE id = '{}' FOR UPDATE", made.id.uuid());
    let mut monitor = holding(&world, row).await;
    release(orders).await;
    // The worker's lease has begun.
    until_somebody_waits(&world, &mut monitor).await;
    world.clock.advance(Duration::from_hours(1));
    release(monitor).await;
    assert_eq!(worker.await.expect("ended"), 1);
    assert_eq!(world.books("truora").calls_of("monitor"), 0);
    live(&world, Duration::from_hours(1)).await;
    assert_eq!((world.books("truora").calls_of("monitor"), at_vendor(&world, first).await.len()), (1, 1));
}

#[tokio::test]
async fn one_that_the_vendor_does_not_know_for_a_moment_is_found_again() {
    for enabled in [false, true] {
        let world = World::new().await;
        world.vendor("truora").control().arm(Fault::new("monitor_get", FaultKind::StatusBefore).status(404));
        let (first, made) = made(&world).await;
        let gone = async || state(&world, made.id).await.pause == Some(PauseReason::VendorStopped);
        world.work_until(Duration::from_hours(1), "the vendor has it no more", gone).await;
        if enabled {
            change(&world, made.id, ENABLE).await;
        }
        live(&world, Duration::from_hours(1)).await;
        let at_vendor = at_vendor(&world, first).await;
        assert_eq!(at_vendor.iter().map(|one| one.enabled).collect::<Vec<_>>(), [enabled]);
        assert_eq!(vendor_id(&world, made.id).await.as_ref(), Some(&at_vendor[0].id));
        assert_eq!(world.books("truora").calls_of("monitor"), 1);
    }
}

/// Has the gateway know another account of Truora.
async fn add_account(world: &mut World) -> AccountKey {
    let key = AccountKey { account: "second".into(), ..AccountKey::default_of(ProviderId::new("truora")) };
    let mut providers = Providers::builder().account(Account { key: key.clone(), ..world.account("truora") });
    for account in world.engine.providers().accounts() {
        providers = providers.account(account.clone());
    }
    let store = world.engine.store().clone();
    store.register_accounts(std::slice::from_ref(&key)).await.expect("registered");
    let clock = Arc::new(world.clock.clone());
    world.engine = Engine::new(store, providers.build(), clock, Arc::new(OsEntropy), EngineSettings::default());
    key
}

/// Moves an order's check to another account, as a waterfall does.
async fn turn_to(world: &World, order: OrderId, account: &AccountKey) {
    let id = order.uuid();
    sql(world, format!("UPDATE checks SET account = '{account}' WHERE order_id = '{id}'")).await;
    let of_check = format!("check_id IN (SELECT id FROM checks WHERE order_id = '{id}')");
    sql(world, format!("UPDATE work SET account = '{account}' WHERE {of_check}")).await;
}

#[tokio::test]
async fn a_check_that_went_on_to_another_account_is_ordered_again_there() {
    let mut world = World::new().await;
    let second = add_account(&mut world).await;
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "daily", "2026-01-03").await;
    assert_eq!(made.method(), MonitorMethod::Vendor);
    turn_to(&world, first, &second).await;
    live(&world, 4 * DAY).await;
    assert_eq!(world.books("truora").calls_of("monitor"), 0, "no account repeats what is another's");
    assert_eq!(state(&world, made.id).await.method(), MonitorMethod::Reorder);
    let runs = runs(&world, made.id).await;
    assert_eq!(runs.len(), 3);
    for run in &runs {
        let check = order_of(&world, run).await.checks.remove(0);
        assert_eq!((&check.account, check.status(), check.state.sends), (&second, CheckStatus::Completed, 1));
    }
}

#[tokio::test]
async fn what_the_account_repeats_already_is_stopped_when_the_check_goes_on_to_another() {
    let mut world = World::new().await;
    let second = add_account(&mut world).await;
    let (first, made) = made(&world).await;
    live(&world, Duration::from_hours(1)).await;
    let [there] = at_vendor(&world, first).await.try_into().expect("one");
    assert!(there.enabled);
    turn_to(&world, first, &second).await;
    live(&world, 3 * DAY).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::CannotBeOrdered)));
    assert!(!at_vendor(&world, first).await[0].enabled);
    assert_eq!(runs(&world, made.id).await.len(), 1, "no run is bound at an account that does not have it");
}

thread_local! {
    /// How many queries read something, of those that were made on this thread.
    static READS: Cell<usize> = const { Cell::new(0) };
}

/// Counts queries. Of the whole process: what a scoped one hears depends on what other threads heard before it.
struct Queries;

impl Visit for Queries {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "summary" && format!("{value:?}").contains("SELECT") {
            READS.set(READS.get() + 1);
        }
    }
}

impl tracing::Subscriber for Queries {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Self);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_look_asks_as_much_of_the_database_however_many_runs_there_were() {
    tracing::subscriber::set_global_default(Queries).expect("the only one of this process");
    let world = World::new().await;
    let (_, made) = made(&world).await;
    let account = world.account("truora");
    let mut asked = Vec::new();
    for days in [3, 6] {
        live(&world, days * DAY).await;
        let id = made.id.uuid();
        sql(&world, format!("UPDATE monitors SET due_at = '2026-01-01' WHERE id = '{id}'")).await;
        READS.set(0);
        assert_eq!(world.engine.monitors(&account).await.expect("worked"), 1);
        let reads = READS.get();
        asked.push((runs(&world, made.id).await.len(), reads));
    }
    let [(few, of_few), (many, of_many)] = asked[..] else { panic!("two looks") };
    assert!(few < many && of_few > 0, "{few} and {many} runs");
    assert_eq!(of_few, of_many);
}
