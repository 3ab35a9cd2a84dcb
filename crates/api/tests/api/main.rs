//! The API through a running router, on a real Postgres.

mod access;
mod batch_files;
mod batches;
mod edge;
mod gateway;
mod idempotency;
mod malformed;
mod monitors;
mod orders;
mod reconciliation;
mod sockets;
