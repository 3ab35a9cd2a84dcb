//! What the vendor did for an order, step by step, as notes for its timeline.

use domain::VendorRef;
use provider::{CallContext, CallError, HookNews, HookSays, native_status, vendor_code};

use crate::Truework;
use crate::client::{PAGE, unexpected};
use crate::wire::{Event, EventPage};

/// The most pages that are read. An order has a handful of events.
const MOST_PAGES: u32 = 40;

impl Truework {
    /// Every event of an order, in the vendor's order, shaped as the hooks that bring notes: keyed so that an event that was
    /// noted is not noted again. None in versions before 2023-10-30, which have no events.
    ///
    /// The vendor's types and strategies are passed on where they are codes; its messages are sentences, and are not.
    pub async fn events(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Vec<HookNews>, CallError> {
        let mut notes = Vec::new();
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            if !self.settings.version.has_orders() {
                break;
            }
            let answer = self.client.events(ctx, &vendor.order_id, PAGE, offset).await?;
            match answer.status.as_u16() {
                200 => {}
                404 => break,
                _ => return Err(unexpected(&answer)),
            }
            let page: EventPage = answer.json()?;
            let events = page.results.unwrap_or_default();
            offset += u32::try_from(events.len()).unwrap_or(u32::MAX);
            let is_last = events.is_empty() || page.next.is_none();
            notes.extend(events.iter().filter_map(|event| note(vendor, event)));
            if is_last {
                break;
            }
        }
        Ok(notes)
    }
}

/// `None`: an event without an id could be noted twice.
fn note(vendor: &VendorRef, event: &Event) -> Option<HookNews> {
    let id = event.id.as_deref().filter(|id| !id.is_empty())?;
    let kind = event.kind.as_deref().and_then(vendor_code).unwrap_or("event");
    let told = match event.strategy.as_deref().and_then(vendor_code) {
        Some(strategy) => format!("{kind} ({strategy})"),
        None => kind.to_owned(),
    };
    Some(HookNews {
        dedupe_key: ["event", id].join("|"),
        reference: None,
        vendor: Some(VendorRef { order_id: vendor.order_id.clone(), check_id: event.verification_request_id.clone() }),
        says: HookSays::Note { kind: native_status(&told) },
    })
}
