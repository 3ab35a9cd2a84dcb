//! Finding again: every page of `GET /v1/checks`, matched by `custom_input`.
//!
//! * A row binds only by our whole reference. A row *without* any that agrees in government number, type and country is
//!   a look-alike: evidence for a person.
//! * The cursor is the vendor's own, so rows that come in meanwhile do not shift the pages; what a scan misses all the
//!   same makes it differ from the next one, and two equal ones are asked for.
//! * The list's order is not documented. Where creation times only fell, and did so often enough to be no accident, a page
//!   wholly older than what is looked for ends the scan; else all pages are read.
//! * Rows are read whole with their page, so there is nothing to dismiss and nothing to read again.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Listed, LookAlike, Sighting, Sightings};
use domain::{Reference, Timestamp, VendorRef};
use provider::{CallContext, CallError, LocateQuery, Sought, vendor_id};

use crate::client::{Client, ok};
use crate::inputs::{self, Input};
use crate::mapping;
use crate::pages::{Pages, PagingFault};
use crate::submit::is_reference;
use crate::wire::{BareCheck, CheckPage};

/// How often times must have fallen, and never risen, before the list is taken to begin with the newest.
const FALLS: u32 = 8;

/// Reads as far as it must. What was seen before a fault stays.
pub async fn locate(client: &Client, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    let calls_before = ctx.calls();
    let mut scan = Scan::new(query);
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
    by_reference: BTreeMap<String, Reference>,
    ids: BTreeSet<String>,
    /// The creation time of the row before.
    last: Option<Timestamp>,
    falls: u32,
    /// A row was newer than the one before it, or of no known time.
    rose: bool,
    /// Rows that were passed over because of their ids. Any of them could be what is looked for.
    bad_ids: u32,
    seen: Sightings,
}

impl<'a> Scan<'a> {
    fn new(query: &'a LocateQuery) -> Self {
        let by_reference = query.sought.iter().map(|sought| (sought.reference.to_string(), sought.reference)).collect();
        Self {
            query,
            by_reference,
            ids: BTreeSet::new(),
            last: None,
            falls: 0,
            rose: false,
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
            match (created_at, self.last) {
                (None, _) => self.rose = true,
                (Some(now), Some(before)) if now > before => self.rose = true,
                (Some(now), Some(before)) if now < before => self.falls += 1,
                _ => {}
            }
            self.last = created_at;
            wholly_older &= created_at.is_some_and(|at| at < self.query.since);
            self.take(row, created_at);
        }
        wholly_older && !self.rose && self.falls >= FALLS
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
        match row.custom_input.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => {
                self.seen.echoes |= is_reference(text);
                if let Some(reference) = self.by_reference.get(text) {
                    let (reference, vendor) = (*reference, VendorRef::order(&id));
                    self.seen.found.push(Sighting { reference, vendor, created_at });
                }
            }
            None if in_window && !self.query.settled.contains(&id) => {
                let alike = self.query.sought.iter().filter_map(|sought| {
                    let agrees_in = agreement(sought, row)?;
                    let (reference, vendor_order_id) = (sought.reference, id.clone());
                    Some(LookAlike { reference, vendor_order_id, created_at, agrees_in })
                });
                self.seen.look_alikes.extend(alike);
            }
            None => {}
        }
        if in_window {
            self.seen.listed.push(Listed { id, created_at });
        }
    }
}

/// Our names of the fields in which a row agrees: type, country and a whole government number (or plate); else nothing.
fn agreement(sought: &Sought, row: &BareCheck) -> Option<Vec<String>> {
    let item = provider::SubmissionItem {
        reference: sought.reference,
        order: sought.order.clone(),
        check: sought.check.clone(),
        force_new: false,
    };
    let request = mapping::request(&item)?;
    let sent = |field: &str| request.form.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str());
    let same = |ours: Option<&str>, theirs: Option<&str>| {
        ours.zip(theirs).is_some_and(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs))
    };
    if !same(sent("type"), row.kind.as_deref()) || !same(sent("country"), row.country.as_deref()) {
        return None;
    }
    let numbers = [
        (Input::NationalId, &row.national_id),
        (Input::ForeignId, &row.foreign_id),
        (Input::Ptp, &row.ptp),
        (Input::TaxId, &row.tax_id),
        (Input::LicensePlate, &row.license_plate),
    ];
    let numbers: Vec<_> = numbers
        .into_iter()
        .filter(|(input, theirs)| {
            sent(input.field()).zip(theirs.as_deref()).is_some_and(|(ours, theirs)| inputs::same_number(ours, theirs))
        })
        .map(|(input, _)| input.ours())
        .collect();
    (!numbers.is_empty()).then(|| ["type", "country"].into_iter().chain(numbers).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
