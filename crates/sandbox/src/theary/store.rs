//! Everything the simulator holds, with what it takes to answer fast about tens of thousands of orders.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;

use super::OUR_TENANT;
use super::orders::Order;
use super::tokens::Given;
use crate::books::CreateCall;

#[derive(Default)]
pub struct State {
    /// In the order they were made.
    pub orders: Vec<Order>,
    /// The create calls that reached the work, in the order they came.
    pub creates: Vec<CreateCall>,
    /// Tokens given out for client credentials.
    pub tokens: HashMap<String, Given>,
    /// Upload links that were given out and not used yet, by the name of the file.
    pub links: BTreeSet<String>,
    /// The addresses of the releases that were uploaded.
    pub releases: BTreeSet<String>,
    /// So many batch calls were taken.
    pub batches: usize,
    by_id: HashMap<String, usize>,
    lists: HashMap<String, List>,
    latest_of_ours: Option<usize>,
    /// Siblings of a failed batch that are still under way.
    under_way: Vec<UnderWay>,
}

/// The places of one tenant's listed orders.
#[derive(Default)]
struct List {
    /// The newest last. Of those made in the same instant, the later one.
    by_time: Vec<usize>,
    /// In an order without meaning.
    shuffled: Vec<usize>,
}

struct UnderWay {
    due: OffsetDateTime,
    tenant: String,
    body: Value,
}

/// A page of a list, and how many rows there are altogether.
pub struct Page<'a> {
    pub rows: Vec<&'a Order>,
    pub total: usize,
}

impl State {
    pub fn add(&mut self, order: Order) {
        let at = self.orders.len();
        let list = self.lists.entry(order.tenant.clone()).or_default();
        let (created_at, shuffle) = (order.created_at, order.shuffle);
        let place = list.by_time.partition_point(|&other| self.orders[other].created_at <= created_at);
        list.by_time.insert(place, at);
        let place = list.shuffled.partition_point(|&other| self.orders[other].shuffle <= shuffle);
        list.shuffled.insert(place, at);
        self.by_id.insert(order.id.clone(), at);
        if !order.stranger && order.tenant == OUR_TENANT {
            self.latest_of_ours = Some(at);
        }
        self.orders.push(order);
    }

    pub fn find(&mut self, tenant: &str, id: &str) -> Option<&mut Order> {
        let at = *self.by_id.get(id)?;
        Some(&mut self.orders[at]).filter(|order| order.tenant == tenant)
    }

    pub fn latest_of_ours(&self) -> Option<&Order> {
        self.latest_of_ours.map(|at| &self.orders[at])
    }

    /// The page from `skip`, of what was made until `until`.
    pub fn page(&self, tenant: &str, until: OffsetDateTime, unordered: bool, skip: usize, limit: usize) -> Page<'_> {
        let Some(list) = self.lists.get(tenant) else { return Page { rows: Vec::new(), total: 0 } };
        let is_listed = |at: &&usize| self.orders[**at].created_at <= until;
        let total = list.by_time.partition_point(|at| is_listed(&at));
        let rows: Vec<&usize> = if unordered {
            list.shuffled.iter().filter(is_listed).skip(skip).take(limit).collect()
        } else {
            list.by_time[..total].iter().rev().skip(skip).take(limit).collect()
        };
        Page { rows: rows.into_iter().map(|at| &self.orders[*at]).collect(), total }
    }

    /// Takes an order from its list for good.
    pub fn unlist(&mut self, id: &str) {
        let Some(&at) = self.by_id.get(id) else { return };
        if let Some(list) = self.lists.get_mut(&self.orders[at].tenant) {
            list.by_time.retain(|&other| other != at);
            list.shuffled.retain(|&other| other != at);
        }
    }

    /// The newest strangers that are listed.
    pub fn newest_strangers(&self, tenant: &str, count: usize) -> Vec<String> {
        let listed = self.lists.get(tenant).into_iter().flat_map(|list| list.by_time.iter().rev());
        let strangers = listed.map(|&at| &self.orders[at]).filter(|order| order.stranger);
        strangers.take(count).map(|order| order.id.clone()).collect()
    }

    pub fn make_later(&mut self, due: OffsetDateTime, tenant: &str, body: &Value) {
        self.under_way.push(UnderWay { due, tenant: tenant.to_owned(), body: body.clone() });
    }

    /// What was under way until now: when it was made, for whom, and of which body.
    pub fn take_due(&mut self, now: OffsetDateTime) -> Vec<(OffsetDateTime, String, Value)> {
        let due = self.under_way.extract_if(.., |late| late.due <= now);
        due.map(|late| (late.due, late.tenant, late.body)).collect()
    }
}

/// The last moment of which orders are listed already.
pub fn listed_until(now: OffsetDateTime, lag_ms: u64) -> OffsetDateTime {
    now - Duration::from_millis(lag_ms)
}
