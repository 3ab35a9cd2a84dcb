//! The adapter at its simulator: the suite that every adapter passes, and what is Theary's own.

mod batches;
mod bench;
mod cost;
mod hooks;
mod locating;
mod one_order;
mod orders;
mod passthrough;
mod releases;
mod samples;
mod singles;
mod switches;
mod tokens;

provider::conformance_suite!(crate::bench::bench);
