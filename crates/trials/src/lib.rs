//! The engine on a real Postgres against the simulators, under faults.
//!
//! [`World`] is one gateway without its HTTP side, with a database and simulators of its own, a clock that only the trial
//! moves, and a witness of every create call. [`schedule`] makes random things happen in one, all of them from a seed,
//! and holds the gateway's promises against the simulators' own books.

pub mod clock;
pub mod drafts;
pub mod polls;
pub mod post_room;
pub mod scan_cost;
pub mod schedule;
pub mod side_by_side;
pub mod tally;
pub mod watch;
pub mod world;

pub use crate::clock::TestClock;
pub use crate::drafts::{draft, draft_of};
pub use crate::scan_cost::{ScanCost, scan_cost};
pub use crate::schedule::{Options, schedule};
pub use crate::side_by_side::SideBySide;
pub use crate::tally::{Count, Invariant, Report, Tallies};
pub use crate::world::{VENDORS, World};
