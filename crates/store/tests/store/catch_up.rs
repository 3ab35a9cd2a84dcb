use std::time::Duration;

use domain::{InboxId, Timestamp};
use store::InboxSource;

use crate::support::{Bench, Standstill, account, at};

const EVERY: Duration = Duration::from_mins(15);

async fn lease(bench: &Bench, now: u64, at_any_rate: bool) -> Option<Timestamp> {
    bench.store.lease_catch_up(&account(), at(now), at(now + 60), EVERY, at_any_rate).await.unwrap()
}

fn id(bench: &Bench, seconds: u64) -> InboxId {
    InboxId::generate(&Standstill(at(seconds)), &*bench.entropy)
}

async fn hook(bench: &Bench, seconds: u64) {
    bench.store.receive(id(bench, seconds), &account(), &[], b"hook", at(seconds)).await.unwrap();
}

#[tokio::test]
async fn a_log_is_read_after_a_silence_and_by_one_at_a_time() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert_eq!(lease(&bench, 0, true).await, None, "an account that is not in the settings");
    store.register_accounts(&[account()]).await.unwrap();
    assert_eq!(lease(&bench, 0, false).await, Some(at(0) - Duration::from_hours(24)));
    assert_eq!(lease(&bench, 59, true).await, None, "somebody reads it");
    assert!(lease(&bench, 60, true).await.is_some(), "it died");
    store.catch_up_done(&account(), at(60), at(960)).await.unwrap();
    assert_eq!(lease(&bench, 959, false).await, None);
    assert_eq!(lease(&bench, 100, true).await, Some(at(60)), "a process that starts does not wait");
    store.catch_up_done(&account(), at(0), at(1_000)).await.unwrap();
    assert_eq!(lease(&bench, 1_000, false).await, Some(at(60)), "one that failed takes nothing back");
}

#[tokio::test]
async fn hooks_that_come_are_noted_and_the_log_does_not_count() {
    let bench = Bench::new().await;
    let store = &bench.store;
    store.register_accounts(&[account()]).await.unwrap();
    store.catch_up_done(&account(), at(0), at(900)).await.unwrap();
    hook(&bench, 500).await;
    assert_eq!(lease(&bench, 900, false).await, None, "one came");
    assert_eq!(lease(&bench, 1_399, false).await, None);
    let entry: (InboxId, &str, &[u8]) = (id(&bench, 1_300), "news", b"log");
    assert_eq!(store.keep_log(&account(), &[entry], at(1_300)).await.unwrap(), 1);
    assert_eq!(lease(&bench, 1_400, false).await, Some(at(500)), "a silence since the hook");
    store.catch_up_done(&account(), at(1_400), at(2_300)).await.unwrap();
    // Nobody looked for a long time: whether there was a silence in between cannot be told.
    hook(&bench, 3_000).await;
    assert_eq!(lease(&bench, 3_001, false).await, Some(at(1_400)));
}

#[tokio::test]
async fn an_entry_whose_news_is_known_is_not_kept_again() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.inbox().first_sight(&account(), "log:1", at(0)).await.unwrap());
    assert!(!tx.inbox().first_sight(&account(), "log:1", at(0)).await.unwrap());
    tx.save().await.unwrap();
    let entries = [(id(&bench, 1), "log:1", &b"one"[..]), (id(&bench, 2), "log:2", &b"two"[..])];
    assert_eq!(store.keep_log(&account(), &entries, at(5)).await.unwrap(), 1);
    assert_eq!(store.keep_log(&account(), &[], at(5)).await.unwrap(), 0);
    let claimed = store.claim_inbox(at(5), at(10), 10).await.unwrap();
    let [item] = claimed.as_slice() else { panic!("{claimed:?}") };
    assert_eq!((item.source, item.body.expose().as_ref(), item.received_at), (InboxSource::Log, &b"two"[..], at(5)));
    assert!(item.headers.expose().is_empty());
}
