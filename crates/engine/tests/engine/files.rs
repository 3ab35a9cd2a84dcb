//! Files: which checks go in them, how they are carried through, and what happens to them when something breaks.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BatchId, CaseState, Check, CheckStatus, Clock as _, EventType, ItemState, Reason};
use provider::{BulkStage, HookRequest};
use store::Scope;
use trials::polls::for_polls;

use crate::clerk::{Fate, Mishap, SETTLE};
use crate::held::{holding, release, until_somebody_waits};
use crate::office::{Office, asking, person};

async fn cancel(office: &Office, batch: BatchId) {
    let mut tx = office.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "It was the wrong one.");
    office.engine.cancel_batch(&mut tx, &Scope::All, batch, why).await.expect("noted").expect("the batch");
    tx.save().await.expect("saved");
}

async fn cancel_orders(office: &Office, checks: &[Check]) {
    for check in checks {
        let mut tx = office.engine.store().begin().await.expect("a transaction");
        let why = Reason::new("caller", "It was the wrong one.");
        office.engine.cancel(&mut tx, &Scope::All, check.order_id, why).await.expect("noted").expect("the order");
        tx.save().await.expect("saved");
    }
}

fn counts(checks: &[Check]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for check in checks {
        *counts.entry(check.status().to_string()).or_default() += 1;
    }
    counts
}

async fn sizes(office: &Office, batch: BatchId) -> Vec<u32> {
    let mut sizes: Vec<_> = office.files(batch).await.iter().map(|file| file.rows).collect();
    sizes.sort_unstable();
    sizes
}

fn by_file(office: &Office) -> (usize, usize) {
    let books = office.clerk.books();
    let by_file = books.objects.iter().filter(|object| object.by_file).count();
    (by_file, books.objects.len() - by_file)
}

#[tokio::test]
async fn like_checks_go_in_files_and_come_back_each_to_its_own() {
    let office = Office::with(100, Some(3)).await;
    let batch = office.people(250).await;
    let single = office.accept(person(900)).await;
    office.work().await;
    assert!(office.order(single).await.checks[0].state.binding().is_some(), "it does not wait for any file");
    assert_eq!(sizes(&office, batch).await, [50, 100, 100]);
    assert!(office.checks(batch).await.iter().all(|check| check.status() == CheckStatus::Submitting));
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    let checks = office.checks(batch).await;
    assert!(checks.iter().all(|check| (check.status(), check.state.sends) == (CheckStatus::Completed, 1)));
    assert_eq!((by_file(&office), office.cases().await.len()), ((250, 1), 0));
    let files = office.files(batch).await;
    assert!(files.iter().all(|file| file.ended_at.is_some() && file.vendor_batch_id.is_some()), "{files:?}");
    // The rows of a file stand in the order of the batch.
    let sent: Vec<_> = office.clerk.books().files[0].rows.iter().map(|row| row.reference).collect();
    assert!(checks.iter().map(Check::reference).filter(|reference| sent.contains(reference)).eq(sent.iter().copied()));
}

#[tokio::test]
async fn too_few_of_a_kind_go_singly_unless_the_caller_asks() {
    let office = Office::with(100, Some(3)).await;
    let few = office.people(2).await;
    office.until_ended(few).await;
    assert_eq!(by_file(&office), (0, 2));
    let asked = office.batch([asking(10), person(11)]).await;
    office.until_ended(asked).await;
    assert_eq!((by_file(&office), office.files(asked).await.len()), ((1, 3), 1));
    // One order alone is no batch, whatever it asks for.
    let single = office.accept(asking(20)).await;
    office.work().await;
    assert!(office.order(single).await.checks[0].state.binding().is_some());
    assert_eq!(by_file(&office), (1, 4));
}

#[tokio::test]
async fn nobody_stands_in_a_file_twice() {
    let office = Office::with(100, Some(3)).await;
    let batch = office.batch((0..12).map(|number| person(number % 8))).await;
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert_eq!(sizes(&office, batch).await, [4, 8]);
    for file in &office.clerk.books().files {
        let people: std::collections::BTreeSet<_> = file.rows.iter().map(|row| row.identity).collect();
        assert_eq!(people.len(), file.rows.len());
    }
}

#[tokio::test]
async fn what_waits_for_a_file_goes_singly_once_its_vendor_takes_none() {
    let office = Office::with(100, Some(3)).await;
    let batch = office.people(5).await;
    // The same account on a gateway whose adapter sends no files any more.
    let store = office.engine.store();
    assert_eq!(store.kindred(&office.account.key, office.clock().now()).await.expect("read").len(), 1);
    store.part_all_from_kin(&office.account.key, 100, office.clock().now()).await.expect("parted");
    office.until_ended(batch).await;
    assert_eq!(by_file(&office), (0, 5));
}

/// Nothing is known of the call that each stage makes: it was never made, or its answer was never recorded.
#[tokio::test]
async fn crash_at_each_stage_before_the_call_and_after_it_makes_each_object_once() {
    for stage in BulkStage::ALL {
        for mishap in [None, Some(Mishap::LostBefore), Some(Mishap::LostAfter), Some(Mishap::NotSent)] {
            let office = Office::open().await;
            let batch = office.people(4).await;
            office.until_stage(batch, stage).await;
            if let Some(mishap) = mishap {
                office.clerk.books().mishaps.push((stage, mishap));
            } else {
                // The process dies with the call written down.
                let dead = office.another().await;
                while dead.forget_files(&office.account).await.expect("claimed") == 0 {
                    office.clock().advance(Duration::from_secs(10));
                }
            }
            office.until_ended(batch).await;
            office.assert_one_to_one(batch).await;
            assert!(office.cases().await.is_empty(), "{stage:?} {mishap:?}");
            let books = office.clerk.books();
            let started: Vec<_> = books.files.iter().map(|file| file.starts).filter(|starts| *starts > 0).collect();
            assert_eq!(started, [1], "{stage:?} {mishap:?}: {:?}", books.calls);
            assert_eq!(books.objects.iter().filter(|object| object.by_file).count(), 4, "{stage:?} {mishap:?}");
        }
    }
}

#[tokio::test]
async fn crash_at_any_step_of_a_file_makes_each_object_once() {
    let office = Office::open().await;
    let mut batches = Vec::new();
    for steps in 1.. {
        let batch = office.people(3).await;
        batches.push(batch);
        // Killed after so many steps in each of its stages, and taken up by the next process.
        let mut is_through = true;
        for _ in 0..12 {
            let next = office.another().await;
            is_through &= for_polls(steps, next.files(&office.account)).await.is_some();
            office.clock().advance(Duration::from_secs(61));
        }
        if is_through {
            break;
        }
    }
    println!("{} kills", batches.len());
    for batch in &batches {
        office.until_ended(*batch).await;
        office.assert_one_to_one(*batch).await;
    }
    assert!(office.clerk.books().files.iter().all(|file| file.starts <= 1));
}

#[tokio::test]
async fn crash_while_the_rows_are_taken_in_goes_on_where_it_was() {
    let office = Office::open().await;
    // Three chunks of rows, a doubt in each.
    for steps in [60, 250, 600] {
        let batch = office.people(210).await;
        let checks = office.checks(batch).await;
        for at in [5, 105, 205] {
            office.clerk.books().fates.insert(checks[at].reference(), Fate::Forgotten);
        }
        office.until_stage(batch, BulkStage::Read).await;
        let dead = office.another().await;
        for_polls(steps, dead.files(&office.account)).await;
        println!("killed after {steps} steps: {:?}", counts(&office.checks(batch).await));
        office.until_ended(batch).await;
        office.assert_one_to_one(batch).await;
        let mut cases = office.cases().await;
        cases.retain(|case| checks.iter().any(|check| check.id == case.items[0].check_id));
        let items: usize = cases.iter().map(|case| case.items.len()).sum();
        assert_eq!(items, 3, "each in one case");
    }
}

#[tokio::test]
async fn each_row_ends_as_the_report_says() {
    let office = Office::open().await;
    let batch = office.people(10).await;
    let checks = office.checks(batch).await;
    let fates = [Fate::Refused, Fate::Forgotten, Fate::Unclear, Fate::Unreported];
    for (check, fate) in checks.iter().zip(fates) {
        office.clerk.books().fates.insert(check.reference(), fate);
    }
    office.until_stage(batch, BulkStage::Run).await;
    office
        .until(Duration::from_hours(6), "only people can go on", async || {
            let checks = office.checks(batch).await;
            let is_settled = |check: &Check| check.status().is_final() || check.status() == CheckStatus::NeedsReview;
            checks.iter().all(is_settled)
        })
        .await;
    let ended = office.checks(batch).await;
    assert_eq!(ended[0].status(), CheckStatus::Failed);
    assert_eq!(ended[0].state.status_reason().map(|why| why.code.as_str()), Some("row_refused"));
    // It was nowhere, and was sent again alone.
    assert_eq!((ended[1].status(), ended[1].state.sends), (CheckStatus::Completed, 2));
    assert_eq!((ended[2].status(), ended[2].state.sends), (CheckStatus::NeedsReview, 1));
    assert!(ended[4..].iter().all(|check| (check.status(), check.state.sends) == (CheckStatus::Completed, 1)));
    let cases = office.cases().await;
    let case = cases.first().expect("a case");
    assert_eq!((cases.len(), case.items.len(), case.state), (1, 3, CaseState::NeedsReview));
    // Days later it still waits, and nothing was sent behind the people's backs.
    office
        .until(Duration::from_hours(100), "days", async || {
            office.clock().now() > case.opened_at + Duration::from_hours(72)
        })
        .await;
    assert_eq!(office.clerk.books().of(checks[2].reference()).len(), 1);
    // Found by its reference after all, it is bound.
    for object in &mut office.clerk.books().objects {
        object.shows = true;
    }
    office
        .until(Duration::from_hours(48), "found", async || {
            office.checks(batch).await[2].status() == CheckStatus::Completed
        })
        .await;
    office.assert_one_to_one(batch).await;
}

/// The call in doubt took as long as the file ran; the one that sends the row again does not.
#[tokio::test]
async fn a_row_that_is_sent_again_is_looked_for_once_more_as_soon_as_a_single_create() {
    let office = Office::open().await;
    office.clerk.books().works_for = Some(Duration::from_hours(6));
    let batch = office.people(4).await;
    let lost = office.checks(batch).await.remove(0);
    office.clerk.books().fates.insert(lost.reference(), Fate::Forgotten);
    office.until_ended(batch).await;
    let resolved =
        async || office.cases().await.iter().all(|case| !case.items.is_empty() && case.state == CaseState::Resolved);
    office.until(Duration::from_hours(12), "the late scan", resolved).await;
    let case = office.cases().await.remove(0);
    let item = &case.items[0];
    let (resent_at, over) = (item.resent_at.expect("sent again"), case.resolved_at.expect("resolved"));
    assert!(item.late_scanned && over >= resent_at + SETTLE, "not before its window is over");
    assert!(over < resent_at + SETTLE * 2, "{over} is too long after {resent_at}");
}

#[tokio::test]
async fn a_hook_of_a_check_whose_file_is_under_way_is_taken_in_after_it() {
    let office = Office::open().await;
    office.clerk.books().shows = true;
    let batch = office.people(4).await;
    office.until_stage(batch, BulkStage::Run).await;
    let object = office.clerk.books().objects[0].clone();
    let hook = HookRequest {
        headers: http::HeaderMap::new(),
        body: object.id.clone().into_bytes().into(),
        received_at: office.clock().now(),
    };
    office.engine.receive_hook(&office.account.key, hook).await.expect("stored");
    office.work().await;
    assert!(office.checks(batch).await.iter().all(|check| check.status() == CheckStatus::Submitting));
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert!(office.cases().await.is_empty());
}

#[tokio::test]
async fn a_batch_that_is_canceled_before_its_file_is_begun_is_never_begun() {
    for stage in [BulkStage::Create, BulkStage::Upload, BulkStage::Start] {
        let office = Office::open().await;
        let batch = office.people(4).await;
        office.until_stage(batch, stage).await;
        cancel(&office, batch).await;
        office.until_ended(batch).await;
        assert!(office.checks(batch).await.iter().all(|check| check.status() == CheckStatus::Canceled), "{stage:?}");
        let books = office.clerk.books();
        assert_eq!((books.objects.len(), books.stops), (0, 0), "{stage:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_canceled_while_the_vendor_works_on_it_is_stopped_once() {
    for (lost, whole) in [(0, true), (2, true), (0, false)] {
        let office = Office::open().await;
        let batch = office.people(6).await;
        office.until_stage(batch, BulkStage::Run).await;
        if whole {
            cancel(&office, batch).await;
        } else {
            cancel_orders(&office, &office.checks(batch).await).await;
        }
        office.clerk.books().lost_stops = lost;
        office.until_ended(batch).await;
        office.assert_one_to_one(batch).await;
        assert_eq!(office.clerk.books().stops, lost + 1, "asked until it was answered");
        // What was begun went on; the rest was never made.
        let ended = counts(&office.checks(batch).await);
        assert_eq!(ended, BTreeMap::from([("canceled".to_owned(), 3), ("completed".to_owned(), 3)]));
    }
}

#[tokio::test]
async fn one_check_that_is_canceled_stops_no_file() {
    let office = Office::open().await;
    let batch = office.people(4).await;
    office.until_stage(batch, BulkStage::Run).await;
    let checks = office.checks(batch).await;
    cancel_orders(&office, &checks[..1]).await;
    assert_eq!(office.checks(batch).await[0].status(), CheckStatus::Submitting, "it is settled first");
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert_eq!(by_file(&office), (4, 0));
    assert_eq!(office.clerk.books().stops, 0);
    assert!(office.checks(batch).await[0].state.cancel.is_some());
}

#[tokio::test]
async fn a_file_that_cannot_be_begun_is_given_up_and_its_checks_go_singly() {
    let office = Office::open().await;
    let batch = office.people(4).await;
    office.clerk.books().mishaps = vec![(BulkStage::Upload, Mishap::NotSent); 10_000];
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert_eq!(by_file(&office), (0, 4));
    assert!(office.cases().await.is_empty());
    assert!(office.files(batch).await.iter().all(|file| file.ended_at.is_some()));
}

#[tokio::test]
async fn a_file_whose_giving_up_was_cut_short_is_not_begun_with_what_was_given_back() {
    let office = Office::open().await;
    // Three chunks of rows. After the crash the vendor would take the file.
    for steps in [30, 60, 120, 250, 400, 600] {
        let batch = office.people(210).await;
        office.clerk.books().mishaps = vec![(BulkStage::Upload, Mishap::NotSent); 10_000];
        office.until_stage(batch, BulkStage::Upload).await;
        office.clock().advance(Duration::from_hours(3));
        let dead = office.another().await;
        for_polls(steps, dead.files(&office.account)).await;
        println!("killed after {steps} steps: {:?}", counts(&office.checks(batch).await));
        office.clerk.books().mishaps.clear();
        office.until_ended(batch).await;
        office.assert_one_to_one(batch).await;
    }
}

#[tokio::test]
async fn a_file_that_does_not_end_in_time_is_a_matter_for_people_and_still_for_a_late_report() {
    let office = Office::open().await;
    office.clerk.books().works_for = None;
    let batch = office.people(4).await;
    office.until(Duration::from_hours(9 * 24), "people are asked", async || !office.cases().await.is_empty()).await;
    let checks = office.checks(batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::NeedsReview));
    let case = office.cases().await.remove(0);
    assert_eq!((case.why.code.as_str(), case.items.len(), case.state), ("file_overdue", 4, CaseState::NeedsReview));
    assert_eq!(office.engine.find_dead_calls().await.expect("found"), 0, "nothing is found dead twice");
    office.clerk.books().works_for = Some(Duration::ZERO);
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    office
        .until(Duration::from_hours(48), "the case closes", async || {
            office.cases().await.iter().all(|case| case.state == CaseState::Resolved)
        })
        .await;
    assert!(office.cases().await[0].items.iter().all(|item| item.state == ItemState::Bound));
}

#[tokio::test]
async fn a_pause_begins_no_file_and_follows_those_that_were_begun() {
    let office = Office::open().await;
    let begun = office.people(4).await;
    office.until_stage(begun, BulkStage::Run).await;
    let waits = office.batch((10..14).map(person)).await;
    let mut tx = office.engine.store().begin().await.expect("a transaction");
    let key = &office.account.key;
    office.engine.pause(&mut tx, &key.provider, "ops", None).await.expect("paused");
    tx.save().await.expect("saved");
    office.clock().advance(Duration::from_secs(1));
    office.until_ended(begun).await;
    office.assert_one_to_one(begun).await;
    assert!(office.checks(waits).await.iter().all(|check| check.status() == CheckStatus::Queued));
}

#[tokio::test]
async fn two_processes_at_once_make_each_object_once() {
    let office = Office::with(20, Some(3)).await;
    let other = office.another().await;
    let batch = office.people(90).await;
    for _ in 0..200 {
        let (one, two) = tokio::join!(office.engine.files(&office.account), other.files(&office.account));
        if one.expect("done") + two.expect("done") == 0 {
            office.clock().advance(Duration::from_secs(10));
        }
    }
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert!(office.clerk.books().files.iter().all(|file| file.starts <= 1));
    for check in office.checks(batch).await {
        let mut tx = office.engine.store().begin().await.expect("a transaction");
        let events = tx.orders().events(&Scope::All, check.order_id, 50, None).await.expect("read");
        let submitted = events.iter().filter(|stored| stored.event.kind == EventType::CheckSubmitted).count();
        assert_eq!((submitted, check.state.sends), (1, 1));
    }
}

/// What a worker that was only slow wants to write down, when another has taken the file over, does not count.
#[tokio::test]
async fn a_call_that_outlives_its_lease_undoes_nothing() {
    let office = Office::open().await;
    let batch = office.people(4).await;
    office.until_stage(batch, BulkStage::Start).await;
    let now = office.clock().now();
    let store = office.engine.store();
    let claims = store.claim_files(&office.account.key, 1, true, now, now + SETTLE).await.expect("claimed");
    let slow = claims.into_iter().next().expect("a file").1.expect("readable");
    office.clock().advance(SETTLE * 2);
    office.until_stage(batch, BulkStage::Run).await;
    let news = store::FileNews {
        stage: BulkStage::Create,
        entered_at: now,
        memory: None,
        vendor_batch_id: None,
        doubtful_since: None,
        tries: 0,
        stop: store::Stop::default(),
        due_at: now,
    };
    let mut tx = store.begin().await.expect("a transaction");
    assert!(!tx.vendor_files().record(slow.submission, slow.call, &news).await.expect("asked"));
    assert!(!tx.vendor_files().hold(slow.submission, slow.call, now).await.expect("asked"));
    drop(tx);
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
}

#[tokio::test]
async fn a_machine_that_slept_through_its_lease_does_not_make_the_call() {
    let office = Office::open().await;
    let batch = office.people(4).await;
    office.until_stage(batch, BulkStage::Start).await;
    let calls = office.clerk.books().calls.len();
    // The worker has claimed the file, and cannot read its checks yet.
    let mut orders = holding(&office.world, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE".to_owned()).await;
    let (engine, account) = (office.another().await, office.account.clone());
    let worker = tokio::spawn(async move { engine.files(&account).await.expect("worked") });
    until_somebody_waits(&office.world, &mut orders).await;
    // Its monotonic clock stands still meanwhile, the other one does not.
    office.clock().advance(Duration::from_hours(1));
    release(orders).await;
    assert_eq!((worker.await.expect("ended"), office.clerk.books().calls.len()), (1, calls));
    office.until_ended(batch).await;
    office.assert_one_to_one(batch).await;
    assert!(office.clerk.books().files.iter().all(|file| file.starts == 1));
}
