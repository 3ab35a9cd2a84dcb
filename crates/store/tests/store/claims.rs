use std::collections::HashSet;

use sqlx::Executor as _;
use store::{Claim, Lane, Plan, Work};

use crate::support::{Bench, account, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_check_is_looked_at_by_two_workers() {
    let bench = Bench::new().await;
    let orders: Vec<_> = (0..150).map(|n| bench.order(at(n))).collect();
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert_many(&orders, at(0)).await.unwrap();
    tx.save().await.unwrap();
    bench.raw().await.execute("UPDATE work SET kind = 'follow'").await.unwrap();

    let worker = |store: store::Store| async move {
        let mut mine = Vec::new();
        loop {
            let claims = store.claim_looks(&account(), 7, at(1), at(100)).await.unwrap();
            if claims.is_empty() {
                return mine;
            }
            assert!(claims.len() <= 7);
            mine.extend(claims);
        }
    };
    let workers: Vec<_> = (0..6).map(|_| tokio::spawn(worker(bench.store.clone()))).collect();
    let mut claims: Vec<Claim> = Vec::new();
    for worker in workers {
        claims.extend(worker.await.unwrap());
    }
    // A worker may have met nothing but rows that others were just taking.
    claims.extend(worker(bench.store.clone()).await);
    let distinct: HashSet<_> = claims.iter().map(|claim| claim.check_id).collect();
    assert_eq!((claims.len(), distinct.len()), (300, 300));
}

#[tokio::test]
async fn a_lease_ends_by_time_or_by_a_plan() {
    let bench = Bench::new().await;
    let order = bench.order_of("acme", at(0), 1);
    bench.insert(&order).await;
    let check = order.checks[0].id;
    let account = account();
    let claim = |now: u64| bench.store.claim_lanes(&account, &[(Lane(None), 10)], at(now), at(now + 10));

    let first = claim(0).await.unwrap();
    let expected = Claim { check_id: check, order_id: order.id, tenant: order.tenant.clone(), batch: None };
    assert_eq!(first, [expected]);
    assert_eq!(claim(9).await.unwrap(), []);
    assert_eq!(claim(10).await.unwrap().len(), 1, "the lease is over");
    assert_eq!(bench.store.accounts_with_work().await.unwrap(), std::slice::from_ref(&account));

    let mut tx = bench.store.begin().await.unwrap();
    let order = tx.orders().lock(order.id).await.unwrap().unwrap();
    tx.orders().save(&order, &[Plan { check_id: check, work: None }], &[]).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(claim(1_000).await.unwrap(), [], "there is nothing left to do");
    assert_eq!(bench.store.accounts_with_work().await.unwrap(), []);
}

#[tokio::test]
async fn the_longest_due_comes_first_and_only_of_the_account() {
    let bench = Bench::new().await;
    for due in [3, 1, 2] {
        let order = bench.order_of("acme", at(due), 1);
        let mut tx = bench.store.begin().await.unwrap();
        tx.orders().insert(&order, at(due)).await.unwrap();
        tx.save().await.unwrap();
    }
    let mut foreign = bench.order_of("acme", at(0), 1);
    foreign.checks[0].account.account = "second".into();
    bench.insert(&foreign).await;

    let claims = bench.store.claim_lanes(&account(), &[(Lane(None), 2)], at(10), at(20)).await.unwrap();
    let mut tx = bench.store.begin().await.unwrap();
    let mut created = Vec::new();
    for claim in claims {
        created.push(tx.orders().lock(claim.order_id).await.unwrap().unwrap().created_at);
    }
    assert_eq!(created, [at(1), at(2)]);
    assert_eq!(bench.store.claim_looks(&account(), 2, at(10), at(20)).await.unwrap(), []);
}

#[tokio::test]
async fn a_worker_may_sleep_until_the_next_thing_is_due() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.next_due(at(0)).await.unwrap(), None);
    bench.store.register_accounts(&[account(), account()]).await.unwrap();
    let order = bench.order_of("acme", at(0), 1);
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert(&order, at(50)).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(bench.store.next_due(at(0)).await.unwrap(), Some(at(50)));
    assert_eq!(bench.store.next_due(at(50)).await.unwrap(), None, "what is due already is claimed, not waited for");

    bench.store.claim_lanes(&account(), &[(Lane(None), 1)], at(50), at(90)).await.unwrap();
    assert_eq!(bench.store.next_due(at(50)).await.unwrap(), Some(at(90)), "the end of a lease");

    let hook = domain::InboxId::generate(&crate::support::Standstill(at(0)), &*bench.entropy);
    bench.store.receive(hook, &account(), &[], b"{}", at(0)).await.unwrap();
    bench.store.claim_inbox(at(0), at(70), 1).await.unwrap();
    assert_eq!(bench.store.next_due(at(50)).await.unwrap(), Some(at(70)), "a hook to be tried again");

    let mut case = crate::cases::case(&bench, &order);
    case.next_scan_at = Some(at(60));
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(bench.store.next_due(at(50)).await.unwrap(), Some(at(60)), "a scan");
}

#[tokio::test]
async fn half_of_the_looks_are_kept_for_single_orders() {
    let bench = Bench::new().await;
    let (_, batch) = bench.batch("acme", at(0), 20).await;
    let singles = [bench.order_of("acme", at(1), 3), bench.order_of("acme", at(2), 3)];
    for order in &singles {
        bench.insert(order).await;
    }
    let mut tx = bench.store.begin().await.unwrap();
    for (order, due) in batch.iter().map(|order| (order, at(3))).chain(singles.iter().map(|order| (order, at(4)))) {
        let order = tx.orders().lock(order.id).await.unwrap().unwrap();
        let plans = order.checks.iter().map(|check| Plan { check_id: check.id, work: Some((Work::Follow, due)) });
        tx.orders().save(&order, &plans.collect::<Vec<_>>(), &[]).await.unwrap();
    }
    tx.save().await.unwrap();

    let account = account();
    let mut counts = Vec::new();
    let mut seen = HashSet::new();
    for limit in [1, 7, 8, 8] {
        let claims = bench.store.claim_looks(&account, limit, at(5), at(60)).await.unwrap();
        seen.extend(claims.iter().map(|claim| claim.check_id));
        let single = claims.iter().filter(|claim| claim.batch.is_none()).count();
        counts.push((single, claims.len() - single));
    }
    assert_eq!(counts, [(1, 0), (4, 3), (1, 7), (0, 8)], "what single orders do not need is the batch's");
    assert_eq!(seen.len(), 24, "nothing twice");
    assert_eq!(bench.store.claim_looks(&account, 8, at(3), at(60)).await.unwrap().len(), 8, "by what is due");
}
