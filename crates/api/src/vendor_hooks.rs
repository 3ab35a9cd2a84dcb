//! `/vendor-hooks`

pub mod receive;
