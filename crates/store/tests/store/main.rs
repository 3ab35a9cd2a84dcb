//! The store against a real Postgres. Each test has a database of its own.
#![cfg(test)]

mod accounts;
mod batches;
mod cancellations;
mod cases;
mod catch_up;
mod claims;
mod costs;
mod idempotency;
mod inbox;
mod lanes;
mod monitors;
mod orders;
mod orphans;
mod search;
mod secrecy;
mod sequencer;
mod submissions;
mod support;
mod sweeps;
mod transactions;
mod vendor_files;
mod vendor_notes;
