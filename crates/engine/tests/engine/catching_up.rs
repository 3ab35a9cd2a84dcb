//! Hooks that were lost are read in the vendor's own log, without a look at any check, and nothing is told twice.

use std::time::Duration;

use domain::{CheckStatus, OrderId};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::Scope;
use trials::post_room::PostRoom;

use crate::world::{Options, World, draft};

const SILENCE: Duration = Duration::from_mins(15);

async fn catch_up(world: &World) -> bool {
    world.engine.catch_up(&world.account("truora")).await.expect("caught up")
}

/// Takes in whatever came, and whatever was read. No check is looked at.
async fn take_in(world: &World) {
    while world.engine.read_inbox().await.expect("read") > 0 {}
}

/// Orders that Truora has, and has told of to nobody yet.
async fn ordered(world: &World, count: u32, from: u32) -> Vec<OrderId> {
    let mut ids = Vec::new();
    for number in from..from + count {
        ids.push(world.accept(draft("truora", number)).await);
    }
    world.engine.dispatch(&world.account("truora"), 50).await.expect("dispatched");
    ids
}

async fn status(world: &World, id: OrderId) -> CheckStatus {
    world.order(id).await.checks[0].status()
}

async fn events(world: &World, id: OrderId) -> Vec<String> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    events.iter().map(|stored| stored.event.kind.as_str().to_owned()).collect()
}

/// The status in the vendor's own last answer.
async fn last_word(world: &World, id: OrderId) -> String {
    let check = world.order(id).await.checks[0].id;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let (payload, _) = tx.payloads().get(&Scope::All, check).await.expect("read").expect("an answer");
    let answer: serde_json::Value = serde_json::from_slice(payload.expose()).expect("JSON");
    answer["status"].as_str().expect("a status").to_owned()
}

fn looks(world: &World) -> u64 {
    world.books("truora").calls_of("get")
}

fn readings(world: &World) -> u64 {
    world.books("truora").calls_of("event_log")
}

/// Lets the simulator finish its checks and send what it has to say.
async fn finish(world: &World, room: Option<&PostRoom>, letters: usize) {
    world.clock.advance(Duration::from_mins(1));
    world.vendor("truora").control().advance(Duration::ZERO);
    let Some(room) = room else { return };
    let mut came = 0;
    while came < letters {
        for letter in room.collect() {
            came += 1;
            let account = letter.account.clone();
            let hook = letter.received_at(world.engine.now());
            world.engine.receive_hook(&account, hook).await.expect("authentic");
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_lost_in_an_outage_is_known_without_a_single_look() {
    let world = World::new().await;
    assert!(catch_up(&world).await, "when the workers start");
    assert!(!catch_up(&world).await, "and not again before there was a silence");
    let ids = ordered(&world, 12, 0).await;
    finish(&world, None, 0).await;
    assert!(!catch_up(&world).await);
    world.clock.advance(SILENCE);
    assert!(catch_up(&world).await);
    take_in(&world).await;
    for id in &ids {
        assert_eq!(status(&world, *id).await, CheckStatus::Completed);
        assert_eq!(last_word(&world, *id).await, "completed", "whatever was read in which order");
    }
    assert_eq!(looks(&world), 0, "no check was looked at");
    assert!(readings(&world) <= 6, "{} pages for 36 events", readings(&world));
    assert!(!catch_up(&world).await);
}

#[tokio::test]
async fn what_hooks_told_already_is_not_told_twice() {
    let room = PostRoom::open().await.expect("a port");
    let world = World::with(Options { hooks: Some(room.address().clone()), ..Options::default() }).await;
    assert!(catch_up(&world).await);
    let ids = ordered(&world, 2, 0).await;
    finish(&world, Some(&room), 6).await;
    take_in(&world).await;
    let before = [events(&world, ids[0]).await, events(&world, ids[1]).await];
    assert_eq!(status(&world, ids[0]).await, CheckStatus::Completed);
    for _ in 0..2 {
        world.clock.advance(SILENCE);
        assert!(catch_up(&world).await);
        take_in(&world).await;
    }
    assert_eq!([events(&world, ids[0]).await, events(&world, ids[1]).await], before);
    assert_eq!(looks(&world), 0);
}

#[tokio::test]
async fn while_hooks_come_nothing_is_read() {
    let room = PostRoom::open().await.expect("a port");
    let world = World::with(Options { hooks: Some(room.address().clone()), ..Options::default() }).await;
    assert!(catch_up(&world).await);
    let at_start = readings(&world);
    for round in 0..5 {
        ordered(&world, 1, round).await;
        finish(&world, Some(&room), 3).await;
        // As a worker does, it looks again and again.
        for _ in 0..7 {
            assert!(!catch_up(&world).await, "round {round}");
            world.clock.advance(Duration::from_mins(1));
        }
    }
    assert_eq!(readings(&world), at_start);
    // Then they stop, and only what came since is read.
    world.vendor("truora").control().set_behavior(json!({ "hooks": { "target": null } })).expect("a switch");
    let id = ordered(&world, 1, 9).await[0];
    finish(&world, None, 0).await;
    world.clock.advance(SILENCE);
    assert!(catch_up(&world).await);
    take_in(&world).await;
    assert_eq!((status(&world, id).await, looks(&world)), (CheckStatus::Completed, 0));
}

#[tokio::test]
async fn a_process_that_starts_catches_up_even_though_hooks_came_to_another() {
    let world = World::new().await;
    assert!(catch_up(&world).await);
    let id = ordered(&world, 1, 0).await[0];
    finish(&world, None, 0).await;
    let next = world.another(&Options::default()).await;
    assert!(next.catch_up(&world.account("truora")).await.expect("caught up"));
    take_in(&world).await;
    assert_eq!((status(&world, id).await, looks(&world)), (CheckStatus::Completed, 0));
    assert!(!next.catch_up(&world.account("truora")).await.expect("not again"));
}

#[tokio::test]
async fn a_reading_that_failed_begins_again_where_the_last_one_ended() {
    let world = World::new().await;
    assert!(catch_up(&world).await);
    let ids = ordered(&world, 12, 0).await;
    finish(&world, None, 0).await;
    world.clock.advance(SILENCE);
    world.vendor("truora").control().arm(Fault::new("event_log", FaultKind::StatusBefore).skip(1));
    assert!(catch_up(&world).await);
    take_in(&world).await;
    assert!(!catch_up(&world).await, "not at once");
    world.clock.advance(SILENCE);
    assert!(catch_up(&world).await);
    take_in(&world).await;
    for id in ids {
        assert_eq!(status(&world, id).await, CheckStatus::Completed);
    }
    assert_eq!(looks(&world), 0);
}

#[tokio::test]
async fn the_log_finds_an_order_whose_create_call_was_lost_to_exist() {
    let world = World::new().await;
    assert!(catch_up(&world).await);
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropAfter));
    let id = ordered(&world, 1, 0).await[0];
    world.clock.advance(SILENCE);
    world.vendor("truora").control().advance(Duration::ZERO);
    assert!(catch_up(&world).await);
    take_in(&world).await;
    let case = world.cases().await.remove(0);
    assert_eq!(case.items[0].state, domain::ItemState::Proven);
    world.work_until_settled(&[id]).await;
    assert_eq!((status(&world, id).await, world.books("truora").objects.len()), (CheckStatus::Completed, 1));
}

#[tokio::test]
async fn a_vendor_without_a_log_is_left_alone() {
    let world = World::new().await;
    for vendor in ["theary", "truework"] {
        assert!(!world.engine.catch_up(&world.account(vendor)).await.expect("nothing to read"));
    }
}
