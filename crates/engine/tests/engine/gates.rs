//! When a vendor is not called: circuits, probes and pauses, with the workers running as they do in a gateway.

use std::time::Duration;

use domain::{CheckStatus, OrderId, ProviderId};
use sandbox::{Fault, FaultKind};
use store::Circuit;
use tokio_util::sync::CancellationToken;

use crate::world::{World, draft};

/// The workers of a gateway, until this is stopped.
struct Workers {
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Workers {
    fn of(world: &World) -> Self {
        let stop = CancellationToken::new();
        let (engine, token) = (world.engine.clone(), stop.clone());
        Self { stop, running: tokio::spawn(async move { engine.run_workers(token).await }) }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("the workers end by themselves");
    }
}

/// Waits for something that the workers bring about.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_mins(1);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < patience, "{what}: never happened");
        tokio::task::yield_now().await;
    }
}

async fn circuit(world: &World, vendor: &str) -> Circuit {
    let key = world.account(vendor).key;
    let accounts = world.engine.store().accounts().await.expect("read");
    accounts.into_iter().find(|account| account.key == key).expect("registered").circuit
}

async fn is_with_the_vendor(world: &World, id: OrderId) -> bool {
    world.order(id).await.checks[0].state.binding().is_some()
}

#[tokio::test]
async fn a_vendor_that_fails_again_and_again_is_left_alone_and_then_asked_whether_it_is_back() {
    let world = World::new().await;
    for number in 0..5 {
        world.accept(draft("truework", number)).await;
    }
    world.vendor("truework").control().arm(Fault::new("create", FaultKind::StatusBefore).status(503).times(5));
    world.engine.dispatch(&world.account("truework"), 5).await.expect("dispatched");
    assert_eq!(circuit(&world, "truework").await, Circuit::Open);

    let waits = world.accept(draft("truework", 5)).await;
    let goes_on = world.accept(draft("truora", 6)).await;
    let workers = Workers::of(&world);
    until("the other vendor works", async || is_with_the_vendor(&world, goes_on).await).await;
    assert_eq!(world.books("truework").calls_of("create"), 5);
    assert_eq!(world.order(waits).await.checks[0].status(), CheckStatus::Queued);

    // The clock stands still unless it is moved: only now is the break over.
    world.clock.advance(Duration::from_secs(10));
    world.engine.wake();
    until("what waited is sent", async || is_with_the_vendor(&world, waits).await).await;
    assert_eq!(circuit(&world, "truework").await, Circuit::Closed);
    workers.stop().await;
}

#[tokio::test]
async fn a_paused_vendor_is_sent_nothing_even_when_it_comes_back_from_a_break() {
    let world = World::new().await;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let theary = ProviderId::new("theary");
    world.engine.pause(&mut tx, &theary, "ops", None).await.expect("paused");
    tx.save().await.expect("saved");
    let key = world.account("theary").key;
    let now = world.engine.now();
    let over = Some(now - Duration::from_secs(1));
    world.engine.store().set_circuit(&key, Circuit::Open, over, Some("timed_out"), now).await.expect("noted");
    let waits = world.accept(draft("theary", 0)).await;
    let workers = Workers::of(&world);
    until("the circuit closes", async || circuit(&world, "theary").await == Circuit::Closed).await;
    let goes_on = world.accept(draft("truora", 1)).await;
    world.engine.wake();
    until("the other vendor works", async || is_with_the_vendor(&world, goes_on).await).await;
    assert_eq!(
        (world.books("theary").calls_of("create"), world.order(waits).await.checks[0].status()),
        (0, CheckStatus::Queued)
    );

    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.resume(&mut tx, &theary, "ops").await.expect("resumed");
    tx.save().await.expect("saved");
    world.clock.advance(Duration::from_secs(1));
    world.engine.wake();
    until("it is sent", async || is_with_the_vendor(&world, waits).await).await;
    workers.stop().await;
}
