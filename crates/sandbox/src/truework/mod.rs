//! A simulator of Truework's verifications API, versions 2023-10-30, 2022-08-01 and 2020-12-07.
//!
//! Orders by target employer, by employer search, Direct, and by reverification; the list with its `search_key`; events;
//! cancelling; reports as JSON and PDF; in the older versions verification requests and sessions in the place of orders; signed
//! answers; and the hooks with their static token. What the vendor's documents leave open is a switch (below); the choice that is
//! the default is marked *ours* where nothing says what the vendor does.
//!
//! **Keys** are bearer tokens with the sandbox prefix; each is pinned to a version. `Accept: application/json;
//! version=…` may ask for the pin or a newer version, anything else is 406. Whichever version made it, an order is shown
//! by all of them.
//!
//! **What an order comes to** is decided by the SSN alone, see [`cases`]; an SSN that is not listed there is 400. An order
//! by target employer goes from `pending-approval` by `processing` to its end; one by employer search is at its end when
//! the create call answers; a Direct one has no verification until its applicant signs in, then one for each employer, each
//! walking on its own. Report names echo the request; the employer is `Fake Company`.
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
//! | `older_hooks` | hooks of the older form: without version, time and order, the webhook's number a text |
//! | `sign_in_ms` | how long the applicant of a Direct order or a session takes to sign in |
//! | `session_links` | Direct orders show the link that is mailed to the applicant, beside the token |
//! | `absent_path` | the answer to a path that the version does not have (404, 406 or 501; unknown of the vendor) |
//! | `address_form` | addresses in older reports: `text`, `object`, or the still older `lines` |
//! | `number_amounts` | amounts, years and hours as JSON numbers, as some older answers had them |
//! | `reverify_status` | the answer to a reverification that is taken: 201 by the page, 200 in a client's tests |
//! | `hide_parent` | a reverification's order is given back without its parent |
//! | `empty_cancel` | a cancellation is answered without a body, as an early page had it |
//! | `new_fields` | answers hold fields that no contract knows, which the vendor may add at any time |
//! | `events_newest_first` | an order's events come newest first (their order is unknown of the vendor) |
//! | `event_sentences` | events' types and strategies are sentences about the subject, as their messages always are |
//! | `sign` | answers are signed: `right`, `wrong`, or `no` (whether newer versions still sign is unknown) |

mod api;
mod caller;
pub mod cases;
mod dress;
mod events;
mod hooks;
mod intake;
mod older_api;
mod older_views;
mod order;
mod pdf;
mod report_views;
mod signing;
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
use order::{Mode, Order, Verification};

pub use signing::signature_key;

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
    pub older_hooks: bool,
    pub sign_in_ms: u64,
    pub session_links: bool,
    pub absent_path: u16,
    pub address_form: AddressForm,
    pub number_amounts: bool,
    pub reverify_status: u16,
    pub hide_parent: bool,
    pub empty_cancel: bool,
    pub new_fields: bool,
    pub events_newest_first: bool,
    pub event_sentences: bool,
    pub sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressForm {
    Text,
    Object,
    Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    Right,
    Wrong,
    No,
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
            older_hooks: false,
            sign_in_ms: 1_000,
            session_links: true,
            absent_path: 404,
            address_form: AddressForm::Text,
            number_amounts: false,
            reverify_status: 201,
            hide_parent: false,
            empty_cancel: false,
            new_fields: false,
            events_newest_first: false,
            event_sentences: false,
            sign: Sign::Right,
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
    /// Also of verifications that have not begun.
    by_verification: HashMap<String, (usize, usize)>,
    by_report: HashMap<String, (usize, usize, usize)>,
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
        for (part, verification) in order.verifications.iter().enumerate() {
            self.by_verification.insert(verification.id.clone(), (place, part));
            for (report, id) in verification.report_ids.iter().enumerate() {
                self.by_report.insert(id.clone(), (place, part, report));
            }
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

    /// A verification that has begun, with its order.
    fn verification(&self, id: &str, clock: &SimClock) -> Option<(&Order, &Verification)> {
        let (place, part) = *self.by_verification.get(id)?;
        let order = &self.orders[place];
        let verification = &order.verifications[part];
        (verification.created <= clock.now()).then_some((order, verification))
    }

    /// A report, wherever it belongs, with its place there.
    fn report(&self, id: &str) -> Option<(&Order, &Verification, usize)> {
        let (place, part, report) = *self.by_report.get(id)?;
        Some((&self.orders[place], &self.orders[place].verifications[part], report))
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
            ("POST", ["orders", "reverification"]) | ("PUT", ["verification-requests", _, "reverify"]) => "reverify",
            ("POST", ["orders", _] | ["verification-requests"]) => "create",
            ("POST", ["credentials", "session"]) => "session",
            ("GET", ["orders" | "verification-requests"]) => "list",
            ("GET", ["orders" | "verification-requests", _]) => "get",
            ("GET", ["orders", _, "events"]) => "events",
            ("PUT", ["orders" | "verification-requests", _, "cancel"]) => "cancel",
            ("GET", ["reports" | "applicant-documents", _] | ["verification-requests", _, "reports", _]) => "document",
            _ => "other",
        }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        json!({ "error": { "message": status.canonical_reason().unwrap_or("Error") } })
    }

    fn objects(&self) -> Vec<BookEntry> {
        let entry = |order: &Order| BookEntry {
            id: order.own_id().to_owned(),
            parts: order.verifications.iter().map(|verification| verification.id.clone()).collect(),
            references: order.request.references(),
            state: order.states(&self.tools.clock),
            created_at: rfc3339(order.created),
            canceled: order.verifications.iter().any(|verification| verification.canceled.is_some()),
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
            let alike = state.orders.last().map(|order| (order.mode, order.request.clone(), order.parent.clone()));
            let (mode, mut request, parent) =
                alike.unwrap_or_else(|| (Mode::TargetEmployer, intake::Request::example(), None));
            request.search_key = options["search_key"].as_str().map(str::to_owned);
            request.metadata = None;
            let mut order = Order::new(&mut state, mode, request, &habits, self.tools.clock.now());
            order.stranger = true;
            order.parent = parent;
            order.is_older = caller::is_older(&self.config.pin);
            ids.push(order.own_id().to_owned());
            state.add(order);
        }
        ids
    }

    fn tick(&self) {
        hooks::announce(self);
    }
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;
