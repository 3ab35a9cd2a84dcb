//! One scan of a vendor account, for every open case of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::settle::SKEW;
use domain::{Case, CaseItem, ItemState, OrderId, ScanId, ScanReport};
use provider::{LocateQuery, Share, Sought};
use store::{Scope, StoreError};

use crate::{Account, Engine};

impl Engine {
    /// Asks the adapter which of the references in doubt are at the vendor, and keeps what it saw.
    pub(super) async fn scan(&self, account: &Account, cases: &[Case]) -> Result<(), StoreError> {
        let started_at = self.now();
        let query = self.query(account, cases).await?;
        if query.sought.is_empty() {
            return Ok(());
        }
        let ctx = self.call_context(account, Share::LookUp);
        let seen = account.provider.locate(&ctx, &query).await;
        if seen.complete {
            self.call_went_well(&account.key).await;
        }
        let report = ScanReport {
            id: ScanId::generate(self.clock(), self.entropy()),
            account: account.key.clone(),
            started_at,
            ended_at: self.now(),
            seen,
        };
        tracing::info!(
            account = %account.key, sought = query.sought.len(), complete = report.seen.complete,
            pages = report.seen.pages, calls = report.seen.calls, found = report.seen.found.len(), "account scanned"
        );
        if report.seen.echoes {
            self.store().set_echoes(&account.key).await?;
        }
        let mut tx = self.store().begin().await?;
        tx.scans().insert(&report).await?;
        tx.vendor_objects().dismiss(&account.key, &report.seen.dismissed, report.ended_at).await?;
        tx.save().await
    }

    async fn query(&self, account: &Account, cases: &[Case]) -> Result<LocateQuery, StoreError> {
        let now = self.now();
        let in_doubt: Vec<(&Case, &CaseItem)> = cases
            .iter()
            .flat_map(|case| case.items.iter().map(move |item| (case, item)))
            .filter(|(_, item)| is_sought(item))
            .collect();
        let ids: Vec<OrderId> = in_doubt.iter().map(|(_, item)| item.order_id).collect();
        let mut tx = self.store().begin().await?;
        let orders = tx.orders().get_many(&Scope::All, &ids).await?;
        let inputs: BTreeMap<_, _> =
            orders.iter().map(|order| (order.id, Arc::new(order.input.expose().clone()))).collect();
        let sought = in_doubt.iter().filter_map(|(case, item)| {
            let order = orders.iter().find(|order| order.id == item.order_id)?;
            Some(Sought {
                reference: item.reference,
                sent_at: case.sent_at,
                order: Arc::clone(inputs.get(&order.id)?),
                check: Arc::new(order.check(item.check_id)?.input.expose().clone()),
            })
        });
        let sought: Vec<_> = sought.collect();
        let since = in_doubt.iter().map(|(case, _)| case.sent_at).min().unwrap_or(now) - SKEW;
        let until = in_doubt.iter().map(|(case, item)| last_moment(case, item)).max().unwrap_or(now) + SKEW;
        let settled = tx.vendor_objects().settled(&account.key, since).await?;
        Ok(LocateQuery { sought, since, until, started_at: now, settled })
    }
}

/// Whether a scan can still learn something about the item.
fn is_sought(item: &CaseItem) -> bool {
    match item.state {
        ItemState::Unknown | ItemState::Proven => true,
        ItemState::Bound | ItemState::Duplicate | ItemState::Absent => item.resent_at.is_some() && !item.late_scanned,
    }
}

/// The latest time at which an object of this item can have come into being.
fn last_moment(case: &Case, item: &CaseItem) -> domain::Timestamp {
    item.resent_at.map_or(case.window_ends_at, |resent| resent + case.window())
}
