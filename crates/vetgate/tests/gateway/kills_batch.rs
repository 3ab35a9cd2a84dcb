//! A batch of a thousand through real processes that are killed twice on the way, with Theary at its worst: whatever was
//! made half-way is found, and in the end the vendor has each order once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{World, order, until};
use sandbox::{Books, CreateCall, Fault, FaultKind};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const ORDERS: usize = 1_000;
const SETTLE: Duration = Duration::from_secs(6);
/// Processes die when the vendor has so many orders.
const KILLED_AT: [usize; 2] = [250, 650];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_survive_two_kills_and_a_failure_in_every_tenth_call() {
    let mut world = World::new().await;
    // A call that is as slow as this machine may make it still counts.
    for (key, value) in [("SETTLE", "6s"), ("TIMEOUT", "6s"), ("POLL_MIN", "4s"), ("POLL_MAX", "30s")] {
        world.variables.insert(format!("VETGATE_THEARY__{key}"), value.into());
    }
    let theary = world.vendor("theary").control();
    theary
        .set_behavior(json!({
            "batch_throw_every": 10, "siblings_after_error_ms": 1_500, "siblings_before_error": 3, "strangers_per_list": 1,
            "start_after_ms": 500, "complete_after_ms": 1_500,
            // Looking alone brings the news: thousands of hooks are another test's business.
            "hooks": { "target": null },
        }))
        .expect("switches");
    // Slow enough that a kill falls into the middle of calls.
    theary.arm(Fault { times: u32::MAX, ..Fault::new("create", FaultKind::Delay).delay(Duration::from_millis(250)) });

    let mut gateway = world.start(&["serve"]).await;
    let id = world.post_batch(&upload(ORDERS), "a-batch").await;
    for (number, moment) in KILLED_AT.into_iter().enumerate() {
        until(format!("the vendor has {moment} orders"), async || (made(&world) >= moment).then_some(())).await;
        if number == 0 {
            // Other clients of the account order the same as we do.
            theary.make_strangers(200, &json!({ "kind": "mixed" }));
        }
        gateway.kill();
        gateway = world.start(&["serve"]).await;
    }
    assert_eq!(world.post_batch(&upload(ORDERS), "a-batch").await, id, "the same key gives the same batch");
    let batch = completed(&world, &id).await;

    assert_eq!(
        (batch["orders"].clone(), batch["counts"]["completed"].clone()),
        (json!(ORDERS), json!(ORDERS)),
        "{batch}"
    );
    let cases = world.cases().await;
    let books = world.books("theary");
    println!(
        "{} cases; the vendor got {} create calls and has {} orders, {} of them of other clients",
        cases.len(),
        books.calls_of("create"),
        books.objects.len(),
        books.objects.iter().filter(|object| object.stranger).count()
    );
    assert!(cases.iter().all(|case| case["state"] == "resolved"), "every doubt is settled");
    let duplicates: usize =
        cases.iter().flat_map(items).map(|item| item["duplicates"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(duplicates, 0);
    let held = books.by_reference();
    assert_eq!(books.objects.iter().filter(|object| !object.stranger).count(), ORDERS);
    for order in world.all(&format!("v1/batches/{id}/orders")).await {
        for check in order["checks"].as_array().expect("checks") {
            let (reference, bound) = (check["id"].as_str().expect("an id"), check["vendor"]["order_id"].as_str());
            let theirs: Vec<_> = held.get(reference).into_iter().flatten().map(|object| object.id.as_str()).collect();
            assert_eq!(theirs, Vec::from_iter(bound), "the vendor's orders and ours for {reference}");
        }
    }
    assert_eq!(sent_too_early(&books), Vec::<String>::new());
    drop(gateway);
}

/// A line for each order.
fn upload(orders: usize) -> String {
    let lines = (0..orders).map(|number| order(u32::try_from(number).expect("a few"), &["theary"]).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// How many orders of ours the vendor has.
fn made(world: &World) -> usize {
    world.books("theary").objects.iter().filter(|object| !object.stranger).count()
}

fn items(case: &Value) -> Vec<Value> {
    case["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until the batch has ended and no case is open, for as long as there is progress.
async fn completed(world: &World, id: &str) -> Value {
    let mut seen = Value::Null;
    loop {
        seen = until(format!("something moves after {seen}"), async || {
            let batch = world.get(&format!("v1/batches/{id}")).await;
            (batch["counts"] != seen || batch["status"] == "completed").then(|| batch["counts"].clone())
        })
        .await;
        if seen["completed"] == ORDERS {
            until("every case is settled", async || {
                world.cases().await.iter().all(|case| case["state"] == "resolved").then_some(())
            })
            .await;
            return until("the batch is completed", async || {
                let batch = world.get(&format!("v1/batches/{id}")).await;
                (batch["status"] == "completed").then_some(batch)
            })
            .await;
        }
    }
}

/// References that a create call carried before the call before it could count as absent, by the vendor's own books.
fn sent_too_early(books: &Books) -> Vec<String> {
    let mut last: BTreeMap<&str, OffsetDateTime> = BTreeMap::new();
    let mut too_early = Vec::new();
    for CreateCall { at, references, .. } in &books.creates {
        let at = OffsetDateTime::parse(at, &Rfc3339).expect("a time");
        for reference in references.iter().flatten() {
            if let Some(before) = last.insert(reference, at)
                && at < before + SETTLE
            {
                too_early.push(format!("{reference} at {before} and at {at}"));
            }
        }
    }
    too_early
}
