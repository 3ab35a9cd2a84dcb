//! `/v1/batches`

pub mod cancel;
pub mod columns;
pub mod create;
pub mod get;
mod intake;
pub mod lines;
pub mod list;
pub mod orders;
pub mod report;
pub mod template;
mod view;
