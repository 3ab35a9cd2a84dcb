//! Which batches a page holds: for each tenant a page is read off one index that ends in the id, and the newest are taken.

use domain::{BatchId, TenantId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::BatchFilter;
use crate::error::Result;
use crate::paging::IdRange;
use crate::tx::{Scope, Tx};

/// A batch's id is made when its upload begins, `created_at` is when it was accepted: so far apart at most.
const ID_SLACK: std::time::Duration = std::time::Duration::from_hours(1);

pub async fn page(
    tx: &mut Tx,
    scope: &Scope,
    filter: &BatchFilter,
    limit: u32,
    before: Option<BatchId>,
) -> Result<Vec<Uuid>> {
    let tenants = match scope {
        Scope::Tenant(tenant) => vec![tenant.clone()],
        Scope::All => tenants(tx).await?,
    };
    let mut query = query(&tenants, filter, i64::from(limit), before);
    // Not kept as a prepared statement: the best index hangs on which conditions there are.
    Ok(query.build_query_scalar().persistent(false).fetch_all(tx.connection()).await?)
}

/// Every tenant that has batches, found by jumping along the index.
async fn tenants(tx: &mut Tx) -> Result<Vec<TenantId>> {
    let names = sqlx::query_scalar!(
        r#"WITH RECURSIVE t AS (
               (SELECT tenant FROM batches ORDER BY tenant LIMIT 1)
               UNION ALL
               SELECT (SELECT tenant FROM batches WHERE tenant > t.tenant ORDER BY tenant LIMIT 1)
               FROM t WHERE t.tenant IS NOT NULL
           )
           SELECT tenant AS "tenant!" FROM t WHERE tenant IS NOT NULL"#
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(names.into_iter().map(TenantId::new).collect())
}

fn query(tenants: &[TenantId], filter: &BatchFilter, limit: i64, before: Option<BatchId>) -> QueryBuilder<Postgres> {
    let names: Vec<String> = tenants.iter().map(ToString::to_string).collect();
    let range = IdRange::new(filter.created_after, filter.created_before, ID_SLACK, before.map(BatchId::uuid));
    let mut query = QueryBuilder::new("SELECT page.id FROM unnest(");
    query.push_bind(names);
    query.push("::text[]) AS t (tenant) CROSS JOIN LATERAL (SELECT b.id FROM batches b WHERE b.tenant = t.tenant");
    range.push(&mut query, "b.id");
    if let Some(status) = filter.status {
        query.push(" AND b.status = ").push_bind(status.as_str());
    }
    if let Some(external_id) = &filter.external_id {
        query.push(" AND b.external_id = ").push_bind(external_id.clone());
    }
    if let Some(after) = filter.created_after {
        query.push(" AND b.created_at >= ").push_bind(after.get());
    }
    if let Some(before) = filter.created_before {
        query.push(" AND b.created_at < ").push_bind(before.get());
    }
    query.push(" ORDER BY b.id DESC LIMIT ").push_bind(limit);
    query.push(") AS page ORDER BY page.id DESC LIMIT ").push_bind(limit);
    query
}
