//! Following what a vendor works on: looking at it on a schedule that grows with its age, and asking to cancel it.
//!
//! Polling backs the hooks up: a hook brings the next look forward, and without hooks nothing is missed, only later.

use std::time::Duration;

use domain::observation::Standing;
use domain::settle::SKEW;
use domain::{
    Check, CheckId, Event, News, Observation, ObservedAt, Order, OrderId, Reason, SubmissionId, Timestamp, VendorRef,
};
use futures::StreamExt as _;
use provider::{CallError, CancelAnswer, Carries, Fetched, Share, Snapshot};
use store::{Plan, Scope, StoreError, Tx, Work};

use crate::joint::Sight;
use crate::timeline::{Reading, is_change};
use crate::{Account, Engine, Parts};

/// So many looks of one account are under way at once.
const AT_ONCE: i64 = 8;

/// When a cancel call that failed is made again.
const SOONEST_RETRY: Duration = Duration::from_secs(1);
const LATEST_RETRY: Duration = Duration::from_secs(30);

/// Why it is looked now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Due,
    /// A caller asked for it.
    Asked,
}

/// One look at a vendor's object.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    /// The object that was looked at.
    pub vendor: &'a VendorRef,
    pub snapshot: &'a Snapshot,
    /// When the look began.
    pub at: Timestamp,
    /// Whether the account was ever seen to give a reference of ours back. Asked where the object shows none.
    pub echoes: bool,
}

/// What a look made of a check.
#[derive(Default)]
pub(crate) struct Seen {
    pub events: Vec<Event>,
    pub misbound: Option<Misbound>,
    /// The object has ended, and does not show yet whose it is: nothing of it was taken in.
    pub is_held: bool,
}

/// A check that is not bound any more, since its place in a batch's answer had named the wrong object.
pub(crate) struct Misbound {
    pub check_id: CheckId,
    /// The create call that it was bound by.
    pub submission: SubmissionId,
    pub why: Reason,
}

impl Seen {
    fn add(&mut self, more: Self) {
        self.events.extend(more.events);
        self.misbound = more.misbound.or(self.misbound.take());
        self.is_held |= more.is_held;
    }
}

impl Engine {
    /// Claims the checks of an account that are due to be looked at, at most `limit`, and looks. Gives how many.
    pub async fn follow(&self, account: &Account, limit: i64) -> Result<usize, StoreError> {
        let now = self.now();
        // A cancel and a fetch of two requests each, the vendor's notes, and then some.
        let lease = account.timing.timeout * 5 + self.settings.lease_margin;
        // No more than are looked at at once: what waits behind them would lose its lease.
        let limit = limit.min(AT_ONCE);
        let claims = self.store().claim_looks(&account.key, limit, now, now + lease).await?;
        let count = claims.len();
        futures::stream::iter(claims)
            .for_each_concurrent(None, |claim| async move {
                if let Err(error) = self.look(account, claim.order_id, claim.check_id, Occasion::Due).await {
                    // Its lease runs out, and it is looked at again.
                    tracing::warn!(%error, check = %claim.check_id, "could not record a look at a vendor's object");
                }
            })
            .await;
        Ok(count)
    }

    /// Looks at every open check of an order that a vendor has, now, and at those that ended without their notes. `None`:
    /// the caller has no such order.
    pub async fn refresh(&self, scope: &Scope, id: OrderId) -> Result<Option<Order>, StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(order) = tx.orders().get(scope, id).await? else { return Ok(None) };
        let mut due = Vec::new();
        for check in order.checks.iter().filter(|check| check.state.binding().is_some()) {
            if let Some(account) = self.account(&check.account)
                && (!check.status().is_final() || self.owes_notes(&mut tx, account, check).await?)
            {
                due.push((account, check.id));
            }
        }
        tx.cancel().await?;
        for (account, check_id) in due {
            self.look(account, id, check_id, Occasion::Asked).await?;
        }
        self.store().begin().await?.orders().get(scope, id).await
    }

    /// Asks the vendor to cancel, if that is wished for, and fetches how its object stands.
    async fn look(
        &self,
        account: &Account,
        order_id: OrderId,
        check_id: CheckId,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let order = tx.orders().get(&Scope::All, order_id).await?;
        let Some(check) = order.as_ref().and_then(|order| order.check(check_id)) else { return Ok(()) };
        let Some(binding) = check.state.binding() else {
            return Ok(());
        };
        let owes_notes = self.owes_notes(&mut tx, account, check).await?;
        tx.cancel().await?;
        let vendor = binding.vendor.clone();
        let mut news = Vec::new();
        let mut ask_again_after = None;
        // What was bound by position could be another's: it is looked at first, and canceled by the look after that.
        if check.state.cancel_is_due()
            && !binding.provisional
            && let (Some(cancel), Some(order)) = (&check.state.cancel, &order)
        {
            if self.is_needed(account, order, check_id, &vendor).await? {
                // It waits until none of the others needs it.
                ask_again_after = Some(self.next_look(account, check));
            } else {
                match self.ask_to_cancel(account, &vendor, &cancel.reason).await {
                    Some(answer) => news.push(answer),
                    None => ask_again_after = Some(account.timing.poll_min.clamp(SOONEST_RETRY, LATEST_RETRY)),
                }
            }
        }
        let is_provisional = binding.provisional;
        let cancel_was_asked = check.state.cancel.as_ref().is_some_and(|cancel| cancel.asked);
        let started_at = self.now();
        let ctx = self.call_context(account, Share::Poll);
        let fetched = match self.fetch_for(account, &ctx, check, &vendor).await {
            Ok(Sight::Whole(fetched)) => Ok(fetched),
            // A part may come after the others; one that does not was never made.
            Ok(Sight::WithoutPart(_)) if is_provisional => {
                return self.look_again_for_part(account, order_id, check_id, &vendor).await;
            }
            Ok(Sight::WithoutPart(snapshot)) => Ok(Fetched::Found(snapshot)),
            Err(error) => Err(error),
        };
        let (snapshot, is_missing) = self.what_was_seen(account, check_id, fetched, cancel_was_asked).await;
        // Before there is a transaction: it must not wait for a second connection.
        let echoes = match snapshot.as_ref().filter(|_| is_provisional).map(|snapshot| snapshot.carries) {
            Some(Carries::Nothing) => self.echoes(&account.key).await?,
            Some(Carries::Ours(_)) => {
                self.store().set_echoes(&account.key).await?;
                true
            }
            Some(Carries::Descent | Carries::Foreign) | None => false,
        };
        let look = snapshot.as_ref().map(|snapshot| Look { vendor: &vendor, snapshot, at: started_at, echoes });
        let reading = match look {
            Some(look) if owes_notes || occasion == Occasion::Asked || is_change(check, look.snapshot) => {
                self.read_notes(account, check, look).await
            }
            None if owes_notes => Reading::Failed,
            _ => Reading::NotDue,
        };
        let mut tx = self.store().begin().await?;
        let Some(mut order) = tx.orders().lock(order_id).await? else { return Ok(()) };
        let now = self.now();
        let mut seen = Seen::default();
        for news in news {
            seen.events.extend(order.tell(check_id, &news, now));
        }
        if let Some(look) = look {
            // What the vendor did comes before what came of it.
            seen.events.extend(self.note_events(&mut tx, account, &order, check_id, look, &reading).await?);
            seen.add(self.observe(&mut tx, account, &mut order, check_id, look).await?);
            seen.events.extend(self.refuse_to_cancel(account, &mut order, check_id, look));
        } else if is_missing {
            let why = "The vendor does not show the order that its answer named at this check's place.";
            seen.add(self.misbound(account, &mut order, check_id, &vendor, why));
        }
        let is_news = !seen.events.is_empty();
        let plan = self.plan_after(account, &order, check_id, ask_again_after);
        let plan = self.after_reading(&mut tx, &order, check_id, &vendor, &reading, plan).await?;
        self.save_seen(&mut tx, account, &mut order, seen, plan).await?;
        tx.save().await?;
        if is_news {
            self.woken.notify_waiters();
        }
        Ok(())
    }

    /// What a fetch says of the object, and whether the vendor does not show it.
    async fn what_was_seen(
        &self,
        account: &Account,
        check_id: CheckId,
        fetched: Result<Fetched, CallError>,
        cancel_was_asked: bool,
    ) -> (Option<Snapshot>, bool) {
        let mut snapshot = None;
        let mut is_missing = false;
        match fetched {
            Ok(Fetched::Found(found)) => {
                self.call_went_well(&account.key).await;
                snapshot = Some(*found);
            }
            Ok(Fetched::Missing) if cancel_was_asked => {
                // Asked to cancel, it is gone: that is the confirmation.
                let reason = Reason::new("canceled", "Canceled at the vendor, which does not show it any more.");
                snapshot = Some(gone(reason));
            }
            Ok(Fetched::NotBegun) => {
                self.call_went_well(&account.key).await;
                if cancel_was_asked {
                    let why = "Canceled before anybody had begun; the vendor has nothing of it.";
                    snapshot = Some(gone(Reason::new("canceled", why)));
                }
            }
            Ok(Fetched::Missing) => {
                tracing::warn!(check = %check_id, account = %account.key, "the vendor does not show an order that it had accepted");
                metrics::counter!("vetgate_vendor_objects_missing_total", "account" => account.key.to_string())
                    .increment(1);
                is_missing = true;
            }
            Err(error) => {
                tracing::info!(check = %check_id, account = %account.key, %error, "could not look at a vendor's object");
                self.call_failed(&account.key, &error).await;
            }
        }
        (snapshot, is_missing)
    }

    /// The vendor's object that a create call named shows no part of this check. While the part may still come it is waited
    /// for; after that nobody knows what the call made of the check, and it is looked for like any other.
    async fn look_again_for_part(
        &self,
        account: &Account,
        order_id: OrderId,
        check_id: CheckId,
        vendor: &VendorRef,
    ) -> Result<(), StoreError> {
        self.call_went_well(&account.key).await;
        let mut tx = self.store().begin().await?;
        let Some(mut order) = tx.orders().lock(order_id).await? else { return Ok(()) };
        let Some(check) = order.check(check_id) else { return Ok(()) };
        let mut seen = Seen::default();
        if !self.may_be_confirmed(account, check, false) {
            let why = "The vendor's order that the create call named holds no part with this check's reference.";
            seen.add(self.misbound(account, &mut order, check_id, vendor, why));
        }
        let is_news = !seen.events.is_empty();
        let plan = self.plan_after(account, &order, check_id, None);
        self.save_seen(&mut tx, account, &mut order, seen, plan).await?;
        tx.save().await?;
        if is_news {
            self.woken.notify_waiters();
        }
        Ok(())
    }

    /// Writes down what a look changed. A binding that turned out wrong becomes a doubt about its create call.
    pub(crate) async fn save_seen(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &mut Order,
        seen: Seen,
        plan: Option<Plan>,
    ) -> Result<(), StoreError> {
        tx.orders().save(order, &plan.into_iter().collect::<Vec<_>>(), &seen.events).await?;
        match seen.misbound {
            Some(misbound) => self.doubt_binding(tx, account, order, misbound).await,
            None => Ok(()),
        }
    }

    async fn ask_to_cancel(&self, account: &Account, vendor: &VendorRef, reason: &Reason) -> Option<News> {
        let ctx = self.call_context(account, Share::Create);
        match account.provider.cancel(&ctx, vendor, reason).await {
            Ok(CancelAnswer::Agreed | CancelAnswer::AlreadyEnded) => Some(News::CancelAsked),
            Ok(CancelAnswer::Refused(why)) => Some(News::CancelRefused { why }),
            // It is asked again with the next look.
            Err(error) => {
                tracing::info!(account = %account.key, %error, "could not ask the vendor to cancel");
                self.call_failed(&account.key, &error).await;
                None
            }
        }
    }

    /// Takes a snapshot in: the check, the vendor's answer, and the documents that it names.
    pub(crate) async fn observe(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &mut Order,
        check_id: CheckId,
        look: Look<'_>,
    ) -> Result<Seen, StoreError> {
        let now = self.now();
        let Some(check) = order.check(check_id) else { return Ok(Seen::default()) };
        let Some(binding) = check.state.binding() else { return Ok(Seen::default()) };
        if binding.vendor.order_id != look.vendor.order_id {
            // It was bound to another object while this one was looked at.
            return Ok(Seen::default());
        }
        let snapshot = account.provider.compare(check.input.expose(), look.snapshot.clone());
        let vendor = VendorRef {
            order_id: binding.vendor.order_id.clone(),
            check_id: snapshot.part_id.clone().filter(|id| !id.contains('\0')),
        };
        let shows_it =
            matches!(snapshot.carries, Carries::Descent) || snapshot.carries == Carries::Ours(check.reference());
        let confirms = binding.provisional && shows_it;
        if binding.provisional && !confirms && snapshot.carries != Carries::Nothing {
            // Its result must never become this check's.
            let why = "The vendor's order at this check's place in the answer carries another reference.";
            return Ok(self.misbound(account, order, check_id, &vendor, why));
        }
        let is_unsaid = binding.provisional && !confirms;
        if is_unsaid && snapshot.standing.is_final() && self.may_be_confirmed(account, check, look.echoes) {
            // It could be another's ending.
            tracing::warn!(check = %check_id, account = %account.key, vendor_order = vendor.order_id, "a vendor's order has ended and does not show whose it is: nothing of it is taken yet");
            return Ok(Seen { is_held: true, ..Seen::default() });
        }
        if let (Some(ours), Some(theirs)) = (&binding.vendor.check_id, &vendor.check_id)
            && ours != theirs
        {
            // Of another part of the object: nothing of it is this check's.
            return Ok(Seen::default());
        }
        let observation = Observation {
            vendor: vendor.clone(),
            observed: observed_at(&snapshot, look.at, now),
            native_status: snapshot.native_status.clone(),
            standing: snapshot.standing.clone(),
        };
        if observation.standing == Standing::Unknown {
            metrics::counter!("vetgate_vendor_status_unknown_total", "provider" => check.account.provider.to_string())
                .increment(1);
        }
        // Of one moment, the end is the last that was said.
        let latest = binding.latest.as_ref().map(|look| (look.observed.at, false));
        let ending = binding.ending.as_ref().map(|ending| (ending.observed.at, true));
        let is_old = latest.max(ending) > Some((observation.observed.at, observation.standing.is_final()));
        let mut seen = Seen::default();
        if confirms {
            seen.events.extend(order.tell(check_id, &News::Confirmed { vendor }, now));
        }
        seen.events.extend(order.tell(check_id, &News::Observed(observation), now));
        let payload = snapshot.payload.expose();
        // News may come late, as hooks do. What the vendor said last stays.
        if !payload.is_empty() && !is_old {
            tx.payloads().put(check_id, order.id, payload, now).await?;
        }
        if !snapshot.documents.is_empty() {
            tx.documents().put(check_id, order.id, &snapshot.documents, now).await?;
        }
        Ok(seen)
    }

    /// Whether the vendor's object, which shows no reference now, may do so later.
    pub(crate) fn may_be_confirmed(&self, account: &Account, check: &Check, echoes: bool) -> bool {
        let is_young = |bound: Timestamp| self.now() < bound + account.settle_window(check.input.expose());
        // A reverification never shows a reference, whatever else in its account does.
        let will_show = echoes && check.input.expose().prior_report().is_none();
        will_show || check.state.submitted_at.is_some_and(is_young)
    }

    /// Tells a check that is to be canceled, and whose object never shows whose it is, that it will not be: the object
    /// could be another's.
    fn refuse_to_cancel(&self, account: &Account, order: &mut Order, check_id: CheckId, look: Look<'_>) -> Vec<Event> {
        let Some(check) = order.check(check_id) else { return Vec::new() };
        let is_unsaid = look.snapshot.carries == Carries::Nothing
            && check
                .state
                .binding()
                .is_some_and(|binding| binding.provisional && binding.vendor.order_id == look.vendor.order_id);
        if !is_unsaid || !check.state.cancel_is_due() || self.may_be_confirmed(account, check, look.echoes) {
            return Vec::new();
        }
        let why = Reason::new(
            "not_confirmed",
            "It is not canceled: which of the vendor's orders it is, is known from the create call's answer only, and the \
             vendor shows nothing that would confirm it. Find the order in the vendor's dashboard and cancel it there.",
        );
        tracing::warn!(check = %check_id, account = %account.key, "a check is to be canceled whose vendor order cannot be confirmed");
        order.tell(check_id, &News::CancelRefused { why }, self.now())
    }

    /// Tells a check that was bound by position that this is not its object. Nothing happens to a confirmed binding.
    fn misbound(
        &self,
        account: &Account,
        order: &mut Order,
        check_id: CheckId,
        vendor: &VendorRef,
        message: &str,
    ) -> Seen {
        let binding = order.check(check_id).and_then(|check| check.state.binding());
        let Some(submission) = binding.filter(|binding| binding.provisional).map(|binding| binding.submission) else {
            return Seen::default();
        };
        tracing::error!(check = %check_id, account = %account.key, vendor_order = vendor.order_id, "a vendor's order was bound by position and is not the check's");
        metrics::counter!("vetgate_misbound_total", "account" => account.key.to_string()).increment(1);
        let why = Reason::new("misbound", message);
        let news = News::Misbound { vendor: vendor.clone(), why: why.clone() };
        let events = order.tell(check_id, &news, self.now());
        // One that has ended already stays as it is.
        let misbound = (!events.is_empty()).then_some(Misbound { check_id, submission, why });
        Seen { events, misbound, is_held: false }
    }
}

impl Parts {
    /// How long until the next look: a quarter of the check's age at the vendor, within the account's bounds, with
    /// jitter so that the checks of a batch do not stay in step.
    pub(crate) fn next_look(&self, account: &Account, check: &Check) -> Duration {
        let age = check.state.submitted_at.map_or(Duration::ZERO, |submitted| self.now().since(submitted));
        let timing = &account.timing;
        let wait = (age / 4).clamp(timing.poll_min, timing.poll_max.max(timing.poll_min));
        wait.mul_f64(0.2_f64.mul_add(self.random(), 0.9))
    }
}

/// By the vendor's own time where it gives one, else by the start of the look; then by when it came here.
fn observed_at(snapshot: &Snapshot, looked_at: Timestamp, now: Timestamp) -> ObservedAt {
    let micros = now.get().unix_timestamp_nanos() / 1_000;
    // A vendor's clock that is far ahead must not make everything later look old.
    let at = snapshot.vendor_time.map_or(looked_at, |vendor| vendor.min(now + SKEW));
    ObservedAt { at, sequence: i64::try_from(micros).unwrap_or(i64::MAX) }
}

fn gone(reason: Reason) -> Snapshot {
    Snapshot {
        part_id: None,
        carries: Carries::Nothing,
        vendor_time: None,
        native_status: "missing".into(),
        standing: Standing::Canceled { reason },
        documents: Vec::new(),
        payload: domain::Sensitive::default(),
    }
}

/// Brings the next look at a check forward to now.
pub(crate) const fn look_now(check_id: CheckId, now: Timestamp) -> Plan {
    Plan { check_id, work: Some((Work::Follow, now)) }
}
