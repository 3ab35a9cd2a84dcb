//! The crash table of the engine's design: a real gateway process is killed at each of its lines, and another takes over.

use std::net::{Ipv4Addr, TcpListener};

use crate::support::{VENDORS, World, until};
use sandbox::{Fault, FaultKind};
use serde_json::json;

#[tokio::test]
async fn before_the_accept_commits_nothing_is_left_and_the_caller_repeats() {
    let world = World::new().await;
    let gateway = world.start(&["serve"]).await;
    let order = world.new_order(&VENDORS);
    let held = world.hold("orders").await;
    let (answer, ()) = tokio::join!(world.try_post(&order, "first"), async {
        world.until_held().await;
        gateway.kill();
    });
    assert!(answer.is_none(), "it cannot have been answered");
    held.release().await;
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);

    let _gateway = world.start(&["serve"]).await;
    let id = world.post(&order, "first").await;
    assert_eq!(world.post(&order, "first").await, id);
    world.assert_settled(&[id]).await;
}

#[tokio::test]
async fn what_was_accepted_and_not_dispatched_is_sent_once() {
    let world = World::new().await;
    let gateway = world.start(&["serve", "--no-workers"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    gateway.kill();
    assert!(VENDORS.iter().all(|vendor| world.books(vendor).objects.is_empty()));

    let _gateway = world.start(&["serve"]).await;
    world.assert_settled(&[id]).await;
    assert!(world.cases().await.is_empty(), "nothing was in doubt");
}

#[tokio::test]
async fn a_call_that_was_recorded_and_never_made_is_looked_for_and_sent_once() {
    let mut world = World::new().await;
    let real = world.variables.clone();
    // It takes connections and never reads: the request gets no further than this machine.
    let black_hole = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let nowhere = format!("http://{}", black_hole.local_addr().expect("an address"));
    for key in ["TRUORA__CHECKS_URL", "THEARY__BASE_URL", "TRUEWORK__BASE_URL"] {
        world.variables.insert(format!("VETGATE_{key}"), nowhere.clone());
    }
    world.set_of_each("TIMEOUT", "5s");
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    world.until_status(&id, &["submitting"]).await;
    gateway.kill();

    world.variables = real;
    let _gateway = world.start(&["serve"]).await;
    world.assert_settled(&[id]).await;
    let cases = world.cases().await;
    assert_eq!(cases.len(), VENDORS.len(), "a case for each call");
    for case in cases {
        assert!(!case["items"][0]["resent_at"].is_null(), "{case}");
    }
}

/// Starts an order, and waits until every vendor has done the work and its answer is under way.
async fn in_the_middle_of_the_calls(world: &World, kind: FaultKind) -> (crate::support::Gateway, String) {
    for vendor in VENDORS {
        world.vendor(vendor).control().arm(Fault::new("create", kind));
    }
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    until("every vendor has an object", async || {
        VENDORS.iter().all(|vendor| world.books(vendor).objects.len() == 1).then_some(())
    })
    .await;
    (gateway, id)
}

async fn assert_found_again(world: &World, id: String) {
    world.assert_settled(&[id]).await;
    let cases = world.cases().await;
    assert_eq!(cases.len(), VENDORS.len(), "a case for each call");
    for case in cases {
        let item = &case["items"][0];
        assert!(item["state"] == "bound" && item["resent_at"].is_null(), "{case}");
    }
    for vendor in VENDORS {
        assert_eq!(world.books(vendor).calls_of("create"), 1, "{vendor} was called once");
    }
}

#[tokio::test]
async fn a_call_that_was_under_way_is_found_again_and_not_repeated() {
    let world = World::new().await;
    let (gateway, id) = in_the_middle_of_the_calls(&world, FaultKind::Stall).await;
    gateway.kill();
    let _gateway = world.start(&["serve"]).await;
    assert_found_again(&world, id).await;
}

#[tokio::test]
async fn an_answer_that_came_and_was_not_committed_is_found_again() {
    let mut world = World::new().await;
    world.set_of_each("TIMEOUT", "5s");
    for vendor in VENDORS {
        world.vendor(vendor).control().arm(Fault { delay_ms: 700, ..Fault::new("create", FaultKind::Delay) });
    }
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    until("every vendor has an object", async || {
        VENDORS.iter().all(|vendor| world.books(vendor).objects.len() == 1).then_some(())
    })
    .await;
    // The answers are still to come; what they are recorded with is held back.
    let held = world.hold("submissions").await;
    world.until_held().await;
    gateway.kill();
    held.release().await;
    let _gateway = world.start(&["serve"]).await;
    assert_found_again(&world, id).await;
}

#[tokio::test]
async fn a_case_that_was_being_reconciled_goes_on() {
    let world = World::new().await;
    for vendor in VENDORS {
        // Scans get no answer, so that it is killed in the middle of one.
        world.vendor(vendor).control().arm(Fault::new("create", FaultKind::DropAfter));
        world.vendor(vendor).control().arm(Fault { times: 1_000, ..Fault::new("list", FaultKind::Stall) });
    }
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    until("every vendor is being scanned", async || {
        VENDORS.iter().all(|vendor| world.books(vendor).calls_of("list") > 0).then_some(())
    })
    .await;
    gateway.kill();
    for vendor in VENDORS {
        world.vendor(vendor).control().clear_faults();
    }
    let _gateway = world.start(&["serve"]).await;
    assert_found_again(&world, id).await;
}

#[tokio::test]
async fn a_hook_that_was_stored_and_not_read_is_read() {
    let mut world = World::new().await;
    // Nothing but hooks can bring news.
    world.set_of_each("POLL_MIN", "1h");
    world.set_of_each("POLL_MAX", "2h");
    world.variables.insert("VETGATE_PUBLIC_URL".into(), world.url("").to_string());
    for vendor in VENDORS {
        let hooks = json!({ "hooks": { "retry_ms": 500, "delay_ms": 1_000 } });
        world.vendor(vendor).control().set_behavior(hooks).expect("a switch");
    }
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    world.until_status(&id, &["in_progress", "action_required"]).await;
    gateway.kill();

    // It takes hooks and does not read them.
    let gateway = world.start(&["serve", "--no-workers"]).await;
    until("every vendor's last hook is stored", async || {
        let of = "SELECT count(DISTINCT account) FROM inbox";
        let ended = VENDORS.iter().all(|vendor| {
            let reports = world.vendor(vendor).control().hook_reports();
            reports.iter().any(|report| report.status.is_some_and(|status| status < 300))
        });
        (ended && world.count(of).await == 3).then_some(())
    })
    .await;
    gateway.kill();

    let _gateway = world.start(&["serve"]).await;
    world.assert_settled(&[id]).await;
}
