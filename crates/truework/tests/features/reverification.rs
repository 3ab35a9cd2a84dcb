use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::case::{Candidate, Sightings};
use domain::{AfterAbsence, CheckInput, PriorReport, Reason, Reference, Reverified, Standing, Timestamp, VendorRef};
use provider::{Accepted, Carries, Completed, ItemOutcome, LocateQuery, Provider as _, Share, Sought};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use truework::Version;

use crate::bench::{employment, income, order};
use crate::site::{Site, context, reference};

/// When everything is looked at, and completed checks were seen.
const ALWAYS: Duration = Duration::from_hours(24 * 365 * 200);

/// What there is to verify again of this check, once it is completed.
async fn prior_of(site: &Site, ssn: &str, check: &CheckInput) -> Result<PriorReport, Reason> {
    let accepted = site.accepted(ssn, check).await;
    site.finish();
    let snapshot = site.look(&accepted.vendor).await;
    let (now, payload) = (Timestamp::EPOCH + ALWAYS, snapshot.payload.expose());
    let completed = Completed { check, vendor: &accepted.vendor, payload, seen_at: now };
    site.adapter.reverification().expect("it verifies again").prior_report(&completed, now)
}

async fn prior(site: &Site, ssn: &str) -> PriorReport {
    prior_of(site, ssn, &employment("Fake Company")).await.expect("a report")
}

/// The check that verifies the report again.
fn again(prior: &PriorReport) -> CheckInput {
    let reverified = Reverified { check_id: reference().check, report: Some(prior.clone()) };
    CheckInput { reverifies: Some(Box::new(reverified)), ..employment("Fake Company") }
}

async fn asked(site: &Site, prior: &PriorReport) -> ItemOutcome {
    site.submit(reference(), "000-00-0000", again(prior)).await
}

async fn accepted(site: &Site, prior: &PriorReport) -> Accepted {
    match asked(site, prior).await {
        ItemOutcome::Accepted(accepted) => *accepted,
        other => panic!("not accepted: {other:?}"),
    }
}

fn sought(reference: Reference, check: CheckInput) -> Sought {
    Sought {
        reference,
        sent_at: Timestamp::EPOCH + ALWAYS / 10,
        order: Arc::new(order("000-00-0000")),
        check: Arc::new(check),
    }
}

async fn located(site: &Site, sought: Vec<Sought>, settled: BTreeSet<String>) -> Sightings {
    let (since, until) = (Timestamp::EPOCH, Timestamp::EPOCH + ALWAYS);
    let query = LocateQuery { sought, since, until, started_at: until, settled };
    site.adapter.locate(&context(Share::LookUp), &query).await
}

fn ids(candidates: &[Candidate], fits: bool) -> BTreeSet<&str> {
    candidates.iter().filter(|one| one.fits == fits).map(|one| one.vendor_order_id.as_str()).collect()
}

#[tokio::test]
async fn a_report_is_verified_again() {
    for version in Version::ALL {
        for status in [200, 201] {
            let site = Site::of(*version).await;
            site.switch(json!({ "reverify_status": status }));
            let prior = prior(&site, "000-00-0000").await;
            let made = accepted(&site, &prior).await;
            assert_ne!(made.vendor.order_id, prior.vendor.order_id);
            assert_eq!(made.provisional, !version.has_orders(), "only orders name their parent");
            site.finish();
            let done = site.adapter.compare(&again(&prior), site.look(&made.vendor).await);
            assert!(matches!(done.standing, Standing::Completed { .. }), "{}: {done:?}", version.as_str());
            let shown = if version.has_orders() { Carries::Descent } else { Carries::Nothing };
            assert_eq!(done.carries, shown);
        }
    }
}

#[tokio::test]
async fn nothing_of_ours_travels_along() {
    let site = Site::of(Version::V2023_10_30).await;
    let prior = prior(&site, "000-00-0000").await;
    let made = accepted(&site, &prior).await;
    let books = site.simulator.control().books();
    let object = books.objects.iter().find(|object| object.id == made.vendor.order_id).expect("it is in the books");
    assert!(object.references.is_empty(), "{object:?}");
}

#[tokio::test]
async fn a_lost_reverification_is_a_candidate_by_its_parent() {
    let site = Site::of(Version::V2023_10_30).await;
    let (one, other) = (prior(&site, "000-00-0000").await, prior(&site, "000-00-0001").await);
    accepted(&site, &other).await;
    site.simulator.control().arm(Fault::new("reverify", FaultKind::DropAfter));
    let lost = asked(&site, &one).await;
    assert!(matches!(lost, ItemOutcome::Unknown { then: AfterAbsence::Resend, .. }), "{lost:?}");

    let ours = reference();
    let ordinary = reference();
    let both = || vec![sought(ours, again(&one)), sought(ordinary, employment("Fake Company"))];
    let seen = located(&site, both(), [].into()).await;
    let is_found = |seen: &Sightings| seen.found.iter().any(|found| found.reference == ours);
    assert!(seen.complete && !is_found(&seen) && seen.unrecognizable.is_empty(), "{:?}", seen.incomplete_because);
    assert_eq!((ids(&seen.candidates, true).len(), seen.candidates.len(), seen.objects), (1, 1, 4));
    assert!(seen.candidates[0].reference == ours && seen.candidates[0].created_at.is_some());

    // What a sweep has dismissed may be it; so the engine, which knows what fulfils a check, takes those out.
    let settled = seen.listed.iter().map(|row| row.id.clone()).collect();
    assert_eq!(located(&site, both(), settled).await.candidates, seen.candidates);

    // A second one of the same order.
    accepted(&site, &one).await;
    let seen = located(&site, both(), [].into()).await;
    assert_eq!((ids(&seen.candidates, true).len(), is_found(&seen)), (2, false));

    // What is of another time is none of it.
    let later = Sought { sent_at: Timestamp::EPOCH + ALWAYS, ..sought(ours, again(&one)) };
    assert!(located(&site, vec![later], [].into()).await.candidates.is_empty());
}

#[tokio::test]
async fn an_order_that_hides_how_it_was_made_may_be_one() {
    let site = Site::of(Version::V2023_10_30).await;
    let one = prior(&site, "000-00-0000").await;
    site.accepted("000-00-0000", &employment("Fake Company")).await;
    site.switch(json!({ "hide_parent": true, "hide_search_key": true, "hide_metadata": true }));
    let made = accepted(&site, &one).await;
    assert!(made.provisional);
    let seen = located(&site, vec![sought(reference(), again(&one))], [].into()).await;
    assert_eq!(ids(&seen.candidates, false), [made.vendor.order_id.as_str()].into(), "ordinary orders show their kind");
    assert!(ids(&seen.candidates, true).is_empty());
}

#[tokio::test]
async fn older_versions_do_not_show_parents_and_say_so() {
    let site = Site::of(Version::V2020_12_07).await;
    let one = prior(&site, "000-00-0000").await;
    let (ours, ordinary) = (reference(), reference());
    site.submit(ordinary, "000-00-0000", employment("Fake Company")).await;
    let both = vec![sought(ours, again(&one)), sought(ordinary, employment("Fake Company"))];
    let seen = located(&site, both, [].into()).await;
    assert_eq!((seen.unrecognizable.as_slice(), seen.candidates.len()), ([ours].as_slice(), 0));
    let is_found = seen.found.iter().any(|found| found.reference == ordinary);
    assert!(seen.complete && is_found, "what carries a reference is found as ever");
}

#[tokio::test]
async fn what_cannot_be_verified_again_fails_once_it_is_nowhere() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        let one = prior(&site, "000-00-0000").await;
        let report = if version.has_orders() {
            "report:nothing".to_owned()
        } else {
            format!("verification-report:{}", json!([one.vendor.order_id, "nothing"]))
        };
        let refused = asked(&site, &PriorReport { report, ..one.clone() }).await;
        let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(reason.code, "report_not_found");
        site.advance(Duration::from_hours(24 * 91));
        let late = asked(&site, &one).await;
        let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = late else { panic!("{late:?}") };
        assert_eq!(reason.code, "refused_by_vendor");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_parent_is_not_asked_for_again() {
    let site = Site::of(Version::V2023_10_30).await;
    let one = prior(&site, "000-00-0000").await;
    let made = accepted(&site, &one).await;
    let stranger = PriorReport { vendor: VendorRef::order("another"), ..one };
    let outcome = asked(&site, &stranger).await;
    let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.code, "answer_of_another_order");
    let seen = site.adapter.compare(&again(&stranger), site.look(&made.vendor).await);
    assert_eq!(seen.carries, Carries::Foreign, "nor is it taken for the check's at a look");
}

#[tokio::test]
async fn what_the_vendor_does_not_verify_again_is_said_before_it_is_ordered() {
    let site = Site::of(Version::V2023_10_30).await;
    let code = |prior: Result<PriorReport, Reason>| prior.err().map(|reason| reason.code);
    let company = employment("Fake Company");
    for (ssn, check, why) in [
        ("000-00-0000", &company, None),
        ("000-00-0000", &income(Some("Fake Company"), false), Some("kind_not_covered")),
        ("000-00-0007", &company, Some("several_reports")),
        ("000-99-0003", &company, Some("no_report")),
    ] {
        assert_eq!(code(prior_of(&site, ssn, check).await).as_deref(), why, "{ssn}");
    }
    let vendor = VendorRef::order("o");
    let none = Completed { check: &company, vendor: &vendor, payload: b"", seen_at: Timestamp::EPOCH };
    let reverification = site.adapter.reverification().expect("it verifies again");
    assert_eq!(code(reverification.prior_report(&none, Timestamp::EPOCH)).as_deref(), Some("no_report"));
}

#[tokio::test]
async fn the_ninety_days_count_from_the_vendors_completion_where_it_tells() {
    for tells in [true, false] {
        let site = Site::of(Version::V2023_10_30).await;
        site.switch(json!({ "completion_dates": tells }));
        let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
        site.finish();
        let snapshot = site.look(&accepted.vendor).await;
        let check = employment("Fake Company");
        let at = |days: u64| {
            let seen_at = Timestamp::EPOCH + ALWAYS;
            let payload = snapshot.payload.expose();
            let completed = Completed { check: &check, vendor: &accepted.vendor, payload, seen_at };
            let now = seen_at + Duration::from_hours(24 * days);
            let prior = site.adapter.reverification().expect("it verifies again").prior_report(&completed, now);
            prior.map_err(|reason| reason.code)
        };
        // It was seen long after the vendor had completed it.
        assert_eq!(at(90).err().as_deref(), tells.then_some("too_late"));
        assert_eq!(at(91).err().as_deref(), Some("too_late"));
    }
}

#[tokio::test]
async fn a_report_of_another_version_is_not_asked_for() {
    let site = Site::of(Version::V2020_12_07).await;
    let check = employment("Fake Company");
    let accepted = site.accepted("000-00-0000", &check).await;
    site.finish();
    let snapshot = site.look(&accepted.vendor).await;
    let (now, payload) = (Timestamp::EPOCH, snapshot.payload.expose());
    let completed = Completed { check: &check, vendor: &accepted.vendor, payload, seen_at: now };
    let newer = site.speaking(Version::V2023_10_30);
    let why = newer.reverification().expect("it verifies again").prior_report(&completed, now);
    assert_eq!(why.err().map(|reason| reason.code).as_deref(), Some("another_version"));

    // The setting may change while the order waits; then nothing is sent, and nothing is taken to be absent.
    let older = prior(&site, "000-00-0000").await;
    let upgraded = Site { adapter: newer, ..site };
    let calls = upgraded.simulator.control().books().calls_of("reverify");
    let outcome = asked(&upgraded, &older).await;
    assert!(matches!(&outcome, ItemOutcome::Rejected(why) if why.code == "another_version"), "{outcome:?}");
    assert_eq!(upgraded.simulator.control().books().calls_of("reverify"), calls);
    let ours = reference();
    let seen = located(&upgraded, vec![sought(ours, again(&older))], [].into()).await;
    assert_eq!(seen.unrecognizable, [ours]);
}
