use std::collections::HashSet;

use domain::Timestamp;
use store::{Claim, Lane, Plan, Work};

use crate::support::{Bench, account, at};

const SINGLE: Lane = Lane(None);

fn of(claims: &[Claim], lane: Lane) -> usize {
    claims.iter().filter(|claim| claim.batch == lane.0).count()
}

#[tokio::test]
async fn each_lane_gives_what_was_asked_of_it() {
    let bench = Bench::new().await;
    let (large, _) = bench.batch("acme", at(0), 40).await;
    let (small, _) = bench.batch("other", at(1), 2).await;
    let single = bench.order_of("acme", at(2), 3);
    bench.insert(&single).await;
    let (large, small) = (Lane(Some(large.id)), Lane(Some(small.id)));

    let store = &bench.store;
    assert_eq!(store.lanes(&account(), at(5)).await.unwrap(), [SINGLE, large, small]);
    assert_eq!(store.lanes(&account(), at(0)).await.unwrap(), [large], "the others are not due yet");
    let asked = [(SINGLE, 2), (large, 5), (small, 9), (Lane(Some(bench.batch_id(at(9)))), 5)];
    let claims = store.claim_lanes(&account(), &asked, at(5), at(60)).await.unwrap();
    assert_eq!((of(&claims, SINGLE), of(&claims, large), of(&claims, small)), (2, 5, 4));
    assert_eq!(claims.iter().map(|claim| claim.check_id).collect::<HashSet<_>>().len(), 11);
    assert!(claims.iter().all(|claim| (claim.tenant.as_str() == "other") == (claim.batch == small.0)));

    assert_eq!(store.lanes(&account(), at(59)).await.unwrap(), [SINGLE, large], "all of the small one is taken");
    assert_eq!(store.claim_lanes(&account(), &[(small, 9), (large, 0)], at(59), at(90)).await.unwrap(), []);
    assert_eq!(store.claim_lanes(&account(), &[], at(59), at(90)).await.unwrap(), []);
    assert_eq!(store.lanes(&account(), at(60)).await.unwrap(), [SINGLE, large, small], "the leases are over");
    assert_eq!(store.claim_looks(&account(), 9, at(99), at(100)).await.unwrap(), []);
}

#[tokio::test]
async fn a_batch_comes_in_the_order_of_its_rows() {
    let bench = Bench::new().await;
    let (batch, mut orders) = bench.batch("acme", at(0), 40).await;
    // As they count down.
    orders.sort_by_key(|order| std::cmp::Reverse(order.id));
    let mut claimed = Vec::new();
    for most in [7, 20, 99] {
        let claims = bench.store.claim_lanes(&account(), &[(Lane(Some(batch.id)), most)], at(1), at(60)).await.unwrap();
        claimed.extend(claims.iter().map(|claim| claim.order_id));
    }
    let rows: Vec<_> = orders.iter().flat_map(|order| order.checks.iter().map(|_| order.id)).collect();
    assert_eq!(claimed, rows);
}

#[tokio::test]
async fn what_is_sent_again_keeps_its_lane_and_what_is_followed_has_none() {
    let bench = Bench::new().await;
    let (batch, orders) = bench.batch("acme", at(0), 1).await;
    let lane = Lane(Some(batch.id));
    let plan = async |work: Option<(Work, Timestamp)>| {
        let mut tx = bench.store.begin().await.unwrap();
        let order = tx.orders().lock(orders[0].id).await.unwrap().unwrap();
        let plans: Vec<_> = order.checks.iter().map(|check| Plan { check_id: check.id, work }).collect();
        tx.orders().save(&order, &plans, &[]).await.unwrap();
        tx.save().await.unwrap();
    };
    plan(Some((Work::Follow, at(1)))).await;
    assert_eq!(bench.store.lanes(&account(), at(5)).await.unwrap(), []);
    let followed = bench.store.claim_looks(&account(), 9, at(5), at(5)).await.unwrap();
    assert_eq!(of(&followed, lane), 2, "whose it is stays known");
    plan(None).await;
    plan(Some((Work::Send, at(6)))).await;
    assert_eq!(bench.store.lanes(&account(), at(6)).await.unwrap(), [lane]);
    assert_eq!(bench.store.claim_lanes(&account(), &[(SINGLE, 9), (lane, 9)], at(6), at(9)).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_check_of_a_lane_is_given_to_two_workers() {
    let bench = Bench::new().await;
    let (one, _) = bench.batch("acme", at(0), 60).await;
    let (two, _) = bench.batch("acme", at(0), 30).await;
    for _ in 0..15 {
        bench.insert(&bench.order(at(0))).await;
    }
    let lanes = [(Lane(Some(one.id)), 4), (Lane(Some(two.id)), 3), (SINGLE, 5)];
    let worker = |store: store::Store| async move {
        let mut mine = Vec::new();
        loop {
            let claims = store.claim_lanes(&account(), &lanes, at(1), at(100)).await.unwrap();
            if claims.is_empty() {
                return mine;
            }
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
    assert_eq!((claims.len(), distinct.len()), (210, 210));
}
