//! Identity verifications: a link, an applicant who opens it or does not, and the process that begins then.

use std::time::Duration;

use domain::case::Sightings;
use domain::{
    Action, ActionAnswer, ActionKind, CheckResult, CheckSpec, IdentityResult, Outcome, Reason, Standing, VendorRef,
};
use futures::TryStreamExt as _;
use http::{Method, StatusCode};
use provider::{
    Acted, CancelAnswer, Fetched, HookSays, ItemOutcome, Provider as _, Share, Snapshot, SubmissionItem, SweepQuery,
    VendorHttp, VendorRequest,
};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use url::Url;

use super::{Site, again, context, item_of, now, query};
use crate::support::{colombian, hook, hs256, order};

/// The phone number's last digits choose how it ends.
fn applicant(phone: &str) -> SubmissionItem {
    let mut subject = colombian("1032456701");
    subject["phone"] = json!(phone);
    let check = json!({ "spec": { "type": "identity_verification", "country": "CO" } });
    item_of(order(&subject), serde_json::from_value(check).expect("a check"))
}

fn action(snapshot: &Snapshot) -> &Action {
    match &snapshot.standing {
        Standing::Waiting { action } => action,
        other => panic!("nobody is waited for: {other:?}"),
    }
}

async fn open(action: &Action) -> StatusCode {
    let url: Url = action.url.as_deref().expect("a link").parse().expect("a URL");
    let request = VendorRequest::new(Method::GET, url);
    VendorHttp::new().send(&context(Share::Poll), request).await.expect("a page").status
}

async fn look(site: &Site, vendor: &VendorRef) -> Snapshot {
    match site.truora.fetch(&context(Share::Poll), vendor).await {
        Ok(Fetched::Found(snapshot)) => *snapshot,
        other => panic!("not found: {other:?}"),
    }
}

async fn act(site: &Site, item: &SubmissionItem, vendor: &VendorRef) -> Acted {
    let actions = site.truora.actions().expect("it takes answers");
    let answer = ActionAnswer::ResendLink {};
    assert!(actions.takes(&item.check, &answer));
    actions.act(&context(Share::Create), item, vendor, &answer).await.expect("an answer")
}

/// An applicant who opens the link at once, when it has all come to its end.
async fn ended(site: &Site, phone: &str) -> (Snapshot, VendorRef) {
    let accepted = site.order(&applicant(phone)).await;
    assert_eq!(open(action(accepted.snapshot.as_ref().expect("a link"))).await, StatusCode::OK);
    site.advance(60 * 60);
    (look(site, &accepted.vendor).await, accepted.vendor)
}

fn judged(snapshot: &Snapshot) -> (Outcome, Option<&Reason>, &IdentityResult) {
    match &snapshot.standing {
        Standing::Completed { outcome, reason, result: Some(CheckResult::Identity(result)), .. } => {
            (*outcome, reason.as_ref(), result)
        }
        other => panic!("not completed: {other:?}"),
    }
}

#[tokio::test]
async fn a_link_is_made_and_no_process_begins_until_it_is_opened() {
    let site = Site::start().await;
    let item = applicant("+573001234501");
    assert!(site.truora.validate(&item.order, &item.check).is_empty());
    let accepted = site.order(&item).await;
    assert_eq!(accepted.vendor, VendorRef::order(item.reference.to_string()));
    let snapshot = accepted.snapshot.expect("the link");
    let action = action(&snapshot);
    assert_eq!(action.kind, ActionKind::ApplicantLink);
    let life = action.expires_at.expect("an end").since(now());
    assert!(life > Duration::from_mins(119) && life <= Duration::from_hours(2), "{life:?}");
    let token = action.token.as_deref().expect("a token");
    assert!(action.url.as_deref().expect("a link").ends_with(&format!("/?token={token}")));
    assert!(snapshot.payload.expose().is_empty(), "the link is kept in the action only");
    assert!(!format!("{snapshot:?}").contains(token));

    assert!(site.simulator.control().books().objects.is_empty());
    let fetched = site.truora.fetch(&context(Share::Poll), &accepted.vendor).await;
    assert!(matches!(fetched, Ok(Fetched::NotBegun)), "{fetched:?}");

    assert_eq!(open(action).await, StatusCode::OK);
    assert_eq!(open(action).await, StatusCode::OK, "opened again, it goes on");
    let books = site.simulator.control().books();
    assert_eq!(books.objects.len(), 1);
    let seen = look(&site, &accepted.vendor).await;
    assert_eq!((seen.native_status.as_str(), seen.part_id.as_deref()), ("pending", Some(books.objects[0].id.as_str())));
    assert_eq!(seen.carries.ours(), Some(item.reference));
    assert!(matches!(seen.standing, Standing::Working { .. }));
}

#[tokio::test]
async fn the_end_of_a_link_is_known_where_the_token_does_not_say_it() {
    let site = Site::with(json!({ "identity": { "token_has_end": false } })).await;
    let snapshot = site.order(&applicant("+573001234501")).await.snapshot.expect("a link");
    let life = action(&snapshot).expires_at.expect("an end").since(now());
    assert!(life > Duration::from_mins(119) && life <= Duration::from_hours(2), "{life:?}");
}

#[tokio::test]
async fn every_ending_is_judged() {
    use Outcome::{Clear, Consider, Unresolved};
    let cases = [
        ("01", Clear, None, None),
        ("90", Consider, Some("identity_declined"), Some(("document_not_genuine", "document_is_a_photocopy"))),
        ("91", Consider, Some("identity_declined"), Some(("face_mismatch", "similarity_threshold_not_passed"))),
        ("92", Clear, None, None),
        ("93", Unresolved, Some("expired"), Some(("abandoned", "document_validation_not_started"))),
        ("94", Clear, Some("status_overridden"), Some(("document_not_genuine", "document_is_a_photocopy"))),
        ("95", Consider, Some("status_overridden"), None),
        ("97", Unresolved, Some("abandoned"), Some(("abandoned", "canceled"))),
        ("98", Unresolved, Some("sources_failed"), Some(("sources_unavailable", "government_database_unavailable"))),
        ("99", Clear, None, None),
    ];
    for (digits, outcome, reason, declined) in cases {
        let site = Site::start().await;
        let (snapshot, _) = ended(&site, &format!("+5730012345{digits}")).await;
        let (judged, why, result) = judged(&snapshot);
        assert_eq!((judged, why.map(|why| why.code.as_str())), (outcome, reason), "{digits}");
        let codes = result.declined.first().map(|first| (first.code.as_str(), first.vendor_code.as_deref()));
        assert_eq!(codes, declined.map(|(ours, theirs)| (ours, Some(theirs))), "{digits}");
        let overridden = result.overridden.as_ref().map(|over| (over.status.as_str(), over.instead_of.as_deref()));
        let expected = match digits {
            "94" => Some(("success", Some("failure"))),
            "95" => Some(("failure", Some("success"))),
            _ => None,
        };
        assert_eq!(overridden, expected, "{digits}");
        assert_eq!(result.status.as_deref(), Some(snapshot.native_status.as_str()), "{digits}");
    }
}

#[tokio::test]
async fn what_was_shown_is_told() {
    let site = Site::start().await;
    let (snapshot, _) = ended(&site, "+573001234591").await;
    let (.., result) = judged(&snapshot);
    assert_eq!(result.methods, ["document", "face"]);
    let [document, face] = result.validations.as_slice() else { panic!("two validations") };
    assert_eq!(
        (document.kind.as_str(), document.status.as_deref(), document.score),
        ("document", Some("success"), None)
    );
    assert_eq!((face.kind.as_str(), face.status.as_deref(), face.score), ("face", Some("failure"), Some(0.21)));
    assert_eq!(face.declined.as_ref().map(|declined| declined.code.as_str()), Some("face_mismatch"));
    assert_eq!(result.declined.len(), 1, "said of the whole and of a part, it is one reason");
    let shown = result.document.as_ref().expect("a document");
    assert_eq!(shown.kind.as_deref(), Some("national-id"));
    assert_eq!(shown.expires_on.as_deref(), Some("2031-01-31"));
}

#[tokio::test]
async fn what_is_not_over_is_not_judged() {
    let site = Site::start().await;
    for (phone, word) in [("+573001234592", "pending"), ("+573001234599", "manual_review")] {
        let accepted = site.order(&applicant(phone)).await;
        open(action(accepted.snapshot.as_ref().expect("a link"))).await;
        site.advance(10);
        let snapshot = look(&site, &accepted.vendor).await;
        assert_eq!(snapshot.native_status, word);
        assert!(!snapshot.standing.is_final(), "{word}");
        assert_eq!(snapshot.standing == Standing::Unknown, word == "manual_review", "a word nobody knows is said");
        assert!(snapshot.documents.is_empty());
    }
}

#[tokio::test]
async fn a_result_that_comes_at_the_end_only_is_waited_for() {
    let site = Site::with(json!({ "identity": { "result_at_end_only": true } })).await;
    let accepted = site.order(&applicant("+573001234501")).await;
    open(action(accepted.snapshot.as_ref().expect("a link"))).await;
    assert!(matches!(look(&site, &accepted.vendor).await.standing, Standing::Working { .. }));
    site.advance(60);
    assert_eq!(judged(&look(&site, &accepted.vendor).await).0, Outcome::Clear);
}

#[tokio::test]
async fn the_report_is_a_pdf() {
    let site = Site::start().await;
    let (snapshot, _) = ended(&site, "+573001234501").await;
    let [report] = snapshot.documents.as_slice() else { panic!("{:?}", snapshot.documents) };
    let stream = site.truora.document(&context(Share::Poll), report).await.expect("a document");
    let chunks: Vec<_> = stream.try_collect().await.expect("whole");
    assert!(chunks.concat().starts_with(b"%PDF-1.4"));
}

#[tokio::test]
async fn every_refusal_is_classified_as_for_checks() {
    use ItemOutcome::{NotSent, Unknown};
    let site = Site::start().await;
    let outcome = site.submit(&applicant("+573001234596")).await;
    assert!(matches!(outcome, NotSent { .. }), "429: {outcome:?}");
    let mut elsewhere = applicant("+573001234501");
    let spec = json!({ "type": "identity_verification", "country": "CO", "flow": "IPF0" });
    let mut check = (*elsewhere.check).clone();
    check.spec = serde_json::from_value::<CheckSpec>(spec).expect("a check");
    elsewhere.check = check.into();
    let outcome = site.submit(&elsewhere).await;
    let Unknown { then, .. } = &outcome else { panic!("an unknown flow: {outcome:?}") };
    assert!(matches!(then, domain::AfterAbsence::Fail { .. }));
    for kind in
        [FaultKind::DropAfter, FaultKind::Truncate, FaultKind::Halve, FaultKind::Garbage, FaultKind::StatusAfter]
    {
        site.simulator.control().arm(Fault::new("link", kind));
        let outcome = site.submit(&applicant("+573001234501")).await;
        let Unknown { then, .. } = &outcome else { panic!("{kind:?}: {outcome:?}") };
        assert!(matches!(then, domain::AfterAbsence::Resend), "{kind:?}");
    }
    let nothing = json!({ "api_key": "not a token", "message": "API key created successfully" }).to_string();
    site.simulator.control().arm(Fault { body: Some(nothing), ..Fault::new("link", FaultKind::Garbage) });
    let outcome = site.submit(&applicant("+573001234501")).await;
    assert!(matches!(outcome, Unknown { .. }), "no token: {outcome:?}");
    site.behave(json!({ "key_state": "expired" }));
    let outcome = site.submit(&applicant("+573001234501")).await;
    assert!(matches!(&outcome, NotSent { why, .. } if why.code == "credentials_refused"), "{outcome:?}");
    assert!(site.simulator.control().books().objects.is_empty());
}

async fn locate(site: &Site, item: &SubmissionItem) -> Sightings {
    site.truora.locate(&context(Share::LookUp), &query(item)).await
}

#[tokio::test]
async fn a_lost_link_is_nowhere_and_a_process_is_found_by_its_account() {
    for filters in [true, false] {
        let site = Site::with(json!({ "page_size": 2, "identity": { "list_filters": filters } })).await;
        let lost = applicant("+573001234501");
        site.simulator.control().arm(Fault::new("link", FaultKind::DropAfter));
        assert!(matches!(site.submit(&lost).await, ItemOutcome::Unknown { .. }));
        let mut others = Vec::new();
        for _ in 0..5 {
            let accepted = site.order(&applicant("+573001234501")).await;
            open(action(accepted.snapshot.as_ref().expect("a link"))).await;
            others.push(accepted.vendor);
        }
        let seen = locate(&site, &lost).await;
        assert!(seen.complete && seen.found.is_empty(), "{:?}", seen.incomplete_because);
        let pages = if filters { 1 } else { 3 };
        assert_eq!((seen.pages, site.simulator.control().books().calls_of("list")), (pages, pages.into()), "no checks");

        let accepted = site.order(&lost).await;
        open(action(accepted.snapshot.as_ref().expect("a link"))).await;
        let seen = locate(&site, &lost).await;
        let [found] = seen.found.as_slice() else { panic!("{:?}", seen.found) };
        assert_eq!((found.reference, &found.vendor.order_id), (lost.reference, &accepted.vendor.order_id));
        let process = look(&site, &accepted.vendor).await.part_id;
        assert!(found.vendor.check_id.is_some() && found.vendor.check_id == process, "filters: {filters}");
        assert!(!seen.echoes, "it says nothing of whether checks give a reference back");
    }
}

#[tokio::test]
async fn what_could_not_be_read_is_said() {
    let site = Site::start().await;
    let item = applicant("+573001234501");
    site.order(&item).await;
    for kind in [FaultKind::DropAfter, FaultKind::StatusBefore, FaultKind::Garbage, FaultKind::Halve] {
        site.simulator.control().arm(Fault::new("list", kind));
        let seen = locate(&site, &item).await;
        assert!(!seen.complete && seen.incomplete_because.is_some(), "{kind:?}");
        site.simulator.control().arm(Fault::new("list", kind));
        let fetched = site.truora.fetch(&context(Share::Poll), &VendorRef::order(item.reference.to_string())).await;
        assert!(fetched.is_err(), "{kind:?}: {fetched:?}");
    }
}

#[tokio::test]
async fn a_new_link_is_made_only_while_nobody_has_begun() {
    let site = Site::start().await;
    let item = applicant("+573001234501");
    let accepted = site.order(&item).await;
    let first = accepted.snapshot.expect("a link");
    site.advance(2 * 60 * 60 + 1);
    assert_eq!(open(action(&first)).await, StatusCode::FORBIDDEN);
    let Acted::Seen(second) = act(&site, &item, &accepted.vendor).await else { panic!("a new link") };
    assert_ne!(action(&first).token, action(&second).token);
    assert_eq!(open(action(&second)).await, StatusCode::OK);
    let links = site.simulator.control().books().calls_of("link");

    let Acted::Seen(seen) = act(&site, &item, &accepted.vendor).await else { panic!("how it stands") };
    assert!(matches!(seen.standing, Standing::Working { .. }), "the applicant has begun");
    let books = site.simulator.control().books();
    assert_eq!((books.calls_of("link"), books.objects.len()), (links, 1));
}

#[tokio::test]
async fn a_second_process_is_an_object_of_its_own() {
    let site = Site::start().await;
    let item = applicant("+573001234501");
    let (first, second) = (site.order(&item).await, site.order(&item).await);
    for accepted in [&first, &second] {
        open(action(accepted.snapshot.as_ref().expect("a link"))).await;
        site.advance(5);
    }
    let seen = locate(&site, &item).await;
    let [ours, further] = seen.found.as_slice() else { panic!("{:?}", seen.found) };
    assert_eq!(ours.vendor.order_id, item.reference.to_string());
    assert_eq!(look(&site, &first.vendor).await.part_id, ours.vendor.check_id, "the earliest");
    assert!(further.vendor.order_id.starts_with("IDP") && further.vendor.check_id.is_none());
    assert_eq!(look(&site, &further.vendor).await.carries.ours(), Some(item.reference));

    let (since, until) = (now() - Duration::from_mins(5), now() + Duration::from_mins(5));
    let settled = [item.reference.to_string()].into();
    let sweep = SweepQuery { since, until, started_at: now(), settled };
    let swept = site.truora.sweep(&context(Share::LookUp), &sweep).await;
    assert!(swept.complete, "{:?}", swept.incomplete_because);
    assert_eq!(swept.found.iter().map(|found| &found.vendor).collect::<Vec<_>>(), [&further.vendor]);
}

#[tokio::test]
async fn what_nobody_has_begun_can_be_canceled() {
    let site = Site::start().await;
    let reason = Reason::new("caller", "The candidate withdrew.");
    let accepted = site.order(&applicant("+573001234501")).await;
    let ctx = context(Share::Poll);
    let cancel = async || site.truora.cancel(&ctx, &accepted.vendor, &reason).await;
    assert_eq!(cancel().await, Ok(CancelAnswer::AlreadyEnded));
    open(action(accepted.snapshot.as_ref().expect("a link"))).await;
    assert!(matches!(cancel().await, Ok(CancelAnswer::Refused(_))));
}

#[tokio::test]
async fn hooks_of_processes_are_understood() {
    let site = Site::start().await;
    let item = again(&applicant("+573001234501"));
    let key = sandbox::truora::Config::default().hook_key;
    let event = |kind: &str, action: &str, object: Value| {
        let claims = json!({
            "iss": "Truora", "iat": now().get().unix_timestamp(),
            "events": [{
                "id": format!("HKE-{kind}-{action}"), "event_type": kind, "event_action": action,
                "timestamp": "2026-11-20T10:00:00Z", "object": object,
            }],
        });
        let news = site.truora.receive_hook(&hook(hs256(&claims, key.as_bytes()), now())).expect("authentic");
        news.into_iter().next().expect("news")
    };
    let object = |status: &str| json!({ "identity_process_id": "IDP1", "account_id": item.reference.to_string(), "status": status });
    let vendor = VendorRef { order_id: item.reference.to_string(), check_id: Some("IDP1".to_owned()) };

    let created = event("digital_identity.identity_process", "created", object("pending"));
    assert_eq!((created.reference, created.vendor), (Some(item.reference), Some(vendor.clone())));
    let HookSays::Snapshot(snapshot) = created.says else { panic!("{:?}", created.says) };
    assert!(matches!(snapshot.standing, Standing::Working { .. }));
    for (kind, action) in [("identity_process", "succeeded"), ("digital_identity.identity_process", "overwritten")] {
        let news = event(kind, action, object("success"));
        assert_eq!((news.reference, news.vendor), (Some(item.reference), Some(vendor.clone())), "{kind}.{action}");
        assert!(matches!(news.says, HookSays::Changed), "{kind}.{action}: {:?}", news.says);
    }
    let foreign = json!({ "identity_process_id": "IDP2", "account_id": "somebody", "status": "pending" });
    let news = event("digital_identity.identity_process", "created", foreign);
    assert!(news.reference.is_none() && matches!(news.says, HookSays::Note { .. }), "{:?}", news.says);
}
