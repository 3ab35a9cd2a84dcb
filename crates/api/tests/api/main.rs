//! The API through a running router, on a real Postgres.

mod access;
mod administration;
mod batch_files;
mod batches;
mod edge;
mod gateway;
mod idempotency;
mod malformed;
mod orders;
mod reconciliation;
mod sockets;
