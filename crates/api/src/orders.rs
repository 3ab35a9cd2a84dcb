//! `/v1/orders`

pub mod cancel;
pub mod create;
pub mod document;
pub mod documents;
pub mod events;
pub mod filter;
pub mod get;
pub mod list;
pub mod refresh;
pub mod report;
pub mod reverify;
pub mod search;
