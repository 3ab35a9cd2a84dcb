use store::{Begun, KeyHash, Looked, RequestHash, StoredAnswer};

use crate::support::{Bench, at};

#[tokio::test]
async fn an_answer_is_given_again_to_the_same_request_only() {
    let bench = Bench::new().await;
    let (key, request) = (KeyHash([1; 32]), RequestHash([2; 32]));
    let answer = StoredAnswer {
        status: 201,
        headers: vec![("location".into(), "/v1/orders/ord_x".into())],
        body: vec![0, 159, 146, 150].into(),
    };

    let mut first = bench.store.begin().await.unwrap();
    assert!(first.idempotency().begin(&key, &request).await.unwrap() == Begun::New);
    let mut second = bench.store.begin().await.unwrap();
    assert!(second.idempotency().begin(&key, &request).await.unwrap() == Begun::InFlight);
    let other_key = KeyHash([3; 32]);
    assert!(second.idempotency().begin(&other_key, &request).await.unwrap() == Begun::New);
    first.idempotency().keep(&key, &request, &answer, at(0)).await.unwrap();
    first.save().await.unwrap();

    let replay = second.idempotency().begin(&key, &request).await.unwrap();
    assert!(replay == Begun::Replay(answer.clone()));
    assert!(second.idempotency().begin(&key, &RequestHash([9; 32])).await.unwrap() == Begun::OtherRequest);
    let twice = second.idempotency().keep(&key, &request, &answer, at(0)).await;
    assert!(matches!(twice, Err(store::StoreError::Conflict(_))));
    second.cancel().await.unwrap();

    assert_eq!(bench.store.purge_idempotency(at(0)).await.unwrap(), 0);
    assert_eq!(bench.store.purge_idempotency(at(1)).await.unwrap(), 1);
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.idempotency().begin(&key, &request).await.unwrap() == Begun::New);
}

#[tokio::test]
async fn a_body_may_be_read_after_the_key_was_looked_up() {
    let bench = Bench::new().await;
    let (key, request) = (KeyHash([1; 32]), RequestHash([2; 32]));
    let answer = StoredAnswer { status: 202, headers: vec![], body: b"{}"[..].into() };
    let mut first = bench.store.begin().await.unwrap();
    assert!(first.idempotency().look(&key).await.unwrap() == Looked::New);
    let mut second = bench.store.begin().await.unwrap();
    assert!(second.idempotency().look(&key).await.unwrap() == Looked::InFlight);
    first.idempotency().keep(&key, &request, &answer, at(0)).await.unwrap();
    first.save().await.unwrap();
    assert!(second.idempotency().look(&key).await.unwrap() == Looked::Known { request, answer });
}

#[tokio::test]
async fn a_request_that_failed_leaves_its_key_free() {
    let bench = Bench::new().await;
    let (key, request) = (KeyHash([1; 32]), RequestHash([2; 32]));
    let mut first = bench.store.begin().await.unwrap();
    assert!(first.idempotency().begin(&key, &request).await.unwrap() == Begun::New);
    first.cancel().await.unwrap();
    let mut second = bench.store.begin().await.unwrap();
    assert!(second.idempotency().begin(&key, &request).await.unwrap() == Begun::New);
}
