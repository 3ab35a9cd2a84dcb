//! Sending: the intent is durable before the wire is touched, and the outcome is recorded in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{AfterAbsence, CheckId, Event, News, Order, OrderId, Reason, Stage, SubmissionId, TenantId, Timestamp};
use futures::StreamExt as _;
use provider::{Accepted, CallError, ItemOutcome, NotSentReason, Share, Submission, SubmissionItem, SubmitReport};
use store::{Claim, Finished, NewSubmission, Plan, Scope, StoreError, SubmissionPart, SubmissionState, Tx, Work};

use crate::reconcile::Doubt;
use crate::{Account, Engine};

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

/// How long recording an outcome is tried again while the database is away. After that the call counts as lost.
const RECORDING_PATIENCE: Duration = Duration::from_secs(30);

impl Engine {
    /// Claims what is due for an account, at most `limit` checks, and makes the create calls. Gives how many.
    pub async fn dispatch(&self, account: &Account, limit: i64) -> Result<usize, StoreError> {
        let tickets = self.take_tickets(account, limit).await?;
        let count = tickets.len();
        futures::stream::iter(tickets)
            .for_each_concurrent(account.max_in_flight, |ticket| self.send(account, ticket))
            .await;
        Ok(count)
    }

    /// Claims due checks and records for each that it is being sent.
    pub(crate) async fn take_tickets(&self, account: &Account, limit: i64) -> Result<Vec<Ticket>, StoreError> {
        let now = self.now();
        let claim_until = now + self.settings.lease_margin;
        let claims = self.store().claim(&account.key, Work::Send, limit, now, claim_until).await?;
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        match self.record_sending(account, &claims).await {
            Err(error) if !error.is_transient() && claims.len() > 1 => {
                // One of them cannot be read or written; it must not hold the others up.
                let mut tickets = Vec::new();
                for claim in &claims {
                    match self.record_sending(account, std::slice::from_ref(claim)).await {
                        Ok(ticket) => tickets.extend(ticket),
                        Err(error) => {
                            tracing::error!(%error, check = %claim.check_id, "could not record that a check is being sent");
                        }
                    }
                }
                Ok(tickets)
            }
            recorded => recorded,
        }
    }

    /// Writes down, in one transaction, that these checks are being sent.
    async fn record_sending(&self, account: &Account, claims: &[Claim]) -> Result<Vec<Ticket>, StoreError> {
        let mut claimed: BTreeMap<OrderId, Vec<&Claim>> = BTreeMap::new();
        for claim in claims {
            claimed.entry(claim.order_id).or_default().push(claim);
        }
        let mut tx = self.store().begin().await?;
        let ids: Vec<_> = claimed.keys().copied().collect();
        let mut tickets = Vec::new();
        for mut order in tx.orders().lock_many(&ids).await? {
            let shared = Arc::new(order.input.expose().clone());
            let mut events = Vec::new();
            let mut plans = Vec::new();
            for claim in claimed.remove(&order.id).unwrap_or_default() {
                let ticket = self.prepare(account, &mut order, &shared, claim.check_id, &mut events);
                if let Some(ticket) = ticket {
                    plans.push(Plan { check_id: claim.check_id, work: None });
                    tx.submissions().insert(&ticket.record(account)).await?;
                    tickets.push(ticket);
                }
            }
            tx.orders().save(&order, &plans, &events).await?;
        }
        tx.save().await?;
        Ok(tickets)
    }

    /// Tells the check that it is being sent. `None`: it need not be any more (canceled, or taken by another worker).
    fn prepare(
        &self,
        account: &Account,
        order: &mut Order,
        shared: &Arc<domain::OrderInput>,
        check_id: CheckId,
        events: &mut Vec<Event>,
    ) -> Option<Ticket> {
        let started_at = self.now();
        let lease = account.timing.timeout + self.settings.lease_margin;
        let lease_ends = Instant::now() + lease;
        let id = SubmissionId::generate(self.clock(), self.entropy());
        events.extend(order.tell(check_id, &News::Sending { submission: id }, started_at));
        let check = order.check(check_id)?;
        if !matches!(check.state.stage, Stage::Submitting { submission } if submission == id) {
            return None;
        }
        let item = SubmissionItem {
            reference: check.reference(),
            order: Arc::clone(shared),
            check: Arc::new(check.input.expose().clone()),
            force_new: must_be_new(check),
        };
        let part = SubmissionPart { check_id, order_id: order.id, reference: check.reference() };
        Some(Ticket {
            submission: Submission { id, items: vec![item], hook_url: account.hook_url.clone() },
            parts: vec![part],
            tenant: order.tenant.clone(),
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
            let Some(order) = orders.iter_mut().find(|order| order.id == part.order_id) else { continue };
            let doubt = self.take_in(&mut tx, account, ticket.submission.id, order, part, outcome, ended_at).await?;
            doubts.extend(doubt);
        }
        if in_time && !doubts.is_empty() {
            let submission = ticket.record(account);
            self.open_case(&mut tx, account, &submission, doubts, &mut orders, ended_at.max(ticket.lease_until))
                .await?;
        }
        tx.save().await
    }

    /// Takes one item's outcome in. Gives the doubt it leaves, if it leaves one.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing, and a struct of them would have one use")]
    async fn take_in(
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
        let mut retry_after = None;
        let was_sent_before = order.check(check_id).is_some_and(|check| check.state.sends > 1);
        match outcome {
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
                        events.extend(self.observe(tx, account, order, check_id, snapshot, ended_at).await?);
                    }
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
                doubt = Some(Doubt { part: part.clone(), why: why.clone(), then: then.clone() });
            }
        }
        if was_sent_before && !matches!(outcome, ItemOutcome::NotSent { .. }) {
            self.note_resent(tx, order, check_id, ended_at).await?;
        }
        let plan = self.plan_after(account, order, check_id, retry_after);
        tx.orders().save(order, &plan.into_iter().collect::<Vec<_>>(), &events).await?;
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
        let carried = accepted.snapshot.as_ref().and_then(|snapshot| snapshot.carries.ours());
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
                let due_now = check.state.cancel_is_due().then_some(Duration::ZERO);
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

/// Whether this call must make the vendor make a new object. A call that follows a lost one does not force: should the
/// lost one have made its object after all, the vendor's own dedupe gives that back instead of a second one.
fn must_be_new(check: &domain::Check) -> bool {
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
        NewSubmission {
            id: self.submission.id,
            tenant: self.tenant.clone(),
            account: account.key.clone(),
            started_at: self.started_at,
            lease_until: self.lease_until,
            items: self.parts.clone(),
        }
    }
}
