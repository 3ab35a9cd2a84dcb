//! The engine on a real Postgres against the simulated vendors.

mod batch_crashes;
mod batches;
mod catching_up;
mod fault_schedules;
mod gates;
mod late_proof;
mod operators;
mod positions;
mod shared_objects;
mod single_creates;
mod sweeps;
mod theary_batches;
mod thousands;
mod unreadable;
mod world;
