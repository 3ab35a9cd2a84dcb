//! Verifying results again: a new order whose checks ask the same accounts whether what they found still holds.
//!
//! Where the vendor has a cheaper call for that, the check is made by it ([`provider::Reverification`]); else it is ordered
//! like the first. Such calls may carry nothing of ours, and what a lost one made is then known by the earlier result alone.
//! So one check at a time verifies a result again: that is decided under the row lock of the order that has the result.

use std::collections::BTreeMap;

use domain::{
    AfterAbsence, Check, CheckId, CheckResult, CheckState, Consent, Order, OrderId, OrderStatus, PriorReport, Reason,
    Reverified, Timestamp,
};
use provider::{Completed, ItemOutcome};
use store::{Scope, StoreError, SubmissionPart, Tx};

use crate::asked::finished;
use crate::{Account, Engine};

/// What a caller wants verified again.
#[derive(Clone, Default)]
pub struct ReverifyWish {
    /// Checks of the order; none: every check that has a verification's result.
    pub checks: Vec<CheckId>,
    /// `None`: as in the earlier order; so are the next two.
    pub external_id: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
    pub consent: Option<Consent>,
    pub if_unavailable: IfUnavailable,
}

/// What is done about a check that its vendor does not verify again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfUnavailable {
    /// It is ordered like the first, at the same account.
    #[default]
    Order,
    /// Nothing is ordered.
    Refuse,
}

/// Why nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum ReverifyError {
    #[error("the subject of the order was erased")]
    Erased,
    #[error("the order is {0}")]
    NotFinal(OrderStatus),
    #[error("no check of the order has a verification's result")]
    NothingToVerify,
    #[error("check {index}: the order has no such check")]
    UnknownCheck { index: usize },
    #[error("check {index}: it has no verification's result")]
    NotVerified { index: usize },
    #[error("check {index}: it is named already")]
    NamedTwice { index: usize },
    #[error("the subject's consent has expired")]
    ConsentExpired,
    #[error("{check} is being verified again by {order}")]
    Taken { check: CheckId, order: OrderId },
    /// Checks that cannot be verified again as it is wished, and why.
    #[error("not every check can be verified again")]
    Unavailable(Vec<(CheckId, Reason)>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Orders the results of an order's checks to be verified again, in the caller's transaction. Once that is saved, call
    /// [`Engine::wake`]. `None`: the caller has no such order.
    pub async fn reverify(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: OrderId,
        wish: ReverifyWish,
    ) -> Result<Option<Order>, ReverifyError> {
        match tx.monitors().is_erased(scope, id).await? {
            None => return Ok(None),
            Some(true) => return Err(ReverifyError::Erased),
            Some(false) => {}
        }
        let Some(parent) = tx.orders().lock(id).await? else { return Ok(None) };
        if !parent.status().is_final() {
            return Err(ReverifyError::NotFinal(parent.status()));
        }
        let wanted = wanted(&parent, &wish.checks)?;
        none_may_be_open(tx, &parent, &wanted).await?;
        let order = self.verified_again(tx, &parent, &wanted, wish).await?;
        tx.orders().insert(&order, order.created_at).await?;
        metrics::counter!("vetgate_orders_accepted_total").increment(1);
        for check in &order.checks {
            let way = if check.input.expose().prior_report().is_some() { "vendor" } else { "new_check" };
            metrics::counter!("vetgate_reverifications_total", "account" => check.account.to_string(), "way" => way)
                .increment(1);
        }
        Ok(Some(order))
    }

    async fn verified_again(
        &self,
        tx: &mut Tx,
        parent: &Order,
        wanted: &[&Check],
        wish: ReverifyWish,
    ) -> Result<Order, ReverifyError> {
        let now = self.now();
        let mut input = parent.input.expose().clone();
        if let Some(consent) = wish.consent {
            input.consent = consent;
        }
        if input.consent.expires_at.is_some_and(|end| end <= now) {
            return Err(ReverifyError::ConsentExpired);
        }
        let mut order = Order {
            id: OrderId::generate(self.clock(), self.entropy()),
            tenant: parent.tenant.clone(),
            external_id: wish.external_id.or_else(|| parent.external_id.clone()),
            batch_id: None,
            parent_order_id: Some(parent.id),
            input: input.into(),
            metadata: wish.metadata.unwrap_or_else(|| parent.metadata.clone()),
            checks: Vec::with_capacity(wanted.len()),
            version: 1,
            created_at: now,
            updated_at: now,
            completed_at: None,
        };
        let mut refused = Vec::new();
        for check in wanted {
            match self.again(tx, &order, check, wish.if_unavailable).await? {
                Ok(check) => order.checks.push(check),
                Err(reasons) => refused.extend(reasons.into_iter().map(|reason| (check.id, reason))),
            }
        }
        if refused.is_empty() { Ok(order) } else { Err(ReverifyError::Unavailable(refused)) }
    }

    /// The check of a new order that verifies the result of this one again, at the account that has it. `Err`: why not.
    async fn again(
        &self,
        tx: &mut Tx,
        order: &Order,
        earlier: &Check,
        if_unavailable: IfUnavailable,
    ) -> Result<Result<Check, Vec<Reason>>, StoreError> {
        let account = self.account(&earlier.account).filter(|account| account.is_open_to(&order.tenant));
        let Some(account) = account else {
            let message = format!("The account {} that has the result is not open here any more.", earlier.account);
            return Ok(Err(vec![Reason::new("no_account", message)]));
        };
        let mut input = earlier.input.expose().anew();
        let report = match prior_report(tx, account, earlier, order.created_at).await? {
            Ok(report) => Some(report),
            Err(reason) if if_unavailable == IfUnavailable::Refuse => return Ok(Err(vec![reason])),
            Err(_) => {
                let faults = account.provider.validate(order.input.expose(), &input);
                if !faults.is_empty() {
                    return Ok(Err(faults.into_iter().map(|fault| Reason::new(fault.code, fault.detail)).collect()));
                }
                None
            }
        };
        input.reverifies = Some(Box::new(Reverified { check_id: earlier.id, report }));
        Ok(Ok(Check {
            id: CheckId::generate(self.clock(), self.entropy()),
            order_id: order.id,
            position: u16::try_from(order.checks.len()).unwrap_or(u16::MAX),
            kind: earlier.kind,
            account: account.key.clone(),
            attempt: 1,
            input: input.into(),
            state: CheckState::new(),
            created_at: order.created_at,
        }))
    }

    /// What an answer to a reverification means that names an object of another check, if it does. Each makes an object of
    /// its own; what another check has is that check's result.
    pub(crate) async fn of_another_check(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        part: &SubmissionPart,
        outcome: &ItemOutcome,
    ) -> Result<Option<ItemOutcome>, StoreError> {
        let ItemOutcome::Accepted(accepted) = outcome else { return Ok(None) };
        let check = order.check(part.check_id);
        if check.is_none_or(|check| check.input.expose().prior_report().is_none()) {
            return Ok(None);
        }
        let holders = tx.vendor_objects().holders(&account.key, &accepted.vendor.order_id).await?;
        if holders.iter().all(|holder| holder.check_id == part.check_id) {
            return Ok(None);
        }
        let reason = Reason::new("answer_of_another_check", "The vendor answered with what another check here has.");
        Ok(Some(ItemOutcome::Unknown { why: reason.clone(), then: AfterAbsence::Fail { reason } }))
    }
}

/// The checks that are meant, by their position in the wish or else in the order.
fn wanted<'a>(parent: &'a Order, named: &[CheckId]) -> Result<Vec<&'a Check>, ReverifyError> {
    let has_result = |check: &Check| matches!(check.state.result(), Some(CheckResult::Verification(_)));
    if named.is_empty() {
        let all: Vec<_> = parent.checks.iter().filter(|check| has_result(check)).collect();
        return if all.is_empty() { Err(ReverifyError::NothingToVerify) } else { Ok(all) };
    }
    let mut wanted: Vec<&Check> = Vec::with_capacity(named.len());
    for (index, id) in named.iter().enumerate() {
        let check = parent.check(*id).ok_or(ReverifyError::UnknownCheck { index })?;
        if !has_result(check) {
            return Err(ReverifyError::NotVerified { index });
        }
        if wanted.iter().any(|known| known.id == check.id) {
            return Err(ReverifyError::NamedTwice { index });
        }
        wanted.push(check);
    }
    Ok(wanted)
}

/// Whoever holds the parent's row lock and finds none open is the only one to verify these checks again.
async fn none_may_be_open(tx: &mut Tx, parent: &Order, wanted: &[&Check]) -> Result<(), ReverifyError> {
    for child in tx.orders().open_children(parent.id).await? {
        let open = child.checks.iter().filter(|check| !check.status().is_final());
        let verified = open.filter_map(|check| Some(check.input.expose().reverifies.as_ref()?.check_id));
        if let Some(check) = verified.into_iter().find(|id| wanted.iter().any(|check| check.id == *id)) {
            return Err(ReverifyError::Taken { check, order: child.id });
        }
    }
    Ok(())
}

async fn prior_report(
    tx: &mut Tx,
    account: &Account,
    check: &Check,
    now: Timestamp,
) -> Result<Result<PriorReport, Reason>, StoreError> {
    let Some(reverification) = account.provider.reverification() else {
        let name = account.provider.descriptor().display_name;
        return Ok(Err(Reason::new("not_offered", format!("{name} does not verify a result again."))));
    };
    let payload = tx.payloads().get(&Scope::All, check.id).await?;
    let payload = payload.as_ref().map(|(payload, _)| payload.expose().as_ref()).unwrap_or_default();
    let (Ok(vendor), Some(seen_at)) = (finished(check), check.state.ended_at) else {
        return Ok(Err(Reason::new("no_report", "The check has no result.")));
    };
    Ok(reverification.prior_report(&Completed { check: check.input.expose(), vendor, payload, seen_at }, now))
}
