//! Files at Truora, over sockets: the real adapter against the simulator, whose books have the last word.

use std::time::Duration;

use domain::{BatchId, CaseState, Check, CheckStatus, Clock as _, OrderDraft};
use engine::Engine;
use provider::BulkStage;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::StoredFile;
use trials::SideBySide;

use crate::world::{Options, World, checks_of, draft};

/// The calls of a file, each with the stage that makes it.
const CALLS: [(&str, BulkStage); 7] = [
    ("batch_create", BulkStage::Create),
    ("batch_upload", BulkStage::Upload),
    ("batch_start", BulkStage::Start),
    ("batch_get", BulkStage::Run),
    ("batch_report", BulkStage::Report),
    ("batch_report_link", BulkStage::Read),
    ("batch_file", BulkStage::Read),
];

/// How the process, or the answer, is lost.
#[derive(Debug, Clone, Copy)]
enum Loss {
    DiesBefore,
    DiesAfter,
    DropBefore,
    DropAfter,
}

fn options() -> Options {
    Options { native_batch_min: 3, ..Options::default() }
}

async fn world() -> World {
    let world = World::with(options()).await;
    let quick = json!({ "queue_ms": 1_000, "run_ms": 2_000 });
    world.vendor("truora").control().set_behavior(quick).expect("switches");
    world
}

fn people(numbers: std::ops::Range<u32>) -> impl Iterator<Item = OrderDraft> {
    numbers.map(|number| draft("truora", number))
}

async fn files(world: &World, batch: BatchId) -> Vec<StoredFile> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    tx.vendor_files().of_batch(batch, 100).await.expect("read")
}

async fn until_stage(world: &World, batch: BatchId, stage: BulkStage) {
    let account = world.account("truora");
    for _ in 0..200 {
        if files(world, batch).await.iter().any(|file| file.stage >= stage) {
            return;
        }
        if world.engine.files(&account).await.expect("the files go on") == 0 {
            world.clock.advance(Duration::from_secs(3));
        }
    }
    panic!("the file never came to {stage:?}");
}

/// Goes on until the vendor has got the call, and dies before its answer is here.
async fn die_in(world: &World, process: &Engine, call: &str) {
    let account = world.account("truora");
    world.vendor("truora").control().arm(Fault::new(call, FaultKind::Stall));
    let before = world.books("truora").calls_of(call);
    let arrives = async {
        while world.books("truora").calls_of(call) == before || !world.vendor("truora").control().armed().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let goes_on = async {
        for _ in 0..200 {
            if process.files(&account).await.expect("the files go on") == 0 {
                world.clock.advance(Duration::from_secs(3));
            }
        }
    };
    tokio::select! {
        () = arrives => {}
        () = goes_on => panic!("{call} is never made"),
    }
}

/// The vendor has exactly one object for each check, and it is the one that is bound.
async fn one_to_one(world: &World, batch: BatchId) -> SideBySide {
    let both = SideBySide::of_batch(world, "truora", batch).await;
    for line in &both.lines {
        assert!(line.is_one_to_one(), "{}", both.table());
        assert_eq!(line.check.status(), CheckStatus::Completed, "{}", both.table());
    }
    assert_eq!(both.duplicates(), 0, "{}", both.table());
    both
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_and_a_half_thousand_people_go_through_three_vendor_batches_and_back() {
    let options = Options { timeout: Duration::from_secs(20), ..options() };
    let world = World::with(options.clone()).await;
    let begun = std::time::Instant::now();
    let batch = world.accept_batch("acme", people(0..2_500)).await;
    // A process dies in each step, when the vendor has got the call and its answer is on the way.
    for (call, stage) in CALLS {
        until_stage(&world, batch, stage).await;
        die_in(&world, &world.another(&options).await, call).await;
    }
    world.work_until_batch_ends(batch).await;
    let both = one_to_one(&world, batch).await;
    println!("{}\nit took {:.1?}", both.summary(), begun.elapsed());
    let books = world.books("truora");
    let of_batch = |batch: &sandbox::BatchEntry| (batch.rows, batch.starts, batch.state.clone());
    let mut rows: Vec<_> = books.batches.iter().filter(|batch| batch.starts > 0).map(of_batch).collect();
    rows.sort_unstable();
    assert_eq!(rows, [500, 1_000, 1_000].map(|rows| (rows, 1, "finished".to_owned())));
    assert_eq!((books.objects.len(), books.calls_of("create"), world.wire.count()), (2_500, 0, 0));
    assert!(world.cases().await.is_empty());
    let files = files(&world, batch).await;
    assert!(files.iter().all(|file| books.batches.iter().any(|it| Some(&it.id) == file.vendor_batch_id.as_ref())));
}

#[tokio::test]
async fn whatever_is_lost_at_whichever_call_each_check_has_one_object_and_is_bound_to_it() {
    let world = world().await;
    let mut batches = Vec::new();
    for (nth, (call, stage)) in (0_u32..).zip(CALLS) {
        for (way, loss) in
            [Loss::DiesBefore, Loss::DiesAfter, Loss::DropBefore, Loss::DropAfter].into_iter().enumerate()
        {
            let first = (nth * 10 + u32::try_from(way).expect("few")) * 10;
            let batch = world.accept_batch("acme", people(first..first + 4)).await;
            until_stage(&world, batch, stage).await;
            let process = world.another(&options()).await;
            let control = world.vendor("truora").control();
            match loss {
                Loss::DiesBefore => {
                    let account = world.account("truora");
                    while process.forget_files(&account).await.expect("claimed") == 0 {
                        world.clock.advance(Duration::from_secs(3));
                    }
                }
                Loss::DiesAfter => die_in(&world, &process, call).await,
                Loss::DropBefore => control.arm(Fault::new(call, FaultKind::DropBefore)),
                Loss::DropAfter => control.arm(Fault::new(call, FaultKind::DropAfter)),
            }
            world.work_until_batch_ends(batch).await;
            control.clear_faults();
            println!(
                "{call} {loss:?}: {:?}",
                files(&world, batch).await.iter().map(|file| file.rows).collect::<Vec<_>>()
            );
            one_to_one(&world, batch).await;
            batches.push(batch);
        }
    }
    let books = world.books("truora");
    assert_eq!(books.objects.len(), batches.len() * 4, "nothing was made twice");
    assert!(books.batches.iter().all(|batch| batch.starts <= 1));
    assert_eq!(books.calls_of("create"), 0, "and nothing went singly");
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn rows_that_the_vendor_refuses_fail_and_the_others_do_not() {
    let world = world().await;
    let mut drafts: Vec<_> = people(0..5).collect();
    // The simulator refuses numbers that end so.
    drafts.push(trials::drafts::with_national_id(draft("truora", 9), "10000096"));
    let batch = world.accept_batch("acme", drafts).await;
    world.work_until_batch_ends(batch).await;
    let failed: Vec<Check> =
        checks_of(&world, batch).await.into_iter().filter(|check| check.status() == CheckStatus::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].state.status_reason().map(|why| why.code.as_str()), Some("vendor_refused"));
    assert_eq!(world.books("truora").objects.len(), 5);
}

#[tokio::test]
async fn without_references_rows_are_matched_by_whom_they_are_about() {
    let world = world().await;
    let control = world.vendor("truora").control();
    control.set_behavior(json!({ "batches": { "custom_input": "lost" } })).expect("switches");
    let batch = world.accept_batch("acme", people(0..20)).await;
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    let mut bound: Vec<_> =
        checks.iter().filter_map(|check| Some(check.state.binding()?.vendor.order_id.clone())).collect();
    bound.sort();
    let mut made: Vec<_> = world.books("truora").objects.into_iter().map(|object| object.id).collect();
    made.sort();
    assert_eq!(bound, made);
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn where_a_report_tells_nothing_people_are_asked_and_nothing_is_sent_again() {
    let world = world().await;
    let control = world.vendor("truora").control();
    let mute = json!({ "custom_input": "lost", "report_lacks": ["Results", "Errors"] });
    control.set_behavior(json!({ "batches": mute })).expect("switches");
    let batch = world.accept_batch("acme", people(0..4)).await;
    world
        .work_until(Duration::from_hours(48), "people are asked", async || {
            checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::NeedsReview)
        })
        .await;
    let until = world.clock.now() + Duration::from_hours(2);
    world.work_until(Duration::from_hours(4), "two hours", async || world.clock.now() >= until).await;
    let cases = world.cases().await;
    assert_eq!((cases.len(), cases[0].state, cases[0].items.len()), (1, CaseState::NeedsReview, 4));
    let books = world.books("truora");
    assert_eq!((books.objects.len(), books.calls_of("create"), world.wire.count()), (4, 0, 0));
}

#[tokio::test]
async fn a_file_is_not_given_another_tenants_check_that_is_still_in_doubt() {
    let world = world().await;
    let account = world.account("truora");
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropAfter));
    let theirs = world.accept_of("globex", draft("truora", 0)).await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    assert_eq!(world.order(theirs).await.checks[0].status(), CheckStatus::Unconfirmed);
    let lost = world.books("truora").objects[0].id.clone();
    let batch = world.accept_batch("acme", people(0..4)).await;
    // The file is through before anybody has looked for the lost check.
    until_stage(&world, batch, BulkStage::Read).await;
    while files(&world, batch).await.iter().any(|file| file.ended_at.is_none()) {
        if world.engine.files(&account).await.expect("the files go on") == 0 {
            world.clock.advance(Duration::from_secs(3));
        }
    }
    assert!(world.order(theirs).await.checks[0].state.binding().is_none());
    let is_lost = |check: &Check| check.state.binding().is_some_and(|binding| binding.vendor.order_id == lost);
    let checks = checks_of(&world, batch).await;
    assert_eq!(checks.iter().filter(|check| check.state.binding().is_some()).count(), 3, "the others are");
    assert!(!checks.iter().any(is_lost), "not even until the next look at it");
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    assert!(!checks.iter().any(is_lost));
    world.work_until_settled(&[theirs]).await;
    assert!(is_lost(&world.order(theirs).await.checks[0]));
    assert_eq!(world.books("truora").objects.len(), 5);
}

#[tokio::test]
async fn two_gateways_at_once_send_each_row_once() {
    let world = world().await;
    let other = world.another(&options()).await;
    let account = world.account("truora");
    let batches = [world.accept_batch("acme", people(0..40)).await, world.accept_batch("acme", people(100..140)).await];
    for _ in 0..60 {
        let (one, two) = tokio::join!(world.engine.files(&account), other.files(&account));
        if one.expect("done") + two.expect("done") == 0 {
            world.clock.advance(Duration::from_secs(3));
        }
    }
    for batch in batches {
        world.work_until_batch_ends(batch).await;
        one_to_one(&world, batch).await;
    }
    let books = world.books("truora");
    assert_eq!((books.objects.len(), books.calls_of("create")), (80, 0));
    assert!(books.batches.iter().all(|batch| batch.starts == 1));
}
