use domain::{AccountKey, CaseId, ProviderId, Reference};
use store::{OrphanFilter, OrphanKind, Plan};
use uuid::Uuid;

use crate::support::{Bench, Standstill, account, at, bind};

#[tokio::test]
async fn an_object_is_an_orphan_once_and_never_while_a_check_is_bound_to_it() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let ours = Reference { check: order.checks[0].id, attempt: 2 };
    let foreign = Reference::first(bench.order(at(0)).checks[0].id);
    let mut tx = bench.store.begin().await.unwrap();
    let mut objects = tx.vendor_objects();
    objects.dismiss(&account(), &["dismissed".to_owned()], at(1)).await.unwrap();
    assert!(objects.add_orphan(&account(), "dismissed", None, Some(at(0)), at(2)).await.unwrap(), "nobody was told");
    assert!(!objects.add_orphan(&account(), "dismissed", None, Some(at(0)), at(3)).await.unwrap());
    assert!(objects.add_orphan(&account(), "foreign", Some(foreign), None, at(4)).await.unwrap());
    assert!(objects.add_orphan(&account(), "second", Some(ours), None, at(5)).await.unwrap());
    // A scan that reads it again takes nothing back.
    objects.dismiss(&account(), &["foreign".to_owned(), "second".to_owned()], at(6)).await.unwrap();

    let listed = objects.orphans(&OrphanFilter::default(), 9, None).await.unwrap();
    let seen: Vec<_> =
        listed.iter().map(|orphan| (orphan.vendor_order_id.as_str(), orphan.kind, orphan.check_id)).collect();
    assert_eq!(
        seen,
        [
            ("second", OrphanKind::Duplicate, Some(ours.check)),
            ("foreign", OrphanKind::Stranger, Some(foreign.check)),
            ("dismissed", OrphanKind::Stranger, None),
        ]
    );
    assert_eq!((listed[2].created_at, listed[2].seen_at, &listed[2].account), (Some(at(0)), at(2), &account()));

    // Found in a case as well: it is known by the case then, and keeps its place.
    let case = CaseId::generate(&Standstill(at(7)), &*bench.entropy);
    assert!(objects.add_duplicate(&account(), "second", ours, case, at(7), false).await.unwrap());
    assert!(!objects.add_duplicate(&account(), "second", ours, case, at(8), false).await.unwrap());
    let listed = objects.orphans(&OrphanFilter::default(), 1, None).await.unwrap();
    assert_eq!((listed[0].vendor_order_id.as_str(), listed[0].case_id), ("second", Some(case)));

    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let events = bind(&mut order, bench.submission_id(), "second", at(9));
    tx.orders().save(&order, &[Plan { check_id: ours.check, work: None }], &events).await.unwrap();
    let mut objects = tx.vendor_objects();
    assert!(!objects.add_orphan(&account(), "second", Some(ours), None, at(9)).await.unwrap());
    let strangers = [
        ("second".to_owned(), None),
        ("new".to_owned(), Some(at(3))),
        ("new".to_owned(), None),
        ("foreign".to_owned(), None),
    ];
    assert_eq!(objects.add_strangers(&account(), &strangers, at(10)).await.unwrap(), ["new"]);
    let left = objects.orphans(&OrphanFilter::default(), 9, None).await.unwrap();
    let left: Vec<_> = left.iter().map(|orphan| orphan.vendor_order_id.as_str()).collect();
    assert_eq!(left, ["new", "foreign", "dismissed"], "the one that is bound is nobody's orphan");
}

#[tokio::test]
async fn pages_of_orphans_hold_each_once_by_filter() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let accounts = [
        account(),
        AccountKey::new(ProviderId::new("theary"), "second"),
        AccountKey::default_of(ProviderId::new("truora")),
    ];
    let mut made = Vec::new();
    let mut tx = bench.store.begin().await.unwrap();
    for n in 0..30_u64 {
        let index = usize::try_from(n).unwrap();
        let (account, is_ours) = (&accounts[index % 3], n % 4 == 0);
        let reference = is_ours.then(|| Reference::first(order.checks[0].id));
        // Ten at a time, as a sweep records them.
        let name = format!("v-{n}");
        assert!(tx.vendor_objects().add_orphan(account, &name, reference, None, at(n / 10)).await.unwrap());
        made.push((name, account.clone(), is_ours));
    }
    let mut walk = async |filter: OrphanFilter| {
        let (mut names, mut before): (Vec<String>, Option<Uuid>) = (Vec::new(), None);
        loop {
            let page = tx.vendor_objects().orphans(&filter, 4, before).await.unwrap();
            before = page.last().map(|orphan| orphan.id);
            names.extend(page.iter().map(|orphan| orphan.vendor_order_id.clone()));
            if page.len() < 4 {
                names.sort_unstable();
                return names;
            }
        }
    };
    let expected = |keep: &dyn Fn(&AccountKey, bool) -> bool| {
        let kept = made.iter().filter(|(_, account, is_ours)| keep(account, *is_ours));
        let mut names: Vec<String> = kept.map(|(name, ..)| name.clone()).collect();
        names.sort_unstable();
        names
    };
    let any = OrphanFilter::default;
    assert_eq!(walk(any()).await, expected(&|_, _| true));
    let provider = Some(ProviderId::new("theary"));
    assert_eq!(
        walk(OrphanFilter { provider, ..any() }).await,
        expected(&|account, _| account.provider.as_str() == "theary")
    );
    let one = Some(accounts[1].clone());
    assert_eq!(walk(OrphanFilter { account: one, ..any() }).await, expected(&|account, _| *account == accounts[1]));
    let kind = Some(OrphanKind::Duplicate);
    assert_eq!(walk(OrphanFilter { kind, ..any() }).await, expected(&|_, is_ours| is_ours));
    let (account, kind) = (Some(accounts[2].clone()), Some(OrphanKind::Stranger));
    let both = OrphanFilter { account, kind, ..any() };
    assert_eq!(walk(both).await, expected(&|account, is_ours| *account == accounts[2] && !is_ours));
}
