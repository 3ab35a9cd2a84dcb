//! Sending: the intent is durable before the wire is touched, and the outcome is recorded in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{AfterAbsence, CheckId, Event, News, Order, OrderId, Reason, Stage, SubmissionId, TenantId, Timestamp};
use futures::StreamExt as _;
use provider::{Accepted, CallError, ItemOutcome, NotSentReason, Share, Submission, SubmissionItem, SubmitReport};
use store::{Claim, Finished, Lane, NewSubmission, Plan, Scope, StoreError, SubmissionPart, SubmissionState, Tx, Work};

use crate::follow::Look;
use crate::reconcile::Doubt;
use crate::{Account, Engine, find, find_mut, joint, plan};

/// A create call that is recorded as `sending` and may now be made, once.
pub(crate) struct Ticket {
    submission: Submission,
    parts: Vec<SubmissionPart>,
    tenant: TenantId,
    started_at: Timestamp,
    lease_until: Timestamp,
    /// The same lease by the monotonic clock.
    lease_ends: Instant,
}

/// What became of the checks that were claimed.
#[derive(Default)]
pub(crate) struct Round {
    pub tickets: Vec<Ticket>,
    /// So many are not sent: canceled, taken by another worker, or not to be read.
    pub stopped: usize,
}

impl Round {
    /// How much was done; 0: nothing is due.
    pub(crate) fn progress(&self) -> usize {
        self.tickets.len() + self.stopped
    }
}

/// What is written down for one order of a round.
pub(crate) type Changes = BTreeMap<OrderId, (Vec<Plan>, Vec<Event>)>;

/// How long recording an outcome is tried again while the database is away. After that the call counts as lost.
pub(crate) const RECORDING_PATIENCE: Duration = Duration::from_secs(30);

impl Engine {
    /// Claims what is due for an account and makes the create calls, at most `limit`. Gives how many, and counts as one
    /// each check that turned out not to be wanted any more.
    pub async fn dispatch(&self, account: &Account, limit: usize) -> Result<usize, StoreError> {
        let round = self.take_tickets(account, limit).await?;
        let progress = round.progress();
        futures::stream::iter(round.tickets)
            .for_each_concurrent(account.max_in_flight, |ticket| self.send(account, ticket))
            .await;
        Ok(progress)
    }

    /// Claims due checks for at most `limit` calls, a fair share of each lane, and records for each that it is being sent.
    pub(crate) async fn take_tickets(&self, account: &Account, limit: usize) -> Result<Round, StoreError> {
        let claims = self.claim_shares(account, limit).await?;
        if claims.is_empty() {
            return Ok(Round::default());
        }
        match self.record_sending(account, &claims, limit).await {
            Err(error) if !error.is_transient() && claims.len() > 1 => {
                // One of them cannot be read or written; it must not hold the others up. Those beyond the limit come
                // due again with the end of their lease.
                let mut round = Round::default();
                for claim in &claims {
                    if round.tickets.len() == limit {
                        break;
                    }
                    match self.record_sending(account, std::slice::from_ref(claim), 1).await {
                        Ok(one) => {
                            round.tickets.extend(one.tickets);
                            round.stopped += one.stopped;
                        }
                        Err(error) => {
                            tracing::error!(%error, check = %claim.check_id, "could not record that a check is being sent");
                        }
                    }
                }
                Ok(round)
            }
            recorded => recorded,
        }
    }

    async fn claim_shares(&self, account: &Account, limit: usize) -> Result<Vec<Claim>, StoreError> {
        let batch_size = account.provider.descriptor().batch_size;
        // Another process may just have emptied the lanes whose turn it was. Then it is the turn of others, once.
        for _ in 0..2 {
            let now = self.now();
            let lanes: Vec<_> = self.store().lanes(&account.key, now).await?.iter().map(|lane| lane.0).collect();
            if lanes.is_empty() || limit == 0 {
                break;
            }
            let shares = self.turns.share(&account.key, &lanes, limit).into_iter().map(|(lane, calls)| {
                let checks = if lane.is_some() { calls.saturating_mul(batch_size) } else { calls };
                (Lane(lane), i64::try_from(checks).unwrap_or(i64::MAX))
            });
            let claim_until = now + self.settings.lease_margin;
            let claims = self.store().claim_lanes(&account.key, &shares.collect::<Vec<_>>(), now, claim_until).await?;
            if !claims.is_empty() {
                return Ok(claims);
            }
        }
        Ok(Vec::new())
    }

    /// Writes down, in one transaction, that these checks are being sent in at most `most` calls; what would make more
    /// of them is given back.
    async fn record_sending(&self, account: &Account, claims: &[Claim], most: usize) -> Result<Round, StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let ids: Vec<_> = claims.iter().map(|claim| claim.order_id).collect();
        let batches: BTreeSet<_> = claims.iter().filter_map(|claim| claim.batch).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let canceled = if batches.is_empty() {
            BTreeMap::new()
        } else {
            tx.batches().canceled_among(&batches.into_iter().collect::<Vec<_>>()).await?
        };
        let mut changes = Changes::new();
        let mut round = Round::default();
        let (mut wanted, mut due) = (Vec::new(), Vec::new());
        let mut taken: BTreeSet<_> = claims.iter().map(|claim| claim.check_id).collect();
        for claim in claims {
            let Some(order) = find_mut(&mut orders, claim.order_id) else {
                // It comes due again with the end of its lease.
                round.stopped += 1;
                continue;
            };
            let Some(check) = order.check(claim.check_id) else { continue };
            // Also where it has moved on to another vendor since it was claimed.
            if check.account != account.key || !matches!(check.state.stage, Stage::Queued { .. }) {
                round.stopped += 1;
                continue;
            }
            let fresh = check.state.sends == 0;
            if let Some(why) = claim.batch.and_then(|batch| canceled.get(&batch)) {
                let news = News::CancelRequested { why: why.clone(), at: now };
                note(&mut changes, order.tell(claim.check_id, &news, now), order.id, claim.check_id, None);
                round.stopped += 1;
                continue;
            }
            let joins = (fresh && joint::joins(account, check)).then_some(order.id);
            let mut group = vec![claim.clone()];
            if joins.is_some() {
                // What can share the vendor's object goes along, claimed or not: the order is locked, and whoever else has
                // claimed it finds it under way.
                group.extend(
                    joint::companions(account, order, claim).into_iter().filter(|it| taken.insert(it.check_id)),
                );
            }
            for claim in group {
                due.push(plan::Due { batch: claim.batch, tenant: claim.tenant.clone(), fresh, joins });
                wanted.push(claim);
            }
        }
        let planned = plan::calls(&due, account.provider.descriptor().batch_size, most);
        for claim in planned.surplus.iter().map(|at| &wanted[*at]) {
            note(&mut changes, Vec::new(), claim.order_id, claim.check_id, Some((Work::Send, now)));
        }
        for call in planned.calls {
            let mut checks: Vec<&Claim> = call.checks.iter().map(|at| &wanted[*at]).collect();
            if call.joint {
                // Parts stand as the caller listed them, whoever was claimed first.
                checks.sort_by_key(|claim| {
                    let check = find(&orders, claim.order_id).and_then(|order| order.check(claim.check_id));
                    check.map(|check| check.position)
                });
            }
            round.tickets.extend(self.prepare(account, &mut orders, &checks, call.joint, &mut changes));
        }
        for (id, (plans, events)) in &changes {
            if let Some(order) = find(&orders, *id) {
                tx.orders().save(order, plans, events).await?;
            }
        }
        for ticket in &round.tickets {
            tx.submissions().insert(&ticket.record(account)).await?;
        }
        tx.save().await?;
        Ok(round)
    }

    /// Tells the checks of one call that they are being sent. `None`: there is nothing to send.
    pub(crate) fn prepare(
        &self,
        account: &Account,
        orders: &mut [Order],
        call: &[&Claim],
        joint: bool,
        changes: &mut Changes,
    ) -> Option<Ticket> {
        let started_at = self.now();
        let lease = account.timing.timeout + self.settings.lease_margin;
        let lease_ends = Instant::now() + lease;
        let id = SubmissionId::generate(self.clock(), self.entropy());
        let (mut items, mut parts) = (Vec::with_capacity(call.len()), Vec::with_capacity(call.len()));
        for claim in call {
            let check_id = claim.check_id;
            let Some(order) = find_mut(orders, claim.order_id) else { continue };
            let events = order.tell(check_id, &News::Sending { submission: id }, started_at);
            let Some(check) = order.check(check_id) else { continue };
            if !matches!(check.state.stage, Stage::Submitting { submission } if submission == id) {
                continue;
            }
            note(changes, events, order.id, check_id, None);
            parts.push(SubmissionPart { check_id, order_id: order.id, reference: check.reference() });
            items.push(SubmissionItem {
                reference: check.reference(),
                order: Arc::new(order.input.expose().clone()),
                check: Arc::new(check.input.expose().clone()),
                force_new: must_be_new(check),
            });
        }
        Some(Ticket {
            tenant: call.first().filter(|_| !items.is_empty())?.tenant.clone(),
            submission: Submission { id, joint: joint && items.len() > 1, items, hook_url: account.hook_url.clone() },
            parts,
            started_at,
            lease_until: started_at + lease,
            lease_ends,
        })
    }

    /// For tests of crashes: does what a process does that dies between recording its intent and making the call.
    #[doc(hidden)]
    pub async fn forget_a_ticket(&self, account: &Account) {
        drop(self.take_tickets(account, 1).await);
    }

    /// Makes the create call and records how it ended.
    pub(crate) async fn send(&self, account: &Account, ticket: Ticket) {
        let ctx = self.call_context(account, Share::Create).with_lease(ticket.lease_ends);
        // The monotonic clock may stand still while a machine sleeps; the other one does not.
        let report = if self.now() + account.timing.timeout > ticket.lease_until {
            let error = CallError::NotSent { why: NotSentReason::LeaseTooShort, retry_after: None };
            SubmitReport::of_error(&ticket.submission, &error, Duration::ZERO)
        } else {
            account.provider.submit(&ctx, &ticket.submission).await
        };
        let ended_at = self.now();
        self.count(account, &report).await;
        let give_up = Instant::now() + RECORDING_PATIENCE;
        loop {
            match self.record_outcome(account, &ticket, &report, ended_at).await {
                Ok(()) => break,
                Err(error) if error.is_transient() && Instant::now() < give_up => {
                    tracing::warn!(%error, submission = %ticket.submission.id, "could not record a create call's outcome; trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                Err(error) => {
                    // Its lease runs out, a case opens, and reconciliation finds out what is known here and was not kept.
                    tracing::error!(%error, submission = %ticket.submission.id, "could not record a create call's outcome");
                    break;
                }
            }
        }
        self.wake();
    }

    /// Outcome, bindings, events, further work and cases, in one transaction.
    async fn record_outcome(
        &self,
        account: &Account,
        ticket: &Ticket,
        report: &SubmitReport,
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let ids: Vec<_> = ticket.parts.iter().map(|part| part.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let finished = Finished {
            state: state_of(report),
            ended_at,
            http_status: report.evidence.status,
            answer: Some(report.evidence.answer.expose()),
        };
        // False where the lease was over and a case is open already: what is known now still counts.
        let in_time = tx.submissions().finish(ticket.submission.id, &finished).await?;
        let mut doubts = Vec::new();
        let unsaid = ItemOutcome::Unknown {
            why: Reason::new("no_outcome", "The adapter said nothing of this item."),
            then: AfterAbsence::Resend,
        };
        for (part, outcome) in ticket.parts.iter().zip(report.items.iter().chain(std::iter::repeat(&unsaid))) {
            let Some(order) = find_mut(&mut orders, part.order_id) else {
                doubts.push(Doubt::unreadable(part));
                continue;
            };
            let doubt = self.take_in(&mut tx, account, ticket.submission.id, order, part, outcome, ended_at).await?;
            doubts.extend(doubt);
        }
        if in_time && !doubts.is_empty() {
            let submission = ticket.record(account);
            self.open_case(&mut tx, account, &submission, doubts, &orders, ended_at.max(ticket.lease_until)).await?;
        }
        tx.save().await
    }

    /// Takes one item's outcome in. Gives the doubt it leaves, if it leaves one.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing, and a struct of them would have one use")]
    pub(crate) async fn take_in(
        &self,
        tx: &mut Tx,
        account: &Account,
        submission: SubmissionId,
        order: &mut Order,
        part: &SubmissionPart,
        outcome: &ItemOutcome,
        ended_at: Timestamp,
    ) -> Result<Option<Doubt>, StoreError> {
        let check_id = part.check_id;
        let now = self.now();
        let mut doubt = None;
        let mut events = Vec::new();
        let mut misbound = None;
        let mut retry_after = None;
        let was_sent_before = order.check(check_id).is_some_and(|check| check.state.sends > 1);
        let taken = self.of_another_check(tx, account, order, part, outcome).await?;
        match taken.as_ref().unwrap_or(outcome) {
            ItemOutcome::Accepted(accepted) => {
                if let Some(why) = self.may_not_use(tx, account, order, part, accepted).await? {
                    let sends = order.check(check_id).map_or(0, |check| check.state.sends);
                    let news = if sends < self.settings.max_sends {
                        News::MustBeNew { submission, why }
                    } else {
                        News::Rejected { submission, why, at: now }
                    };
                    events.extend(order.tell(check_id, &news, now));
                } else {
                    let vendor = accepted.vendor.clone();
                    let news = News::Accepted { submission, vendor, provisional: accepted.provisional, at: ended_at };
                    events.extend(order.tell(check_id, &news, now));
                    if let Some(snapshot) = &accepted.snapshot {
                        let look = Look { vendor: &accepted.vendor, snapshot, at: ended_at, echoes: false };
                        let seen = self.observe(tx, account, order, check_id, look).await?;
                        events.extend(seen.events);
                        misbound = seen.misbound;
                    }
                    // A place in a list is no proof: the object itself says at once whose it is.
                    retry_after = accepted.provisional.then_some(Duration::ZERO);
                }
            }
            ItemOutcome::Rejected(why) => {
                events.extend(order.tell(check_id, &News::Rejected { submission, why: why.clone(), at: now }, now));
            }
            ItemOutcome::NotSent { why, retry_after: wait } => {
                events.extend(order.tell(check_id, &News::NotSent { submission, why: why.clone() }, now));
                retry_after = *wait;
            }
            ItemOutcome::Unknown { why, then } => {
                events.extend(order.tell(check_id, &News::Unconfirmed { submission, why: why.clone() }, now));
                doubt = Some(Doubt { part: part.clone(), why: why.clone(), then: then.clone(), review: None });
            }
        }
        if was_sent_before && !matches!(outcome, ItemOutcome::NotSent { .. }) {
            self.note_resent(tx, order, check_id, ended_at).await?;
        }
        let plan = self.plan_after(account, order, check_id, retry_after);
        let plan = self.after_create(tx, account, order, check_id, plan).await?;
        tx.orders().save(order, &plan.into_iter().collect::<Vec<_>>(), &events).await?;
        if let Some(misbound) = misbound {
            self.doubt_binding(tx, account, order, misbound).await?;
        }
        Ok(doubt)
    }

    /// Why an object that the vendor answered with cannot fulfil this check, if it cannot.
    ///
    /// A vendor's own dedupe may answer with an object that it made before. Within a tenant it is shared; whether another
    /// tenant screened the same person is never told, so that one is not used.
    async fn may_not_use(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        part: &SubmissionPart,
        accepted: &Accepted,
    ) -> Result<Option<Reason>, StoreError> {
        if !account.provider.descriptor().reuses_objects {
            return Ok(None);
        }
        if accepted.reused
            && order.check(part.check_id).is_some_and(|check| asks_for_new(check) || check.state.force_new)
        {
            return Ok(Some(Reason::new(
                "not_new",
                "The vendor answered with an earlier check; a new one was asked for.",
            )));
        }
        let holders = tx.vendor_objects().holders(&account.key, &accepted.vendor.order_id).await?;
        let mut is_anothers = holders.iter().any(|holder| holder.tenant != order.tenant);
        // Its own create call may still be in doubt, so that nobody holds it yet.
        let carried = accepted.carries.ours();
        if let Some(reference) = carried.filter(|reference| reference.check != part.check_id) {
            let owner = tx.orders().of_check(&Scope::All, reference.check).await?;
            is_anothers |= owner.is_some_and(|owner| owner.tenant != order.tenant);
        }
        Ok(is_anothers.then(|| Reason::new("must_be_new", "The vendor must make a new check for this order.")))
    }

    /// What is to be done for a check now, by where it stands.
    pub(crate) fn plan_after(
        &self,
        account: &Account,
        order: &Order,
        check_id: CheckId,
        retry_after: Option<Duration>,
    ) -> Option<Plan> {
        let check = order.check(check_id)?;
        let now = self.now();
        let work = match &check.state.stage {
            Stage::Queued { .. } => {
                let wait = retry_after.unwrap_or_else(|| self.back_off(check.state.waits.max(check.state.sends)));
                Some((Work::Send, now + wait))
            }
            Stage::Bound(binding) if binding.ending.is_none() => {
                // Whose object it is must be known before it may be canceled.
                let can_cancel = check.state.cancel_is_due() && !binding.provisional;
                let due_now = can_cancel.then_some(Duration::ZERO);
                let wait = retry_after.or(due_now).unwrap_or_else(|| self.next_look(account, check));
                Some((Work::Follow, now + wait))
            }
            _ => None,
        };
        Some(Plan { check_id, work })
    }

    async fn count(&self, account: &Account, report: &SubmitReport) {
        let key = &account.key;
        for item in &report.items {
            metrics::counter!("vetgate_create_calls_total", "account" => key.to_string(), "class" => class_of(item))
                .increment(1);
        }
        let first_failure = report.items.iter().find_map(|item| match item {
            ItemOutcome::Unknown { why, .. } => Some(why.code.as_str()),
            ItemOutcome::NotSent { why, .. } if why.code == provider::NotSentReason::NotConnected.code() => {
                Some(why.code.as_str())
            }
            _ => None,
        });
        match (report.evidence.status, first_failure) {
            (Some(500..), _) => self.call_went_wrong(key, "server_error").await,
            // Wrong credentials or a wrong address: nothing goes through until somebody mends the settings.
            (Some(401 | 403 | 406), _) => self.call_went_wrong(key, "refused").await,
            (Some(_), _) => self.call_went_well(key).await,
            (None, Some(code)) => self.call_went_wrong(key, code).await,
            (None, None) => {}
        }
    }
}

pub(crate) fn note(
    changes: &mut Changes,
    events: Vec<Event>,
    order: OrderId,
    check_id: CheckId,
    work: Option<(Work, Timestamp)>,
) {
    let change = changes.entry(order).or_default();
    change.0.push(Plan { check_id, work });
    change.1.extend(events);
}

/// Whether this call must make the vendor make a new object. A call that follows a lost one does not force: should the
/// lost one have made its object after all, the vendor's own dedupe gives that back instead of a second one.
pub(crate) fn must_be_new(check: &domain::Check) -> bool {
    check.state.force_new || (asks_for_new(check) && check.state.sends == 1)
}

fn asks_for_new(check: &domain::Check) -> bool {
    matches!(&check.input.expose().spec, domain::CheckSpec::BackgroundCheck(spec) if spec.force_new)
}

const fn class_of(outcome: &ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Accepted(_) => "accepted",
        ItemOutcome::Rejected(_) => "rejected",
        ItemOutcome::NotSent { .. } => "not_sent",
        ItemOutcome::Unknown { .. } => "unknown",
    }
}

fn state_of(report: &SubmitReport) -> SubmissionState {
    let mut states = report.items.iter().map(|item| match item {
        ItemOutcome::Accepted(_) => SubmissionState::Accepted,
        ItemOutcome::Rejected(_) => SubmissionState::Rejected,
        ItemOutcome::NotSent { .. } => SubmissionState::NotSent,
        ItemOutcome::Unknown { .. } => SubmissionState::Unknown,
    });
    let Some(first) = states.next() else { return SubmissionState::Unknown };
    if states.all(|state| state == first) { first } else { SubmissionState::Mixed }
}

impl Ticket {
    fn record(&self, account: &Account) -> NewSubmission {
        self.recorded_until(account, self.lease_until)
    }

    /// As it is recorded with another lease than that of a single call.
    pub(crate) fn recorded_until(&self, account: &Account, lease_until: Timestamp) -> NewSubmission {
        NewSubmission {
            id: self.submission.id,
            tenant: self.tenant.clone(),
            account: account.key.clone(),
            started_at: self.started_at,
            lease_until,
            items: self.parts.clone(),
        }
    }
}
