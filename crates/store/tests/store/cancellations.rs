use domain::{CaseId, News, Reference, VendorRef};
use store::{Cancellation, ObjectCancel, OrphanFilter, Plan};

use crate::support::{Bench, Standstill, account, at, bind};

/// An order whose check is bound to `bound`, and a case about it.
async fn bound(bench: &Bench) -> (Reference, CaseId) {
    let order = bench.order_of("acme", at(0), 1);
    bench.insert(&order).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let check = order.checks[0].id;
    let events = bind(&mut order, bench.submission_id(), "bound", at(1));
    tx.orders().save(&order, &[Plan { check_id: check, work: None }], &events).await.unwrap();
    tx.save().await.unwrap();
    (Reference::first(check), CaseId::generate(&Standstill(at(1)), &*bench.entropy))
}

async fn claimed(bench: &Bench, now: u64) -> Vec<Cancellation> {
    bench.store.claim_cancellations(&account(), 9, at(now), at(now + 60)).await.unwrap()
}

async fn cancel_of(bench: &Bench, vendor_order_id: &str) -> Option<ObjectCancel> {
    let mut tx = bench.store.begin().await.unwrap();
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 9, None).await.unwrap();
    orphans.into_iter().find(|orphan| orphan.vendor_order_id == vendor_order_id).expect("the object").cancel
}

#[tokio::test]
async fn a_duplicate_is_asked_for_until_the_vendor_has_answered() {
    let bench = Bench::new().await;
    let (reference, case) = bound(&bench).await;
    let mut tx = bench.store.begin().await.unwrap();
    assert!(tx.vendor_objects().add_duplicate(&account(), "twice", reference, case, at(10), true).await.unwrap());
    assert!(tx.vendor_objects().add_duplicate(&account(), "kept", reference, case, at(10), false).await.unwrap());
    tx.save().await.unwrap();
    assert_eq!(claimed(&bench, 9).await, []);
    let expected = Cancellation { vendor_order_id: "twice".into(), case: Some(case), actor: "vetgate".into() };
    assert_eq!(claimed(&bench, 10).await, std::slice::from_ref(&expected));

    // Nobody answered: a minute after the lease, then two, and so on.
    for (asked, due) in [(10, 130), (130, 310), (310, 610)] {
        assert_eq!(bench.store.next_due(at(asked)).await.unwrap(), Some(at(due)));
        assert_eq!(claimed(&bench, due - 1).await, []);
        assert_eq!(claimed(&bench, due).await, std::slice::from_ref(&expected), "due at {due}");
    }
    for _ in 0..40 {
        let due = bench.store.next_due(at(610)).await.unwrap().expect("it stays wanted");
        let lease = due + std::time::Duration::from_mins(1);
        assert_eq!(bench.store.claim_cancellations(&account(), 9, due, lease).await.unwrap().len(), 1);
        let wait = bench.store.next_due(due).await.unwrap().expect("it stays wanted").since(lease);
        assert!(wait <= std::time::Duration::from_hours(6), "{wait:?}");
    }
    assert_eq!(cancel_of(&bench, "twice").await, Some(ObjectCancel::Wanted));
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_objects().cancel_answered(&account(), "twice", ObjectCancel::Canceled, at(700)).await.unwrap();
    assert!(tx.vendor_objects().cancel_answered(&account(), "twice", ObjectCancel::Refused, at(701)).await.is_err());
    drop(tx);
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_objects().cancel_answered(&account(), "twice", ObjectCancel::Canceled, at(700)).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(cancel_of(&bench, "twice").await, Some(ObjectCancel::Canceled));
    assert_eq!(claimed(&bench, 999_999).await, []);
    assert_eq!(cancel_of(&bench, "kept").await, None);
}

#[tokio::test]
async fn an_operator_may_want_duplicates_canceled_and_a_refused_one_again() {
    let bench = Bench::new().await;
    let (reference, case) = bound(&bench).await;
    let names = ["twice", "stranger", "bound", "nowhere"].map(str::to_owned);
    let want = async |actor: &str| {
        let mut tx = bench.store.begin().await.unwrap();
        let wanted = tx.vendor_objects().want_canceled(&account(), &names, actor).await.unwrap();
        tx.save().await.unwrap();
        wanted
    };
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_objects().add_duplicate(&account(), "twice", reference, case, at(5), false).await.unwrap();
    tx.vendor_objects().add_orphan(&account(), "stranger", None, None, at(5)).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(want("ops@acme").await, 1, "a duplicate, and nothing else");
    assert_eq!(want("ops@late").await, 0);
    let taken = claimed(&bench, 6).await;
    assert_eq!(
        taken.iter().map(|one| (one.vendor_order_id.as_str(), one.actor.as_str())).collect::<Vec<_>>(),
        [("twice", "ops@acme")]
    );
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_objects().cancel_answered(&account(), "twice", ObjectCancel::Refused, at(7)).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(cancel_of(&bench, "twice").await, Some(ObjectCancel::Refused));
    assert_eq!(want("ops@late").await, 1);
    assert_eq!(claimed(&bench, 8).await[0].actor, "ops@late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_canceled_that_may_be_the_one_in_use() {
    let bench = Bench::new().await;
    let (reference, case) = bound(&bench).await;
    let waiting = bench.order_of("acme", at(0), 1);
    bench.insert(&waiting).await;
    let in_doubt = Reference::first(waiting.checks[0].id);
    let mut tx = bench.store.begin().await.unwrap();
    tx.vendor_objects().add_duplicate(&account(), "bound", reference, case, at(5), true).await.unwrap();
    tx.vendor_objects().add_duplicate(&account(), "maybe", in_doubt, case, at(5), true).await.unwrap();
    tx.vendor_objects().add_duplicate(&account(), "twice", reference, case, at(5), true).await.unwrap();
    tx.save().await.unwrap();
    let taken = claimed(&bench, 9).await;
    assert_eq!(taken.iter().map(|one| one.vendor_order_id.as_str()).collect::<Vec<_>>(), ["twice"]);

    // Bound to another object by position alone: it may still turn out to be this one.
    let mut provisional = true;
    for (now, expected) in [(10, &[][..]), (20, &["maybe"][..])] {
        let mut tx = bench.store.begin().await.unwrap();
        let mut waiting = tx.orders().lock(waiting.id).await.unwrap().unwrap();
        let submission = bench.submission_id();
        let check = waiting.checks[0].id;
        let events = if provisional {
            let mut events = waiting.tell(check, &News::Sending { submission }, at(now));
            let vendor = VendorRef::order("other");
            events.extend(waiting.tell(
                check,
                &News::Accepted { submission, vendor, provisional, at: at(now) },
                at(now),
            ));
            events
        } else {
            waiting.tell(
                check,
                &News::Confirmed { vendor: VendorRef { order_id: "other".into(), check_id: Some("s".into()) } },
                at(now),
            )
        };
        tx.orders().save(&waiting, &[Plan { check_id: check, work: None }], &events).await.unwrap();
        tx.save().await.unwrap();
        let taken = claimed(&bench, now).await;
        let taken: Vec<_> = taken.iter().map(|one| one.vendor_order_id.as_str()).filter(|id| *id != "twice").collect();
        assert_eq!(taken, expected);
        provisional = false;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_an_object_holds_it_alone() {
    let bench = Bench::new().await;
    let mut first = bench.store.begin().await.unwrap();
    first.vendor_objects().lock_object(&account(), "v1").await.unwrap();
    first.vendor_objects().lock_object(&account(), "v1").await.unwrap();
    let mut elsewhere = bench.store.begin().await.unwrap();
    elsewhere.vendor_objects().lock_object(&account(), "v2").await.unwrap();
    elsewhere.save().await.unwrap();

    let store = bench.store.clone();
    let second = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        tx.vendor_objects().lock_object(&account(), "v1").await.unwrap();
        tx.save().await.unwrap();
    });
    let mut raw = bench.raw().await;
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut raw).await.unwrap() == 0 {
        assert!(!second.is_finished(), "two hold it");
        tokio::task::yield_now().await;
    }
    first.save().await.unwrap();
    second.await.unwrap();
}
