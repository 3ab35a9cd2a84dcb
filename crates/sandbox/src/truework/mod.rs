//! A simulator of Truework's verifications API, version 2023-10-30.
//!
//! Orders by target employer and by employer search, the list with its `search_key`, cancelling, reports as JSON and PDF,
//! and the hooks with their static token. What the vendor's documents leave open is a switch (below); the choice that is
//! the default is marked *ours* where nothing says what the vendor does.
//!
//! **Keys** are bearer tokens with the sandbox prefix; each is pinned to a version. `Accept: application/json;
//! version=…` may ask for the pin or a newer version, anything else is 406.
//!
//! **What an order comes to** is decided by the SSN alone, see [`cases`]; an SSN that is not listed there is 400. An order
//! by target employer goes from `pending-approval` by `processing` to its end; one by employer search is at its end when
//! the create call answers. Report names echo the request; the employer is `Fake Company`.
//!
//! **Switches** (`PUT /_sandbox/behavior`), with their defaults in [`Habits`]:
//!
//! | switch | does |
//! |---|---|
//! | `approval_ms`, `work_ms` | how long an order waits for approval, and is worked on |
//! | `search_ms` | how long an employer search takes before it makes and answers its order, by the wall clock |
//! | `list_lag_ms` | how long a new order is missing from the list, though it can be fetched |
//! | `ignore_search_key` | the list does not filter by `search_key` |
//! | `loose_search_key` | the filter also takes keys that only begin with the one asked for |
//! | `hide_search_key` | orders are given back without their `search_key`, though the filter still knows it |
//! | `hide_metadata` | orders are given back without their `metadata` |
//! | `newest_first` | how the list is sorted (unknown of the vendor; newest first is ours) |
//! | `max_limit` | larger pages are cut down to this |
//! | `omit_empty` | leaves empty fields out of answers, as the vendor's captured answers did, rather than null |
//! | `plain_words` | sends enums as plain strings, as older versions did |
//! | `completion_dates` | fills `date_of_completion`, which captured completed orders left null |
//! | `echo_employer` | reports name the employer that was asked for |
//! | `rate_limit` | requests a second and account; 0: not limited |
//! | `retry_after` | sends `Retry-After` with a 429; whether the vendor does is unknown |
//! | `two_day_rule` | an older rule: reasons other than `immediate` cancel only orders older than two days, else 403 |
//! | `cancel_ended_status` | the answer to cancelling what has ended (400 or 403; the documents do not say) |
//! | `misspell_action_required` | hooks write `action-requred`, as the vendor's own contract does |
//! | `hooks_without_order_id` | hooks name the verification only, as older ones did |

mod api;
pub mod cases;
mod hooks;
mod intake;
mod order;
mod pdf;
mod views;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::books::BookEntry;
use crate::clock::{SimClock, rfc3339};
use crate::server::{self, Running, Tools};
use crate::vendor::{Behavior, Switches, Vendor};
use order::{Mode, Order};

/// The credentials it takes and gives.
#[derive(Debug, Clone)]
pub struct Config {
    pub api_key: String,
    /// The version that `api_key` is pinned to.
    pub pin: String,
    /// Further keys of the account, each with its pin.
    pub further_keys: Vec<(String, String)>,
    /// Sent with its hooks.
    pub hook_token: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: "tw_sk_test_5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe".to_owned(),
            pin: "2023-10-30".to_owned(),
            further_keys: Vec::new(),
            hook_token: "sandbox-truework-hook-token".to_owned(),
        }
    }
}

/// See the module's documentation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, shown and changed as JSON")]
pub struct Habits {
    pub approval_ms: u64,
    pub work_ms: u64,
    pub search_ms: u64,
    pub list_lag_ms: u64,
    pub ignore_search_key: bool,
    pub loose_search_key: bool,
    pub hide_search_key: bool,
    pub hide_metadata: bool,
    pub newest_first: bool,
    pub max_limit: usize,
    pub omit_empty: bool,
    pub plain_words: bool,
    pub completion_dates: bool,
    pub echo_employer: bool,
    pub rate_limit: usize,
    pub retry_after: Option<u64>,
    pub two_day_rule: bool,
    pub cancel_ended_status: u16,
    pub misspell_action_required: bool,
    pub hooks_without_order_id: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            approval_ms: 1_000,
            work_ms: 2_000,
            search_ms: 0,
            list_lag_ms: 0,
            ignore_search_key: false,
            loose_search_key: false,
            hide_search_key: false,
            hide_metadata: false,
            newest_first: true,
            max_limit: 100,
            omit_empty: false,
            plain_words: false,
            completion_dates: false,
            echo_employer: false,
            rate_limit: 0,
            retry_after: None,
            two_day_rule: false,
            cancel_ended_status: 400,
            misspell_action_required: true,
            hooks_without_order_id: false,
        }
    }
}

/// Starts it on this port (0: a free one).
pub async fn start(port: u16, clock: SimClock, config: Config) -> io::Result<Running> {
    server::start(port, clock, |tools| Simulator {
        tools,
        config,
        habits: Switches::new(Habits::default()),
        state: Mutex::default(),
    })
    .await
}

struct Simulator {
    tools: Tools,
    config: Config,
    habits: Switches<Habits>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    orders: Vec<Order>,
    by_id: HashMap<String, usize>,
    by_search_key: HashMap<String, Vec<usize>>,
    /// Orders whose hooks are not all sent.
    unannounced: Vec<usize>,
    serial: u64,
    /// When the requests of the last second came, for the rate limit.
    recent: VecDeque<OffsetDateTime>,
}

impl State {
    /// A number for an id. Ids grow with time at this vendor.
    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn add(&mut self, order: Order) {
        let place = self.orders.len();
        self.by_id.insert(order.id.clone(), place);
        if let Some(key) = &order.request.search_key {
            self.by_search_key.entry(key.clone()).or_default().push(place);
        }
        self.unannounced.push(place);
        self.orders.push(order);
    }

    fn find(&self, id: &str) -> Option<&Order> {
        self.by_id.get(id).map(|place| &self.orders[*place])
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Order> {
        let place = *self.by_id.get(id)?;
        self.orders.get_mut(place)
    }
}

impl Simulator {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for Simulator {
    fn router(self: Arc<Self>) -> Router {
        api::router(self)
    }

    fn classify(&self, method: &Method, path: &str) -> &'static str {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["orders", _]) => "create",
            ("GET", ["orders"]) => "list",
            ("GET", ["orders", _]) => "get",
            ("PUT", ["orders", _, "cancel"]) => "cancel",
            ("GET", ["reports" | "applicant-documents", _]) => "document",
            _ => "other",
        }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        json!({ "error": { "message": status.canonical_reason().unwrap_or("Error") } })
    }

    fn objects(&self) -> Vec<BookEntry> {
        let entry = |order: &Order| BookEntry {
            id: order.id.clone(),
            parts: vec![order.verification_id.clone()],
            references: order.request.search_key.iter().cloned().collect(),
            state: order.state(&self.tools.clock).to_owned(),
            created_at: rfc3339(order.created),
            canceled: order.canceled.is_some(),
            stranger: order.stranger,
        };
        self.state().orders.iter().map(entry).collect()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.habits
    }

    /// Orders like the last one, or like any other if there is none, with `options.search_key` or without a key.
    fn make_strangers(&self, count: usize, options: &Value) -> Vec<String> {
        let habits = self.habits.get();
        let mut state = self.state();
        let mut ids = Vec::new();
        for _ in 0..count {
            let alike = state.orders.last().map(|order| (order.mode, order.request.clone()));
            let (mode, mut request) = alike.unwrap_or_else(|| (Mode::TargetEmployer, intake::Request::example()));
            request.search_key = options["search_key"].as_str().map(str::to_owned);
            request.metadata = None;
            let mut order = Order::new(&mut state, mode, request, &habits, self.tools.clock.now());
            order.stranger = true;
            ids.push(order.id.clone());
            state.add(order);
        }
        ids
    }

    fn tick(&self) {
        hooks::announce(self);
    }
}

#[cfg(test)]
mod tests;
