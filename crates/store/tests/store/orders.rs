use std::time::Duration;

use domain::{CheckId, EventType, OrderId, OrderStatus};
use store::{OrderFilter, Plan, Scope, StoreError, Work};
use uuid::Uuid;

use crate::support::{Bench, account, assert_same, at, bind, complete, tenant};

#[tokio::test]
async fn an_order_comes_back_as_it_was_written() {
    let bench = Bench::new().await;
    let mut order = bench.order_of("acme", at(0), 3);
    order.batch_id = Some(domain::BatchId::from_uuid(Uuid::from_u128(7)));
    order.parent_order_id = Some(OrderId::from_uuid(Uuid::from_u128(8)));
    bench.insert(&order).await;

    let mut tx = bench.store.begin().await.unwrap();
    let scope = Scope::Tenant(tenant("acme"));
    let back = tx.orders().get(&scope, order.id).await.unwrap().unwrap();
    assert_same(&order, &back);
    let back = tx.orders().of_check(&Scope::All, order.checks[1].id).await.unwrap().unwrap();
    assert_same(&order, &back);
    let events = tx.orders().events(&scope, order.id, 10, None).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, order.created());
    assert_eq!(events[0].position, None);
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let check = order.checks[0].id;

    let mut tx = bench.store.begin().await.unwrap();
    tx.payloads().put(check, order.id, b"answer", at(1)).await.unwrap();
    let document = provider::DocumentRef {
        locator: "l".into(),
        kind: "report".into(),
        media_type: "application/pdf".into(),
        filename: "f".into(),
    };
    tx.documents().put(check, order.id, &[document], at(1)).await.unwrap();
    let document = tx.documents().list(&Scope::All, order.id).await.unwrap()[0].id;
    let (own, other) = (Scope::Tenant(tenant("acme")), Scope::Tenant(tenant("other")));
    for (scope, sees) in [(own, true), (other, false), (Scope::All, true)] {
        assert_eq!(tx.orders().get(&scope, order.id).await.unwrap().is_some(), sees);
        assert_eq!(tx.orders().get_many(&scope, &[order.id]).await.unwrap().len(), usize::from(sees));
        assert_eq!(tx.orders().of_check(&scope, check).await.unwrap().is_some(), sees);
        assert_eq!(tx.orders().events(&scope, order.id, 9, None).await.unwrap().len(), usize::from(sees));
        assert_eq!(tx.orders().list(&scope, &OrderFilter::default(), 9, None).await.unwrap().len(), usize::from(sees));
        assert_eq!(tx.payloads().get(&scope, check).await.unwrap().is_some(), sees);
        assert_eq!(tx.documents().list(&scope, order.id).await.unwrap().len(), usize::from(sees));
        assert_eq!(tx.documents().get(&scope, document).await.unwrap().is_some(), sees);
    }
}

#[tokio::test]
async fn changes_are_written_with_their_events_and_the_work_that_follows() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let (first, second) = (order.checks[0].id, order.checks[1].id);

    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let mut events = bind(&mut order, bench.submission_id(), "ord_v1", at(5));
    events.extend(complete(&mut order, "ord_v1", at(6)));
    let plans = [Plan { check_id: first, work: None }, Plan { check_id: second, work: Some((Work::Follow, at(100))) }];
    tx.orders().save(&order, &plans, &events).await.unwrap();
    tx.save().await.unwrap();

    let mut tx = bench.store.begin().await.unwrap();
    let back = tx.orders().get(&Scope::All, order.id).await.unwrap().unwrap();
    assert_same(&order, &back);
    let kinds = |events: &[store::StoredEvent]| events.iter().map(|event| event.event.kind).collect::<Vec<_>>();
    let all = tx.orders().events(&Scope::All, order.id, 10, None).await.unwrap();
    assert_eq!(kinds(&all), [EventType::OrderCreated, EventType::CheckSubmitted, EventType::CheckCompleted]);
    let rest = tx.orders().events(&Scope::All, order.id, 1, Some(all[0].id)).await.unwrap();
    assert_eq!(kinds(&rest), [EventType::CheckSubmitted]);

    assert_eq!(bench.store.lanes(&account(), at(200)).await.unwrap(), [], "there is nothing to send");
    let follow = bench.store.claim_looks(&account(), 10, at(200), at(300)).await.unwrap();
    assert_eq!(follow.iter().map(|claim| claim.check_id).collect::<Vec<_>>(), [second]);
}

#[tokio::test]
async fn a_look_without_news_moves_only_the_work() {
    let bench = Bench::new().await;
    let order = bench.order_of("acme", at(0), 1);
    bench.insert(&order).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let plan = Plan { check_id: order.checks[0].id, work: Some((Work::Follow, at(50))) };
    // A change that forgot its version is not written.
    bind(&mut order, bench.submission_id(), "v", at(5));
    order.version = 1;
    tx.orders().save(&order, &[plan], &[]).await.unwrap();
    tx.save().await.unwrap();
    let mut tx = bench.store.begin().await.unwrap();
    let back = tx.orders().get(&Scope::All, order.id).await.unwrap().unwrap();
    assert_eq!(back.status(), OrderStatus::Queued);
    assert_eq!(bench.store.claim_looks(&account(), 1, at(50), at(60)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_older_version_or_a_foreign_plan_is_a_conflict() {
    let bench = Bench::new().await;
    let stale = bench.order(at(0));
    bench.insert(&stale).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut fresh = tx.orders().lock(stale.id).await.unwrap().unwrap();
    let events = bind(&mut fresh, bench.submission_id(), "v", at(5));
    tx.orders().save(&fresh, &[Plan { check_id: fresh.checks[0].id, work: None }], &events).await.unwrap();
    tx.save().await.unwrap();

    let conflict = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Conflict(_)));
    let mut tx = bench.store.begin().await.unwrap();
    assert!(conflict(tx.orders().save(&stale, &[], &[]).await));
    let foreign = Plan { check_id: CheckId::from_uuid(Uuid::nil()), work: None };
    assert!(conflict(tx.orders().save(&fresh, &[foreign], &[]).await));
    let unknown = bench.order(at(0));
    assert!(conflict(tx.orders().save(&unknown, &[], &[]).await));
    // The same version again is fine.
    tx.orders().save(&fresh, &[], &[]).await.unwrap();
}

#[tokio::test]
async fn what_is_not_saved_never_happened() {
    let bench = Bench::new().await;
    let (kept, canceled, dropped) = (bench.order(at(0)), bench.order(at(1)), bench.order(at(2)));
    bench.insert(&kept).await;
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert(&canceled, at(0)).await.unwrap();
    tx.cancel().await.unwrap();
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert(&dropped, at(0)).await.unwrap();
    drop(tx);
    let mut tx = bench.store.begin().await.unwrap();
    let all = tx.orders().list(&Scope::All, &OrderFilter::default(), 10, None).await.unwrap();
    assert_eq!(all.iter().map(|order| order.id).collect::<Vec<_>>(), [kept.id]);
}

#[tokio::test]
async fn orders_are_locked_once_each_by_ascending_id() {
    let bench = Bench::new().await;
    let orders: Vec<_> = (0..3).map(|n| bench.order(at(n))).collect();
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert_many(&orders, at(0)).await.unwrap();
    tx.save().await.unwrap();
    let missing = OrderId::from_uuid(Uuid::nil());
    let mut tx = bench.store.begin().await.unwrap();
    let wanted = [orders[2].id, missing, orders[0].id, orders[2].id];
    let locked = tx.orders().lock_many(&wanted).await.unwrap();
    assert_eq!(locked.iter().map(|order| order.id).collect::<Vec<_>>(), [orders[0].id, orders[2].id]);

    // Others wait for a locked order, and go on with what its holder made of it.
    let mut order = locked[0].clone();
    let events = bind(&mut order, bench.submission_id(), "v", at(5));
    let waiting = tokio::spawn({
        let (store, id) = (bench.store.clone(), order.id);
        async move { store.begin().await.unwrap().orders().lock(id).await.unwrap().unwrap() }
    });
    wait_for_a_waiter(&bench).await;
    tx.orders().save(&order, &[Plan { check_id: order.checks[0].id, work: None }], &events).await.unwrap();
    tx.save().await.unwrap();
    assert_same(&waiting.await.unwrap(), &order);
}

/// Until a statement waits for a lock in this database.
async fn wait_for_a_waiter(bench: &Bench) {
    let mut raw = bench.raw().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiter = async {
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut raw).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiter).await.expect("somebody waits");
}

#[tokio::test]
async fn payloads_and_documents_come_back() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let check = order.checks[0].id;
    let document = |locator: &str| provider::DocumentRef {
        locator: locator.into(),
        kind: "report".into(),
        media_type: "application/pdf".into(),
        filename: "Qvortrup.pdf".into(),
    };
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.payloads().get(&Scope::All, check).await.unwrap().is_none());
    tx.payloads().put(check, order.id, b"one", at(1)).await.unwrap();
    tx.payloads().put(check, order.id, b"two", at(2)).await.unwrap();
    let (payload, seen_at) = tx.payloads().get(&Scope::All, check).await.unwrap().unwrap();
    assert_eq!((payload.expose().as_ref(), seen_at), (b"two".as_slice(), at(2)));

    tx.documents().put(check, order.id, &[document("a"), document("b")], at(1)).await.unwrap();
    tx.documents().put(check, order.id, &[document("b"), document("c")], at(2)).await.unwrap();
    let all = tx.documents().list(&Scope::All, order.id).await.unwrap();
    let mut locators: Vec<_> = all.iter().map(|found| found.document.locator.as_str()).collect();
    locators.sort_unstable();
    assert_eq!(locators, ["a", "b", "c"]);
    let one = tx.documents().get(&Scope::All, all[0].id).await.unwrap().unwrap();
    assert_eq!((one.check_id, one.order_id, one.document), (check, order.id, all[0].document.clone()));
}

#[tokio::test]
async fn a_lost_key_is_told_without_data() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let rotated = bench.store_with_keys(&["b", "a"]).await;
    assert!(rotated.begin().await.unwrap().orders().get(&Scope::All, order.id).await.unwrap().is_some());
    let lost = bench.store_with_keys(&["b"]).await;
    let error = lost.begin().await.unwrap().orders().get(&Scope::All, order.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(text) if text.contains("encryption key that is not set")));
}

#[tokio::test]
async fn a_database_that_is_gone_is_an_outage() {
    let bench = Bench::new().await;
    bench.store.ping().await.unwrap();
    bench.store.close().await;
    assert!(bench.store.ping().await.unwrap_err().is_transient());
}

#[tokio::test]
async fn who_listens_is_woken() {
    let bench = Bench::new().await;
    let mut listener = bench.store.listen().await.unwrap();
    bench.store.wake().await.unwrap();
    let woken = tokio::time::timeout(Duration::from_mins(1), listener.recv()).await;
    woken.expect("in time").expect("no error");

    // A cut connection is made again, at the latest at the second call.
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let cut: i64 = sqlx::query_scalar(sql).fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(cut, 1);
    let again = async {
        while listener.recv().await.is_err() {}
        bench.store.wake().await.unwrap();
        listener.recv().await
    };
    tokio::time::timeout(Duration::from_mins(1), again).await.expect("in time").expect("no error");
}

#[tokio::test]
async fn connections_that_broke_while_idle_do_not_show() {
    let bench = Bench::new().await;
    // Several at once, then all of them idle.
    let (one, two) = (bench.store.begin().await.unwrap(), bench.store.begin().await.unwrap());
    one.cancel().await.unwrap();
    two.cancel().await.unwrap();
    let mut raw = bench.raw().await;
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let cut = format!("SELECT count(pg_terminate_backend(pid, 60000)) {others}");
    let cut: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(cut)).fetch_one(&mut raw).await.unwrap();
    assert!(cut >= 2);
    for _ in 0..3 {
        bench.store.begin().await.unwrap().cancel().await.unwrap();
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_left_out_of_many_and_an_error_alone() {
    let bench = Bench::new().await;
    let orders = [bench.order(at(0)), bench.order(at(1)), bench.order(at(2))];
    for order in &orders {
        bench.insert(order).await;
    }
    let bad = orders[1].id;
    let spoil = [
        "UPDATE orders SET input = '\\x00' || input WHERE id = $1",
        "UPDATE checks SET state = '\\x00' || state WHERE order_id = $1 AND position = 1",
        "UPDATE orders SET data_key = NULL WHERE id = $1",
    ];
    for statement in spoil {
        sqlx::query(statement).bind(bad.uuid()).execute(&mut bench.raw().await).await.unwrap();
        let mut tx = bench.store.begin().await.unwrap();
        let ids = orders.each_ref().map(|order| order.id);
        for many in [tx.orders().get_many(&Scope::All, &ids).await.unwrap(), tx.orders().lock_many(&ids).await.unwrap()]
        {
            assert_eq!(many.iter().map(|order| order.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
        }
        assert!(matches!(tx.orders().get(&Scope::All, bad).await, Err(StoreError::Corrupt(_))));
        assert!(matches!(tx.orders().lock(bad).await, Err(StoreError::Corrupt(_))));
        let page = tx.orders().list(&Scope::All, &OrderFilter::default(), 10, None).await;
        assert!(matches!(page, Err(StoreError::Corrupt(_))), "a page is never short of one");
    }
}
