//! What this vendor does that others do not, end to end.

mod bench;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use domain::case::Sightings;
use domain::{
    AfterAbsence, Certainty, CheckId, CheckInput, CheckResult, OrderInput, Outcome, Reason, Reference, Standing,
    SubmissionId, Timestamp, VendorRef,
};
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use provider::call::Unlimited;
use provider::{
    Accepted, CallContext, CallError, CancelAnswer, DocumentRef, Fetched, HookRequest, HookSays, ItemOutcome,
    LocateQuery, PassRefusal, PassedBody, PassedCall, ProbeFault, Provider as _, Share, Snapshot, Sought, Submission,
    SubmissionItem, SweepQuery,
};
use sandbox::truework::Config;
use sandbox::{Fault, FaultKind, Running};
use serde_json::json;
use tokio::sync::mpsc;
use truework::Truework;
use url::Url;
use uuid::Uuid;

use bench::{direct, employment, income, order, settings, simulator};

fn context(share: Share) -> CallContext {
    let ctx = CallContext::new(share, Duration::from_mins(1), Arc::new(Unlimited));
    if share == Share::Create { ctx.with_lease(Instant::now() + Duration::from_mins(2)) } else { ctx }
}

fn reference() -> Reference {
    Reference::first(CheckId::from_uuid(Uuid::now_v7()))
}

fn submission(reference: Reference, order: OrderInput, check: CheckInput) -> Submission {
    let item = SubmissionItem { reference, order: Arc::new(order), check: Arc::new(check), force_new: false };
    Submission { id: SubmissionId::from_uuid(Uuid::now_v7()), items: vec![item], joint: false, hook_url: None }
}

fn adapter(base_url: &Url) -> Truework {
    Truework::new(settings(base_url, &Config::default().api_key)).expect("good settings")
}

/// An adapter at a simulator of its own.
struct Site {
    simulator: Running,
    adapter: Truework,
}

impl Site {
    async fn new() -> Self {
        let simulator = simulator(Config::default()).await;
        let adapter = adapter(simulator.base_url());
        Self { simulator, adapter }
    }

    fn switch(&self, switches: serde_json::Value) {
        self.simulator.control().set_behavior(switches).expect("known switches");
    }

    async fn submit(&self, reference: Reference, ssn: &str, check: CheckInput) -> ItemOutcome {
        let submission = submission(reference, order(ssn), check);
        self.adapter.submit(&context(Share::Create), &submission).await.items.swap_remove(0)
    }

    async fn accepted(&self, reference: Reference, ssn: &str, check: CheckInput) -> Accepted {
        match self.submit(reference, ssn, check).await {
            ItemOutcome::Accepted(accepted) => *accepted,
            other => panic!("not accepted: {other:?}"),
        }
    }

    async fn look(&self, vendor: &VendorRef) -> Snapshot {
        match self.adapter.fetch(&context(Share::Poll), vendor).await {
            Ok(Fetched::Found(snapshot)) => *snapshot,
            other => panic!("not found: {other:?}"),
        }
    }

    async fn cancel(&self, vendor: &VendorRef, code: &str) -> CancelAnswer {
        let reason = Reason::new(code, "The candidate withdrew.");
        self.adapter.cancel(&context(Share::Poll), vendor, &reason).await.expect("an answer")
    }

    async fn locate(&self, references: &[Reference]) -> Sightings {
        let sought = |reference: &Reference| Sought {
            reference: *reference,
            sent_at: Timestamp::EPOCH,
            order: Arc::new(order("000-00-0000")),
            check: Arc::new(employment("Fake Company")),
        };
        let query = LocateQuery {
            sought: references.iter().map(sought).collect(),
            since: Timestamp::EPOCH,
            until: Timestamp::EPOCH + Duration::from_hours(24 * 365 * 200),
            started_at: Timestamp::EPOCH,
            settled: std::collections::BTreeSet::default(),
        };
        self.adapter.locate(&context(Share::LookUp), &query).await
    }

    fn finish(&self) {
        self.simulator.control().advance(Duration::from_mins(1));
    }
}

fn ids(seen: &Sightings, reference: Reference) -> Vec<&str> {
    let ours = seen.found.iter().filter(|sighting| sighting.reference == reference);
    ours.map(|sighting| sighting.vendor.order_id.as_str()).collect()
}

#[tokio::test]
async fn every_order_under_a_key_is_a_sighting_with_its_time() {
    let site = Site::new().await;
    let reference = reference();
    // More than a page of them, since a key need not be unique.
    for _ in 0..30 {
        site.accepted(reference, "000-00-0000", employment("Fake Company")).await;
    }
    let seen = site.locate(&[reference]).await;
    assert!(seen.complete && seen.echoes);
    assert_eq!((seen.found.len(), seen.pages, seen.calls, seen.objects), (30, 2, 2, 30));
    assert!(seen.found.iter().all(|sighting| sighting.created_at.is_some()));
}

#[tokio::test]
async fn reads_are_passed_on_and_nothing_else() {
    let site = Site::new().await;
    site.accepted(reference(), "000-00-0000", employment("Fake Company")).await;
    let call = |method: &str, path: &str| PassedCall {
        method: method.parse().expect("a method"),
        path: path.to_owned(),
        query: vec![("limit".to_owned(), "5".to_owned())],
        body: PassedBody::None,
    };
    let passthrough = site.adapter.passthrough().expect("it passes calls on");
    let answer = passthrough.pass(&context(Share::LookUp), &call("GET", "/orders")).await.expect("an answer");
    let body: serde_json::Value = answer.json().expect("json");
    assert_eq!((answer.status.as_u16(), body["results"].as_array().map(Vec::len)), (200, Some(1)), "{body}");
    for path in
        ["/orders/target-employer", "/orders/employer-search", "/orders/truework-direct", "/orders/reverification"]
    {
        assert_eq!(passthrough.judge(&call("POST", path)), Err(PassRefusal::Creates), "{path}");
    }
    let cancel = call("PUT", "/orders/1/cancel");
    assert!(matches!(passthrough.judge(&cancel), Err(PassRefusal::Unknown { .. })));
    assert!(passthrough.pass(&context(Share::LookUp), &cancel).await.is_err());
}

#[tokio::test]
async fn a_vendor_that_ignores_the_filter_fools_nobody() {
    let site = Site::new().await;
    site.switch(json!({ "ignore_search_key": true }));
    let (first, second, never) = (reference(), reference(), reference());
    let one = site.accepted(first, "000-00-0000", employment("Fake Company")).await;
    site.simulator.control().make_strangers(60, &json!({}));
    site.simulator.control().make_strangers(1, &json!({ "search_key": "somebody-elses" }));
    let two = site.accepted(second, "000-00-0000", employment("Fake Company")).await;

    let seen = site.locate(&[never, first, second]).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    assert_eq!(ids(&seen, first), [one.vendor.order_id.as_str()]);
    assert_eq!(ids(&seen, second), [two.vendor.order_id.as_str()]);
    assert_eq!(seen.found.len(), 2);
    // The first page of each look-up gave the filter away; then the whole list was read once for all three.
    assert_eq!((seen.calls, seen.objects), (6, 63));
}

#[tokio::test]
async fn keys_that_only_begin_alike_are_other_keys() {
    let site = Site::new().await;
    site.switch(json!({ "loose_search_key": true }));
    let first = reference();
    let second = Reference { attempt: 2, ..first };
    let later = site.accepted(second, "000-00-0000", employment("Fake Company")).await;
    let seen = site.locate(&[first]).await;
    assert!(seen.complete && ids(&seen, first).is_empty(), "{:?}", seen.found);
    assert_eq!(ids(&seen, second), [later.vendor.order_id.as_str()], "seen, though nobody asked for it");
    // A filter that is not kept for one key proves nothing about another one.
    let third = reference();
    let other = site.accepted(third, "000-00-0000", employment("Fake Company")).await;
    let seen = site.locate(&[first, second, third]).await;
    assert_eq!(ids(&seen, second), [later.vendor.order_id.as_str()]);
    assert_eq!(ids(&seen, third), [other.vendor.order_id.as_str()]);
}

/// A list that shows itself to be sorted is swept back to where the last sweep ended; another one to its end.
#[tokio::test]
async fn a_sweep_reads_no_further_back_than_it_must() {
    for (newest_first, pages) in [(true, 3), (false, 5)] {
        let site = Site::new().await;
        site.switch(json!({ "newest_first": newest_first }));
        let control = site.simulator.control();
        let make = |count: u32| {
            for _ in 0..count {
                control.advance(Duration::from_secs(1));
                control.make_strangers(1, &json!({}));
            }
        };
        make(90);
        control.advance(Duration::from_hours(2));
        let ours = reference();
        let accepted = site.accepted(ours, "000-00-0000", employment("Fake Company")).await;
        make(29);
        let times: Vec<Timestamp> =
            control.books().objects.iter().map(|order| order.created_at.parse().expect("a time")).collect();
        let since = times[90] - Duration::from_mins(1);
        let until = times[119];
        let query = SweepQuery { since, until, started_at: until + Duration::from_secs(1), settled: [].into() };
        let seen = site.adapter.sweep(&context(Share::LookUp), &query).await;
        assert!(seen.complete, "{:?}", seen.incomplete_because);
        assert_eq!((seen.pages, seen.calls, seen.read), (pages, pages, 0), "newest first: {newest_first}");
        assert_eq!((seen.stopped_early, seen.listed.len(), seen.dismissed.len()), (newest_first, 30, 29));
        assert_eq!(ids(&seen, ours), [accepted.vendor.order_id.as_str()]);
    }
}

#[tokio::test]
async fn an_order_that_the_list_does_not_show_yet_is_found_later() {
    let site = Site::new().await;
    site.switch(json!({ "list_lag_ms": 30_000 }));
    let reference = reference();
    site.simulator.control().arm(Fault::new("create", FaultKind::DropAfter));
    let outcome = site.submit(reference, "000-00-0000", employment("Fake Company")).await;
    assert!(matches!(outcome, ItemOutcome::Unknown { then: AfterAbsence::Resend, .. }), "{outcome:?}");
    assert!(site.locate(&[reference]).await.found.is_empty());
    site.finish();
    assert_eq!(site.locate(&[reference]).await.found.len(), 1);
}

#[tokio::test]
async fn a_list_that_holds_fewer_orders_than_it_counts_is_not_complete() {
    let site = Site::new().await;
    for body in [
        r#"{"count": 2, "next": null, "previous": null, "results": []}"#,
        r#"{"count": 0, "next": null, "previous": null}"#,
        r#"{"results": [{"search_key": null}]}"#,
    ] {
        let fault = Fault { body: Some(body.to_owned()), ..Fault::new("list", FaultKind::Garbage) };
        site.simulator.control().arm(fault);
        let seen = site.locate(&[reference()]).await;
        assert!(!seen.complete && seen.incomplete_because.is_some(), "{body}");
    }
    // Older answers left out what is empty.
    let fault = Fault { body: Some(r#"{"results": []}"#.to_owned()), ..Fault::new("list", FaultKind::Garbage) };
    site.simulator.control().arm(fault);
    assert!(site.locate(&[reference()]).await.complete);
}

#[tokio::test]
async fn without_the_key_the_metadata_tells_whose_an_order_is() {
    let site = Site::new().await;
    site.switch(json!({ "hide_search_key": true }));
    let reference = reference();
    let accepted = site.accepted(reference, "000-00-0000", employment("Fake Company")).await;
    assert!(!accepted.provisional);
    assert_eq!(site.look(&accepted.vendor).await.carries.ours(), Some(reference));
    let seen = site.locate(&[reference]).await;
    assert!(seen.complete && seen.echoes);
    assert_eq!(ids(&seen, reference), [accepted.vendor.order_id.as_str()]);
}

#[tokio::test]
async fn an_order_that_only_the_filter_calls_ours_is_no_proof_and_not_passed_over() {
    let site = Site::new().await;
    site.switch(json!({ "hide_search_key": true, "hide_metadata": true }));
    let reference = reference();
    let accepted = site.accepted(reference, "000-00-0000", employment("Fake Company")).await;
    assert!(accepted.provisional);
    let seen = site.locate(&[reference]).await;
    assert!(seen.found.is_empty() && !seen.echoes);
    let alike: Vec<&str> = seen.look_alikes.iter().map(|alike| alike.vendor_order_id.as_str()).collect();
    assert_eq!(alike, [accepted.vendor.order_id.as_str()]);
}

#[tokio::test]
async fn a_search_has_its_result_in_the_answer() {
    let site = Site::new().await;
    let accepted = site.accepted(reference(), "000-00-0007", income(None, true)).await;
    let snapshot = accepted.snapshot.expect("a snapshot");
    let Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), certainty, .. } =
        snapshot.standing
    else {
        panic!("not completed");
    };
    assert_eq!((outcome, certainty), (Outcome::Clear, Certainty::Full));
    assert_eq!(result.further.len(), 1);
    assert!(result.income.is_some_and(|income| income.annualized_base.is_some()));
}

#[tokio::test]
async fn analytics_that_an_order_lacks_are_read_from_its_reports() {
    let site = Site::new().await;
    let check = income(Some("Fake Company"), true);
    let accepted = site.accepted(reference(), "000-00-0000", check.clone()).await;
    site.finish();
    let uncompared = site.look(&accepted.vendor).await;
    assert!(matches!(
        &uncompared.standing,
        Standing::Completed { outcome: Outcome::Unresolved, certainty: Certainty::Partial, .. }
    ));
    let compared = site.adapter.compare(&check, uncompared);
    let again = site.adapter.compare(&check, compared.clone());
    assert!(compared.standing == again.standing, "compared twice is compared once");
    let Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), .. } = compared.standing else {
        panic!("not completed");
    };
    assert_eq!(outcome, Outcome::Clear);
    assert!(result.income.is_some_and(|income| income.annualized_gross.is_some()));
    assert_eq!(site.simulator.control().books().calls_of("document"), 1);

    // A report that is refused is done without; one that cannot be read now makes the look fail.
    site.simulator.control().arm(Fault::new("document", FaultKind::StatusBefore).status(404));
    assert!(site.look(&accepted.vendor).await.standing.is_final());
    site.simulator.control().arm(Fault::new("document", FaultKind::StatusBefore).status(503));
    assert!(site.adapter.fetch(&context(Share::Poll), &accepted.vendor).await.is_err());
}

#[tokio::test]
async fn odd_shapes_of_the_answers_are_read_alike() {
    let expected = standing_under(json!({})).await;
    for switches in [
        json!({ "omit_empty": true }),
        json!({ "plain_words": true }),
        json!({ "completion_dates": true }),
        json!({ "omit_empty": true, "plain_words": true }),
    ] {
        assert!(standing_under(switches.clone()).await == expected, "{switches}");
    }
}

async fn standing_under(switches: serde_json::Value) -> Standing {
    let site = Site::new().await;
    site.switch(switches);
    let check = employment("Fake Company");
    let accepted = site.accepted(reference(), "000-00-0001", check.clone()).await;
    site.finish();
    let mut standing = site.adapter.compare(&check, site.look(&accepted.vendor).await).standing;
    if let Standing::Completed { result: Some(CheckResult::Verification(result)), .. } = &mut standing {
        // Each simulator has a beginning of its own.
        result.as_of = None;
    }
    standing
}

#[tokio::test]
async fn refusals_of_a_create_are_told_apart() {
    let site = Site::new().await;
    let frozen = site.submit(reference(), "000-99-0002", employment("Fake Company")).await;
    assert!(matches!(frozen, ItemOutcome::Rejected(why) if why.code == "ssn_frozen"));

    let unknown = site.submit(reference(), "123-45-6789", employment("Fake Company")).await;
    let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = unknown else {
        panic!("{unknown:?}");
    };
    assert_eq!(
        reason.message,
        "Truework refused the order with 400; it does not take: target.social_security_number. \
         Its sandbox knows only the published test SSNs."
    );
    assert!(site.simulator.control().books().objects.is_empty());
}

#[tokio::test]
async fn a_key_with_a_newer_pin_refuses_the_version() {
    let config = Config { pin: "2024-12-31".to_owned(), ..Config::default() };
    let simulator = simulator(config).await;
    let adapter = adapter(simulator.base_url());
    let submission = submission(reference(), order("000-00-0000"), employment("Fake Company"));
    let report = adapter.submit(&context(Share::Create), &submission).await;
    assert!(matches!(&report.items[0], ItemOutcome::NotSent { why, .. } if why.code == "version_refused"));
    let probed = adapter.probe(&context(Share::LookUp)).await;
    assert!(matches!(probed, Err(ProbeFault::Credentials(_))), "{probed:?}");
}

#[tokio::test]
async fn the_vendors_rate_limit_is_not_sent() {
    let site = Site::new().await;
    site.switch(json!({ "rate_limit": 1, "retry_after": 3 }));
    site.accepted(reference(), "000-00-0000", employment("Fake Company")).await;
    let limited = site.submit(reference(), "000-00-0000", employment("Fake Company")).await;
    assert!(matches!(limited, ItemOutcome::NotSent { retry_after: Some(rest), .. } if rest.as_secs() == 3));
    let seen = site.locate(&[reference()]).await;
    assert!(!seen.complete);
}

#[tokio::test]
async fn what_has_ended_has_nothing_to_stop_whatever_the_vendor_calls_it() {
    for status in [400, 403, 404, 409] {
        let site = Site::new().await;
        site.switch(json!({ "cancel_ended_status": status }));
        let accepted = site.accepted(reference(), "000-00-0000", employment("Fake Company")).await;
        site.finish();
        assert_eq!(site.cancel(&accepted.vendor, "withdrawn").await, CancelAnswer::AlreadyEnded, "{status}");
    }
}

#[tokio::test]
async fn only_immediate_cancels_young_orders_under_the_older_rule() {
    let site = Site::new().await;
    site.switch(json!({ "two_day_rule": true }));
    let accepted = site.accepted(reference(), "000-00-0000", employment("Fake Company")).await;
    let refused = site.cancel(&accepted.vendor, "wrong_info").await;
    assert!(matches!(refused, CancelAnswer::Refused(why) if why.code == "not_cancelable"));
    assert_eq!(site.cancel(&accepted.vendor, "withdrawn").await, CancelAnswer::Agreed);
    let standing = site.look(&accepted.vendor).await.standing;
    assert!(matches!(standing, Standing::Canceled { reason } if reason.code == "immediate"));
    let gone = site.cancel(&VendorRef::order("nobody"), "withdrawn").await;
    assert!(matches!(gone, CancelAnswer::Refused(why) if why.code == "not_found"));
}

#[tokio::test]
async fn the_key_goes_to_no_foreign_host() {
    let site = Site::new().await;
    let document = DocumentRef {
        locator: "applicant-document:http://127.0.0.1:1/elsewhere".to_owned(),
        kind: "attachment".to_owned(),
        media_type: "application/pdf".to_owned(),
        filename: "x.pdf".to_owned(),
    };
    let ctx = context(Share::Poll);
    let refused = site.adapter.document(&ctx, &document).await.err();
    assert!(matches!(refused, Some(CallError::NotSent { .. })), "{refused:?}");
    assert_eq!(ctx.calls(), 0);
}

#[tokio::test]
async fn reports_are_read_as_pdf() {
    let site = Site::new().await;
    let accepted = site.accepted(reference(), "000-00-0007", employment("Fake Company")).await;
    assert!(site.look(&accepted.vendor).await.documents.is_empty(), "none before the end");
    site.finish();
    let documents = site.look(&accepted.vendor).await.documents;
    assert_eq!(documents.len(), 2);
    let mut stream = site.adapter.document(&context(Share::Poll), &documents[1]).await.expect("a document");
    let start = stream.next().await.expect("bytes").expect("bytes");
    assert!(start.starts_with(b"%PDF-"));
}

#[tokio::test]
async fn a_search_settles_later_than_an_order_at_an_employer() {
    let site = Site::new().await;
    let (search, named) = (income(None, false), employment("Fake Company"));
    assert!(site.adapter.settle_window(&search) > site.adapter.settle_window(&named));
    assert_eq!(site.adapter.settle_window(&named), site.adapter.descriptor().timing.settle);
}

/// Takes the simulator's hooks.
async fn receiver() -> (String, mpsc::UnboundedReceiver<HookRequest>) {
    async fn take(
        State(taken): State<mpsc::UnboundedSender<HookRequest>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        let _ = taken.send(HookRequest { headers, body, received_at: Timestamp::EPOCH });
        StatusCode::OK
    }
    let (taken, hooks) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
    let router = Router::new().route("/hooks", post(take)).with_state(taken);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, hooks)
}

#[tokio::test]
async fn the_simulators_hooks_are_read() {
    let site = Site::new().await;
    let (url, mut hooks) = receiver().await;
    site.switch(json!({ "hooks": { "target": url, "duplicate_every": 1 } }));
    let reference = reference();
    let accepted = site.accepted(reference, "000-03-0000", employment("Fake Company")).await;
    site.finish();
    site.cancel(&accepted.vendor, "withdrawn").await;
    site.simulator.control().books();

    // processing, action-required, canceled and the order's completion, each twice.
    let mut keys = Vec::new();
    for _ in 0..8 {
        let hook = tokio::time::timeout(Duration::from_secs(30), hooks.recv()).await;
        let hook = hook.expect("a hook in time").expect("a hook");
        let news = site.adapter.receive_hook(&hook).expect("authentic").remove(0);
        assert_eq!(news.vendor.as_ref(), Some(&VendorRef::order(&accepted.vendor.order_id)));
        assert_eq!(news.reference, Some(reference));
        assert!(matches!(news.says, HookSays::Changed));
        keys.push(news.dedupe_key);
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(
        keys.iter().any(|key| key.contains("|action-required|")),
        "the vendor's misspelling is corrected: {keys:?}"
    );
}

/// Each verification that an applicant's sign-in brings is announced, from its beginning on, and of the older form too.
#[tokio::test]
async fn hooks_about_an_applicants_verifications_are_read() {
    for older in [false, true] {
        let site = Site::new().await;
        let (url, mut hooks) = receiver().await;
        site.switch(json!({ "hooks": { "target": url }, "older_hooks": older }));
        let reference = reference();
        let accepted = site.accepted(reference, "000-00-0007", direct(income(None, false))).await;
        site.finish();
        site.simulator.control().books();
        // pending-approval, processing and completed of either, and the order's end; an older one tells of the session, too.
        for _ in 0..if older { 8 } else { 7 } {
            let hook = tokio::time::timeout(Duration::from_secs(30), hooks.recv()).await;
            let hook = hook.expect("a hook in time").expect("a hook");
            let news = site.adapter.receive_hook(&hook).expect("authentic").remove(0);
            assert_eq!(news.reference, Some(reference));
            assert!(matches!(news.says, HookSays::Changed));
            let order = VendorRef::order(&accepted.vendor.order_id);
            assert_eq!(news.vendor, (!older).then_some(order), "older ones do not name it");
        }
    }
}

#[test]
fn a_key_of_the_other_environment_is_refused_at_once() {
    let settings = settings(&"https://api.truework.com".parse().expect("a URL"), "tw_sk_test_x");
    assert!(Truework::new(settings).is_err());
}
