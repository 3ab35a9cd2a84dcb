//! What is left of a transaction that nobody waits for any more.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use sqlx::PgConnection;

use crate::support::Bench;

#[tokio::test]
async fn a_begin_that_nobody_waits_for_leaves_no_transaction_open() {
    let bench = Bench::new().await;
    let mut raw = bench.raw().await;
    for polls in 1..60 {
        let mut begin = Box::pin(bench.store.begin());
        for _ in 0..polls {
            // One look, whether it is ready or not.
            if poll_fn(|cx| Poll::Ready(begin.as_mut().poll(cx).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(begin);
        tokio::time::timeout(Duration::from_secs(30), none_is_open(&mut raw)).await.unwrap_or_else(|_| {
            panic!("dropped after {polls} looks, it left a transaction open for the next one to write in")
        });
    }
}

/// Waits until no connection is in a transaction, and none is just being begun.
async fn none_is_open(raw: &mut PgConnection) {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                 AND state <> 'idle'";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *raw).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
}
