use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{
    Batch, BatchId, BatchStatus, CheckCounts, CheckStatus, Event, News, Order, OrderId, Reason, RejectedRow, RowFault,
    Timestamp,
};
use serde_json::json;
use store::{BatchFilter, Plan, Scope, Store, StoreError, Work};

use crate::support::{Bench, Standstill, at, bind, complete, tenant};

impl Bench {
    pub fn batch_id(&self, now: Timestamp) -> BatchId {
        BatchId::generate(&Standstill(now), &*self.entropy)
    }

    /// A committed batch of so many orders, with two checks each.
    pub async fn batch(&self, tenant: &str, now: Timestamp, orders: u32) -> (Batch, Vec<Order>) {
        let id = self.batch_id(now);
        let mut made: Vec<Order> = (0..orders).map(|_| self.order_of(tenant, now, 2)).collect();
        for order in &mut made {
            order.batch_id = Some(id);
        }
        made.sort_by_key(|order| order.id);
        let batch = batch(id, tenant, now, orders, 2 * orders);
        let mut tx = self.store.begin().await.unwrap();
        for chunk in made.chunks(500) {
            tx.orders().insert_many(chunk, now).await.unwrap();
        }
        tx.batches().insert(&batch, &[]).await.unwrap();
        tx.save().await.unwrap();
        (batch, made)
    }
}

pub fn batch(id: BatchId, of: &str, now: Timestamp, orders: u32, checks: u32) -> Batch {
    let mut counts = CheckCounts::default();
    counts.set(CheckStatus::Queued, checks);
    Batch {
        id,
        tenant: tenant(of),
        external_id: None,
        orders,
        rejected: 0,
        counts,
        cancel: None,
        created_at: now,
        completed_at: None,
    }
}

async fn get(store: &Store, id: BatchId) -> Batch {
    store.begin().await.unwrap().batches().get(&Scope::All, id).await.unwrap().expect("the batch")
}

/// Counted by hand, and with the batch's own counts in one look at the database.
async fn counted(bench: &Bench, id: BatchId) -> BTreeMap<String, i64> {
    let sql =
        "SELECT c.status, count(*) FROM orders o JOIN checks c ON c.order_id = o.id WHERE o.batch_id = $1 GROUP BY 1";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).bind(id.uuid()).fetch_all(&mut bench.raw().await).await.unwrap();
    rows.into_iter().collect()
}

fn of(counts: &CheckCounts) -> BTreeMap<String, i64> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(status, count)| (status.to_string(), count.into())).collect()
}

async fn events(bench: &Bench, id: BatchId) -> Vec<(String, i64, serde_json::Value)> {
    let sql = "SELECT type, version, data FROM events WHERE batch_id = $1 ORDER BY serial";
    sqlx::query_as(sql).bind(id.uuid()).fetch_all(&mut bench.raw().await).await.unwrap()
}

async fn fold_all(store: &Store, now: Timestamp) {
    while store.fold_batch_moves(now).await.unwrap() > 0 {}
}

/// Locks an order, changes it and saves it with a plan for each of its checks.
async fn change(store: &Store, id: OrderId, change: impl FnOnce(&mut Order) -> Vec<Event>) {
    let mut tx = store.begin().await.unwrap();
    let mut order = tx.orders().lock(id).await.unwrap().unwrap();
    let events = change(&mut order);
    let plans: Vec<_> = order.checks.iter().map(|check| Plan { check_id: check.id, work: None }).collect();
    tx.orders().save(&order, &plans, &events).await.unwrap();
    tx.save().await.unwrap();
}

fn cancel_all(order: &mut Order, now: Timestamp) -> Vec<Event> {
    let reason = Reason::new("canceled", "Enough.");
    let checks: Vec<_> = order.checks.iter().map(|check| check.id).collect();
    let news = News::CancelRequested { why: reason, at: now };
    checks.into_iter().flat_map(|check| order.tell(check, &news, now)).collect()
}

#[tokio::test]
async fn a_batch_comes_back_as_it_was_within_its_scope() {
    let bench = Bench::new().await;
    let mut made = batch(bench.batch_id(at(0)), "acme", at(5), 3, 4);
    made.external_id = Some("upload-7".into());
    made.rejected = 2;
    let fault = |pointer: &str, column: Option<&str>| RowFault {
        pointer: pointer.into(),
        column: column.map(str::to_owned),
        code: "required".into(),
        detail: "Give a first name.".into(),
    };
    let rejected = [
        RejectedRow { row: 4, faults: vec![fault("/subject/first_name", Some("subject.first_name")), fault("", None)] },
        RejectedRow { row: 9, faults: vec![] },
    ];
    let mut tx = bench.store.begin().await.unwrap();
    tx.batches().insert(&made, &rejected).await.unwrap();
    tx.save().await.unwrap();

    let mut tx = bench.store.begin().await.unwrap();
    let own = Scope::Tenant(tenant("acme"));
    let found = tx.batches().get(&own, made.id).await.unwrap().expect("the batch");
    assert_eq!(of(&found.counts), of(&made.counts));
    assert_eq!(Batch { counts: made.counts.clone(), ..found }, made);
    assert!(tx.batches().get(&Scope::Tenant(tenant("other")), made.id).await.unwrap().is_none());
    assert_eq!(tx.batches().rejected_rows(made.id, 9).await.unwrap(), rejected);
    assert_eq!(tx.batches().rejected_rows(made.id, 1).await.unwrap(), rejected[..1]);
    let told = events(&bench, made.id).await;
    assert_eq!(told, [("batch.created".into(), 1, json!({ "orders": 3, "checks": 4, "rejected": 2 }))]);
}

#[tokio::test]
async fn a_batch_that_is_not_saved_leaves_nothing() {
    let bench = Bench::new().await;
    let made = batch(bench.batch_id(at(0)), "acme", at(0), 1, 2);
    let mut order = bench.order(at(0));
    order.batch_id = Some(made.id);
    let rejected = [RejectedRow { row: 1, faults: vec![] }];
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert_many(&[order], at(0)).await.unwrap();
    tx.batches().insert(&made, &rejected).await.unwrap();
    assert!(tx.batches().get(&Scope::All, made.id).await.unwrap().is_some());
    drop(tx);
    for table in ["batches", "batch_counts", "batch_rejected_rows", "orders", "checks", "work", "events"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut bench.raw().await).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn a_new_batch_must_wait_to_be_sent() {
    let bench = Bench::new().await;
    let mut made = batch(bench.batch_id(at(0)), "acme", at(0), 1, 1);
    made.counts.set(CheckStatus::Completed, 1);
    let refused = bench.store.begin().await.unwrap().batches().insert(&made, &[]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

#[tokio::test]
async fn a_batch_without_checks_has_ended_at_once() {
    let bench = Bench::new().await;
    let made = batch(bench.batch_id(at(0)), "acme", at(0), 0, 0);
    let mut tx = bench.store.begin().await.unwrap();
    tx.batches().insert(&made, &[RejectedRow { row: 1, faults: vec![] }]).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(get(&bench.store, made.id).await.status(), BatchStatus::Completed);
    let kinds: Vec<_> = events(&bench, made.id).await.into_iter().map(|(kind, version, _)| (kind, version)).collect();
    assert_eq!(kinds, [("batch.created".into(), 1), ("batch.completed".into(), 2)]);
}

#[tokio::test]
async fn the_counts_follow_each_change_before_and_after_it_is_folded() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 2).await;
    let counts = async || of(&get(&bench.store, batch.id).await.counts);
    let expected =
        |pairs: &[(&str, i64)]| pairs.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect::<BTreeMap<_, _>>();
    assert_eq!(counts().await, expected(&[("queued", 4)]));
    let submission = bench.submission_id();
    change(&bench.store, orders[0].id, |order| bind(order, submission, "v", at(1))).await;
    assert_eq!(counts().await, expected(&[("in_progress", 1), ("queued", 3)]));
    let mut folder = bench.raw().await;
    let mut folder = sqlx::Connection::begin(&mut folder).await.unwrap();
    let hold = "SELECT 1 FROM sequencers WHERE name = 'batch_moves' FOR UPDATE";
    sqlx::query(hold).execute(&mut *folder).await.unwrap();
    assert_eq!(bench.store.fold_batch_moves(at(1)).await.unwrap(), 0, "somebody else folds");
    folder.rollback().await.unwrap();
    assert_eq!(bench.store.fold_batch_moves(at(1)).await.unwrap(), 1, "two steps in one transaction are one move");
    assert_eq!(counts().await, expected(&[("in_progress", 1), ("queued", 3)]));

    // What was told nothing moves nothing, and neither does what is not saved.
    change(&bench.store, orders[1].id, |_| Vec::new()).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(orders[1].id).await.unwrap().unwrap();
    let events = cancel_all(&mut order, at(2));
    let plans: Vec<_> = order.checks.iter().map(|check| Plan { check_id: check.id, work: None }).collect();
    tx.orders().save(&order, &plans, &events).await.unwrap();
    let within = tx.batches().get(&Scope::All, batch.id).await.unwrap().unwrap();
    assert_eq!(of(&within.counts), expected(&[("canceled", 2), ("in_progress", 1), ("queued", 1)]));
    tx.cancel().await.unwrap();
    assert_eq!(bench.store.fold_batch_moves(at(2)).await.unwrap(), 0);
    assert_eq!(counts().await, expected(&[("in_progress", 1), ("queued", 3)]));

    let single = bench.order(at(0));
    bench.insert(&single).await;
    change(&bench.store, single.id, |order| cancel_all(order, at(3))).await;
    assert_eq!(bench.store.fold_batch_moves(at(3)).await.unwrap(), 0, "an order of no batch is counted nowhere");
}

/// Every number that a reader may see is the truth of a moment: in one look, the counts equal what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_stay_exact_while_orders_change_and_folders_run() {
    const ORDERS: u32 = 24;
    const EXACT: &str = "
        SELECT coalesce(sum(abs(n)), 0)::bigint FROM (
            SELECT status, sum(n) AS n FROM (
                SELECT status, count AS n FROM batch_counts WHERE batch_id = $1
                UNION ALL SELECT was, -count FROM batch_moves WHERE batch_id = $1
                UNION ALL SELECT became, count FROM batch_moves WHERE batch_id = $1
                UNION ALL SELECT c.status, -1 FROM orders o JOIN checks c ON c.order_id = o.id WHERE o.batch_id = $1
            ) AS part GROUP BY status
        ) AS difference";
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), ORDERS).await;
    let (other, _) = bench.batch("other", at(0), 1).await;

    let running: Vec<_> = orders
        .chunks(6)
        .map(|orders| {
            let (store, submission) = (bench.store.clone(), bench.submission_id());
            let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
            tokio::spawn(async move {
                for (n, id) in ids.iter().enumerate() {
                    change(&store, *id, |order| bind(order, submission, &format!("v-{id}"), at(1))).await;
                    if n % 2 == 0 {
                        change(&store, *id, |order| complete(order, &format!("v-{id}"), at(2))).await;
                    }
                }
                for id in ids {
                    change(&store, id, |order| complete(order, &format!("v-{id}"), at(3))).await;
                    change(&store, id, |order| cancel_all(order, at(4))).await;
                }
            })
        })
        .collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let folders: Vec<_> = (0..2)
        .map(|_| {
            let (store, is_over) = (bench.store.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    store.fold_batch_moves(at(9)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut raw = bench.raw().await;
    while !running.iter().all(tokio::task::JoinHandle::is_finished) {
        let difference: i64 = sqlx::query_scalar(EXACT).bind(batch.id.uuid()).fetch_one(&mut raw).await.unwrap();
        assert_eq!(difference, 0);
        let seen = get(&bench.store, batch.id).await;
        assert_eq!(seen.counts.total(), 2 * ORDERS);
        // An end that is shown is the end.
        if seen.completed_at.is_some() {
            assert_eq!(seen.counts.ended(), 2 * ORDERS);
        }
    }
    for writer in running {
        writer.await.unwrap();
    }
    // Not aborted: one that ends in the middle of its work would hold the others off for a while yet.
    is_over.store(true, Ordering::Relaxed);
    for folder in folders {
        folder.await.unwrap();
    }
    fold_all(&bench.store, at(9)).await;
    let end = get(&bench.store, batch.id).await;
    assert_eq!(of(&end.counts), counted(&bench, batch.id).await);
    assert_eq!(
        of(&end.counts),
        BTreeMap::from([("canceled".into(), i64::from(ORDERS)), ("completed".into(), i64::from(ORDERS))])
    );
    assert_eq!(end.status(), BatchStatus::Completed);
    let told = events(&bench, batch.id).await;
    assert_eq!(told.iter().filter(|(kind, ..)| kind == "batch.completed").count(), 1, "told once: {told:?}");
    assert_eq!(get(&bench.store, other.id).await.status(), BatchStatus::InProgress);
}

#[tokio::test]
async fn the_end_is_told_once_with_its_counts() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 1).await;
    let submission = bench.submission_id();
    change(&bench.store, orders[0].id, |order| {
        let mut events = bind(order, submission, "v", at(1));
        events.extend(complete(order, "v", at(2)));
        events.extend(cancel_all(order, at(2)));
        events
    })
    .await;
    let open = get(&bench.store, batch.id).await;
    assert_eq!((open.status(), open.counts.ended()), (BatchStatus::InProgress, 2), "the folder was not there yet");

    // Two folders at once: one of them steps aside, and neither tells it twice.
    let (one, two) = (bench.store.clone(), bench.store.clone());
    let both = tokio::join!(one.fold_batch_moves(at(7)), two.fold_batch_moves(at(7)));
    fold_all(&bench.store, at(8)).await;
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 2);
    let end = get(&bench.store, batch.id).await;
    assert_eq!((end.status(), end.completed_at), (BatchStatus::Completed, Some(at(7))));
    let told = events(&bench, batch.id).await;
    let (kind, version, data) = &told[1];
    assert_eq!((told.len(), kind.as_str(), *version), (2, "batch.completed", 2));
    assert_eq!((&data["orders"], &data["checks"]), (&json!(1), &json!(2)));
    assert_eq!((&data["counts"]["completed"], &data["counts"]["canceled"]), (&json!(1), &json!(1)));
    assert_eq!(data["counts"]["queued"], json!(0));
    // The sequencer gives it a place like any other event, and the orders' own timelines are as before.
    while bench.store.assign_positions().await.unwrap() > 0 {}
    let mut tx = bench.store.begin().await.unwrap();
    let of_order = tx.orders().events(&Scope::All, orders[0].id, 99, None).await.unwrap();
    assert!(of_order.iter().all(|event| event.event.order_id == orders[0].id && event.position.is_some()));
}

#[tokio::test]
async fn a_cancel_is_wanted_once_and_known_by_its_reason() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 1).await;
    let (calm, _) = bench.batch("acme", at(0), 1).await;
    let (own, other) = (Scope::Tenant(tenant("acme")), Scope::Tenant(tenant("other")));
    let (first, second) = (Reason::new("typo", "Zyxwina's file was wrong"), Reason::new("again", "Twice."));
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.batches().request_cancel(&other, batch.id, &first, at(1)).await.unwrap().is_none());
    tx.batches().request_cancel(&own, batch.id, &first, at(2)).await.unwrap();
    let asked = tx.batches().request_cancel(&own, batch.id, &second, at(3)).await.unwrap().unwrap();
    let cancel = asked.cancel.clone().expect("a cancel");
    assert_eq!((cancel.requested_at, &cancel.reason), (at(2), &first));
    assert_eq!(asked.status(), BatchStatus::InProgress);
    let among = tx.batches().canceled_among(&[batch.id, calm.id]).await.unwrap();
    assert_eq!(among, BTreeMap::from([(batch.id, first.clone())]));
    tx.save().await.unwrap();

    change(&bench.store, orders[0].id, |order| cancel_all(order, at(4))).await;
    fold_all(&bench.store, at(5)).await;
    assert_eq!(get(&bench.store, batch.id).await.status(), BatchStatus::Canceled);
    assert_eq!(events(&bench, batch.id).await[1].0, "batch.canceled");
    let kept: Vec<u8> = sqlx::query_scalar("SELECT cancel_reason FROM batches WHERE id = $1")
        .bind(batch.id.uuid())
        .fetch_one(&mut bench.raw().await)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("Zyxwina"), "the caller's words lie open");
}

#[tokio::test]
async fn a_batch_that_has_ended_is_not_canceled() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 1).await;
    change(&bench.store, orders[0].id, |order| cancel_all(order, at(1))).await;
    fold_all(&bench.store, at(2)).await;
    let mut tx = bench.store.begin().await.unwrap();
    let late = tx.batches().request_cancel(&Scope::All, batch.id, &Reason::new("late", "Late."), at(3)).await.unwrap();
    assert_eq!(late.map(|batch| (batch.status(), batch.cancel)), Some((BatchStatus::Completed, None)));
    assert!(tx.batches().canceled_among(&[batch.id]).await.unwrap().is_empty());
    assert!(tx.batches().next_to_cancel(5).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_walkers_tell_each_order_of_a_cancel_once() {
    let bench = Bench::new().await;
    let (calm, _) = bench.batch("acme", at(0), 3).await;
    let mut expected = BTreeSet::new();
    for size in [23, 10] {
        let (batch, orders) = bench.batch("acme", at(1), size).await;
        expected.extend(orders.iter().map(|order| (batch.id, order.id)));
        let mut tx = bench.store.begin().await.unwrap();
        tx.batches().request_cancel(&Scope::All, batch.id, &Reason::new("stop", "Stop."), at(2)).await.unwrap();
        tx.save().await.unwrap();
    }
    // A walker that dies has told nobody.
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.batches().next_to_cancel(5).await.unwrap().expect("orders").2.len(), 5);
    drop(tx);

    let walker = |store: Store| async move {
        let mut told = Vec::new();
        let mut steps = 0;
        loop {
            let mut tx = store.begin().await.unwrap();
            let Some((batch, reason, orders)) = tx.batches().next_to_cancel(5).await.unwrap() else {
                // Another may hold the last one; whoever holds it goes on.
                return (told, steps);
            };
            assert!((1..=5).contains(&orders.len()), "{} orders", orders.len());
            assert_eq!(reason.code, "stop");
            tx.orders().lock_many(&orders).await.unwrap();
            tx.save().await.unwrap();
            told.extend(orders.into_iter().map(|order| (batch, order)));
            steps += 1;
        }
    };
    let walkers: Vec<_> = (0..2).map(|_| tokio::spawn(walker(bench.store.clone()))).collect();
    let mut told = Vec::new();
    for walker in walkers {
        told.extend(walker.await.unwrap().0);
    }
    let (rest, steps) = walker(bench.store.clone()).await;
    assert_eq!((rest.len(), steps), (0, 0), "the walk is over");
    assert_eq!(told.len(), expected.len());
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(get(&bench.store, calm.id).await.cancel.is_none());
}

#[tokio::test]
async fn batches_are_listed_newest_first_by_filter() {
    let bench = Bench::new().await;
    let mut made = Vec::new();
    for (n, of) in ["acme", "other", "acme", "acme"].into_iter().enumerate() {
        let now = at(7_200 * u64::try_from(n).unwrap());
        let mut batch = batch(bench.batch_id(now), of, now, 1, u32::from(n != 2));
        batch.external_id = Some(if n == 0 { "first" } else { "later" }.into());
        let mut tx = bench.store.begin().await.unwrap();
        tx.batches().insert(&batch, &[]).await.unwrap();
        tx.save().await.unwrap();
        made.push(batch);
    }
    let mut tx = bench.store.begin().await.unwrap();
    let mut listed = async |scope: Scope, filter: BatchFilter, limit, before| {
        let found = tx.batches().list(&scope, &filter, limit, before).await.unwrap();
        found.iter().map(|found| made.iter().position(|batch| batch.id == found.id).unwrap()).collect::<Vec<_>>()
    };
    let (own, any) = (|| Scope::Tenant(tenant("acme")), BatchFilter::default);
    assert_eq!(listed(Scope::All, any(), 9, None).await, [3, 2, 1, 0]);
    assert_eq!(listed(own(), any(), 9, None).await, [3, 2, 0]);
    assert_eq!(listed(own(), any(), 1, Some(made[3].id)).await, [2]);
    assert_eq!(listed(Scope::All, any(), 2, Some(made[2].id)).await, [1, 0]);
    let status = |status| BatchFilter { status: Some(status), ..any() };
    assert_eq!(listed(Scope::All, status(BatchStatus::InProgress), 9, None).await, [3, 1, 0]);
    assert_eq!(listed(own(), status(BatchStatus::Completed), 9, None).await, [2]);
    assert_eq!(listed(own(), status(BatchStatus::Canceled), 9, None).await, [] as [usize; 0]);
    assert_eq!(listed(own(), BatchFilter { external_id: Some("first".into()), ..any() }, 9, None).await, [0]);
    let since = BatchFilter { created_after: Some(at(7_200)), created_before: Some(at(21_600)), ..any() };
    assert_eq!(listed(Scope::All, since, 9, None).await, [2, 1], "from the first on, up to before the second");
}

#[tokio::test]
async fn a_change_that_is_saved_without_growing_moves_nothing() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 1).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(orders[0].id).await.unwrap().unwrap();
    cancel_all(&mut order, at(1));
    // As a worker would that saw nothing new: the row's own version.
    order.version = 1;
    let plan = Plan { check_id: order.checks[0].id, work: Some((Work::Follow, at(9))) };
    tx.orders().save(&order, &[plan], &[]).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(bench.store.fold_batch_moves(at(2)).await.unwrap(), 0);
    assert_eq!(of(&get(&bench.store, batch.id).await.counts), counted(&bench, batch.id).await);
}
