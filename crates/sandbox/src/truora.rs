//! A simulator of Truora's Checks API, quirk by quirk.
//!
//! Bodies of requests are forms, answers are JSON with relative links. Errors of the service say `code`, `http_code` and
//! `message`; its gateway says `message` only, and answers 403 to routes it does not know. A check goes through
//! `not_started`, `in_progress`, perhaps `delayed`, to `completed` or `error` by itself, and a signed hook tells of each
//! step. A create with the inputs of a recent check gives that one back.
//!
//! # How a check ends
//!
//! The last two digits of the number that is searched by (national, foreign or tax id, PPT, licence plate) choose:
//!
//! | digits | what happens |
//! |---|---|
//! | `89` | clean; with records, as `90`, from the second run of a continuous check on |
//! | `90` | records: a criminal record by id (a vehicle: fines), score 0 |
//! | `91` | homonym: a criminal record by name only |
//! | `92` | `delayed` for a while, then clean |
//! | `93` | `error`: too many sources fail |
//! | `94` | the identity is not found |
//! | `95` | the person is dead, the company cancelled |
//! | `96` | the create call is answered 429 |
//! | `97` | the name that was given contradicts the sources |
//! | `98` | alerts in the media, which have no weight |
//! | `99` | a status that no document knows (`paused`), then clean |
//! | any other | clean |
//!
//! # Switches
//!
//! Every field of [`Habits`]; its documentation says what each does.
//!
//! # Strangers
//!
//! `POST /_sandbox/strangers` takes `count`, `fields` (form fields that each stranger is made with) and `age_ms` (how long
//! ago they were made). Without `fields`, every second one has the inputs of the latest check that is not a stranger.

mod account;
mod batches;
mod bodies;
mod checks;
mod config;
mod continuous;
mod credentials;
mod event_log;
mod fate;
mod findings;
mod form;
mod gateway;
mod health;
mod hooks;
mod identity;
mod pdf;
mod rules;
mod settings;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::books::{BatchEntry, BookEntry};
use crate::clock::{SimClock, rfc3339};
use crate::server::{self, Running, Tools};
use crate::vendor::{Behavior, Switches, Vendor};

use account::Account;
use event_log::EventLog;

pub use batches::{BatchHabits, MappedReference, SecondStart};
pub use identity::{FLOW as IDENTITY_FLOW, IdentityHabits};

/// The credentials it takes and gives.
#[derive(Debug, Clone)]
pub struct Config {
    pub api_key: String,
    /// Signs its hooks: 64 hex digits, used as text.
    pub hook_key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: "sandbox-truora-key".to_owned(),
            hook_key: "5a6d9f0c1b2e3d4f5a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f00112".to_owned(),
        }
    }
}

/// What is not documented, or differs from account to account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "switches are thrown one by one")]
pub struct Habits {
    /// Checks give back the `custom_input` they were made with.
    pub echo_custom_input: bool,
    /// Every required input is enforced, not the primary id only.
    pub strict_inputs: bool,
    /// Rows per page of checks and of details.
    pub page_size: usize,
    /// How long a check counts as recent for the dedupe; 0: never.
    pub dedupe_hours: u64,
    /// The status of an answer that gives back an earlier check.
    pub dedupe_status: u16,
    /// The version of the API key: 1 demands `user_authorized` and says `name_score`, 0 says `homonym_score`.
    pub key_version: u8,
    /// How the key stands: `good`, `expired`, or `no_permission`.
    pub key_state: KeyState,
    /// The list begins with the oldest check.
    pub oldest_first: bool,
    /// A new check comes into the list only so much later.
    pub list_lag_ms: u64,
    /// The last page's `next` leads back to the first.
    pub next_loops: bool,
    /// Stands before each `next`: `/` makes a double slash, a scheme and host an absolute link.
    pub next_prefix: String,
    /// More checks of high priority at once are answered 429.
    pub max_high_priority: usize,
    /// The account's own check types.
    pub custom_types: Vec<String>,
    /// How long a check waits in the queue.
    pub queue_ms: u64,
    /// How long its sources take.
    pub run_ms: u64,
    /// How much longer a delayed check takes.
    pub delayed_ms: u64,
    /// The bytes that the signing key's hex digits stand for sign, rather than the digits.
    pub hook_key_hex: bool,
    /// `token` (the plain JWT), `wrapped` (`{"token": …}`) or `json` (unsigned, as a rule's own template makes it).
    pub hook_format: HookFormat,
    /// Rules write `checks.check`, hooks `check`.
    pub hook_event_type: String,
    /// The runs of a continuous check carry the `custom_input` of the check that it began with.
    pub runs_keep_custom_input: bool,
    /// A run comes into the history only when it is final.
    pub history_of_final_runs: bool,
    /// How a continuous check says that its score has not changed: `same` or `equal`.
    pub same_score_word: String,
    pub batches: BatchHabits,
    /// How many files a finished check has.
    pub attachments: usize,
    /// What is wrong with each of them.
    pub attachment_flaw: AttachmentFlaw,
    /// How long a link to a file is good.
    pub link_ms: u64,
    /// How long after its end a check's variables are there.
    pub variables_ms: u64,
    /// A hook tells when they are.
    pub variables_hook: bool,
    pub identity: IdentityHabits,
    /// Rules can be made through the API; otherwise it lacks the permission.
    pub rules_api: bool,
    /// The answer that makes a rule's action shows the key it signs with.
    pub rules_show_key: bool,
    /// The event log begins with the oldest event.
    pub event_log_oldest_first: bool,
    /// What the event log's links say in place of its own path.
    pub event_log_path: String,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            echo_custom_input: true,
            strict_inputs: false,
            page_size: 10,
            dedupe_hours: 24,
            dedupe_status: 201,
            key_version: 1,
            key_state: KeyState::Good,
            oldest_first: false,
            list_lag_ms: 0,
            next_loops: false,
            next_prefix: String::new(),
            max_high_priority: 5,
            custom_types: vec!["driver_screening".to_owned()],
            queue_ms: 1_000,
            run_ms: 3_000,
            delayed_ms: 10_000,
            hook_key_hex: false,
            hook_format: HookFormat::Token,
            hook_event_type: "check".to_owned(),
            runs_keep_custom_input: false,
            history_of_final_runs: false,
            same_score_word: "equal".to_owned(),
            batches: BatchHabits::default(),
            attachments: 2,
            attachment_flaw: AttachmentFlaw::None,
            link_ms: 600_000,
            variables_ms: 1_000,
            variables_hook: false,
            identity: IdentityHabits::default(),
            rules_api: true,
            rules_show_key: false,
            event_log_oldest_first: false,
            event_log_path: "/v1/events".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Good,
    Expired,
    NoPermission,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookFormat {
    Token,
    Wrapped,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentFlaw {
    None,
    /// It is called a PDF, and is a page of HTML.
    NotPdf,
    /// It is called a picture, and is a PDF.
    WrongMime,
    /// Its link leads to a host that is not the vendor's.
    ForeignHost,
    /// It has no link at all.
    NoLink,
    /// It begins as it should and goes on for ever.
    Endless,
    /// It begins as it should and says no more.
    Silent,
}

/// Between two strangers.
const MOMENT: Duration = Duration::from_millis(1);

/// Starts it on this port (0: a free one).
pub async fn start(port: u16, clock: SimClock, config: Config) -> io::Result<Running> {
    let make = |tools| Simulator {
        tools,
        config,
        habits: Switches::new(Habits::default()),
        account: Mutex::default(),
        desk: Mutex::default(),
        own: Mutex::default(),
        log: Mutex::default(),
    };
    server::start(port, clock, make).await
}

struct Simulator {
    tools: Tools,
    config: Config,
    habits: Switches<Habits>,
    account: Mutex<Account>,
    desk: Mutex<identity::Desk>,
    own: Mutex<Own>,
    log: Mutex<EventLog>,
}

/// What the account's owner set up.
#[derive(Default)]
struct Own {
    types: config::CustomTypes,
    settings: serde_json::Map<String, Value>,
    credentials: credentials::Credentials,
    rules: Vec<rules::Rule>,
}

impl Simulator {
    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account as it stands now, with the hooks of what happened meanwhile on their way.
    fn account(&self) -> MutexGuard<'_, Account> {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let habits = self.habits.get();
        account.repeat(&habits, self.tools.clock.now());
        account.move_batches_on(&habits, &self.tools.clock);
        for news in account.move_on(&self.tools.clock) {
            hooks::send(self, &habits, &account, &news);
        }
        for changed in account.compare_runs(self.tools.clock.now()) {
            hooks::send_changed(self, &habits, &account, &changed);
        }
        for check in account.computed(&self.tools.clock, Duration::from_millis(habits.variables_ms)) {
            if habits.variables_hook {
                hooks::send_variables(self, &habits, account.check(check));
            }
        }
        account
    }

    /// Its links and processes as they stand now, likewise.
    fn identity(&self) -> MutexGuard<'_, identity::Desk> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        for news in desk.move_on(&self.tools.clock) {
            identity::tell(self, &news);
        }
        desk
    }
}

impl Vendor for Simulator {
    fn router(self: Arc<Self>) -> Router {
        let routes = checks::router()
            .merge(continuous::router())
            .merge(batches::behind_key())
            .merge(identity::router())
            .merge(config::router())
            .merge(settings::router())
            .merge(credentials::router())
            .merge(health::router())
            .merge(rules::router())
            .merge(event_log::router());
        let open = batches::around_key().merge(findings::files()).with_state(Arc::clone(&self));
        let gateway = gateway::around(&self, routes.with_state(Arc::clone(&self)), open);
        identity::page().with_state(self).fallback_service(gateway)
    }

    fn classify(&self, method: &Method, path: &str) -> &'static str {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["v1", "checks"]) => "create",
            ("GET", ["v1", "checks" | "processes"]) => "list",
            ("GET", ["v1", "checks", _]) => "get",
            ("DELETE", ["v1", "checks", _]) => "delete",
            ("GET", ["v1", "checks", _, "details"]) => "details",
            (_, ["v1", "checks" | "processes", _, "pdf"]) => "document",
            ("POST", ["v1", "api-keys"]) => "link",
            ("GET", ["v1", "processes", ..]) => "get_process",
            ("GET", []) => "applicant",
            ("POST", ["v1", "continuous-checks"]) => "monitor",
            ("GET", ["v1", "continuous-checks"]) => "monitors",
            ("GET", ["v1", "continuous-checks", _]) => "monitor_get",
            ("PUT", ["v1", "continuous-checks", _]) => "monitor_update",
            ("GET", ["v1", "continuous-checks", _, "history"]) => "monitor_history",
            ("GET", ["v1", "checks", _, "attachments"]) => "attachments",
            ("GET", ["v1", "checks", _, "summarize"]) => "summary",
            ("GET", ["v1", "checks", _, "variables"]) => "variables",
            ("GET", ["attachments", ..]) => "file",
            ("GET", ["v1", "health"]) => "health",
            ("GET", ["v1", "config"]) => "custom_types",
            (_, ["v1", "config"]) => "custom_type",
            (_, ["v1", "settings"]) => "settings",
            (_, ["v1", "config", "credentials", ..]) => "credentials",
            (_, ["v1", "bre", "rules", ..]) => "rules",
            ("GET", ["v1", "hooks", "events", ..]) => "event_log",
            (method, segments) => batches::classify(method, segments).unwrap_or("other"),
        }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        let message = match status.as_u16() {
            401 => return json!({ "message": "Unauthorized" }),
            404 => "Resource not found",
            429 => checks::TOO_MANY,
            500.. => "Internal server error, try again later",
            _ => "Invalid request",
        };
        gateway::error_body(status, message)
    }

    fn objects(&self) -> Vec<BookEntry> {
        let entry = |check: &account::Check| BookEntry {
            id: check.id.clone(),
            parts: Vec::new(),
            references: check.form.get("custom_input").cloned().into_iter().collect(),
            state: if check.deleted_at.is_some() { "deleted" } else { check.status().as_str() }.to_owned(),
            created_at: rfc3339(check.created_at),
            canceled: false,
            stranger: check.stranger,
        };
        let mut objects: Vec<_> = self.account().checks().iter().map(entry).collect();
        objects.extend(identity::entries(&self.identity()));
        objects
    }

    fn batches(&self) -> Vec<BatchEntry> {
        self.account().batches.entries()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.habits
    }

    fn make_strangers(&self, count: usize, options: &Value) -> Vec<String> {
        let fields: form::Fields = serde_json::from_value(options["fields"].clone()).unwrap_or_default();
        let age = Duration::from_millis(options["age_ms"].as_u64().unwrap_or(0));
        let (now, habits) = (self.tools.clock.now(), self.habits.get());
        let mut account = self.account();
        // Those of the past were made one after the other.
        let made_at =
            |n: usize| if age.is_zero() { now } else { now - age - MOMENT * u32::try_from(count - n).unwrap_or(0) };
        (0..count).map(|n| account.make_stranger(&fields, n % 2 == 0, &habits, made_at(n))).collect()
    }

    fn tick(&self) {
        drop(self.account());
        drop(self.identity());
    }
}
