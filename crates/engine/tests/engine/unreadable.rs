//! Rows that cannot be read or written: what is wrong with one order is not the others' trouble.

use std::time::Duration;

use domain::{BatchId, Case, CaseState, CheckId, CheckStatus, OrderId};
use engine::{Choice, Resolution, ResolveError};
use sandbox::{Fault, FaultKind};
use sqlx::{Connection as _, Executor as _, PgConnection};
use store::{Scope, StoreError};

use crate::world::{Options, World, draft, orders_of};

async fn sql(world: &World, statement: String) {
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    raw.execute(sqlx::AssertSqlSafe(statement)).await.expect("done");
}

/// Changes a sealed column, so that it cannot be opened any more.
async fn spoil(world: &World, order: OrderId) {
    sql(world, format!(r"UPDATE orders SET input = '\x00' || input WHERE id = '{}'", order.uuid())).await;
}

async fn mend(world: &World, order: OrderId) {
    sql(world, format!("UPDATE orders SET input = substring(input FROM 2) WHERE id = '{}'", order.uuid())).await;
}

async fn resend(world: &World, case: &Case, check: CheckId) -> Result<(), ResolveError> {
    let resolution = Resolution {
        actor: "ops".into(),
        note: None,
        items: vec![(check, Choice::Resend)],
        cancel_vendor_orders: Vec::new(),
    };
    let vetted = world.engine.vet(&Scope::All, case.id, &resolution).await.expect("vetted").expect("the case");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.resolve(&mut tx, &Scope::All, case.id, &resolution, &vetted).await?;
    tx.save().await.expect("saved");
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The call's answer; the order could be read until then.
    Answer,
    /// The process, before the call.
    Process,
    /// Nothing but the order.
    Nothing,
}

/// A batch of five in one call, and one of its orders that cannot be read from then on.
async fn spoiled(world: &World, lost: Lost) -> (BatchId, OrderId) {
    let batch = world.accept_batch("acme", (0..5).map(|number| draft("theary", number))).await;
    let bad = orders_of(world, batch).await[2].id;
    let (account, control) = (world.account("theary"), world.vendor("theary").control());
    match lost {
        Lost::Answer => {
            control.arm(Fault::new("batch", FaultKind::DropAfter));
            world.engine.dispatch(&account, 1).await.expect("dispatched");
            spoil(world, bad).await;
        }
        Lost::Process => {
            world.another(&Options::default()).await.forget_a_ticket(&account).await;
            spoil(world, bad).await;
        }
        Lost::Nothing => {
            control.arm(Fault::new("batch", FaultKind::Delay).delay(Duration::from_secs(2)));
            let meanwhile = async {
                while world.wire.count() == 0 {
                    tokio::task::yield_now().await;
                }
                spoil(world, bad).await;
            };
            let (sent, ()) = tokio::join!(world.engine.dispatch(&account, 1), meanwhile);
            assert_eq!(sent.expect("dispatched"), 1);
        }
    }
    (batch, bad)
}

#[tokio::test]
async fn an_order_that_cannot_be_read_holds_up_no_other_of_its_call() {
    for lost in [Lost::Answer, Lost::Process, Lost::Nothing] {
        let world = World::new().await;
        let (batch, bad) = spoiled(&world, lost).await;
        world
            .work_until(Duration::from_hours(12), "the others have ended", async || {
                world.batch(batch).await.counts.of(CheckStatus::Completed) == 4
            })
            .await;
        let case = world.cases().await.remove(0);
        let item = case.items.iter().find(|item| item.order_id == bad).expect("the bad one");
        let review = item.review.as_ref().map(|why| why.code.as_str());
        assert_eq!((case.state, review), (CaseState::NeedsReview, Some("order_unreadable")), "{lost:?}");
        let refused = resend(&world, &case, item.check_id).await.expect_err("its order cannot be read");
        assert!(matches!(refused, ResolveError::Store(StoreError::Corrupt(_))), "{refused}");

        // With nothing left to look for that could be recognised, the vendor is not asked, and hardly the database.
        let lists = world.books("theary").calls_of("list");
        let mut tries = 0;
        for _ in 0..60 {
            while world.engine.reconcile().await.expect("reconciled") > 0 {
                tries += 1;
            }
            world.clock.advance(Duration::from_secs(10));
        }
        assert!(tries <= 15, "{lost:?}: {tries} times in ten minutes");
        assert_eq!(world.books("theary").calls_of("list"), lists, "{lost:?}");

        // The scans of others do not look for it: they prove nothing of its absence.
        world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropBefore));
        let other = world.accept(draft("theary", 9)).await;
        world.work_until_settled(&[other]).await;
        mend(&world, bad).await;
        world.engine.scan_now(&Scope::All, case.id).await.expect("scanned").expect("the case");
        world.engine.scan_now(&Scope::All, case.id).await.expect("scanned").expect("the case");
        if lost == Lost::Process {
            let order = world.order(bad).await;
            assert_eq!(order.checks[0].status(), CheckStatus::NeedsReview);
            resend(&world, &case, order.checks[0].id).await.expect("resolved");
        }
        world.work_until_batch_ends(batch).await;
        for order in orders_of(&world, batch).await {
            let check = &order.checks[0];
            assert_eq!(check.status(), CheckStatus::Completed, "{lost:?}");
            let (books, reference) = (world.books("theary"), check.reference().to_string());
            assert_eq!(books.with_reference(&reference).count(), 1, "{lost:?}: made once");
            assert_eq!(check.state.sends, if lost == Lost::Process { 2 } else { 1 }, "{lost:?}");
        }
    }
}

#[tokio::test]
async fn a_case_that_cannot_be_decided_is_put_off_and_the_others_are_decided() {
    let world = World::new().await;
    let account = world.account("theary");
    for _ in 0..2 {
        world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropAfter));
    }
    let (bad, good) = (world.accept(draft("theary", 0)).await, world.accept(draft("theary", 1)).await);
    world.engine.dispatch(&account, 2).await.expect("dispatched");
    sql(
        &world,
        format!(
            "ALTER TABLE checks ADD CONSTRAINT stuck CHECK (order_id <> '{}' OR vendor_order_id IS NULL)",
            bad.uuid()
        ),
    )
    .await;
    let mut tries = 0;
    for _ in 0..60 {
        while world.engine.reconcile().await.expect("reconciled") > 0 {
            tries += 1;
        }
        world.clock.advance(Duration::from_secs(10));
    }
    assert!((5..=15).contains(&tries), "{tries} times in ten minutes");
    assert!(world.order(good).await.checks[0].state.binding().is_some());
    assert_eq!(world.order(bad).await.checks[0].status(), CheckStatus::Unconfirmed);
    sql(&world, "ALTER TABLE checks DROP CONSTRAINT stuck".to_owned()).await;
    world.work_until_settled(&[good, bad]).await;
    assert_eq!(world.books("theary").objects.len(), 2);
}

#[tokio::test]
async fn a_case_that_cannot_be_read_holds_up_no_other_of_its_account_and_is_not_decided_by_scans_without_it() {
    let world = World::new().await;
    let account = world.account("theary");
    let in_doubt = async |number| {
        world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropBefore));
        let id = world.accept(draft("theary", number)).await;
        world.engine.dispatch(&account, 1).await.expect("dispatched");
        id
    };
    let bad = in_doubt(0).await;
    let case = world.cases().await.remove(0).id;
    sql(&world, format!(r"UPDATE cases SET details = '\x00' || details WHERE id = '{}'", case.uuid())).await;
    let mut tries = 0;
    for _ in 0..60 {
        while world.engine.reconcile().await.expect("reconciled") > 0 {
            tries += 1;
        }
        world.clock.advance(Duration::from_secs(10));
    }
    assert!((5..=15).contains(&tries), "{tries} times in ten minutes");
    assert_eq!(world.books("theary").calls_of("list"), 0, "there is nothing to look for");

    // Its settle window would be long over, and complete scans follow.
    let good = in_doubt(1).await;
    world
        .work_until(Duration::from_hours(12), "the other was looked for and sent again", async || {
            world.order(good).await.checks[0].status() == CheckStatus::Completed
        })
        .await;
    assert!(world.books("theary").calls_of("list") >= 2);
    sql(&world, format!("UPDATE cases SET details = substring(details FROM 2) WHERE id = '{}'", case.uuid())).await;
    world.engine.scan_now(&Scope::All, case).await.expect("scanned").expect("the case");
    let check = world.order(bad).await.checks.remove(0);
    assert_eq!((check.status(), check.state.sends), (CheckStatus::Unconfirmed, 1), "nobody has looked for it yet");
    world.work_until_settled(&[bad]).await;
    assert_eq!(world.order(bad).await.checks[0].state.sends, 2);
    assert_eq!(world.books("theary").objects.len(), 2);
}
