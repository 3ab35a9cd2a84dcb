use std::time::Duration;

use domain::{AuditId, Order};
use serde_json::json;
use store::{AuditEntry, Scope};

use crate::support::{Bench, Standstill, at, tenant};

/// The feed as a reader sees it: positions with the orders that they tell of.
async fn feed(bench: &Bench) -> Vec<(i64, uuid::Uuid)> {
    let sql = "SELECT position, order_id FROM events WHERE position IS NOT NULL ORDER BY position";
    sqlx::query_as(sql).fetch_all(&mut bench.raw().await).await.unwrap()
}

#[tokio::test]
async fn a_late_commit_gets_a_later_position() {
    let bench = Bench::new().await;
    let (early, late): (Order, Order) = (bench.order(at(1)), bench.order(at(0)));
    let mut first = bench.store.begin().await.unwrap();
    first.orders().insert(&late, at(0)).await.unwrap();
    let mut second = bench.store.begin().await.unwrap();
    second.orders().insert(&early, at(0)).await.unwrap();

    assert_eq!(bench.store.assign_positions().await.unwrap(), 0, "nothing is committed yet");
    second.save().await.unwrap();
    assert_eq!(bench.store.assign_positions().await.unwrap(), 1, "an open transaction does not hold others up");
    assert_eq!(feed(&bench).await, [(1, early.id.uuid())]);
    first.save().await.unwrap();
    assert_eq!(bench.store.assign_positions().await.unwrap(), 1);
    assert_eq!(feed(&bench).await, [(1, early.id.uuid()), (2, late.id.uuid())]);
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.orders().events(&Scope::All, late.id, 9, None).await.unwrap()[0].position, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_by_position_misses_nothing_under_load() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 25;
    let bench = Bench::new().await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let orders: Vec<_> = (0..EACH).map(|n| bench.order(at(writer * EACH + n))).collect();
            let store = bench.store.clone();
            tokio::spawn(async move {
                for pair in orders.chunks(2) {
                    // Two transactions at a time, committed in the reverse of their order.
                    let mut open = Vec::new();
                    for order in pair {
                        let mut tx = store.begin().await.unwrap();
                        tx.orders().insert(order, at(0)).await.unwrap();
                        open.push(tx);
                    }
                    for tx in open.into_iter().rev() {
                        tx.save().await.unwrap();
                    }
                }
            })
        })
        .collect();
    let placing: Vec<_> = (0..2)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                loop {
                    store.assign_positions().await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();

    // The reader takes what is there and goes on from the last position it saw.
    let expected = i64::try_from(WRITERS * EACH).unwrap();
    let reading = async {
        let mut raw = bench.raw().await;
        let sql = "SELECT position FROM events WHERE position > $1 ORDER BY position";
        let mut last = 0_i64;
        while last < expected {
            let page: Vec<i64> = sqlx::query_scalar(sql).bind(last).fetch_all(&mut raw).await.unwrap();
            for position in page {
                assert_eq!(position, last + 1, "a gap");
                last = position;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(2), reading).await.expect("everything gets a position");
    for writer in writers {
        writer.await.unwrap();
    }
    for task in placing {
        task.abort();
    }
    let feed = feed(&bench).await;
    assert_eq!(i64::try_from(feed.len()), Ok(expected));
    let distinct: std::collections::HashSet<_> = feed.iter().map(|(_, order)| order).collect();
    assert_eq!(distinct.len(), feed.len());
}

#[tokio::test]
async fn the_audit_log_is_a_chain() {
    let bench = Bench::new().await;
    let mut tx = bench.store.begin().await.unwrap();
    for n in 0..5 {
        let id = AuditId::generate(&Standstill(at(n)), &*bench.entropy);
        let entry = AuditEntry {
            at: at(n),
            tenant: (n != 2).then(|| tenant(if n < 2 { "acme" } else { "other" })),
            actor: "ops".into(),
            action: "order.revealed".into(),
            target: format!("ord_{n}"),
            data: json!({"z": 1, "a": {"y": [1, 2.5, null], "b": "é"}}),
        };
        tx.audit().append(id, &entry).await.unwrap();
    }
    tx.save().await.unwrap();
    assert_eq!(bench.store.assign_positions().await.unwrap(), 5);
    assert_eq!(bench.store.assign_positions().await.unwrap(), 0);

    let mut tx = bench.store.begin().await.unwrap();
    let log = tx.audit().list(&Scope::All, 10, None).await.unwrap();
    let mut before = vec![0; 32];
    for (position, stored) in (1..).zip(log.iter().rev()) {
        assert_eq!(stored.position, Some(position));
        let hash = store::audit::chain(&before, position, stored.id, &stored.entry);
        assert_eq!(stored.hash.as_ref(), Some(&hash));
        before = hash;
    }
    assert_eq!(tx.audit().list(&Scope::Tenant(tenant("acme")), 10, None).await.unwrap().len(), 2);
    let page = tx.audit().list(&Scope::All, 2, Some(log[1].id)).await.unwrap();
    assert_eq!(page, log[2..4]);
}
