//! Single orders: quirks of the answers, and what a cancel leaves.

use std::time::Duration;

use domain::{Reason, Standing, VendorRef};
use provider::{CallError, CancelAnswer, Fetched, ItemOutcome, LostReason, Provider as _, Share, VendorHttp};
use sandbox::theary::Config;
use serde_json::json;

use crate::bench::{World, adapter, jobs, with_ssn};
use crate::samples;

async fn accepted(world: &World) -> VendorRef {
    let report = world.submit(&jobs(1), None).await;
    match &report.items[0] {
        ItemOutcome::Accepted(accepted) => accepted.vendor.clone(),
        other => panic!("{other:?}"),
    }
}

/// The older pages and the newer ones differ in these; each way is read.
#[tokio::test]
async fn either_form_of_an_answer_is_read() {
    for switches in [
        json!({}),
        json!({"post_status_200": true}),
        json!({"searches_wrapped": true}),
        json!({"bare_ids": true}),
        json!({"no_pagination": true}),
    ] {
        let world = World::with(switches.clone()).await;
        let vendor = accepted(&world).await;
        let seen = world.look(&vendor).await;
        assert_eq!(seen.carries.ours(), Some(samples::reference(1)), "{switches}");
        assert_eq!(seen.part_id, vendor.check_id, "{switches}");
        assert_eq!(seen.native_status, "IN_PROGRESS", "{switches}");
        let sightings = world.scan(&jobs(1), Duration::ZERO).await;
        assert!(sightings.complete, "{switches}: {:?}", sightings.incomplete_because);
        world.found_what_is_there(&sightings, &jobs(1));
    }
}

/// A look needs two calls while the search is open, and one when it has ended.
#[tokio::test]
async fn a_look_costs_two_calls_at_most() {
    let world = World::with(json!({})).await;
    let vendor = accepted(&world).await;
    let ctx = World::ctx(Share::Poll);
    world.theary.fetch(&ctx, &vendor).await.expect("a look");
    assert_eq!(ctx.calls(), 2);
    world.simulator.control().advance(Duration::from_hours(1));
    let ctx = World::ctx(Share::Poll);
    let Ok(Fetched::Found(snapshot)) = world.theary.fetch(&ctx, &vendor).await else { panic!("found") };
    assert_eq!(ctx.calls(), 1);
    assert!(snapshot.standing.is_final() && snapshot.vendor_time.is_some());
}

/// An order without searches says how it stands itself.
#[tokio::test]
async fn an_order_without_searches_is_looked_at_itself() {
    let world = World::with(json!({"searches_lag_ms": 60_000})).await;
    let vendor = accepted(&world).await;
    let seen = world.look(&vendor).await;
    assert_eq!((seen.native_status.as_str(), seen.carries.ours()), ("pending", None));
    assert!(matches!(seen.standing, Standing::Working { .. }));
}

/// The vendor takes equal references twice: that is why nothing is sent again on a guess.
#[tokio::test]
async fn a_second_order_of_the_same_reference_is_found_too() {
    let world = World::with(json!({})).await;
    accepted(&world).await;
    accepted(&world).await;
    let seen = world.scan(&jobs(1), Duration::ZERO).await;
    assert_eq!(seen.found.len(), 2);
    world.found_what_is_there(&seen, &jobs(1));
}

#[tokio::test]
async fn a_cancel_cancels_what_is_open_and_leaves_what_is_finished() {
    let world = World::with(json!({})).await;
    let why = Reason::new("client_request", "Not needed any more.");
    let (open, done) = (accepted(&world).await, accepted(&world).await);
    let cancel = async |vendor: &VendorRef| world.theary.cancel(&World::ctx(Share::Poll), vendor, &why).await;
    assert_eq!(cancel(&open).await, Ok(CancelAnswer::Agreed));
    assert_eq!(cancel(&open).await, Ok(CancelAnswer::AlreadyEnded), "asked again the vendor says 404");
    assert!(matches!(world.look(&open).await.standing, Standing::Canceled { .. }));

    world.simulator.control().advance(Duration::from_hours(1));
    assert_eq!(cancel(&done).await, Ok(CancelAnswer::AlreadyEnded));
    assert!(matches!(world.look(&done).await.standing, Standing::Completed { .. }));
}

/// What is not documented of deleting, either way.
#[tokio::test]
async fn a_cancel_is_read_in_whatever_way_it_is_answered() {
    let why = Reason::new("client_request", "Not needed any more.");
    for (switches, again, ended) in [
        (json!({}), "ended", "ended"),
        (json!({"general_404": true}), "ended", "ended"),
        (json!({"delete_again_ok": true}), "ended", "ended"),
        (json!({"delete_refuses_ended": true}), "ended", "refused"),
    ] {
        let world = World::with(switches.clone()).await;
        let (open, done) = (accepted(&world).await, accepted(&world).await);
        let cancel = async |vendor: &VendorRef| match world.theary.cancel(&World::ctx(Share::Poll), vendor, &why).await
        {
            Ok(CancelAnswer::Agreed) => "agreed",
            Ok(CancelAnswer::AlreadyEnded) => "ended",
            Ok(CancelAnswer::Refused(_)) => "refused",
            Err(_) => "failed",
        };
        assert_eq!((cancel(&open).await, cancel(&open).await), ("agreed", again), "{switches}");
        assert_eq!(cancel(&VendorRef::order("ord_unknown")).await, "ended", "{switches}");
        world.simulator.control().advance(Duration::from_hours(1));
        assert_eq!(cancel(&done).await, ended, "{switches}");
    }
}

/// A wrong address answers 404 as well, and says nothing about orders.
#[tokio::test]
async fn a_404_that_is_not_the_vendors_word_is_a_failure() {
    let world = World::with(json!({})).await;
    let vendor = accepted(&world).await;
    let fetch = async |theary: &theary::Theary| theary.fetch(&World::ctx(Share::Poll), &vendor).await;
    let wrong_path = world.simulator.base_url().join("gateway/").expect("a url");
    let elsewhere = adapter(&wrong_path, &Config::default().token, &VendorHttp::new());
    let failed = CallError::Lost { why: LostReason::Status(404) };
    assert!(matches!(fetch(&elsewhere).await, Err(error) if error == failed));
    let why = Reason::new("client_request", "Not needed any more.");
    assert_eq!(elsewhere.cancel(&World::ctx(Share::Poll), &vendor, &why).await, Err(failed));
    assert!(matches!(fetch(&world.theary).await, Ok(Fetched::Found(_))));
}

/// Batches are placeholders at the vendor and events a stub: neither is ever asked for anything.
#[tokio::test]
async fn placeholders_are_never_asked() {
    let world = World::with(json!({})).await;
    world.submit(&jobs(3), None).await;
    let vendor = accepted(&world).await;
    world.look(&vendor).await;
    world.scan(&jobs(3), Duration::ZERO).await;
    let why = Reason::new("client_request", "Not needed any more.");
    world.theary.cancel(&World::ctx(Share::Poll), &vendor, &why).await.expect("a cancel");
    world.theary.probe(&World::ctx(Share::LookUp)).await.expect("a good account");
    let calls = world.simulator.control().books().calls;
    let asked: Vec<&str> = calls.keys().map(String::as_str).collect();
    assert_eq!(asked, ["batch", "cancel", "create", "get", "list", "searches"]);
}

/// Another tenant's order is nobody's.
#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let world = World::with(json!({})).await;
    let vendor = accepted(&world).await;
    let other = adapter(world.simulator.base_url(), &Config::default().other_tenants_token, &VendorHttp::new());
    let fetched = other.fetch(&World::ctx(Share::Poll), &vendor).await;
    assert!(matches!(fetched, Ok(Fetched::Missing)));
    let seen = other.locate(&World::ctx(Share::LookUp), &world.query(&jobs(1), Duration::ZERO)).await;
    assert!(seen.complete && seen.objects == 0);
}

/// The vendor's own words may quote what was sent; they stay in the evidence.
#[tokio::test]
async fn a_refused_order_keeps_the_vendors_words_as_evidence_only() {
    let world = World::with(json!({})).await;
    let item = samples::item(1, with_ssn("900450098"), samples::employment_check());
    let report = world.submit(&[item], None).await;
    let ItemOutcome::Unknown { why, .. } = &report.items[0] else { panic!("unknown") };
    assert_eq!(why.message, "Theary answered 400.");
    assert_eq!(report.evidence.status, Some(400));
    let kept = String::from_utf8_lossy(report.evidence.answer.expose());
    assert!(kept.contains("The applicant could not be processed"), "{kept}");
}
