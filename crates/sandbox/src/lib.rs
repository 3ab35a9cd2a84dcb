//! Simulators of the three vendors, with fault injection and books.
//!
//! Each simulator is a real HTTP server on a loopback port of its own. It behaves as its vendor's documents say, keeps
//! books of what it made, and can be told to fail in every way that a vendor or a network can: [`Fault`]s are armed and
//! books are read under `/_sandbox/` (see [`control`]), or by function through [`Running::control`].
//!
//! # A simulator of a further vendor
//!
//! A module with a `Config`, a state that implements [`Vendor`], and a `start` that hands it to [`server::start`]. The
//! server counts and classifies calls, applies faults and serves the control endpoints; the module only plays the vendor.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use axum::extract::{Path, State};
//! use axum::routing::{get, post};
//! use axum::{Json, Router};
//! use http::{Method, StatusCode};
//! use sandbox::clock::{SimClock, rfc3339};
//! use sandbox::{Behavior, BookEntry, Running, Switches, Tools, Vendor, server};
//! use serde::{Deserialize, Serialize};
//! use serde_json::{Value, json};
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! #[serde(deny_unknown_fields, default)]
//! struct Habits {
//!     /// Answers 200 instead of 201 to a create.
//!     plain_ok: bool,
//! }
//!
//! struct Simulator {
//!     tools: Tools,
//!     habits: Switches<Habits>,
//!     books: Mutex<Vec<BookEntry>>,
//! }
//!
//! impl Vendor for Simulator {
//!     fn router(self: Arc<Self>) -> Router {
//!         Router::new().route("/orders", post(create)).route("/orders/{id}", get(fetch)).with_state(self)
//!     }
//!     fn classify(&self, method: &Method, path: &str) -> &'static str {
//!         match (method.as_str(), path) {
//!             ("POST", "/orders") => "create",
//!             ("GET", _) => "get",
//!             _ => "other",
//!         }
//!     }
//!     fn error_body(&self, status: StatusCode) -> Value {
//!         json!({ "message": status.canonical_reason() })
//!     }
//!     fn objects(&self) -> Vec<BookEntry> {
//!         self.books.lock().unwrap().clone()
//!     }
//!     fn behavior(&self) -> &dyn Behavior {
//!         &self.habits
//!     }
//!     fn make_strangers(&self, count: usize, _options: &Value) -> Vec<String> {
//!         (0..count).map(|_| self.make(None)).collect()
//!     }
//! }
//!
//! impl Simulator {
//!     fn make(&self, reference: Option<String>) -> String {
//!         let mut books = self.books.lock().unwrap();
//!         let id = format!("order-{}", books.len() + 1);
//!         books.push(BookEntry {
//!             id: id.clone(),
//!             parts: Vec::new(),
//!             stranger: reference.is_none(),
//!             references: reference.into_iter().collect(),
//!             state: "open".to_owned(),
//!             created_at: rfc3339(self.tools.clock.now()),
//!             canceled: false,
//!         });
//!         id
//!     }
//! }
//!
//! async fn create(State(vendor): State<Arc<Simulator>>, Json(order): Json<Value>) -> (StatusCode, Json<Value>) {
//!     let status = if vendor.habits.get().plain_ok { StatusCode::OK } else { StatusCode::CREATED };
//!     (status, Json(json!({ "id": vendor.make(order["reference"].as_str().map(str::to_owned)) })))
//! }
//!
//! async fn fetch(State(vendor): State<Arc<Simulator>>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
//!     let books = vendor.books.lock().unwrap();
//!     let order = books.iter().find(|order| order.id == id).ok_or(StatusCode::NOT_FOUND)?;
//!     Ok(Json(json!({ "id": order.id, "state": order.state })))
//! }
//!
//! async fn start(port: u16, clock: SimClock) -> std::io::Result<Running> {
//!     server::start(port, clock, |tools| Simulator { tools, habits: Switches::default(), books: Mutex::default() }).await
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let simulator = start(0, SimClock::wall()).await.unwrap();
//! simulator.control().make_strangers(2, &Value::Null);
//! assert_eq!(simulator.control().books().objects.len(), 2);
//! simulator.shutdown().await;
//! # });
//! ```

pub mod books;
pub mod clock;
pub mod control;
pub mod faults;
pub mod hooks;
pub mod server;
pub mod vendor;

pub mod theary;
pub mod truework;
pub mod truora;

use std::io;

use url::Url;

pub use crate::books::{BatchEntry, BookEntry, Books, CreateCall};
pub use crate::clock::SimClock;
pub use crate::control::Control;
pub use crate::faults::{Fault, FaultKind};
pub use crate::hooks::{Hook, HookSender};
pub use crate::server::{Running, Tools};
pub use crate::vendor::{Behavior, Switches, Vendor};

/// Where and how the three simulators run.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The time that all three go by. Each keeps an offset of its own.
    pub clock: SimClock,
    pub truora: Site<truora::Config>,
    pub theary: Site<theary::Config>,
    pub truework: Site<truework::Config>,
}

/// One simulator's place.
#[derive(Debug, Clone, Default)]
pub struct Site<C> {
    /// 0: a free one.
    pub port: u16,
    /// Where its hooks go, unless an order says otherwise.
    pub hook_target: Option<Url>,
    pub config: C,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { clock: SimClock::wall(), truora: Site::default(), theary: Site::default(), truework: Site::default() }
    }
}

/// All three simulators, running. They stop when this is dropped.
pub struct Sandbox {
    pub truora: Running,
    pub theary: Running,
    pub truework: Running,
}

impl Sandbox {
    pub async fn start(config: SandboxConfig) -> io::Result<Self> {
        let SandboxConfig { clock, truora, theary, truework } = config;
        let sandbox = Self {
            truora: truora::start(truora.port, clock.independent(), truora.config).await?,
            theary: theary::start(theary.port, clock.independent(), theary.config).await?,
            truework: truework::start(truework.port, clock.independent(), truework.config).await?,
        };
        sandbox.truora.control().hooks.set_target(truora.hook_target);
        sandbox.theary.control().hooks.set_target(theary.hook_target);
        sandbox.truework.control().hooks.set_target(truework.hook_target);
        Ok(sandbox)
    }

    /// Each simulator by its vendor's id.
    pub fn all(&self) -> [(&'static str, &Running); 3] {
        [("truora", &self.truora), ("theary", &self.theary), ("truework", &self.truework)]
    }

    pub async fn shutdown(self) {
        self.truora.shutdown().await;
        self.theary.shutdown().await;
        self.truework.shutdown().await;
    }
}
