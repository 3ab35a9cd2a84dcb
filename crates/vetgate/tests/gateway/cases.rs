//! `vetgate cases`, against a running gateway.

use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::support::{World, until};

/// Theary gives no reference back and loses an answer: only a person can tell whose the order is.
async fn in_doubt(world: &World) -> (String, String, String) {
    let theary = world.vendor("theary");
    theary.control().set_behavior(json!({ "drop_external_ids": true })).expect("a switch");
    theary.control().arm(Fault::new("create", FaultKind::DropAfter));
    let order = world.post(&world.new_order(&["theary"]), "first").await;
    let case = until("a case waits for a person", async || {
        let cases = world.call(&["cases", "list", "--state", "needs_review", "--json"]).await.json();
        cases["data"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let made = world.books("theary").objects[0].id.clone();
    (order, case, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_must_decide_is_shown_with_the_commands_that_decide_it() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let (order, case, made) = in_doubt(&world).await;

    let of_order = world.call(&["orders", "show", &order]).await;
    of_order.line("A person must decide");
    of_order.line(&format!("vetgate cases show {case}"));
    assert!(world.call(&["cases", "list"]).await.line(&case).contains("1 to decide"));
    let shown = world.call(&["cases", "show", &case]).await;
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    for about in ["look_alike", "without an answer", "Scans", "Look-alikes", &made] {
        shown.line(about);
    }
    let scanned = world.call(&["cases", "scan", &case, "--json"]).await.json();
    assert!(scanned["scans"].as_array().is_some_and(|scans| scans.len() > 1), "{scanned:#}");

    // What it says can be done is done as it says.
    let line = shown.line("--bind").trim().replace("'…'", "'seen in the dashboard'");
    let (command, note) = line.split_once(" --note ").expect("a note");
    let arguments: Vec<_> = command.split(' ').skip(1).chain(["--note", note.trim_matches('\'')]).collect();
    assert!(command.ends_with(&format!("={made}")), "{command}");
    let resolved = world.call(&arguments).await;
    assert_eq!(resolved.code, Some(0), "{resolved:#?}");
    assert!(resolved.line("seen in the dashboard").contains("vetgate-cli"), "{resolved:#?}");
    world.until_status(&order, &["completed"]).await;
    let document = world.call(&["cases", "show", &case, "--json"]).await.json();
    assert_eq!([&document["state"], &document["items"][0]["bound"]["order_id"]], ["resolved", &made]);

    let again = world.call(&arguments).await;
    assert_eq!(again.code, Some(1), "{again:#?}");
    assert!(again.told.contains("settled already"), "{again:#?}");
    assert_eq!(world.books("theary").objects.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_given_up_or_sent_again_by_a_decision() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let (order, case, _) = in_doubt(&world).await;
    let check = world.order(&order).await["checks"][0]["id"].as_str().expect("an id").to_owned();
    let refused = world.call(&["cases", "resolve", &case, "--cancel", "ord_of_others", "--fail", &check]).await;
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.told.contains("/cancel_vendor_orders/0: "), "{refused:#?}");
    let failed = world.call(&["cases", "resolve", &case, "--fail", &check, "--json"]).await;
    assert_eq!((failed.code, &failed.json()["state"]), (Some(0), &json!("resolved")), "{failed:#?}");
    world.until_status(&order, &["failed"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_ends_when_what_is_left_waits_for_a_person() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let theary = world.vendor("theary");
    theary.control().set_behavior(json!({ "drop_external_ids": true })).expect("a switch");
    theary.control().arm(Fault::new("create", FaultKind::DropAfter));
    let file = world.folder().join("orders.ndjson");
    std::fs::write(&file, world.new_order(&["theary"]).to_string()).expect("written");
    let file = file.display().to_string();
    let watched = world.call(&["batches", "import", &file, "--tenant", "acme", "--watch"]).await;
    assert_eq!(watched.code, Some(1), "{watched:#?}");
    watched.line("vetgate cases show rec_");
    watched.line("What is left waits for a person");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_are_listed() {
    let mut world = World::new().await;
    world.variables.remove("VETGATE_RECONCILE__SWEEP");
    // Old enough for its searches to be there, and young enough for the first sweep.
    world.vendor("theary").control().make_strangers(1, &json!({ "age_ms": 3_600_000 }));
    let _gateway = world.start(&["serve"]).await;
    let stranger = world.books("theary").objects[0].id.clone();
    until("the sweep saw it", async || {
        let orphans = world.call(&["cases", "orphans", "--provider", "theary", "--json"]).await.json();
        (orphans["data"][0]["vendor_order_id"] == stranger.as_str()).then_some(())
    })
    .await;
    let listed = world.call(&["cases", "orphans", "--kind", "stranger"]).await;
    assert!(listed.line(&stranger).contains("theary/default"), "{listed:#?}");
    assert_eq!(world.call(&["cases", "orphans", "--kind", "duplicate"]).await.printed.trim(), "no orphans");
}
