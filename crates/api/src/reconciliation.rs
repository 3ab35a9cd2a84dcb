//! `/v1/reconciliation`

pub mod cases;
pub mod orphans;
