//! Several checks of one order as parts of one object of the vendor's: what the gateway believes of each, beside the
//! vendor's own books.

use std::time::Duration;

use domain::{
    CaseState, Check, CheckId, CheckSpec, CheckStatus, ItemState, OrderDraft, OrderId, OrderStatus, Outcome, Reason,
    Verdict, Wish,
};
use provider::HookRequest;
use sandbox::{BookEntry, Fault, FaultKind};
use serde_json::{Value, json};
use store::Scope;
use trials::post_room::{Letter, PostRoom};

use crate::world::{Options, World, checks_of, draft, draft_of, orders_of};

/// An employment and an education of one person, asked for in one order of the vendor's.
fn together() -> OrderDraft {
    asking(&[true, true])
}

/// An employment and an education by turns, of which these ask for it.
fn asking(ask: &[bool]) -> OrderDraft {
    let mut all = draft("theary", 0);
    all.checks.clear();
    for (at, ask) in (0_u32..).zip(ask) {
        let mut check = draft("theary", at).checks.remove(0);
        if *ask {
            option(&mut check.input, "one_order", &json!(true));
        }
        all.checks.push(check);
    }
    all
}

fn option(input: &mut domain::Sensitive<domain::CheckInput>, name: &str, value: &Value) {
    let mut changed = input.expose().clone();
    changed.vendor_options.insert(name.to_owned(), value.clone());
    *input = changed.into();
}

/// The employer or institution of a check, whose last digits steer how its search ends.
fn about(draft: &mut OrderDraft, at: usize, name: &str) {
    let mut input = draft.checks[at].input.expose().clone();
    match &mut input.spec {
        CheckSpec::EmploymentVerification(check) => {
            name.clone_into(&mut check.employer.as_mut().expect("an employer").name);
        }
        CheckSpec::EducationVerification(check) => name.clone_into(&mut check.institution.name),
        _ => panic!("a verification"),
    }
    draft.checks[at].input = input.into();
}

fn theary(world: &World) -> &sandbox::Control {
    world.vendor("theary").control()
}

fn set(world: &World, switches: Value) {
    theary(world).set_behavior(switches).expect("switches");
}

async fn checks(world: &World, id: OrderId) -> Vec<Check> {
    world.order(id).await.checks
}

fn vendors_order(check: &Check) -> &str {
    check.state.binding().map_or("", |binding| &binding.vendor.order_id)
}

fn part(check: &Check) -> &str {
    check.state.binding().and_then(|binding| binding.vendor.check_id.as_deref()).unwrap_or_default()
}

fn verdict(check: &Check) -> Option<Verdict> {
    match check.state.result() {
        Some(domain::CheckResult::Verification(result)) => result.verdict,
        _ => None,
    }
}

/// The vendor's orders with a part for the check.
fn orders_with(world: &World, check: &Check) -> Vec<BookEntry> {
    let reference = check.reference().to_string();
    world.books("theary").with_reference(&reference).cloned().collect()
}

/// Every check is bound to the one order that has its part, to that very part, and the vendor has no other.
fn each_has_its_part(world: &World, checks: &[Check]) {
    for check in checks {
        let orders = orders_with(world, check);
        assert_eq!(orders.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), [vendors_order(check)]);
        let reference = check.reference().to_string();
        let at = orders[0].references.iter().position(|known| *known == reference).expect("it is there");
        assert_eq!(part(check), orders[0].parts[at]);
        assert!(!check.state.binding().expect("bound").provisional);
    }
}

/// How many checks each create call carried.
fn calls(world: &World) -> Vec<usize> {
    let mut calls = Vec::new();
    let sent = world.wire.all();
    let mut at = 0;
    while at < sent.len() {
        calls.push(sent[at].together);
        at += sent[at].together;
    }
    calls
}

async fn send(world: &World) {
    world.engine.dispatch(&world.account("theary"), 50).await.expect("dispatched");
}

async fn look(world: &World) {
    while world.engine.follow(&world.account("theary"), 50).await.expect("followed") > 0 {}
}

async fn cancel(world: &World, id: OrderId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "The candidate withdrew.");
    world.engine.cancel(&mut tx, &Scope::All, id, why).await.expect("noted");
    tx.save().await.expect("saved");
}

/// One case that came to its end by itself, with an item for each check.
async fn settled_case(world: &World, items: usize) -> domain::Case {
    let mut cases = world.cases().await;
    assert_eq!(cases.len(), 1);
    let case = cases.remove(0);
    assert_eq!((case.state, case.items.len()), (CaseState::Resolved, items));
    case
}

#[tokio::test]
async fn an_employment_and_an_education_become_one_order_with_two_searches() {
    let world = World::new().await;
    let mut draft = together();
    about(&mut draft, 1, "Sample University 0003");
    let id = world.accept(draft).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    let books = world.books("theary");
    assert_eq!((books.objects.len(), books.objects[0].parts.len()), (1, 2));
    assert_eq!((books.calls_of("create"), books.calls_of("batch"), calls(&world)), (1, 0, vec![2]));
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
    assert_eq!([verdict(&checks[0]), verdict(&checks[1])], [Some(Verdict::Verified), Some(Verdict::NoRecord)]);
    assert_eq!(checks[1].state.outcome(), Some(Outcome::Consider));
    assert!(world.cases().await.is_empty());
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let sharers = tx.vendor_objects().sharers(&[checks[0].id]).await.expect("read");
    assert_eq!(sharers[&checks[0].id], [checks[1].id]);
    for (check, other) in [(&checks[0], &checks[1]), (&checks[1], &checks[0])] {
        let (payload, _) = tx.payloads().get(&Scope::All, check.id).await.expect("read").expect("kept");
        let text = String::from_utf8_lossy(payload.expose()).into_owned();
        assert!(text.contains(&check.reference().to_string()), "{text}");
        assert!(!text.contains(&other.reference().to_string()), "the other's search is not shown: {text}");
    }
}

#[tokio::test]
async fn several_of_one_type_are_paired_with_their_records() {
    let world = World::new().await;
    let mut draft = asking(&[true; 4]);
    for (at, name) in ["Fake 0003", "Sample University", "Fake 0002", "Other University 0003"].into_iter().enumerate() {
        about(&mut draft, at, name);
    }
    set(&world, json!({ "search_ids_backwards": true }));
    let id = world.accept(draft).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert_eq!((world.books("theary").objects.len(), calls(&world)), (1, vec![4]));
    each_has_its_part(&world, &checks);
    let verdicts: Vec<_> = checks.iter().map(verdict).collect();
    let (none, verified) = (Some(Verdict::NoRecord), Some(Verdict::Verified));
    assert_eq!(verdicts, [none, verified, verified, none]);
}

#[tokio::test]
async fn a_sibling_that_does_not_ask_goes_on_its_own() {
    let world = World::new().await;
    let id = world.accept(asking(&[true, false, true])).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert_eq!(vendors_order(&checks[0]), vendors_order(&checks[2]));
    assert_ne!(vendors_order(&checks[0]), vendors_order(&checks[1]));
    let mut calls = calls(&world);
    calls.sort_unstable();
    assert_eq!(calls, [1, 2]);
}

#[tokio::test]
async fn one_alone_that_asks_goes_as_any_other() {
    let world = World::new().await;
    let id = world.accept(asking(&[true])).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert_eq!((checks[0].status(), calls(&world)), (CheckStatus::Completed, vec![1]));
}

#[tokio::test]
async fn those_that_wait_go_along_though_one_only_was_claimed() {
    let world = World::new().await;
    let id = world.accept(asking(&[true; 3])).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    assert_eq!((calls(&world), world.books("theary").calls_of("create")), (vec![3], 1));
    world.work_until_settled(&[id]).await;
    each_has_its_part(&world, &checks(&world, id).await);
    assert_eq!(world.books("theary").calls_of("create"), 1);
}

#[tokio::test]
async fn two_workers_send_them_once() {
    let world = World::new().await;
    let other = world.another(&Options::default()).await;
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(world.accept(together()).await);
    }
    let (one, two) = (world.account("theary"), world.account("theary"));
    while {
        let (first, second) = tokio::join!(world.engine.dispatch(&one, 3), other.dispatch(&two, 3));
        first.expect("dispatched") + second.expect("dispatched") > 0
    } {}
    assert_eq!(world.books("theary").calls_of("create"), 10);
    world.work_until_settled(&orders).await;
    for id in orders {
        let checks = checks(&world, id).await;
        each_has_its_part(&world, &checks);
        assert_eq!(vendors_order(&checks[0]), vendors_order(&checks[1]));
    }
    assert_eq!(world.books("theary").objects.len(), 10);
}

#[tokio::test]
async fn in_a_batch_each_order_has_a_call_of_its_own() {
    let world = World::new().await;
    let drafts = (0..12).map(|number| if number % 3 == 0 { together() } else { draft("theary", number) });
    let batch = world.accept_batch("acme", drafts).await;
    world.work_until_batch_ends(batch).await;
    for order in orders_of(&world, batch).await {
        each_has_its_part(&world, &order.checks);
        assert!(order.checks.iter().all(|check| vendors_order(check) == vendors_order(&order.checks[0])));
    }
    assert!(checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::Completed));
    let books = world.books("theary");
    assert_eq!(
        (books.objects.len(), books.calls_of("create"), books.calls_of("batch")),
        (12, 5, 1),
        "a batch counts as a create, too: {:?}",
        calls(&world)
    );
}

#[tokio::test]
async fn what_could_not_be_sent_joins_again() {
    let world = World::new().await;
    theary(&world).arm(Fault::new("create", FaultKind::StatusBefore).status(401));
    let id = world.accept(together()).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert_eq!((calls(&world), world.books("theary").objects.len()), (vec![2, 2], 1));
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_one_case_and_each_finds_its_own_part() {
    for kind in [FaultKind::DropAfter, FaultKind::Truncate, FaultKind::Garbage, FaultKind::StatusAfter] {
        let world = World::new().await;
        theary(&world).arm(Fault::new("create", kind).status(502));
        let id = world.accept(together()).await;
        world.work_until_settled(&[id]).await;
        let checks = checks(&world, id).await;
        each_has_its_part(&world, &checks);
        assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
        let case = settled_case(&world, 2).await;
        assert!(case.items.iter().all(|item| item.state == ItemState::Bound && item.duplicates.is_empty()), "{kind:?}");
        assert_eq!(world.books("theary").objects.len(), 1);
        no_orphans(&world).await;
    }
}

async fn no_orphans(world: &World) {
    world.clock.advance(Duration::from_hours(24));
    assert!(world.engine.sweep(&world.account("theary")).await.expect("swept"));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&store::OrphanFilter::default(), 50, None).await.expect("read");
    assert!(orphans.is_empty(), "{orphans:?}");
}

#[tokio::test]
async fn a_call_that_never_arrived_is_made_again_for_each_alone() {
    let world = World::new().await;
    theary(&world).arm(Fault::new("create", FaultKind::DropBefore));
    let id = world.accept(together()).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 2));
    assert_eq!((calls(&world), world.books("theary").objects.len()), (vec![2, 1, 1], 2));
    let case = settled_case(&world, 2).await;
    assert!(case.items.iter().all(|item| item.late_scanned));
}

#[tokio::test]
async fn a_refusal_of_all_is_looked_into_and_the_faulty_one_shows_itself() {
    let world = World::new().await;
    theary(&world).arm(Fault::new("create", FaultKind::StatusBefore).status(400));
    let id = world.accept(together()).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 2));
    assert_eq!(calls(&world), [2, 1, 1]);
}

#[tokio::test]
async fn a_process_that_dies_before_the_call_leaves_one_case() {
    let world = World::new().await;
    let id = world.accept(together()).await;
    let dead = world.another(&Options::default()).await;
    dead.forget_a_ticket(&world.account("theary")).await;
    assert!(checks(&world, id).await.iter().all(|check| check.status() == CheckStatus::Submitting));
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.state.sends == 2));
    assert_eq!(settled_case(&world, 2).await.why.code, "process_died");
}

#[tokio::test]
async fn a_process_that_dies_after_the_call_leaves_what_is_found() {
    let world = World::with(Options { timeout: Duration::from_secs(30), ..Options::default() }).await;
    theary(&world).arm(Fault::new("create", FaultKind::Stall));
    let id = world.accept(together()).await;
    let dying = world.another(&Options { timeout: Duration::from_secs(30), ..Options::default() }).await;
    let account = world.account("theary");
    let call = tokio::spawn(async move { dying.dispatch(&account, 1).await });
    while world.books("theary").objects.is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
    assert_eq!(settled_case(&world, 2).await.why.code, "process_died");
    assert_eq!(world.books("theary").objects.len(), 1);
}

#[tokio::test]
async fn a_search_that_is_shown_late_is_waited_for() {
    let world = World::new().await;
    set(&world, json!({ "searches_apart_ms": 60_000 }));
    let id = world.accept(together()).await;
    send(&world).await;
    look(&world).await;
    let early = checks(&world, id).await;
    let provisional = |check: &Check| check.state.binding().expect("bound").provisional;
    assert_eq!([provisional(&early[0]), provisional(&early[1])], [false, true]);
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn a_late_search_of_a_lost_call_is_found_in_the_order_that_its_sibling_is_bound_to() {
    let world = World::new().await;
    set(&world, json!({ "searches_apart_ms": 60_000 }));
    theary(&world).arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(together()).await;
    world
        .work_until(Duration::from_mins(1), "the first is found", async || {
            checks(&world, id).await[0].state.binding().is_some()
        })
        .await;
    assert_eq!(checks(&world, id).await[1].status(), CheckStatus::Unconfirmed);
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
    assert_eq!(world.books("theary").objects.len(), 1);
    settled_case(&world, 2).await;
}

#[tokio::test]
async fn a_create_that_dies_between_its_searches_is_completed_by_an_order_of_its_own() {
    let world = World::new().await;
    set(&world, json!({ "create_dies_after": 1 }));
    let id = world.accept(together()).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    assert_eq!([checks[0].state.sends, checks[1].state.sends], [1, 2], "only what is not there is sent again");
    let case = settled_case(&world, 2).await;
    let resent = checks[1].state.submitted_at.expect("submitted");
    assert!(resent >= case.window_ends_at, "not before its settle window was over");
    assert_eq!(calls(&world), [2, 1]);
}

#[tokio::test]
async fn an_answer_that_names_fewer_searches_is_not_believed() {
    let world = World::new().await;
    set(&world, json!({ "create_leaves_out": 1 }));
    let id = world.accept(together()).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    each_has_its_part(&world, &checks);
    assert_eq!([checks[0].state.sends, checks[1].state.sends], [1, 2]);
    assert_eq!(settled_case(&world, 2).await.why.code, "contradictory_answer");
}

#[tokio::test]
async fn a_search_that_an_accepted_order_never_shows_is_looked_for_and_then_sent_alone() {
    let world = World::new().await;
    set(&world, json!({ "searches_apart_ms": 1_000_000_000_u64 }));
    let id = world.accept(together()).await;
    world.work_until(Duration::from_hours(2), "a case is open", async || !world.cases().await.is_empty()).await;
    let case = world.cases().await.remove(0);
    let first = checks(&world, id).await.remove(0);
    assert_eq!((case.items.len(), case.why.code.as_str()), (1, "misbound"));
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    assert_eq!([checks[0].state.sends, checks[1].state.sends], [1, 2]);
    assert_eq!(vendors_order(&checks[0]), vendors_order(&first), "the other one is left alone");
    assert_ne!(vendors_order(&checks[1]), vendors_order(&first));
}

/// The vendor shows the second search only after it was counted as absent: then it is one too many, beside a sibling's.
async fn a_duplicate_beside_a_sibling(options: Options) -> (World, OrderId, domain::Case) {
    let world = World::with(options).await;
    set(&world, json!({ "searches_apart_ms": 200_000, "complete_after_ms": 7_200_000 }));
    theary(&world).arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(together()).await;
    world
        .work_until(Duration::from_hours(1), "the case is settled", async || {
            world.cases().await.iter().any(|case| case.state == CaseState::Resolved)
        })
        .await;
    let case = settled_case(&world, 2).await;
    (world, id, case)
}

#[tokio::test]
async fn a_part_that_comes_too_late_is_a_duplicate_and_its_order_is_not_canceled() {
    for cancel_duplicates in [engine::CancelDuplicates::Ask, engine::CancelDuplicates::Auto] {
        let (world, id, case) = a_duplicate_beside_a_sibling(Options { cancel_duplicates, ..Options::default() }).await;
        let checks = checks(&world, id).await;
        let of = |check: &Check| case.items.iter().find(|item| item.check_id == check.id).expect("an item").clone();
        assert_eq!((of(&checks[0]).state, of(&checks[1]).state), (ItemState::Bound, ItemState::Duplicate));
        assert_eq!(of(&checks[1]).duplicates[0].order_id, vendors_order(&checks[0]));
        assert_ne!(vendors_order(&checks[0]), vendors_order(&checks[1]));
        while world.work().await > 0 {}
        assert!(world.books("theary").objects.iter().all(|object| !object.canceled), "{cancel_duplicates:?}");
    }
}

#[tokio::test]
async fn an_operator_who_wants_it_canceled_ends_no_siblings_work() {
    let (world, id, case) = a_duplicate_beside_a_sibling(Options::default()).await;
    let needed = vendors_order(&checks(&world, id).await[0]).to_owned();
    let resolution = engine::ops::Resolution {
        items: Vec::new(),
        cancel_vendor_orders: vec![needed.clone()],
        note: None,
        actor: "olga".into(),
    };
    let vetted = world.engine.vet(&Scope::All, case.id, &resolution).await.expect("vetted").expect("the case");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.resolve(&mut tx, &Scope::All, case.id, &resolution, &vetted).await.expect("resolved");
    tx.save().await.expect("saved");
    while world.work().await > 0 {}
    assert_eq!(world.books("theary").calls_of("cancel"), 0);
    let checks = checks(&world, id).await;
    assert!(checks.iter().all(|check| !check.status().is_final()), "both go on");
}

#[tokio::test]
async fn each_follows_its_own_search_and_not_the_order() {
    let world = World::new().await;
    set(&world, json!({ "complete_apart_ms": 3_600_000 }));
    let id = world.accept(together()).await;
    world
        .work_until(Duration::from_hours(2), "one has ended", async || {
            checks(&world, id).await[0].status() == CheckStatus::Completed
        })
        .await;
    let half = checks(&world, id).await;
    assert_eq!(half[1].status(), CheckStatus::InProgress);
    assert!(world.order(id).await.status() != OrderStatus::Completed);
    world.work_until_settled(&[id]).await;
    each_has_its_part(&world, &checks(&world, id).await);
}

#[tokio::test]
async fn an_order_that_the_vendor_gives_up_waits_for_a_person_and_fails_nobody() {
    let world = World::new().await;
    let mut draft = together();
    about(&mut draft, 0, "Fake Company 0008");
    set(&world, json!({ "complete_apart_ms": 3_600_000 }));
    let id = world.accept(draft).await;
    let waits = async || checks(&world, id).await.iter().all(|check| check.status() == CheckStatus::ActionRequired);
    world.work_until(Duration::from_hours(4), "both wait", waits).await;
    let checks = checks(&world, id).await;
    assert!(checks.iter().all(|check| check.state.action().is_some_and(|action| action.message.is_some())));
}

#[tokio::test]
async fn one_that_the_vendor_has_no_record_of_goes_on_alone() {
    let world = World::new().await;
    let mut draft = together();
    about(&mut draft, 0, "Fake Company 0003");
    draft.checks[0].providers = ["theary", "truework"].into_iter().filter_map(Wish::parse).collect();
    let mut input = draft.checks[0].input.expose().clone();
    input.vendor_options = json!({ "theary": { "one_order": true } }).as_object().expect("an object").clone();
    draft.checks[0].input = input.into();
    set(&world, json!({ "complete_apart_ms": 3_600_000 }));
    let id = world.accept(draft).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert_eq!(world.books("theary").objects[0].parts.len(), 2, "they were one order");
    assert_eq!((checks[0].account.provider.as_str(), checks[0].attempt), ("truework", 2));
    assert_eq!((checks[0].status(), checks[1].status()), (CheckStatus::Completed, CheckStatus::Completed));
    assert_eq!(verdict(&checks[1]), Some(Verdict::Verified));
    each_has_its_part(&world, &checks[1..]);
    assert_eq!(world.books("truework").objects.len(), 1);
    no_orphans(&world).await;
}

#[tokio::test]
async fn those_whose_first_vendor_has_no_record_join_at_the_next() {
    let world = World::new().await;
    let mut draft = draft_of(&["truework", "truework"], 0);
    draft = trials::drafts::with_ssn(draft, "000-99-0003");
    for check in &mut draft.checks {
        check.providers = ["truework", "theary"].into_iter().filter_map(Wish::parse).collect();
        option(&mut check.input, "theary", &json!({ "one_order": true }));
    }
    let id = world.accept(draft).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert!(checks.iter().all(|check| check.account.provider.as_str() == "theary" && check.attempt == 2));
    each_has_its_part(&world, &checks);
}

#[tokio::test]
async fn a_canceled_order_ends_all_of_its_searches_and_each_is_confirmed() {
    for switches in [json!({}), json!({ "deleted_vanish": true }), json!({ "delete_again_ok": true })] {
        let world = World::new().await;
        set(&world, switches);
        let id = world.accept(together()).await;
        send(&world).await;
        look(&world).await;
        cancel(&world, id).await;
        world.work_until_settled(&[id]).await;
        let checks = checks(&world, id).await;
        assert!(checks.iter().all(|check| check.status() == CheckStatus::Canceled));
        let books = world.books("theary");
        assert!(books.objects.len() == 1 && books.objects[0].canceled);
    }
}

#[tokio::test]
async fn a_cancel_leaves_what_has_ended() {
    let world = World::new().await;
    set(&world, json!({ "complete_apart_ms": 3_600_000 }));
    let id = world.accept(together()).await;
    world
        .work_until(Duration::from_hours(2), "one has ended", async || {
            checks(&world, id).await[0].status() == CheckStatus::Completed
        })
        .await;
    cancel(&world, id).await;
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert_eq!([checks[0].status(), checks[1].status()], [CheckStatus::Completed, CheckStatus::Canceled]);
}

#[tokio::test]
async fn an_order_canceled_while_its_answer_is_lost_is_found_first() {
    let world = World::new().await;
    theary(&world).arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(together()).await;
    send(&world).await;
    cancel(&world, id).await;
    assert!(checks(&world, id).await.iter().all(|check| check.status() == CheckStatus::Unconfirmed));
    world.work_until_settled(&[id]).await;
    assert!(checks(&world, id).await.iter().all(|check| check.status() == CheckStatus::Canceled));
    assert!(world.books("theary").objects[0].canceled);
}

/// Wants one check of an order stopped, and not its siblings.
async fn cancel_one(world: &World, id: OrderId, check: CheckId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut order = tx.orders().lock(id).await.expect("read").expect("there");
    let now = world.engine.now();
    let why = Reason::new("caller", "Not this one.");
    let events = order.tell(check, &domain::News::CancelRequested { why, at: now }, now);
    let plan = store::Plan { check_id: check, work: Some((store::Work::Follow, now)) };
    tx.orders().save(&order, &[plan], &events).await.expect("saved");
    tx.save().await.expect("saved");
}

#[tokio::test]
async fn an_order_is_canceled_only_when_no_check_needs_it() {
    let world = World::new().await;
    set(&world, json!({ "complete_apart_ms": 3_600_000 }));
    let id = world.accept(together()).await;
    send(&world).await;
    look(&world).await;
    // The one that ends later is not wanted any more.
    cancel_one(&world, id, checks(&world, id).await[1].id).await;
    world
        .work_until(Duration::from_hours(2), "the other one has its result", async || {
            checks(&world, id).await[0].status() == CheckStatus::Completed
        })
        .await;
    assert_eq!(verdict(&checks(&world, id).await[0]), Some(Verdict::Verified), "nobody canceled it");
    world.work_until_settled(&[id]).await;
    let checks = checks(&world, id).await;
    assert_eq!(checks[1].status(), CheckStatus::Canceled, "then nobody needs the order, and it is canceled");
    assert_eq!(world.books("theary").calls_of("cancel"), 1);
}

// ---- hooks ----

struct Mail {
    world: World,
    room: PostRoom,
}

impl Mail {
    async fn open() -> Self {
        let room = PostRoom::open().await.expect("a room");
        let world = World::with(Options { hooks: Some(room.address().clone()), ..Options::default() }).await;
        Self { world, room }
    }

    /// The letters that came in until so many of them told of a search's end.
    async fn wait_for(&self, ends: usize) -> Vec<Letter> {
        self.world.books("theary");
        let mut letters: Vec<Letter> = Vec::new();
        while letters.iter().filter(|letter| event(letter)["event"] == "verification.completed").count() < ends {
            letters.extend(self.room.collect());
            tokio::task::yield_now().await;
        }
        letters
    }

    async fn deliver(&self, letters: impl IntoIterator<Item = Letter>) {
        for letter in letters {
            let account = letter.account.clone();
            let request: HookRequest = letter.received_at(self.world.engine.now());
            self.world.engine.receive_hook(&account, request).await.expect("taken");
        }
        self.world.engine.read_inbox().await.expect("read");
    }
}

fn event(letter: &Letter) -> Value {
    serde_json::from_slice(&letter.body).expect("json")
}

fn completed(letters: &[Letter], check: &Check) -> Letter {
    let reference = check.reference().to_string();
    let is_its = |letter: &&Letter| {
        let event = event(letter);
        event["event"] == "verification.completed" && event["data"]["externalSearchId"] == reference
    };
    letters.iter().find(is_its).expect("its hook").clone()
}

#[tokio::test]
async fn a_hook_reaches_the_check_whose_search_it_is_and_no_other() {
    let mail = Mail::open().await;
    let world = &mail.world;
    let mut draft = together();
    about(&mut draft, 1, "Sample University 0002");
    let id = world.accept(draft).await;
    send(world).await;
    look(world).await;
    let before = checks(world, id).await;
    each_has_its_part(world, &before);
    world.clock.advance(Duration::from_mins(20));
    let letters = mail.wait_for(2).await;
    // Repeated, and the one of the second check first.
    let (first, second) = (completed(&letters, &before[0]), completed(&letters, &before[1]));
    mail.deliver([second.clone(), second.clone()]).await;
    let half = checks(world, id).await;
    assert_eq!([half[0].status(), half[1].status()], [CheckStatus::InProgress, CheckStatus::Completed]);
    mail.deliver([first, second]).await;
    mail.deliver(letters.into_iter().rev()).await;
    let after = checks(world, id).await;
    assert!(after.iter().all(|check| check.status() == CheckStatus::Completed));
    assert_eq!([after[0].state.outcome(), after[1].state.outcome()], [Some(Outcome::Clear), Some(Outcome::Consider)]);
    each_has_its_part(world, &after);
}

#[tokio::test]
async fn a_hook_before_the_first_look_waits_for_it() {
    let mail = Mail::open().await;
    let world = &mail.world;
    let id = world.accept(together()).await;
    send(world).await;
    world.clock.advance(Duration::from_mins(20));
    let letters = mail.wait_for(2).await;
    mail.deliver(letters).await;
    assert!(checks(world, id).await.iter().all(|check| check.state.outcome().is_none()));
    world.work_until_settled(&[id]).await;
    world
        .work_until(Duration::from_hours(1), "the hooks are taken in", async || {
            checks(world, id).await.iter().all(|check| check.state.outcome() == Some(Outcome::Clear))
        })
        .await;
    each_has_its_part(world, &checks(world, id).await);
}

/// A hook for one check comes while nobody knows what the call made, and the vendor lists its order very late.
#[tokio::test]
async fn a_hook_for_one_keeps_its_siblings_from_being_sent_again() {
    let mail = Mail::open().await;
    let world = &mail.world;
    theary(world).arm(Fault::new("create", FaultKind::DropAfter));
    set(world, json!({ "list_lag_ms": 900_000 }));
    let id = world.accept(together()).await;
    send(world).await;
    let first = checks(world, id).await.remove(0);
    world.clock.advance(Duration::from_mins(11));
    let ended = completed(&mail.wait_for(2).await, &first);
    mail.deliver([ended]).await;
    assert_eq!(world.cases().await[0].items[0].state, ItemState::Proven);
    world
        .work_until(Duration::from_mins(30), "people are asked", async || {
            checks(world, id).await.iter().all(|check| check.status() == CheckStatus::NeedsReview)
        })
        .await;
    let mut codes: Vec<_> = world.cases().await.remove(0).items.into_iter().filter_map(|item| item.review).collect();
    codes.sort_by(|one, other| one.code.cmp(&other.code));
    let codes: Vec<_> = codes.iter().map(|why| why.code.as_str()).collect();
    assert_eq!(codes, ["proven_but_not_found", "sibling_not_found"]);
    world
        .work_until(Duration::from_hours(24), "both are found after all", async || {
            checks(world, id).await.iter().all(|check| check.status() == CheckStatus::Completed)
        })
        .await;
    each_has_its_part(world, &checks(world, id).await);
    assert_eq!(calls(world), [2], "nothing was sent again");
}

/// Its siblings were counted as absent with it, and are about to be sent again.
#[tokio::test]
async fn a_hook_after_absence_was_shown_calls_its_siblings_back() {
    let mail = Mail::open().await;
    let world = &mail.world;
    theary(world).arm(Fault::new("create", FaultKind::DropAfter));
    set(world, json!({ "list_lag_ms": 900_000 }));
    let id = world.accept(together()).await;
    send(world).await;
    let waits = |check: &Check| check.status() == CheckStatus::Queued;
    while !checks(world, id).await.iter().all(waits) {
        world.engine.reconcile().await.expect("reconciled");
        world.clock.advance(Duration::from_secs(1));
    }
    world.clock.advance(Duration::from_mins(11));
    let first = checks(world, id).await.remove(0);
    let ended = completed(&mail.wait_for(2).await, &first);
    mail.deliver([ended]).await;
    assert!(checks(world, id).await.iter().all(|check| check.status() == CheckStatus::Unconfirmed));
    world
        .work_until(Duration::from_hours(24), "both are found", async || {
            checks(world, id).await.iter().all(|check| check.status() == CheckStatus::Completed)
        })
        .await;
    each_has_its_part(world, &checks(world, id).await);
    assert_eq!((calls(world), world.books("theary").objects.len()), (vec![2], 1));
}

/// The vendor refused the token, and had made the order all the same.
#[tokio::test]
async fn a_hook_after_a_call_that_counted_as_not_made_stops_them_all() {
    let mail = Mail::open().await;
    let world = &mail.world;
    theary(world).arm(Fault::new("create", FaultKind::StatusAfter).status(401));
    let id = world.accept(together()).await;
    send(world).await;
    assert!(checks(world, id).await.iter().all(|check| check.status() == CheckStatus::Queued));
    world.clock.advance(Duration::from_mins(11));
    let second = checks(world, id).await.remove(1);
    let ended = completed(&mail.wait_for(2).await, &second);
    mail.deliver([ended]).await;
    let case = world.cases().await.remove(0);
    let mut states: Vec<_> = case.items.iter().map(|item| item.state).collect();
    states.sort_by_key(|state| state.as_str());
    assert_eq!(states, [ItemState::Proven, ItemState::Unknown]);
    world.work_until_settled(&[id]).await;
    let checks = checks(world, id).await;
    each_has_its_part(world, &checks);
    assert_eq!((calls(world), world.books("theary").objects.len()), (vec![2], 1));
}

// ---- operators ----

#[tokio::test]
async fn an_operator_binds_both_to_one_order() {
    let mail = Mail::open().await;
    let world = &mail.world;
    theary(world).arm(Fault::new("create", FaultKind::DropAfter));
    // The list never shows it.
    set(world, json!({ "list_lag_ms": 1_000_000_000_u64 }));
    let id = world.accept(together()).await;
    send(world).await;
    world.clock.advance(Duration::from_mins(11));
    let first = checks(world, id).await.remove(0);
    let ended = completed(&mail.wait_for(2).await, &first);
    mail.deliver([ended]).await;
    world
        .work_until(Duration::from_mins(30), "people are asked", async || {
            checks(world, id).await.iter().all(|check| check.status() == CheckStatus::NeedsReview)
        })
        .await;
    let case = world.cases().await.remove(0);
    let vendor_order_id = world.books("theary").objects[0].id.clone();
    let bind = |item: &domain::CaseItem| {
        (item.check_id, engine::ops::Choice::Bind { vendor_order_id: vendor_order_id.clone() })
    };
    let resolution = engine::ops::Resolution {
        items: case.items.iter().map(bind).collect(),
        cancel_vendor_orders: Vec::new(),
        note: None,
        actor: "olga".into(),
    };
    let vetted = world.engine.vet(&Scope::All, case.id, &resolution).await.expect("vetted").expect("the case");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.resolve(&mut tx, &Scope::All, case.id, &resolution, &vetted).await.expect("resolved");
    tx.save().await.expect("saved");
    world.work_until_settled(&[id]).await;
    let checks = checks(world, id).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    each_has_its_part(world, &checks);
}
