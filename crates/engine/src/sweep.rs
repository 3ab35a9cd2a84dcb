//! The standing sweep: does a vendor have anything of ours that nobody here knows of?
//!
//! Reconciliation looks for what a lost answer was about. This looks without a doubt to begin with, at everything that an
//! account has made since the last sweep, and so finds what no case would: an object made twice by the vendor, one made
//! for a check that was closed or counted as absent long ago, one that remained of a restored database.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::case::{Sighting, Sightings};
use domain::settle::SKEW;
use domain::{CheckId, EventType, Order, Reason, Stage, Timestamp};
use provider::{Share, SweepQuery};
use store::{Scope, StoreError, Tx};

use crate::follow::look_now;
use crate::gate::Passage;
use crate::reconcile::late_scan_is_due;
use crate::{Account, CancelDuplicates, Engine, joint};

/// The longest a sweep holds an account. A process that dies in one holds the next up no longer.
const LEASE: Duration = Duration::from_hours(1);

/// When a sweep that could not read everything is made again, at the latest.
const RETRY: Duration = Duration::from_hours(1);

/// The furthest that a sweep goes back, or two turns, if that is longer. One that can never be complete would else list
/// more each time.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// So many strangers are written in one statement.
const CHUNK: usize = 1_000;

/// Whose an object is that carries a reference of ours.
enum Verdict {
    /// The check's own, or one that its case, its call or its next look will find.
    Known,
    /// One too many, or one that should not be.
    Orphan,
    /// The reference is of no check here.
    Stranger,
}

impl Engine {
    /// Looks through what the account has made since its last sweep, if that is due and the vendor may be called. Gives
    /// whether it did. The first sweep of an account looks a day back.
    pub async fn sweep(&self, account: &Account) -> Result<bool, StoreError> {
        let Some(every) = self.settings.sweep_every else { return Ok(false) };
        let started_at = self.now();
        if !matches!(self.passage(&account.key).await?, Passage::Open | Passage::Paused) {
            return Ok(false);
        }
        let due = self.store().lease_sweep(&account.key, started_at, started_at + LEASE).await?;
        let Some(since) = due else { return Ok(false) };
        // What is younger may still be listed late, or carry its reference later: that is for the next sweep.
        let until = started_at - account.settle.unwrap_or(account.timing.settle) - SKEW;
        let since = Self::within_reach(account, since, until - LONGEST.max(every * 2));
        let (through, next) = match self.sweep_between(account, since, until, started_at).await {
            Ok(true) => (until.max(since), every),
            Ok(false) => (since, every.min(RETRY)),
            Err(error) => {
                self.store().sweep_done(&account.key, since, started_at + every.min(RETRY)).await?;
                return Err(error);
            }
        };
        self.store().sweep_done(&account.key, through, started_at + next).await?;
        Ok(true)
    }

    fn within_reach(account: &Account, since: Timestamp, furthest: Timestamp) -> Timestamp {
        if since < furthest {
            tracing::warn!(account = %account.key, %since, %furthest, "the last complete sweep is too long ago: what was made before is not swept");
        }
        since.max(furthest)
    }

    /// Gives whether everything was read.
    async fn sweep_between(
        &self,
        account: &Account,
        since: Timestamp,
        until: Timestamp,
        started_at: Timestamp,
    ) -> Result<bool, StoreError> {
        if until <= since {
            return Ok(true);
        }
        let since = since - SKEW;
        let settled = self.store().begin().await?.vendor_objects().settled(&account.key, since).await?;
        let query = SweepQuery { since, until, started_at, settled: settled.clone() };
        let seen = account.provider.sweep(&self.call_context(account, Share::LookUp), &query).await;
        if seen.complete {
            self.call_went_well(&account.key).await;
        }
        tracing::info!(
            account = %account.key, complete = seen.complete, pages = seen.pages, read = seen.read,
            calls = seen.calls, objects = seen.objects, found = seen.found.len(), "account swept"
        );
        if seen.echoes {
            self.store().set_echoes(&account.key).await?;
        }
        for sighting in &seen.found {
            self.judge(account, &seen, sighting).await?;
        }
        // Those that a scan dismissed are not read again, and nobody was told of them yet.
        let mut strangers = seen.dismissed.clone();
        strangers.extend(seen.listed.iter().map(|row| row.id.clone()).filter(|id| settled.contains(id)));
        self.note_strangers(account, &seen, &strangers).await?;
        Ok(seen.complete)
    }

    /// Decides under the row lock of its order what an object with a reference of ours is.
    async fn judge(&self, account: &Account, seen: &Sightings, sighting: &Sighting) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let verdict = self.whose(&mut tx, account, sighting).await?;
        let reference = match verdict {
            Verdict::Known => return tx.save().await,
            Verdict::Orphan => Some(sighting.reference),
            Verdict::Stranger => None,
        };
        let (id, now) = (&sighting.vendor.order_id, self.now());
        let is_new = tx.vendor_objects().add_orphan(&account.key, id, reference, sighting.created_at, now).await?;
        if is_new && reference.is_some() {
            let check_id = sighting.reference.check;
            if let Some(order) = tx.orders().of_check(&Scope::All, check_id).await? {
                let event = order.event(Some(check_id), EventType::ReconciliationOrphanFound, now);
                tx.orders().save(&order, &[], &[event]).await?;
                if self.settings.cancel_duplicates == CancelDuplicates::Auto && is_one_too_many(&order, seen, sighting)
                {
                    tx.vendor_objects().want_canceled(&account.key, std::slice::from_ref(id), "vetgate").await?;
                }
            }
        }
        tx.save().await?;
        if is_new {
            let kind = if reference.is_some() { "duplicate" } else { "stranger" };
            Self::count_orphans(account, kind, 1);
            if reference.is_some() {
                tracing::error!(account = %account.key, check = %sighting.reference.check, vendor_order = id, "a sweep found a vendor order that no check is bound to");
            }
        }
        Ok(())
    }

    async fn whose(&self, tx: &mut Tx, account: &Account, sighting: &Sighting) -> Result<Verdict, StoreError> {
        let reference = sighting.reference;
        let Some(order) = tx.orders().of_check(&Scope::All, reference.check).await? else {
            return Ok(Verdict::Stranger);
        };
        let Some(mut order) = tx.orders().lock(order.id).await? else { return Ok(Verdict::Stranger) };
        let Some(check) = order.check(reference.check) else { return Ok(Verdict::Stranger) };
        // An earlier attempt's own object.
        if reference.attempt < check.attempt {
            return Ok(Verdict::Known);
        }
        let is_held = !tx.vendor_objects().holders(&account.key, &sighting.vendor.order_id).await?.is_empty();
        // One that checks share on purpose. The part of it that a doubt is about may be there without its check holding it.
        if is_held && !(joint::joins(account, check) && is_looked_for(&check.state.stage)) {
            return Ok(Verdict::Known);
        }
        if self.is_run(tx, reference.check, sighting.created_at).await? {
            tx.monitors().look_at_check(reference.check, self.now()).await?;
            return Ok(Verdict::Known);
        }
        match &check.state.stage {
            // It may be this very object that it should be bound to.
            Stage::Bound(binding) if binding.provisional && binding.ending.is_none() => {
                tx.orders().save(&order, &[look_now(reference.check, self.now())], &[]).await?;
                Ok(Verdict::Known)
            }
            Stage::Bound(_) if late_scan_is_due(tx, reference.check).await? => Ok(Verdict::Known),
            Stage::Submitting { .. } => Ok(Verdict::Known),
            Stage::Unconfirmed { .. } | Stage::NeedsReview { .. }
                if tx.cases().of_check(reference.check).await?.is_none() =>
            {
                Ok(Verdict::Orphan)
            }
            Stage::Unconfirmed { .. } | Stage::NeedsReview { .. } | Stage::Queued { submission: Some(_), .. } => {
                let why = "A sweep of the vendor's account has seen it, so it exists; it is being looked for.";
                let why = Reason::new("proven_by_sweep", why);
                self.note_proven(tx, &mut order, reference.check, why).await?;
                Ok(Verdict::Known)
            }
            _ => Ok(Verdict::Orphan),
        }
    }

    /// Whether an object that carries a check's reference may be one that the vendor made to repeat the check.
    async fn is_run(&self, tx: &mut Tx, check: CheckId, made_at: Option<Timestamp>) -> Result<bool, StoreError> {
        let since = tx.monitors().repeated_since(check).await?;
        Ok(since.is_some_and(|since| made_at.is_none_or(|at| at >= since - SKEW)))
    }

    async fn note_strangers(&self, account: &Account, seen: &Sightings, ids: &[String]) -> Result<(), StoreError> {
        let created: BTreeMap<_, _> = seen.listed.iter().map(|row| (row.id.as_str(), row.created_at)).collect();
        for chunk in ids.chunks(CHUNK) {
            let objects: Vec<_> =
                chunk.iter().map(|id| (id.clone(), created.get(id.as_str()).copied().flatten())).collect();
            let mut tx = self.store().begin().await?;
            let added = tx.vendor_objects().add_strangers(&account.key, &objects, self.now()).await?;
            tx.save().await?;
            Self::count_orphans(account, "stranger", added.len());
        }
        Ok(())
    }

    fn count_orphans(account: &Account, kind: &'static str, count: usize) {
        metrics::counter!("vetgate_orphans_total", "account" => account.key.to_string(), "kind" => kind)
            .increment(count as u64);
    }
}

/// Whether the outcome of a check's create call is open, or it is about to be sent again.
const fn is_looked_for(stage: &Stage) -> bool {
    matches!(stage, Stage::Unconfirmed { .. } | Stage::NeedsReview { .. } | Stage::Queued { submission: Some(_), .. })
}

/// Whether the check's own order was listed beside this one. Were a vendor to list by other ids than it answers with, it
/// would be the check's own that looks like a second one.
fn is_one_too_many(order: &Order, seen: &Sightings, sighting: &Sighting) -> bool {
    let Some(check) = order.check(sighting.reference.check) else { return false };
    let is_listed = |id: &str| seen.listed.iter().any(|row| row.id == id);
    let own = check.state.binding().filter(|binding| !binding.provisional);
    sighting.reference == check.reference() && own.is_some_and(|binding| is_listed(&binding.vendor.order_id))
}
