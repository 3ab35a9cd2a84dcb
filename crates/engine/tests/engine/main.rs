//! The engine on a real Postgres against the simulated vendors.

mod batch_crashes;
mod batches;
mod catching_up;
mod clerk;
mod fault_schedules;
mod files;
mod gates;
mod identity;
mod late_proof;
mod monitors;
mod one_at_a_time;
mod operators;
mod positions;
mod products;
mod shared_objects;
mod single_creates;
mod sweeps;
mod theary_batches;
mod thousands;
mod truora_files;
mod unreadable;
mod vendor_monitor_races;
mod vendor_monitors;
mod vendor_notes;
mod waterfalls;
mod world;
