//! The API through a running router, on a real Postgres.

mod access;
mod administration;
mod batch_files;
mod batches;
mod documents;
mod edge;
mod findings;
mod gateway;
mod idempotency;
mod malformed;
mod monitors;
mod orders;
mod passthrough;
mod reconciliation;
mod reports;
mod reverifications;
mod sockets;
mod vendor;
