//! The engine on a real Postgres against the simulated vendors.

mod fault_schedules;
mod gates;
mod late_proof;
mod shared_objects;
mod single_creates;
mod world;
