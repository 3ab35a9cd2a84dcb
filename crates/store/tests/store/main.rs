//! The store against a real Postgres. Each test has a database of its own.
#![cfg(test)]

mod accounts;
mod cases;
mod claims;
mod costs;
mod idempotency;
mod inbox;
mod orders;
mod search;
mod secrecy;
mod sequencer;
mod submissions;
mod support;
