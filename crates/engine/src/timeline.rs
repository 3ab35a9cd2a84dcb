//! What a vendor says that it did for a check, in the check's timeline.
//!
//! The vendor is asked when a look finds that its word for the object has changed, or that the object has ended: one more
//! call then, and none with the looks that find nothing new. Each of its notes becomes an event once for ever, in the
//! transaction of the change that it led to and before it. No result waits for them: what could not be read is read after
//! the next change, or, where the check has ended, by a few more looks.

use domain::{Check, CheckId, Event, EventType, Order, Timestamp, VendorRef};
use provider::{Carries, Note, Share, Snapshot, vendor_code};
use store::{Plan, StoreError, Tx, Work};

use crate::follow::Look;
use crate::inbox::word;
use crate::{Account, Engine};

/// So many further looks at a check that has ended are made for its notes by themselves, within some minutes. After that
/// a caller's refresh makes one.
const MOST_FAILURES: u32 = 8;

/// What came of asking.
pub(crate) enum Reading {
    /// There was no reason to ask, or nobody to be asked.
    NotDue,
    Notes(Vec<Note>),
    Failed,
}

/// Whether a look shows anything that the vendor may have noted more about.
pub(crate) fn is_change(check: &Check, snapshot: &Snapshot) -> bool {
    let has_ended = snapshot.standing.is_final() && !check.status().is_final();
    has_ended || check.state.native_status() != Some(snapshot.native_status.as_str())
}

impl Engine {
    /// Whether the check has ended without its notes.
    pub(crate) async fn owes_notes(&self, tx: &mut Tx, account: &Account, check: &Check) -> Result<bool, StoreError> {
        if !check.status().is_final() || account.provider.timeline().is_none() {
            return Ok(false);
        }
        tx.vendor_notes().is_owed(check.id).await
    }

    pub(crate) async fn read_notes(&self, account: &Account, check: &Check, look: Look<'_>) -> Reading {
        let Some(timeline) = account.provider.timeline() else { return Reading::NotDue };
        if !self.is_surely_its(account, check, look) {
            return Reading::NotDue;
        }
        let ctx = self.call_context(account, Share::Poll);
        // However many pages there are: what the look found waits no longer than for one call.
        let read = tokio::time::timeout(account.timing.timeout, timeline.notes(&ctx, look.vendor)).await;
        let why = match read {
            Ok(Ok(notes)) => return Reading::Notes(notes),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        // It says nothing about the calls that matter, so the account's circuit is not told.
        tracing::warn!(account = %account.key, vendor_order = look.vendor.order_id, why, "could not read what a vendor noted of an order");
        metrics::counter!("vetgate_vendor_notes_failed_total", "account" => account.key.to_string()).increment(1);
        Reading::Failed
    }

    /// Whether the object is the check's, or all that will ever be known says so: what is in a timeline stays there.
    fn is_surely_its(&self, account: &Account, check: &Check, look: Look<'_>) -> bool {
        let Some(binding) = check.state.binding() else { return false };
        binding.vendor.order_id == look.vendor.order_id
            && match look.snapshot.carries {
                _ if !binding.provisional => true,
                Carries::Descent => true,
                Carries::Ours(reference) => reference == check.reference(),
                Carries::Nothing => !self.may_be_confirmed(account, check, look.echoes),
                Carries::Foreign => false,
            }
    }

    /// The events that the notes make: of the check as it stood before the look.
    pub(crate) async fn note_events(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        check_id: CheckId,
        look: Look<'_>,
        reading: &Reading,
    ) -> Result<Vec<Event>, StoreError> {
        let Reading::Notes(notes) = reading else { return Ok(Vec::new()) };
        let Some(check) = order.check(check_id) else { return Ok(Vec::new()) };
        if notes.is_empty() || !self.is_surely_its(account, check, look) {
            return Ok(Vec::new());
        }
        let keys: Vec<&str> = notes.iter().map(|note| note.dedupe_key.as_str()).collect();
        let is_new = tx.vendor_notes().first_sights(check_id, &keys).await?;
        let new = notes.iter().zip(is_new).filter(|(_, is_new)| *is_new);
        Ok(new.map(|(note, _)| event_of(order, check_id, note, self.now())).collect())
    }

    /// Where the check has ended at this object: what is to be done if its notes could not be read.
    pub(crate) async fn after_reading(
        &self,
        tx: &mut Tx,
        order: &Order,
        check_id: CheckId,
        vendor: &VendorRef,
        reading: &Reading,
        plan: Option<Plan>,
    ) -> Result<Option<Plan>, StoreError> {
        if !order.check(check_id).is_some_and(|check| has_ended_at(check, vendor)) {
            return Ok(plan);
        }
        match reading {
            Reading::NotDue => Ok(plan),
            Reading::Notes(_) => {
                tx.vendor_notes().read(check_id).await?;
                Ok(plan)
            }
            Reading::Failed => {
                let failures = tx.vendor_notes().failed(check_id).await?;
                let again = Plan { check_id, work: Some((Work::Follow, self.now() + self.back_off(failures))) };
                Ok(if failures <= MOST_FAILURES { Some(again) } else { plan })
            }
        }
    }

    /// A check that ended with its create call is looked at once more, for its notes.
    pub(crate) async fn after_create(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        check_id: CheckId,
        plan: Option<Plan>,
    ) -> Result<Option<Plan>, StoreError> {
        let has_ended = order
            .check(check_id)
            .is_some_and(|check| check.state.binding().is_some_and(|binding| has_ended_at(check, &binding.vendor)));
        if !has_ended || account.provider.timeline().is_none() {
            return Ok(plan);
        }
        tx.vendor_notes().owe(check_id).await?;
        Ok(Some(crate::follow::look_now(check_id, self.now())))
    }
}

fn has_ended_at(check: &Check, vendor: &VendorRef) -> bool {
    check.status().is_final() && check.state.binding().is_some_and(|binding| binding.vendor.order_id == vendor.order_id)
}

/// At the time that we learned of it; the vendor's own is beside it.
fn event_of(order: &Order, check_id: CheckId, note: &Note, now: Timestamp) -> Event {
    let mut event = order.event(Some(check_id), EventType::CheckNotification, now);
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            event.data.insert(key.to_owned(), value.into());
        }
    };
    let code = |text: &str| word(vendor_code(text).unwrap_or_default());
    put("notification", Some(code(&note.code)));
    put("strategy", note.strategy.as_deref().map(code));
    put("vendor_time", note.at.map(|at| at.to_string()));
    put("vendor_check_id", note.part.clone());
    event
}
