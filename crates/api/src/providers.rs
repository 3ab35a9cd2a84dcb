//! `/v1/providers`

pub mod get;
pub mod list;
pub mod passthrough;
pub mod pause;
pub mod resume;
mod view;
