//! Orders with several searches, under every reading of the vendor's pages that changes them.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Standing, VendorRef};
use provider::{ItemOutcome, Joining as _, Part, Provider as _, Share, Snapshot, SubmissionItem, VendorHttp};
use sandbox::theary::Config;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::bench::{World, classes, now};
use crate::samples;

/// An employment, an education, and one more employment.
fn three() -> Vec<SubmissionItem> {
    vec![samples::employment(1), samples::education(2), samples::employment(3)]
}

/// The order that all of them were put in.
async fn accepted(world: &World, items: &[SubmissionItem]) -> VendorRef {
    let report = world.submit_joint(items, None).await;
    let mut orders = BTreeSet::new();
    for outcome in &report.items {
        let ItemOutcome::Accepted(accepted) = outcome else { panic!("{outcome:?}") };
        assert!(accepted.provisional && accepted.vendor.check_id.is_none(), "no search is taken by its place");
        orders.insert(accepted.vendor.order_id.clone());
    }
    assert_eq!(orders.len(), 1);
    VendorRef::order(orders.pop_first().expect("an order"))
}

async fn look(world: &World, vendor: &VendorRef, item: &SubmissionItem) -> Part {
    world.theary.fetch_part(&World::ctx(Share::Poll), vendor, item.reference).await.expect("a look")
}

async fn found(world: &World, vendor: &VendorRef, item: &SubmissionItem) -> Snapshot {
    match look(world, vendor, item).await {
        Part::Found(snapshot) => *snapshot,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_check_sees_its_own_search_and_nothing_else_of_the_order() {
    for switches in [
        json!({}),
        json!({"post_status_200": true}),
        json!({"bare_ids": true}),
        json!({"bare_search_ids": true}),
        json!({"searches_wrapped": true}),
        json!({"results_swapped": true}),
        json!({"search_ids_backwards": true}),
        json!({"complete_apart_ms": 3_600_000}),
    ] {
        let world = World::with(switches.clone()).await;
        let items = three();
        let vendor = accepted(&world, &items).await;
        let books = world.simulator.control().books();
        assert_eq!((books.objects.len(), books.calls_of("create"), books.calls_of("batch")), (1, 1, 0));
        for item in &items {
            let seen = found(&world, &vendor, item).await;
            let at = books.objects[0].references.iter().position(|known| *known == item.reference.to_string());
            assert_eq!(seen.part_id.as_ref(), at.map(|at| &books.objects[0].parts[at]), "{switches}");
            assert_eq!(seen.carries.ours(), Some(item.reference), "{switches}");
            let shown = String::from_utf8_lossy(seen.payload.expose()).into_owned();
            for other in &items {
                assert_eq!(
                    shown.contains(&other.reference.to_string()),
                    other.reference == item.reference,
                    "{switches}"
                );
            }
        }
        // The first has ended, whatever the others do.
        world.simulator.control().advance(Duration::from_mins(20));
        assert!(found(&world, &vendor, &items[0]).await.standing.is_final(), "{switches}");
        let last = found(&world, &vendor, &items[2]).await.standing;
        assert_eq!(last.is_final(), switches.get("complete_apart_ms").is_none(), "{switches}");
    }
}

#[tokio::test]
async fn a_look_at_a_part_costs_what_any_look_does() {
    let world = World::with(json!({"complete_apart_ms": 3_600_000})).await;
    let items = three();
    let vendor = accepted(&world, &items).await;
    world.simulator.control().advance(Duration::from_mins(20));
    for (item, calls) in [(&items[0], 1), (&items[1], 2)] {
        let ctx = World::ctx(Share::Poll);
        world.theary.fetch_part(&ctx, &vendor, item.reference).await.expect("a look");
        assert_eq!(ctx.calls(), calls);
    }
}

#[tokio::test]
async fn a_search_that_is_not_shown_yet_is_not_the_one_that_is() {
    let world = World::with(json!({"searches_apart_ms": 60_000})).await;
    let items = three();
    let vendor = accepted(&world, &items).await;
    found(&world, &vendor, &items[0]).await;
    for item in &items[1..] {
        let Part::NotShown(snapshot) = look(&world, &vendor, item).await else { panic!("not shown") };
        assert!(!snapshot.standing.is_final() && snapshot.part_id.is_none());
    }
    world.simulator.control().advance(Duration::from_mins(2));
    for item in &items {
        found(&world, &vendor, item).await;
    }
    assert!(matches!(look(&world, &VendorRef::order("ord_unknown"), &items[0]).await, Part::Missing));
}

#[tokio::test]
async fn where_no_references_are_given_back_no_search_is_anybodys() {
    let world = World::with(json!({"drop_external_ids": true})).await;
    let items = three();
    let vendor = accepted(&world, &items).await;
    world.simulator.control().advance(Duration::from_hours(1));
    for item in &items {
        assert!(matches!(look(&world, &vendor, item).await, Part::NotShown(_)));
    }
    // One that came to be alone knows its search from the answer.
    let report = world.submit(&items[..1], None).await;
    let ItemOutcome::Accepted(alone) = &report.items[0] else { panic!("accepted") };
    world.simulator.control().advance(Duration::from_hours(1));
    assert!(found(&world, &alone.vendor, &items[0]).await.standing.is_final());
}

/// Another reading of the pages: a search for each record of a type, under each of its references. Whose result is
/// whose cannot be told then, and nothing is believed.
#[tokio::test]
async fn more_searches_than_were_sent_are_nobodys_result() {
    let world = World::with(json!({"search_per_record": true})).await;
    let items = vec![samples::employment(1), samples::employment(2)];
    let report = world.submit_joint(&items, None).await;
    assert_eq!(classes(&report), ["unknown, resend"; 2]);
    let seen = world.scan(&items, Duration::ZERO).await;
    world.found_what_is_there(&seen, &items);
    assert!(seen.found.iter().all(|sighting| sighting.vendor.check_id.is_none()), "two searches carry each reference");
    let vendor = seen.found[0].vendor.clone();
    for item in &items {
        assert!(matches!(found(&world, &vendor, item).await.standing, Standing::Working { .. }));
    }
    world.simulator.control().advance(Duration::from_hours(1));
    for item in &items {
        assert!(matches!(found(&world, &vendor, item).await.standing, Standing::Waiting { .. }));
    }
    // Of different types there is one record of each, and either reading is the same.
    let world = World::with(json!({"search_per_record": true})).await;
    let items = vec![samples::employment(1), samples::education(2)];
    let vendor = accepted(&world, &items).await;
    for item in &items {
        found(&world, &vendor, item).await;
    }
}

#[tokio::test]
async fn what_was_made_is_found_by_the_references_of_its_searches() {
    let items = three();
    for (switches, fault, made) in [
        (json!({}), Some(FaultKind::DropAfter), 3),
        (json!({}), Some(FaultKind::Truncate), 3),
        (json!({}), Some(FaultKind::DropBefore), 0),
        (json!({"create_dies_after": 2}), None, 2),
        (json!({"create_dies_after": 0}), None, 0),
        (json!({"create_leaves_out": 1}), None, 2),
    ] {
        let world = World::with(switches.clone()).await;
        if let Some(kind) = fault {
            world.simulator.control().arm(Fault::new("create", kind));
        }
        assert_eq!(classes(&world.submit_joint(&items, None).await), ["unknown, resend"; 3], "{switches} {fault:?}");
        let seen = world.scan(&items, Duration::ZERO).await;
        assert_eq!(seen.found.len(), made, "{switches} {fault:?}");
        world.found_what_is_there(&seen, &items);
    }
}

#[tokio::test]
async fn a_refusal_says_nothing_of_the_single_check() {
    let world = World::with(json!({})).await;
    let mut items = three();
    for item in &mut items {
        samples::edit(item, |order, _| "900450098".clone_into(&mut samples::person(order).identifiers[0].value));
    }
    assert_eq!(classes(&world.submit_joint(&items, None).await), ["unknown, resend"; 3]);
    assert_eq!(classes(&world.submit(&items[..1], None).await), ["unknown, fail"]);
}

#[tokio::test]
async fn one_that_cannot_be_written_is_left_out() {
    let world = World::with(json!({})).await;
    let mut items = three();
    samples::edit(&mut items[1], |_, check| {
        if let domain::CheckSpec::EducationVerification(education) = &mut check.spec {
            education.qualification = None;
        }
    });
    assert_eq!(classes(&world.submit_joint(&items, None).await), ["accepted", "rejected", "accepted"]);
    assert_eq!(world.simulator.control().books().objects[0].references.len(), 2);
}

/// Each search goes by the settings of its own check.
#[tokio::test]
async fn each_search_has_its_own_settings_and_hooks() {
    let world = World::with(json!({})).await;
    let mut items = three();
    for (item, minutes) in items.iter_mut().zip([60, 120, 180]) {
        samples::edit(item, |_, check| {
            check.vendor_options.insert("timing".to_owned(), json!({"searchSlaMinutes": minutes}));
            check.vendor_options.insert("one_order".to_owned(), json!(true));
        });
        assert!(world.theary.joining().expect("it joins").joins(&item.check));
        assert_eq!(world.theary.validate(&item.order, &item.check), []);
    }
    // The simulator takes no field that is not documented: `one_order` is not sent.
    accepted(&world, &items).await;
    assert!(!world.theary.joins(&three()[0].check), "only who asks");
}

/// A delete ends all searches of an order that are open.
#[tokio::test]
async fn a_cancel_ends_every_search_that_is_open() {
    let world = World::with(json!({"complete_apart_ms": 3_600_000})).await;
    let items = three();
    let vendor = accepted(&world, &items).await;
    world.simulator.control().advance(Duration::from_mins(20));
    let why = domain::Reason::new("client_request", "Not needed any more.");
    world.theary.cancel(&World::ctx(Share::Poll), &vendor, &why).await.expect("a cancel");
    assert!(matches!(found(&world, &vendor, &items[0]).await.standing, Standing::Completed { .. }));
    for item in &items[1..] {
        assert!(matches!(found(&world, &vendor, item).await.standing, Standing::Canceled { .. }));
    }
}

#[tokio::test]
async fn a_release_is_uploaded_once_for_all_of_them() {
    let simulator = crate::bench::simulator().await;
    let mut settings = crate::bench::settings(simulator.base_url(), &Config::default().token);
    settings.upload_hosts = Some(theary::UploadHosts::new(simulator.base_url().host_str().map(str::to_owned)));
    let theary = theary::Theary::new(settings, VendorHttp::new());
    let world = World { simulator, theary, t0: now() };
    let mut items = three();
    for item in &mut items {
        samples::edit(item, |order, _| {
            order.consent.document = Some(domain::ConsentDocument::Inline {
                content_base64: "JVBERi0xLjQK".to_owned(),
                filename: "release.pdf".to_owned(),
            });
        });
    }
    accepted(&world, &items).await;
    assert_eq!(world.simulator.control().books().calls_of("upload"), 1);
}
