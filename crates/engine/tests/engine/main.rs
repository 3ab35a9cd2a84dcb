//! The engine on a real Postgres against the simulated vendors.

mod fault_schedules;
mod single_creates;
mod world;
