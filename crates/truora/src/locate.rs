//! Finding again: every page of `GET /v1/checks`, matched by `custom_input`.
//!
//! * A row binds only by our whole reference. A row *without* any that agrees in government number, type and country is
//!   a look-alike: evidence for a person.
//! * The cursor is the vendor's own, so rows that come in meanwhile do not shift the pages; what a scan misses all the
//!   same makes it differ from the next one, and two equal ones are asked for.
//! * The list's order is not documented. Where creation times only fell, and did so often enough to be no accident, a page
//!   wholly older than what is looked for ends the scan; else all pages are read.
//! * Rows are read whole with their page: a look costs its pages and nothing else, and has nothing to dismiss. A sweep
//!   says of every row whether it is ours.

mod alike;

use std::collections::BTreeSet;

use domain::case::{Listed, LookAlike, Sighting, Sightings};
use domain::{Reference, Timestamp, VendorRef};
use provider::{CallContext, CallError, Carries, LocateQuery, RowOrder, SweepQuery, vendor_id};

use self::alike::Claims;
use crate::client::{Client, ok};
use crate::pages::{Pages, PagingFault};
use crate::wire::{BareCheck, CheckPage};

/// Reads as far as it must. What was seen before a fault stays.
pub async fn locate(client: &Client, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    look(client, ctx, Scan::new(query)).await
}

/// The same, with nothing sought.
pub async fn sweep(client: &Client, ctx: &CallContext, query: &SweepQuery) -> Sightings {
    let query = query.clone().into();
    look(client, ctx, Scan { dismisses: true, ..Scan::new(&query) }).await
}

async fn look(client: &Client, ctx: &CallContext, mut scan: Scan<'_>) -> Sightings {
    let calls_before = ctx.calls();
    let fault = walk(client, ctx, &mut scan).await.err().or_else(|| scan.fault());
    let mut seen = scan.into_seen();
    seen.complete = fault.is_none();
    seen.incomplete_because = fault.map(|fault| fault.to_string());
    seen.calls = ctx.calls() - calls_before;
    seen
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("{0}")]
    Paging(#[from] PagingFault),
    #[error("a page of the list holds no list")]
    NoList,
    #[error("{0} rows of the list have no id, or one that cannot be kept")]
    BadIds(u32),
}

async fn walk(client: &Client, ctx: &CallContext, scan: &mut Scan<'_>) -> Result<(), Fault> {
    let mut pages = Pages::from(client.list_url());
    let mut next = Some(pages.first().clone());
    while let Some(url) = next {
        let page: CheckPage = ok(client.page(ctx, url).await?)?.json()?;
        next = pages.follow(page.next.as_deref())?;
        let is_last = next.is_none();
        if scan.read(&page.checks.ok_or(Fault::NoList)?) && !is_last {
            scan.seen.stopped_early = true;
            return Ok(());
        }
    }
    Ok(())
}

/// A scan under way. Does no I/O.
struct Scan<'a> {
    query: &'a LocateQuery,
    sought: BTreeSet<Reference>,
    claims: Claims,
    /// Says which rows are none of ours.
    dismisses: bool,
    ids: BTreeSet<String>,
    order: RowOrder,
    /// Rows that were passed over because of their ids. Any of them could be what is looked for.
    bad_ids: u32,
    seen: Sightings,
}

impl<'a> Scan<'a> {
    fn new(query: &'a LocateQuery) -> Self {
        Self {
            query,
            sought: query.sought.iter().map(|sought| sought.reference).collect(),
            claims: Claims::of(&query.sought),
            dismisses: false,
            ids: BTreeSet::new(),
            order: RowOrder::default(),
            bad_ids: 0,
            seen: Sightings::default(),
        }
    }

    fn into_seen(self) -> Sightings {
        self.seen
    }

    /// What is missing although all pages were read.
    fn fault(&self) -> Option<Fault> {
        (self.bad_ids > 0).then_some(Fault::BadIds(self.bad_ids))
    }

    /// Takes in a page. True if nothing older need be read.
    fn read(&mut self, rows: &[BareCheck]) -> bool {
        self.seen.pages += 1;
        let mut wholly_older = !rows.is_empty();
        for row in rows {
            let created_at = row.created_at();
            self.order.note(created_at);
            wholly_older &= created_at.is_some_and(|at| at < self.query.since);
            self.take(row, created_at);
        }
        wholly_older && self.order.is_newest_first()
    }

    fn take(&mut self, row: &BareCheck, created_at: Option<Timestamp>) {
        let Some(id) = row.check_id.as_deref().and_then(vendor_id) else {
            self.bad_ids += 1;
            return;
        };
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.seen.objects += 1;
        let in_window = created_at.is_none_or(|at| (self.query.since..=self.query.until).contains(&at));
        let carries = Carries::read(row.custom_input.as_deref());
        // Says something of the account, whatever is known of the check.
        self.seen.echoes |= carries.ours().is_some();
        // What is sought counts even where another check holds it: the vendor's own dedupe lets checks share.
        let is_sought = carries.ours().is_some_and(|reference| self.sought.contains(&reference));
        if is_sought || !self.query.settled.contains(&id) {
            self.judge(carries, row, &id, created_at, in_window);
        }
        if in_window {
            self.seen.listed.push(Listed { id, created_at });
        }
    }

    /// Says of a row that is not settled whose it is.
    fn judge(&mut self, carries: Carries, row: &BareCheck, id: &str, created_at: Option<Timestamp>, in_window: bool) {
        match carries {
            Carries::Ours(reference) => {
                // What is sought binds whenever it was made; of the rest only what belongs to the time looked at.
                if in_window || self.sought.contains(&reference) {
                    self.seen.found.push(Sighting { reference, vendor: VendorRef::order(id), created_at });
                }
            }
            Carries::Foreign if in_window && self.dismisses => self.seen.dismissed.push(id.to_owned()),
            Carries::Nothing if in_window => {
                self.claims.compare(row, id, created_at, &mut self.seen.look_alikes);
                // A reference may still be to come while the window is open.
                if self.dismisses && self.query.started_at > self.query.until {
                    self.seen.dismissed.push(id.to_owned());
                }
            }
            Carries::Foreign | Carries::Nothing | Carries::Descent => {}
        }
    }
}

#[cfg(test)]
mod tests;
