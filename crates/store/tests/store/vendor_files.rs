//! Files of many checks, and the checks that wait for one.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BatchId, Order, Reference, Sensitive, SubmissionId};
use provider::BulkStage;
use serde_json::json;
use sqlx::Row as _;
use store::{FileClaim, FileNews, Kin, Lane, NewFile, NewSubmission, Plan, Stop, SubmissionPart, Work};
use uuid::Uuid;

use crate::support::{Bench, account, at};

fn batch_id(number: u128) -> BatchId {
    BatchId::from_uuid(Uuid::from_u128(number))
}

/// Orders of a batch whose first checks wait for a file.
async fn waiting(bench: &Bench, batch: BatchId, kin: &[&str]) -> Vec<Order> {
    let mut orders = Vec::new();
    let mut kinships = BTreeMap::new();
    for kin in kin {
        let mut order = bench.order_of("acme", at(0), 1);
        order.batch_id = Some(batch);
        kinships.insert(order.checks[0].id, Kin::of(kin));
        orders.push(order);
    }
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().insert_kindred(&orders, at(0), &kinships).await.unwrap();
    tx.save().await.unwrap();
    orders
}

async fn file(bench: &Bench) -> SubmissionId {
    let order = bench.order(at(0));
    let check_id = order.checks[0].id;
    let part = SubmissionPart { check_id, order_id: order.id, reference: Reference::first(check_id) };
    let submission = NewSubmission {
        id: bench.submission_id(),
        tenant: order.tenant.clone(),
        account: account(),
        started_at: at(0),
        lease_until: at(100_000),
        items: vec![part],
    };
    let new = NewFile {
        submission: submission.id,
        tenant: order.tenant,
        account: account(),
        batch: batch_id(7),
        rows: 1,
        created_at: at(0),
    };
    let mut tx = bench.store.begin().await.unwrap();
    tx.submissions().insert(&submission).await.unwrap();
    tx.vendor_files().insert(&new).await.unwrap();
    tx.save().await.unwrap();
    submission.id
}

async fn claim(bench: &Bench, now: u64) -> Option<FileClaim> {
    let claims = bench.store.claim_files(&account(), 10, true, at(now), at(now + 10)).await.unwrap();
    assert!(claims.len() <= 1);
    claims.into_iter().next().map(|(_, claim)| claim.unwrap())
}

fn news(stage: BulkStage, due: u64) -> FileNews {
    FileNews {
        stage,
        entered_at: at(due),
        memory: Some(Sensitive::new(json!({ "link": "https://files.example.com/secret" }))),
        vendor_batch_id: Some("BCH1".into()),
        doubtful_since: None,
        tries: 0,
        stop: Stop::default(),
        due_at: at(due),
    }
}

async fn record(bench: &Bench, id: SubmissionId, call: i64, news: &FileNews) -> bool {
    let mut tx = bench.store.begin().await.unwrap();
    let is_recorded = tx.vendor_files().record(id, call, news).await.unwrap();
    tx.save().await.unwrap();
    is_recorded
}

#[tokio::test]
async fn a_call_that_nothing_is_recorded_of_is_in_doubt_since_its_lease_ended() {
    let bench = Bench::new().await;
    let id = file(&bench).await;
    let first = claim(&bench, 0).await.unwrap();
    assert_eq!((first.submission, first.stage, first.doubtful_since), (id, BulkStage::Create, None));
    assert!(claim(&bench, 9).await.is_none(), "it is taken");
    let second = claim(&bench, 10).await.unwrap();
    assert_eq!((second.doubtful_since, second.call), (Some(at(10)), first.call + 1));
    assert!(!record(&bench, id, first.call, &news(BulkStage::Upload, 12)).await, "somebody else has it");
    assert!(record(&bench, id, second.call, &news(BulkStage::Upload, 12)).await);
    assert!(claim(&bench, 11).await.is_none(), "it is not due");
    let third = claim(&bench, 12).await.unwrap();
    assert_eq!((third.stage, third.doubtful_since, third.entered_at), (BulkStage::Upload, None, at(12)));
    assert_eq!(third.memory.expose()["link"], "https://files.example.com/secret");
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.vendor_files().hold(id, third.call, at(500)).await.unwrap());
    assert!(!tx.vendor_files().hold(id, second.call, at(500)).await.unwrap());
    tx.save().await.unwrap();
    assert!(claim(&bench, 499).await.is_none());
    let raw = sqlx::query("SELECT encode(memory, 'escape') FROM vendor_files").fetch_one(&mut bench.raw().await).await;
    assert!(!raw.unwrap().get::<String, _>(0).contains("example.com"), "links lie in the clear");
}

#[tokio::test]
async fn an_ended_file_is_not_taken_again_and_stays_to_be_seen() {
    let bench = Bench::new().await;
    let id = file(&bench).await;
    let call = claim(&bench, 0).await.unwrap().call;
    assert!(record(&bench, id, call, &news(BulkStage::Run, 5)).await);
    let in_pause = bench.store.claim_files(&account(), 10, false, at(5), at(6)).await.unwrap();
    assert_eq!(in_pause.len(), 1, "it was begun");
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_files().end(id, at(7)).await.unwrap();
    tx.save().await.unwrap();
    assert!(claim(&bench, 90).await.is_none());
    assert!(!record(&bench, id, call + 1, &news(BulkStage::Run, 5)).await);
    assert_eq!(bench.store.claim_dead(at(90), 10).await.unwrap(), [], "it is dead at its deadline, not before");
    let mut tx = bench.store.begin().await.unwrap();
    let seen = tx.vendor_files().of_batch(batch_id(7), 10).await.unwrap();
    assert_eq!((seen[0].vendor_batch_id.as_deref(), seen[0].ended_at, seen[0].rows), (Some("BCH1"), Some(at(7)), 1));
    assert!(tx.vendor_files().of_batch(batch_id(8), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn before_it_is_begun_a_file_is_not_taken_in_a_pause() {
    let bench = Bench::new().await;
    file(&bench).await;
    assert!(bench.store.claim_files(&account(), 10, false, at(5), at(6)).await.unwrap().is_empty());
    assert!(claim(&bench, 5).await.is_some());
}

#[tokio::test]
async fn what_waits_for_a_file_is_in_no_lane_until_it_parts_from_its_kin() {
    let bench = Bench::new().await;
    let (batch, store) = (batch_id(1), &bench.store);
    let lane = Lane(Some(batch));
    let orders = waiting(&bench, batch, &["CO", "MX", "CO", "CO"]).await;
    assert_eq!(store.lanes(&account(), at(1)).await.unwrap(), []);
    let mut kindred = vec![(lane, Kin::of("CO")), (lane, Kin::of("MX"))];
    kindred.sort();
    assert_eq!(store.kindred(&account(), at(1)).await.unwrap(), kindred);
    let co = Kin::of("CO");
    let claimed = store.claim_kin(&account(), (lane, &co), 2, at(1), at(50)).await.unwrap();
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|claim| claim.batch == Some(batch)));
    let rest = store.claim_kin(&account(), (lane, &co), 9, at(1), at(50)).await.unwrap();
    assert_eq!(rest.len(), 1, "nobody gets one twice");
    assert_eq!(store.kindred(&account(), at(1)).await.unwrap(), [(lane, Kin::of("MX"))]);
    store.part_from_kin(&[rest[0].check_id], at(2)).await.unwrap();
    assert_eq!(store.lanes(&account(), at(2)).await.unwrap(), [lane]);
    assert_eq!(store.part_all_from_kin(&account(), 10, at(60)).await.unwrap(), 3);
    assert_eq!(store.kindred(&account(), at(60)).await.unwrap(), []);
    assert_eq!(store.claim_lanes(&account(), &[(lane, 9)], at(60), at(90)).await.unwrap().len(), 4);
    // What is planned anew goes singly.
    let again = waiting(&bench, batch_id(2), &["CO"]).await.remove(0);
    let mut tx = store.begin().await.unwrap();
    let locked = tx.orders().lock(again.id).await.unwrap().unwrap();
    let plan = Plan { check_id: again.checks[0].id, work: Some((Work::Send, at(61))) };
    tx.orders().save(&locked, &[plan], &[]).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(store.kindred(&account(), at(61)).await.unwrap(), []);
    assert!(store.lanes(&account(), at(61)).await.unwrap().contains(&Lane(Some(batch_id(2)))));
    assert_eq!(orders.len(), 4);
}

#[tokio::test]
async fn a_file_is_the_next_thing_due() {
    let bench = Bench::new().await;
    bench.store.register_accounts(&[account()]).await.unwrap();
    let id = file(&bench).await;
    let call = claim(&bench, 0).await.unwrap().call;
    record(&bench, id, call, &news(BulkStage::Run, 40)).await;
    assert_eq!(bench.store.next_due(at(1)).await.unwrap(), Some(at(40)));
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_files().look_now(batch_id(7), at(3)).await.unwrap();
    tx.save().await.unwrap();
    assert!(claim(&bench, 3).await.is_some());
    assert_eq!(bench.store.next_due(at(3)).await.unwrap(), Some(at(3) + Duration::from_secs(10)));
}
