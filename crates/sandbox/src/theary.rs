//! A simulator of Theary: orders, searches, non-atomic batches, placeholders, and signed hooks.
//!
//! # How a search ends
//!
//! By the last four digits of the employer's or institution's name, where they mean something (`Fake Company 0003`), else of
//! the applicant's SSN, after [`Habits::complete_after_ms`](habits::Habits) of working time:
//!
//! | digits | end |
//! |---|---|
//! | `0002` | `VERIFIED` with a discrepancy |
//! | `0003`, `0004`, `0005`, `0010` | `NO_RECORD`, `WRONG_ORG`, `UNABLE_TO_VERIFY`, `THIRD_PARTY` |
//! | `0006` | `REASSIGNED` and `verification.action_required`, for good |
//! | `0007` | `CANCELLED` by the vendor |
//! | `0008` | the order becomes `failed`, its search stays as it is |
//! | `0009` | never |
//! | `0011` | as `0006`, then `VERIFIED` after as long again |
//! | `0098` | the create itself throws (400) |
//! | anything else | `VERIFIED` without a discrepancy |
//!
//! # Batches
//!
//! All creates of a batch run at once; one that throws (an invalid order, `0098`, or `batch_throw_at`) fails the call, and
//! its siblings are made all the same: before the answer, or `siblings_after_error_ms` after it. Equal references are
//! taken twice. Batches themselves are placeholders that answer cheerfully for any id. Calls are counted as `create` and
//! `batch`; a fault on `create` meets both, one on `batch` batches only.
//!
//! # Switches
//!
//! See [`habits::Habits`]: each field is a key of `PUT /_sandbox/behavior`. Answers that are lost, cut, late or wrong are
//! the faults that every simulator has; hooks that are lost, doubled or shuffled are the switches under `hooks`. The
//! vendor's `retryAttempts` is not simulated apart from those.
//!
//! # Strangers
//!
//! `POST /_sandbox/strangers {"count": n, "kind": "mixed"|"bare"|"foreign"|"other"|"empty", "age_ms": 0, "names": [["Ada",
//! "Sample"], …], "references": ["…", …]}`: orders of other clients of the tenant, alike in everything to the latest order of
//! ours. With `names`, by turns to the latest order of ours on each of these people, or to the latest of all under that
//! name. `bare` carry no reference, `foreign` another's, `mixed` (the default) one or the other in turn; `other` are about
//! somebody else, without a reference; `empty` have no searches. Where `references` are given, these are what `foreign` and
//! `mixed` ones carry, by turns.

mod calls;
mod configs;
mod demands;
mod events;
mod habits;
mod orders;
mod store;
mod strangers;
mod tokens;
mod uploads;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use self::events::TenantHooks;
pub use self::events::sign;
pub use self::habits::Habits;
use self::orders::{Happening, Order};
use self::store::State;
use crate::books::{BookEntry, CreateCall};
use crate::clock::SimClock;
use crate::server::{self, Running, Tools};
use crate::vendor::{Behavior, Switches, Vendor};

/// The credentials it takes and gives.
#[derive(Debug, Clone)]
pub struct Config {
    /// A token that is taken as it is.
    pub token: String,
    /// A token of another tenant, whose orders are nobody else's business.
    pub other_tenants_token: String,
    pub client_id: String,
    pub client_secret: String,
    /// Whom the tokens for these are for.
    pub audience: String,
    /// Signs its hooks, where an order brings no secret of its own.
    pub hook_secret: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            token: "sandbox-theary-token".to_owned(),
            other_tenants_token: "sandbox-theary-other-tenants-token".to_owned(),
            client_id: "sandbox-theary-client".to_owned(),
            client_secret: "sandbox-theary-secret".to_owned(),
            audience: "https://sandbox-theary.example".to_owned(),
            hook_secret: "sandbox-theary-hook-secret".to_owned(),
        }
    }
}

/// Starts it on this port (0: a free one).
pub async fn start(port: u16, clock: SimClock, config: Config) -> io::Result<Running> {
    server::start(port, clock, |tools| Simulator {
        tools,
        config,
        habits: Switches::default(),
        state: Mutex::default(),
    })
    .await
}

const OUR_TENANT: &str = "tenant";
const OTHER_TENANT: &str = "other-tenant";

struct Simulator {
    tools: Tools,
    config: Config,
    habits: Switches<Habits>,
    state: Mutex<State>,
}

impl Simulator {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The books, with the late siblings that have become due.
    fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        for (made_at, tenant, body) in state.take_due(self.tools.clock.now()) {
            self.make_at(&mut state, made_at, &tenant, &body);
        }
        state
    }

    /// Lets the time that went by take effect on an order, and sends the hooks of what happened to it.
    fn progress(&self, order: &mut Order, now: OffsetDateTime, habits: &Habits) {
        for (at, what) in order.progress(&self.tools.clock, now, habits) {
            self.tell(order, at, what, habits);
        }
    }

    /// Sends the hooks of the searches that a delete has just cancelled.
    fn tell_canceled(&self, order: &Order, habits: &Habits) {
        let canceled = order.searches.iter().enumerate().filter(|(_, search)| search.status == "CANCELLED");
        for (at, _) in canceled {
            self.tell(order, at, Happening::Canceled, habits);
        }
    }

    fn tell(&self, order: &Order, search: usize, what: Happening, habits: &Habits) {
        let tenant = TenantHooks { target: self.tools.hooks.target(), secret: self.config.hook_secret.clone() };
        for hook in events::hooks(order, &order.searches[search], what, habits, &tenant, &self.tools.clock) {
            self.tools.hooks.send(hook);
        }
    }

    /// Makes an order now. Gives its body's ids.
    fn make(&self, state: &mut State, tenant: &str, body: &Value) -> Value {
        self.make_at(state, self.tools.clock.now(), tenant, body)
    }

    fn make_at(&self, state: &mut State, at: OffsetDateTime, tenant: &str, body: &Value) -> Value {
        let order = Order::new(body, tenant, &self.habits.get(), at, false);
        let ids: Vec<&str> = order.searches.iter().map(|search| search.id.as_str()).collect();
        let created = json!({"verificationOrderId": order.id, "searchIds": ids});
        state.add(order);
        created
    }
}

impl Vendor for Simulator {
    fn router(self: Arc<Self>) -> Router {
        calls::router(self)
    }

    fn classify(&self, method: &Method, path: &str) -> &'static str {
        let path = path.strip_prefix(calls::BASE).unwrap_or(path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["orders"]) => "create",
            ("POST", ["batches"]) => "batch",
            ("GET", ["orders"]) => "list",
            ("GET", ["orders", _]) => "get",
            ("GET", ["orders", _, "searches"]) => "searches",
            ("GET", ["orders", _, "searches", _]) => "search",
            ("DELETE", ["orders", _]) => "cancel",
            ("POST", ["oauth", "token"]) => "token",
            ("GET", ["files", "release-form", "generate-upload-url"]) => "upload_link",
            ("PUT", ["uploads", _]) => "upload",
            _ => "other",
        }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        calls::error_body(status, &status.canonical_reason().unwrap_or("Error").into())
    }

    fn objects(&self) -> Vec<BookEntry> {
        let mut orders: Vec<(OffsetDateTime, BookEntry)> =
            self.lock().orders.iter().map(|order| (order.created_at, order.book_entry())).collect();
        orders.sort_by_key(|(created_at, _)| *created_at);
        orders.into_iter().map(|(_, entry)| entry).collect()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.habits
    }

    fn make_strangers(&self, count: usize, options: &Value) -> Vec<String> {
        strangers::make(self, &mut self.current(), count, options)
    }

    fn creates(&self) -> Vec<CreateCall> {
        self.lock().creates.clone()
    }

    fn tick(&self) {
        let (habits, now) = (self.habits.get(), self.tools.clock.now());
        for order in &mut self.current().orders {
            self.progress(order, now, &habits);
        }
    }
}
