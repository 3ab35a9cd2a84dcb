//! `/v1/reconciliation`

pub mod cases;
