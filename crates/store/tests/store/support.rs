//! A migrated database, and orders about people who do not exist.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::check::CheckState;
use domain::observation::Standing;
use domain::{
    AccountKey, Certainty, Check, CheckId, CheckInput, CheckResult, CheckSpec, Clock, Consent, Entropy, Identifier,
    IdentifierType, News, Observation, ObservedAt, Order, OrderId, OrderInput, Outcome, Person, ProviderId, Purpose,
    Reason, Sensitive, Subject, SubmissionId, TenantId, Timestamp, VendorRef, Verdict, VerificationResult,
};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use store::{Store, Vault};
use testkit::TestDatabase;
use zeroize::Zeroizing;

/// Different bytes at every call.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(count.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// A clock that stands.
pub struct Standstill(pub Timestamp);

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub struct Bench {
    pub store: Store,
    pub entropy: Arc<Counting>,
    pub database: TestDatabase,
}

pub fn vault(ids: &[&str]) -> Vault {
    let key = |id: &str| Zeroizing::new(Sha256::digest(id.as_bytes()).into());
    Vault::new(ids.iter().map(|id| ((*id).to_owned(), key(id))).collect()).expect("good keys")
}

impl Bench {
    pub async fn new() -> Self {
        let database = testkit::database(migrate).await;
        let entropy = Arc::new(Counting::default());
        let store = connect(&database.url, &["a"], &entropy).await;
        Self { store, entropy, database }
    }

    /// The same database under other keys.
    pub async fn store_with_keys(&self, ids: &[&str]) -> Store {
        connect(&self.database.url, ids, &self.entropy).await
    }

    /// A connection past the store, to look at what lies in the tables.
    pub async fn raw(&self) -> sqlx::PgConnection {
        use sqlx::Connection as _;
        sqlx::PgConnection::connect(&self.database.url).await.expect("the database answers")
    }

    pub fn order(&self, at: Timestamp) -> Order {
        self.order_of("acme", at, 2)
    }

    /// An order with checks that wait to be sent.
    pub fn order_of(&self, tenant: &str, at: Timestamp, checks: u16) -> Order {
        let clock = Standstill(at);
        let id = OrderId::generate(&clock, &*self.entropy);
        let check = |position| Check {
            id: CheckId::generate(&clock, &*self.entropy),
            order_id: id,
            position,
            kind: check_input().spec.kind(),
            account: account(),
            attempt: 1,
            input: Sensitive::new(check_input()),
            state: CheckState::new(),
            created_at: at,
        };
        Order {
            id,
            tenant: TenantId::new(tenant),
            external_id: Some("ATS-1".into()),
            batch_id: None,
            parent_order_id: None,
            input: Sensitive::new(OrderInput {
                subject: Subject::Person(person()),
                position: None,
                purpose: Purpose::Employment,
                consent: Consent { obtained_at: at, text_version: None, expires_at: None, document: None },
            }),
            metadata: BTreeMap::from([("requisition".into(), "R-12".into()), ("unit".into(), "north".into())]),
            checks: (0..checks).map(check).collect(),
            version: 1,
            created_at: at,
            updated_at: at,
            completed_at: None,
        }
    }

    pub async fn insert(&self, order: &Order) {
        let mut tx = self.store.begin().await.expect("a transaction");
        tx.orders().insert(order, order.created_at).await.expect("the order is written");
        tx.save().await.expect("it is committed");
    }

    pub fn submission_id(&self) -> SubmissionId {
        SubmissionId::generate(&Standstill(at(0)), &*self.entropy)
    }
}

async fn connect(url: &str, keys: &[&str], entropy: &Arc<Counting>) -> Store {
    let url = SecretString::from(url.to_owned());
    Store::connect(&url, 10, vault(keys), Arc::clone(entropy) as Arc<dyn Entropy>).await.expect("the database answers")
}

async fn migrate(url: String) -> anyhow::Result<()> {
    let store = connect(&url, &["a"], &Arc::default()).await;
    assert!(store.pending_migrations().await? > 0);
    store.migrate().await?;
    assert_eq!(store.pending_migrations().await?, 0);
    store.migrate().await?;
    store.close().await;
    Ok(())
}

pub fn at(seconds: u64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + Duration::from_secs(seconds)
}

pub fn account() -> AccountKey {
    AccountKey::default_of(ProviderId::new("theary"))
}

pub fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

/// What must never be found in the database.
pub const SECRETS: &[&str] = &[
    "Zyxwina",
    "Qvortrup",
    "Quuxly",
    "987-65-4321",
    "987654321",
    "zyxwina@example.org",
    "Frobozz",
    "Grue-42",
    "+15550199",
];

pub fn person() -> Person {
    Person {
        first_name: Some("Zyxwina".into()),
        last_name: Some("Qvortrup".into()),
        aliases: vec![domain::subject::Alias {
            first_name: "Zyxwina".into(),
            middle_name: None,
            last_name: "Quuxly".into(),
            suffix: None,
        }],
        email: Some("Zyxwina@example.org".into()),
        phone: Some("+15550199".into()),
        identifiers: vec![Identifier {
            kind: IdentifierType::Ssn,
            country: "US".into(),
            value: "987-65-4321".into(),
            issued_on: None,
            serial: None,
            verification_code: None,
        }],
        ..Person::default()
    }
}

pub fn check_input() -> CheckInput {
    let employer = domain::input::Employer { name: "Frobozz Magic".into(), ..Default::default() };
    let spec = domain::input::EmploymentVerification { employer: Some(employer), ..Default::default() };
    CheckInput::new(CheckSpec::EmploymentVerification(spec), serde_json::Map::new())
}

pub fn result() -> CheckResult {
    CheckResult::Verification(Box::new(VerificationResult {
        verdict: Some(Verdict::Verified),
        comments: Some("Zyxwina was fine, says Grue-42".into()),
        ..VerificationResult::default()
    }))
}

/// Tells the first check that it was sent and accepted.
pub fn bind(order: &mut Order, submission: SubmissionId, vendor_order_id: &str, now: Timestamp) -> Vec<domain::Event> {
    let check = order.checks[0].id;
    let mut events = order.tell(check, &News::Sending { submission }, now);
    let vendor = VendorRef::order(vendor_order_id);
    events.extend(order.tell(check, &News::Accepted { submission, vendor, provisional: false, at: now }, now));
    events
}

/// Tells the first check that it is completed.
pub fn complete(order: &mut Order, vendor_order_id: &str, now: Timestamp) -> Vec<domain::Event> {
    let check = order.checks[0].id;
    let observation = Observation {
        vendor: VendorRef { order_id: vendor_order_id.into(), check_id: Some("search_1".into()) },
        observed: ObservedAt { at: now, sequence: 1 },
        native_status: "COMPLETED".into(),
        standing: Standing::Completed {
            outcome: Outcome::Clear,
            result: Some(result()),
            reason: Some(Reason::new("said", "Zyxwina said so")),
            certainty: Certainty::Full,
        },
    };
    order.tell(check, &News::Observed(observation), now)
}

/// Field by field, down to what is encrypted.
pub fn assert_same(left: &Order, right: &Order) {
    assert_eq!(left.id, right.id);
    assert_eq!(left.tenant, right.tenant);
    assert_eq!(left.external_id, right.external_id);
    assert_eq!((left.batch_id, left.parent_order_id), (right.batch_id, right.parent_order_id));
    assert!(left.input == right.input, "the inputs differ");
    assert_eq!(left.metadata, right.metadata);
    assert_eq!(left.version, right.version);
    assert_eq!(
        (left.created_at, left.updated_at, left.completed_at),
        (right.created_at, right.updated_at, right.completed_at)
    );
    assert_eq!(left.checks.len(), right.checks.len());
    for (left, right) in left.checks.iter().zip(&right.checks) {
        assert_eq!((left.id, left.order_id, left.position), (right.id, right.order_id, right.position));
        assert_eq!((left.kind, &left.account, left.attempt), (right.kind, &right.account, right.attempt));
        assert!(left.input == right.input, "the check inputs differ");
        assert!(left.state == right.state, "the check states differ");
        assert_eq!(left.created_at, right.created_at);
    }
}
