//! The binary as its users meet it: settings, commands, the demo, and processes that are killed.

mod administration;
mod batches;
mod bench;
mod cases;
mod commands;
mod crashes;
mod demo;
mod example;
mod identity;
mod kills;
mod kills_batch;
mod settings;
mod sharing;
mod support;
