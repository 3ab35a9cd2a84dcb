//! A whole gateway without its HTTP side, on a real Postgres, against the real simulators over sockets, under a clock
//! that the test owns. Nothing sleeps: when there is nothing to do, the clock jumps to when there is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::input::{BackgroundCheck, EducationVerification, Employer, EmploymentVerification, Institution};
use domain::{
    AccountKey, Case, CheckDraft, CheckInput, CheckSpec, CheckStatus, Clock, Consent, ConsentDocument, Identifier,
    IdentifierType, Money, Order, OrderDraft, OrderId, OrderInput, Person, Position, ProviderId, Purpose, Subject,
    TenantId, Timestamp,
};
use engine::{Account, CancelDuplicates, Engine, EngineSettings, OsEntropy, Providers};
use provider::Provider;
use sandbox::{Books, Running, Sandbox, SandboxConfig, SimClock, Site};
use secrecy::SecretString;
use store::{CaseFilter, Scope, Store, Vault};

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_225_600_000_000)))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("a short while"), Ordering::SeqCst);
    }

    fn at(&self) -> time::OffsetDateTime {
        let micros = i128::from(self.0.load(Ordering::SeqCst));
        time::OffsetDateTime::from_unix_timestamp_nanos(micros * 1_000).expect("a time of this era")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(self.at())
    }
}

pub const VENDORS: [&str; 3] = ["truora", "theary", "truework"];

pub struct World {
    pub engine: Engine,
    pub clock: TestClock,
    pub sandbox: Sandbox,
    database: testkit::TestDatabase,
}

pub struct Options {
    pub settle: Duration,
    pub timeout: Duration,
    pub cancel_duplicates: CancelDuplicates,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settle: Duration::from_mins(2),
            timeout: Duration::from_secs(5),
            cancel_duplicates: CancelDuplicates::Ask,
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
        let sandbox = Sandbox::start(SandboxConfig {
            clock: SimClock::of(Arc::new(move || source.at())),
            truora: Site::default(),
            theary: Site::default(),
            truework: Site::default(),
        });
        let sandbox = sandbox.await.expect("the simulators start");
        let database =
            testkit::database(|url| async move { open(&url).await.migrate().await.map_err(anyhow::Error::from) }).await;
        let engine = gateway(&database.url, &sandbox, &clock, &options).await;
        Self { engine, clock, sandbox, database }
    }

    /// Another gateway process on the same database, or the same one after a restart.
    pub async fn another(&self, options: &Options) -> Engine {
        gateway(&self.database.url, &self.sandbox, &self.clock, options).await
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

    pub async fn order(&self, id: OrderId) -> Order {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.orders().get(&Scope::All, id).await.expect("read").expect("an accepted order is never lost")
    }

    pub async fn cases(&self) -> Vec<Case> {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.cases().list(&Scope::All, &CaseFilter::default(), 200, None).await.expect("read")
    }

    /// Does everything that is due now, once.
    pub async fn work(&self) -> usize {
        work(&self.engine).await
    }

    /// Works until `done`, moving the clock to whatever falls due next. Panics after `limit` of the clock's time.
    pub async fn work_until(&self, limit: Duration, what: &str, mut done: impl AsyncFnMut() -> bool) {
        let give_up = self.clock.now() + limit;
        loop {
            while self.work().await > 0 {}
            if done().await {
                return;
            }
            let now = self.clock.now();
            assert!(now < give_up, "{what}: not within {limit:?}");
            let due = self.engine.store().next_due(now).await.expect("read").unwrap_or(now + Duration::from_secs(1));
            // The simulators have no alarm of ours: their work is looked at every few seconds.
            self.clock.advance(due.since(now).clamp(Duration::from_millis(1), Duration::from_secs(10)));
        }
    }

    /// Works until every order is final or waits for a person, and no case is open.
    pub async fn work_until_settled(&self, orders: &[OrderId]) {
        self.work_until(Duration::from_hours(24), "all orders settled", async || {
            for id in orders {
                let order = self.order(*id).await;
                let is_settled = |status: CheckStatus| status.is_final() || status == CheckStatus::NeedsReview;
                if !order.checks.iter().all(|check| is_settled(check.status())) {
                    return false;
                }
            }
            self.cases().await.iter().all(|case| case.state != domain::CaseState::Open)
        })
        .await;
    }
}

/// Does everything that is due now, once. Gives how much it was.
pub async fn work(engine: &Engine) -> usize {
    let mut done = 0;
    let accounts: Vec<_> = engine.providers().accounts().cloned().collect();
    for account in &accounts {
        done += engine.dispatch(account, 50).await.expect("dispatched");
        done += engine.follow(account, 50).await.expect("followed");
    }
    done += engine.read_inbox().await.expect("read the inbox");
    done += engine.find_dead_calls().await.expect("looked for dead calls");
    done += engine.reconcile().await.expect("reconciled");
    done
}

pub async fn open(url: &str) -> Store {
    let vault = Vault::parse("test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key");
    Store::connect(&SecretString::from(url.to_owned()), 8, vault, Arc::new(OsEntropy)).await.expect("connected")
}

async fn gateway(url: &str, sandbox: &Sandbox, clock: &TestClock, options: &Options) -> Engine {
    let store = open(url).await;
    let mut providers = Providers::builder();
    let mut keys = Vec::new();
    for (id, provider) in adapters(sandbox) {
        let mut timing = provider.descriptor().timing;
        timing.timeout = options.timeout;
        timing.rate = None;
        let key = AccountKey::default_of(ProviderId::new(id));
        keys.push(key.clone());
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
    store.register_accounts(&keys).await.expect("registered");
    let settings = EngineSettings { cancel_duplicates: options.cancel_duplicates, ..EngineSettings::default() };
    Engine::new(store, providers.build(), Arc::new(clock.clone()), Arc::new(OsEntropy), settings)
}

fn adapters(sandbox: &Sandbox) -> BTreeMap<&'static str, Arc<dyn Provider>> {
    let mut adapters: BTreeMap<&'static str, Arc<dyn Provider>> = BTreeMap::new();
    let config = sandbox::truora::Config::default();
    let mut settings = truora::Settings::new(SecretString::from(config.api_key));
    settings.checks_url = sandbox.truora.base_url().clone();
    settings.account_url = sandbox.truora.base_url().clone();
    settings.hook_key = Some(SecretString::from(config.hook_key));
    adapters.insert("truora", Arc::new(truora::Truora::new(settings).expect("good settings")));
    let config = sandbox::theary::Config::default();
    let settings = theary::AccountSettings {
        base_url: sandbox.theary.base_url().clone(),
        token: SecretString::from(config.token),
        hook_secret: Some(SecretString::from(config.hook_secret)),
        environment: theary::Environment::Sandbox { qa_email: "qa@example.com".into() },
        batch_size: theary::AccountSettings::DEFAULT_BATCH_SIZE,
    };
    adapters.insert("theary", Arc::new(theary::Theary::new(settings, provider::VendorHttp::new())));
    let config = sandbox::truework::Config::default();
    let mut settings = truework::Settings::new(sandbox.truework.base_url().clone(), SecretString::from(config.api_key));
    settings.hook_tokens = vec![SecretString::from(config.hook_token)];
    adapters.insert("truework", Arc::new(truework::Truework::new(settings).expect("good settings")));
    adapters
}

/// An order with one check at this vendor, which ends well there.
pub fn draft(vendor: &str, number: u32) -> OrderDraft {
    draft_of(&[vendor], number)
}

/// An order with one check at each of these vendors.
pub fn draft_of(vendors: &[&str], number: u32) -> OrderDraft {
    let checks = vendors.iter().map(|vendor| CheckDraft {
        input: CheckInput { spec: spec(vendor, number), vendor_options: serde_json::Map::new() }.into(),
        provider: Some(ProviderId::new(*vendor)),
        account: None,
    });
    OrderDraft {
        external_id: Some(format!("T-{number}")),
        input: order_input(number).into(),
        provider: None,
        checks: checks.collect(),
        metadata: BTreeMap::new(),
    }
}

fn spec(vendor: &str, number: u32) -> CheckSpec {
    match vendor {
        "truora" => CheckSpec::BackgroundCheck(BackgroundCheck { country: "CO".into(), ..BackgroundCheck::default() }),
        "theary" if number % 2 == 1 => CheckSpec::EducationVerification(EducationVerification {
            institution: Institution { name: "Sample University".into(), email: None, phone: None },
            qualification: Some("BSc".into()),
            field_of_study: Some("Mathematics".into()),
            graduation_date: Some("2014-06-30".parse().expect("a date")),
        }),
        _ => CheckSpec::EmploymentVerification(EmploymentVerification {
            employer: Some(Employer {
                name: "Fake Company".into(),
                location: Some("Springfield, IL".into()),
                email: Some("hr@example.com".into()),
                ..Employer::default()
            }),
            title: Some("Software Engineer".into()),
            start_date: Some("2019-01-01".parse().expect("a date")),
            end_date: None,
        }),
    }
}

fn order_input(number: u32) -> OrderInput {
    let identifier = |kind, country: &str, value: String| Identifier {
        kind,
        country: country.into(),
        value,
        issued_on: None,
        serial: None,
        verification_code: None,
    };
    OrderInput {
        subject: Subject::Person(Person {
            first_name: Some("Taylor".into()),
            last_name: Some("Curtis".into()),
            date_of_birth: Some("1990-05-15".parse().expect("a date")),
            email: Some("taylor.curtis@example.com".into()),
            phone: Some("+15550100".into()),
            identifiers: vec![
                identifier(IdentifierType::Ssn, "US", "000-00-0000".into()),
                // The simulator steers by the last digit; zero is a clean one.
                identifier(IdentifierType::NationalId, "CO", format!("{}0", 10_000_000 + number)),
            ],
            ..Person::default()
        }),
        position: Some(Position {
            title: Some("Engineer".into()),
            company: Some("Example Hiring Inc".into()),
            city: Some("Springfield".into()),
            region: Some("IL".into()),
            country: Some("US".into()),
            salary: Some(Money { amount: "100000.00".into(), currency: "USD".into() }),
            ..Position::default()
        }),
        purpose: Purpose::Employment,
        consent: Consent {
            obtained_at: "2025-12-01T10:00:00Z".parse().expect("a time"),
            text_version: None,
            expires_at: None,
            document: Some(ConsentDocument::Link { url: "https://example.com/release.pdf".into() }),
        },
    }
}
