//! Which orders a page holds.
//!
//! The query is put together at run time: with every filter in one static text, the planner would have to choose one
//! plan for all of them. Only values are bound, never text.
//!
//! A page is read off one index that ends in the order's id and stops when it is full. Which one, by what there is:
//! a search term, else a condition on checks, else the order's own columns. Across tenants it reads a page of each.

use domain::{OrderId, TenantId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{OrderFilter, terms};
use crate::error::Result;
use crate::paging::IdRange;
use crate::tx::{Scope, Tx};

/// An order's id was made at most so long before or after its `created_at`: bounds on the time are bounds on the id.
const ID_SLACK: std::time::Duration = std::time::Duration::from_mins(5);

pub async fn page(
    tx: &mut Tx,
    scope: &Scope,
    filter: &OrderFilter,
    limit: u32,
    before: Option<OrderId>,
) -> Result<Vec<Uuid>> {
    let tenants = match scope {
        Scope::Tenant(tenant) => vec![tenant.clone()],
        Scope::All => tenants(tx).await?,
    };
    let terms = terms::of_filter(&tx.vault, &tenants, filter);
    if terms.iter().any(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut query = query(scope, &tenants, filter, &terms, i64::from(limit), before);
    // Not kept as a prepared statement: the best index hangs on the values, and there are many different texts.
    Ok(query.build_query_scalar().persistent(false).fetch_all(tx.connection()).await?)
}

/// Every tenant that has orders, found by jumping along the index rather than by reading all of it.
async fn tenants(tx: &mut Tx) -> Result<Vec<TenantId>> {
    let names = sqlx::query_scalar!(
        r#"WITH RECURSIVE t AS (
               (SELECT tenant FROM orders ORDER BY tenant LIMIT 1)
               UNION ALL
               SELECT (SELECT tenant FROM orders WHERE tenant > t.tenant ORDER BY tenant LIMIT 1)
               FROM t WHERE t.tenant IS NOT NULL
           )
           SELECT tenant AS "tenant!" FROM t WHERE tenant IS NOT NULL"#
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(names.into_iter().map(TenantId::new).collect())
}

type Query = QueryBuilder<Postgres>;

fn query(
    scope: &Scope,
    tenants: &[TenantId],
    filter: &OrderFilter,
    terms: &[Vec<Vec<u8>>],
    limit: i64,
    before: Option<OrderId>,
) -> Query {
    let range = IdRange::new(filter.created_after, filter.created_before, ID_SLACK, before.map(OrderId::uuid));
    let page = Page { filter, terms, range, limit };
    let mut query = Query::new("");
    match (scope, terms) {
        (Scope::Tenant(tenant), _) => page.push(&mut query, &|query| {
            query.push_bind(tenant.as_str().to_owned());
        }),
        // A term is of one tenant already: one page of all.
        (Scope::All, [_, ..]) => page.push(&mut query, &|query| {
            query.push("o.tenant");
        }),
        (Scope::All, []) => {
            let names: Vec<String> = tenants.iter().map(ToString::to_string).collect();
            query.push("SELECT page.id FROM unnest(").push_bind(names);
            query.push("::text[]) AS t (tenant) CROSS JOIN LATERAL (");
            page.push(&mut query, &|query| {
                query.push("t.tenant");
            });
            query.push(") AS page ORDER BY page.id DESC LIMIT ").push_bind(limit);
        }
    }
    query
}

struct Page<'a> {
    filter: &'a OrderFilter,
    terms: &'a [Vec<Vec<u8>>],
    range: IdRange,
    limit: i64,
}

impl Page<'_> {
    /// `tenant` pushes the tenant that rows must be of.
    ///
    /// Flat, though a sub-select would read better: only so does the limit reach the planner's choice of the index that
    /// the page is read off.
    fn push(&self, query: &mut Query, tenant: &dyn Fn(&mut Query)) {
        let id = match self.terms {
            [first, rest @ ..] => {
                query.push(
                    "SELECT DISTINCT s.order_id AS id FROM search_terms s JOIN orders o ON o.id = s.order_id WHERE ",
                );
                push_term(query, first);
                for term in rest {
                    query.push(" AND EXISTS (SELECT FROM search_terms s WHERE s.order_id = o.id AND ");
                    push_term(query, term);
                    query.push(")");
                }
                if self.filters_checks() {
                    query.push(" AND EXISTS (SELECT FROM checks c WHERE c.order_id = o.id");
                    self.push_checks(query);
                    query.push(")");
                }
                query.push(" AND o.tenant = ");
                tenant(query);
                "s.order_id"
            }
            [] if self.filters_checks() => {
                query.push("SELECT DISTINCT c.order_id AS id FROM checks c JOIN orders o ON o.id = c.order_id WHERE c.tenant = ");
                tenant(query);
                self.push_checks(query);
                query.push(" AND o.tenant = ");
                tenant(query);
                "c.order_id"
            }
            [] => {
                query.push("SELECT o.id FROM orders o WHERE o.tenant = ");
                tenant(query);
                "o.id"
            }
        };
        self.range.push(query, id);
        self.push_orders(query);
        query.push(" ORDER BY ").push(id).push(" DESC LIMIT ").push_bind(self.limit);
    }

    const fn filters_checks(&self) -> bool {
        self.filter.check_status.is_some() || self.filter.provider.is_some() || self.filter.check_type.is_some()
    }

    fn push_checks(&self, query: &mut Query) {
        if let Some(status) = self.filter.check_status {
            query.push(" AND c.status = ").push_bind(status.as_str());
        }
        if let Some(provider) = &self.filter.provider {
            query.push(" AND c.provider = ").push_bind(provider.to_string());
        }
        if let Some(kind) = self.filter.check_type {
            query.push(" AND c.type = ").push_bind(kind.as_str());
        }
    }

    fn push_orders(&self, query: &mut Query) {
        let filter = self.filter;
        if let Some(status) = filter.status {
            query.push(" AND o.status = ").push_bind(status.as_str());
        }
        if let Some(outcome) = filter.outcome {
            query.push(" AND o.outcome = ").push_bind(outcome.as_str());
        }
        if let Some(external_id) = &filter.external_id {
            query.push(" AND o.external_id = ").push_bind(external_id.clone());
        }
        if let Some(batch) = filter.batch_id {
            query.push(" AND o.batch_id = ").push_bind(batch.uuid());
        }
        if let Some(after) = filter.created_after {
            query.push(" AND o.created_at >= ").push_bind(after.get());
        }
        if let Some(before) = filter.created_before {
            query.push(" AND o.created_at < ").push_bind(before.get());
        }
    }
}

fn push_term(query: &mut Query, terms: &[Vec<u8>]) {
    // One term is read in the order of the index; of several, all hits are read and sorted.
    match terms {
        [one] => query.push("s.term = ").push_bind(one.clone()),
        several => query.push("s.term = ANY(").push_bind(several.to_vec()).push(")"),
    };
}
