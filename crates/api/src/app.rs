//! What every operation is given.

use std::sync::Arc;
use std::time::Duration;

use domain::{AuditId, Clock, Timestamp};
use engine::Engine;
use serde_json::Value;
use store::{AuditEntry, Store, StoreError, Tx};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::auth::{AuthSettings, AuthSetupError, Authenticator};
use crate::caller::Caller;
use crate::limits::Limiter;
use crate::problem::Problem;
use crate::upload::Places;

/// How the API behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    pub auth: AuthSettings,
    /// Requests a second and tenant; `None`: not limited.
    pub rate: Option<f64>,
    /// The longest an answer may take; after it the caller is told 503. Uploads of batches are judged by their pace
    /// instead, and have a limit of their own.
    pub request_timeout: Duration,
    /// The most requests at once; more are told 503 rather than piling up.
    pub max_in_flight: usize,
    /// The most hooks of vendors at once, which take no place among the requests: they come without a token, and must
    /// not keep callers out.
    pub max_hooks_in_flight: usize,
    /// The most batches that are taken in at once, half of them at most one tenant's; each holds a connection to the database
    /// while it arrives.
    pub max_uploads: usize,
    /// The most reports that are put together at once.
    pub max_exports: usize,
    /// The most documents of vendors that are on their way to callers at once.
    pub max_documents: usize,
    /// The most calls that are passed on to vendors at once; one with an Idempotency-Key holds a connection to the database
    /// meanwhile.
    pub max_passed: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: AuthSettings::default(),
            rate: None,
            request_timeout: Duration::from_mins(1),
            max_in_flight: 1_024,
            max_hooks_in_flight: 64,
            max_uploads: 4,
            max_exports: 2,
            max_documents: 32,
            max_passed: 2,
        }
    }
}

/// The state of the API. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    engine: Engine,
    clock: Arc<dyn Clock>,
    auth: Authenticator,
    limiter: Limiter,
    in_flight: Semaphore,
    hooks_in_flight: Semaphore,
    uploads: Places,
    exports: Arc<Semaphore>,
    documents_in_flight: Arc<Semaphore>,
    passed_in_flight: Arc<Semaphore>,
    request_timeout: Duration,
}

impl App {
    pub fn new(engine: Engine, settings: &Settings) -> Result<Self, AuthSetupError> {
        let clock: Arc<dyn Clock> = Arc::new(EngineClock(engine.clone()));
        Ok(Self(Arc::new(Parts {
            auth: Authenticator::new(&settings.auth, Arc::clone(&clock))?,
            clock,
            limiter: Limiter::new(settings.rate),
            in_flight: Semaphore::new(settings.max_in_flight),
            hooks_in_flight: Semaphore::new(settings.max_hooks_in_flight),
            uploads: Places::new(settings.max_uploads),
            exports: Arc::new(Semaphore::new(settings.max_exports)),
            documents_in_flight: Arc::new(Semaphore::new(settings.max_documents)),
            passed_in_flight: Arc::new(Semaphore::new(settings.max_passed)),
            request_timeout: settings.request_timeout,
            engine,
        })))
    }

    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub fn store(&self) -> &Store {
        self.0.engine.store()
    }

    pub fn now(&self) -> Timestamp {
        self.0.engine.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn auth(&self) -> &Authenticator {
        &self.0.auth
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(crate) fn in_flight(&self) -> &Semaphore {
        &self.0.in_flight
    }

    pub(crate) fn hooks_in_flight(&self) -> &Semaphore {
        &self.0.hooks_in_flight
    }

    pub(crate) fn uploads(&self) -> &Places {
        &self.0.uploads
    }

    pub(crate) fn exports(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.exports)
    }

    pub(crate) fn documents_in_flight(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.documents_in_flight)
    }

    pub(crate) fn passed_in_flight(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.passed_in_flight)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.0.request_timeout
    }

    /// Notes who did what to whose data.
    pub(crate) async fn audit<S>(
        &self,
        tx: &mut Tx,
        caller: &Caller<S>,
        action: &str,
        tenant: &domain::TenantId,
        target: String,
        data: Value,
    ) -> Result<(), StoreError> {
        let id = AuditId::generate(self.engine().clock(), self.engine().entropy());
        let entry = AuditEntry {
            at: self.now(),
            tenant: Some(tenant.clone()),
            actor: caller.subject().to_owned(),
            action: action.to_owned(),
            target,
            data,
        };
        tx.audit().append(id, &entry).await
    }
}

/// The engine's clock, so that tokens and uploads are judged by the same time as everything else.
struct EngineClock(Engine);

impl Clock for EngineClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Runs work to its end even if the caller hangs up: a vendor that was asked must not be forgotten half-way.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(_) => Err(Problem::internal(&"a task of a request panicked")),
    }
}
