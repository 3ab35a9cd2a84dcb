//! The REST contract: one file per operation, each with its path, its OpenAPI text, a short handler and its refusals.
//!
//! Nothing is decided here. A request is authenticated ([`caller`]), read ([`body`], [`query`], [`draft`]), handed to the
//! engine inside a transaction that also keeps its idempotency record ([`idempotency`]), and the answer is shown masked
//! ([`views`]). What goes wrong becomes a [`problem`]. [`edge`] surrounds every request; [`router`] lists all routes, from
//! which the OpenAPI document is made as well, so that the two cannot differ.

mod app;
mod audit;
mod auth;
mod batches;
mod body;
mod caller;
mod checks;
mod docs;
mod draft;
mod edge;
mod examples;
mod faults;
mod health;
mod idempotency;
mod jwks;
mod limits;
mod mask;
mod metrics;
mod monitors;
mod openapi;
mod orders;
mod page;
mod path;
mod problem;
mod providers;
mod query;
mod reconciliation;
mod refusals;
mod router;
mod schema;
mod scope;
mod section;
mod texts;
mod upload;
mod vendor_calls;
mod vendor_hooks;
mod views;

pub use crate::app::{App, Settings};
pub use crate::auth::{AuthSettings, AuthSetupError};
pub use crate::edge::quiet_panics;
pub use crate::metrics::metrics_router;
pub use crate::openapi::openapi;
pub use crate::problem::Kind as ProblemKind;
pub use crate::router::router;
pub use crate::scope::Scope;
