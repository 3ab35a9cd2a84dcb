//! `/v1/monitors`

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod patch;
pub mod runs;
mod view;

use engine::MonitorError;

use crate::problem::{Fault, Kind, Place, Problem};

impl From<MonitorError> for Problem {
    fn from(error: MonitorError) -> Self {
        let conflict = |detail: &str| Self::new(Kind::Conflict, detail);
        match error {
            MonitorError::EndsTooSoon => {
                let detail = "The first run would lie behind this day: choose a later one, or a shorter frequency.";
                Self::invalid(vec![Fault::new(Place::Pointer("/end_date".to_owned()), "invalid", detail)])
            }
            MonitorError::Taken => conflict("The order is monitored already; change or delete that monitor."),
            MonitorError::NoResult => conflict("The order ended without a result: there is nothing to run again."),
            MonitorError::Erased => conflict("The subject of the order was erased: nobody can be checked again."),
            MonitorError::Ended => conflict("The monitor has ended; make a new one."),
            MonitorError::Store(error) => error.into(),
        }
    }
}
