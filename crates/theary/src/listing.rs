//! Reading the whole list of orders while it moves.
//!
//! `GET /orders` pages by offset over the live set, without a filter and in no promised order: a row that appears or
//! goes between two pages shifts the others, so that some come twice and some are skipped. A scan is a first pass over
//! the pages and then passes from the top again, until a pass shows no row that was there before the scan began. Where
//! the list only grew at its top – by far the usual case – the first page of the second pass proves that already.

use std::collections::BTreeSet;

use domain::Timestamp;
use provider::{CallContext, CallError, LostReason};

use crate::client::Client;
use crate::wire;

/// Asked for; the vendor may cap it, and its answer says at what.
const PAGE_LIMIT: u64 = 100;

/// After so many passes over a list that keeps changing a scan gives up; the next one may meet a quieter moment.
const MOST_PASSES: u32 = 6;

/// No account is that large; a list without an end is not read for ever.
const MOST_PAGES: u32 = 20_000;

/// One order of the list.
#[derive(Clone)]
pub struct Row {
    pub id: String,
    pub created_at: Option<Timestamp>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

/// What was listed, each order once.
#[derive(Default)]
pub struct Listing {
    pub rows: Vec<Row>,
    pub pages: u32,
    /// Ended at a page wholly older than what is looked for.
    pub stopped_early: bool,
    /// What is missing, if anything is.
    pub missing: Option<String>,
}

/// Reads the list, back to `since` where its order allows that, else to its end.
pub async fn read(client: &Client, ctx: &CallContext, since: Timestamp, started_at: Timestamp) -> Listing {
    let mut scan = Scan { listing: Listing::default(), ids: BTreeSet::new(), horizon: started_at, first: None };
    if let Err(missing) = scan.run(client, ctx, since).await {
        scan.listing.missing = Some(missing);
    }
    scan.listing
}

struct Scan {
    listing: Listing,
    ids: BTreeSet<String>,
    /// Rows created from then on are new: by our clock, or by the vendor's where that is ahead.
    horizon: Timestamp,
    /// The first page of the first pass.
    first: Option<Page>,
}

struct Page {
    rows: Vec<Row>,
    total: Option<u64>,
    /// The number of the last page, as far as the answer tells.
    last: Option<u64>,
}

/// How a pass ended.
#[derive(PartialEq)]
enum Pass {
    /// Nothing more has to be read.
    Conclusive,
    /// So many rows that were there before the scan began were new to it.
    Found(usize),
}

impl Scan {
    async fn run(&mut self, client: &Client, ctx: &CallContext, since: Timestamp) -> Result<(), String> {
        for pass in 1..=MOST_PASSES {
            match self.pass(client, ctx, since, pass == 1).await? {
                Pass::Conclusive => return Ok(()),
                Pass::Found(0) if pass > 1 => return Ok(()),
                Pass::Found(_) => {}
            }
        }
        Err("the list kept changing while it was read".to_owned())
    }

    async fn pass(&mut self, client: &Client, ctx: &CallContext, since: Timestamp, first: bool) -> Result<Pass, String> {
        let mut found = 0;
        let mut newest_first = true;
        let mut previous: Option<Timestamp> = None;
        self.listing.stopped_early = false;
        for number in 1_u64.. {
            if self.listing.pages == MOST_PAGES {
                return Err("the list has no end".to_owned());
            }
            let page = page(client, ctx, number).await?;
            self.listing.pages += 1;
            if first && number == 1 {
                let newest = page.rows.iter().filter_map(|row| row.created_at).max();
                self.horizon = self.horizon.max(newest.unwrap_or(self.horizon));
            }
            for row in &page.rows {
                let in_order = row.created_at.is_some_and(|at| previous.is_none_or(|previous| at <= previous));
                newest_first &= in_order;
                previous = row.created_at.or(previous);
            }
            let grown = !first && number == 1 && self.grew_at_the_top_only(&page);
            for row in &page.rows {
                if self.ids.insert(row.id.clone()) {
                    found += usize::from(!self.is_new(row));
                    self.listing.rows.push(row.clone());
                }
            }
            // Without any row older than the horizon being new, and with nothing gone, the first pass missed nothing.
            if grown && found == 0 {
                self.listing.stopped_early = self.first.as_ref().is_some_and(|page| page.last.is_none_or(|last| last > 1))
                    && self.stopped_before_the_end(page.total);
                return Ok(Pass::Conclusive);
            }
            let ended = page.rows.is_empty() || page.last.is_some_and(|last| number >= last);
            let all_older = page.rows.iter().all(|row| row.created_at.is_some_and(|at| at < since));
            if !ended && newest_first && all_older {
                self.listing.stopped_early = true;
            }
            // One answer is one moment: a list that was read in one page cannot have moved.
            let one_answer = first && number == 1;
            let end = ended || self.listing.stopped_early;
            if one_answer {
                self.first = Some(page);
            }
            if end {
                return Ok(if one_answer { Pass::Conclusive } else { Pass::Found(found) });
            }
        }
        Ok(Pass::Found(found))
    }

    fn is_new(&self, row: &Row) -> bool {
        row.created_at.is_some_and(|at| at >= self.horizon)
    }

    /// Whether fewer rows were read than there are.
    fn stopped_before_the_end(&self, total: Option<u64>) -> bool {
        total.is_some_and(|total| (self.ids.len() as u64) < total)
    }

    /// Whether this first page is that of the first pass with nothing but new rows above it, and the total grew by
    /// just those: then no row was pushed past a page's edge unseen.
    fn grew_at_the_top_only(&self, now: &Page) -> bool {
        let Some(then) = &self.first else { return false };
        let new = now.rows.iter().take_while(|row| !self.ids.contains(&row.id) || self.is_new_since(then, row)).count();
        let (added, rest) = now.rows.split_at(new);
        let same = rest.iter().map(|row| &row.id).eq(then.rows.iter().take(rest.len()).map(|row| &row.id));
        let counted = match (then.total, now.total) {
            (Some(then), Some(now)) => then + new as u64 == now,
            _ => false,
        };
        !rest.is_empty() && same && counted && added.iter().all(|row| self.is_new(row))
    }

    /// Seen already on a later page, or a later moment, than the first page of the first pass.
    fn is_new_since(&self, then: &Page, row: &Row) -> bool {
        self.is_new(row) && !then.rows.iter().any(|known| known.id == row.id)
    }
}

/// One page, or what is wrong with it.
async fn page(client: &Client, ctx: &CallContext, number: u64) -> Result<Page, String> {
    let failed = |error: CallError| format!("page {number} of the list: {error}");
    let answer = client.list_orders(ctx, number, PAGE_LIMIT).await.map_err(failed)?;
    if !answer.status.is_success() {
        return Err(failed(CallError::Lost { why: LostReason::Status(answer.status.as_u16()) }));
    }
    let unreadable = || failed(CallError::Lost { why: LostReason::Unreadable });
    let page: wire::OrderPage = answer.json().map_err(failed)?;
    let rows = page.data.ok_or_else(unreadable)?.into_iter().map(|row| {
        let applicant = row.applicant.unwrap_or_default();
        Some(Row {
            id: row.id?,
            created_at: row.created_at.and_then(|at| at.parse().ok()),
            first_name: applicant.first_name,
            last_name: applicant.last_name,
        })
    });
    let rows = rows.collect::<Option<Vec<Row>>>().ok_or_else(unreadable)?;
    let pagination = page.pagination.unwrap_or_default();
    Ok(Page { last: last_page(&pagination), total: pagination.total, rows })
}

/// Never by a short page: the limit may be capped. `None`: read on until a page is empty.
fn last_page(pagination: &wire::Pagination) -> Option<u64> {
    let counted = match (pagination.total, pagination.limit) {
        (Some(total), Some(limit)) if limit > 0 => Some(total.div_ceil(limit)),
        _ => None,
    };
    // Where the two differ the later page is the safe one.
    pagination.total_pages.max(counted).filter(|last| *last > 0)
}
