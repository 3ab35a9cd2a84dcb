//! The REST contract: one file per operation.
