use std::time::Duration;

use domain::{ActionKind, CheckResult, Outcome, Standing};
use provider::{CancelAnswer, Provider as _};
use serde_json::json;
use truework::Version;

use crate::bench::{direct, income};
use crate::site::Site;

async fn site() -> Site {
    Site::of(Version::V2023_10_30).await
}

#[tokio::test]
async fn the_applicant_is_given_a_link_and_a_token() {
    let site = site().await;
    let check = direct(income(Some("Fake Company"), false));
    let accepted = site.accepted("000-20-0000", &check).await;
    let at_once = accepted.snapshot.expect("a snapshot");
    let later = site.look(&accepted.vendor).await;
    for snapshot in [at_once, later] {
        let Standing::Waiting { action } = snapshot.standing else { panic!("not waiting: {snapshot:?}") };
        assert_eq!(action.kind, ActionKind::ApplicantLink);
        assert!(action.url.is_some_and(|url| url.contains("/direct/")));
        assert_eq!(action.token.as_deref().map(str::len), Some(43));
    }
    // Where the client embeds the widget, nothing is mailed and there is no link.
    site.switch(json!({ "session_links": false }));
    let Standing::Waiting { action } = site.look(&accepted.vendor).await.standing else { panic!("not waiting") };
    assert!(action.url.is_none() && action.token.is_some());
}

#[tokio::test]
async fn each_employer_is_an_inquiry_of_its_own() {
    let site = site().await;
    let check = direct(income(Some("Fake Company"), false));
    let accepted = site.accepted("000-00-0007", &check).await;
    assert!(matches!(site.look(&accepted.vendor).await.standing, Standing::Waiting { .. }), "nobody has signed in");
    site.advance(Duration::from_secs(1));
    let begun = site.look(&accepted.vendor).await;
    assert_eq!(begun.native_status, "pending-approval");
    assert!(matches!(begun.standing, Standing::Working { .. }));
    site.finish();
    let done = site.adapter.compare(&check, site.look(&accepted.vendor).await);
    assert_eq!((done.documents.len(), done.part_id), (2, None));
    let Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), .. } = done.standing else {
        panic!("not completed");
    };
    assert_eq!(outcome, Outcome::Clear);
    assert_eq!(result.further.len(), 1);
    let told: Vec<_> = result.inquiries.iter().map(|one| (one.status.as_str(), one.employers.join(","))).collect();
    assert_eq!(told, [("completed", "Fake Company".to_owned()), ("completed", "Fake Company 2".to_owned())]);
}

#[tokio::test]
async fn what_ended_otherwise_is_told_beside_what_was_completed() {
    let site = site().await;
    let check = direct(income(Some("Fake Company"), false));
    let (outcome, result) = site.result("000-99-0010", &check).await;
    assert_eq!(outcome, Outcome::Unresolved, "nobody is cleared by what was never checked");
    let told: Vec<_> = result.inquiries.iter().map(|one| (one.status.as_str(), one.reason.as_deref())).collect();
    assert_eq!(told, [("completed", None), ("canceled", Some("employer_refused"))]);
}

#[tokio::test]
async fn a_cancellation_stops_every_open_inquiry() {
    let site = site().await;
    let check = direct(income(Some("Fake Company"), false));
    let accepted = site.accepted("000-99-0011", &check).await;
    let CancelAnswer::Refused(why) = site.cancel(&accepted.vendor).await else {
        panic!("stopped, though there was nothing to stop");
    };
    assert_eq!(why.code, "nothing_to_stop");
    site.finish();
    let open = site.look(&accepted.vendor).await;
    assert_eq!(open.native_status, "completed+processing");
    assert!(matches!(open.standing, Standing::Working { .. }), "one of the two is open for good");
    assert_eq!(site.cancel(&accepted.vendor).await, CancelAnswer::Agreed);
    let stopped = site.adapter.compare(&check, site.look(&accepted.vendor).await);
    let Standing::Completed { result: Some(CheckResult::Verification(result)), reason, .. } = stopped.standing else {
        panic!("not completed");
    };
    assert!(reason.is_some_and(|reason| reason.code == "partly_completed"));
    let told: Vec<_> = result.inquiries.iter().map(|one| (one.status.as_str(), one.reason.as_deref())).collect();
    assert_eq!(told, [("completed", None), ("canceled", Some("immediate"))]);
    assert_eq!(site.cancel(&accepted.vendor).await, CancelAnswer::AlreadyEnded);
}
