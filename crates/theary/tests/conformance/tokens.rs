//! Tokens for client credentials: fetched once for many calls, replaced in time or after a refusal, never in a loop.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use provider::call::Unlimited;
use provider::conformance::Bench;
use provider::{
    CallContext, CallError, CancelAnswer, Fetched, ItemOutcome, LostReason, ProbeFault, Provider as _, Share,
    VendorHttp,
};
use sandbox::theary::Config;
use sandbox::{Fault, FaultKind, Running};
use secrecy::SecretString;
use serde_json::{Value, json};
use theary::{AccountSettings, Credentials, OAuthClient, Theary};
use url::Url;

use crate::bench::{World, bench, classes, jobs, settings, simulator};

/// The client's side of the token endpoint.
fn client(base_url: &Url, config: Config) -> Credentials {
    Credentials::Client(OAuthClient {
        client_id: config.client_id,
        client_secret: SecretString::from(config.client_secret),
        token_url: base_url.join("oauth/token").expect("a url"),
        audience: config.audience,
    })
}

fn account(base_url: &Url, credentials: Credentials) -> AccountSettings {
    AccountSettings { credentials, ..settings(base_url, "unused") }
}

/// An account of client credentials, and a clock to move.
struct Site {
    world: World,
    now: Arc<Mutex<Instant>>,
}

impl Site {
    async fn with(switches: Value) -> Self {
        Self::of(switches, Config::default()).await
    }

    async fn of(switches: Value, config: Config) -> Self {
        let mut world = World::with(switches).await;
        let now = Arc::new(Mutex::new(Instant::now()));
        let clock = Arc::clone(&now);
        let base_url = world.simulator.base_url();
        let settings = account(base_url, client(base_url, config));
        world.theary =
            Theary::with_clock(settings, VendorHttp::new(), Arc::new(move || *clock.lock().expect("the time")));
        Self { world, now }
    }

    /// Moves our clock and the vendor's.
    fn wait(&self, by: Duration) {
        *self.now.lock().expect("the time") += by;
        self.simulator().control().advance(by);
    }

    fn simulator(&self) -> &Running {
        &self.world.simulator
    }

    fn switch(&self, switches: Value) {
        self.simulator().control().set_behavior(switches).expect("known switches");
    }

    fn calls(&self, operation: &str) -> u64 {
        self.simulator().control().books().calls_of(operation)
    }

    async fn probe(&self) -> Result<(), ProbeFault> {
        self.world.theary.probe(&World::ctx(Share::LookUp)).await
    }

    /// A create call: its class, its reason's code, and whether it may go again at once.
    async fn create(&self) -> (&'static str, String, Option<Duration>) {
        let report = self.world.submit(&jobs(1), None).await;
        match &report.items[0] {
            ItemOutcome::NotSent { why, retry_after } => ("not sent", why.code.clone(), *retry_after),
            other => (crate::bench::class(other), String::new(), None),
        }
    }
}

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

fn accepted() -> (&'static str, String, Option<Duration>) {
    ("accepted", String::new(), None)
}

fn unsent(code: &str, retry_after: Option<Duration>) -> (&'static str, String, Option<Duration>) {
    ("not sent", code.to_owned(), retry_after)
}

#[tokio::test]
async fn a_token_is_kept_until_a_minute_before_its_end() {
    let site = Site::with(json!({"token_life_s": 3_600})).await;
    for _ in 0..3 {
        assert_eq!(site.create().await, accepted());
        site.probe().await.expect("a good account");
    }
    site.wait(Duration::from_secs(3_539));
    site.probe().await.expect("a good account");
    assert_eq!(site.calls("token"), 1);
    site.wait(Duration::from_secs(1));
    assert_eq!(site.create().await, accepted());
    assert_eq!((site.calls("token"), site.calls("create")), (2, 4), "replaced before the vendor had to refuse it");
}

#[tokio::test]
async fn short_and_unnamed_lives() {
    let site = Site::with(json!({"token_life_s": 20})).await;
    for fetched in 1..4 {
        site.probe().await.expect("a good account");
        site.wait(Duration::from_secs(9));
        site.probe().await.expect("a good account");
        assert_eq!(site.calls("token"), fetched, "kept for half of its life");
        site.wait(Duration::from_secs(1));
    }
    let site = Site::with(json!({"token_life_s": null})).await;
    site.probe().await.expect("a good account");
    site.wait(Duration::from_secs(3_539));
    site.probe().await.expect("a good account");
    assert_eq!(site.calls("token"), 1);
    site.wait(Duration::from_secs(1));
    site.probe().await.expect("a good account");
    assert_eq!(site.calls("token"), 2, "taken to live for an hour");
}

/// Many callers at once: one fetch, whose end all of them share.
#[tokio::test]
async fn one_fetch_for_many_callers() {
    let site = Site::with(json!({})).await;
    let slow = || Fault::new("token", FaultKind::Delay).delay(Duration::from_millis(200));
    site.simulator().control().arm(slow());
    let ctx = World::ctx(Share::LookUp);
    let probes = || futures::future::join_all((0..20).map(|_| site.world.theary.probe(&ctx)));
    assert!(probes().await.iter().all(Result::is_ok));
    assert_eq!((site.calls("token"), site.calls("list")), (1, 20));

    let site = Site::with(json!({"token_endpoint_status": 503})).await;
    site.simulator().control().arm(slow());
    let probes = futures::future::join_all((0..20).map(|_| site.world.theary.probe(&ctx))).await;
    assert!(probes.iter().all(|probed| matches!(probed, Err(ProbeFault::Unexpected(_)))));
    assert_eq!((site.calls("token"), site.calls("list")), (1, 0), "a failure is shared, too");
    assert!(site.probe().await.is_err());
    assert_eq!(site.calls("token"), 2, "and whoever comes later asks again");
}

#[tokio::test]
async fn a_read_is_repeated_once_with_a_new_token() {
    let site = Site::with(json!({})).await;
    site.probe().await.expect("a good account");
    site.switch(json!({"refuse_calls": 1}));
    site.probe().await.expect("the second call is taken");
    assert_eq!((site.calls("token"), site.calls("list")), (2, 3));
}

#[tokio::test]
async fn a_refused_create_is_not_sent_and_goes_again_with_a_new_token() {
    for count in [1, 3] {
        let site = Site::with(json!({})).await;
        site.probe().await.expect("a good account");
        site.switch(json!({"refuse_calls": 1}));
        let report = site.world.submit(&jobs(count), None).await;
        assert_eq!(classes(&report), vec!["not sent"; jobs(count).len()]);
        assert!(report.items.iter().all(|item| {
            matches!(item, ItemOutcome::NotSent { why, retry_after: AT_ONCE } if why.code == "token_ended")
        }));
        assert_eq!(report.evidence.status, Some(401));
        let books = site.simulator().control().books();
        assert!(books.objects.is_empty() && books.calls_of("create") == 1, "made once, and nothing by it");
        assert_eq!(site.create().await, accepted());
        assert_eq!(site.calls("token"), 2);
    }
}

/// A vendor that refuses whatever token it is shown is asked no oftener than the calls themselves.
#[tokio::test]
async fn new_tokens_that_are_refused_are_not_replaced_in_a_loop() {
    let site = Site::with(json!({})).await;
    site.probe().await.expect("a good account");
    site.switch(json!({"refuse_calls": u32::MAX}));
    assert_eq!(site.create().await, unsent("token_ended", AT_ONCE));
    for _ in 0..5 {
        assert_eq!(site.create().await, unsent("credentials_refused", None));
        assert!(matches!(site.probe().await, Err(ProbeFault::Credentials(_))));
    }
    assert_eq!((site.calls("token"), site.calls("create"), site.calls("list")), (2, 6, 6));
    // After a minute another is tried, once.
    site.wait(Duration::from_mins(1));
    assert!(matches!(site.probe().await, Err(ProbeFault::Credentials(_))));
    assert!(matches!(site.probe().await, Err(ProbeFault::Credentials(_))));
    assert_eq!((site.calls("token"), site.calls("list")), (3, 9));
    site.switch(json!({"refuse_calls": 0}));
    assert_eq!(site.create().await, accepted());
}

#[tokio::test]
async fn without_a_token_nothing_leaves_for_the_orders() {
    let faults: [(&str, Value, Option<Fault>, &str); 5] = [
        ("down", json!({"token_endpoint_status": 503}), None, "no_token"),
        ("not there", json!({"token_endpoint_status": 404}), None, "no_token"),
        ("cut", json!({}), Some(Fault::new("token", FaultKind::DropBefore)), "no_token"),
        ("garbage", json!({}), Some(Fault::new("token", FaultKind::Garbage)), "no_token"),
        ("a flood", json!({}), Some(Fault::new("token", FaultKind::Flood)), "no_token"),
    ];
    for (case, switches, fault, code) in faults {
        let site = Site::with(switches).await;
        if let Some(fault) = fault {
            site.simulator().control().arm(fault);
        }
        assert_eq!(site.create().await, unsent(code, None), "{case}");
        assert_eq!((site.calls("token"), site.calls("create")), (1, 0), "{case}");
        site.switch(json!({"token_endpoint_status": null}));
        assert_eq!(site.create().await, accepted(), "{case}");
    }
}

#[tokio::test]
async fn a_refused_client_is_told_by_the_probe() {
    let good = Config::default;
    for config in [
        Config { client_id: "nobody".to_owned(), ..good() },
        Config { client_secret: "wrong".to_owned(), ..good() },
        Config { audience: "https://elsewhere.example".to_owned(), ..good() },
    ] {
        let site = Site::of(json!({}), config).await;
        let Err(ProbeFault::Credentials(told)) = site.probe().await else { panic!("refused") };
        assert!(told.contains("client_id, client_secret and audience"), "{told}");
        let report = site.world.submit(&jobs(1), None).await;
        assert_eq!(classes(&report), ["not sent"]);
        assert!(matches!(report.evidence.status, Some(401 | 403)), "the account is seen to be refused");
        let looked = site.world.theary.fetch(&World::ctx(Share::Poll), &domain::VendorRef::order("ord_1")).await;
        assert!(matches!(looked, Err(CallError::Lost { why: LostReason::Status(401 | 403) })), "{looked:?}");
        assert_eq!(site.calls("create") + site.calls("list") + site.calls("searches"), 0);
    }
}

#[tokio::test]
async fn a_token_without_a_tenant_is_told_clearly() {
    for status in [401, 403] {
        let site = Site::with(json!({"token_tenant": "missing", "tenantless_status": status})).await;
        let Err(ProbeFault::Credentials(told)) = site.probe().await else { panic!("told") };
        assert!(told.contains("`tenant` claim"), "{told}");
        assert_eq!(site.calls("list"), 0, "told without asking");
        assert!(site.simulator().control().books().objects.is_empty());
    }
}

/// Another tenant's token is good, and shows nothing of ours.
#[tokio::test]
async fn a_token_of_another_tenant_sees_none_of_our_orders() {
    let site = Site::with(json!({"token_life_s": 3_600})).await;
    let report = site.world.submit(&jobs(1), None).await;
    let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
    site.switch(json!({"token_tenant": "other"}));
    site.wait(Duration::from_hours(1));
    let ctx = World::ctx(Share::Poll);
    assert!(matches!(site.world.theary.fetch(&ctx, &accepted.vendor).await, Ok(Fetched::Missing)));
    site.switch(json!({"token_tenant": "ours"}));
    site.wait(Duration::from_hours(1));
    assert!(matches!(site.world.theary.fetch(&ctx, &accepted.vendor).await, Ok(Fetched::Found(_))));
}

/// A cancel that meets a 401 is not repeated by itself; the next one brings a new token.
#[tokio::test]
async fn a_cancel_is_not_repeated() {
    let site = Site::with(json!({})).await;
    let report = site.world.submit(&jobs(1), None).await;
    let ItemOutcome::Accepted(accepted) = &report.items[0] else { panic!("accepted") };
    site.switch(json!({"refuse_calls": 1}));
    let why = domain::Reason::new("client_request", "Not needed any more.");
    let cancel = async || site.world.theary.cancel(&World::ctx(Share::Poll), &accepted.vendor, &why).await;
    assert_eq!(cancel().await, Err(CallError::Lost { why: LostReason::Status(401) }));
    assert_eq!(site.calls("cancel"), 1);
    assert_eq!(cancel().await, Ok(CancelAnswer::Agreed));
    assert_eq!((site.calls("cancel"), site.calls("token")), (2, 2));
}

/// The time that a token call takes is not taken from the create's: it must have its whole time-out left.
#[tokio::test]
async fn a_create_keeps_its_lease_however_long_the_token_takes() {
    let site = Site::with(json!({})).await;
    site.simulator().control().arm(Fault::new("token", FaultKind::Delay).delay(Duration::from_millis(1_600)));
    let timeout = Duration::from_mins(1);
    let lease = |spare: u64| {
        CallContext::new(Share::Create, timeout, Arc::new(Unlimited))
            .with_lease(Instant::now() + timeout + Duration::from_millis(spare))
    };
    let submission = provider::Submission {
        id: domain::SubmissionId::from_uuid(uuid::Uuid::from_u128(1)),
        items: jobs(1),
        joint: false,
        hook_url: None,
    };
    let report = site.world.theary.submit(&lease(1_500), &submission).await;
    let ItemOutcome::NotSent { why, .. } = &report.items[0] else { panic!("not sent") };
    assert_eq!((why.code.as_str(), site.calls("token"), site.calls("create")), ("lease_too_short", 1, 0));
    // What was fetched is kept, so that the next one comes through.
    assert_eq!(classes(&site.world.theary.submit(&lease(5_000), &submission).await), ["accepted"]);
    assert_eq!(site.calls("token"), 1);
}

/// The suite with client credentials.
mod suite {
    use super::*;

    async fn with_client() -> Bench {
        let simulator = simulator().await;
        simulator.control().set_behavior(json!({"list_cap": 20})).expect("a switch");
        let (base_url, http) = (simulator.base_url().clone(), VendorHttp::new());
        let adapter = |base_url: &Url, credentials| Arc::new(Theary::new(account(base_url, credentials), http.clone()));
        let wrong = Config { client_secret: "wrong".to_owned(), ..Config::default() };
        let nowhere = provider::conformance::nowhere();
        Bench {
            provider: adapter(&base_url, client(&base_url, Config::default())),
            with_bad_credentials: adapter(&base_url, client(&base_url, wrong)),
            unreachable: adapter(&nowhere, client(&nowhere, Config::default())),
            control: provider::conformance::Control::at(base_url),
            keep: Box::new(simulator),
            ..bench().await
        }
    }

    provider::conformance_suite!(with_client);
}
