//! A database for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};

static MIGRATED: AtomicU32 = AtomicU32::new(0);

async fn migrate(url: String) -> anyhow::Result<()> {
    MIGRATED.fetch_add(1, Ordering::SeqCst);
    let mut connection = PgConnection::connect(&url).await?;
    connection.execute("CREATE TABLE things (name text PRIMARY KEY)").await?;
    // Left open on purpose: careless migrations must not spoil the template.
    std::mem::forget(connection);
    Ok(())
}

async fn things(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("connected");
    sqlx::query_scalar("SELECT count(*) FROM things").fetch_one(&mut connection).await.expect("counted")
}

#[tokio::test]
async fn each_is_migrated_and_nobody_elses() {
    let (one, other) = tokio::join!(testkit::database(migrate), testkit::database(migrate));
    let mut connection = PgConnection::connect(&one.url).await.expect("connected");
    connection.execute("INSERT INTO things VALUES ('mine')").await.expect("inserted");
    assert_eq!((things(&one.url).await, things(&other.url).await), (1, 0));
    if std::env::var_os("DATABASE_URL").is_none() {
        assert_eq!(MIGRATED.load(Ordering::SeqCst), 1, "once for all tests of a process");
    }
    let url = one.url.clone();
    // Even while a connection is open.
    drop(one);
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while PgConnection::connect(&url).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "never dropped");
    }
}

#[tokio::test]
async fn another_runtime_is_served_too() {
    assert_eq!(things(&testkit::database(migrate).await.url).await, 0);
}

#[tokio::test]
#[should_panic(expected = "the migration failed: no luck")]
async fn a_failed_migration_is_told() {
    let fails = |_| async { anyhow::bail!("no luck") };
    // On a foreign server there is no template, and so no such step.
    assert!(std::env::var_os("DATABASE_URL").is_none(), "the migration failed: no luck");
    testkit::database(fails).await;
}
