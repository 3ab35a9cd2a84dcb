//! Monitors of a vendor's own: made once whatever becomes of the call, and each run taken in once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{
    CheckStatus, Clock as _, EventType, MonitorId, MonitorMethod, MonitorStatus, OrderId, Outcome, PauseReason,
    RunState, VendorRef,
};
use engine::{HookError, MonitorChanges};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::call::Unlimited;
use provider::{CallContext, HookRequest, Share, VendorMonitor};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use sha2::Sha256;
use sqlx::{Connection as _, Executor as _, PgConnection};
use store::{OrphanFilter, Scope};

use crate::monitors::{DAY, about, change, delete, live, monitor, order_of, runs, state, told_of, until};
use crate::world::{World, draft};

/// Clean, and with records from the second run on.
const TURNS: &str = "1032456789";

/// What the vendor has for the check of an order.
pub async fn at_vendor(world: &World, order: OrderId) -> Vec<VendorMonitor> {
    let vendor = vendors_check(world, order).await;
    let account = world.account("truora");
    let ctx = CallContext::new(Share::LookUp, Duration::from_secs(5), std::sync::Arc::new(Unlimited));
    account.provider.monitoring().expect("monitors").find(&ctx, &vendor).await.expect("a list")
}

async fn vendors_check(world: &World, order: OrderId) -> VendorRef {
    world.order(order).await.checks[0].state.binding().expect("bound").vendor.clone()
}

pub async fn vendor_id(world: &World, id: MonitorId) -> Option<String> {
    state(world, id).await.vendor.expect("the vendor's own").monitor_id
}

/// A hook as Truora signs it: a continuous check has changed.
fn changed_hook(world: &World, vendor_id: &str, event_id: &str, key: &str) -> HookRequest {
    let now = world.clock.now();
    let claims = json!({
        "iss": "Truora", "iat": now.get().unix_timestamp(),
        "events": [{
            "id": event_id, "event_type": "checks.continuous_check", "event_action": "changed", "version": "1.0",
            "timestamp": now, "object": { "continuous_check_id": vendor_id },
        }],
    });
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    HookRequest { headers: HeaderMap::new(), body: token.into(), received_at: now }
}

#[tokio::test]
async fn the_vendors_runs_become_orders_and_what_differs_is_told() {
    for behavior in [json!({}), json!({ "history_of_final_runs": true, "page_size": 1 })] {
        let world = World::new().await;
        world.vendor("truora").control().set_behavior(behavior).expect("switches");
        let first = world.accept(about(draft("truora", 0), TURNS)).await;
        let made = monitor(&world, first, "daily", "2026-01-04").await;
        assert_eq!((made.method(), made.next_run_at), (MonitorMethod::Vendor, None));
        live(&world, 6 * DAY).await;

        let runs = runs(&world, made.id).await;
        let seen: Vec<_> = runs.iter().map(|run| (run.number, run.state, run.changed)).collect();
        let ended = RunState::Ended;
        assert_eq!(seen, [(0, ended, None), (1, ended, Some(false)), (2, ended, Some(true)), (3, ended, Some(false))]);
        for run in &runs[1..] {
            let order = order_of(&world, run).await;
            let check = &order.checks[0];
            assert_eq!(
                (order.parent_order_id, check.status(), check.state.sends),
                (Some(first), CheckStatus::Completed, 0)
            );
            let told = told_of(&world, order.id).await;
            assert_eq!(told.len(), usize::from(run.changed == Some(true)));
            if let Some(told) = told.first() {
                assert_eq!(told["monitor_id"], json!(made.id));
                assert_eq!((&told["previous_outcome"], &told["outcome"]), (&json!("clear"), &json!("consider")));
            }
        }
        assert_eq!(order_of(&world, &runs[3]).await.outcome(), Some(Outcome::Consider));
        let books = world.books("truora");
        assert_eq!((books.calls_of("create"), books.calls_of("monitor"), books.objects.len()), (1, 1, 4));
        assert_eq!(state(&world, made.id).await.status, MonitorStatus::Ended);
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_monitor() {
    for (fault, calls) in [
        (FaultKind::DropAfter, 1),
        (FaultKind::StatusAfter, 1),
        (FaultKind::Halve, 1),
        (FaultKind::DropBefore, 2),
        (FaultKind::StatusBefore, 2),
    ] {
        let world = World::new().await;
        world.vendor("truora").control().arm(Fault::new("monitor", fault).status(503));
        let first = world.accept(draft("truora", 0)).await;
        let made = monitor(&world, first, "weekly", "2026-12-31").await;
        live(&world, Duration::from_hours(1)).await;
        assert_eq!(at_vendor(&world, first).await.len(), 1, "{fault:?}");
        assert_eq!(world.books("truora").calls_of("monitor"), calls, "{fault:?}");
        assert!(vendor_id(&world, made.id).await.is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn unknown_stays_unknown_until_the_list_could_be_read_and_its_window_is_over() {
    let world = World::new().await;
    let control = world.vendor("truora").control();
    control.arm(Fault::new("monitor", FaultKind::DropBefore));
    control.arm(Fault::new("monitors", FaultKind::StatusBefore).status(500).times(3));
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "weekly", "2026-12-31").await;
    let lost = async || state(&world, made.id).await.vendor.expect("the vendor's own").in_doubt_since;
    world.work_until(Duration::from_hours(1), "the call is lost", async || lost().await.is_some()).await;
    let since = lost().await.expect("in doubt");
    world.work_until(Duration::from_hours(2), "made", async || vendor_id(&world, made.id).await.is_some()).await;
    assert!(
        world.clock.now() >= since + Duration::from_mins(2),
        "not asked for again before the settle window was over"
    );
    assert_eq!(at_vendor(&world, first).await.len(), 1);
}

#[tokio::test]
async fn a_process_that_died_with_the_intent_leaves_a_doubt_that_settles() {
    let world = World::new().await;
    let first = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[first]).await;
    let made = monitor(&world, first, "weekly", "2026-12-31").await;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut monitor = tx.monitors().lock(made.id).await.expect("locked").expect("a monitor");
    let until = world.clock.now() + Duration::from_secs(10);
    monitor.vendor.as_mut().expect("the vendor's own").in_doubt_since = Some(until);
    tx.monitors().save(&monitor, store::Due::At(until)).await.expect("saved");
    tx.save().await.expect("saved");
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(at_vendor(&world, first).await.len(), 1);
    assert!(world.books("truora").calls_of("monitors") >= 2, "looked for before it was asked for again");
}

#[tokio::test]
async fn a_refusal_is_looked_into_and_then_told() {
    let world = World::new().await;
    world.vendor("truora").control().arm(Fault::new("monitor", FaultKind::StatusBefore).status(400));
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "weekly", "2026-12-31").await;
    live(&world, Duration::from_hours(1)).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::VendorRefused)));
    change(&world, made.id, MonitorChanges { enabled: Some(true), frequency: None }).await;
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(
        (state(&world, made.id).await.status, at_vendor(&world, first).await.len()),
        (MonitorStatus::Enabled, 1)
    );
}

#[tokio::test]
async fn a_hook_brings_the_look_forward_and_nothing_else() {
    let world = World::new().await;
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "monthly", "2026-12-31").await;
    live(&world, Duration::from_hours(1)).await;
    let (account, key) = (world.account("truora"), sandbox::truora::Config::default().hook_key);
    let id = vendor_id(&world, made.id).await.expect("made");
    let looks = async || world.engine.monitors(&account).await.expect("worked");
    assert_eq!(looks().await, 0, "nothing is due");

    let forged = changed_hook(&world, &id, "HKE1", "another key");
    let refused = world.engine.receive_hook(&account.key, forged).await;
    assert!(matches!(refused, Err(HookError::Refused(_))), "{refused:?}");
    let receive = async |id: &str, event: &str| {
        let hook = changed_hook(&world, id, event, &key);
        world.engine.receive_hook(&account.key, hook).await.expect("authentic");
        world.engine.read_inbox().await.expect("read");
    };
    receive("CCKof-somebody-else", "HKE2").await;
    assert_eq!(looks().await, 0, "nobody here has it");
    receive(&id, "HKE3").await;
    assert_eq!(looks().await, 1);
    receive(&id, "HKE3").await;
    assert_eq!(looks().await, 0, "the same news a second time");
    receive(&id, "HKE4").await;
    assert_eq!(looks().await, 1);
    assert_eq!(runs(&world, made.id).await.len(), 1);
}

#[tokio::test]
async fn runs_that_carry_our_reference_are_no_duplicates() {
    let world = World::new().await;
    world.vendor("truora").control().set_behavior(json!({ "runs_keep_custom_input": true })).expect("a switch");
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "daily", "2026-01-10").await;
    live(&world, 4 * DAY).await;
    assert_eq!(runs(&world, made.id).await.len(), 4);
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 10, None).await.expect("read");
    assert_eq!(orphans, []);
    let events = tx.orders().events(&Scope::All, first, 100, None).await.expect("read");
    let strange = events.iter().filter(|event| event.event.kind.as_str().starts_with("reconciliation.")).count();
    assert_eq!(strange, 0);
}

/// What is not done yet is not repeated.
#[tokio::test]
async fn a_second_object_from_before_the_first_had_ended_is_no_run() {
    let world = World::new().await;
    let slow = json!({ "runs_keep_custom_input": true, "run_ms": 1_200_000 });
    world.vendor("truora").control().set_behavior(slow).expect("switches");
    let account = world.account("truora");
    assert!(world.engine.sweep(&account).await.expect("swept"), "the first is due at once");
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "daily", "2026-01-10").await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    let check = world.order(first).await.checks.remove(0);
    let fields = json!({ "fields": { "custom_input": check.reference().to_string() } });
    let second = world.vendor("truora").control().make_strangers(1, &fields).remove(0);
    live(&world, 4 * DAY).await;
    assert_eq!(runs(&world, made.id).await.len(), 4);
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 10, None).await.expect("read");
    let found: Vec<_> = orphans.iter().map(|orphan| (orphan.vendor_order_id.as_str(), orphan.check_id)).collect();
    assert_eq!(found, [(second.as_str(), Some(check.id))]);
    let events = tx.orders().events(&Scope::All, first, 100, None).await.expect("read");
    let is_told = |event: &&store::StoredEvent| event.event.kind == EventType::ReconciliationOrphanFound;
    assert_eq!(events.iter().filter(is_told).count(), 1);
}

#[tokio::test]
async fn the_vendor_is_stopped_before_the_consent_ends() {
    let world = World::new().await;
    let end = world.clock.now() + 60 * Duration::from_hours(1);
    let first = world.accept(until(draft("truora", 0), end)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    live(&world, 6 * DAY).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::ConsentExpired)));
    assert_eq!(runs(&world, made.id).await.len(), 3, "on the second and the third of the month");
    assert_eq!(at_vendor(&world, first).await.iter().map(|one| one.enabled).collect::<Vec<_>>(), [false]);
    assert_eq!(world.books("truora").objects.len(), 3);
}

#[tokio::test]
async fn the_vendor_is_told_of_every_change_until_it_has_heard() {
    let world = World::new().await;
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "weekly", "2026-12-31").await;
    live(&world, DAY).await;
    let shown =
        async || at_vendor(&world, first).await.iter().map(|one| (one.frequency, one.enabled)).collect::<Vec<_>>();
    let (week, month) = (Some(crate::monitors::frequency("P1W")), crate::monitors::frequency("P1M"));
    assert_eq!(shown().await, [(week, true)]);

    world.vendor("truora").control().arm(Fault::new("monitor_update", FaultKind::DropBefore).times(2));
    change(&world, made.id, MonitorChanges { enabled: None, frequency: Some(month) }).await;
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(shown().await, [(Some(month), true)]);
    change(&world, made.id, MonitorChanges { enabled: Some(false), frequency: None }).await;
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(shown().await, [(Some(month), false)]);
    change(&world, made.id, MonitorChanges { enabled: Some(true), frequency: None }).await;
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(shown().await, [(Some(month), true)]);
    delete(&world, made.id).await;
    live(&world, Duration::from_hours(2)).await;
    assert_eq!(shown().await, [(Some(month), false)]);
    live(&world, 40 * DAY).await;
    assert_eq!((runs(&world, made.id).await.len(), world.books("truora").objects.len()), (1, 1));
}

#[tokio::test]
async fn one_that_is_switched_off_at_the_vendor_is_paused() {
    let world = World::new().await;
    let first = world.accept(draft("truora", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    live(&world, Duration::from_hours(1)).await;
    let (id, account) = (vendor_id(&world, made.id).await.expect("made"), world.account("truora"));
    let ctx = CallContext::new(Share::Create, Duration::from_secs(5), std::sync::Arc::new(Unlimited));
    let off = provider::MonitorChange { frequency: made.frequency, enabled: false };
    account.provider.monitoring().expect("monitors").update(&ctx, &id, off).await.expect("told");
    live(&world, 2 * DAY).await;
    let paused = state(&world, made.id).await;
    assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::VendorStopped)));
    assert_eq!(runs(&world, made.id).await.len(), 1);
}

#[tokio::test]
async fn types_of_the_accounts_own_are_ordered_again_by_the_gateway() {
    let world = World::new().await;
    let mut custom = draft("truora", 0);
    let spec = domain::input::BackgroundCheck {
        country: "CO".into(),
        custom_type: Some("driver_screening".into()),
        ..Default::default()
    };
    custom.checks[0].input =
        domain::CheckInput::new(domain::CheckSpec::BackgroundCheck(spec), serde_json::Map::new()).into();
    let first = world.accept(custom).await;
    let made = monitor(&world, first, "daily", "2026-01-02").await;
    assert_eq!(made.method(), MonitorMethod::Reorder);
    live(&world, 3 * DAY).await;
    assert_eq!(world.books("truora").calls_of("monitor"), 0);
    assert_eq!(world.books("truora").objects.len(), 2);
}

/// As an erasure leaves the order behind.
async fn erase(world: &World, order: OrderId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    tx.monitors().pause_those_of(order, PauseReason::Erased, world.clock.now()).await.expect("paused");
    tx.save().await.expect("saved");
    sql(world, format!("UPDATE orders SET data_key = NULL, input = NULL WHERE id = '{}'", order.uuid())).await;
}

pub async fn sql(world: &World, statement: String) {
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    raw.execute(sqlx::AssertSqlSafe(statement)).await.expect("done");
}

#[tokio::test]
async fn an_erased_subject_is_never_checked_again() {
    let world = World::new().await;
    for (vendor, number) in [("truora", 0), ("theary", 1)] {
        let first = world.accept(draft(vendor, number)).await;
        let made = monitor(&world, first, "daily", "2026-12-31").await;
        live(&world, Duration::from_hours(1)).await;
        erase(&world, first).await;
        // Somebody enables it without looking.
        change(&world, made.id, MonitorChanges { enabled: Some(true), frequency: None }).await;
        live(&world, 3 * DAY).await;
        let paused = state(&world, made.id).await;
        assert_eq!((paused.status, paused.pause), (MonitorStatus::Paused, Some(PauseReason::Erased)), "{vendor}");
        assert_eq!(runs(&world, made.id).await.iter().filter(|run| run.order_id.is_some()).count(), 1, "{vendor}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_for_now_pauses_nothing() {
    let world = World::new().await;
    let first = world.accept(draft("truework", 0)).await;
    let made = monitor(&world, first, "daily", "2026-12-31").await;
    live(&world, Duration::from_hours(12)).await;
    sql(&world, format!(r"UPDATE orders SET input = '\x00' || input WHERE id = '{}'", first.uuid())).await;
    world.clock.advance(DAY);
    world.engine.run_monitors().await.expect("worked");
    assert_eq!((state(&world, made.id).await.status, runs(&world, made.id).await.len()), (MonitorStatus::Enabled, 1));
    sql(&world, format!("UPDATE orders SET input = substring(input FROM 2) WHERE id = '{}'", first.uuid())).await;
    live(&world, Duration::from_hours(1)).await;
    assert_eq!(runs(&world, made.id).await.len(), 2);
}
