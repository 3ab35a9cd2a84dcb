//! Monitors and their runs as callers see them.

use domain::{
    Date, Frequency, Monitor, MonitorId, MonitorMethod, MonitorRun, MonitorStatus, OrderId, PauseReason, ProviderId,
    RunState, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// An order that is run again and again.
#[derive(Serialize, ToSchema)]
#[schema(as = Monitor)]
pub struct MonitorView {
    pub id: MonitorId,
    /// The order that it began with: run 0.
    order_id: OrderId,
    status: MonitorStatus,
    /// Why it is paused.
    #[schema(required)]
    status_reason: Option<PauseView>,
    /// An ISO 8601 period.
    frequency: Frequency,
    /// The last day on which a run may begin (UTC).
    end_date: Date,
    /// `vendor`: the vendor repeats the check by itself. `reorder`: the gateway orders all checks again.
    method: MonitorMethod,
    /// The vendor's own monitor, where it is one.
    #[schema(required)]
    vendor: Option<VendorMonitorView>,
    /// The number of the latest run, skipped ones included; 0: none but the first order.
    runs: u32,
    /// When the next run is due, as far as it is known.
    #[schema(required)]
    next_run_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Why a monitor is paused.
#[derive(Serialize, ToSchema)]
#[schema(as = MonitorPause)]
struct PauseView {
    code: PauseReason,
    /// What happened, and what to do.
    message: &'static str,
}

/// A monitor of the vendor's own.
#[derive(Serialize, ToSchema)]
#[schema(as = VendorMonitor)]
struct VendorMonitorView {
    provider: ProviderId,
    account: String,
    /// `null`: the vendor has not been told yet.
    #[schema(required)]
    monitor_id: Option<String>,
}

impl MonitorView {
    pub fn of(monitor: Monitor) -> Self {
        Self {
            id: monitor.id,
            order_id: monitor.order_id,
            status: monitor.status,
            status_reason: monitor.pause.map(|code| PauseView { code, message: code.message() }),
            frequency: monitor.frequency,
            end_date: monitor.end_date,
            method: monitor.method(),
            runs: monitor.runs,
            next_run_at: monitor.next_run_at,
            created_at: monitor.created_at,
            updated_at: monitor.updated_at,
            vendor: monitor.vendor.map(|vendor| VendorMonitorView {
                provider: vendor.account.provider,
                account: vendor.account.account,
                monitor_id: vendor.monitor_id,
            }),
        }
    }
}

/// One run of a monitor.
#[derive(Serialize, ToSchema)]
#[schema(as = MonitorRun)]
pub struct RunView {
    /// From 0, the order that the monitor began with.
    number: u32,
    state: RunState,
    /// Its order, with the first one as its parent; `null`: it was skipped.
    #[schema(required)]
    order_id: Option<OrderId>,
    /// When it was due, or when the vendor made it.
    due_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// Whether its outcome or result differs from the run before; `null`: it has not ended, or there is nothing to compare.
    #[schema(required)]
    changed: Option<bool>,
}

impl RunView {
    pub fn of(run: &MonitorRun) -> Self {
        Self {
            number: run.number,
            state: run.state,
            order_id: run.order_id,
            due_at: run.due_at,
            ended_at: run.ended_at,
            changed: run.changed,
        }
    }
}
