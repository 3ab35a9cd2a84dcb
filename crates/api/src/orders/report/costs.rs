//! What an order cost and how long it took, attempt by attempt, as far as the vendors tell.

use domain::{CheckId, CheckStatus, CheckType, Money, ProviderId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::{CheckView, OrderView};

/// Every attempt with its vendor's price and its time, and what the prices come to. A price is the vendor's own quote: it may
/// charge only for what it completed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportCosts)]
pub struct CostsView {
    /// Check by check, each with its attempts in turn.
    pub attempts: Vec<CostView>,
    /// The sum of the prices, for each currency by itself.
    pub totals: Vec<Money>,
    /// How many attempts have no price, since the vendor tells none. They are in no sum.
    pub unpriced: usize,
}

/// One attempt at one vendor.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptCost)]
pub struct CostView {
    pub check_id: CheckId,
    #[serde(rename = "type")]
    pub kind: CheckType,
    /// 1 for the first vendor that the check was tried at, and one more for each further one.
    pub attempt: usize,
    pub provider: ProviderId,
    /// The vendor's own product, where one was asked for.
    #[schema(required)]
    pub product: Option<String>,
    pub status: CheckStatus,
    /// The vendor's quote. `null` where it tells none.
    #[schema(required)]
    pub price: Option<Money>,
    /// When the vendor's object was first known.
    #[schema(required)]
    pub submitted_at: Option<Timestamp>,
    #[schema(required)]
    pub ended_at: Option<Timestamp>,
    /// From one to the other, in whole seconds.
    #[schema(required)]
    pub took_seconds: Option<u64>,
}

impl CostsView {
    pub fn of(order: &OrderView) -> Self {
        let attempts: Vec<_> = order.checks.iter().flat_map(attempts_of).collect();
        let prices = || attempts.iter().filter_map(|attempt| attempt.price.as_ref());
        Self {
            // Quotes are decimal numbers; only a sum that no currency has room for is none.
            totals: Money::totals(prices()).unwrap_or_default(),
            unpriced: attempts.len() - prices().count(),
            attempts,
        }
    }
}

fn attempts_of(check: &CheckView) -> Vec<CostView> {
    let now = CostView {
        check_id: check.id,
        kind: check.kind,
        attempt: check.attempts.len() + 1,
        provider: check.provider.clone(),
        product: check.product.clone(),
        status: check.status,
        price: check.price.clone(),
        submitted_at: check.submitted_at,
        ended_at: check.completed_at,
        took_seconds: took(check.submitted_at, check.completed_at),
    };
    let before = check.attempts.iter().enumerate().map(|(at, tried)| CostView {
        check_id: check.id,
        kind: check.kind,
        attempt: at + 1,
        provider: tried.provider.clone(),
        product: tried.product.clone(),
        status: tried.status,
        price: tried.price.clone(),
        submitted_at: tried.submitted_at,
        ended_at: tried.completed_at,
        took_seconds: took(tried.submitted_at, tried.completed_at),
    });
    before.chain(std::iter::once(now)).collect()
}

fn took(submitted_at: Option<Timestamp>, ended_at: Option<Timestamp>) -> Option<u64> {
    Some(ended_at?.since(submitted_at?).as_secs())
}
