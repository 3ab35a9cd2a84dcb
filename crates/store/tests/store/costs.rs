//! What is read often must cost the same however much lies behind it: with 60,000 orders in the tables, no hot query may
//! scan a large table, and none may touch more rows than a few for each row that it gives.
//!
//! Asked of Postgres itself, by its counters for each connection's work, over the real calls of the store and over
//! enough repetitions for the server to change from custom to generic plans.

use std::time::Duration;

use domain::{
    BatchId, BatchStatus, CheckStatus, CheckType, IdentifierType, Order, OrderStatus, Outcome, ProviderId, Reason,
};
use sqlx::{Executor as _, PgConnection};
use store::{BatchFilter, IdentifierFilter, Lane, OrderFilter, OrphanFilter, OrphanKind, Scope, Store, Work};
use uuid::Uuid;

use crate::support::{Bench, account, at, tenant};

/// Enough for a prepared statement to be planned generically, where the server deems that better.
const REPETITIONS: u32 = 8;
const LIMIT: u32 = 20;

/// Orders without readable content, between the real ones in time; all completed, all alike.
const FILLING: &str = r"
    INSERT INTO orders (id, tenant, external_id, status, outcome, version, metadata, data_key, data_key_id, input,
                        created_at, updated_at, completed_at)
    SELECT id, CASE WHEN n % 3 = 0 THEN 'other' ELSE 'acme' END, 'EXT-' || n, 'completed', 'clear', 4, '{}', '\x00', 'a',
           decode(repeat('00', 600), 'hex'), at, at, at
    FROM (SELECT n, make_id(n) AS id, timestamptz '2026-03-01 10:00:00+00' + n * interval '1 s' AS at
          FROM generate_series(1000, 61000) AS n) AS f;
    INSERT INTO checks (id, order_id, tenant, position, type, account, attempt, status, outcome, vendor_order_id, input,
                        state, created_at, updated_at, submitted_at, ended_at)
    SELECT id, id, tenant, 0, 'employment_verification', 'theary/default', 1, 'completed', 'clear', 'v-' || external_id,
           decode(repeat('00', 300), 'hex'), decode(repeat('00', 400), 'hex'), created_at, created_at, created_at,
           created_at
    FROM orders WHERE data_key = '\x00';
    INSERT INTO events (id, tenant, order_id, type, version, at, data, position)
    SELECT gen_random_uuid(), tenant, id, 'order.completed', 4, created_at, '{}', row_number() OVER (ORDER BY id)
    FROM orders WHERE data_key = '\x00';
    UPDATE sequencers SET last_position = 60001 WHERE name = 'events';
    UPDATE orders SET outcome = 'consider' WHERE external_id = 'RARE';
    -- Everybody has the same unit, nobody the same name.
    INSERT INTO search_terms SELECT $unit$, id FROM orders WHERE data_key = '\x00' AND tenant = 'acme';
    INSERT INTO search_terms SELECT decode(md5(id::text), 'hex'), id FROM orders WHERE data_key = '\x00';
    -- Polls that are due in the far future.
    INSERT INTO work SELECT id, order_id, tenant, account, 'follow', timestamptz '2027-01-01 00:00:00+00' FROM checks
        WHERE vendor_order_id IS NOT NULL;
    INSERT INTO submissions (id, tenant, account, state, started_at, lease_until, ended_at)
    SELECT id, tenant, 'theary/default', 'accepted', created_at, created_at, created_at FROM orders;
    INSERT INTO submission_checks SELECT id, 0, id, id, 1 FROM submissions;
    INSERT INTO inbox (id, account, state, due_at, received_at, headers, body)
    SELECT id, 'theary/default', 'done', created_at, created_at, '\x00', '\x00' FROM orders;
    -- Ten thousand batches that have ended, and one of fifty thousand orders; half of its checks wait to be sent.
    INSERT INTO batches (id, tenant, external_id, status, orders, rejected, created_at, completed_at)
    SELECT make_id(6 * n), CASE WHEN n % 3 = 0 THEN 'other' ELSE 'acme' END, 'EXT-' || n, 'completed', 1, 0, at, at
    FROM (SELECT n, timestamptz '2026-03-01 10:00:00+00' + 6 * n * interval '1 s' AS at
          FROM generate_series(200, 10200) AS n) AS f;
    INSERT INTO batches (id, tenant, status, orders, rejected, created_at)
    SELECT make_id(30), 'acme', 'in_progress', 50000, 0, timestamptz '2026-03-01 10:00:30+00';
    INSERT INTO batch_counts SELECT b.id, s, CASE WHEN s = b.status THEN 1 ELSE 0 END
    FROM batches b CROSS JOIN unnest('{queued,submitting,unconfirmed,in_progress,action_required,needs_review,
                                       completed,canceled,failed}'::text[]) AS s;
    UPDATE orders SET batch_id = make_id(30) WHERE data_key = '\x00' AND external_id < 'EXT-6';
    INSERT INTO work (check_id, order_id, tenant, account, kind, due_at, lane)
    SELECT gen_random_uuid(), id, tenant, 'theary/default', 'send', timestamptz '2026-03-01 10:00:00+00', batch_id
    FROM orders WHERE batch_id = make_id(30);
    -- Fifty thousand objects of others, five thousand duplicates that are canceled, all older than anything else.
    INSERT INTO vendor_objects (account, vendor_order_id, standing, seen_at, id, check_id, attempt, cancel, cancel_actor,
                                cancel_due_at)
    SELECT 'theary/default', 'object-' || n,
           CASE n % 12 WHEN 0 THEN 'dismissed' WHEN 1 THEN 'duplicate' ELSE 'orphan' END, at,
           CASE WHEN n % 12 > 0 THEN make_id(n) END, CASE WHEN n % 12 = 1 THEN make_id(n) END,
           CASE WHEN n % 12 = 1 THEN 1 END, CASE WHEN n % 12 = 1 THEN 'canceled' END,
           CASE WHEN n % 12 = 1 THEN 'ops' END, CASE WHEN n % 12 = 1 THEN at END
    FROM (SELECT n, timestamptz '2026-02-01 10:00:00+00' AS at FROM generate_series(1000, 61000) AS n) AS f;
    ANALYZE;
";

const MOVES: &str = r"
    UPDATE batch_counts SET count = 50000 WHERE batch_id = make_id(30) AND status = 'in_progress';
    INSERT INTO batch_moves (batch_id, was, became, count)
    SELECT CASE n % 2 WHEN 0 THEN make_id(30) ELSE make_id(6 * (200 + n % 100)) END,
           CASE n % 2 WHEN 0 THEN 'in_progress' ELSE 'completed' END, 'completed', 1
    FROM generate_series(1, 40000) AS n;
";

const OVERDUE: &str = r"
    UPDATE work SET kind = 'follow', due_at = due_at - interval '1 day'
    WHERE lane = make_id(30) AND right(check_id::text, 1) < '8';
    UPDATE work SET kind = 'follow' WHERE check_id IN (
        SELECT check_id FROM work
        WHERE kind = 'send' AND account = 'theary/default' AND lane = '00000000-0000-0000-0000-000000000000' LIMIT 10);
";

const MAKE_ID: &str = "CREATE FUNCTION make_id(n integer) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM timestamptz '2026-03-01 10:00:00+00') * 1000)::bigint + n * 1000), 12, '0')
            || '7000a000' || lpad(to_hex(n), 12, '0'))::uuid $$";

const LARGE: &[&str] = &[
    "orders",
    "checks",
    "events",
    "search_terms",
    "work",
    "submissions",
    "submission_checks",
    "inbox",
    "batches",
    "batch_counts",
    "vendor_objects",
];

/// Real orders at both ends of time: what is common is found among the newest, what is rare among the oldest.
async fn fill(bench: &Bench) -> (Order, Order) {
    let mut old: Vec<Order> = (0..30).map(|n| bench.order_of("acme", at(n), 1)).collect();
    for order in &mut old {
        order.external_id = Some("RARE".into());
        order.batch_id = Some(BatchId::from_uuid(Uuid::from_u128(1)));
        order.metadata.insert("unit".into(), "south".into());
        order.checks[0].account.provider = ProviderId::new("truora");
        order.checks[0].kind = CheckType::BackgroundCheck;
    }
    let new: Vec<Order> = (0..60).map(|n| bench.order_of("acme", at(70_000 + n), 1)).collect();
    let mut tx = bench.store.begin().await.unwrap();
    for orders in [&old, &new] {
        tx.orders().insert_many(orders, at(70_000)).await.unwrap();
    }
    tx.save().await.unwrap();
    bench.store.register_accounts(&[account()]).await.unwrap();

    let mut raw = bench.raw().await;
    raw.execute(MAKE_ID).await.unwrap();
    // The term of the metadata that all share, as the store wrote it.
    let unit: String = sqlx::query_scalar(
        "SELECT quote_literal(term) FROM search_terms GROUP BY term HAVING count(*) = 60 ORDER BY term LIMIT 1",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    raw.execute(sqlx::AssertSqlSafe(FILLING.replace("$unit$", &format!("{unit}::bytea")))).await.unwrap();
    (old.remove(0), new.into_iter().next().expect("60 orders"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    scans_of_large_tables: i64,
    rows_read: i64,
}

/// What the database counted since it was made.
async fn counters(raw: &mut PgConnection) -> Counters {
    let sql = "SELECT coalesce(sum(seq_scan), 0)::bigint,
                      (SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes WHERE relname = ANY($1))
               FROM pg_stat_user_tables WHERE relname = ANY($1)";
    let (scans_of_large_tables, rows_read) = sqlx::query_as(sql).bind(LARGE).fetch_one(raw).await.unwrap();
    Counters { scans_of_large_tables, rows_read }
}

/// Waits until every other connection is gone, and with it what it had counted has been handed in.
async fn settled(raw: &mut PgConnection) -> Counters {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let settled = async {
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *raw).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
        // A server of version 14 collects its counters with some delay: until two looks agree.
        let mut last = counters(raw).await;
        loop {
            let _: Option<i32> =
                sqlx::query_scalar("SELECT 1 FROM pg_sleep(0.02)").fetch_optional(&mut *raw).await.unwrap();
            let now = counters(raw).await;
            if now == last {
                return now;
            }
            last = now;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), settled).await.expect("connections end")
}

/// Runs a call over and over on connections of its own and holds its cost against the allowance.
async fn costs<F: Future<Output = ()>>(bench: &Bench, name: &str, rows_allowed: i64, call: impl Fn(Store) -> F) {
    let mut raw = bench.raw().await;
    let before = settled(&mut raw).await;
    let store = bench.store_with_keys(&["a"]).await;
    for _ in 0..REPETITIONS {
        call(store.clone()).await;
    }
    store.close().await;
    let after = settled(&mut raw).await;
    let scans = after.scans_of_large_tables - before.scans_of_large_tables;
    let rows = (after.rows_read - before.rows_read) / i64::from(REPETITIONS);
    assert_eq!(scans, 0, "{name} scans a large table");
    assert!(rows <= rows_allowed, "{name} reads {rows} rows, {rows_allowed} are allowed");
}

#[tokio::test]
async fn hot_queries_cost_the_same_however_much_lies_behind_them() {
    let bench = Bench::new().await;
    let (old, new) = fill(&bench).await;
    bench.store.close().await;

    costs(&bench, "get", 40, async |store: Store| {
        let order = store.begin().await.unwrap().orders().get(&Scope::Tenant(tenant("acme")), old.id).await.unwrap();
        assert!(order.is_some());
    })
    .await;
    costs(&bench, "save", 120, async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        let mut order = tx.orders().lock(new.id).await.unwrap().unwrap();
        order.version += 1;
        let plan = store::Plan { check_id: order.checks[0].id, work: Some((Work::Follow, at(90_000))) };
        tx.orders().save(&order, &[plan], &[order.created()]).await.unwrap();
        tx.cancel().await.unwrap();
    })
    .await;
    costs(&bench, "save of a batch's order", 120, async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        let mut order = tx.orders().lock(old.id).await.unwrap().unwrap();
        order.version += 1;
        let plan = store::Plan { check_id: order.checks[0].id, work: Some((Work::Follow, at(90_000))) };
        tx.orders().save(&order, &[plan], &[order.created()]).await.unwrap();
        tx.cancel().await.unwrap();
    })
    .await;
    costs(&bench, "claims of single orders", 200, async |store: Store| {
        let claims = store.claim_lanes(&account(), &[(Lane(None), 20)], at(80_000), at(80_000)).await.unwrap();
        assert_eq!(claims.len(), 20);
        assert!(store.claim_looks(&account(), 20, at(80_000), at(80_001)).await.unwrap().is_empty());
    })
    .await;
    costs(&bench, "next_due", 20, async |store: Store| {
        assert!(store.next_due(at(80_000)).await.unwrap().is_some());
    })
    .await;
    costs(&bench, "claim_dead", 20, async |store: Store| {
        assert!(store.claim_dead(at(80_000), 10).await.unwrap().is_empty());
    })
    .await;
    costs(&bench, "claim_inbox", 20, async |store: Store| {
        assert!(store.claim_inbox(at(80_000), at(80_001), 10).await.unwrap().is_empty());
        assert!(store.begin().await.unwrap().inbox().is_clear(&account()).await.unwrap());
    })
    .await;
    costs(&bench, "events", 40, async |store: Store| {
        store.begin().await.unwrap().orders().events(&Scope::All, old.id, 50, None).await.unwrap();
    })
    .await;
    // What is in an open case is read as well, with what went out beside it.
    costs(&bench, "holders", 40, async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.vendor_objects().holders(&account(), "v-EXT-1500").await.unwrap().len(), 1);
        // The newest 100 of the filling.
        assert_eq!(tx.vendor_objects().settled(&account(), at(60_991)).await.unwrap().len(), 10);
    })
    .await;
    costs(&bench, "assign_positions", 2_000, async |store: Store| {
        store.assign_positions().await.unwrap();
    })
    .await;

    batches_cost_the_same(&bench, &old).await;
    orphans_cost_the_same(&bench).await;

    for (name, filter, of_old) in filters(&old) {
        for scope in [Scope::Tenant(tenant("acme")), Scope::All] {
            let newest = if of_old { at(29) } else { at(70_059) };
            costs(&bench, &format!("list by {name} for {scope:?}"), 25 * i64::from(LIMIT), async |store: Store| {
                let mut tx = store.begin().await.unwrap();
                let page = tx.orders().list(&scope, &filter, LIMIT, None).await.unwrap();
                assert_eq!(page.len(), LIMIT as usize, "{name}");
                assert_eq!(page[0].created_at, newest, "{name}");
            })
            .await;
        }
    }
}

/// The batch of fifty thousand orders, half of which wait to be sent.
fn large_batch() -> BatchId {
    // make_id(30)
    let millis = at(30).unix_millis();
    BatchId::from_uuid(Uuid::from_u128(u128::from(millis) << 80 | 0x7000_a000_0000_0000_001e))
}

async fn batches_cost_the_same(bench: &Bench, old: &Order) {
    let large = Lane(Some(large_batch()));
    let small = Lane(old.batch_id);
    costs(bench, "lanes", 40, async |store: Store| {
        assert_eq!(store.lanes(&account(), at(80_000)).await.unwrap(), [Lane(None), large]);
    })
    .await;
    costs(bench, "claim_lanes", 200, async |store: Store| {
        let asked = [(large, 8), (small, 8), (Lane(None), 8)];
        let claims = store.claim_lanes(&account(), &asked, at(80_000), at(80_000)).await.unwrap();
        assert_eq!(claims.len(), 16, "the small one's is another account's");
    })
    .await;
    // Half of the large batch is due to be looked at, longer than ten single orders; the server has no statistics of it.
    let mut raw = bench.raw().await;
    raw.execute(OVERDUE).await.unwrap();
    drop(raw);
    costs(bench, "claim_looks", 200, async |store: Store| {
        let claims = store.claim_looks(&account(), 8, at(80_000), at(80_000)).await.unwrap();
        let single = claims.iter().filter(|claim| claim.batch.is_none()).count();
        assert_eq!((claims.len(), single), (8, 4));
    })
    .await;
    costs(bench, "lanes after claims", 40, async |store: Store| {
        assert_eq!(store.lanes(&account(), at(80_000)).await.unwrap().len(), 2);
    })
    .await;
    costs(bench, "get of a batch", 40, async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        assert!(tx.batches().get(&Scope::Tenant(tenant("acme")), large_batch()).await.unwrap().is_some());
        assert!(tx.batches().canceled_among(&[large_batch()]).await.unwrap().is_empty());
    })
    .await;
    costs(bench, "next_to_cancel", 150, async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        assert!(tx.batches().next_to_cancel(20).await.unwrap().is_none());
        let reason = Reason::new("stop", "Stop.");
        tx.batches().request_cancel(&Scope::All, large_batch(), &reason, at(80_000)).await.unwrap();
        assert_eq!(tx.batches().next_to_cancel(20).await.unwrap().expect("orders").2.len(), 20);
        assert_eq!(tx.batches().next_to_cancel(20).await.unwrap().expect("orders").2.len(), 20);
        tx.cancel().await.unwrap();
    })
    .await;
    let any = BatchFilter::default;
    let filters = [
        ("nothing", any(), LIMIT),
        ("status", BatchFilter { status: Some(BatchStatus::Completed), ..any() }, LIMIT),
        ("rare status", BatchFilter { status: Some(BatchStatus::InProgress), ..any() }, 1),
        ("external id", BatchFilter { external_id: Some("EXT-301".into()), ..any() }, 1),
        ("time", BatchFilter { created_before: Some(at(1_206)), ..any() }, 2),
    ];
    for (name, filter, found) in filters {
        for scope in [Scope::Tenant(tenant("acme")), Scope::All] {
            // Each batch that is given has nine counts; a time is looked for an hour to either side.
            let allowed = if name == "time" { 75 * i64::from(LIMIT) } else { 20 * i64::from(LIMIT) };
            costs(bench, &format!("batches by {name} for {scope:?}"), allowed, async |store: Store| {
                let mut tx = store.begin().await.unwrap();
                let page = tx.batches().list(&scope, &filter, LIMIT, None).await.unwrap();
                assert!(page.len() >= found as usize, "{name}: {}", page.len());
            })
            .await;
        }
    }
    // As many moves of a hundred batches as are folded in all these calls.
    bench.raw().await.execute(MOVES).await.unwrap();
    costs(bench, "fold_batch_moves", 2_000, async |store: Store| {
        assert_eq!(store.fold_batch_moves(at(80_000)).await.unwrap(), 5_000);
    })
    .await;
    costs(bench, "fold_batch_moves without any", 20, async |store: Store| {
        assert_eq!(store.fold_batch_moves(at(80_000)).await.unwrap(), 0);
    })
    .await;
}

async fn orphans_cost_the_same(bench: &Bench) {
    for kind in [None, Some(OrphanKind::Stranger), Some(OrphanKind::Duplicate)] {
        for account in [None, Some(account())] {
            let name = format!("orphans of {kind:?} at {account:?}");
            let filter = OrphanFilter { kind, account, ..OrphanFilter::default() };
            costs(bench, &name, 25 * i64::from(LIMIT), async |store: Store| {
                let mut tx = store.begin().await.unwrap();
                let page = tx.vendor_objects().orphans(&filter, LIMIT, None).await.unwrap();
                let before = page.last().map(|orphan| orphan.id);
                let next = tx.vendor_objects().orphans(&filter, LIMIT, before).await.unwrap();
                assert_eq!((page.len(), next.len()), (LIMIT as usize, LIMIT as usize));
            })
            .await;
        }
    }
    costs(bench, "claim_cancellations", 20, async |store: Store| {
        assert!(store.claim_cancellations(&account(), 20, at(80_000), at(80_001)).await.unwrap().is_empty());
    })
    .await;
    costs(bench, "add_strangers", 40 * i64::from(LIMIT), async |store: Store| {
        let mut tx = store.begin().await.unwrap();
        let objects: Vec<_> = (0..LIMIT).map(|n| (format!("v-EXT-{}", 2 * n + 990), None)).collect();
        let added = tx.vendor_objects().add_strangers(&account(), &objects, at(80_000)).await.unwrap();
        assert_eq!(added.len(), 5, "the others are bound");
        tx.cancel().await.unwrap();
    })
    .await;
}

/// Each filter, and whether its hits are among the oldest orders rather than the newest.
fn filters(old: &Order) -> Vec<(&'static str, OrderFilter, bool)> {
    let any = OrderFilter::default;
    let pair = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let number =
        |value: &str| IdentifierFilter { kind: IdentifierType::Ssn, country: "US".into(), value: value.into() };
    vec![
        ("nothing", any(), false),
        ("status", OrderFilter { status: Some(OrderStatus::Queued), ..any() }, false),
        ("check status", OrderFilter { check_status: Some(CheckStatus::Queued), ..any() }, false),
        ("common provider", OrderFilter { provider: Some(ProviderId::new("theary")), ..any() }, false),
        ("rare provider", OrderFilter { provider: Some(ProviderId::new("truora")), ..any() }, true),
        ("rare type", OrderFilter { check_type: Some(CheckType::BackgroundCheck), ..any() }, true),
        ("rare outcome", OrderFilter { outcome: Some(Outcome::Consider), ..any() }, true),
        ("external id", OrderFilter { external_id: Some("RARE".into()), ..any() }, true),
        ("batch", OrderFilter { batch_id: old.batch_id, ..any() }, true),
        ("time", OrderFilter { created_before: Some(at(30)), ..any() }, true),
        ("common metadata", OrderFilter { metadata: pair("unit", "north"), ..any() }, false),
        ("rare metadata", OrderFilter { metadata: pair("unit", "south"), ..any() }, true),
        ("email", OrderFilter { email: Some("zyxwina@example.org".into()), ..any() }, false),
        ("identifier", OrderFilter { identifier: Some(number("987654321")), ..any() }, false),
        ("last name", OrderFilter { last_name: Some("Qvortrup".into()), ..any() }, false),
    ]
}
