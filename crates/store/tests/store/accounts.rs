use std::time::Duration;

use domain::{AccountKey, ProviderId};
use store::{Circuit, Paused, StoreError};

use crate::support::{Bench, account, at};

#[tokio::test]
async fn what_is_known_of_an_account_stays_when_it_is_registered_again() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let (first, second) = (account(), AccountKey::new(ProviderId::new("theary"), "second"));
    let other = AccountKey::default_of(ProviderId::new("truora"));
    let keys = [first.clone(), second.clone(), other.clone()];
    store.register_accounts(&keys).await.unwrap();

    let paused = Paused { at: at(1), by: "ops".into(), reason: Some("they asked".into()) };
    let mut tx = store.begin().await.unwrap();
    tx.accounts().set_paused(&first.provider, Some(&paused)).await.unwrap();
    tx.save().await.unwrap();
    store.rest(&first, at(60)).await.unwrap();
    store.rest(&first, at(30)).await.unwrap();
    store.set_circuit(&first, Circuit::Open, Some(at(90)), Some("timed_out"), at(2)).await.unwrap();
    store.set_circuit(&first, Circuit::HalfOpen, None, None, at(3)).await.unwrap();
    store.set_echoes(&first).await.unwrap();
    store.register_accounts(&keys).await.unwrap();

    let known = store.accounts().await.unwrap();
    assert_eq!(known.iter().map(|status| &status.key).collect::<Vec<_>>(), [&first, &second, &other]);
    let status = &known[0];
    assert_eq!(status.paused.as_ref(), Some(&paused));
    assert_eq!(status.rest_until, Some(at(60)), "a shorter rest does not end a longer one");
    assert_eq!((status.circuit, status.circuit_until), (Circuit::HalfOpen, None));
    assert_eq!(status.last_error, Some(("timed_out".into(), at(2))));
    assert!(status.echoes);
    assert_eq!((known[1].paused.as_ref(), known[1].echoes), (Some(&paused), false));
    assert_eq!((known[2].paused.as_ref(), known[2].circuit), (None, Circuit::Closed));

    let mut tx = store.begin().await.unwrap();
    tx.accounts().set_paused(&first.provider, None).await.unwrap();
    tx.save().await.unwrap();
    assert!(store.accounts().await.unwrap().iter().all(|status| status.paused.is_none()));
    let unknown = AccountKey::default_of(ProviderId::new("nobody"));
    let refused = store.set_circuit(&unknown, Circuit::Open, None, None, at(0)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

#[tokio::test]
async fn turns_keep_to_the_rate_and_allow_the_burst() {
    let bench = Bench::new().await;
    let millis = Duration::from_millis;
    let take = async |share: &str, now_ms: u64| {
        let now = at(0) + millis(now_ms);
        bench.store.take_turn(&account(), share, millis(100), millis(200), now).await.unwrap()
    };
    // Three at once: one, and two that were saved up.
    for _ in 0..3 {
        assert_eq!(take("create", 0).await, None);
    }
    assert_eq!(take("create", 0).await, Some(millis(100)));
    assert_eq!(take("create", 40).await, Some(millis(60)));
    assert_eq!(take("poll", 40).await, None, "another share has a budget of its own");
    assert_eq!(take("create", 100).await, None);
    assert_eq!(take("create", 199).await, Some(millis(1)));
    // After a long rest no more than the burst is saved up.
    for _ in 0..3 {
        assert_eq!(take("create", 60_000).await, None);
    }
    assert!(take("create", 60_000).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_share_one_budget() {
    let bench = Bench::new().await;
    let worker = |store: store::Store| async move {
        let mut turns = 0;
        for n in 0..50 {
            let now = at(0) + Duration::from_millis(n);
            let turn = store.take_turn(&account(), "create", Duration::from_millis(10), Duration::ZERO, now).await;
            turns += u32::from(turn.unwrap().is_none());
        }
        turns
    };
    let workers: Vec<_> = (0..4).map(|_| tokio::spawn(worker(bench.store.clone()))).collect();
    let mut turns = 0;
    for worker in workers {
        turns += worker.await.unwrap();
    }
    // 50 ms at one in 10 ms.
    assert!((1..=5).contains(&turns), "{turns} turns");
}
