//! `/v1/providers`

mod administration;
pub mod credentials;
pub mod custom_types;
pub mod get;
pub mod list;
pub mod passthrough;
pub mod pause;
pub mod resume;
pub mod settings;
pub mod sources;
mod view;
