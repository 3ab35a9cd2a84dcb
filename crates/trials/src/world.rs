//! A whole gateway without its HTTP side, on a real Postgres, against the real simulators over sockets, under a clock
//! that the trial owns. Nothing sleeps: when there is nothing to do, the clock jumps to when there is.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{
    AccountKey, Batch, BatchId, Case, CaseState, CheckStatus, Clock as _, Entropy, Order, OrderDraft, OrderId,
    ProviderId, TenantId,
};
use engine::{Account, CancelDuplicates, Engine, EngineSettings, OsEntropy, Providers, Route};
use provider::Provider;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::{Books, Running, Sandbox, SandboxConfig, SimClock, Site};
use secrecy::SecretString;
use store::{CaseFilter, OrderFilter, Scope, Store, StoreError, Vault};
use url::Url;

use crate::clock::TestClock;
use crate::watch::{Watched, Wire};

pub const VENDORS: [&str; 3] = ["truora", "theary", "truework"];

pub struct World {
    pub engine: Engine,
    pub clock: TestClock,
    pub sandbox: Sandbox,
    /// The create calls that were made.
    pub wire: Wire,
    database: testkit::TestDatabase,
}

#[derive(Clone)]
pub struct Options {
    pub settle: Duration,
    pub timeout: Duration,
    pub cancel_duplicates: CancelDuplicates,
    /// The most checks in one create call to Theary.
    pub batch_size: usize,
    /// From so many like checks of a batch on they go to Truora as a file; 0: only those that ask for it.
    pub native_batch_min: usize,
    /// The version of Truework's API that is spoken, and that the account's key is pinned to.
    pub truework_version: truework::Version,
    /// Where the simulators send their hooks, each under its vendor's id. `None`: nowhere.
    pub hooks: Option<Url>,
    /// For checks that name no vendor.
    pub routes: Vec<Route>,
    /// Ids and keys are made from this seed. `None`: from the system's randomness.
    pub seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settle: Duration::from_mins(2),
            timeout: Duration::from_secs(5),
            cancel_duplicates: CancelDuplicates::Ask,
            batch_size: theary::AccountSettings::DEFAULT_BATCH_SIZE,
            native_batch_min: 0,
            truework_version: truework::Version::default(),
            hooks: None,
            routes: Vec::new(),
            seed: None,
        }
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let clock = TestClock::new();
        let source = clock.clone();
        let target = |vendor| options.hooks.as_ref().map(|base| base.join(vendor).expect("a path"));
        let sandbox = Sandbox::start(SandboxConfig {
            clock: SimClock::of(Arc::new(move || source.at())),
            truora: Site { hook_target: target("truora"), ..Site::default() },
            theary: Site { hook_target: target("theary"), ..Site::default() },
            truework: Site {
                hook_target: target("truework"),
                config: sandbox::truework::Config {
                    pin: options.truework_version.as_str().to_owned(),
                    ..sandbox::truework::Config::default()
                },
                ..Site::default()
            },
        });
        let sandbox = sandbox.await.expect("the simulators start");
        let database = testkit::database(migrate).await;
        let wire = Wire::default();
        let engine = gateway(&database.url, &sandbox, &clock, &wire, &options).await;
        Self { engine, clock, sandbox, wire, database }
    }

    /// Another gateway process on the same database, or the same one after a restart.
    pub async fn another(&self, options: &Options) -> Engine {
        gateway(&self.database.url, &self.sandbox, &self.clock, &self.wire, options).await
    }

    /// Where the gateway's tables are, to do to them what no gateway does.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    pub fn vendor(&self, id: &str) -> &Running {
        self.sandbox.all().into_iter().find(|(name, _)| *name == id).expect("a vendor").1
    }

    pub fn books(&self, id: &str) -> Books {
        self.vendor(id).control().books()
    }

    pub fn account(&self, id: &str) -> Account {
        let key = AccountKey::default_of(ProviderId::new(id));
        self.engine.providers().account(&key).expect("an account").clone()
    }

    pub async fn accept(&self, draft: OrderDraft) -> OrderId {
        self.accept_of("acme", draft).await
    }

    pub async fn accept_of(&self, tenant: &str, draft: OrderDraft) -> OrderId {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let tenant = TenantId::new(tenant);
        let order = self.engine.accept(&mut tx, &tenant, draft).await.expect("an order that is accepted");
        tx.save().await.expect("saved");
        order.id
    }

    /// Accepts a batch in one transaction.
    pub async fn accept_batch(&self, tenant: &str, drafts: impl IntoIterator<Item = OrderDraft>) -> BatchId {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let mut intake = self.engine.open_batch(&TenantId::new(tenant), None);
        let id = intake.id();
        for draft in drafts {
            intake.add(&mut tx, draft).await.expect("an order that is accepted");
        }
        intake.finish(&mut tx).await.expect("written");
        tx.save().await.expect("saved");
        id
    }

    pub async fn batch(&self, id: BatchId) -> Batch {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.batches().get(&Scope::All, id).await.expect("read").expect("an accepted batch is never lost")
    }

    pub async fn order(&self, id: OrderId) -> Order {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.orders().get(&Scope::All, id).await.expect("read").expect("an accepted order is never lost")
    }

    /// Every case, the newest first.
    pub async fn cases(&self) -> Vec<Case> {
        const PAGE: u32 = 200;
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let mut cases: Vec<Case> = Vec::new();
        loop {
            let before = cases.last().map(|case| case.id);
            let page = tx.cases().list(&Scope::All, &CaseFilter::default(), PAGE, before).await.expect("read");
            let is_last = page.len() < PAGE as usize;
            cases.extend(page);
            if is_last {
                return cases;
            }
        }
    }

    /// Does everything that is due now, once.
    pub async fn work(&self) -> usize {
        work(&self.engine).await.expect("the workers work")
    }

    /// Works until `done`, moving the clock to whatever falls due next. Panics after `limit` of the clock's time.
    pub async fn work_until(&self, limit: Duration, what: &str, done: impl AsyncFnMut() -> bool) {
        // The simulators have no alarm of ours: their work is looked at every few seconds.
        self.work_in_steps(Duration::from_millis(1)..=Duration::from_secs(10), limit, what, done).await;
    }

    async fn work_in_steps(
        &self,
        steps: RangeInclusive<Duration>,
        limit: Duration,
        what: &str,
        mut done: impl AsyncFnMut() -> bool,
    ) {
        let give_up = self.clock.now() + limit;
        loop {
            while self.work().await > 0 {}
            if done().await {
                return;
            }
            assert!(self.clock.now() < give_up, "{what}: not within {limit:?}");
            self.jump(steps.clone()).await;
        }
    }

    /// Moves the clock to whatever falls due next, by no less and no more than this.
    pub async fn jump(&self, by: RangeInclusive<Duration>) {
        let now = self.clock.now();
        let due = self.engine.store().next_due(now).await.expect("read").unwrap_or(now + Duration::from_secs(1));
        self.clock.advance(due.since(now).clamp(*by.start(), *by.end()));
    }

    /// Works until every check of a batch is final and no case is open.
    pub async fn work_until_batch_ends(&self, id: BatchId) {
        // Whoever looks at a thousand checks one by one takes a thousand steps: they are taken together.
        let steps = Duration::from_secs(3)..=Duration::from_mins(1);
        self.work_in_steps(steps, Duration::from_hours(48), "the batch has ended", async || {
            let mut tx = self.engine.store().begin().await.expect("a transaction");
            let filter = CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() };
            let is_open = !tx.cases().list(&Scope::All, &filter, 1, None).await.expect("read").is_empty();
            drop(tx);
            !is_open && self.batch(id).await.completed_at.is_some()
        })
        .await;
    }

    /// Works until every order is final or waits for a person, and no case is open.
    pub async fn work_until_settled(&self, orders: &[OrderId]) {
        self.work_until(Duration::from_hours(24), "all orders settled", async || {
            for id in orders {
                if !self.order(*id).await.checks.iter().all(|check| is_settled(check.status())) {
                    return false;
                }
            }
            self.cases().await.iter().all(|case| case.state != CaseState::Open)
        })
        .await;
    }
}

/// The orders of a batch.
pub async fn orders_of(tx: &mut store::Tx, batch: BatchId) -> Vec<Order> {
    let filter = OrderFilter { batch_id: Some(batch), ..OrderFilter::default() };
    tx.orders().list(&Scope::All, &filter, 100_000, None).await.expect("read")
}

/// Whether nothing happens to a check any more by itself.
pub fn is_settled(status: CheckStatus) -> bool {
    status.is_final() || status == CheckStatus::NeedsReview
}

/// Does everything that is due now, once. Gives how much it was.
pub async fn work(engine: &Engine) -> Result<usize, StoreError> {
    let mut done = 0;
    let accounts: Vec<_> = engine.providers().accounts().cloned().collect();
    for account in &accounts {
        done += engine.files(account).await?;
        done += engine.dispatch(account, 50).await?;
        done += engine.follow(account, 50).await?;
        done += engine.cancellations(account).await?;
        done += engine.monitors(account).await?;
        done += usize::from(engine.sweep(account).await?);
    }
    done += engine.cancel_batches().await?;
    done += engine.run_monitors().await?;
    done += engine.read_inbox().await?;
    done += engine.find_dead_calls().await?;
    done += engine.reconcile().await?;
    done += usize::try_from(engine.store().fold_batch_moves(engine.now()).await?).unwrap_or(usize::MAX);
    Ok(done)
}

async fn migrate(url: String) -> anyhow::Result<()> {
    Ok(open(&url, Arc::new(OsEntropy)).await.migrate().await?)
}

async fn open(url: &str, entropy: Arc<dyn Entropy>) -> Store {
    let vault = Vault::parse("test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key");
    Store::connect(&SecretString::from(url.to_owned()), 8, vault, entropy).await.expect("connected")
}

async fn gateway(url: &str, sandbox: &Sandbox, clock: &TestClock, wire: &Wire, options: &Options) -> Engine {
    let entropy: Arc<dyn Entropy> = match options.seed {
        Some(seed) => Arc::new(Seeded(Mutex::new(StdRng::seed_from_u64(seed)))),
        None => Arc::new(OsEntropy),
    };
    let store = open(url, Arc::clone(&entropy)).await;
    let mut providers = Providers::builder();
    let mut keys = Vec::new();
    for (id, provider) in adapters(sandbox, options) {
        let mut timing = provider.descriptor().timing;
        timing.timeout = options.timeout;
        timing.rate = None;
        let key = AccountKey::default_of(ProviderId::new(id));
        keys.push(key.clone());
        let provider = Arc::new(Watched { provider, wire: wire.clone(), clock: clock.clone() });
        providers = providers.account(Account {
            key,
            provider,
            timing,
            settle: Some(options.settle),
            tenants: None,
            hook_url: None,
            max_in_flight: 8,
        });
    }
    for route in &options.routes {
        providers = providers.route(route.clone());
    }
    store.register_accounts(&keys).await.expect("registered");
    let settings = EngineSettings { cancel_duplicates: options.cancel_duplicates, ..EngineSettings::default() };
    Engine::new(store, providers.build(), Arc::new(clock.clone()), entropy, settings)
}

/// Randomness that can be had again.
struct Seeded(Mutex<StdRng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

fn adapters(sandbox: &Sandbox, options: &Options) -> BTreeMap<&'static str, Arc<dyn Provider>> {
    let mut adapters: BTreeMap<&'static str, Arc<dyn Provider>> = BTreeMap::new();
    let config = sandbox::truora::Config::default();
    let mut settings = truora::Settings::new(SecretString::from(config.api_key));
    settings.checks_url = sandbox.truora.base_url().clone();
    settings.account_url = sandbox.truora.base_url().clone();
    settings.file_hosts = truora::FileHosts::new(sandbox.truora.base_url().host_str().map(str::to_owned));
    settings.hook_key = Some(SecretString::from(config.hook_key));
    settings.native_batch_min = options.native_batch_min;
    settings.identity.url = sandbox.truora.base_url().clone();
    settings.identity.page_url = sandbox.truora.base_url().clone();
    settings.identity.flow = Some(sandbox::truora::IDENTITY_FLOW.to_owned());
    adapters.insert("truora", Arc::new(truora::Truora::new(settings).expect("good settings")));
    let config = sandbox::theary::Config::default();
    let settings = theary::AccountSettings {
        base_url: sandbox.theary.base_url().clone(),
        credentials: theary::Credentials::Token(SecretString::from(config.token)),
        hook_secret: Some(SecretString::from(config.hook_secret)),
        environment: theary::Environment::Sandbox { qa_email: "qa@example.com".into() },
        upload_hosts: None,
        batch_size: options.batch_size,
    };
    adapters.insert("theary", Arc::new(theary::Theary::new(settings, provider::VendorHttp::new())));
    let config = sandbox::truework::Config::default();
    let mut settings = truework::Settings::new(sandbox.truework.base_url().clone(), SecretString::from(config.api_key));
    settings.version = options.truework_version;
    settings.hook_tokens = vec![SecretString::from(config.hook_token)];
    adapters.insert("truework", Arc::new(truework::Truework::new(settings).expect("good settings")));
    adapters
}
