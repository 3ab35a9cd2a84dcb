//! Results that are verified again at Truework, which is told a report's id and nothing of ours: what the gateway believes
//! afterwards, beside the vendor's books.

use std::time::Duration;

use domain::{
    CaseState, Check, CheckId, CheckResult, CheckStatus, EventType, ItemState, Order, OrderId, Reason, TenantId, Wish,
};
use engine::{CancelDuplicates, Choice, Engine, IfUnavailable, Resolution, ResolveError, ReverifyError, ReverifyWish};
use sandbox::{BookEntry, Fault, FaultKind};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use store::{OrphanFilter, OrphanKind, Scope};
use truework::Version;

use crate::monitors::{DAY, monitor, order_of, runs};
use crate::world::{Options, World, draft};

/// An order with a completed employment verification at Truework.
async fn completed(world: &World) -> Order {
    let id = world.accept(draft("truework", 0)).await;
    world.work_until_settled(&[id]).await;
    world.order(id).await
}

async fn world() -> (World, Order) {
    of(Options::default()).await
}

async fn of(options: Options) -> (World, Order) {
    let world = World::with(options).await;
    let first = completed(&world).await;
    (world, first)
}

async fn try_to_reverify(engine: &Engine, first: OrderId, wish: ReverifyWish) -> Result<Order, ReverifyError> {
    let mut tx = engine.store().begin().await.expect("a transaction");
    let order = engine.reverify(&mut tx, &Scope::All, first, wish).await?.expect("the order");
    tx.save().await.expect("saved");
    Ok(order)
}

/// Accepts a reverification of every result; nothing is sent yet.
async fn accepted(world: &World, first: &Order) -> OrderId {
    try_to_reverify(&world.engine, first.id, ReverifyWish::default()).await.expect("accepted").id
}

async fn check(world: &World, id: OrderId) -> Check {
    world.order(id).await.checks.remove(0)
}

async fn settled(world: &World, id: OrderId) -> Check {
    world.work_until_settled(&[id]).await;
    check(world, id).await
}

fn bound(check: &Check) -> &str {
    &check.state.binding().expect("bound").vendor.order_id
}

/// What the vendor made besides the earlier order, oldest first.
fn made_since(world: &World, first: &Order) -> Vec<BookEntry> {
    let parent = bound(&first.checks[0]).to_owned();
    world.books("truework").objects.into_iter().filter(|object| object.id != parent).collect()
}

/// Arms a fault for the call, makes it, and leaves the doubt.
async fn in_doubt(world: &World, first: &Order, kind: FaultKind) -> OrderId {
    let id = accepted(world, first).await;
    world.vendor("truework").control().arm(Fault::new("reverify", kind).status(502));
    world.engine.dispatch(&world.account("truework"), 1).await.expect("dispatched");
    assert_eq!(check(world, id).await.status(), CheckStatus::Unconfirmed);
    id
}

/// Somebody verifies the same report again by hand, at the vendor.
fn by_hand(world: &World) -> String {
    world.vendor("truework").control().make_strangers(1, &json!({})).remove(0)
}

async fn review(world: &World) -> String {
    let case = world.cases().await.remove(0);
    assert_eq!(case.state, CaseState::NeedsReview);
    case.items[0].review.clone().expect("a question").code
}

async fn decide(world: &World, check: CheckId, choice: Choice) -> Result<(), ResolveError> {
    let case = world.cases().await.into_iter().find(|case| case.items[0].check_id == check).expect("a case");
    let (items, actor) = (vec![(check, choice)], "olga".to_owned());
    let resolution = Resolution { items, cancel_vendor_orders: Vec::new(), note: None, actor };
    let vetted = world.engine.vet(&Scope::All, case.id, &resolution).await?.expect("the case");
    let mut tx = world.engine.store().begin().await?;
    world.engine.resolve(&mut tx, &Scope::All, case.id, &resolution, &vetted).await?.expect("the case");
    Ok(tx.save().await?)
}

fn bind(vendor_order_id: &str) -> Choice {
    Choice::Bind { vendor_order_id: vendor_order_id.to_owned() }
}

async fn sql(world: &World, statement: String) {
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    raw.execute(sqlx::AssertSqlSafe(statement)).await.expect("done");
}

#[tokio::test]
async fn a_result_is_verified_again_by_its_report_and_nothing_of_ours_travels() {
    let (world, first) = world().await;
    let id = accepted(&world, &first).await;
    let again = settled(&world, id).await;
    let order = world.order(id).await;
    assert_eq!((order.parent_order_id, order.tenant.as_str()), (Some(first.id), "acme"));
    assert_eq!(order.external_id, first.external_id);
    assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 1));
    assert!(matches!(again.state.result(), Some(CheckResult::Verification(_))));
    assert!(!again.state.binding().expect("bound").provisional, "the vendor names the parent");
    let books = world.books("truework");
    assert_eq!((books.calls_of("create"), books.calls_of("reverify")), (1, 1));
    let made = made_since(&world, &first);
    assert_eq!((made.len(), made[0].id.as_str()), (1, bound(&again)));
    assert!(made[0].references.is_empty(), "{:?}", made[0]);
    assert!(world.cases().await.is_empty(), "nothing was in doubt");
}

#[tokio::test]
async fn older_versions_show_the_lower_price_and_the_result_is_not_held_for_ever() {
    let (world, first) = of(Options { truework_version: Version::V2022_08_01, ..Options::default() }).await;
    let id = accepted(&world, &first).await;
    let again = settled(&world, id).await;
    assert!(again.state.binding().expect("bound").provisional, "nothing ever shows whose it is");
    let price = |check: &Check| {
        let Some(CheckResult::Verification(found)) = check.state.result() else { panic!("no result") };
        found.price.as_ref().map(|price| price.amount.parse::<f64>().expect("an amount")).expect("a price")
    };
    assert!(price(&again) < price(&first.checks[0]));
    assert_eq!(made_since(&world, &first).len(), 1);
    let accounts = world.engine.store().accounts().await.expect("read");
    assert!(accounts.iter().any(|account| account.echoes), "references are given back in this account");
}

#[tokio::test]
async fn an_answer_without_the_parent_is_confirmed_by_the_look_that_shows_it() {
    for hides_for_good in [false, true] {
        let (world, first) = world().await;
        let control = world.vendor("truework").control();
        control.set_behavior(json!({ "hide_parent": true })).expect("a switch");
        let id = accepted(&world, &first).await;
        world.engine.dispatch(&world.account("truework"), 1).await.expect("dispatched");
        assert!(check(&world, id).await.state.binding().expect("bound").provisional);
        control.set_behavior(json!({ "hide_parent": hides_for_good })).expect("a switch");
        let again = settled(&world, id).await;
        assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 1));
        assert_eq!(again.state.binding().expect("bound").provisional, hides_for_good);
        assert!(world.cases().await.is_empty(), "nothing was in doubt");
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_by_the_parent_and_not_asked_for_again() {
    for kind in [FaultKind::DropAfter, FaultKind::Truncate, FaultKind::Garbage, FaultKind::StatusAfter] {
        let (world, first) = world().await;
        let id = in_doubt(&world, &first, kind).await;
        let again = settled(&world, id).await;
        assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 1), "{kind:?}");
        let made = made_since(&world, &first);
        assert_eq!((made.len(), made[0].id.as_str()), (1, bound(&again)), "{kind:?}");
        assert_eq!(world.books("truework").calls_of("reverify"), 1);
        let case = world.cases().await.remove(0);
        assert_eq!((case.state, case.items[0].state), (CaseState::Resolved, ItemState::Bound));
    }
}

#[tokio::test]
async fn a_call_that_never_arrived_is_made_again_once_absence_is_shown() {
    for kind in [FaultKind::DropBefore, FaultKind::StatusBefore] {
        let (world, first) = world().await;
        let id = in_doubt(&world, &first, kind).await;
        let again = settled(&world, id).await;
        assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 2), "{kind:?}");
        assert_eq!(made_since(&world, &first).len(), 1, "{kind:?}");
        let case = world.cases().await.remove(0);
        assert!(case.state == CaseState::Resolved && case.items[0].late_scanned);
        assert!(again.state.submitted_at.expect("submitted") >= case.window_ends_at);
    }
}

#[tokio::test]
async fn a_process_that_dies_before_or_in_the_call_leaves_one_object_in_the_end() {
    for dies_in_the_call in [false, true] {
        let (world, first) = world().await;
        let id = accepted(&world, &first).await;
        let (account, dead) = (world.account("truework"), world.another(&Options::default()).await);
        if dies_in_the_call {
            let control = world.vendor("truework").control();
            control.arm(Fault::new("reverify", FaultKind::Stall));
            let arrives = async {
                while made_since(&world, &first).is_empty() || !control.armed().is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = arrives => {}
                sent = dead.dispatch(&account, 1) => panic!("the call ended: {sent:?}"),
            }
        } else {
            dead.forget_a_ticket(&account).await;
        }
        assert_eq!(check(&world, id).await.status(), CheckStatus::Submitting);
        let again = settled(&world, id).await;
        let sends = if dies_in_the_call { 1 } else { 2 };
        assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, sends));
        let made = made_since(&world, &first);
        assert_eq!((made.len(), made[0].id.as_str()), (1, bound(&again)));
        assert_eq!(world.cases().await[0].why.code, "process_died");
    }
}

#[tokio::test]
async fn of_two_nobody_can_tell_and_a_person_binds() {
    let (world, first) = of(Options { cancel_duplicates: CancelDuplicates::Auto, ..Options::default() }).await;
    let other = completed(&world).await;
    let others = accepted(&world, &other).await;
    let others = settled(&world, others).await;
    let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
    let ours = made_since(&world, &first).pop().expect("made").id;
    let stranger = by_hand(&world);

    let doubted = settled(&world, id).await;
    assert_eq!((doubted.status(), doubted.state.sends), (CheckStatus::NeedsReview, 1));
    assert_eq!(review(&world).await, "cannot_be_told_apart");
    // However long it takes, it is neither made again nor canceled, nor guessed.
    for _ in 0..3 {
        world.clock.advance(DAY);
        while world.work().await > 0 {}
    }
    assert_eq!(check(&world, id).await.status(), CheckStatus::NeedsReview);
    assert_eq!(world.books("truework").calls_of("reverify"), 2);
    assert!(world.books("truework").objects.iter().all(|object| !object.canceled));

    let taken = decide(&world, doubted.id, bind(bound(&others))).await.expect_err("another check's");
    assert!(matches!(taken, ResolveError::Foreign { .. }), "{taken}");
    decide(&world, doubted.id, bind(&ours)).await.expect("bound by hand");
    let again = settled(&world, id).await;
    assert_eq!((again.status(), bound(&again), again.state.sends), (CheckStatus::Completed, ours.as_str(), 1));
    assert_ne!(ours, stranger);
}

#[tokio::test]
async fn what_comes_from_another_order_is_not_bound_by_hand_either() {
    let (world, first) = world().await;
    let other = completed(&world).await;
    let lost = in_doubt(&world, &other, FaultKind::DropAfter).await;
    let of_other = made_since(&world, &first).pop().expect("made").id;
    let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
    let ours = check(&world, id).await.id;
    let refused = decide(&world, ours, bind(&of_other)).await.expect_err("it shows another parent");
    assert!(matches!(refused, ResolveError::Foreign { .. }), "{refused}");
    // Each is found by its own parent, side by side.
    let (one, two) = (settled(&world, id).await, settled(&world, lost).await);
    assert_eq!((one.state.sends, two.state.sends, bound(&two)), (1, 1, of_other.as_str()));
    assert_ne!(bound(&one), bound(&two));
}

#[tokio::test]
async fn an_earlier_reverification_is_no_candidate() {
    let (world, first) = world().await;
    let earlier = accepted(&world, &first).await;
    let earlier = settled(&world, earlier).await;
    let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
    let again = settled(&world, id).await;
    assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 1));
    assert_ne!(bound(&again), bound(&earlier));
    // Nor where nothing was made.
    let id = in_doubt(&world, &first, FaultKind::DropBefore).await;
    let third = settled(&world, id).await;
    assert_eq!((third.status(), third.state.sends), (CheckStatus::Completed, 2));
    assert_eq!(made_since(&world, &first).len(), 3);
}

#[tokio::test]
async fn what_cannot_be_recognized_is_for_a_person_and_never_asked_for_again() {
    let older = || Options { truework_version: Version::V2020_12_07, ..Options::default() };
    for (options, hides) in [(older(), false), (Options::default(), true)] {
        let (world, first) = of(options).await;
        world.vendor("truework").control().set_behavior(json!({ "hide_parent": hides })).expect("a switch");
        let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
        let doubted = settled(&world, id).await;
        assert_eq!((doubted.status(), doubted.state.sends), (CheckStatus::NeedsReview, 1));
        assert_eq!(review(&world).await, "not_recognizable");
        // A check beside it that carries a reference is settled as ever.
        world.vendor("truework").control().arm(Fault::new("create", FaultKind::DropBefore));
        let beside = world.accept(draft("truework", 1)).await;
        assert_eq!(settled(&world, beside).await.status(), CheckStatus::Completed);
        assert_eq!(world.books("truework").calls_of("reverify"), 1);

        decide(&world, doubted.id, bind(&made_since(&world, &first)[0].id)).await.expect("bound by hand");
        assert_eq!(settled(&world, id).await.status(), CheckStatus::Completed);
    }
}

#[tokio::test]
async fn a_sweep_hides_nothing_from_whom_it_may_belong_to() {
    let (world, first) = world().await;
    let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
    let ours = made_since(&world, &first)[0].id.clone();
    world.clock.advance(DAY + Duration::from_mins(10));
    assert!(world.engine.sweep(&world.account("truework")).await.expect("swept"));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 50, None).await.expect("read");
    assert_eq!((orphans.len(), orphans[0].vendor_order_id.as_str()), (1, ours.as_str()));
    drop(tx);
    let again = settled(&world, id).await;
    assert_eq!((again.status(), bound(&again), again.state.sends), (CheckStatus::Completed, ours.as_str(), 1));
}

#[tokio::test]
async fn one_that_shows_up_after_the_resend_is_told_of_and_canceled_by_nobody() {
    // The vendor lists new orders only long after it made them: longer than the settle window.
    let options =
        Options { settle: Duration::from_mins(1), cancel_duplicates: CancelDuplicates::Auto, ..Options::default() };
    let (world, first) = of(options).await;
    world.vendor("truework").control().set_behavior(json!({ "list_lag_ms": 100_000 })).expect("a switch");
    let id = in_doubt(&world, &first, FaultKind::DropAfter).await;
    let again = settled(&world, id).await;
    assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 2));
    let late = made_since(&world, &first).remove(0);
    assert!(late.id != bound(&again) && !late.canceled);
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 50, None).await.expect("read");
    assert_eq!((orphans.len(), orphans[0].vendor_order_id.as_str()), (1, late.id.as_str()));
    assert_eq!(
        (orphans[0].kind, orphans[0].check_id, orphans[0].cancel),
        (OrphanKind::Duplicate, Some(again.id), None)
    );
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    assert!(events.iter().any(|event| event.event.kind == EventType::ReconciliationDuplicateFound));
}

#[tokio::test]
async fn an_answer_with_another_checks_order_is_not_believed() {
    let (world, first) = world().await;
    let earlier = accepted(&world, &first).await;
    let earlier = settled(&world, earlier).await;
    // The call is carried out, and what is answered is the earlier one.
    let parent = bound(&first.checks[0]);
    let body = json!({ "id": bound(&earlier), "reverification": { "parent_order_id": parent } }).to_string();
    let fault = Fault { body: Some(body), ..Fault::new("reverify", FaultKind::Garbage) };
    world.vendor("truework").control().arm(fault);
    let id = accepted(&world, &first).await;
    world.engine.dispatch(&world.account("truework"), 1).await.expect("dispatched");
    assert_eq!(check(&world, id).await.state.status_reason().expect("why").code, "answer_of_another_check");
    let again = settled(&world, id).await;
    assert_eq!((again.status(), again.state.sends), (CheckStatus::Completed, 1));
    assert_ne!(bound(&again), bound(&earlier));
}

#[tokio::test]
async fn a_check_is_verified_again_once_at_a_time() {
    let (world, first) = world().await;
    let open = accepted(&world, &first).await;
    let taken = try_to_reverify(&world.engine, first.id, ReverifyWish::default()).await.expect_err("one is open");
    assert!(matches!(taken, ReverifyError::Taken { order, check } if order == open && check == first.checks[0].id));
    settled(&world, open).await;
    // Two at once, in two processes.
    let other = world.another(&Options::default()).await;
    let wish = ReverifyWish::default;
    let both =
        tokio::join!(try_to_reverify(&world.engine, first.id, wish()), try_to_reverify(&other, first.id, wish()),);
    let ((Ok(made), Err(taken)) | (Err(taken), Ok(made))) = both else { panic!("one of them wins: {both:?}") };
    assert!(matches!(taken, ReverifyError::Taken { order, .. } if order == made.id), "{taken}");
}

#[tokio::test]
async fn what_the_vendor_does_not_verify_again_is_ordered_like_the_first_or_refused() {
    let (world, first) = world().await;
    world.clock.advance(91 * DAY);
    let refuse = ReverifyWish { if_unavailable: IfUnavailable::Refuse, ..ReverifyWish::default() };
    let refused = try_to_reverify(&world.engine, first.id, refuse).await.expect_err("its time is over");
    let ReverifyError::Unavailable(reasons) = refused else { panic!("{refused}") };
    assert_eq!((reasons.len(), reasons[0].0, reasons[0].1.code.as_str()), (1, first.checks[0].id, "too_late"));
    let id = accepted(&world, &first).await;
    let again = settled(&world, id).await;
    let reverified = again.input.expose().reverifies.as_ref().expect("whose result it is");
    assert!(reverified.check_id == first.checks[0].id && reverified.report.is_none());
    assert_eq!((again.status(), again.account.provider.as_str()), (CheckStatus::Completed, "truework"));
    let books = world.books("truework");
    assert_eq!((books.calls_of("create"), books.calls_of("reverify")), (2, 0));
    assert_eq!(books.with_reference(&again.reference().to_string()).count(), 1);
}

#[tokio::test]
async fn after_a_waterfall_it_goes_to_the_one_that_completed_and_no_further() {
    let world = World::new().await;
    let mut draft = trials::drafts::with_ssn(draft("truework", 0), "000-99-0003");
    draft.checks[0].providers = ["truework", "theary"].into_iter().filter_map(Wish::parse).collect();
    let id = world.accept(draft).await;
    world.work_until_settled(&[id]).await;
    let first = world.order(id).await;
    assert_eq!(first.checks[0].account.provider.as_str(), "theary");
    let id = accepted(&world, &first).await;
    let again = settled(&world, id).await;
    assert_eq!((again.account.provider.as_str(), again.attempt, again.state.legs.len()), ("theary", 1, 0));
    assert_eq!(again.status(), CheckStatus::Completed);
    assert_eq!((world.books("truework").objects.len(), world.books("theary").objects.len()), (1, 2));
}

#[tokio::test]
async fn a_monitor_of_a_reverification_orders_checks_like_any_other() {
    let (world, first) = world().await;
    let id = accepted(&world, &first).await;
    settled(&world, id).await;
    let monitor = monitor(&world, id, "daily", "2026-01-02").await;
    world.clock.advance(DAY);
    while world.work().await > 0 {}
    let run = order_of(&world, &runs(&world, monitor.id).await[1]).await;
    assert!(run.checks[0].input.expose().reverifies.is_none());
    world.work_until_settled(&[run.id]).await;
    let books = world.books("truework");
    assert_eq!((books.calls_of("create"), books.calls_of("reverify")), (2, 1));
}

#[tokio::test]
async fn what_there_is_nothing_to_verify_of_is_refused() {
    let (world, first) = world().await;
    let tenant = Scope::Tenant(TenantId::new("globex"));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let theirs = world.engine.reverify(&mut tx, &tenant, first.id, ReverifyWish::default()).await;
    assert!(matches!(theirs, Ok(None)));
    drop(tx);
    let refused = async |id| try_to_reverify(&world.engine, id, ReverifyWish::default()).await.expect_err("refused");
    let open = world.accept(draft("truework", 1)).await;
    assert!(matches!(refused(open).await, ReverifyError::NotFinal(_)));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "");
    world.engine.cancel(&mut tx, &Scope::All, open, why).await.expect("noted").expect("the order");
    tx.save().await.expect("saved");
    assert!(matches!(refused(open).await, ReverifyError::NothingToVerify));
    sql(&world, format!("UPDATE orders SET data_key = NULL, input = NULL WHERE id = '{}'", first.id.uuid())).await;
    assert!(matches!(refused(first.id).await, ReverifyError::Erased));
}
