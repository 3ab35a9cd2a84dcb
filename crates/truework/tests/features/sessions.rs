use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{ActionKind, CheckResult, Outcome, Reason, Reference, Standing, Timestamp, VendorRef};
use provider::{
    CancelAnswer, Carries, Fetched, ItemOutcome, LocateQuery, Provider as _, Share, Sought, SweepQuery, VendorHttp,
    VendorRequest,
};
use sandbox::{Fault, FaultKind};
use truework::Version;

use crate::bench::{direct, income, order};
use crate::site::{Site, context, found, reference};

const OLDER: [Version; 2] = [Version::V2020_12_07, Version::V2022_08_01];

/// A check whose applicant signs in through the widget.
struct Session {
    site: Site,
    reference: Reference,
    vendor: VendorRef,
    token: String,
}

impl Session {
    async fn of(version: Version, ssn: &str) -> Self {
        let site = Site::of(version).await;
        let reference = reference();
        let accepted = match site.submit(reference, ssn, direct(income(Some("Fake Company"), false))).await {
            ItemOutcome::Accepted(accepted) => *accepted,
            other => panic!("not accepted: {other:?}"),
        };
        assert!(!accepted.provisional);
        let standing = accepted.snapshot.expect("a snapshot").standing;
        let Standing::Waiting { action } = standing else { panic!("not waiting: {standing:?}") };
        assert_eq!(action.kind, ActionKind::ApplicantLink);
        Self { site, reference, vendor: accepted.vendor, token: action.token.expect("a token") }
    }

    /// The applicant signs in.
    async fn sign_in(&self) {
        let url = self.site.simulator.base_url().join(&format!("/widget/{}", self.token)).expect("a URL");
        let page = VendorHttp::new().send(&context(Share::Poll), VendorRequest::new(http::Method::GET, url)).await;
        assert_eq!(page.expect("a page").status, http::StatusCode::NO_CONTENT);
    }

    async fn fetch(&self) -> Fetched {
        self.site.adapter.fetch(&context(Share::Poll), &self.vendor).await.expect("an answer")
    }
}

fn ages() -> Timestamp {
    Timestamp::EPOCH + Duration::from_hours(24 * 365 * 200)
}

#[tokio::test]
async fn nothing_begins_before_the_applicant_signs_in_and_then_everything_is_the_checks() {
    for version in OLDER {
        let session = Session::of(version, "000-00-0007").await;
        session.site.simulator.control().make_strangers(40, &serde_json::json!({}));
        session.site.finish();
        assert!(matches!(session.fetch().await, Fetched::NotBegun));

        session.sign_in().await;
        let begun = session.site.look(&session.vendor).await;
        assert_eq!(
            (begun.native_status.as_str(), begun.carries),
            ("pending-approval", Carries::Ours(session.reference))
        );
        session.site.finish();
        let done = session.site.look(&session.vendor).await;
        let done = session.site.adapter.compare(&direct(income(Some("Fake Company"), false)), done);
        let Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), .. } = done.standing else {
            panic!("not completed");
        };
        assert_eq!((outcome, result.further.len(), result.inquiries.len()), (Outcome::Clear, 1, 2));
        assert_eq!(done.documents.len(), 2);
        for document in &done.documents {
            assert!(session.site.adapter.document(&context(Share::Poll), document).await.is_ok());
        }
    }
}

#[tokio::test]
async fn a_session_outlives_the_change_to_the_newest_version() {
    let session = Session::of(Version::V2020_12_07, "000-00-0007").await;
    let newest = session.site.speaking(Version::V2023_10_30);
    session.sign_in().await;
    session.site.finish();
    let done = found(&newest, &session.vendor).await;
    assert!(matches!(done.standing, Standing::Completed { .. }), "{done:?}");
    assert_eq!(done.documents.len(), 2);
    for document in &done.documents {
        assert!(newest.document(&context(Share::Poll), document).await.is_ok());
    }
}

#[tokio::test]
async fn a_cancellation_stops_what_has_begun_and_nothing_before() {
    let session = Session::of(Version::V2022_08_01, "000-99-0011").await;
    let reason = Reason::new("withdrawn", "The candidate withdrew.");
    let cancel = async || session.site.adapter.cancel(&context(Share::Poll), &session.vendor, &reason).await;
    let Ok(CancelAnswer::Refused(why)) = cancel().await else { panic!("stopped, though there was nothing to stop") };
    assert_eq!(why.code, "nothing_to_stop");
    session.sign_in().await;
    session.site.finish();
    let states = async || {
        let told = session.site.look(&session.vendor).await.native_status;
        told.split('+').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let of = |states: [&str; 2]| BTreeSet::from(states.map(str::to_owned));
    assert_eq!(states().await, of(["completed", "processing"]));
    assert_eq!(cancel().await, Ok(CancelAnswer::Agreed));
    assert_eq!(states().await, of(["canceled", "completed"]));
    assert_eq!(cancel().await, Ok(CancelAnswer::AlreadyEnded));
}

/// Nobody has the token of a lost answer: nothing ever comes of it, and looking says so.
#[tokio::test]
async fn a_lost_session_is_nowhere_and_what_came_of_another_is_no_second_object() {
    let session = Session::of(Version::V2020_12_07, "000-00-0000").await;
    session.site.simulator.control().arm(Fault::new("session", FaultKind::DropAfter));
    let check = direct(income(Some("Fake Company"), false));
    let lost = reference();
    assert!(matches!(session.site.submit(lost, "000-00-0000", check.clone()).await, ItemOutcome::Unknown { .. }));
    session.sign_in().await;
    session.site.finish();

    let sought = |reference| Sought {
        reference,
        sent_at: Timestamp::EPOCH,
        order: Arc::new(order("000-00-0000")),
        check: Arc::new(check.clone()),
    };
    let mut query = LocateQuery {
        sought: vec![sought(lost), sought(session.reference)],
        since: Timestamp::EPOCH,
        until: ages(),
        started_at: ages(),
        settled: [].into(),
    };
    let locate = async |query: &LocateQuery| session.site.adapter.locate(&context(Share::LookUp), query).await;
    let seen = locate(&query).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    assert_eq!(seen.found.iter().map(|found| found.reference).collect::<Vec<_>>(), [session.reference]);

    // Bound to the session, what came of it is settled, in looks and in sweeps.
    query.settled.insert(session.vendor.order_id.clone());
    assert!(locate(&query).await.found.is_empty());
    let LocateQuery { since, until, started_at, settled, .. } = query;
    let sweep = SweepQuery { since, until, started_at, settled };
    let seen = session.site.adapter.sweep(&context(Share::LookUp), &sweep).await;
    assert!(seen.complete && seen.found.is_empty(), "{seen:?}");
}
