//! Reading the whole list of orders while it moves.
//!
//! `GET /orders` pages by offset over the live set, without a filter and in no promised order: a row that appears or
//! goes between two pages shifts the others, so that some come twice and some are skipped. A scan is a first pass over
//! the pages and then passes from the top again, until a pass shows no row that was there before the scan began. Where
//! the list only grew at its top – by far the usual case – the second pass proves that as soon as it has reached the row
//! that was on top before: one page, unless more than a page of new rows came in.

use std::collections::BTreeSet;

use domain::Timestamp;
use provider::{CallContext, CallError, LostReason, RowOrder, vendor_id};

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
    let mut scan =
        Scan { listing: Listing::default(), ids: BTreeSet::new(), horizon: started_at, first: None, bad_ids: false };
    let bad_ids = "orders are listed without an id, or with one that cannot be kept";
    scan.listing.missing =
        scan.run(client, ctx, since).await.err().or_else(|| scan.bad_ids.then(|| bad_ids.to_owned()));
    scan.listing
}

struct Scan {
    listing: Listing,
    ids: BTreeSet<String>,
    /// Rows created from then on are new: by our clock, or by the vendor's where that is ahead.
    horizon: Timestamp,
    /// The first page of the first pass.
    first: Option<Page>,
    /// Some rows were passed over because of their ids. Any of them could be what is looked for.
    bad_ids: bool,
}

struct Page {
    rows: Vec<Row>,
    /// How many rows there were, those with bad ids included.
    listed: usize,
    total: Option<u64>,
    /// The number of the last page, as far as the answer tells.
    last: Option<u64>,
}

impl Scan {
    async fn run(&mut self, client: &Client, ctx: &CallContext, since: Timestamp) -> Result<(), String> {
        for _ in 0..MOST_PASSES {
            if self.pass(client, ctx, since).await? {
                return Ok(());
            }
        }
        Err("the list kept changing while it was read".to_owned())
    }

    /// Reads the list from its top. True: nothing was or can have been missed.
    async fn pass(&mut self, client: &Client, ctx: &CallContext, since: Timestamp) -> Result<bool, String> {
        let mut found_older = false;
        let mut order = RowOrder::default();
        // The rows of this pass before the present page.
        let (mut above, mut only_new_above) = (0, true);
        let mut number = 1;
        loop {
            if self.listing.pages == MOST_PAGES {
                return Err("the list has no end".to_owned());
            }
            let page = page(client, ctx, number).await?;
            self.listing.pages += 1;
            let has_bad_ids = page.rows.len() < page.listed;
            self.bad_ids |= has_bad_ids;
            for row in &page.rows {
                order.note(row.created_at);
                if self.ids.insert(row.id.clone()) {
                    self.listing.rows.push(row.clone());
                    found_older |= row.created_at.is_none_or(|at| at < self.horizon);
                }
            }
            let all_older = !has_bad_ids && page.rows.iter().all(|row| row.created_at.is_some_and(|at| at < since));
            let ended = page.listed == 0 || page.last.is_some_and(|last| number >= last);
            let stops_early = !ended && all_older && order.is_newest_first();
            if let Some(first) = &self.first {
                if only_new_above && grew_at_its_top_only(first, &page, above, self.horizon) {
                    return Ok(true);
                }
                only_new_above &= !has_bad_ids && page.rows.iter().all(|row| is_new(row, self.horizon));
                above += page.listed;
            } else {
                let newest = page.rows.iter().filter_map(|row| row.created_at).max();
                self.horizon = newest.map_or(self.horizon, |newest| newest.max(self.horizon));
                self.first = Some(page);
                // One answer is one moment: what was read in one page cannot have moved meanwhile.
                if ended || stops_early {
                    self.listing.stopped_early = stops_early;
                    return Ok(true);
                }
                found_older = true;
            }
            if ended || stops_early {
                self.listing.stopped_early = stops_early;
                return Ok(!found_older);
            }
            number += 1;
        }
    }
}

/// Whether the rows of the first page are what they were, below nothing but new ones, and the total grew by just those:
/// then no row was pushed past a page's edge unseen. `above`: how many rows the pages before this one hold.
fn grew_at_its_top_only(then: &Page, now: &Page, above: usize, horizon: Timestamp) -> bool {
    let Some(top) = then.rows.first() else { return false };
    let Some(new) = now.rows.iter().position(|row| row.id == top.id) else { return false };
    let (added, rest) = now.rows.split_at(new);
    let same = rest.iter().zip(&then.rows).all(|(now, then)| now.id == then.id);
    let grown = (above + added.len()) as u64;
    let counted = then.total.zip(now.total).is_some_and(|(then, now)| then.checked_add(grown) == Some(now));
    same && counted && added.iter().all(|row| is_new(row, horizon))
}

fn is_new(row: &Row, horizon: Timestamp) -> bool {
    row.created_at.is_some_and(|at| at >= horizon)
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
    let data = page.data.ok_or_else(unreadable)?;
    let listed = data.len();
    let rows = data.into_iter().filter_map(|row| {
        let applicant = row.applicant.unwrap_or_default();
        Some(Row {
            id: vendor_id(&row.id?)?,
            created_at: row.created_at.and_then(|at| at.parse().ok()),
            first_name: applicant.first_name,
            last_name: applicant.last_name,
        })
    });
    let rows = rows.collect();
    let pagination = page.pagination.unwrap_or_default();
    Ok(Page { last: last_page(&pagination), total: pagination.total, rows, listed })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grew_at_its_top_only_if_its_total_says_so_too() {
        let row = |id: &str| {
            let at = Some(Timestamp::EPOCH);
            Row { id: id.to_owned(), created_at: at, first_name: None, last_name: None }
        };
        let page = |ids: &[&str], total| Page {
            rows: ids.iter().map(|id| row(id)).collect(),
            listed: ids.len(),
            total,
            last: None,
        };
        let grew = |then, now| {
            grew_at_its_top_only(&page(&["a", "b"], then), &page(&["n", "a", "b"], now), 0, Timestamp::EPOCH)
        };
        assert!(grew(Some(2), Some(3)));
        assert!(!grew(Some(2), Some(2)), "one went below");
        assert!(!grew(Some(2), None) && !grew(None, None));
        assert!(!grew(Some(u64::MAX), Some(u64::MAX)) && !grew(Some(u64::MAX), Some(0)), "no number of orders");
    }

    #[test]
    fn the_last_page_is_the_later_of_what_the_answer_says() {
        let last = |limit, total, total_pages| last_page(&wire::Pagination { limit, total, total_pages });
        assert_eq!(last(Some(20), Some(41), Some(3)), Some(3));
        assert_eq!(last(Some(20), Some(41), Some(1)), Some(3), "a cap that the page count forgot");
        assert_eq!(last(None, Some(41), Some(3)), Some(3));
        assert_eq!(last(Some(0), Some(41), None), None);
        assert_eq!(last(None, None, None), None);
        assert_eq!(last(Some(10), Some(0), Some(0)), None, "read until a page is empty");
    }
}
