//! What the vendor did for an order, step by step, as notes for its timeline.

use async_trait::async_trait;
use domain::VendorRef;
use provider::{CallContext, CallError, Note, Timeline, vendor_code, vendor_id};

use crate::Truework;
use crate::client::{PAGE, unexpected};
use crate::wire::{Event, EventPage};

/// The most pages that are read. An order has a handful of events.
const MOST_PAGES: u32 = 40;

#[async_trait]
impl Timeline for Truework {
    /// The vendor's types and strategies are passed on where they are codes; its messages are sentences, and are not.
    async fn notes(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Vec<Note>, CallError> {
        let mut order = vendor.order_id.clone();
        let mut answer = self.client.events(ctx, &order, PAGE, 0).await?;
        // An order that an older version made has another id here.
        if answer.status.as_u16() == 404
            && let Some((id, _)) = self.order_of(ctx, &order).await?
        {
            answer = self.client.events(ctx, &id, PAGE, 0).await?;
            order = id;
        }
        if answer.status.as_u16() == 404 {
            return Ok(Vec::new());
        }
        let (mut notes, mut offset) = (Vec::new(), 0);
        for page in 1..=MOST_PAGES {
            if answer.status.as_u16() != 200 {
                return Err(unexpected(&answer));
            }
            let EventPage { results, next } = answer.json()?;
            let events = results.unwrap_or_default();
            offset += u32::try_from(events.len()).unwrap_or(u32::MAX);
            notes.extend(events.iter().filter_map(note));
            if events.is_empty() || next.is_none() || page == MOST_PAGES {
                break;
            }
            answer = self.client.events(ctx, &order, PAGE, offset).await?;
        }
        // Nothing says whether the oldest comes first.
        if notes.iter().all(|note| note.at.is_some()) {
            notes.sort_by_key(|note| note.at);
        }
        Ok(notes)
    }
}

/// `None`: an event without an id could be noted twice.
fn note(event: &Event) -> Option<Note> {
    let id = event.id.as_deref().filter(|id| !id.is_empty())?;
    Some(Note {
        dedupe_key: ["event", id].join("|"),
        code: event.kind.as_deref().and_then(vendor_code).unwrap_or("event").to_owned(),
        strategy: event.strategy.as_deref().and_then(vendor_code).map(str::to_owned),
        at: event.created.as_deref().and_then(|created| created.parse().ok()),
        part: event.verification_request_id.as_deref().and_then(vendor_id),
    })
}
