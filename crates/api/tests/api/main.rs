//! The API through a running router, on a real Postgres.

mod access;
mod edge;
mod gateway;
mod idempotency;
mod malformed;
mod orders;
mod reconciliation;
