//! `/v1/providers/{provider}/settings`: how a vendor account's checks are made.

pub mod change;
pub mod get;
