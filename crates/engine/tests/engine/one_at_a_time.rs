//! A waterfall never asks two vendors at once: nobody's employer is called by two of them for the same question. What counts
//! are the simulators' books.

use std::time::Duration;

use domain::{CheckStatus, OrderDraft, Wish};
use sandbox::{Fault, FaultKind};
use trials::drafts::with_ssn;

use crate::world::{World, draft, draft_of};

/// What an order of any of the vendors ends as.
const ENDED: [&str; 6] = ["completed", "canceled", "cancelled", "invalid", "failed", "deleted"];

/// Neither Truework nor Theary finds anything.
fn waterfall(providers: &[&str]) -> OrderDraft {
    let mut draft = with_ssn(draft("truework", 0), "000-99-0003");
    draft.checks[0].providers = providers.iter().filter_map(|name| Wish::parse(name)).collect();
    draft
}

/// The orders that the vendors have open, by their own books.
fn open(world: &World) -> Vec<String> {
    let mut open = Vec::new();
    for vendor in ["truework", "theary"] {
        let objects = world.books(vendor).objects.into_iter();
        open.extend(
            objects
                .filter(|object| !ENDED.contains(&object.state.as_str()))
                .map(|object| format!("{vendor}: {} {:?}", object.state, object.references)),
        );
    }
    open
}

#[tokio::test]
async fn a_waterfall_of_three_never_has_two_open_vendor_orders() {
    let orders = [
        ["truework", "theary", "truework:direct"],
        ["theary", "truework:direct", "truework"],
        ["truework:direct", "truework:target-employer", "theary"],
    ];
    for providers in orders {
        for fault in [None, Some(FaultKind::DropAfter), Some(FaultKind::StatusAfter), Some(FaultKind::DropBefore)] {
            let world = World::new().await;
            // The first create of each is lost: made or not, nobody else is asked meanwhile.
            for vendor in ["truework", "theary"] {
                if let Some(fault) = fault {
                    world.vendor(vendor).control().arm(Fault::new("create", fault));
                }
            }
            let id = world.accept(waterfall(&providers)).await;
            let mut most = 0;
            let seen = async || {
                let open = open(&world);
                most = most.max(open.len());
                assert!(open.len() < 2, "{providers:?} {fault:?}: {open:?}");
                world.order(id).await.checks[0].status().is_final()
            };
            world.work_until(Duration::from_hours(24), "the last vendor has ended", seen).await;
            let check = world.order(id).await.checks.remove(0);
            assert_eq!((most, check.state.tried.len()), (1, 2), "{providers:?} {fault:?}");
            let made = world.books("truework").objects.len() + world.books("theary").objects.len();
            assert_eq!(made, 3, "one of each vendor: {providers:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn two_checks_with_a_pin_each_are_asked_at_once() {
    let world = World::new().await;
    let id = world.accept(draft_of(&["truework", "theary"], 0)).await;
    world.work().await;
    assert_eq!(open(&world).len(), 2, "{:?}", open(&world));
    world.work_until_settled(&[id]).await;
    let checks = world.order(id).await.checks;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.tried.is_empty()));
}
