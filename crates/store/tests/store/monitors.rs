use std::time::Duration;

use domain::{
    CheckId, Date, Frequency, Monitor, MonitorId, MonitorRun, MonitorStatus, Order, PauseReason, RunState, Timestamp,
    Told, VendorSide,
};
use store::{Due, MonitorFilter, OpenRun, Scope, StoreError};

use crate::support::{Bench, Standstill, account, at, bind, complete, tenant};

impl Bench {
    fn monitor(&self, order: &Order, made_at: Timestamp) -> Monitor {
        Monitor {
            id: MonitorId::generate(&Standstill(made_at), &*self.entropy),
            tenant: order.tenant.clone(),
            order_id: order.id,
            frequency: every("P1W"),
            end_date: "2027-01-01".parse::<Date>().unwrap(),
            status: MonitorStatus::Enabled,
            pause: None,
            anchor_at: made_at,
            next_run_at: Some(made_at + Duration::from_hours(7 * 24)),
            runs: 0,
            vendor: None,
            created_at: made_at,
            updated_at: made_at,
            deleted_at: None,
        }
    }

    async fn insert_monitor(&self, monitor: &Monitor, due_at: Option<Timestamp>) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let is_new = tx.monitors().insert(monitor, due_at).await.unwrap();
        tx.save().await.unwrap();
        is_new
    }

    async fn save_monitor(&self, monitor: &Monitor, due: Due) {
        let mut tx = self.store.begin().await.unwrap();
        tx.monitors().save(monitor, due).await.unwrap();
        tx.save().await.unwrap();
    }

    async fn monitor_of(&self, scope: &Scope, id: MonitorId) -> Option<Monitor> {
        self.store.begin().await.unwrap().monitors().get(scope, id).await.unwrap()
    }
}

fn every(text: &str) -> Frequency {
    text.parse().unwrap()
}

fn by_vendor(check_id: CheckId) -> VendorSide {
    VendorSide {
        account: account(),
        check_id,
        monitor_id: None,
        told: None,
        in_doubt_since: None,
        was_refused: false,
        failures: 0,
    }
}

fn run(monitor: &Monitor, number: u32, order: Option<&Order>) -> MonitorRun {
    MonitorRun {
        monitor_id: monitor.id,
        number,
        state: if order.is_some() { RunState::Open } else { RunState::Skipped },
        order_id: order.map(|order| order.id),
        due_at: at(10),
        ended_at: order.is_none().then(|| at(10)),
        changed: None,
    }
}

#[tokio::test]
async fn a_monitor_is_read_as_it_was_written() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let mut monitor = bench.monitor(&order, at(1));
    monitor.vendor = Some(by_vendor(order.checks[0].id));
    assert!(bench.insert_monitor(&monitor, None).await);
    let ours = Scope::Tenant(tenant("acme"));
    assert_eq!(bench.monitor_of(&ours, monitor.id).await.as_ref(), Some(&monitor));
    assert_eq!(bench.monitor_of(&Scope::Tenant(tenant("other")), monitor.id).await, None);

    monitor.pause(PauseReason::ConsentExpired);
    (monitor.frequency, monitor.runs, monitor.anchor_at, monitor.updated_at) = (every("P3M"), 2, at(5), at(6));
    let vendor = monitor.vendor.as_mut().unwrap();
    vendor.monitor_id = Some("CCK1".to_owned());
    vendor.told = Some(Told { frequency: every("P1D"), enabled: true });
    vendor.in_doubt_since = Some(at(7));
    (vendor.was_refused, vendor.failures) = (true, 3);
    bench.save_monitor(&monitor, Due::Never).await;
    assert_eq!(bench.monitor_of(&Scope::All, monitor.id).await.as_ref(), Some(&monitor));
    monitor.deleted_at = Some(at(8));
    bench.save_monitor(&monitor, Due::Never).await;
    assert_eq!(bench.monitor_of(&Scope::All, monitor.id).await, None);
    let peeked = bench.store.begin().await.unwrap().monitors().peek(monitor.id).await.unwrap();
    assert_eq!(peeked, Some(monitor));
}

#[tokio::test]
async fn an_order_has_one_monitor_at_a_time_and_the_vendors_are_held_once() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let mut first = bench.monitor(&order, at(1));
    first.vendor = Some(by_vendor(order.checks[0].id));
    assert!(bench.insert_monitor(&first, None).await);
    let mut second = bench.monitor(&order, at(2));
    assert!(!bench.insert_monitor(&second, None).await);
    first.vendor.as_mut().unwrap().monitor_id = Some("CCK1".to_owned());
    first.deleted_at = Some(at(3));
    bench.save_monitor(&first, Due::Never).await;
    second.vendor = Some(by_vendor(order.checks[0].id));
    assert!(bench.insert_monitor(&second, None).await);

    let mut tx = bench.store.begin().await.unwrap();
    let ids = ["CCK1".to_owned(), "CCK2".to_owned()];
    assert_eq!(tx.monitors().held(&account(), &ids, second.id).await.unwrap(), ["CCK1"]);
    assert_eq!(tx.monitors().held(&account(), &ids, first.id).await.unwrap(), Vec::<String>::new());
    assert_eq!(tx.monitors().repeated_since(order.checks[0].id).await.unwrap(), Some(at(1)));
    second.vendor.as_mut().unwrap().monitor_id = Some("CCK1".to_owned());
    assert!(matches!(tx.monitors().save(&second, Due::Never).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn what_is_due_is_taken_once_and_comes_back_with_the_end_of_the_lease() {
    let bench = Bench::new().await;
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let order = bench.order(at(number));
        bench.insert(&order).await;
        let mut monitor = bench.monitor(&order, at(number));
        if number == 2 {
            monitor.vendor = Some(by_vendor(order.checks[0].id));
            there.push(monitor.id);
        } else {
            here.push(monitor.id);
        }
        assert!(bench.insert_monitor(&monitor, Some(at(10 + number))).await);
    }
    let store = &bench.store;
    store.register_accounts(&[account()]).await.unwrap();
    let key = account();
    let claim = async |is_vendors: bool, now: Timestamp| {
        let account = is_vendors.then_some(&key);
        store.claim_monitors(account, 10, now, now + Duration::from_secs(30)).await.unwrap()
    };
    assert_eq!(claim(false, at(9)).await, []);
    assert_eq!(claim(false, at(10)).await, here[..1]);
    assert_eq!(claim(false, at(20)).await, here[1..], "the first is somebody's");
    assert_eq!(claim(true, at(20)).await, there);
    assert_eq!(claim(true, at(20)).await, []);
    assert_eq!(claim(false, at(40)).await, here[..1], "its lease is over");
    // The orders' checks are due as well; of what is later, a monitor of each kind comes up.
    assert_eq!(store.next_due(at(49)).await.unwrap(), Some(at(50)));

    let mut tx = store.begin().await.unwrap();
    let monitor = tx.monitors().lock(there[0]).await.unwrap().unwrap();
    tx.monitors().save(&monitor, Due::AsItIs).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(claim(true, at(49)).await, []);
    assert_eq!(claim(true, at(50)).await, there);
}

#[tokio::test]
async fn a_hook_brings_only_the_one_that_it_names_forward() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let mut monitor = bench.monitor(&order, at(0));
    monitor.vendor = Some(by_vendor(order.checks[0].id));
    assert!(bench.insert_monitor(&monitor, None).await);
    monitor.vendor.as_mut().unwrap().monitor_id = Some("CCK1".to_owned());
    bench.save_monitor(&monitor, Due::At(at(100))).await;
    let claim = async |now: Timestamp| bench.store.claim_monitors(Some(&account()), 1, now, at(500)).await.unwrap();
    let mut tx = bench.store.begin().await.unwrap();
    assert!(!tx.monitors().look_now(&account(), "CCK2", at(10)).await.unwrap());
    tx.monitors().look_at_check(order.checks[1].id, at(10)).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(claim(at(50)).await, []);
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.monitors().look_now(&account(), "CCK1", at(10)).await.unwrap());
    tx.save().await.unwrap();
    assert_eq!(claim(at(50)).await, [monitor.id]);
}

#[tokio::test]
async fn a_run_is_there_once_and_ends_once() {
    let bench = Bench::new().await;
    let (mut first, second) = (bench.order(at(0)), bench.order(at(5)));
    bench.insert(&first).await;
    bench.insert(&second).await;
    let monitor = bench.monitor(&first, at(1));
    assert!(bench.insert_monitor(&monitor, None).await);
    assert_eq!(bench.store.runs_to_end(10).await.unwrap(), [], "the first order is under way");

    let mut tx = bench.store.begin().await.unwrap();
    tx.monitors().insert_run(&run(&monitor, 1, Some(&second)), Some("CHK1")).await.unwrap();
    tx.monitors().insert_run(&run(&monitor, 2, None), None).await.unwrap();
    tx.save().await.unwrap();
    for (number, object) in [(1, Some("CHK2")), (3, Some("CHK1"))] {
        let mut tx = bench.store.begin().await.unwrap();
        let again = tx.monitors().insert_run(&run(&monitor, number, Some(&second)), object).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{number}");
    }
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.monitors().taken(monitor.id).await.unwrap(), ["CHK1"]);
    assert!(tx.monitors().has_open_run(monitor.id).await.unwrap());
    let page = tx.monitors().runs(monitor.id, 2, None).await.unwrap();
    assert_eq!(page.iter().map(|run| run.number).collect::<Vec<_>>(), [2, 1]);
    let rest = tx.monitors().runs(monitor.id, 2, Some(1)).await.unwrap();
    assert_eq!(rest.iter().map(|run| (run.number, run.order_id)).collect::<Vec<_>>(), [(0, Some(first.id))]);

    let mut plans = Vec::new();
    let submission = bench.submission_id();
    let mut events = bind(&mut first, submission, "ord_1", at(6));
    events.extend(complete(&mut first, "ord_1", at(7)));
    let other = first.checks[1].id;
    events.extend(first.tell(
        other,
        &domain::News::CancelRequested { why: domain::Reason::new("caller", ""), at: at(7) },
        at(7),
    ));
    plans.extend(first.checks.iter().map(|check| store::Plan { check_id: check.id, work: None }));
    tx.orders().save(&first, &plans, &events).await.unwrap();
    tx.save().await.unwrap();
    let ended = OpenRun { monitor_id: monitor.id, number: 0, order_id: first.id };
    assert_eq!(bench.store.runs_to_end(10).await.unwrap(), [ended]);
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.monitors().completed_before(monitor.id, 1).await.unwrap(), Some(first.id));
    assert_eq!(tx.monitors().completed_before(monitor.id, 0).await.unwrap(), None);
    assert!(tx.monitors().end_run(ended, Some(true), at(8)).await.unwrap());
    assert!(!tx.monitors().end_run(ended, Some(false), at(9)).await.unwrap());
    let zero = tx.monitors().runs(monitor.id, 1, Some(1)).await.unwrap().remove(0);
    assert_eq!((zero.state, zero.changed, zero.ended_at), (RunState::Ended, Some(true), Some(at(8))));
}

#[tokio::test]
async fn lists_are_of_one_tenant_and_go_by_their_filter() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for (number, name) in [(0, "acme"), (1, "acme"), (2, "other")] {
        let order = bench.order_of(name, at(number), 1);
        bench.insert(&order).await;
        let mut monitor = bench.monitor(&order, at(number));
        assert!(bench.insert_monitor(&monitor, None).await);
        if number == 1 {
            monitor.pause(PauseReason::Caller);
            bench.save_monitor(&monitor, Due::Never).await;
        }
        ids.push(monitor.id);
    }
    let list = async |scope: &Scope, filter: MonitorFilter, before| {
        let mut tx = bench.store.begin().await.unwrap();
        let page = tx.monitors().list(scope, &filter, 2, before).await.unwrap();
        page.into_iter().map(|monitor| monitor.id).collect::<Vec<_>>()
    };
    let ours = Scope::Tenant(tenant("acme"));
    assert_eq!(list(&ours, MonitorFilter::default(), None).await, [ids[1], ids[0]]);
    assert_eq!(list(&ours, MonitorFilter::default(), Some(ids[1])).await, [ids[0]]);
    assert_eq!(list(&Scope::All, MonitorFilter::default(), None).await, [ids[2], ids[1]]);
    let paused = MonitorFilter { status: Some(MonitorStatus::Paused), ..MonitorFilter::default() };
    assert_eq!(list(&ours, paused, None).await, [ids[1]]);
    let early = MonitorFilter { created_before: Some(at(1)), ..MonitorFilter::default() };
    assert_eq!(list(&ours, early, None).await, [ids[0]]);
}

#[tokio::test]
async fn taking_away_an_orders_subject_pauses_its_monitor() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let monitor = bench.monitor(&order, at(1));
    assert!(bench.insert_monitor(&monitor, Some(at(50))).await);
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.monitors().is_erased(&Scope::All, order.id).await.unwrap(), Some(false));
    assert_eq!(tx.monitors().is_erased(&Scope::Tenant(tenant("other")), order.id).await.unwrap(), None);
    assert_eq!(tx.monitors().pause_those_of(order.id, PauseReason::Erased, at(9)).await.unwrap(), 1);
    tx.save().await.unwrap();
    let paused = bench.monitor_of(&Scope::All, monitor.id).await.unwrap();
    assert_eq!(
        (paused.status, paused.pause, paused.next_run_at),
        (MonitorStatus::Paused, Some(PauseReason::Erased), None)
    );
}
