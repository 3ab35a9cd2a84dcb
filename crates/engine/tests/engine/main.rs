//! The engine on a real Postgres against the simulated vendors.

mod fault_schedules;
mod late_proof;
mod single_creates;
mod world;
