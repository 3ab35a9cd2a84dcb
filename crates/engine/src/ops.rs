//! What operators do: settle what a machine must not guess, and stop and restart sending to a vendor.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AfterAbsence, AuditId, Case, CaseId, CaseItem, CheckId, Event, ItemState, News, Order, OrderId, ProviderId, Reason,
    Stage, VendorRef,
};
use provider::{Carries, Fetched, Share};
use serde_json::json;
use store::{AuditEntry, Orphan, OrphanFilter, OrphanKind, Paused, Plan, Scope, StoreError, Tx, Work};

use crate::joint::Sight;
use crate::reconcile::decision;
use crate::{Account, Engine, find_mut, joint};

/// So many duplicates are read at once.
const PAGE: u32 = 500;

/// What an operator decided about a case.
#[derive(Debug, Clone)]
pub struct Resolution {
    pub items: Vec<(CheckId, Choice)>,
    /// Recorded duplicates to cancel at the vendor: of this case, or found of one of its checks by a sweep or a hook.
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

/// What [`Engine::vet`] looked at: this vendor order may become this check's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vetted {
    case: CaseId,
    bindings: BTreeSet<(CheckId, String)>,
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
    #[error("item {index}: an item before it names the same vendor order")]
    SameObject { index: usize },
    #[error("vendor order {index} is not recorded as a duplicate of a check of this case")]
    NotADuplicate { index: usize },
    #[error("the vendor could not be asked: {0}")]
    Vendor(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Looks at every vendor order that is to be bound, before there is a transaction: a call to a vendor holds no rows
    /// locked. `None`: the caller has no such case.
    pub async fn vet(
        &self,
        scope: &Scope,
        id: CaseId,
        resolution: &Resolution,
    ) -> Result<Option<Vetted>, ResolveError> {
        let Some(case) = self.store().begin().await?.cases().get(scope, id).await? else { return Ok(None) };
        check_items(&case, resolution)?;
        let mut vetted = Vetted { case: id, bindings: BTreeSet::new() };
        let account = self.account_of(&case)?;
        must_be_duplicates(&mut self.store().begin().await?, account, &case, resolution).await?;
        for (index, check_id, vendor_order_id) in bindings(resolution) {
            let mut tx = self.store().begin().await?;
            let order = tx.orders().of_check(&Scope::All, check_id).await?;
            let order = order.ok_or(StoreError::Corrupt("the order of a case's item"))?;
            let names = |id: &str| bindings(resolution).filter(|(.., other)| *other == id).count();
            if names(vendor_order_id) > 1 && !order.check(check_id).is_some_and(|check| joint::joins(account, check)) {
                return Err(ResolveError::SameObject { index });
            }
            must_be_free(&mut tx, account, index, Some(&order), check_id, vendor_order_id).await?;
            tx.cancel().await?;
            self.must_be_ours(account, &order, index, check_id, vendor_order_id).await?;
            vetted.bindings.insert((check_id, vendor_order_id.to_owned()));
        }
        Ok(Some(vetted))
    }

    /// Carries an operator's decision out, all of it or nothing, after [`Engine::vet`] looked at what it binds. `None`:
    /// the caller has no such case. Vendor orders to cancel are wished to be; [`Engine::cancellations`] makes the calls.
    pub async fn resolve(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: CaseId,
        resolution: &Resolution,
        vetted: &Vetted,
    ) -> Result<Option<Case>, ResolveError> {
        let Some(case) = tx.cases().get(scope, id).await? else { return Ok(None) };
        let account = self.account_of(&case)?;
        check_items(&case, resolution)?;
        must_be_vetted(id, resolution, vetted)?;
        let ids: Vec<_> = case.items.iter().map(|item| item.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        lock_free_objects(tx, account, &orders, resolution).await?;
        let Some(mut case) = tx.cases().lock(id).await? else { return Ok(None) };
        check_items(&case, resolution)?;
        must_be_duplicates(tx, account, &case, resolution).await?;
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
        if !resolution.cancel_vendor_orders.is_empty() {
            let wanted = &resolution.cancel_vendor_orders;
            tx.vendor_objects().want_canceled(&account.key, wanted, &resolution.actor).await?;
        }
        self.audit_resolution(tx, &case, resolution).await?;
        Ok(Some(case))
    }

    fn account_of(&self, case: &Case) -> Result<&Account, ResolveError> {
        self.account(&case.account)
            .ok_or_else(|| ResolveError::Vendor(format!("the account {} is not set up here", case.account)))
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
        let order = find_mut(orders, item.order_id).ok_or(StoreError::Corrupt("the order of a case's item"))?;
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

    /// An order that is bound by hand must exist and carry no other reference.
    async fn must_be_ours(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        check_id: CheckId,
        vendor_order_id: &str,
    ) -> Result<(), ResolveError> {
        let foreign = |detail| Err(ResolveError::foreign(index, detail));
        let ctx = self.call_context(account, Share::LookUp);
        let check = order.check(check_id).ok_or(ResolveError::NotInCase { index })?;
        let mut sight = self.fetch_for(account, &ctx, check, &VendorRef::order(vendor_order_id)).await;
        if let Ok(Sight::WithoutPart(_)) = sight {
            // None of its parts is this check's, unless it shows of none of them whose it is.
            sight = account.provider.fetch(&ctx, &VendorRef::order(vendor_order_id)).await.map(Sight::Whole);
        }
        let snapshot = match sight {
            Ok(Sight::Whole(Fetched::Found(snapshot))) => *snapshot,
            Ok(Sight::Whole(Fetched::Missing) | Sight::WithoutPart(_)) => {
                return foreign("the vendor has no such order");
            }
            Ok(Sight::Whole(Fetched::NotBegun)) => {
                return foreign("the vendor has nothing to bind yet: nobody has begun; resend it instead");
            }
            Err(error) => return Err(ResolveError::Vendor(error.to_string())),
        };
        // Of what shows no reference, where it comes from may tell that it is another's.
        match account.provider.compare(check.input.expose(), snapshot).carries {
            Carries::Nothing | Carries::Descent => Ok(()),
            Carries::Ours(carried) if carried == check.reference() => Ok(()),
            Carries::Ours(_) | Carries::Foreign => foreign("that vendor order carries another reference"),
        }
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

impl ResolveError {
    fn foreign(index: usize, detail: &str) -> Self {
        Self::Foreign { index, detail: detail.to_owned() }
    }
}

/// What a resolution binds: the item's index, its check, and the vendor's order.
fn bindings(resolution: &Resolution) -> impl Iterator<Item = (usize, CheckId, &str)> {
    resolution.items.iter().enumerate().filter_map(|(index, (check_id, choice))| match choice {
        Choice::Bind { vendor_order_id } => Some((index, *check_id, vendor_order_id.as_str())),
        Choice::Resend | Choice::Fail => None,
    })
}

/// Nothing is bound that was not looked at for the very same check.
fn must_be_vetted(id: CaseId, resolution: &Resolution, vetted: &Vetted) -> Result<(), ResolveError> {
    for (index, check_id, vendor_order_id) in bindings(resolution) {
        if vetted.case != id || !vetted.bindings.contains(&(check_id, vendor_order_id.to_owned())) {
            return Err(ResolveError::foreign(index, "that vendor order was not looked at for this check"));
        }
    }
    Ok(())
}

/// Whoever binds by hand goes one at a time for each vendor order, and the second finds it taken.
async fn lock_free_objects(
    tx: &mut Tx,
    account: &Account,
    orders: &[Order],
    resolution: &Resolution,
) -> Result<(), ResolveError> {
    // In one order everywhere: two operators do not wait for one another crosswise.
    let mut wanted: Vec<(&str, usize, CheckId)> =
        bindings(resolution).map(|(index, check_id, id)| (id, index, check_id)).collect();
    wanted.sort_unstable();
    for (vendor_order_id, index, check_id) in wanted {
        tx.vendor_objects().lock_object(&account.key, vendor_order_id).await?;
        let order = orders.iter().find(|order| order.check(check_id).is_some());
        must_be_free(tx, account, index, order, check_id, vendor_order_id).await?;
    }
    Ok(())
}

/// Nobody else may hold it, but for checks that share it with this one.
async fn must_be_free(
    tx: &mut Tx,
    account: &Account,
    index: usize,
    order: Option<&Order>,
    check_id: CheckId,
    vendor_order_id: &str,
) -> Result<(), ResolveError> {
    let holders = tx.vendor_objects().holders(&account.key, vendor_order_id).await?;
    let joins = |id: CheckId| order.and_then(|order| order.check(id)).is_some_and(|check| joint::joins(account, check));
    if holders.iter().all(|holder| joins(holder.check_id) && joins(check_id)) {
        return Ok(());
    }
    Err(ResolveError::foreign(index, "that vendor order belongs to another check here"))
}

/// Every item must be of the case and open, and no two may name one vendor order, but for those of one order that share it.
fn check_items(case: &Case, resolution: &Resolution) -> Result<(), ResolveError> {
    for (index, (check_id, _)) in resolution.items.iter().enumerate() {
        let item =
            case.items.iter().find(|item| item.check_id == *check_id).ok_or(ResolveError::NotInCase { index })?;
        let is_repeated = resolution.items[..index].iter().any(|(earlier, _)| earlier == check_id);
        if is_repeated || !matches!(item.state, ItemState::Unknown | ItemState::Proven) {
            return Err(ResolveError::NotOpen { index });
        }
    }
    let order_of = |check_id| case.items.iter().find(|item| item.check_id == check_id).map(|item| item.order_id);
    let mut named = BTreeMap::new();
    let is_taken = |(_, check_id, id): &(usize, CheckId, &str)| {
        let order = order_of(*check_id);
        *named.entry((*id).to_owned()).or_insert(order) != order
    };
    if let Some((index, ..)) = bindings(resolution).find(is_taken) {
        return Err(ResolveError::SameObject { index });
    }
    Ok(())
}

/// Every order to cancel must be a recorded duplicate of a check of the case: found by the case itself, or later by a
/// sweep or a hook.
async fn must_be_duplicates(
    tx: &mut Tx,
    account: &Account,
    case: &Case,
    resolution: &Resolution,
) -> Result<(), ResolveError> {
    let is_of_case = |id: &str| {
        let carries = |item: &CaseItem| item.duplicates.iter().any(|duplicate| duplicate.order_id == id);
        case.items.iter().any(carries)
    };
    let named = resolution.cancel_vendor_orders.iter().enumerate();
    let mut others: BTreeMap<&str, usize> =
        named.rev().map(|(index, id)| (id.as_str(), index)).filter(|(id, _)| !is_of_case(id)).collect();
    let filter = OrphanFilter {
        account: Some(account.key.clone()),
        kind: Some(OrphanKind::Duplicate),
        ..OrphanFilter::default()
    };
    let mut before = None;
    while let Some(first) = others.values().min().copied() {
        let page = tx.vendor_objects().orphans(&filter, PAGE, before).await?;
        let Some(last) = page.last() else { return Err(ResolveError::NotADuplicate { index: first }) };
        before = Some(last.id);
        let is_of_check = |orphan: &&Orphan| case.items.iter().any(|item| orphan.check_id == Some(item.check_id));
        for duplicate in page.iter().filter(is_of_check) {
            others.remove(duplicate.vendor_order_id.as_str());
        }
    }
    Ok(())
}

const fn word_for(choice: &Choice) -> &'static str {
    match choice {
        Choice::Bind { .. } => "bind",
        Choice::Resend => "resend",
        Choice::Fail => "fail",
    }
}
