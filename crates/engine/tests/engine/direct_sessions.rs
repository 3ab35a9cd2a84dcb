//! Truework Direct in older versions: a session that cannot be looked at, whose verification is found by the check's own
//! reference, whatever was lost, and is never taken for a second object.

use std::sync::Arc;
use std::time::Duration;

use domain::{Check, CheckStatus, OrderId, Outcome, Wish};
use provider::call::Unlimited;
use provider::{CallContext, Share, VendorHttp, VendorRequest};
use sandbox::{Fault, FaultKind};
use store::OrphanFilter;
use trials::drafts::with_ssn;
use truework::Version;

use crate::world::{Options, World, draft};

/// Of the simulator: the applicant signs in, and the one employment is confirmed.
const CONFIRMED: &str = "000-00-0000";

async fn world() -> World {
    World::with(Options { truework_version: Version::V2020_12_07, ..Options::default() }).await
}

async fn accept(world: &World) -> OrderId {
    let mut draft = with_ssn(draft("truework", 0), CONFIRMED);
    draft.checks[0].providers = Wish::parse("truework:direct").into_iter().collect();
    world.accept(draft).await
}

async fn the_check(world: &World, id: OrderId) -> Check {
    world.order(id).await.checks.remove(0)
}

/// Works until the applicant is waited for, and lets them sign in with the token that the check shows.
async fn sign_in(world: &World, id: OrderId) {
    world
        .work_until(Duration::from_hours(2), "the applicant is waited for", async || {
            the_check(world, id).await.status() == CheckStatus::ActionRequired
        })
        .await;
    let token = the_check(world, id).await.state.action().and_then(|action| action.token.clone()).expect("a token");
    let ctx = CallContext::new(Share::Poll, Duration::from_secs(10), Arc::new(Unlimited));
    let url = world.vendor("truework").base_url().join(&format!("/widget/{token}")).expect("a URL");
    let page = VendorHttp::new().send(&ctx, VendorRequest::new(http::Method::GET, url)).await.expect("a page");
    assert_eq!(page.status, http::StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_whatever_becomes_of_the_answer() {
    for (fault, calls) in [(None, 1), (Some(FaultKind::DropBefore), 2), (Some(FaultKind::DropAfter), 2)] {
        let world = world().await;
        if let Some(kind) = fault {
            world.vendor("truework").control().arm(Fault::new("session", kind));
        }
        let id = accept(&world).await;
        sign_in(&world, id).await;
        world.work_until_settled(&[id]).await;
        let check = the_check(&world, id).await;
        assert_eq!(
            (check.status(), check.state.outcome()),
            (CheckStatus::Completed, Some(Outcome::Clear)),
            "{fault:?}"
        );
        let vendor = check.state.binding().expect("bound").vendor.clone();
        assert_eq!(vendor.order_id, check.reference().to_string());
        assert_eq!(world.books("truework").calls_of("session"), calls, "{fault:?}");

        // What came of the session carries the check's reference and is no object of its own.
        world.clock.advance(Duration::from_hours(24));
        let _ = world.engine.sweep(&world.account("truework")).await.expect("swept");
        world.clock.advance(Duration::from_hours(24));
        assert!(world.engine.sweep(&world.account("truework")).await.expect("swept"));
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 50, None).await.expect("read");
        assert!(orphans.is_empty(), "{fault:?}: {orphans:?}");
    }
}
