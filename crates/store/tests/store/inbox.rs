use domain::InboxId;

use crate::support::{Bench, Standstill, account, at};

fn hook(bench: &Bench, seconds: u64) -> InboxId {
    InboxId::generate(&Standstill(at(seconds)), &*bench.entropy)
}

#[tokio::test]
async fn a_hook_is_processed_until_it_is_through() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let (first, second) = (hook(&bench, 0), hook(&bench, 1));
    let headers = [("x-signature".to_owned(), "abc".to_owned())];
    store.receive(second, &account(), &[], b"second", at(1)).await.unwrap();
    assert!(!store.begin().await.unwrap().inbox().is_clear(&account()).await.unwrap());
    store.receive(first, &account(), &headers, b"first", at(0)).await.unwrap();

    assert!(store.claim_inbox(at(0), at(10), 0).await.unwrap().is_empty());
    let claimed = store.claim_inbox(at(5), at(10), 10).await.unwrap();
    assert_eq!(claimed.iter().map(|item| item.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(claimed[0].headers.expose().as_slice(), headers);
    assert_eq!(claimed[0].body.expose().as_ref(), b"first");
    assert_eq!((claimed[0].attempts, claimed[0].received_at), (0, at(0)));
    assert!(!store.begin().await.unwrap().inbox().is_clear(&account()).await.unwrap(), "taken, and not yet read");
    assert!(store.claim_inbox(at(9), at(20), 10).await.unwrap().is_empty());

    let mut tx = store.begin().await.unwrap();
    tx.inbox().done(first).await.unwrap();
    tx.inbox().retry(second, at(8)).await.unwrap();
    assert!(tx.inbox().is_clear(&account()).await.unwrap(), "put off: it said what it could");
    tx.save().await.unwrap();
    let again = store.claim_inbox(at(9), at(20), 10).await.unwrap();
    assert_eq!(again.iter().map(|item| (item.id, item.attempts)).collect::<Vec<_>>(), [(second, 1)]);
    let mut tx = store.begin().await.unwrap();
    tx.inbox().bury(second, "unreadable").await.unwrap();
    for id in [first, second] {
        assert!(matches!(tx.inbox().done(id).await, Err(store::StoreError::Conflict(_))));
    }
    tx.save().await.unwrap();
    assert!(store.claim_inbox(at(1_000), at(2_000), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_news_counts_once_for_each_account() {
    let bench = Bench::new().await;
    let mut second = account();
    second.account = "second".into();
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.inbox().first_sight(&account(), "k", at(0)).await.unwrap());
    assert!(!tx.inbox().first_sight(&account(), "k", at(1)).await.unwrap());
    assert!(tx.inbox().first_sight(&account(), "l", at(1)).await.unwrap());
    assert!(tx.inbox().first_sight(&second, "k", at(1)).await.unwrap());
}
