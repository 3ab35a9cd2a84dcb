//! The peer of an upload: Postgres' own COPY of the very rows that the upload made, into the same tables.

use anyhow::Context as _;
use futures::TryStreamExt as _;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

/// What an upload writes. Those that others refer to come first.
const TABLES: [&str; 10] = [
    "orders",
    "checks",
    "work",
    "search_terms",
    "events",
    "batches",
    "batch_counts",
    "batch_moves",
    "batch_rejected_rows",
    "idempotency_keys",
];

/// The rows of one table, in Postgres' binary form.
pub struct Rows {
    table: &'static str,
    columns: String,
    data: Vec<u8>,
}

/// Empties the tables, so that each round begins alike.
pub async fn empty(pool: &PgPool) -> anyhow::Result<()> {
    pool.execute(AssertSqlSafe(format!("TRUNCATE {} CASCADE", TABLES.join(", ")))).await?;
    pool.execute("CHECKPOINT").await?;
    Ok(())
}

/// Every row of the tables.
pub async fn read(pool: &PgPool) -> anyhow::Result<Vec<Rows>> {
    let mut all = Vec::new();
    for table in TABLES {
        // Generated columns make themselves.
        let columns: Option<String> = sqlx::query_scalar(
            "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'",
        )
        .bind(table)
        .fetch_one(pool)
        .await?;
        let columns = columns.with_context(|| format!("there is no table {table}"))?;
        let statement = format!("COPY {table} ({columns}) TO STDOUT (FORMAT binary)");
        let mut stream = pool.copy_out_raw(&statement).await?;
        let mut data = Vec::new();
        while let Some(piece) = stream.try_next().await? {
            data.extend_from_slice(&piece);
        }
        all.push(Rows { table, columns, data });
    }
    Ok(all)
}

/// Copies the rows in, in one transaction.
pub async fn write(pool: &PgPool, all: &[Rows]) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    for Rows { table, columns, data } in all {
        let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let mut copy = tx.copy_in_raw(&statement).await?;
        copy.send(data.as_slice()).await?;
        copy.finish().await?;
    }
    tx.commit().await?;
    Ok(())
}

/// How much there is of it, in bytes.
pub fn size(all: &[Rows]) -> usize {
    all.iter().map(|rows| rows.data.len()).sum()
}
