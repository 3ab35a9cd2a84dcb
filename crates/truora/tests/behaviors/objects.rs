//! Creating, reading and erasing checks.

use domain::{Outcome, Standing, VendorRef};
use provider::{Fetched, ItemOutcome, ProbeFault, Provider as _, Share, Snapshot};
use serde_json::{Value, json};
use truora::Erased;

use super::{Site, again, context, in_colombia, item, item_of};

async fn look(site: &Site, vendor: &VendorRef) -> Snapshot {
    match site.truora.fetch(&context(Share::Poll), vendor).await {
        Ok(Fetched::Found(snapshot)) => *snapshot,
        other => panic!("not found: {other:?}"),
    }
}

#[tokio::test]
async fn the_vendors_dedupe_gives_an_earlier_check_back_as_it_stands() {
    let site = Site::start().await;
    let first = in_colombia("1032456701");
    let made = site.order(&first).await;
    site.advance(3600);
    let second = site.order(&again(&first)).await;
    assert_eq!(second.vendor, made.vendor);
    assert!(second.reused && !made.reused);
    let snapshot = second.snapshot.expect("it is completed already");
    assert!(matches!(snapshot.standing, Standing::Completed { outcome: Outcome::Clear, .. }));
    assert_eq!(snapshot.carries.ours(), Some(first.reference), "the other check's, said as it is");

    // Where no reference is given back, its age tells.
    site.behave(json!({ "echo_custom_input": false, "dedupe_status": 200 }));
    assert!(site.order(&again(&first)).await.reused);

    // The same check sent again gets its own object, however old.
    site.behave(json!({ "echo_custom_input": true }));
    let resent = site.order(&first).await;
    assert_eq!((resent.vendor, resent.reused), (made.vendor.clone(), false));

    let mut forced = again(&first);
    forced.force_new = true;
    let forced = site.order(&forced).await;
    assert!(forced.vendor != made.vendor && !forced.reused);
    assert_eq!(site.simulator.control().books().objects.len(), 2);
}

#[tokio::test]
async fn the_dedupe_ends_with_its_window() {
    let site = Site::with(json!({ "dedupe_hours": 1 })).await;
    let first = in_colombia("1032456701");
    let made = site.order(&first).await;
    site.advance(3601);
    let second = site.order(&again(&first)).await;
    assert!(second.vendor != made.vendor && !second.reused);
}

#[tokio::test]
async fn statuses_come_one_after_the_other() {
    let site = Site::start().await;
    let accepted = site.order(&in_colombia("1032456792")).await;
    assert_eq!(accepted.snapshot.expect("a snapshot").native_status, "not_started");
    for (seconds, status) in [(2, "in_progress"), (3, "delayed")] {
        site.advance(seconds);
        let snapshot = look(&site, &accepted.vendor).await;
        assert_eq!(snapshot.native_status, status);
        assert!(matches!(snapshot.standing, Standing::Working { .. }), "{status}");
    }
    site.advance(60);
    assert_eq!(look(&site, &accepted.vendor).await.native_status, "completed");
}

#[tokio::test]
async fn every_ending_is_judged() {
    use Outcome::{Clear, Consider, Unresolved};
    let site = Site::start().await;
    for (digits, outcome, code) in [
        ("00", Clear, None),
        ("90", Consider, Some("dataset_below_threshold")),
        ("91", Consider, Some("possible_homonym")),
        ("92", Clear, None),
        ("93", Unresolved, Some("sources_failed")),
        ("94", Unresolved, Some("identity_not_found")),
        ("95", Consider, Some("identity_flagged")),
        ("97", Consider, Some("inputs_contradicted")),
        ("98", Clear, None),
    ] {
        let accepted = site.order(&in_colombia(&format!("10324567{digits}"))).await;
        site.advance(60);
        let standing = look(&site, &accepted.vendor).await.standing;
        let Standing::Completed { outcome: judged, reason, .. } = standing else { panic!("{digits}: {standing:?}") };
        assert_eq!((judged, reason.as_ref().map(|reason| reason.code.as_str())), (outcome, code), "{digits}");
    }
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_no_end() {
    let site = Site::start().await;
    let accepted = site.order(&in_colombia("1032456799")).await;
    site.advance(5);
    let snapshot = look(&site, &accepted.vendor).await;
    assert_eq!((snapshot.native_status.as_str(), snapshot.standing == Standing::Unknown), ("paused", true));
    site.advance(60);
    assert!(look(&site, &accepted.vendor).await.standing.is_final());
}

#[tokio::test]
async fn keys_of_both_versions_work() {
    for version in [0, 1] {
        let site = Site::with(json!({ "key_version": version })).await;
        let accepted = site.order(&in_colombia("1032456791")).await;
        site.advance(60);
        let Standing::Completed { result: Some(domain::CheckResult::Background(result)), .. } =
            look(&site, &accepted.vendor).await.standing
        else {
            panic!("not completed")
        };
        assert!(result.score_by_name.is_some_and(|score| score < 0.8), "version {version}");
        assert!(result.score_by_id.is_some_and(|score| score > 0.9), "version {version}");
    }
}

#[tokio::test]
async fn what_validates_is_accepted_by_a_vendor_that_enforces_its_table() {
    let site = Site::with(json!({ "strict_inputs": true })).await;
    for sample in crate::samples() {
        let item = item_of(sample.order, sample.check);
        let outcome = site.submit(&item).await;
        assert!(matches!(outcome, ItemOutcome::Accepted(_)), "{}: {outcome:?}", sample.name);
    }
}

#[tokio::test]
async fn refusals_of_the_vendor_come_through_in_our_words() {
    let site = Site::start().await;
    let unknown_type = json!({ "country": "CO", "custom_type": "no_such_type" });
    let outcome = site.submit(&item(&crate::support::colombian("1032456701"), &unknown_type)).await;
    let ItemOutcome::Unknown { why, then: domain::AfterAbsence::Fail { .. } } = outcome else { panic!("{outcome:?}") };
    assert_eq!(why.message, "The vendor answered 400, with its code 10400.");

    let busy = site.submit(&in_colombia("1032456796")).await;
    assert!(matches!(busy, ItemOutcome::NotSent { retry_after: None, .. }), "{busy:?}");
}

#[tokio::test]
async fn high_priority_has_a_limit() {
    let site = Site::with(json!({ "max_high_priority": 1 })).await;
    let urgent = |number: &str| {
        let mut item = in_colombia(number);
        let mut check = (*item.check).clone();
        check.vendor_options.insert("priority".to_owned(), Value::String("high".to_owned()));
        item.check = check.into();
        item
    };
    site.order(&urgent("1032456701")).await;
    let second = site.submit(&urgent("1032456702")).await;
    assert!(matches!(second, ItemOutcome::NotSent { .. }), "{second:?}");
    site.order(&in_colombia("1032456702")).await;
}

#[tokio::test]
async fn refused_keys_are_told_apart_from_wrong_addresses() {
    let site = Site::start().await;
    for state in ["expired", "no_permission"] {
        site.behave(json!({ "key_state": state }));
        let outcome = site.submit(&in_colombia("1032456701")).await;
        let ItemOutcome::NotSent { why, .. } = outcome else { panic!("{state}: {outcome:?}") };
        assert_eq!(why.code, "credentials_refused", "{state}");
        let probed = site.truora.probe(&context(Share::LookUp)).await;
        assert!(matches!(probed, Err(ProbeFault::Credentials(_))), "{state}: {probed:?}");
        let fetched = site.truora.fetch(&context(Share::Poll), &VendorRef::order("CHK1")).await;
        assert!(fetched.is_err(), "{state}: a refused key says nothing about a check");
    }
    assert!(site.simulator.control().books().objects.is_empty());
}

#[tokio::test]
async fn erasing_removes_the_check_and_can_be_repeated() {
    let site = Site::start().await;
    let accepted = site.order(&in_colombia("1032456701")).await;
    let ctx = context(Share::Poll);
    assert_eq!(site.truora.erase(&ctx, &accepted.vendor).await, Ok(Erased::Now));
    assert_eq!(site.truora.erase(&ctx, &accepted.vendor).await, Ok(Erased::Before));
    assert!(matches!(site.truora.fetch(&ctx, &accepted.vendor).await, Ok(Fetched::Missing)));
    let books = site.simulator.control().books();
    assert_eq!((books.objects[0].state.as_str(), books.objects[0].canceled), ("deleted", false));
}
