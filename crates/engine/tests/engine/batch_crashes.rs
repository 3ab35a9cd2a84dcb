//! The crash table for batches: the process dies at each of its lines, and at every single step in between. What is left
//! is printed beside what the vendor has; then somebody else goes on, and in the end the vendor has each order once.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BatchId, BatchStatus, CheckStatus, EventType, Reason, TenantId};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::{OrphanFilter, Scope};
use trials::SideBySide;
use trials::polls::for_polls;
use trials::post_room::PostRoom;

use crate::world::{Options, World, draft, orders_of};

const SETTLE: Duration = Duration::from_secs(30);

async fn world() -> World {
    world_with(Options::default()).await
}

async fn world_with(options: Options) -> World {
    let world = World::with(Options { settle: SETTLE, timeout: Duration::from_secs(2), ..options }).await;
    let quick = json!({ "start_after_ms": 1_000, "complete_after_ms": 2_000 });
    world.vendor("theary").control().set_behavior(quick).expect("switches");
    world
}

async fn batch(world: &World, count: u32) -> BatchId {
    world.accept_batch("acme", (0..count).map(|number| draft("theary", number))).await
}

/// What is left on both sides, in a line.
async fn left(world: &World, batch: BatchId) -> String {
    let both = SideBySide::of_batch(world, "theary", batch).await;
    let mut ours: BTreeMap<String, usize> = BTreeMap::new();
    for line in &both.lines {
        *ours.entry(line.check.status().to_string()).or_default() += 1;
    }
    format!("ours: {ours:?}, the vendor has {}", both.objects())
}

/// Lets another process go on until the batch has ended, prints both sides, and holds them together.
async fn taken_over(world: &World, batch: BatchId) -> SideBySide {
    world.work_until_batch_ends(batch).await;
    let both = SideBySide::of_batch(world, "theary", batch).await;
    for line in &both.lines {
        assert!(line.is_one_to_one(), "{}", both.table());
        assert_eq!(line.check.status(), CheckStatus::Completed, "{}", both.table());
    }
    assert_eq!((both.duplicates(), both.sent_too_early(SETTLE)), (0, 0), "{}", both.table());
    both
}

#[tokio::test]
async fn crash_at_any_step_of_the_intake_leaves_a_whole_batch_or_nothing() {
    let world = world().await;
    let (mut whole, mut nothing) = (0, 0);
    for steps in 1.. {
        let id = Cell::new(None);
        let intake = async {
            let mut tx = world.engine.store().begin().await.expect("a transaction");
            let mut intake = world.engine.open_batch(&TenantId::new("acme"), None);
            id.set(Some(intake.id()));
            for number in 0..3 {
                intake.add(&mut tx, draft("theary", number)).await.expect("accepted");
            }
            intake.finish(&mut tx).await.expect("written");
            tx.save().await.expect("saved");
        };
        let is_through = for_polls(steps, intake).await.is_some();
        let Some(id) = id.get() else { continue };
        // A commit that was under way when the process died is done, or not, a moment later.
        let (orders, batch) = loop {
            let orders = orders_of(&world, id).await.len();
            let mut tx = world.engine.store().begin().await.expect("a transaction");
            let batch = tx.batches().get(&Scope::All, id).await.expect("read");
            drop(tx);
            if batch.is_some() == (orders > 0) {
                break (orders, batch);
            }
        };
        if let Some(batch) = batch {
            whole += 1;
            assert_eq!((orders, batch.orders, batch.counts.of(CheckStatus::Queued)), (3, 3, 3));
        } else {
            nothing += 1;
            assert!(!is_through, "a batch that was answered is there");
        }
        if is_through {
            break;
        }
    }
    println!("{nothing} kills left nothing, {whole} a whole batch");
    assert!(nothing > 0 && whole > 0);
}

#[tokio::test]
async fn crash_after_the_accept_before_the_dispatch_sends_each_once() {
    let world = world().await;
    let batch = batch(&world, 10).await;
    println!("{}", left(&world, batch).await);
    let next = world.another(&Options { settle: SETTLE, ..Options::default() }).await;
    next.dispatch(&world.account("theary"), 50).await.expect("dispatched");
    let both = taken_over(&world, batch).await;
    println!("{}", both.table());
    assert_eq!((both.sends(), both.creates, world.cases().await.len()), (10, 1, 0));
}

#[tokio::test]
async fn crash_after_sending_before_the_call_sends_each_once_and_alone() {
    let world = world().await;
    let batch = batch(&world, 10).await;
    let dead = world.another(&Options::default()).await;
    dead.forget_a_ticket(&world.account("theary")).await;
    println!("{}", left(&world, batch).await);
    let both = taken_over(&world, batch).await;
    println!("{}", both.table());
    // The call of ten was never made: what was made are ten calls of one.
    assert_eq!((both.sends(), both.creates), (10, 10));
    assert!(both.lines.iter().all(|line| line.sends[0].together == 1));
    let cases = world.cases().await;
    assert_eq!((cases.len(), cases[0].why.code.as_str()), (1, "process_died"));
}

#[tokio::test]
async fn crash_at_any_step_of_sending_and_of_its_outcome_makes_each_order_once() {
    let world = world().await;
    let account = world.account("theary");
    let mut batches = Vec::new();
    let mut last = String::new();
    for steps in 1.. {
        let id = batch(&world, 3).await;
        batches.push(id);
        let is_through = for_polls(steps, world.engine.dispatch(&account, 50)).await.is_some();
        let now = left(&world, id).await;
        if now != last {
            println!("killed after {steps:>3} steps: {now}");
            last = now;
        }
        if is_through {
            break;
        }
    }
    let (mut checks, mut objects, mut sends) = (0, 0, 0);
    for batch in &batches {
        let both = taken_over(&world, *batch).await;
        checks += both.lines.len();
        objects += both.objects();
        sends += both.sends();
    }
    let doubtful = world.cases().await.len();
    println!(
        "{} kills: {checks} checks, {objects} vendor orders, {sends} sends, {doubtful} calls in doubt",
        batches.len()
    );
    assert_eq!(objects, checks);
    assert!(doubtful > 0 && doubtful < batches.len());
}

#[tokio::test]
async fn crash_at_any_step_of_a_scan_and_of_what_it_decides_binds_each_once() {
    let world = world().await;
    let account = world.account("theary");
    for steps in 1.. {
        world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropAfter));
        let id = batch(&world, 2).await;
        world.engine.dispatch(&account, 50).await.expect("dispatched");
        let is_through = for_polls(steps, world.engine.reconcile()).await.is_some();
        if steps % 10 == 1 || is_through {
            println!("killed after {steps:>3} steps: {}", left(&world, id).await);
        }
        let both = taken_over(&world, id).await;
        assert_eq!(both.sends(), 2, "{}", both.table());
        if is_through {
            break;
        }
    }
}

#[tokio::test]
async fn crash_at_any_step_of_a_resend_makes_no_second_order() {
    let world = world().await;
    let account = world.account("theary");
    let mut sends = 0;
    for steps in 1.. {
        world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropBefore));
        let id = batch(&world, 2).await;
        world.engine.dispatch(&account, 50).await.expect("dispatched");
        let queued = async || world.batch(id).await.counts.of(CheckStatus::Queued) > 0;
        while !queued().await {
            world.clock.advance(Duration::from_secs(2));
            world.engine.reconcile().await.expect("reconciled");
        }
        world.clock.advance(Duration::from_secs(10));
        let is_through = for_polls(steps, world.engine.dispatch(&account, 50)).await.is_some();
        if steps % 10 == 1 || is_through {
            println!("killed after {steps:>3} steps: {}", left(&world, id).await);
        }
        sends += taken_over(&world, id).await.sends();
        if is_through {
            break;
        }
    }
    println!("{sends} sends in all");
}

#[tokio::test]
async fn crash_at_any_step_of_canceling_a_batch_cancels_all_of_it() {
    let world = world().await;
    for steps in 1.. {
        let id = batch(&world, 4).await;
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        world.engine.cancel_batch(&mut tx, &Scope::All, id, Reason::new("caller", "")).await.expect("noted");
        tx.save().await.expect("saved");
        let is_through = for_polls(steps, world.engine.cancel_batches()).await.is_some();
        world.work_until_batch_ends(id).await;
        let ended = world.batch(id).await;
        assert_eq!(
            (ended.status(), ended.counts.of(CheckStatus::Canceled)),
            (BatchStatus::Canceled, 4),
            "step {steps}"
        );
        if is_through {
            println!("killed at each of {steps} steps");
            break;
        }
    }
    assert_eq!(world.books("theary").calls_of("create"), 0, "nothing of them was sent");
}

#[tokio::test]
async fn crash_at_any_step_of_counting_leaves_the_counts_right() {
    let world = world().await;
    let account = world.account("theary");
    for steps in 1.. {
        let id = batch(&world, 3).await;
        world.engine.dispatch(&account, 50).await.expect("dispatched");
        let is_through = for_polls(steps, world.engine.store().fold_batch_moves(world.engine.now())).await.is_some();
        for _ in 0..2 {
            let counts = world.batch(id).await.counts;
            assert_eq!((counts.of(CheckStatus::InProgress), counts.total()), (3, 3), "step {steps}");
            world.engine.store().fold_batch_moves(world.engine.now()).await.expect("folded");
        }
        if is_through {
            println!("killed at each of {steps} steps");
            break;
        }
    }
}

#[tokio::test]
async fn crash_at_any_step_of_a_sweep_reports_each_stranger_once() {
    let world = world().await;
    let account = world.account("theary");
    let id = batch(&world, 5).await;
    taken_over(&world, id).await;
    world.engine.sweep(&account).await.expect("swept");
    let strangers = world.vendor("theary").control().make_strangers(7, &json!({ "kind": "mixed" }));
    for steps in 1.. {
        // A new day; then the lease of the one that died is over.
        world.clock.advance(Duration::from_hours(if steps == 1 { 25 } else { 1 }));
        if let Some(swept) = for_polls(steps, world.engine.sweep(&account)).await {
            // Not due any more: the one before had died right after its end.
            let was_due = swept.expect("swept");
            println!("killed at each of {steps} steps{}", if was_due { "" } else { ", the last of them too late" });
            break;
        }
    }
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 1_000, None).await.expect("read");
    let mut found: Vec<_> = orphans.into_iter().map(|orphan| orphan.vendor_order_id).collect();
    let mut made = strangers;
    found.sort();
    made.sort();
    assert_eq!(found, made);
}

#[tokio::test]
async fn crash_after_a_hook_is_stored_before_it_is_read_takes_it_in_once() {
    let room = PostRoom::open().await.expect("a port");
    let world = world_with(Options { hooks: Some(room.address().clone()), ..Options::default() }).await;
    let account = world.account("theary");
    for steps in 1.. {
        let id = batch(&world, 1).await;
        world.engine.dispatch(&account, 50).await.expect("dispatched");
        world.engine.follow(&account, 50).await.expect("followed");
        world.clock.advance(Duration::from_secs(3));
        let mut letters = Vec::new();
        while !letters.iter().any(is_about_the_end) {
            world.books("theary");
            letters.extend(room.collect());
            tokio::task::yield_now().await;
        }
        for letter in letters {
            let account = letter.account.clone();
            world.engine.receive_hook(&account, letter.received_at(world.engine.now())).await.expect("stored");
        }
        let is_through = for_polls(steps, world.engine.read_inbox()).await.is_some();
        world.clock.advance(Duration::from_secs(31));
        while world.engine.read_inbox().await.expect("read") > 0 {}
        let order = orders_of(&world, id).await.remove(0).id;
        assert_eq!(world.order(order).await.checks[0].status(), CheckStatus::Completed, "step {steps}");
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let events = tx.orders().events(&Scope::All, order, 100, None).await.expect("read");
        let ends = events.iter().filter(|stored| stored.event.kind == EventType::CheckCompleted).count();
        assert_eq!(ends, 1, "step {steps}: its end is told once");
        if is_through {
            println!("killed at each of {steps} steps");
            break;
        }
    }
}

fn is_about_the_end(letter: &trials::post_room::Letter) -> bool {
    String::from_utf8_lossy(&letter.body).contains("verification.completed")
}
