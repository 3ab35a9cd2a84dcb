//! `/v1/checks`

pub mod get;
pub mod vendor_payload;
