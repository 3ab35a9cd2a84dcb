//! One scan of a vendor account, for every open case of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::settle::SKEW;
use domain::{Case, CaseId, CaseItem, ItemState, OrderId, Reason, ScanId, ScanReport, Timestamp};
use provider::{LocateQuery, Share, Sought};
use store::{Scope, StoreError, Tx};

use super::decision;
use crate::{Account, Engine, find};

impl Engine {
    /// Asks the adapter which of the references in doubt are at the vendor, and keeps what it saw.
    pub(super) async fn scan(
        &self,
        account: &Account,
        cases: &[Case],
        started_at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = self.query(account, cases, started_at).await?;
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
            pages = report.seen.pages, read = report.seen.read, calls = report.seen.calls,
            least = report.seen.pages + report.seen.read, found = report.seen.found.len(), "account scanned"
        );
        if report.seen.echoes {
            self.store().set_echoes(&account.key).await?;
        }
        let mut tx = self.store().begin().await?;
        tx.scans().insert(&report).await?;
        tx.vendor_objects().dismiss(&account.key, &report.seen.dismissed, report.ended_at).await?;
        tx.save().await
    }

    async fn query(&self, account: &Account, cases: &[Case], now: Timestamp) -> Result<LocateQuery, StoreError> {
        let mut in_doubt: Vec<(&Case, &CaseItem)> = cases
            .iter()
            .flat_map(|case| case.items.iter().map(move |item| (case, item)))
            .filter(|(case, item)| is_sought(case, item, now))
            .collect();
        let ids: Vec<OrderId> = in_doubt.iter().map(|(_, item)| item.order_id).collect();
        let mut tx = self.store().begin().await?;
        let orders = tx.orders().get_many(&Scope::All, &ids).await?;
        let is_readable = |item: &CaseItem| find(&orders, item.order_id).is_some();
        for case in cases {
            if case.items.iter().any(|item| is_unasked(item) && !is_readable(item)) {
                self.ask_about_unreadable(&mut tx, case.id, &is_readable).await?;
            }
        }
        in_doubt.retain(|(_, item)| is_readable(item));
        let inputs: BTreeMap<_, _> =
            orders.iter().map(|order| (order.id, Arc::new(order.input.expose().clone()))).collect();
        let sought = in_doubt.iter().filter_map(|(case, item)| {
            let order = find(&orders, item.order_id)?;
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
        // Durable before the scan is.
        tx.save().await?;
        Ok(LocateQuery { sought, since, until, started_at: now, settled })
    }

    /// What cannot be read is not looked for, so the scans that go without it prove nothing of its absence: from now on
    /// only finding it settles it, or a person.
    async fn ask_about_unreadable(
        &self,
        tx: &mut Tx,
        id: CaseId,
        is_readable: &impl Fn(&CaseItem) -> bool,
    ) -> Result<(), StoreError> {
        let Some(mut case) = tx.cases().lock(id).await? else { return Ok(()) };
        for item in case.items.iter_mut().filter(|item| is_unasked(item) && !is_readable(item)) {
            item.review = Some(Reason::new(
                "order_unreadable",
                "The order cannot be read: is an encryption key missing? Mend that and scan again, then bind, resend or fail.",
            ));
            tx.cases().log(id, &decision(self.now(), "vetgate", "needs_review", Some(item.check_id))).await?;
        }
        tx.cases().save(&case).await
    }
}

/// Whether two scans without it would count as proof that it is absent.
fn is_unasked(item: &CaseItem) -> bool {
    matches!(item.state, ItemState::Unknown | ItemState::Proven) && item.review.is_none()
}

/// Whether a scan is to look for the item now. What was sent again is looked for once its window is over, or when its
/// case is due by somebody's wish: any earlier it would make every scan of the account reach back to its first call.
pub(super) fn is_sought(case: &Case, item: &CaseItem, now: Timestamp) -> bool {
    match (item.state, item.late_scan_at) {
        (ItemState::Unknown | ItemState::Proven, _) => true,
        (_, Some(late)) => !item.late_scanned && (late <= now || case.next_scan_at.is_some_and(|due_at| due_at <= now)),
        (_, None) => false,
    }
}

/// The latest time at which an object of this item can have come into being.
fn last_moment(case: &Case, item: &CaseItem) -> Timestamp {
    item.late_scan_at.unwrap_or(case.window_ends_at)
}
