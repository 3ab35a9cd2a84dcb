use sqlx::Executor as _;

use crate::support::{Bench, at};

#[tokio::test]
async fn a_note_is_new_once_to_each_check_and_forgotten_with_it() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let (one, other) = (order.checks[0].id, order.checks[1].id);
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.vendor_notes().first_sights(one, &["a", "b", "a"]).await.unwrap(), [true, true, false]);
    assert_eq!(tx.vendor_notes().first_sights(one, &["c", "b"]).await.unwrap(), [true, false]);
    assert_eq!(tx.vendor_notes().first_sights(other, &["a"]).await.unwrap(), [true]);
    assert_eq!(tx.vendor_notes().first_sights(other, &[]).await.unwrap(), [] as [bool; 0]);
    tx.vendor_notes().owe(other).await.unwrap();
    tx.save().await.unwrap();
    // What was not committed was not seen.
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.vendor_notes().first_sights(one, &["d"]).await.unwrap(), [true]);
    tx.cancel().await.unwrap();
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(tx.vendor_notes().first_sights(one, &["d"]).await.unwrap(), [true]);
    tx.cancel().await.unwrap();

    let mut raw = bench.raw().await;
    raw.execute("DELETE FROM orders").await.unwrap();
    for table in ["vendor_notes", "unread_notes"] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut raw)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn failures_are_counted_until_the_notes_are_read() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let check = order.checks[0].id;
    let mut tx = bench.store.begin().await.unwrap();
    let mut notes = tx.vendor_notes();
    assert!(!notes.is_owed(check).await.unwrap());
    notes.owe(check).await.unwrap();
    notes.owe(check).await.unwrap();
    assert!(notes.is_owed(check).await.unwrap());
    assert_eq!([notes.failed(check).await.unwrap(), notes.failed(check).await.unwrap()], [1, 2]);
    notes.owe(check).await.unwrap();
    assert_eq!(notes.failed(check).await.unwrap(), 3, "that it is owed is no news");
    notes.read(check).await.unwrap();
    assert!(!notes.is_owed(check).await.unwrap());
    assert_eq!(notes.failed(check).await.unwrap(), 1);
}
