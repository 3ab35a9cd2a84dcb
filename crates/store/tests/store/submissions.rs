use domain::Reference;
use store::{Finished, NewSubmission, SubmissionPart, SubmissionState};

use crate::support::{Bench, account, at};

#[tokio::test]
async fn a_call_is_finished_once_and_the_dead_are_found_once() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    let parts: Vec<_> = order
        .checks
        .iter()
        .map(|check| SubmissionPart {
            check_id: check.id,
            order_id: order.id,
            reference: Reference { check: check.id, attempt: 2 },
        })
        .collect();
    let new = |seconds| NewSubmission {
        id: bench.submission_id(),
        tenant: order.tenant.clone(),
        account: account(),
        started_at: at(0),
        lease_until: at(seconds),
        items: parts.clone(),
    };
    let (alive, dead) = (new(100), new(10));
    let mut tx = bench.store.begin().await.unwrap();
    for submission in [&alive, &dead] {
        tx.submissions().insert(submission).await.unwrap();
    }
    tx.save().await.unwrap();

    assert_eq!(bench.store.claim_dead(at(9), 10).await.unwrap(), []);
    assert_eq!(bench.store.claim_dead(at(10), 10).await.unwrap(), [dead.id]);
    assert_eq!(bench.store.claim_dead(at(11), 10).await.unwrap(), [], "somebody buries it already");
    assert_eq!(bench.store.claim_dead(at(70), 10).await.unwrap(), [dead.id], "unless that one died too");

    let mut tx = bench.store.begin().await.unwrap();
    let (state, ended_at) = (SubmissionState::Mixed, at(20));
    let finished = Finished { state, ended_at, http_status: Some(502), answer: Some(b"oops") };
    assert!(tx.submissions().finish(dead.id, &finished).await.unwrap());
    let late = Finished { state: SubmissionState::Accepted, ended_at: at(21), http_status: None, answer: None };
    assert!(!tx.submissions().finish(dead.id, &late).await.unwrap());
    let back = tx.submissions().get(dead.id).await.unwrap().unwrap();
    assert_eq!((back.state, back.ended_at, back.http_status), (state, Some(ended_at), Some(502)));
    assert_eq!(back.answer.unwrap().expose().as_ref(), b"oops");
    assert_eq!((back.parts, back.tenant, back.account), (parts.clone(), dead.tenant, dead.account));
    let back = tx.submissions().get(alive.id).await.unwrap().unwrap();
    assert_eq!((back.state, back.ended_at, back.answer.is_none()), (SubmissionState::Sending, None, true));
    assert!(tx.submissions().get(bench.submission_id()).await.unwrap().is_none());
}
