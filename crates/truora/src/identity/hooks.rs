//! Events of processes, in hooks that are verified already.
//!
//! Their type ends in `identity_process`; what the actions are called differs by source (`created`, `succeeded`, `success`,
//! `failed`, an override's), and what the object holds is not documented. So of a signed event no more is believed than
//! whose process it is and that it is there: a process that runs is a look, everything else says that a fetch is due. That
//! takes overrides in too, which come after the end.

use bytes::Bytes;
use domain::{Reference, VendorRef};
use provider::hook::named_id;
use provider::{Carries, HookRefused, HookSays};
use serde_json::Value;

use super::mapping;
use super::wire::{HookObject, Process};

const KIND: &str = "identity_process";

/// What an event says of a check's process.
pub struct ProcessNews {
    pub reference: Reference,
    pub vendor: VendorRef,
    pub says: HookSays,
}

/// Reads an event; `None`: it is of something else.
pub fn news(kind: &str, object: &Value) -> Result<Option<ProcessNews>, HookRefused> {
    if kind != KIND {
        return Ok(None);
    }
    let Some(told) = HookObject::read(object) else { return Ok(None) };
    let Some(process_id) = named_id(told.row.process_id.as_deref())? else { return Ok(None) };
    let Carries::Ours(reference) = Carries::read(told.row.account_id.as_deref()) else {
        // Somebody else's of the same account at the vendor.
        return Ok(None);
    };
    let vendor = VendorRef { order_id: reference.to_string(), check_id: Some(process_id.clone()) };
    let runs = told.status.as_deref() == Some("pending");
    let says = if runs {
        let process = Process {
            id: Some(process_id),
            account_id: told.row.account_id,
            status: told.status,
            ..Process::default()
        };
        HookSays::Snapshot(Box::new(mapping::snapshot(&process, Bytes::new())))
    } else {
        HookSays::Changed
    };
    Ok(Some(ProcessNews { reference, vendor, says }))
}
