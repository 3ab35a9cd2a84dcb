//! Finding our orders again: the list of the account, then the searches of every order that could be ours.
//!
//! The list carries no reference and the vendor has no filter, so each candidate's searches are read. Only an exactly
//! equal `externalSearchId` says that an order is ours; names only decide which candidate is read first. However many
//! checks are sought, each candidate is read once.

mod alike;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::case::{Listed, LookAlike, Sighting, Sightings};
use domain::{Reference, VendorRef};
use futures::{StreamExt as _, future, stream};
use provider::{CallContext, CallError, Carries, LocateQuery, LostReason};

use self::alike::Claims;
use crate::client::Client;
use crate::listing::{self, Row};
use crate::wire;

/// So many candidates are read at a time.
const AT_ONCE: usize = 8;

/// After so many failures the vendor is left in peace until the next scan.
const MOST_FAILURES: u32 = 3;

/// With nothing sought: a sweep.
pub async fn locate(client: &Client, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    let calls_before = ctx.calls();
    let listing = listing::read(client, ctx, query.since, query.started_at).await;
    let mut scan = Scan::new(query);
    scan.seen.stopped_early = listing.stopped_early;
    scan.seen.pages = listing.pages;
    scan.seen.objects = u32::try_from(listing.rows.len()).unwrap_or(u32::MAX);
    if let Some(missing) = listing.missing {
        scan.misses(missing);
    }
    let candidates = scan.list(listing.rows);

    let failures = AtomicU32::new(0);
    let mut readings = stream::iter(candidates)
        // Calls under way are waited for all the same: each of them counts.
        .take_while(|_| future::ready(failures.load(Ordering::Relaxed) < MOST_FAILURES))
        .map(async |row| {
            let searches = searches(client, ctx, &row.id).await;
            (row, searches)
        })
        .buffered(AT_ONCE);
    while let Some((row, searches)) = readings.next().await {
        match searches {
            Ok(searches) => scan.note(&row, &searches),
            Err(error) => {
                let so_far = failures.fetch_add(1, Ordering::Relaxed) + 1;
                scan.misses(format!("the searches of {so_far} or more listed orders: {error}"));
            }
        }
    }
    scan.seen.calls = ctx.calls() - calls_before;
    scan.finish()
}

/// An order's searches. Of an order that is listed and cannot be found by its id, there are none yet.
async fn searches(client: &Client, ctx: &CallContext, id: &str) -> Result<Vec<wire::Search>, CallError> {
    let answer = client.searches(ctx, id).await?;
    match answer.status.as_u16() {
        404 => Ok(Vec::new()),
        200..=299 => Ok(answer.json::<wire::Searches>()?.into_vec()),
        status => Err(CallError::Lost { why: LostReason::Status(status) }),
    }
}

/// What was seen so far. Does no I/O.
struct Scan<'a> {
    query: &'a LocateQuery,
    claims: Claims,
    /// Orders of that time that had no searches when they were read.
    bare: u32,
    seen: Sightings,
}

impl<'a> Scan<'a> {
    fn new(query: &'a LocateQuery) -> Self {
        let seen = Sightings { complete: true, ..Sightings::default() };
        Self { query, claims: Claims::of(&query.sought), bare: 0, seen }
    }

    fn misses(&mut self, because: String) {
        self.seen.complete = false;
        self.seen.incomplete_because = Some(because);
    }

    /// Takes in the rows of the list. Gives the candidates: those that agree in name first, so that a scan that fails
    /// half-way has most likely seen ours.
    fn list(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let window = self.query.since..=self.query.until;
        let in_window = |row: &Row| row.created_at.is_none_or(|at| window.contains(&at));
        let rows: Vec<Row> = rows.into_iter().filter(in_window).collect();
        self.seen.listed = rows.iter().map(|row| Listed { id: row.id.clone(), created_at: row.created_at }).collect();
        let open = rows.into_iter().filter(|row| !self.query.settled.contains(&row.id));
        let (mut likely, others): (Vec<Row>, Vec<Row>) = open.partition(|row| self.claims.know_name_of(row));
        likely.extend(others);
        likely
    }

    /// Takes in what an order's searches say about whose it is.
    fn note(&mut self, row: &Row, searches: &[wire::Search]) {
        self.seen.read += 1;
        // It could be ours: read again by the next scan, and nothing counts as absent until then.
        if searches.is_empty() {
            self.bare += 1;
            return;
        }
        // Of a check that is not sought, too: it may come into doubt yet, and must be able to find it then.
        let ours = ours(row, searches);
        if !ours.is_empty() {
            self.seen.echoes = true;
            self.seen.found.extend(ours);
            return;
        }
        let carrying = searches.iter().filter(|search| search.carries() != Carries::Nothing).count();
        if carrying == searches.len() {
            self.seen.dismissed.push(row.id.clone());
            return;
        }
        // An order that carries some reference is no look-alike.
        let is_alike = carrying == 0 && self.claims.compare(row, searches, &mut self.seen.look_alikes);
        // A reference may still be to come while the window is open; a look-alike is shown by every scan.
        if !is_alike && self.query.started_at > self.query.until {
            self.seen.dismissed.push(row.id.clone());
        }
    }

    fn finish(mut self) -> Sightings {
        if self.bare > 0 {
            self.misses(format!("{} orders of that time are listed without their searches yet", self.bare));
        }
        self.seen
    }
}

/// The references of our form that an order carries, each once. The search is named where only one carries it.
fn ours(row: &Row, searches: &[wire::Search]) -> Vec<Sighting> {
    let mut carried: BTreeMap<Reference, Vec<&wire::Search>> = BTreeMap::new();
    for search in searches {
        if let Some(reference) = search.carries().ours() {
            carried.entry(reference).or_default().push(search);
        }
    }
    let sighting = |(reference, searches): (Reference, Vec<&wire::Search>)| {
        let check_id = match searches.as_slice() {
            [search] => search.id.as_deref().and_then(wire::search_id),
            _ => None,
        };
        let vendor = VendorRef { order_id: row.id.clone(), check_id };
        Sighting { reference, vendor, created_at: row.created_at }
    };
    carried.into_iter().map(sighting).collect()
}

#[cfg(test)]
mod tests;
