//! An order as it was asked for, parsed and not yet accepted.

use std::collections::BTreeMap;

use crate::input::{CheckInput, OrderInput};
use crate::party::ProviderId;
use crate::sensitive::Sensitive;

#[derive(Debug, Clone)]
pub struct OrderDraft {
    pub external_id: Option<String>,
    pub input: Sensitive<OrderInput>,
    /// Where every check of the order goes, in turn, unless it says otherwise itself; none: by the routes.
    pub providers: Vec<Wish>,
    /// 1 to 20.
    pub checks: Vec<CheckDraft>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct CheckDraft {
    pub input: Sensitive<CheckInput>,
    /// The vendors to be tried in turn; none: as the order says.
    pub providers: Vec<Wish>,
    pub account: Option<String>,
}

/// A vendor that the caller names: `truework`, or with one of its products, `truework:employer-search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub provider: ProviderId,
    pub product: Option<String>,
}

impl Wish {
    /// `None`: it names no provider, or no product behind the colon.
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, product) =
            text.split_once(':').map_or((text, None), |(provider, product)| (provider, Some(product)));
        if provider.is_empty() || product.is_some_and(str::is_empty) {
            return None;
        }
        Some(Self { provider: ProviderId::new(provider), product: product.map(str::to_owned) })
    }
}
