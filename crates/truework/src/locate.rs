//! Finding an order again by the search key it was given: one look-up per reference, exact matches only.
//!
//! The vendor's filter is not trusted. Rows with another key are ignored, and where a look-up brings any, the filter says
//! nothing about absence either: then the whole list is read once, without a filter, for all references together. So it
//! always is in versions before 2023-10-30, which know no search key: there the metadata tell.
//!
//! A reverification carries nothing of ours. The whole list is read for it, and every order that shows the same parent is a
//! candidate, however many there are and whoever has them. So is one that shows no way in which it was made: the vendor may
//! leave the parent out. Versions that show no parents say that it cannot be recognized.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Candidate, Listed, LookAlike, Sighting, Sightings};
use domain::settle::SKEW;
use domain::{Reference, Timestamp, VendorRef};
use provider::{CallContext, CallError, Carries, LocateQuery, RowOrder, Sought, SweepQuery, vendor_id};

use crate::client::{Client, PAGE, unexpected};
use crate::settings::Version;
use crate::wire::{OrderHead, OrderPage};
use crate::{mapping, reverify};

/// The most pages one look-up reads. More orders than that under one key, or in an unfiltered account, are for a person.
const MOST_PAGES: u32 = 400;

/// Where to look.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    pub client: &'a Client,
    pub version: Version,
}

pub async fn locate(shelf: Shelf<'_>, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    let calls_before = ctx.calls();
    let mut scan = Scan::new(query);
    let read = read(shelf, ctx, query, &mut scan).await;
    scan.seen.calls = ctx.calls() - calls_before;
    scan.finish(read.err())
}

/// The whole list, without a filter; it shows whose each order is.
pub async fn sweep(shelf: Shelf<'_>, ctx: &CallContext, query: &SweepQuery) -> Sightings {
    let calls_before = ctx.calls();
    let query = query.clone().into();
    let mut scan = Scan { dismisses: true, ..Scan::new(&query) };
    let read = look_up(shelf, ctx, None, &mut scan).await;
    scan.seen.calls = ctx.calls() - calls_before;
    scan.finish(read.err())
}

/// The ids of what carries this reference and was made since then, read from the whole list; the earliest first, and always
/// in the same order.
pub async fn of_reference(
    shelf: Shelf<'_>,
    ctx: &CallContext,
    reference: Reference,
    since: Timestamp,
) -> Result<Vec<String>, String> {
    let query = LocateQuery { sought: Vec::new(), since, until: since, started_at: since, settled: BTreeSet::new() };
    let mut scan = Scan { sought: BTreeSet::from([reference]), ..Scan::new(&query) };
    look_up(shelf, ctx, None, &mut scan).await?;
    let mut seen = scan.finish(None);
    seen.found.sort_by(|one, other| (one.created_at, &one.vendor).cmp(&(other.created_at, &other.vendor)));
    match seen.incomplete_because {
        Some(why) => Err(why),
        None => Ok(seen.found.into_iter().map(|sighting| sighting.vendor.order_id).collect()),
    }
}

async fn read(shelf: Shelf<'_>, ctx: &CallContext, query: &LocateQuery, scan: &mut Scan<'_>) -> Result<(), String> {
    let mut must_read_all = scan.look_for_reverifications(shelf.version);
    for sought in query.sought.iter().filter(|sought| sought.check.prior_report().is_none()) {
        must_read_all |=
            !shelf.version.has_orders() || look_up(shelf, ctx, Some(sought.reference), scan).await? != Filter::Kept;
    }
    if must_read_all {
        look_up(shelf, ctx, None, scan).await?;
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Filter {
    Kept,
    /// An order with another key came.
    NotKept,
}

/// Reads the list, under one key or all of it, to its end.
async fn look_up(
    shelf: Shelf<'_>,
    ctx: &CallContext,
    asked: Option<Reference>,
    scan: &mut Scan<'_>,
) -> Result<Filter, String> {
    let key = asked.map(|reference| reference.to_string());
    let key = key.as_deref();
    let mut ids = BTreeSet::new();
    let mut bad_ids = 0;
    let mut order = RowOrder::default();
    let mut promised = None;
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        let page = page(shelf, ctx, key, offset).await.map_err(|error| error.to_string())?;
        scan.seen.pages += 1;
        promised = promised.or(page.count);
        let rows = page.results.ok_or("the vendor's list has no results field")?;
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut filter = Filter::Kept;
        let mut wholly_older = count > 0;
        for row in rows {
            let created_at = created_at(&row);
            order.note(created_at);
            wholly_older &= created_at.is_some_and(|at| at < scan.query.since);
            if key.is_some() && row.reference() != key {
                filter = Filter::NotKept;
            }
            match scan.row(&row, asked) {
                Some(id) => _ = ids.insert(id),
                None => bad_ids += 1,
            }
        }
        if filter == Filter::NotKept {
            return Ok(filter);
        }
        // Orders are never deleted, so none of the pages before can have been skipped.
        if key.is_none() && wholly_older && page.next.is_some() && order.is_newest_first() {
            scan.seen.stopped_early = true;
            return Ok(filter);
        }
        // `next` is null, or left out, at the end. A page without rows ends it too, else a vendor could keep us for ever.
        if page.next.is_none() || count == 0 {
            // Orders that moved to a page already read while we read on would be missing.
            let whole = promised.is_none_or(|promised| ids.len() as u64 + bad_ids >= promised);
            return if whole { Ok(filter) } else { Err("the vendor's list holds fewer orders than it counts".into()) };
        }
        // The offset counts orders. The link itself is not followed: it could lead anywhere.
        offset += count;
    }
    Err(format!("the vendor's list has more than {MOST_PAGES} pages"))
}

async fn page(shelf: Shelf<'_>, ctx: &CallContext, key: Option<&str>, offset: u32) -> Result<OrderPage, CallError> {
    let answer = shelf.client.orders(ctx, key, PAGE, offset).await?;
    if answer.status.as_u16() != 200 {
        return Err(unexpected(&answer));
    }
    mapping::page(shelf.version, &answer)
}

/// An order has no time of its own; its verifications have one each.
fn created_at(row: &OrderHead) -> Option<Timestamp> {
    row.verification_requests.iter().flatten().filter_map(|part| part.created.as_deref()?.parse().ok()).min()
}

/// What was seen so far.
struct Scan<'a> {
    query: &'a LocateQuery,
    sought: BTreeSet<Reference>,
    /// Reverifications that are sought, each with its parent.
    reverifications: Vec<(&'a Sought, &'a str)>,
    /// Says which orders are none of ours.
    dismisses: bool,
    orders: BTreeMap<String, Option<Timestamp>>,
    /// Rows that were passed over because of their ids. Any of them could be what is looked for.
    bad_ids: u32,
    seen: Sightings,
}

impl<'a> Scan<'a> {
    fn new(query: &'a LocateQuery) -> Self {
        let sought = query.sought.iter().map(|sought| sought.reference).collect();
        Self {
            query,
            sought,
            reverifications: Vec::new(),
            dismisses: false,
            orders: BTreeMap::new(),
            bad_ids: 0,
            seen: Sightings::default(),
        }
    }

    /// Takes in one order, listed for the reference that was asked for. Gives its id, if it has one that can be kept.
    fn row(&mut self, row: &OrderHead, asked: Option<Reference>) -> Option<String> {
        let Some(id) = row.id.as_deref().and_then(vendor_id) else {
            self.bad_ids += 1;
            return None;
        };
        let created_at = created_at(row);
        // Whatever a reverification brings back is its parent's.
        let carries = if row.parent().is_some() { Carries::Nothing } else { Carries::read(row.reference()) };
        self.seen.echoes |= carries.ours().is_some();
        if let (Carries::Nothing, Some(asked)) = (carries, asked) {
            // The filter says that it is ours, the order itself says nothing. Not proof, and not to be passed over.
            self.seen.look_alikes.push(LookAlike {
                reference: asked,
                vendor_order_id: id.clone(),
                created_at,
                agrees_in: vec!["search_key".to_owned()],
            });
        }
        if asked.is_none() {
            // Settled or not: what was dismissed for want of a reference may be it.
            self.note_candidate(row, carries, &id, created_at);
        }
        if self.orders.insert(id.clone(), created_at).is_some() {
            // Seen on an earlier page, or by the look-up of another reference.
            return Some(id);
        }
        if !self.query.settled.contains(&id) {
            self.judge(carries, &id, created_at);
        }
        Some(id)
    }

    /// Says which reverifications are sought, and which of them the list would not show. Gives whether it shows any.
    fn look_for_reverifications(&mut self, version: Version) -> bool {
        let query = self.query;
        for sought in &query.sought {
            let Some(prior) = sought.check.prior_report() else { continue };
            match reverify::parent(prior, version) {
                Some(parent) => self.reverifications.push((sought, parent)),
                None => self.seen.unrecognizable.push(sought.reference),
            }
        }
        !self.reverifications.is_empty()
    }

    /// Notes whose reverification the order could be.
    fn note_candidate(&mut self, row: &OrderHead, carries: Carries, id: &str, created_at: Option<Timestamp>) {
        let shows_nothing = row.parent().is_none() && !row.is_of_another_kind() && carries == Carries::Nothing;
        for (sought, parent) in &self.reverifications {
            let fits = row.parent() == Some(*parent);
            let in_window = created_at.is_none_or(|at| (sought.sent_at - SKEW..=self.query.until).contains(&at));
            let candidate = Candidate { reference: sought.reference, vendor_order_id: id.to_owned(), created_at, fits };
            // A row may come on two pages.
            if in_window && (fits || shows_nothing) && !self.seen.candidates.contains(&candidate) {
                self.seen.candidates.push(candidate);
            }
        }
    }

    /// Says of an order that is not settled whose it is.
    fn judge(&mut self, carries: Carries, id: &str, created_at: Option<Timestamp>) {
        let in_window = created_at.is_none_or(|at| (self.query.since..=self.query.until).contains(&at));
        match carries {
            // What came of a session that a check is bound to is no object of its own.
            Carries::Ours(reference) if self.query.settled.contains(&reference.to_string()) => {}
            // What is sought binds whenever it was made; of the rest only what belongs to the time looked at.
            Carries::Ours(reference) if in_window || self.sought.contains(&reference) => {
                self.seen.found.push(Sighting { reference, vendor: VendorRef::order(id), created_at });
            }
            Carries::Foreign if in_window && self.dismisses => self.seen.dismissed.push(id.to_owned()),
            // A reference may still be to come while the window is open.
            Carries::Nothing if in_window && self.dismisses && self.query.started_at > self.query.until => {
                self.seen.dismissed.push(id.to_owned());
            }
            _ => {}
        }
    }

    fn finish(mut self, failure: Option<String>) -> Sightings {
        let bad_ids = || format!("{} listed orders have no id, or one that cannot be kept", self.bad_ids);
        self.seen.incomplete_because = failure.or_else(|| (self.bad_ids > 0).then(bad_ids));
        self.seen.complete = self.seen.incomplete_because.is_none();
        self.seen.objects = u32::try_from(self.orders.len()).unwrap_or(u32::MAX);
        let window = self.query.since..=self.query.until;
        let in_window = |created: &Option<Timestamp>| created.is_none_or(|at| window.contains(&at));
        let is_open = |alike: &LookAlike| !self.query.settled.contains(&alike.vendor_order_id);
        self.seen.look_alikes.retain(|alike| in_window(&alike.created_at) && is_open(alike));
        self.seen.listed = self
            .orders
            .into_iter()
            .filter(|(_, created_at)| in_window(created_at))
            .map(|(id, created_at)| Listed { id, created_at })
            .collect();
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provider::Sought;
    use serde_json::json;

    use super::*;
    use crate::samples;

    #[test]
    fn an_order_with_a_bad_id_is_passed_over_and_something_is_missing() {
        let at = Timestamp::EPOCH;
        let sought = Sought {
            reference: samples::reference(1),
            sent_at: at,
            order: Arc::new(samples::order()),
            check: Arc::new(samples::employment()),
        };
        let query =
            LocateQuery { sought: vec![sought], since: at, until: at, started_at: at, settled: BTreeSet::new() };
        let row = |id: &serde_json::Value| {
            let row = json!({ "id": id, "search_key": samples::reference(1).to_string() });
            serde_json::from_value::<OrderHead>(row).expect("a row")
        };
        for bad in [json!(null), json!(""), json!("x".repeat(4_096)), json!("a\u{0}"), json!("a ")] {
            let mut scan = Scan::new(&query);
            assert_eq!(scan.row(&row(&bad), None), None);
            assert_eq!(scan.row(&row(&json!("order-1")), None).as_deref(), Some("order-1"));
            let seen = scan.finish(None);
            assert!(!seen.complete && seen.incomplete_because.is_some(), "{bad}");
            assert_eq!((seen.found.len(), seen.objects), (1, 1), "{bad}");
        }
        let mut whole = Scan::new(&query);
        whole.row(&row(&json!("order-1")), None);
        assert!(whole.finish(None).complete);
    }
}
