//! `/v1/checks`

pub mod act;
pub mod get;
pub mod vendor_payload;
