//! Making files of what waits for one.
//!
//! Which checks may share a file was noted with their work when the batch was accepted, so that finding them costs a few
//! jumps in an index. Only the rows of one file are claimed and read at a time, of one batch after the other; what turns
//! out to have too few of its kind is sent like any other check from then on.

use std::collections::{BTreeMap, BTreeSet};

use domain::{BatchId, CheckId, News, Stage};
use provider::Bulk;
use store::{Claim, NewFile, StoreError};

use super::deadline;
use crate::dispatch::{Changes, note};
use crate::plan::files::{Row, files};
use crate::{Account, Engine, find, find_mut};

/// So many checks of an account that takes no files (any more) are given back to its calls at once.
const GIVEN_BACK: i64 = 1_000;

impl Engine {
    /// Makes the files of one kind of checks of one batch, whose turn it is. Gives how many checks it had in hand.
    pub(super) async fn gather(&self, account: &Account) -> Result<usize, StoreError> {
        let now = self.now();
        let Some(bulk) = account.provider.bulk() else {
            let parted = self.store().part_all_from_kin(&account.key, GIVEN_BACK, now).await?;
            return Ok(usize::try_from(parted).unwrap_or(usize::MAX));
        };
        let waiting = self.store().kindred(&account.key, now).await?;
        let lanes: Vec<_> = waiting.iter().map(|(lane, _)| lane.0).collect();
        let Some((turn, _)) = self.file_turns.share(&account.key, &lanes, 1).pop() else { return Ok(0) };
        let Some((lane, kin)) = waiting.into_iter().find(|(lane, _)| lane.0 == turn) else { return Ok(0) };
        let most = i64::try_from(bulk.most_rows()).unwrap_or(i64::MAX);
        let claim_until = now + self.settings.lease_margin;
        let claims = self.store().claim_kin(&account.key, (lane, &kin), most, now, claim_until).await?;
        let ids = |claims: &[Claim]| claims.iter().map(|claim| claim.check_id).collect::<Vec<_>>();
        if claims.is_empty() {
            return Ok(0);
        }
        let singly = match self.record_files(account, bulk, &claims).await {
            Err(error) if !error.is_transient() => {
                // One of them cannot be written; sent singly it holds nobody up.
                tracing::error!(%error, account = %account.key, "could not record a file: its checks are sent singly");
                ids(&claims)
            }
            recorded => recorded?,
        };
        if !singly.is_empty() {
            self.store().part_from_kin(&singly, self.now()).await?;
        }
        self.wake();
        Ok(claims.len())
    }

    /// Writes down, in one transaction, which checks are sent in files. Gives those that are not.
    async fn record_files(
        &self,
        account: &Account,
        bulk: &dyn Bulk,
        claims: &[Claim],
    ) -> Result<Vec<CheckId>, StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let ids: Vec<_> = claims.iter().map(|claim| claim.order_id).collect();
        let batches: BTreeSet<BatchId> = claims.iter().filter_map(|claim| claim.batch).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let canceled = tx.batches().canceled_among(&batches.into_iter().collect::<Vec<_>>()).await?;
        let mut changes = Changes::new();
        let (mut rows, mut wanted, mut singly) = (Vec::new(), Vec::new(), Vec::new());
        for claim in claims {
            let check_id = claim.check_id;
            let order = find_mut(&mut orders, claim.order_id);
            let is_fresh = |check: &domain::Check| {
                check.account == account.key && matches!(check.state.stage, Stage::Queued { submission: None, .. })
            };
            let Some(order) = order.filter(|order| order.check(check_id).is_some_and(is_fresh)) else {
                singly.push(check_id);
                continue;
            };
            if let Some(why) = claim.batch.and_then(|batch| canceled.get(&batch)) {
                let news = News::CancelRequested { why: why.clone(), at: now };
                note(&mut changes, order.tell(check_id, &news, now), order.id, check_id, None);
                continue;
            }
            let input = order.check(check_id).map(|check| check.input.expose());
            match input.and_then(|input| bulk.kinship(order.input.expose(), input)) {
                Some(kin) => {
                    rows.push(Row { file: kin.file, identity: kin.identity, asked_for: kin.asked_for });
                    wanted.push(claim);
                }
                None => singly.push(check_id),
            }
        }
        let planned = files(&rows, bulk.most_rows(), bulk.used_from());
        singly.extend(planned.singly.iter().map(|at| wanted[*at].check_id));
        let mut made = Vec::new();
        for file in &planned.files {
            let file: Vec<&Claim> = file.iter().map(|at| wanted[*at]).collect();
            let Some(batch) = file.first().and_then(|claim| claim.batch) else { continue };
            if let Some(ticket) = self.prepare(account, &mut orders, &file, false, &mut changes) {
                made.push((ticket.recorded_until(account, deadline(now)), batch));
            }
        }
        for (id, (plans, events)) in &changes {
            if let Some(order) = find(&orders, *id) {
                tx.orders().save(order, plans, events).await?;
            }
        }
        for (submission, batch) in &made {
            tx.submissions().insert(submission).await?;
            let file = NewFile {
                submission: submission.id,
                tenant: submission.tenant.clone(),
                account: account.key.clone(),
                batch: *batch,
                rows: submission.items.len(),
                created_at: now,
            };
            tx.vendor_files().insert(&file).await?;
        }
        tx.save().await?;
        for (submission, batch) in &made {
            let rows = submission.items.len();
            tracing::info!(account = %account.key, %batch, submission = %submission.id, rows, "a file for the vendor");
            metrics::counter!("vetgate_files_total", "account" => account.key.to_string()).increment(1);
        }
        Ok(singly)
    }
}

/// Which of a batch's checks may share a file, and so wait for each other.
#[derive(Default)]
pub(crate) struct Kinships(pub BTreeMap<CheckId, store::Kin>);

impl Kinships {
    pub fn of(engine: &Engine, orders: &[domain::Order]) -> Self {
        let mut kinships = Self::default();
        for order in orders {
            for check in &order.checks {
                let Some(bulk) = engine.account(&check.account).and_then(|account| account.provider.bulk()) else {
                    continue;
                };
                let kin = bulk.kinship(order.input.expose(), check.input.expose());
                if let Some(kin) = kin.filter(|kin| kin.asked_for || bulk.used_from().is_some()) {
                    kinships.0.insert(check.id, store::Kin::of(&kin.file));
                }
            }
        }
        kinships
    }
}
