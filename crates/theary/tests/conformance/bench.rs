//! An adapter and a simulator, joined.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::case::Sightings;
use domain::{AfterAbsence, CheckInput, OrderInput, Outcome, SubmissionId, Timestamp, VendorRef};
use provider::call::Unlimited;
use provider::conformance::{self, Bench, Control, Ends, HookSamples, Sample};
use provider::{
    CallContext, Fetched, HookRequest, ItemOutcome, LocateQuery, Provider as _, Share, Snapshot, Sought, Submission,
    SubmissionItem, SubmitReport, VendorHttp,
};
use sandbox::theary::Config;
use sandbox::{Running, SimClock};
use secrecy::SecretString;
use serde_json::{Value, json};
use theary::{AccountSettings, Credentials, Environment, Theary};
use url::Url;
use uuid::Uuid;

use crate::samples;

pub fn settings(base_url: &Url, token: &str) -> AccountSettings {
    AccountSettings {
        base_url: base_url.clone(),
        credentials: Credentials::Token(SecretString::from(token)),
        hook_secret: Some(SecretString::from(Config::default().hook_secret)),
        environment: Environment::Sandbox { qa_email: "qa@vetgate.example".to_owned() },
        upload_hosts: None,
        batch_size: AccountSettings::DEFAULT_BATCH_SIZE,
    }
}

/// Making a client reads the system's certificates; one does for all adapters of a test.
pub fn adapter(base_url: &Url, token: &str, http: &VendorHttp) -> Theary {
    Theary::new(settings(base_url, token), http.clone())
}

pub async fn simulator() -> Running {
    sandbox::theary::start(0, SimClock::wall(), Config::default()).await.expect("a simulator")
}

/// For the suite.
pub async fn bench() -> Bench {
    bench_with(&json!({}), &VendorHttp::new()).await
}

/// The same with these switches set.
pub async fn bench_with(switches: &Value, http: &VendorHttp) -> Bench {
    let simulator = simulator().await;
    // Small pages, so that a scan takes several.
    simulator.control().set_behavior(json!({"list_cap": 20})).expect("a switch");
    simulator.control().set_behavior(switches.clone()).expect("switches");
    let token = Config::default().token;
    Bench {
        provider: Arc::new(adapter(simulator.base_url(), &token, http)),
        with_bad_credentials: Arc::new(adapter(simulator.base_url(), "bad-token", http)),
        unreachable: Arc::new(adapter(&conformance::nowhere(), &token, http)),
        control: Control::at(simulator.base_url().clone()),
        samples: ends().into_iter().map(|(name, ssn, check, ends)| sample(name, ssn, check, ends)).collect(),
        hooks: hook_samples(),
        // No page of the vendor says that a 429 comes before the work.
        rate_limit_is_proof: false,
        keep: Box::new(simulator),
    }
}

/// The simulator's ends, by the last digits of the SSN. A GET never clears: it hides whether there was a discrepancy.
fn ends() -> Vec<(&'static str, &'static str, CheckInput, Ends)> {
    let (job, school) = (samples::employment_check, samples::education_check);
    vec![
        ("an employment, verified", PLAIN, job(), Ends::Completed(Outcome::Unresolved)),
        ("an education, verified", PLAIN, school(), Ends::Completed(Outcome::Unresolved)),
        ("no record", "900450003", job(), Ends::Completed(Outcome::Consider)),
        ("the wrong organization", "900450004", school(), Ends::Completed(Outcome::Consider)),
        ("unable to verify", "900450005", job(), Ends::Completed(Outcome::Unresolved)),
        ("reassigned", "900450006", job(), Ends::Waiting),
        ("cancelled by the vendor", "900450007", job(), Ends::Canceled),
        ("an order that failed", "900450008", job(), Ends::Failed),
    ]
}

fn sample(name: &'static str, ssn: &str, check: CheckInput, ends: Ends) -> Sample {
    let mut order = with_ssn(ssn);
    // The plain ones try every optional field; the others hold what is needed to come to their end.
    if ssn != PLAIN {
        let person = samples::person(&mut order);
        (person.aliases, person.addresses, person.email, person.phone) = (Vec::new(), Vec::new(), None, None);
        order.consent.document = None;
    }
    Sample { name, order, check, ends }
}

/// The last digits that mean nothing to the simulator.
const PLAIN: &str = "900450001";

pub fn with_ssn(ssn: &str) -> OrderInput {
    let mut order = samples::order();
    ssn.clone_into(&mut samples::person(&mut order).identifiers[0].value);
    order
}

fn hook_samples() -> HookSamples {
    let secret = Config::default().hook_secret;
    let signed = |body: &Value, secret: &str| {
        let body = body.to_string();
        let mut headers = http::HeaderMap::new();
        let signature = sandbox::theary::sign(secret, body.as_bytes());
        headers.insert("x-webhook-signature", signature.parse().expect("a header"));
        HookRequest { headers, body: body.into(), received_at: now() }
    };
    let event = |name: &str| {
        json!({"event": name, "occurredAt": "2026-11-21T09:30:00.000Z", "data": {
            "searchType": "EMPLOYMENT", "searchId": "search_1", "externalSearchId": samples::reference(1).to_string(),
            "notificationType": "CONTACT_PLAN", "reasonCode": "SLA_REACHED",
            "verificationResult": {"outcome": "VERIFIED", "discrepancy": false},
        }})
    };
    let names = ["verification.completed", "verification.action_required", "verification.notification"];
    let unsigned = HookRequest { headers: http::HeaderMap::new(), ..signed(&event(names[0]), &secret) };
    HookSamples {
        authentic: names.map(|name| signed(&event(name), &secret)).into(),
        forged: vec![signed(&event(names[0]), "another-secret"), signed(&event(names[0]), ""), unsigned],
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator runs by the wall clock")]
pub fn now() -> Timestamp {
    Timestamp::new(std::time::SystemTime::now().into())
}

/// What Theary's own tests work with.
pub struct World {
    pub simulator: Running,
    pub theary: Theary,
    /// When it began.
    pub t0: Timestamp,
}

impl World {
    pub async fn with(switches: Value) -> Self {
        let simulator = simulator().await;
        simulator.control().set_behavior(switches).expect("switches");
        let theary = adapter(simulator.base_url(), &Config::default().token, &VendorHttp::new());
        Self { simulator, theary, t0: now() }
    }

    pub fn ctx(share: Share) -> CallContext {
        CallContext::new(share, Duration::from_mins(1), Arc::new(Unlimited))
    }

    pub async fn submit(&self, items: &[SubmissionItem], hook_url: Option<Url>) -> SubmitReport {
        self.send(items, false, hook_url).await
    }

    /// The items as one order.
    pub async fn submit_joint(&self, items: &[SubmissionItem], hook_url: Option<Url>) -> SubmitReport {
        self.send(items, true, hook_url).await
    }

    async fn send(&self, items: &[SubmissionItem], joint: bool, hook_url: Option<Url>) -> SubmitReport {
        let id = SubmissionId::from_uuid(Uuid::from_u128(1));
        let submission = Submission { id, items: items.to_vec(), joint, hook_url };
        let ctx = Self::ctx(Share::Create).with_lease(Instant::now() + Duration::from_mins(2));
        let report = self.theary.submit(&ctx, &submission).await;
        assert_eq!(report.items.len(), items.len());
        report
    }

    /// A scan for these items that begins now by the simulator's clock, which may have been moved.
    pub async fn scan(&self, items: &[SubmissionItem], moved: Duration) -> Sightings {
        self.locate(&self.query(items, moved)).await
    }

    pub fn query(&self, items: &[SubmissionItem], moved: Duration) -> LocateQuery {
        let sought = |item: &SubmissionItem| Sought {
            reference: item.reference,
            sent_at: self.t0,
            order: Arc::clone(&item.order),
            check: Arc::clone(&item.check),
        };
        LocateQuery {
            sought: items.iter().map(sought).collect(),
            since: self.t0 - Duration::from_mins(5),
            until: self.t0 + Duration::from_mins(15),
            started_at: now() + moved,
            settled: BTreeSet::new(),
        }
    }

    pub async fn locate(&self, query: &LocateQuery) -> Sightings {
        self.theary.locate(&Self::ctx(Share::LookUp), query).await
    }

    pub async fn look(&self, vendor: &VendorRef) -> Snapshot {
        match self.theary.fetch(&Self::ctx(Share::Poll), vendor).await {
            Ok(Fetched::Found(snapshot)) => *snapshot,
            other => panic!("not found: {other:?}"),
        }
    }

    /// Fails unless exactly the objects in the simulator's books that carry these items' references were found.
    pub fn found_what_is_there(&self, seen: &Sightings, items: &[SubmissionItem]) {
        let books = self.simulator.control().books();
        let held = |item: &SubmissionItem| {
            let reference = item.reference.to_string();
            books.with_reference(&reference).map(|entry| (item.reference, entry.id.clone())).collect::<Vec<_>>()
        };
        let held: BTreeSet<_> = items.iter().flat_map(held).collect();
        let found: BTreeSet<_> =
            seen.found.iter().map(|sighting| (sighting.reference, sighting.vendor.order_id.clone())).collect();
        assert_eq!(found, held);
        assert_eq!(seen.found.len(), held.len(), "found twice");
    }
}

pub fn jobs(count: u128) -> Vec<SubmissionItem> {
    (1..=count).map(samples::employment).collect()
}

/// The outcome's class in a word.
pub fn class(outcome: &ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Accepted(_) => "accepted",
        ItemOutcome::Rejected(_) => "rejected",
        ItemOutcome::NotSent { .. } => "not sent",
        ItemOutcome::Unknown { then: AfterAbsence::Resend, .. } => "unknown, resend",
        ItemOutcome::Unknown { then: AfterAbsence::Fail { .. }, .. } => "unknown, fail",
    }
}

pub fn classes(report: &SubmitReport) -> Vec<&'static str> {
    report.items.iter().map(class).collect()
}
