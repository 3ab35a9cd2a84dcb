//! A private Postgres and what tests need around a gateway.
