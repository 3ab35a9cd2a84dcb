//! Finding an order again by the search key it was given: one look-up per reference, exact matches only.
//!
//! The vendor's filter is not trusted. Rows with another key are ignored, and where a look-up brings any, the filter is
//! taken as ignored: the pages are then read to the end, and as they hold the whole account they serve every reference.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Listed, Sighting, Sightings};
use domain::{Reference, Timestamp, VendorRef};
use provider::{CallContext, CallError, LocateQuery};

use crate::client::{Client, PAGE, unexpected};
use crate::wire::{OrderHead, OrderPage};

/// The most pages one look-up reads. More orders than that under one key, or in an unfiltered account, are for a person.
const MOST_PAGES: u32 = 400;

pub async fn locate(client: &Client, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    let calls_before = ctx.calls();
    let mut scan = Scan::new(query);
    let mut incomplete = None;
    for sought in &query.sought {
        match look_up(client, ctx, sought.reference, &mut scan).await {
            Ok(Pages::Filtered) => {}
            Ok(Pages::WholeAccount) => break,
            Err(why) => {
                incomplete = Some(why);
                break;
            }
        }
    }
    scan.seen.complete = incomplete.is_none();
    scan.seen.incomplete_because = incomplete;
    scan.seen.calls = ctx.calls() - calls_before;
    scan.finish()
}

enum Pages {
    /// Only orders with the key came.
    Filtered,
    /// Others came too, and all pages were read.
    WholeAccount,
}

async fn look_up(
    client: &Client,
    ctx: &CallContext,
    reference: Reference,
    scan: &mut Scan<'_>,
) -> Result<Pages, String> {
    let key = reference.to_string();
    let mut strangers = false;
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        let page = page(client, ctx, &key, offset).await.map_err(|error| error.to_string())?;
        scan.seen.pages += 1;
        let rows = page.results.ok_or("the vendor's list has no results field")?;
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        for row in rows {
            strangers |= row.search_key.as_deref() != Some(&key);
            scan.row(row)?;
        }
        // `next` is null, or left out, at the end. A page without rows ends it too, else a vendor could keep us for ever.
        if page.next.is_none() || count == 0 {
            return Ok(if strangers { Pages::WholeAccount } else { Pages::Filtered });
        }
        // The offset counts orders. The link itself is not followed: it could lead anywhere.
        offset += count;
    }
    Err(format!("more than {MOST_PAGES} pages for one search key"))
}

async fn page(client: &Client, ctx: &CallContext, key: &str, offset: u32) -> Result<OrderPage, CallError> {
    let answer = client.orders(ctx, Some(key), PAGE, offset).await?;
    if answer.status.as_u16() != 200 {
        return Err(unexpected(&answer));
    }
    answer.json()
}

/// What was seen so far.
struct Scan<'a> {
    query: &'a LocateQuery,
    sought: BTreeSet<Reference>,
    orders: BTreeMap<String, Option<Timestamp>>,
    seen: Sightings,
}

impl<'a> Scan<'a> {
    fn new(query: &'a LocateQuery) -> Self {
        let sought = query.sought.iter().map(|sought| sought.reference).collect();
        Self { query, sought, orders: BTreeMap::new(), seen: Sightings::default() }
    }

    fn row(&mut self, row: OrderHead) -> Result<(), String> {
        let id = row.id.filter(|id| !id.is_empty()).ok_or("the vendor lists an order without an id")?;
        // An order has no time of its own; its verifications have one each.
        let created =
            row.verification_requests.iter().flatten().filter_map(|part| part.created.as_deref()?.parse().ok());
        let created_at = created.min();
        let reference = row.search_key.as_deref().and_then(|key| key.parse().ok());
        self.seen.echoes |= reference.is_some();
        if self.orders.insert(id.clone(), created_at).is_some() {
            // Seen on an earlier page, or by the look-up of another reference.
            return Ok(());
        }
        if let Some(reference) = reference.filter(|reference| self.sought.contains(reference)) {
            self.seen.found.push(Sighting { reference, vendor: VendorRef::order(id), created_at });
        }
        Ok(())
    }

    fn finish(mut self) -> Sightings {
        self.seen.objects = u32::try_from(self.orders.len()).unwrap_or(u32::MAX);
        let window = self.query.since..=self.query.until;
        let in_window = |created: &Option<Timestamp>| created.is_none_or(|at| window.contains(&at));
        self.seen.listed = self
            .orders
            .into_iter()
            .filter(|(_, created_at)| in_window(created_at))
            .map(|(id, created_at)| Listed { id, created_at })
            .collect();
        self.seen
    }
}
