//! The vendors' hooks: verified and stored before they are answered, taken in once, in any order.

use std::time::Duration;

use domain::check::Binding;
use domain::{
    AccountKey, AfterAbsence, CaseItem, Check, CheckId, Event, EventType, InboxId, ItemState, News, Order, OrderId,
    Reason, Stage, SubmissionId, Timestamp,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use provider::{Carries, HookNews, HookRefused, HookRequest, HookSays};
use store::{InboxItem, InboxSource, NewSubmission, Plan, Scope, StoreError, SubmissionPart, Tx};

use crate::follow::{Look, look_now};
use crate::reconcile::{Doubt, late_scan_is_due};
use crate::{Account, Engine, joint};

/// How long a worker has for the hooks it claimed.
const LEASE: Duration = Duration::from_secs(30);
/// News of a check whose vendor order is not known yet is kept this long.
const PATIENCE: Duration = Duration::from_hours(72);
/// A hook that the database refuses is tried this often.
const MOST_ATTEMPTS: u32 = 20;
const CLAIM: i64 = 50;

#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("there is no such vendor account here")]
    NoSuchAccount,
    #[error(transparent)]
    Refused(#[from] HookRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of a hook besides its news.
#[derive(Clone, Copy)]
struct Told {
    /// When it came in.
    at: Timestamp,
    /// Whether its account was ever seen to give a reference of ours back. Asked where the news shows none.
    echoes: bool,
}

/// What became of one piece of news.
enum Taken {
    Yes,
    /// It is about a check whose vendor order is not known yet.
    TooEarly,
}

impl Engine {
    /// Verifies a hook and stores it. It is durable when this returns; workers take it in.
    pub async fn receive_hook(&self, key: &AccountKey, request: HookRequest) -> Result<(), HookError> {
        let account = self.account(key).ok_or(HookError::NoSuchAccount)?;
        let verified = account.provider.receive_hook(&request);
        let is_hint = verified.as_ref().is_ok_and(|news| news.iter().any(|news| matches!(news.says, HookSays::Hint)));
        let outcome = match &verified {
            Ok(_) if is_hint => "hint",
            Ok(_) => "accepted",
            Err(_) => "refused",
        };
        metrics::counter!("vetgate_hooks_total", "account" => key.to_string(), "outcome" => outcome).increment(1);
        let news = verified?;
        if is_hint {
            // Whoever sent it is not told whether it named anything.
            return Ok(self.take_hint(account, &request, &news).await?);
        }
        let id = InboxId::generate(self.clock(), self.entropy());
        let headers = request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let headers: Vec<_> = headers.collect();
        self.store().receive(id, key, &headers, &request.body, request.received_at).await?;
        self.wake();
        Ok(())
    }

    /// Looks soon at what a hint names and a check holds here. Nothing of the hint is kept: strangers fill no inbox.
    async fn take_hint(&self, account: &Account, request: &HookRequest, news: &[HookNews]) -> Result<(), StoreError> {
        for news in news {
            let Some(vendor) = &news.vendor else { continue };
            let mut tx = self.store().begin().await?;
            let is_held = !tx.vendor_objects().holders(&account.key, &vendor.order_id).await?.is_empty();
            tx.cancel().await?;
            if is_held {
                self.take_once(account, request, news).await?;
            }
        }
        self.wake();
        Ok(())
    }

    /// Takes stored hooks in. Gives how many were claimed.
    pub async fn read_inbox(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let items = self.store().claim_inbox(now, now + LEASE, CLAIM).await?;
        let count = items.len();
        for item in items {
            let (id, attempts) = (item.id, item.attempts);
            if let Err(error) = self.read(item).await {
                // The others are not held up, and it comes back ever more rarely, at last not at all.
                tracing::warn!(%error, hook = %id, "could not take a hook in");
                if !error.is_transient() {
                    self.put_off(id, attempts).await?;
                }
            }
        }
        Ok(count)
    }

    async fn put_off(&self, id: InboxId, attempts: u32) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        if attempts < MOST_ATTEMPTS {
            tx.inbox().retry(id, self.now() + self.back_off(attempts + 1)).await?;
        } else {
            tx.inbox().bury(id, "failed_too_often").await?;
        }
        tx.save().await
    }

    async fn read(&self, item: InboxItem) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(account) = self.account(&item.account) else {
            tx.inbox().bury(item.id, "no_such_account").await?;
            return tx.save().await;
        };
        let request = HookRequest {
            headers: headers(item.headers.expose()),
            body: item.body.expose().clone(),
            received_at: item.received_at,
        };
        let verified = match item.source {
            InboxSource::Hook => account.provider.receive_hook(&request),
            // It came in the answer to a call of ours.
            InboxSource::Log => {
                account.provider.hook_log().ok_or(HookRefused::Unreadable).and_then(|log| log.news(&request.body))
            }
        };
        let all_news = match verified {
            Ok(news) => news,
            // It was authentic when it came in: the secret was changed since. It waits for the old one to come back.
            Err(HookRefused::NotAuthentic | HookRefused::NotConfigured) if !self.is_stale(&item) => {
                tx.inbox().retry(item.id, self.now() + self.back_off(item.attempts + 1)).await?;
                return tx.save().await;
            }
            Err(_) => {
                tx.inbox().bury(item.id, "unreadable").await?;
                return tx.save().await;
            }
        };
        tx.cancel().await?;
        let mut too_early = false;
        for news in &all_news {
            too_early |= self.take_once(account, &request, news).await?;
        }
        let mut tx = self.store().begin().await?;
        let now = self.now();
        if !too_early {
            tx.inbox().done(item.id).await?;
        } else if self.is_stale(&item) {
            tx.inbox().bury(item.id, "never_found").await?;
        } else {
            tx.inbox().retry(item.id, now + self.back_off(item.attempts + 1)).await?;
        }
        tx.save().await
    }

    fn is_stale(&self, item: &InboxItem) -> bool {
        self.now().since(item.received_at) > PATIENCE
    }

    /// Takes one piece of news in, if it was not taken in before. True: it is about a check whose vendor order is not
    /// known yet, and must be told again.
    async fn take_once(&self, account: &Account, request: &HookRequest, news: &HookNews) -> Result<bool, StoreError> {
        let shows_none = matches!(&news.says, HookSays::Snapshot(snapshot) if snapshot.carries == Carries::Nothing);
        let told = Told { at: request.received_at, echoes: shows_none && self.echoes(&account.key).await? };
        // A transaction for each: the news of one order is not held up by another's.
        let mut tx = self.store().begin().await?;
        if !tx.inbox().first_sight(&account.key, &news.dedupe_key, request.received_at).await? {
            return Ok(false);
        }
        if let HookSays::MonitorChanged { monitor_id } = &news.says {
            // Whoever has it looks; that nobody does is no harm.
            tx.monitors().look_now(&account.key, monitor_id, self.now()).await?;
            tx.save().await?;
            return Ok(false);
        }
        let mut in_doubt = Vec::new();
        for (order_id, check_id) in self.subjects_of(&mut tx, account, news).await? {
            let Some(mut order) = tx.orders().lock(order_id).await? else { continue };
            if order.check(check_id).is_none_or(|check| check.account != account.key) {
                continue;
            }
            if let Taken::TooEarly = self.tell_order(&mut tx, account, &mut order, check_id, told, news).await? {
                in_doubt.push((order_id, check_id));
            }
        }
        if in_doubt.is_empty() {
            tx.save().await?;
            return Ok(false);
        }
        // The sight of it is forgotten with the transaction, so that it is taken in when it is told again.
        tx.cancel().await?;
        let mut tx = self.store().begin().await?;
        for (order_id, check_id) in in_doubt {
            self.follow_up(&mut tx, order_id, check_id).await?;
        }
        tx.save().await?;
        Ok(true)
    }

    async fn tell_order(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &mut Order,
        check_id: CheckId,
        told: Told,
        news: &HookNews,
    ) -> Result<Taken, StoreError> {
        let now = self.now();
        let Some(check) = order.check(check_id) else { return Ok(Taken::Yes) };
        if check.state.binding().is_some_and(|binding| binding.provisional && !is_surely_of(news, binding)) {
            // It proves that our reference is somewhere at the vendor, not that it is where its place in a batch's
            // answer has put it. It is told again when that is known.
            return Ok(Taken::TooEarly);
        }
        let bound = check.state.binding().map(|binding| &binding.vendor);
        if joint::joins(account, check)
            && bound.is_some_and(|bound| bound.check_id.is_none())
            && matches!(news.says, HookSays::Snapshot(_))
        {
            // Which part of the object is the check's, a look tells; a hook alone does not.
            return Ok(Taken::TooEarly);
        }
        if let (Some(bound), Some(vendor)) = (bound, &news.vendor)
            && bound.order_id != vendor.order_id
        {
            if tx.monitors().repeated_since(check_id).await?.is_some() {
                // The vendor repeats this check, and the repetition may carry its reference. The monitor is looked at, and
                // then the news is told again: to the run, if it is one.
                return Ok(Taken::TooEarly);
            }
            // It carries our reference and is another object: whatever it says is not this check's.
            tracing::warn!(check = %check_id, vendor_order = %vendor.order_id, "a hook tells of a second vendor order for a check");
            let event = order.event(Some(check_id), EventType::ReconciliationDuplicateFound, now);
            if late_scan_is_due(tx, check_id).await? {
                // That records what else there is.
                tx.orders().save(order, &[], &[event]).await?;
            } else {
                self.note_second(tx, account, order, news, event).await?;
            }
            return Ok(Taken::Yes);
        }
        let is_bound = bound.is_some();
        let is_in_doubt = match check.state.stage {
            Stage::Submitting { .. } | Stage::Unconfirmed { .. } | Stage::NeedsReview { .. } => true,
            // Counted as absent, and about to be sent again.
            Stage::Queued { submission, .. } => submission.is_some(),
            Stage::Bound(_) | Stage::Closed { .. } => false,
        };
        match &news.says {
            HookSays::Snapshot(snapshot) if is_bound => {
                let vendor = check.state.binding().map(|binding| binding.vendor.clone());
                let Some(vendor) = vendor else { return Ok(Taken::Yes) };
                let look = Look { vendor: &vendor, snapshot, at: told.at, echoes: told.echoes };
                let seen = self.observe(tx, account, order, check_id, look).await?;
                if seen.is_held {
                    return Ok(Taken::TooEarly);
                }
                let plan = self.plan_after(account, order, check_id, None);
                self.save_seen(tx, account, order, seen, plan).await?;
            }
            // A signed body with our reference: the vendor has it, though its order is not known yet.
            HookSays::Snapshot(_) if is_in_doubt => return Ok(Taken::TooEarly),
            HookSays::Snapshot(_) => {
                tracing::warn!(check = %check_id, "a hook tells of a vendor order for a check that was closed without one");
                let event = order.event(Some(check_id), EventType::ReconciliationOrphanFound, now);
                self.note_second(tx, account, order, news, event).await?;
            }
            // A final check as well: its result may have been revised.
            HookSays::Changed | HookSays::Hint if is_bound => {
                tx.orders().save(order, &[look_now(check_id, now)], &[]).await?;
            }
            HookSays::Note { kind } => {
                let mut event = order.event(Some(check_id), EventType::CheckNotification, told.at);
                event.data.insert("notification".into(), word(kind).into());
                tx.orders().save(order, &[], &[event]).await?;
            }
            HookSays::Changed | HookSays::Hint | HookSays::MonitorChanged { .. } => {}
        }
        Ok(Taken::Yes)
    }

    /// Announces a vendor order that is not the check's. Where the hook names it, it is recorded, and announced once.
    async fn note_second(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        news: &HookNews,
        event: Event,
    ) -> Result<(), StoreError> {
        if let Some(vendor) = &news.vendor {
            let (objects, now) = (&mut tx.vendor_objects(), self.now());
            if !objects.add_orphan(&account.key, &vendor.order_id, news.reference, None, now).await? {
                return Ok(());
            }
        }
        tx.orders().save(order, &[], &[event]).await
    }

    /// The checks that news is about: by our reference, else every check that holds the vendor's object.
    async fn subjects_of(
        &self,
        tx: &mut Tx,
        account: &Account,
        news: &HookNews,
    ) -> Result<Vec<(OrderId, CheckId)>, StoreError> {
        let mut subjects = Vec::new();
        if let Some(vendor) = &news.vendor {
            let holders = tx.vendor_objects().holders(&account.key, &vendor.order_id).await?;
            subjects.extend(holders.into_iter().map(|holder| (holder.order_id, holder.check_id)));
        }
        if account.provider.joining().is_some()
            && let Some(reference) = news.reference
        {
            // Of an object with parts the news is about one of them.
            subjects.retain(|(_, check_id)| *check_id == reference.check);
        }
        if subjects.is_empty()
            && let Some(reference) = news.reference
            && let Some(order) = tx.orders().of_check(&Scope::All, reference.check).await?
        {
            subjects.push((order.id, reference.check));
        }
        subjects.sort();
        Ok(subjects)
    }

    /// News came too early: makes what it waits for happen soon.
    async fn follow_up(&self, tx: &mut Tx, order_id: OrderId, check_id: CheckId) -> Result<(), StoreError> {
        let Some(mut order) = tx.orders().lock(order_id).await? else { return Ok(()) };
        let binding = order.check(check_id).and_then(|check| check.state.binding());
        match binding.map(|binding| binding.provisional) {
            // The look tells whose object it is.
            Some(true) => tx.orders().save(&order, &[look_now(check_id, self.now())], &[]).await,
            Some(false) if self.has_unknown_part(&order, check_id) => {
                tx.orders().save(&order, &[look_now(check_id, self.now())], &[]).await
            }
            Some(false) => tx.monitors().look_at_check(check_id, self.now()).await,
            None => {
                let why = "The vendor sent news of it, so it exists; its order is being looked for.";
                self.note_proven(tx, &mut order, check_id, Reason::new("proven_by_hook", why)).await
            }
        }
    }

    /// Whether a look has yet to tell which part of the vendor's object is the check's.
    fn has_unknown_part(&self, order: &Order, check_id: CheckId) -> bool {
        let Some(check) = order.check(check_id) else { return false };
        let is_unknown = check.state.binding().is_some_and(|binding| binding.vendor.check_id.is_none());
        is_unknown && self.account(&check.account).is_some_and(|account| joint::joins(account, check))
    }

    /// Marks the item of the check's case: it exists, so it is not sent (again). A check that waits to be sent again
    /// without a case, since its last call was taken to have made nothing, has one from now on.
    pub(crate) async fn note_proven(
        &self,
        tx: &mut Tx,
        order: &mut Order,
        check_id: CheckId,
        why: Reason,
    ) -> Result<(), StoreError> {
        if tx.cases().of_check(check_id).await?.is_none() {
            // Boxed: it is rare, and large.
            Box::pin(self.doubt_after_all(tx, order, check_id, &why)).await?;
        }
        let Some(open) = tx.cases().of_check(check_id).await? else { return Ok(()) };
        let Some(mut case) = tx.cases().lock(open.id).await? else { return Ok(()) };
        let now = self.now();
        let mut is_news = false;
        for item in case.items.iter_mut().filter(|item| item.check_id == check_id) {
            let counted_as_absent = item.state == ItemState::Absent && item.resent_at.is_none();
            if counted_as_absent || item.state == ItemState::Unknown {
                item.state = ItemState::Proven;
                is_news = true;
            }
        }
        if !is_news {
            return Ok(());
        }
        let mut events = order.tell(check_id, &News::Proven { submission: case.submission, why }, now);
        let mut plans = Vec::new();
        if !events.is_empty() {
            plans.push(Plan { check_id, work: None });
        }
        // The vendor's object that was taken to be absent may hold the others' parts as well: they are not sent again
        // before it is found.
        for sibling in self.waiting_siblings(order, check_id, case.submission) {
            let waits = |item: &&mut CaseItem| {
                item.check_id == sibling && item.state == ItemState::Absent && item.resent_at.is_none()
            };
            let Some(item) = case.items.iter_mut().find(waits) else { continue };
            item.state = ItemState::Unknown;
            let news = News::Proven { submission: case.submission, why: sibling_proven() };
            events.extend(order.tell(sibling, &news, now));
            plans.push(Plan { check_id: sibling, work: None });
        }
        if !events.is_empty() {
            tx.orders().save(order, &plans, &events).await?;
        }
        case.next_scan_at = Some(now);
        tx.cases().save(&case).await
    }

    /// Stops a check from being sent again, and opens a case of its last call: nobody doubted that it made nothing, and
    /// yet the vendor has something of the check.
    async fn doubt_after_all(
        &self,
        tx: &mut Tx,
        order: &mut Order,
        check_id: CheckId,
        why: &Reason,
    ) -> Result<(), StoreError> {
        let Some(check) = order.check(check_id) else { return Ok(()) };
        let Stage::Queued { submission: Some(submission), .. } = check.state.stage else { return Ok(()) };
        let Some(account) = self.account(&check.account) else { return Ok(()) };
        let Some(stored) = tx.submissions().get(submission).await? else { return Ok(()) };
        let part = SubmissionPart { check_id, order_id: order.id, reference: check.reference() };
        let call = NewSubmission {
            id: submission,
            tenant: stored.tenant,
            account: stored.account,
            // Any call for it may have been the one: scans reach back to the first.
            started_at: stored.started_at.min(check.created_at),
            lease_until: stored.lease_until,
            items: stored.parts,
        };
        let now = self.now();
        let mut events = order.tell(check_id, &News::Proven { submission, why: why.clone() }, now);
        if events.is_empty() {
            return Ok(());
        }
        let mut plans = vec![Plan { check_id, work: None }];
        let mut doubts = vec![Doubt { part, why: why.clone(), then: AfterAbsence::Resend, review: None }];
        for sibling in self.waiting_siblings(order, check_id, submission) {
            let why = sibling_proven();
            let Some(reference) = order.check(sibling).map(Check::reference) else { continue };
            let part = SubmissionPart { check_id: sibling, order_id: order.id, reference };
            events.extend(order.tell(sibling, &News::Proven { submission, why: why.clone() }, now));
            plans.push(Plan { check_id: sibling, work: None });
            doubts.push(Doubt { part, why, then: AfterAbsence::Resend, review: None });
        }
        tracing::error!(check = %check_id, account = %account.key, "the vendor has an order of a check whose calls were all taken to have made nothing");
        tx.orders().save(order, &plans, &events).await?;
        self.open_case(tx, account, &call, doubts, std::slice::from_ref(order), now).await
    }

    /// The checks that went out as parts of one object with this one, and wait to be sent again.
    fn waiting_siblings(&self, order: &Order, check_id: CheckId, submission: SubmissionId) -> Vec<CheckId> {
        let Some(account) = order.check(check_id).and_then(|check| self.account(&check.account)) else {
            return Vec::new();
        };
        let waits = |check: &&Check| matches!(check.state.stage, Stage::Queued { .. });
        joint::siblings(account, order, check_id, submission).filter(waits).map(|check| check.id).collect()
    }
}

/// Whether the news is of the very object that the check is bound to: it names its order. That it names the part which
/// the create call's answer put beside that order is not enough: an answer that is wrong about one may be right about the
/// other.
fn is_surely_of(news: &HookNews, binding: &Binding) -> bool {
    match (&news.vendor, &news.says) {
        (Some(vendor), _) => vendor.order_id == binding.vendor.order_id,
        (None, HookSays::Snapshot(_)) => false,
        // These lead to a look, or to the timeline of the check whose reference they carry.
        (None, HookSays::Changed | HookSays::Hint | HookSays::MonitorChanged { .. } | HookSays::Note { .. }) => true,
    }
}

fn sibling_proven() -> Reason {
    let why = "The vendor has another check of the same call, so it may have this one; it is looked for before it is sent again.";
    Reason::new("sibling_proven", why)
}

/// A vendor's own word, made safe to show: it is not ours, and a timeline holds no personal data. Words have letters; a
/// run of digits could be anybody's number.
pub(crate) fn word(text: &str) -> String {
    let is_kept = |letter: &char| letter.is_ascii_alphabetic() || matches!(letter, '_' | '.' | '-');
    let kept: String = text.chars().filter(is_kept).take(64).collect();
    if kept.is_empty() { "other".to_owned() } else { kept }
}

fn headers(pairs: &[(String, String)]) -> HeaderMap {
    let parse = |(name, value): &(String, String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    pairs.iter().filter_map(parse).collect()
}
