//! What operators do: settle what a machine must not guess, and stop and restart sending to a vendor.

use std::collections::BTreeMap;

use domain::{
    AfterAbsence, AuditId, Case, CaseId, CaseItem, CheckId, Event, ItemState, News, Order, OrderId, ProviderId, Reason,
    Stage, VendorRef,
};
use provider::{Carries, Fetched, Share};
use serde_json::json;
use store::{AuditEntry, Paused, Plan, Scope, StoreError, Tx, Work};

use crate::reconcile::decision;
use crate::{Account, Engine};

/// What an operator decided about a case.
#[derive(Debug, Clone)]
pub struct Resolution {
    pub items: Vec<(CheckId, Choice)>,
    /// Recorded duplicates of this case to cancel at the vendor.
    pub cancel_vendor_orders: Vec<String>,
    pub note: Option<String>,
    /// Who decided.
    pub actor: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This is the vendor's order of the check.
    Bind { vendor_order_id: String },
    /// The vendor does not have it: send it again.
    Resend,
    /// Give the check up.
    Fail,
}

/// Why a resolution is not carried out. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("item {index}: the case has no such check")]
    NotInCase { index: usize },
    #[error("item {index}: the check is settled already")]
    NotOpen { index: usize },
    #[error("item {index}: {detail}")]
    Foreign { index: usize, detail: String },
    #[error("vendor order {index} is not recorded as a duplicate in this case")]
    NotADuplicate { index: usize },
    #[error("the vendor could not be asked: {0}")]
    Vendor(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Carries an operator's decision out, all of it or nothing. `None`: the caller has no such case. Once it is saved,
    /// [`Engine::cancel_named_duplicates`] makes the calls to the vendor.
    pub async fn resolve(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: CaseId,
        resolution: &Resolution,
    ) -> Result<Option<Case>, ResolveError> {
        let Some(case) = tx.cases().get(scope, id).await? else { return Ok(None) };
        let Some(account) = self.account(&case.account) else {
            return Err(ResolveError::Vendor(format!("the account {} is not set up here", case.account)));
        };
        check_items(&case, resolution)?;
        for (index, (check_id, choice)) in resolution.items.iter().enumerate() {
            if let Choice::Bind { vendor_order_id } = choice {
                self.must_be_ours(tx, account, &case, index, *check_id, vendor_order_id).await?;
            }
        }
        let ids: Vec<_> = case.items.iter().map(|item| item.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let Some(mut case) = tx.cases().lock(id).await? else { return Ok(None) };
        check_items(&case, resolution)?;
        let mut plans: BTreeMap<OrderId, Vec<Plan>> = BTreeMap::new();
        let mut events: BTreeMap<OrderId, Vec<Event>> = BTreeMap::new();
        for (index, (check_id, choice)) in resolution.items.iter().enumerate() {
            let (told, plan) = self.choose(&mut case, &mut orders, index, *check_id, choice)?;
            events.entry(plan.0).or_default().extend(told);
            plans.entry(plan.0).or_default().push(plan.1);
            let mut entry = decision(self.now(), &resolution.actor, word_for(choice), Some(*check_id));
            entry.note.clone_from(&resolution.note);
            tx.cases().log(id, &entry).await?;
        }
        for (order_id, event) in self.close_case_if_settled(tx, &mut case, &orders).await? {
            events.entry(order_id).or_default().push(event);
        }
        for order in &orders {
            let plans = plans.remove(&order.id).unwrap_or_default();
            let events = events.remove(&order.id).unwrap_or_default();
            if !plans.is_empty() || !events.is_empty() {
                tx.orders().save(order, &plans, &events).await?;
            }
        }
        tx.cases().save(&case).await?;
        self.audit_resolution(tx, &case, resolution).await?;
        Ok(Some(case))
    }

    fn choose(
        &self,
        case: &mut Case,
        orders: &mut [Order],
        index: usize,
        check_id: CheckId,
        choice: &Choice,
    ) -> Result<(Vec<Event>, (OrderId, Plan)), ResolveError> {
        let now = self.now();
        let submission = case.submission;
        let item = case.items.iter_mut().find(|item| item.check_id == check_id);
        let item = item.ok_or(ResolveError::NotInCase { index })?;
        let order =
            orders.iter_mut().find(|order| order.id == item.order_id).ok_or(ResolveError::NotInCase { index })?;
        let stage = order.check(check_id).map(|check| &check.state.stage);
        if !matches!(stage, Some(Stage::Unconfirmed { .. } | Stage::NeedsReview { .. })) {
            return Err(ResolveError::NotOpen { index });
        }
        item.review = None;
        let news = match choice {
            Choice::Bind { vendor_order_id } => {
                let vendor = VendorRef::order(vendor_order_id);
                item.state = ItemState::Bound;
                item.bound = Some(vendor.clone());
                News::Located { submission, vendor, at: now }
            }
            Choice::Resend => {
                item.state = ItemState::Absent;
                item.after_absence = AfterAbsence::Resend;
                News::Absent { submission, then: AfterAbsence::Resend, at: now }
            }
            Choice::Fail => {
                let reason =
                    Reason::new("given_up", "An operator gave the check up: the vendor's order could not be found.");
                item.state = ItemState::Absent;
                item.after_absence = AfterAbsence::Fail { reason };
                News::Absent { submission, then: item.after_absence.clone(), at: now }
            }
        };
        let events = order.tell(check_id, &news, now);
        let work = match order.check(check_id).map(|check| &check.state.stage) {
            Some(Stage::Queued { .. }) => Some((Work::Send, now)),
            Some(Stage::Bound(_)) => Some((Work::Follow, now)),
            _ => None,
        };
        Ok((events, (order.id, Plan { check_id, work })))
    }

    /// An order that is bound by hand must exist, be unbound, and carry no other reference.
    async fn must_be_ours(
        &self,
        tx: &mut Tx,
        account: &Account,
        case: &Case,
        index: usize,
        check_id: CheckId,
        vendor_order_id: &str,
    ) -> Result<(), ResolveError> {
        let foreign = |detail: &str| Err(ResolveError::Foreign { index, detail: detail.to_owned() });
        if !tx.vendor_objects().holders(&account.key, vendor_order_id).await?.is_empty() {
            return foreign("that vendor order belongs to another check here");
        }
        let ctx = self.call_context(account, Share::LookUp);
        let reference = case.items.iter().find(|item| item.check_id == check_id).map(|item| item.reference);
        match account.provider.fetch(&ctx, &VendorRef::order(vendor_order_id)).await {
            Ok(Fetched::Missing) => foreign("the vendor has no such order"),
            Ok(Fetched::Found(snapshot)) => match snapshot.carries {
                Carries::Nothing => Ok(()),
                Carries::Ours(carried) if Some(carried) == reference => Ok(()),
                Carries::Ours(_) | Carries::Foreign => foreign("that vendor order carries another reference"),
            },
            Err(error) => Err(ResolveError::Vendor(error.to_string())),
        }
    }

    /// Cancels the duplicates that a resolution named, once it is saved: a call to a vendor holds no rows locked, and
    /// what came of each is in the case's log.
    pub async fn cancel_named_duplicates(&self, case: &Case, resolution: &Resolution) -> Result<(), StoreError> {
        let Some(account) = self.account(&case.account) else { return Ok(()) };
        let duplicates: Vec<_> = resolution.cancel_vendor_orders.iter().map(VendorRef::order).collect();
        self.cancel_duplicates(account, case.id, &duplicates, &resolution.actor).await
    }

    async fn audit_resolution(&self, tx: &mut Tx, case: &Case, resolution: &Resolution) -> Result<(), StoreError> {
        let items: Vec<_> = resolution
            .items
            .iter()
            .map(|(check, choice)| json!({ "check_id": check, "decision": word_for(choice) }))
            .collect();
        let entry = AuditEntry {
            at: self.now(),
            tenant: Some(case.tenant.clone()),
            actor: resolution.actor.clone(),
            action: "reconciliation.resolve".into(),
            target: case.id.to_string(),
            data: json!({ "items": items, "cancel_vendor_orders": resolution.cancel_vendor_orders }),
        };
        tx.audit().append(AuditId::generate(self.clock(), self.entropy()), &entry).await
    }

    /// Stops sending to a vendor. Orders are still accepted, and wait; what is there is followed.
    pub async fn pause(
        &self,
        tx: &mut Tx,
        provider: &ProviderId,
        actor: &str,
        reason: Option<String>,
    ) -> Result<(), StoreError> {
        let paused = Paused { at: self.now(), by: actor.to_owned(), reason };
        tx.accounts().set_paused(provider, Some(&paused)).await?;
        self.audit_pause(tx, provider, actor, "provider.pause").await
    }

    /// Sends to a vendor again.
    pub async fn resume(&self, tx: &mut Tx, provider: &ProviderId, actor: &str) -> Result<(), StoreError> {
        tx.accounts().set_paused(provider, None).await?;
        self.audit_pause(tx, provider, actor, "provider.resume").await
    }

    async fn audit_pause(
        &self,
        tx: &mut Tx,
        provider: &ProviderId,
        actor: &str,
        action: &str,
    ) -> Result<(), StoreError> {
        self.forget_gate();
        let entry = AuditEntry {
            at: self.now(),
            tenant: None,
            actor: actor.to_owned(),
            action: action.into(),
            target: provider.to_string(),
            data: serde_json::Value::Null,
        };
        tx.audit().append(AuditId::generate(self.clock(), self.entropy()), &entry).await
    }
}

/// Every item must be of the case and open, and every order to cancel a recorded duplicate of it.
fn check_items(case: &Case, resolution: &Resolution) -> Result<(), ResolveError> {
    for (index, (check_id, _)) in resolution.items.iter().enumerate() {
        let item =
            case.items.iter().find(|item| item.check_id == *check_id).ok_or(ResolveError::NotInCase { index })?;
        let is_repeated = resolution.items[..index].iter().any(|(earlier, _)| earlier == check_id);
        if is_repeated || !matches!(item.state, ItemState::Unknown | ItemState::Proven) {
            return Err(ResolveError::NotOpen { index });
        }
    }
    let is_duplicate = |id: &String| {
        let carries = |item: &CaseItem| item.duplicates.iter().any(|duplicate| duplicate.order_id == *id);
        case.items.iter().any(carries)
    };
    match resolution.cancel_vendor_orders.iter().position(|id| !is_duplicate(id)) {
        Some(index) => Err(ResolveError::NotADuplicate { index }),
        None => Ok(()),
    }
}

const fn word_for(choice: &Choice) -> &'static str {
    match choice {
        Choice::Bind { .. } => "bind",
        Choice::Resend => "resend",
        Choice::Fail => "fail",
    }
}
