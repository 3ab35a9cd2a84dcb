//! Workers that are held up between two of their steps, at a table or a row that another connection has locked.

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::world::World;

/// A connection of nobody's, in a transaction that has done this.
pub async fn holding(world: &World, statement: String) -> PgConnection {
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    raw.execute("BEGIN").await.expect("begun");
    raw.execute(sqlx::AssertSqlSafe(statement)).await.expect("held");
    raw
}

pub async fn release(mut held: PgConnection) {
    held.execute("COMMIT").await.expect("released");
}

/// Until a worker waits for what this connection holds.
pub async fn until_somebody_waits(world: &World, held: &mut PgConnection) {
    let holder: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(held).await.expect("read");
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))";
    while !sqlx::query_scalar::<_, bool>(waits).bind(holder).fetch_one(&mut raw).await.expect("read") {
        tokio::task::yield_now().await;
    }
}
