//! Theary's batches: one call, many creates, no way to ask afterwards what became of it. Each way in which such a call
//! is known to go wrong, with the vendor's own books printed beside ours.

use std::time::Duration;

use domain::{BatchId, BatchStatus, CheckStatus, Reason, TenantId};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use store::Scope;
use trials::SideBySide;

use crate::world::{Options, World, draft};

const SETTLE: Duration = Duration::from_mins(2);
/// As many as one call carries.
const COUNT: u32 = 10;

async fn world() -> World {
    World::with(Options { settle: SETTLE, timeout: Duration::from_secs(2), ..Options::default() }).await
}

/// A batch of orders for Theary, in one transaction.
async fn batch(world: &World, count: u32) -> BatchId {
    let drafts = (0..count).map(|number| draft("theary", number));
    world.accept_batch("acme", drafts).await
}

fn switch(world: &World, switches: Value) {
    world.vendor("theary").control().set_behavior(switches).expect("a switch");
}

fn arm(world: &World, kind: FaultKind, status: u16) {
    world.vendor("theary").control().arm(Fault::new("create", kind).status(status));
}

/// Works until the batch has ended, prints both sides, and holds them together: as many vendor orders as checks, each
/// bound, nothing twice, nothing sent again too early.
async fn settled(world: &World, batch: BatchId) -> SideBySide {
    world.work_until_batch_ends(batch).await;
    let both = SideBySide::of_batch(world, "theary", batch).await;
    println!("{}", both.table());
    for line in &both.lines {
        assert!(line.is_one_to_one(), "{} is not bound one to one:\n{}", line.check.reference(), both.table());
        assert_eq!(line.check.status(), CheckStatus::Completed);
    }
    assert_eq!((both.objects(), both.duplicates()), (both.lines.len(), 0));
    assert_eq!(both.sent_too_early(SETTLE), 0);
    both
}

#[tokio::test]
async fn one_call_carries_a_whole_batch_when_nothing_goes_wrong() {
    let world = world().await;
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
    assert!(world.cases().await.is_empty(), "nothing was in doubt");
}

#[tokio::test]
async fn mode_a_one_create_throws_and_its_siblings_are_made_before_the_answer() {
    let world = world().await;
    switch(&world, json!({ "batch_throw_at": 4 }));
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    // The call, and the one that was absent, alone.
    assert_eq!((both.sends(), both.creates), (11, 2));
}

#[tokio::test]
async fn mode_a_an_order_that_the_vendor_refuses_fails_and_takes_no_sibling_with_it() {
    let world = world().await;
    let drafts = (0..COUNT).map(|number| {
        let draft = draft("theary", number);
        if number == 4 { trials::drafts::with_ssn(draft, "900-10-0098") } else { draft }
    });
    let batch = world.accept_batch("acme", drafts).await;
    world.work_until_batch_ends(batch).await;
    let both = SideBySide::of_batch(&world, "theary", batch).await;
    println!("{}", both.table());
    let (refused, made): (Vec<_>, Vec<_>) =
        both.lines.iter().partition(|line| line.check.status() == CheckStatus::Failed);
    assert!(made.iter().all(|line| line.is_one_to_one()), "{}", both.table());
    assert_eq!((made.len(), refused.len(), both.objects()), (9, 1, 9));
    // In the batch, and once more alone: only that shows whose fault it was.
    assert_eq!(refused[0].sends.iter().map(|sent| sent.together).collect::<Vec<_>>(), [10, 1]);
    assert_eq!(both.sent_too_early(SETTLE), 0);
}

#[tokio::test]
async fn mode_b_one_create_throws_and_its_siblings_are_made_after_the_answer() {
    let world = world().await;
    switch(&world, json!({ "batch_throw_at": 4, "siblings_after_error_ms": 50_000, "siblings_before_error": 3 }));
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (11, 2));
}

#[tokio::test]
async fn mode_c_all_are_made_and_the_connection_is_cut() {
    let world = world().await;
    arm(&world, FaultKind::DropAfter, 0);
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn mode_d_all_are_made_and_the_gateway_in_between_answers_504() {
    let world = world().await;
    arm(&world, FaultKind::StatusAfter, 504);
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn mode_e_none_is_made_and_500_is_answered() {
    let world = world().await;
    arm(&world, FaultKind::StatusBefore, 500);
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    // The call, and then each alone.
    assert_eq!((both.sends(), both.creates), (20, 11));
    for line in &both.lines {
        assert_eq!(line.sends.iter().map(|sent| sent.together).collect::<Vec<_>>(), [10, 1]);
    }
}

#[tokio::test]
async fn mode_f_all_are_made_and_the_answer_is_cut_short() {
    let world = world().await;
    arm(&world, FaultKind::Truncate, 0);
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn mode_g_all_are_made_and_listed_only_after_a_while() {
    let world = world().await;
    switch(&world, json!({ "list_lag_ms": 90_000 }));
    arm(&world, FaultKind::DropAfter, 0);
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn mode_h_the_answer_counts_more_orders_than_it_lists() {
    let world = world().await;
    switch(&world, json!({ "batch_miscounts": true }));
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn mode_i_another_client_makes_look_alikes_while_it_is_looked_for() {
    let world = world().await;
    // Two more with each page that is read, and one create thrown, so that look-alikes are all there is of one check.
    switch(&world, json!({ "batch_throw_at": 4, "strangers_per_list": 2, "list_cap": 25 }));
    let batch = batch(&world, COUNT).await;
    world.vendor("theary").control().make_strangers(20, &json!({ "kind": "bare" }));
    let both = settled(&world, batch).await;
    assert!(both.strangers > 20, "{}", both.summary());
    assert_eq!((both.sends(), both.creates), (11, 2));
}

#[tokio::test]
async fn an_answer_in_another_order_is_noticed_and_nobody_gets_anothers_result() {
    let world = world().await;
    switch(&world, json!({ "batch_shuffle": true }));
    let batch = batch(&world, COUNT).await;
    let both = settled(&world, batch).await;
    assert_eq!((both.sends(), both.creates), (10, 1));
}

#[tokio::test]
async fn a_batch_that_is_canceled_while_in_doubt_is_settled_first_and_sent_no_more() {
    let world = world().await;
    switch(&world, json!({ "batch_throw_at": 4, "siblings_after_error_ms": 30_000 }));
    let batch = batch(&world, COUNT).await;
    world.engine.dispatch(&world.account("theary"), 50).await.expect("dispatched");
    let on_the_wire = world.wire.count();
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "The batch was the wrong one.");
    world.engine.cancel_batch(&mut tx, &Scope::All, batch, why).await.expect("noted");
    tx.save().await.expect("saved");
    world.work_until_batch_ends(batch).await;
    let both = SideBySide::of_batch(&world, "theary", batch).await;
    println!("{}", both.table());
    assert_eq!(world.wire.count(), on_the_wire, "nothing was sent after that");
    assert_eq!(world.batch(batch).await.status(), BatchStatus::Canceled);
    // Nine were made and are canceled at the vendor; the one that threw is nowhere.
    assert_eq!((both.objects(), both.duplicates()), (9, 0));
    assert!(world.books("theary").objects.iter().all(|object| object.canceled));
    assert!(both.lines.iter().all(|line| line.check.status() == CheckStatus::Canceled));
}

#[tokio::test]
async fn batches_of_two_tenants_never_share_a_call() {
    let world = world().await;
    let one = world.accept_batch("acme", (0..4).map(|number| draft("theary", number))).await;
    let two = world.accept_batch("globex", (4..8).map(|number| draft("theary", number))).await;
    world.work_until_batch_ends(one).await;
    world.work_until_batch_ends(two).await;
    for batch in [one, two] {
        let both = SideBySide::of_batch(&world, "theary", batch).await;
        assert!(both.lines.iter().all(|line| line.is_one_to_one() && line.sends[0].together == 4), "{}", both.table());
    }
    let tenant = |tenant: &str| Scope::Tenant(TenantId::new(tenant));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    assert!(tx.batches().get(&tenant("acme"), two).await.expect("read").is_none());
    assert!(tx.batches().get(&tenant("globex"), two).await.expect("read").is_some());
}

#[tokio::test]
async fn an_answer_that_does_not_add_up_is_not_believed() {
    for contradiction in
        [json!({ "batch_omits": 1 }), json!({ "batch_repeats_id": true }), json!({ "batch_denies": true })]
    {
        let world = world().await;
        switch(&world, contradiction);
        let batch = batch(&world, COUNT).await;
        let both = settled(&world, batch).await;
        assert_eq!((both.sends(), both.creates), (10, 1));
    }
}
