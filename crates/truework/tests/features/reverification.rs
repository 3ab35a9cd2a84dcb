use std::time::Duration;

use domain::{AfterAbsence, Standing, Timestamp, VendorRef};
use provider::{Accepted, ItemOutcome, Share, SweepQuery};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use truework::{Reverification, Version};

use crate::bench::employment;
use crate::site::{Site, context, reference};

/// A completed order, and its report.
async fn completed(site: &Site, ssn: &str) -> Reverification {
    let accepted = site.accepted(ssn, &employment("Fake Company")).await;
    site.finish();
    let documents = site.look(&accepted.vendor).await.documents;
    let locator = documents[0].locator.as_str();
    let older = || {
        let ids = locator.strip_prefix("verification-report:").expect("a report");
        serde_json::from_str::<(String, String)>(ids).expect("two ids").1
    };
    let report_id = locator.strip_prefix("report:").map_or_else(older, str::to_owned);
    Reverification { parent: accepted.vendor, report_id }
}

async fn asked(site: &Site, reverification: &Reverification) -> ItemOutcome {
    site.adapter.reverify(&context(Share::Create), reverification).await.items.swap_remove(0)
}

async fn accepted(site: &Site, reverification: &Reverification) -> Accepted {
    match asked(site, reverification).await {
        ItemOutcome::Accepted(accepted) => *accepted,
        other => panic!("not accepted: {other:?}"),
    }
}

fn always() -> SweepQuery {
    let until = Timestamp::EPOCH + Duration::from_hours(24 * 365 * 200);
    SweepQuery { since: Timestamp::EPOCH, until, started_at: until, settled: [].into() }
}

#[tokio::test]
async fn a_report_is_verified_again() {
    for version in Version::ALL {
        for status in [200, 201] {
            let site = Site::of(*version).await;
            site.switch(json!({ "reverify_status": status }));
            let reverification = completed(&site, "000-00-0000").await;
            let again = accepted(&site, &reverification).await;
            assert_ne!(again.vendor.order_id, reverification.parent.order_id);
            assert_eq!(again.provisional, !version.has_orders(), "only orders name their parent");
            site.finish();
            let done = site.look(&again.vendor).await;
            assert!(matches!(done.standing, Standing::Completed { .. }), "{}: {done:?}", version.as_str());
        }
    }
}

#[tokio::test]
async fn a_lost_reverification_is_found_by_its_parent() {
    let site = Site::of(Version::V2023_10_30).await;
    let (one, other) = (completed(&site, "000-00-0000").await, completed(&site, "000-00-0001").await);
    accepted(&site, &other).await;
    site.simulator.control().arm(Fault::new("reverify", FaultKind::DropAfter));
    let lost = asked(&site, &one).await;
    assert!(matches!(lost, ItemOutcome::Unknown { then: AfterAbsence::Resend, .. }), "{lost:?}");

    let ours = reference();
    let seen = site.adapter.locate_reverifications(&context(Share::LookUp), &one.parent, ours, &always()).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    assert_eq!((seen.found.len(), seen.found[0].reference, seen.objects), (1, ours, 4));
    assert!(seen.found[0].created_at.is_some() && seen.dismissed.is_empty());
    let nobody = VendorRef::order("nobody");
    let seen = site.adapter.locate_reverifications(&context(Share::LookUp), &nobody, ours, &always()).await;
    assert!(seen.complete && seen.found.is_empty());

    // What is settled, or of another time, is none of it.
    let mut query = always();
    query.until = Timestamp::EPOCH;
    let seen = site.adapter.locate_reverifications(&context(Share::LookUp), &one.parent, ours, &query).await;
    assert!(seen.found.is_empty());
}

#[tokio::test]
async fn older_lists_do_not_show_parents_and_say_so() {
    let site = Site::of(Version::V2020_12_07).await;
    let one = completed(&site, "000-00-0000").await;
    let ctx = context(Share::LookUp);
    let seen = site.adapter.locate_reverifications(&ctx, &one.parent, reference(), &always()).await;
    assert!(!seen.complete && seen.incomplete_because.is_some());
    assert_eq!(ctx.calls(), 0);
}

#[tokio::test]
async fn what_cannot_be_verified_again_fails_once_it_is_nowhere() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        let one = completed(&site, "000-00-0000").await;
        let unknown = Reverification { report_id: "nothing".to_owned(), ..one.clone() };
        let refused = asked(&site, &unknown).await;
        let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(reason.code, "report_not_found");
        site.advance(Duration::from_hours(24 * 91));
        let late = asked(&site, &one).await;
        let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = late else { panic!("{late:?}") };
        assert_eq!(reason.code, "refused_by_vendor");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_parent_proves_nothing() {
    let site = Site::of(Version::V2023_10_30).await;
    let one = completed(&site, "000-00-0000").await;
    let stranger = Reverification { parent: VendorRef::order("another"), ..one.clone() };
    let outcome = asked(&site, &stranger).await;
    assert!(matches!(outcome, ItemOutcome::Unknown { why, .. } if why.code == "answer_of_another_order"));
    site.switch(json!({ "hide_parent": true }));
    assert!(accepted(&site, &one).await.provisional);
}
