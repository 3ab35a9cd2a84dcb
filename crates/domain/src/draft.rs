//! An order as it was asked for, parsed and not yet accepted.

use std::collections::BTreeMap;

use crate::input::{CheckInput, OrderInput};
use crate::party::ProviderId;
use crate::sensitive::Sensitive;

#[derive(Debug, Clone)]
pub struct OrderDraft {
    pub external_id: Option<String>,
    pub input: Sensitive<OrderInput>,
    /// Where every check of the order goes unless it says otherwise itself.
    pub provider: Option<ProviderId>,
    /// 1 to 20.
    pub checks: Vec<CheckDraft>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct CheckDraft {
    pub input: Sensitive<CheckInput>,
    pub provider: Option<ProviderId>,
    pub account: Option<String>,
}
