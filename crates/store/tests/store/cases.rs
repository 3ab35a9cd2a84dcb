use std::collections::BTreeSet;

use domain::case::{AfterAbsence, Listed, Sighting, Sightings};
use domain::{
    Case, CaseId, CaseItem, CaseState, ItemState, News, Order, ProviderId, Reason, Reference, ScanId, ScanReport,
    VendorRef,
};
use serde_json::json;
use store::{CaseFilter, Decision, NewSubmission, Plan, Scope, SubmissionPart};

use crate::support::{Bench, Standstill, account, at, bind, tenant};

/// A case about every check of the order.
pub fn case(bench: &Bench, order: &Order) -> Case {
    let item = |check: &domain::Check| CaseItem {
        check_id: check.id,
        order_id: order.id,
        reference: check.reference(),
        state: ItemState::Unknown,
        after_absence: AfterAbsence::Resend,
        bound: None,
        duplicates: Vec::new(),
        review: None,
        resent_at: None,
        late_scan_at: None,
        late_scanned: false,
    };
    Case {
        id: CaseId::generate(&Standstill(at(10)), &*bench.entropy),
        tenant: order.tenant.clone(),
        account: account(),
        submission: bench.submission_id(),
        state: CaseState::Open,
        why: Reason::new("timed_out", "The time-out was over."),
        sent_at: at(1),
        window_ends_at: at(100),
        deadline: at(500),
        next_scan_at: Some(at(20)),
        opened_at: at(10),
        resolved_at: None,
        items: order.checks.iter().map(item).collect(),
    }
}

fn scan(bench: &Bench, seconds: u64, seen: Sightings) -> ScanReport {
    ScanReport {
        id: ScanId::generate(&Standstill(at(seconds)), &*bench.entropy),
        account: account(),
        started_at: at(seconds),
        ended_at: at(seconds + 1),
        seen,
    }
}

fn assert_same(left: &Case, right: &Case) {
    assert_eq!((left.id, &left.tenant, &left.account), (right.id, &right.tenant, &right.account));
    assert_eq!((left.submission, left.state), (right.submission, right.state));
    assert!(left.why == right.why);
    let times = |case: &Case| {
        (case.sent_at, case.window_ends_at, case.deadline, case.next_scan_at, case.opened_at, case.resolved_at)
    };
    assert_eq!(times(left), times(right));
    assert_eq!(left.items, right.items);
}

#[tokio::test]
async fn a_case_comes_back_changes_and_is_resolved() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    let (first, second) = (order.checks[0].id, order.checks[1].id);
    let mut case = case(&bench, &order);
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    let (own, other) = (Scope::Tenant(tenant("acme")), Scope::Tenant(tenant("other")));
    assert_same(&case, &tx.cases().get(&own, case.id).await.unwrap().unwrap());
    assert!(tx.cases().get(&other, case.id).await.unwrap().is_none());
    assert!(tx.cases().list(&other, &CaseFilter::default(), 9, None).await.unwrap().is_empty());
    assert_same(&case, &tx.cases().of_check(second).await.unwrap().unwrap());
    assert_same(&case, &tx.cases().open_of_submission(case.submission).await.unwrap().unwrap());
    assert!(tx.cases().open_of_submission(bench.submission_id()).await.unwrap().is_none());

    case.state = CaseState::NeedsReview;
    case.next_scan_at = None;
    case.items[0].state = ItemState::Bound;
    case.items[0].bound = Some(VendorRef::order("v1"));
    case.items[0].duplicates = vec![VendorRef { order_id: "v2".into(), check_id: Some("s".into()) }];
    case.items[1].review = Some(Reason::new("look_alike", "Compare it."));
    case.items[1].after_absence = AfterAbsence::Fail { reason: Reason::new("refused", "No.") };
    case.items[1].resent_at = Some(at(30));
    case.items[1].late_scan_at = Some(at(35));
    tx.cases().save(&case).await.unwrap();
    assert_same(&case, &tx.cases().lock(case.id).await.unwrap().unwrap());
    assert_eq!(tx.cases().open_of(&account()).await.unwrap().len(), 1);
    assert!(tx.cases().of_check(first).await.unwrap().is_some());

    case.state = CaseState::Resolved;
    case.resolved_at = Some(at(40));
    tx.cases().save(&case).await.unwrap();
    assert!(tx.cases().open_of(&account()).await.unwrap().is_empty());
    assert!(tx.cases().of_check(first).await.unwrap().is_none());
    assert!(tx.cases().open_of_submission(case.submission).await.unwrap().is_none());
    let unknown = self::case(&bench, &order);
    assert!(matches!(tx.cases().save(&unknown).await, Err(store::StoreError::Conflict(_))));
}

#[tokio::test]
async fn what_was_sent_again_before_its_late_scan_was_written_down_has_one() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    let mut case = case(&bench, &order);
    case.items[1].resent_at = Some(at(30));
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    let items = tx.cases().get(&Scope::All, case.id).await.unwrap().unwrap().items;
    assert_eq!((items[0].late_scan_at, items[1].late_scan_at), (None, Some(at(30) + case.window())));
}

#[tokio::test]
async fn cases_are_listed_newest_first_by_filter() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    let mut cases: Vec<_> = (0..4).map(|_| case(&bench, &order)).collect();
    cases.sort_by_key(|case| case.id);
    cases[1].state = CaseState::NeedsReview;
    cases[2].account.provider = ProviderId::new("truora");
    cases[3].opened_at = at(99);
    let mut tx = bench.store.begin().await.unwrap();
    for case in &cases {
        tx.cases().insert(case).await.unwrap();
    }
    let mut listed = async |filter: CaseFilter, limit, before| {
        let found = tx.cases().list(&Scope::All, &filter, limit, before).await.unwrap();
        found.iter().map(|found| cases.iter().position(|case| case.id == found.id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(listed(CaseFilter::default(), 9, None).await, [3, 2, 1, 0]);
    assert_eq!(listed(CaseFilter::default(), 2, Some(cases[3].id)).await, [2, 1]);
    let state = Some(CaseState::NeedsReview);
    assert_eq!(listed(CaseFilter { state, ..Default::default() }, 9, None).await, [1]);
    let provider = Some(ProviderId::new("truora"));
    assert_eq!(listed(CaseFilter { provider, ..Default::default() }, 9, None).await, [2]);
    let created_after = Some(at(99));
    assert_eq!(listed(CaseFilter { created_after, ..Default::default() }, 9, None).await, [3]);
}

#[tokio::test]
async fn the_log_keeps_its_order() {
    let bench = Bench::new().await;
    let case = case(&bench, &bench.order(at(0)));
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    for (what, note) in [("bind", Some("found it")), ("resend", None), ("fail", Some(""))] {
        let note = note.map(str::to_owned);
        let decision = Decision { at: at(5), actor: "ops".into(), what: what.into(), note, data: json!({"of": what}) };
        tx.cases().log(case.id, &decision).await.unwrap();
    }
    let log = tx.cases().decisions(case.id).await.unwrap();
    assert_eq!(log.iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(), ["bind", "resend", "fail"]);
    assert_eq!(log[0].note.as_deref(), Some("found it"));
    assert_eq!((log[1].note.as_deref(), &log[1].data), (None, &json!({"of": "resend"})));
}

#[tokio::test]
async fn one_process_scans_an_account_when_a_case_wants_it() {
    let bench = Bench::new().await;
    let case = case(&bench, &bench.order(at(0)));
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    tx.save().await.unwrap();
    let store = &bench.store;
    assert_eq!(store.due_scans(at(20)).await.unwrap(), [], "an account that is not in the settings is not scanned");
    store.register_accounts(&[account()]).await.unwrap();
    assert_eq!(store.due_scans(at(19)).await.unwrap(), []);
    assert_eq!(store.due_scans(at(20)).await.unwrap(), [account()]);
    assert!(store.lease_scan(&account(), at(20), at(30)).await.unwrap());
    assert!(!store.lease_scan(&account(), at(21), at(31)).await.unwrap());
    assert_eq!(store.due_scans(at(29)).await.unwrap(), []);
    assert!(store.lease_scan(&account(), at(30), at(40)).await.unwrap(), "the lease was over");
    store.end_scan_lease(&account()).await.unwrap();
    assert!(store.lease_scan(&account(), at(31), at(41)).await.unwrap());
}

#[tokio::test]
async fn scans_are_kept_as_they_were() {
    let bench = Bench::new().await;
    let seen = Sightings {
        complete: true,
        pages: 2,
        calls: 5,
        objects: 7,
        listed: vec![Listed { id: "v".into(), created_at: Some(at(1)) }],
        found: vec![Sighting {
            reference: Reference::first(bench.order(at(0)).checks[0].id),
            vendor: VendorRef::order("v"),
            created_at: None,
        }],
        ..Sightings::default()
    };
    let scan = |seconds| scan(&bench, seconds, seen.clone());
    let scans = [scan(30), scan(10), scan(20)];
    let mut tx = bench.store.begin().await.unwrap();
    for scan in &scans {
        tx.scans().insert(scan).await.unwrap();
    }
    let since = tx.scans().since(&account(), at(20)).await.unwrap();
    assert_eq!(since, [scans[2].clone(), scans[0].clone()]);

    let mut incomplete = scan(40);
    incomplete.seen.complete = false;
    tx.scans().insert(&incomplete).await.unwrap();
    let since = tx.scans().since(&account(), at(0)).await.unwrap();
    assert_eq!(since.iter().map(|scan| scan.seen.listed.len()).collect::<Vec<_>>(), [0, 1, 1, 0]);
    assert!(since.iter().all(|scan| scan.seen.found.len() == 1), "what was found is never left out");
}

#[tokio::test]
async fn what_is_settled_need_not_be_read_again() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let check = order.checks[0].id;
    let events = bind(&mut order, bench.submission_id(), "bound", at(50));
    tx.orders().save(&order, &[Plan { check_id: check, work: None }], &events).await.unwrap();

    let mut objects = tx.vendor_objects();
    let dismissed = ["stranger".to_owned(), "twin".to_owned(), "stranger".to_owned()];
    objects.dismiss(&account(), &dismissed, at(40)).await.unwrap();
    objects.dismiss(&account(), &dismissed, at(60)).await.unwrap();
    let case = CaseId::generate(&Standstill(at(10)), &*bench.entropy);
    let reference = Reference::first(check);
    assert!(objects.add_duplicate(&account(), "second", reference, case, at(50), false).await.unwrap());
    assert!(!objects.add_duplicate(&account(), "second", reference, case, at(51), false).await.unwrap());
    assert!(
        objects.add_duplicate(&account(), "twin", reference, case, at(50), false).await.unwrap(),
        "it was dismissed"
    );

    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let all = objects.settled(&account(), at(0)).await.unwrap();
    assert_eq!(all, set(&["bound", "second", "stranger", "twin"]));
    let recent = objects.settled(&account(), at(45)).await.unwrap();
    assert_eq!(recent, set(&["bound", "second", "twin"]));

    let holders = objects.holders(&account(), "bound").await.unwrap();
    assert_eq!(
        holders.iter().map(|holder| (holder.order_id, holder.check_id)).collect::<Vec<_>>(),
        [(order.id, check)]
    );
    assert!(objects.holders(&account(), "second").await.unwrap().is_empty());
}

/// What is settled, of objects around a check that is in doubt, bound by position, or bound for certain.
#[tokio::test]
async fn an_object_that_may_be_a_check_in_doubt_is_read_again() {
    let bench = Bench::new().await;
    let order = bench.order_of("acme", at(0), 1);
    bench.insert(&order).await;
    let reference = Reference::first(order.checks[0].id);
    let unknown = Reference::first(bench.order(at(0)).checks[0].id);
    let mut tx = bench.store.begin().await.unwrap();
    let mut objects = tx.vendor_objects();
    assert!(objects.add_orphan(&account(), "ours", Some(reference), None, at(5)).await.unwrap());
    assert!(objects.add_orphan(&account(), "another's", Some(unknown), None, at(5)).await.unwrap());
    assert!(objects.add_orphan(&account(), "stranger", None, None, at(5)).await.unwrap());
    tx.save().await.unwrap();

    let settled = async || {
        let mut tx = bench.store.begin().await.unwrap();
        tx.vendor_objects().settled(&account(), at(0)).await.unwrap().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(settled().await, ["another's"], "where references are not given back a stranger may be a look-alike");
    bench.store.register_accounts(&[account()]).await.unwrap();
    bench.store.set_echoes(&account()).await.unwrap();
    assert_eq!(settled().await, ["another's", "stranger"], "nothing is known of the check yet");
    let mut submission = None;
    for (provisional, expected) in
        [(true, vec!["another's", "stranger"]), (false, vec!["another's", "bound", "ours", "stranger"])]
    {
        let mut tx = bench.store.begin().await.unwrap();
        let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
        let check = order.checks[0].id;
        let submission = *submission.get_or_insert_with(|| bench.submission_id());
        let mut events = order.tell(check, &News::Sending { submission }, at(6));
        let vendor = VendorRef::order("bound");
        events.extend(order.tell(check, &News::Accepted { submission, vendor, provisional, at: at(6) }, at(6)));
        if !provisional {
            events.extend(order.tell(
                check,
                &News::Confirmed { vendor: VendorRef { order_id: "bound".into(), check_id: Some("s".into()) } },
                at(7),
            ));
        }
        tx.orders().save(&order, &[Plan { check_id: check, work: None }], &events).await.unwrap();
        tx.save().await.unwrap();
        assert_eq!(settled().await, expected, "provisional: {provisional}");
    }
}

#[tokio::test]
async fn a_scan_loses_its_list_when_no_case_needs_it_and_goes_in_the_end() {
    let bench = Bench::new().await;
    let listed = vec![Listed { id: "v".into(), created_at: None }];
    let seen = Sightings { complete: true, objects: 1, listed, ..Sightings::default() };
    let scan = |seconds| scan(&bench, seconds, seen.clone());
    let mut case = case(&bench, &bench.order(at(0)));
    case.opened_at = at(20);
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().insert(&case).await.unwrap();
    for scan in [scan(10), scan(20), scan(30)] {
        tx.scans().insert(&scan).await.unwrap();
    }
    tx.save().await.unwrap();
    let kept = async || {
        let mut raw = bench.raw().await;
        let sql = "SELECT jsonb_array_length(seen -> 'listed') FROM scans ORDER BY started_at";
        sqlx::query_scalar::<_, i32>(sql).fetch_all(&mut raw).await.unwrap()
    };
    assert_eq!(bench.store.purge_scans(at(0)).await.unwrap(), 1);
    assert_eq!(kept().await, [0, 1, 1], "the case was opened after the first");
    assert_eq!(bench.store.purge_scans(at(25)).await.unwrap(), 1);
    assert_eq!(kept().await, [1, 1], "the second is old, but evidence");
    let (mut failed, last) = (scan(40), scan(50));
    failed.seen.complete = false;
    let mut tx = bench.store.begin().await.unwrap();
    tx.scans().insert(&failed).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(bench.store.purge_scans(at(25)).await.unwrap(), 0, "an incomplete one takes no other's place");
    let mut tx = bench.store.begin().await.unwrap();
    tx.scans().insert(&last).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!(bench.store.purge_scans(at(25)).await.unwrap(), 1);
    assert_eq!(kept().await, [0, 1, 1, 1], "only the last two complete ones are compared");

    case.state = CaseState::Resolved;
    let mut tx = bench.store.begin().await.unwrap();
    tx.cases().save(&case).await.unwrap();
    tx.save().await.unwrap();
    // One goes, and three lists.
    assert_eq!(bench.store.purge_scans(at(25)).await.unwrap(), 4);
    assert_eq!(kept().await, [0, 0, 0]);
    assert_eq!(bench.store.purge_scans(at(25)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_object_is_read_again_while_a_check_of_the_same_call_and_order_is_in_doubt() {
    let bench = Bench::new().await;
    let mut order = bench.order(at(0));
    bench.insert(&order).await;
    let mut case = case(&bench, &order);
    case.items.remove(0);
    let parts = order.checks.iter().map(|check| SubmissionPart {
        check_id: check.id,
        order_id: order.id,
        reference: check.reference(),
    });
    let call = NewSubmission {
        id: case.submission,
        tenant: order.tenant.clone(),
        account: account(),
        started_at: at(0),
        lease_until: at(9),
        items: parts.collect(),
    };
    let mut tx = bench.store.begin().await.unwrap();
    tx.submissions().insert(&call).await.unwrap();
    let first = order.checks[0].id;
    let events = bind(&mut order, case.submission, "shared", at(5));
    tx.orders().save(&order, &[Plan { check_id: first, work: None }], &events).await.unwrap();
    let mut settled = async || tx.vendor_objects().settled(&account(), at(0)).await.unwrap();
    assert!(settled().await.contains("shared"));
    tx.cases().insert(&case).await.unwrap();
    let mut settled = async || tx.vendor_objects().settled(&account(), at(0)).await.unwrap();
    assert!(!settled().await.contains("shared"), "the other's part may come to light in it");
    case.state = CaseState::Resolved;
    tx.cases().save(&case).await.unwrap();
    assert!(tx.vendor_objects().settled(&account(), at(0)).await.unwrap().contains("shared"));
}
