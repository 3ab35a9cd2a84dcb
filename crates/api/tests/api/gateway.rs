//! The whole API on a real Postgres, with a vendor that is made up, under a clock that the test owns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::{App, AuthSettings, Settings};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use domain::case::Sightings;
use domain::{
    AccountKey, Case, CaseId, CaseItem, CaseState, Certainty, CheckId, CheckInput, CheckResult, CheckType, Clock,
    FieldError, Finding, FindingVariables, ItemState, News, Observation, ObservedAt, OrderId, OrderInput, Outcome,
    ProviderId, Reason, Reference, Sensitive, Standing, SubmissionId, TenantId, Timestamp, VendorRef,
};
use engine::{Account, Engine, EngineSettings, OsEntropy, Providers};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::{EncodingKey, Header};
use provider::passthrough::{self, Rule, Verdict};
use provider::{
    Administration, ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Descriptor, DetailsPage,
    DocumentRef, Fetched, Findings, FindingsError, HookAuthentication, HookNews, HookRefused, HookRequest, HookSays,
    LocateQuery, PassRefusal, Passed, PassedCall, Passthrough, ProbeFault, Product, Provider, Submission, SubmitReport,
    SweepQuery, Timing, VendorAnswer,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{NewSubmission, Plan, Scope, Store, SubmissionPart, Vault};
use testkit::TestDatabase;
use tower::ServiceExt as _;

#[path = "desk.rs"]
mod desk;

use desk::Desk;

const SECRET: &str = "a secret that only the tests know!";
pub const AUDIENCE: &str = "vetgate";
pub const TENANT: &str = "acme";
pub const VENDOR: &str = "fictive";

/// Every scope that exists.
pub fn all_scopes() -> Vec<&'static str> {
    api::Scope::ALL.iter().map(|scope| scope.as_str()).collect()
}

pub struct TestClock(AtomicU64);

impl TestClock {
    /// At 2026-11-21T09:00:00Z.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_795_251_600_000)))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).expect("a short while"), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Gateway {
    pub router: Router,
    pub engine: Engine,
    pub clock: Arc<TestClock>,
    _database: TestDatabase,
}

/// An answer, with its body as JSON if it is some.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: bytes::Bytes,
    pub body: Value,
}

impl Gateway {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::build(&[CheckType::BackgroundCheck, CheckType::EmploymentVerification], change).await
    }

    /// With a vendor that does checks of these types.
    pub async fn build(types: &[CheckType], change: impl FnOnce(&mut Settings)) -> Self {
        Self::of(providers(types), TestClock::new(), change).await
    }

    /// With these vendors.
    pub async fn of(providers: Providers, clock: Arc<TestClock>, change: impl FnOnce(&mut Settings)) -> Self {
        let database =
            testkit::database(|url| async move { open(&url).await.migrate().await.map_err(anyhow::Error::from) }).await;
        let store = open(&database.url).await;
        let keys: Vec<_> = providers.accounts().map(|account| account.key.clone()).collect();
        store.register_accounts(&keys).await.expect("registered");
        let engine = Engine::new(store, providers, clock.clone(), Arc::new(OsEntropy), EngineSettings::default());
        let mut settings = Settings {
            auth: AuthSettings {
                hs256_secret: Some(SecretString::from(SECRET)),
                audience: Some(AUDIENCE.to_owned()),
                ..AuthSettings::default()
            },
            ..Settings::default()
        };
        change(&mut settings);
        let router = api::router(App::new(engine.clone(), &settings).expect("settings"));
        Self { router, engine, clock, _database: database }
    }

    /// A token of the tenant with these scopes.
    pub fn token(&self, scopes: &[&str]) -> String {
        self.token_with(scopes, |_| {})
    }

    pub fn token_with(&self, scopes: &[&str], change: impl FnOnce(&mut Value)) -> String {
        let now = self.clock.now().get().unix_timestamp();
        let mut claims = json!({
            "sub": "jane", "tenant": TENANT, "scope": scopes.join(" "), "exp": now + 300, "aud": AUDIENCE
        });
        change(&mut claims);
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))
            .expect("a token")
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, bytes, body }
    }

    /// With a token that carries every scope but `tenants:all`.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut scopes = all_scopes();
        scopes.retain(|scope| *scope != "tenants:all");
        self.call_as(&self.token(&scopes), method, path, body).await
    }

    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }

    /// With raw bytes, and further headers.
    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let token = self.token(&all_scopes());
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Makes an order and gives its answer.
    pub async fn order(&self, body: &Value) -> Value {
        let answer = self.call("POST", "/v1/orders", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.body
    }

    /// Opens a case about the first check of an order, as if its create call had got no answer.
    pub async fn case_of(&self, order: &Value) -> CaseId {
        let order_id: OrderId = order["id"].as_str().expect("an id").parse().expect("an id");
        let check_id: CheckId = order["checks"][0]["id"].as_str().expect("an id").parse().expect("an id");
        let (now, account) = (self.clock.now(), AccountKey::default_of(ProviderId::new(VENDOR)));
        let submission = SubmissionId::generate(&*self.clock, &OsEntropy);
        let id = CaseId::generate(&*self.clock, &OsEntropy);
        let reference = Reference::first(check_id);
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let tenant = TenantId::new(TENANT);
        let new = NewSubmission {
            id: submission,
            tenant: tenant.clone(),
            account: account.clone(),
            started_at: now,
            lease_until: now + Duration::from_secs(30),
            items: vec![SubmissionPart { check_id, order_id, reference }],
        };
        tx.submissions().insert(&new).await.expect("inserted");
        let mut order = tx.orders().lock(order_id).await.expect("locked").expect("an order");
        let why = Reason::new("timed_out", "no answer: the time-out was over");
        let mut events = order.tell(check_id, &News::Sending { submission }, now);
        events.extend(order.tell(check_id, &News::Unconfirmed { submission, why: why.clone() }, now));
        tx.orders().save(&order, &[Plan { check_id, work: None }], &events).await.expect("saved");
        let case = Case {
            id,
            tenant,
            account,
            submission,
            state: CaseState::Open,
            why,
            sent_at: now,
            window_ends_at: now + Duration::from_mins(15),
            deadline: now + Duration::from_hours(1),
            next_scan_at: Some(now),
            opened_at: now,
            resolved_at: None,
            items: vec![CaseItem {
                check_id,
                order_id,
                reference,
                state: ItemState::Unknown,
                after_absence: domain::AfterAbsence::Resend,
                bound: None,
                duplicates: Vec::new(),
                review: None,
                resent_at: None,
                late_scan_at: None,
                late_scanned: false,
            }],
        };
        tx.cases().insert(&case).await.expect("inserted");
        tx.save().await.expect("saved");
        id
    }

    /// Completes the first check of an order as if the vendor had, with a document of its own. Gives the document's id.
    pub async fn complete(&self, order: &Value) -> String {
        self.complete_with(order, None).await
    }

    /// The same, with a result.
    pub async fn complete_with(&self, order: &Value, result: Option<CheckResult>) -> String {
        let order_id: OrderId = order["id"].as_str().expect("an id").parse().expect("an id");
        let check_id: CheckId = order["checks"][0]["id"].as_str().expect("an id").parse().expect("an id");
        let (now, vendor) = (self.clock.now(), VendorRef::order(format!("F-{check_id}")));
        let submission = SubmissionId::generate(&*self.clock, &OsEntropy);
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let mut order = tx.orders().lock(order_id).await.expect("locked").expect("an order");
        let standing =
            Standing::Completed { outcome: Outcome::Clear, result, reason: None, certainty: Certainty::Full };
        let observed = ObservedAt { at: now, sequence: 1 };
        let observation = Observation { vendor: vendor.clone(), observed, native_status: "done".to_owned(), standing };
        let mut events = order.tell(check_id, &News::Sending { submission }, now);
        events.extend(order.tell(check_id, &News::Accepted { submission, vendor, provisional: false, at: now }, now));
        events.extend(order.tell(check_id, &News::Observed(observation), now));
        tx.orders().save(&order, &[Plan { check_id, work: None }], &events).await.expect("saved");
        let document = DocumentRef {
            locator: "good".to_owned(),
            kind: "report".to_owned(),
            media_type: "text/plain".to_owned(),
            filename: "report.txt".to_owned(),
        };
        tx.documents().put(check_id, order_id, &[document], now).await.expect("kept");
        let documents = tx.documents().list(&Scope::All, order_id).await.expect("listed");
        tx.save().await.expect("saved");
        documents[0].id.to_string()
    }

    /// Keeps an answer of the vendor about the first check of an order.
    pub async fn payload_of(&self, order: &Value, payload: &[u8]) {
        let order_id: OrderId = order["id"].as_str().expect("an id").parse().expect("an id");
        let check_id: CheckId = order["checks"][0]["id"].as_str().expect("an id").parse().expect("an id");
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.payloads().put(check_id, order_id, payload, self.clock.now()).await.expect("kept");
        tx.save().await.expect("saved");
    }
}

async fn open(url: &str) -> Store {
    let vault = Vault::parse("test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key");
    Store::connect(&SecretString::from(url), 8, vault, Arc::new(OsEntropy)).await.expect("a database")
}

fn providers(types: &[CheckType]) -> Providers {
    let fictive = Arc::new(Fictive { descriptor: descriptor(types), is_open: true, desk: Desk::default() });
    let account = |name: &str, tenants: Option<Vec<TenantId>>| Account {
        key: AccountKey::new(ProviderId::new(VENDOR), name),
        provider: fictive.clone(),
        timing: fictive.descriptor.timing,
        settle: None,
        tenants,
        hook_url: None,
        max_in_flight: 1,
    };
    Providers::builder()
        .account(account(AccountKey::DEFAULT, None))
        .account(account("private", Some(vec![TenantId::new("other")])))
        .off(ProviderId::new("sleeping"), "Sleeping", "no credentials are set")
        .build()
}

pub fn new_order() -> Value {
    json!({
        "external_id": "A-1",
        "subject": {
            "type": "person", "first_name": "Juán", "last_name": "Smith-Gómez", "date_of_birth": "1990-05-15",
            "email": "john.smith@example.com", "phone": "+15551234567",
            "identifiers": [{"type": "ssn", "country": "US", "value": "123-45-6789"}],
            "addresses": [{"line1": "456 Oak Avenue", "city": "Los Angeles", "region": "CA", "country": "US"}]
        },
        "consent": {"obtained_at": "2026-11-20T10:00:00Z"},
        "checks": [{"type": "background_check", "country": "US"}],
        "metadata": {"requisition": "R-12"}
    })
}

/// What must never be seen unless it was asked for.
pub const SECRETS: [&str; 4] = ["123-45-6789", "john.smith@", "05-15", "456 Oak"];

/// A vendor that does nothing by itself.
pub struct Fictive {
    descriptor: Descriptor,
    /// It gives findings, and passes calls on.
    is_open: bool,
    desk: Desk,
}

impl Fictive {
    /// One that gives nothing beside results.
    pub fn closed(types: &[CheckType]) -> Self {
        Self { descriptor: descriptor(types), is_open: false, desk: Desk::default() }
    }
}

static PASSED: &[Rule] = &[Rule { method: http::Method::GET, template: "/things", verdict: Verdict::Reads }];

#[async_trait]
impl Findings for Fictive {
    async fn details(&self, _: &CallContext, _: &VendorRef, _: Option<&str>) -> Result<DetailsPage, FindingsError> {
        Ok(DetailsPage { details: Sensitive::new(vec![Finding::default()]), next: None })
    }

    async fn summary(&self, _: &CallContext, _: &VendorRef) -> Result<Sensitive<String>, FindingsError> {
        Ok(Sensitive::new("All is well.".to_owned()))
    }

    async fn variables(&self, _: &CallContext, _: &VendorRef) -> Result<Sensitive<FindingVariables>, FindingsError> {
        Ok(Sensitive::new(FindingVariables { status: "done".to_owned(), values: serde_json::Map::new() }))
    }
}

#[async_trait]
impl Passthrough for Fictive {
    fn judge(&self, call: &PassedCall) -> Result<Passed, PassRefusal> {
        passthrough::judge(PASSED, call)
    }

    async fn pass(&self, _: &CallContext, _: &PassedCall) -> Result<VendorAnswer, CallError> {
        let (status, headers) = (StatusCode::OK, HeaderMap::new());
        Ok(VendorAnswer { status, headers, body: "[]".into(), took: Duration::ZERO })
    }
}

fn descriptor(types: &[CheckType]) -> Descriptor {
    let product = |check_type| Product {
        check_type,
        countries: Vec::new(),
        required_inputs: vec!["subject.last_name".to_owned()],
    };
    Descriptor {
        id: ProviderId::new(VENDOR),
        display_name: "Fictive",
        products: types.iter().copied().map(product).collect(),
        batch_size: 1,
        cancel: CancelSupport::Yes,
        hooks: HookAuthentication::StaticToken,
        reuses_objects: false,
        timing: Timing {
            settle: Duration::from_mins(2),
            timeout: Duration::from_secs(5),
            poll_min: Duration::from_mins(1),
            poll_max: Duration::from_hours(1),
            rate: None,
        },
    }
}

#[async_trait]
impl Provider for Fictive {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn findings(&self) -> Option<&dyn Findings> {
        self.is_open.then_some(self)
    }

    fn passthrough(&self) -> Option<&dyn Passthrough> {
        self.is_open.then_some(self)
    }

    fn administration(&self) -> Option<&dyn Administration> {
        Some(&self.desk)
    }

    fn validate(&self, order: &OrderInput, _: &CheckInput) -> Vec<FieldError> {
        match order.subject.as_person() {
            Some(person) if person.last_name.is_none() => {
                vec![FieldError::order("/subject/last_name", "required", "Fictive needs a last name.")]
            }
            Some(_) => Vec::new(),
            None => vec![FieldError::order("/subject/type", "not_supported", "Fictive checks people only.")],
        }
    }

    async fn submit(&self, _: &CallContext, submission: &Submission) -> SubmitReport {
        let error = CallError::Lost { why: provider::LostReason::Broken };
        SubmitReport::of_error(submission, &error, Duration::ZERO)
    }

    async fn locate(&self, _: &CallContext, _: &LocateQuery) -> Sightings {
        Sightings { complete: true, pages: 1, calls: 1, ..Sightings::default() }
    }

    async fn sweep(&self, _: &CallContext, _: &SweepQuery) -> Sightings {
        Sightings { complete: true, pages: 1, calls: 1, ..Sightings::default() }
    }

    async fn fetch(&self, _: &CallContext, _: &VendorRef) -> Result<Fetched, CallError> {
        Ok(Fetched::Missing)
    }

    async fn cancel(&self, _: &CallContext, _: &VendorRef, _: &Reason) -> Result<CancelAnswer, CallError> {
        Ok(CancelAnswer::Agreed)
    }

    async fn document(&self, _: &CallContext, _: &DocumentRef) -> Result<ByteStream, CallError> {
        Ok(Box::pin(futures::stream::iter([Ok("a report".into())])))
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        if request.headers.get("x-token").is_none_or(|token| token != "good") {
            return Err(HookRefused::NotAuthentic);
        }
        if !request.body.starts_with(b"{") {
            return Err(HookRefused::Unreadable);
        }
        Ok(vec![HookNews { dedupe_key: "1".to_owned(), reference: None, vendor: None, says: HookSays::Changed }])
    }

    async fn probe(&self, _: &CallContext) -> Result<(), ProbeFault> {
        Ok(())
    }
}
