//! `/v1/reconciliation/cases`

pub mod get;
pub mod list;
pub mod resolve;
pub mod scan;
mod view;
