//! An order and its checks: what is loaded, changed and saved together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::check::Check;
use crate::event::{self, Event, EventType};
use crate::id::{BatchId, CheckId, OrderId};
use crate::input::OrderInput;
use crate::party::TenantId;
use crate::reduce::{News, reduce};
use crate::result::Outcome;
use crate::sensitive::Sensitive;
use crate::status::{OrderStatus, order_outcome};
use crate::time::Timestamp;

/// Everything a caller wants known about one subject.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: OrderId,
    pub tenant: TenantId,
    pub external_id: Option<String>,
    pub batch_id: Option<BatchId>,
    pub parent_order_id: Option<OrderId>,
    pub input: Sensitive<OrderInput>,
    pub metadata: BTreeMap<String, String>,
    /// By position; never empty.
    pub checks: Vec<Check>,
    /// Grows by one with each change.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

impl Order {
    pub fn status(&self) -> OrderStatus {
        OrderStatus::of(self.checks.iter().map(Check::status))
    }

    /// Set once every check is final and one completed.
    pub fn outcome(&self) -> Option<Outcome> {
        if !self.status().is_final() {
            return None;
        }
        order_outcome(self.checks.iter().map(|check| (check.status(), check.state.outcome())))
    }

    /// How many checks ended without a result.
    pub fn incomplete_checks(&self) -> usize {
        self.checks
            .iter()
            .filter(|check| {
                check.status().is_final() && check.state.result().is_none() && check.state.outcome().is_none()
            })
            .count()
    }

    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The event that tells of a new order.
    pub fn created(&self) -> Event {
        self.event(None, EventType::OrderCreated, self.created_at)
    }

    /// Tells one check the news. Gives the events that this makes; none, and no new version, where nothing changed.
    pub fn tell(&mut self, check_id: CheckId, news: &News, now: Timestamp) -> Vec<Event> {
        let old_status = self.status();
        let Some(check) = self.checks.iter_mut().find(|check| check.id == check_id) else {
            return Vec::new();
        };
        let before = check.state.clone();
        let after = reduce(&before, news);
        // To see the same again is no change: an order that is polled for weeks does not grow a version a minute.
        if before.is_same_but_for_time(&after) {
            return Vec::new();
        }
        let turned = after.tried.len() > before.tried.len();
        check.state = after;
        if let Some(leg) = check.state.leg().filter(|_| turned).cloned() {
            check.account = leg.account;
            check.input = Sensitive::new(leg.input);
            check.attempt += 1;
        }
        let kinds = event::of_check(&before, &check.state);
        self.version += 1;
        self.updated_at = now;
        let status = self.status();
        if status.is_final() {
            self.completed_at.get_or_insert(now);
        }
        let of_order = (status != old_status).then(|| event::of_order(status)).flatten();
        let of_check = kinds.into_iter().map(|kind| self.event(Some(check_id), kind, now));
        of_check.chain(of_order.map(|kind| self.event(None, kind, now))).collect()
    }

    /// An event of this order as it stands, at this time.
    pub fn event(&self, check_id: Option<CheckId>, kind: EventType, at: Timestamp) -> Event {
        let mut data = Map::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                data.insert(key.to_owned(), Value::String(value));
            }
        };
        if let Some(check) = check_id.and_then(|id| self.check(id)) {
            put("status", Some(check.status().to_string()));
            put("outcome", check.state.outcome().map(|outcome| outcome.to_string()));
            put("reason", check.state.status_reason().map(|reason| reason.code.clone()));
            put("provider", Some(check.account.provider.to_string()));
            put("type", Some(check.kind.to_string()));
        } else {
            put("status", Some(self.status().to_string()));
            put("outcome", self.outcome().map(|outcome| outcome.to_string()));
        }
        Event { order_id: self.id, check_id, kind, version: self.version, at, data }
    }
}
