//! The adapter at its simulator: the suite that every adapter passes, and what is Theary's own.

mod batches;
mod bench;
mod cost;
mod hooks;
mod locating;
mod passthrough;
mod samples;
mod singles;

provider::conformance_suite!(crate::bench::bench);
