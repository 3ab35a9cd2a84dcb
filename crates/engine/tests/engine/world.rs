//! The gateways, vendors and orders that the tests here work with: those of the trials.

pub use trials::world::{Options, VENDORS, World};
pub use trials::{draft, draft_of};
