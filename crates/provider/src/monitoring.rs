//! A vendor's own monitors: it repeats a check by itself, and each repetition is an object that is followed like any other.
//!
//! The engine drives it: it writes down that a create call is about to be made before it is, looks for what a lost
//! answer was about before it asks again, and takes each of the monitor's runs in once.

use std::time::Duration;

use async_trait::async_trait;
use domain::{CheckInput, Date, Frequency, OrderInput, Reason, Timestamp, VendorRef};

use crate::call::{CallContext, CallError};

/// The part of an adapter that has the vendor repeat checks. See the module's documentation.
#[async_trait]
pub trait Monitoring: Send + Sync {
    /// Whether the vendor can repeat this check so often.
    fn takes(&self, order: &OrderInput, check: &CheckInput, frequency: Frequency) -> bool;

    /// Has the vendor repeat a check that it has completed. Made exactly once and never repeated in here.
    async fn create(
        &self,
        ctx: &CallContext,
        check: &VendorRef,
        frequency: Frequency,
        end_date: Date,
    ) -> MonitorCreated;

    /// Every monitor that the vendor has of this check; whoever made it. A list that cannot be read to its end is an error.
    async fn find(&self, ctx: &CallContext, check: &VendorRef) -> Result<Vec<VendorMonitor>, CallError>;

    /// How one stands. `None`: the vendor does not know it (any more).
    async fn get(&self, ctx: &CallContext, id: &str) -> Result<Option<VendorMonitor>, CallError>;

    /// Changes one. To say the same again is without effect.
    async fn update(&self, ctx: &CallContext, id: &str, change: MonitorChange) -> Result<MonitorUpdated, CallError>;

    /// Every run that it has made, oldest first, without the check that it began with. A list that cannot be read to its
    /// end is an error.
    async fn runs(&self, ctx: &CallContext, id: &str) -> Result<Vec<VendorRun>, CallError>;
}

/// How a create call ended.
#[derive(Debug, Clone)]
pub enum MonitorCreated {
    Made(VendorMonitor),
    /// Refused in the vendor's own words. Looked for all the same, before that is believed.
    Refused(Reason),
    /// Provably nothing was made.
    NotSent {
        why: Reason,
        retry_after: Option<Duration>,
    },
    /// Everything else.
    Unknown(Reason),
}

/// What came of changing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MonitorUpdated {
    /// It is as was asked for.
    Changed(VendorMonitor),
    /// The vendor does not know it (any more).
    Missing,
    /// The vendor will not.
    Refused(Reason),
}

/// A monitor as the vendor shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorMonitor {
    pub id: String,
    /// The check that it began with, where the vendor says.
    pub check_id: Option<String>,
    /// `None`: it cannot be said in ours.
    pub frequency: Option<Frequency>,
    pub end_date: Option<Date>,
    pub enabled: bool,
    pub next_run_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonitorChange {
    pub frequency: Frequency,
    pub enabled: bool,
}

/// An object that the vendor made for a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRun {
    pub vendor: VendorRef,
    pub made_at: Option<Timestamp>,
}
