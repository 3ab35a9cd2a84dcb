//! Postgres: one file per aggregate, personal data encrypted.
