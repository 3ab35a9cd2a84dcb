use domain::{
    BatchId, CheckStatus, CheckType, Gender, IdentifierType, OrderId, OrderStatus, Outcome, ProviderId, Subject,
};
use store::{IdentifierFilter, OrderFilter, Plan, Scope};
use uuid::Uuid;

use crate::support::{Bench, at, bind, complete, tenant};

async fn found(bench: &Bench, scope: &Scope, filter: OrderFilter) -> Vec<OrderId> {
    let mut tx = bench.store.begin().await.unwrap();
    tx.orders().list(scope, &filter, 50, None).await.unwrap().iter().map(|order| order.id).collect()
}

fn ssn(value: &str) -> OrderFilter {
    let identifier = IdentifierFilter { kind: IdentifierType::Ssn, country: "us".into(), value: value.into() };
    OrderFilter { identifier: Some(identifier), ..OrderFilter::default() }
}

fn email(value: &str) -> OrderFilter {
    OrderFilter { email: Some(value.into()), ..OrderFilter::default() }
}

fn last_name(value: &str) -> OrderFilter {
    OrderFilter { last_name: Some(value.into()), ..OrderFilter::default() }
}

#[tokio::test]
async fn subjects_are_found_in_any_spelling_within_the_tenant() {
    let bench = Bench::new().await;
    let (ours, theirs) = (bench.order_of("acme", at(0), 1), bench.order_of("other", at(1), 1));
    let mut stranger = bench.order_of("acme", at(2), 1);
    if let Subject::Person(person) = &mut stranger.input.expose_mut().subject {
        person.last_name = Some("Pérez  de la Cruz".into());
        person.aliases.clear();
        person.identifiers.clear();
        person.email = None;
        person.gender = Some(Gender::Other);
    }
    for order in [&ours, &theirs, &stranger] {
        bench.insert(order).await;
    }
    let acme = Scope::Tenant(tenant("acme"));
    for filter in [
        ssn("987 65 4321"),
        ssn("987654321"),
        email(" ZYXWINA@example.org"),
        last_name("QVORTRUP"),
        last_name("quuxly"),
    ] {
        assert_eq!(found(&bench, &acme, filter.clone()).await, [ours.id]);
        assert_eq!(found(&bench, &Scope::All, filter).await, [theirs.id, ours.id]);
    }
    assert_eq!(found(&bench, &acme, last_name("perez de la cruz")).await, [stranger.id]);
    for nobody in [ssn("987654322"), email(""), email("zyxwina"), last_name(" "), last_name("Qvor")] {
        assert!(found(&bench, &acme, nobody.clone()).await.is_empty());
        assert!(found(&bench, &Scope::All, nobody).await.is_empty());
    }
    let mut of_mexico = ssn("987654321");
    of_mexico.identifier.as_mut().unwrap().country = "MX".into();
    assert!(found(&bench, &acme, of_mexico).await.is_empty());
    // All conditions at once; one that fails, fails all.
    let both = OrderFilter { email: Some("zyxwina@example.org".into()), ..ssn("987654321") };
    assert_eq!(found(&bench, &acme, both.clone()).await, [ours.id]);
    let with_check = OrderFilter { check_status: Some(CheckStatus::Queued), ..both.clone() };
    assert_eq!(found(&bench, &acme, with_check).await, [ours.id]);
    let with_metadata = OrderFilter { metadata: vec![("unit".into(), "south".into())], ..both };
    assert!(found(&bench, &acme, with_metadata).await.is_empty());
}

#[tokio::test]
async fn what_was_written_under_an_old_key_is_still_found() {
    let bench = Bench::new().await;
    let old = bench.order_of("acme", at(0), 1);
    bench.insert(&old).await;
    let rotated = bench.store_with_keys(&["b", "a"]).await;
    let new = bench.order_of("acme", at(1), 1);
    let mut tx = rotated.begin().await.unwrap();
    tx.orders().insert(&new, at(1)).await.unwrap();
    for scope in [Scope::Tenant(tenant("acme")), Scope::All] {
        let found = tx.orders().list(&scope, &ssn("987654321"), 50, None).await.unwrap();
        assert_eq!(found.iter().map(|order| order.id).collect::<Vec<_>>(), [new.id, old.id]);
    }
}

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let bench = Bench::new().await;
    let plain = bench.order_of("acme", at(0), 2);
    let mut special = bench.order_of("acme", at(3_600), 2);
    special.external_id = Some("ATS-2".into());
    special.batch_id = Some(BatchId::from_uuid(Uuid::from_u128(9)));
    special.metadata.insert("unit".into(), "south".into());
    special.checks[0].account.provider = ProviderId::new("truora");
    special.checks[1].kind = CheckType::BackgroundCheck;
    for order in [&plain, &special] {
        bench.insert(order).await;
    }
    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(special.id).await.unwrap().unwrap();
    let mut events = bind(&mut order, bench.submission_id(), "v", at(3_601));
    events.extend(complete(&mut order, "v", at(3_602)));
    let second = order.checks[1].id;
    let why = domain::Reason::new("canceled", "By the caller.");
    events.extend(order.tell(second, &domain::News::CancelRequested { why, at: at(3_602) }, at(3_602)));
    let plans = order.checks.iter().map(|check| Plan { check_id: check.id, work: None }).collect::<Vec<_>>();
    tx.orders().save(&order, &plans, &events).await.unwrap();
    tx.save().await.unwrap();
    assert_eq!((order.status(), order.outcome()), (OrderStatus::Completed, Some(Outcome::Unresolved)));

    let any = OrderFilter::default;
    let hits = [
        OrderFilter { status: Some(OrderStatus::Completed), ..any() },
        OrderFilter { outcome: Some(Outcome::Unresolved), ..any() },
        OrderFilter { check_status: Some(CheckStatus::Canceled), ..any() },
        OrderFilter { provider: Some(ProviderId::new("truora")), ..any() },
        OrderFilter { check_type: Some(CheckType::BackgroundCheck), ..any() },
        OrderFilter {
            check_type: Some(CheckType::BackgroundCheck),
            provider: Some(ProviderId::new("theary")),
            check_status: Some(CheckStatus::Canceled),
            ..any()
        },
        OrderFilter { external_id: Some("ATS-2".into()), ..any() },
        OrderFilter { batch_id: special.batch_id, ..any() },
        OrderFilter { created_after: Some(at(3_600)), ..any() },
        OrderFilter { metadata: vec![("unit".into(), "south".into())], ..any() },
        OrderFilter { metadata: vec![("requisition".into(), "R-12".into()), ("unit".into(), "south".into())], ..any() },
    ];
    let misses = [
        OrderFilter { status: Some(OrderStatus::Failed), ..any() },
        OrderFilter {
            check_type: Some(CheckType::BackgroundCheck),
            provider: Some(ProviderId::new("truora")),
            ..any()
        },
        OrderFilter { created_before: Some(at(0)), ..any() },
        OrderFilter { created_after: Some(at(3_601)), ..any() },
        OrderFilter { metadata: vec![("unit".into(), "east".into())], ..any() },
        OrderFilter { metadata: vec![("south".into(), "unit".into())], ..any() },
        OrderFilter { status: Some(OrderStatus::Completed), external_id: Some("ATS-1".into()), ..any() },
    ];
    for scope in [Scope::Tenant(tenant("acme")), Scope::All] {
        for (n, filter) in hits.iter().enumerate() {
            assert_eq!(found(&bench, &scope, filter.clone()).await, [special.id], "filter {n}");
        }
        for (n, filter) in misses.iter().enumerate() {
            assert!(found(&bench, &scope, filter.clone()).await.is_empty(), "filter {n}");
        }
        let first = OrderFilter { created_before: Some(at(1)), ..any() };
        assert_eq!(found(&bench, &scope, first).await, [plain.id]);
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_stable_under_inserts() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let order = bench.order_of(if n % 2 == 0 { "acme" } else { "other" }, at(n), 2);
        bench.insert(&order).await;
        ids.insert(0, order.id);
    }
    let filters = [
        OrderFilter::default(),
        OrderFilter { check_status: Some(CheckStatus::Queued), ..OrderFilter::default() },
        OrderFilter { metadata: vec![("unit".into(), "north".into())], ..OrderFilter::default() },
        email("zyxwina@example.org"),
    ];
    for filter in filters {
        let mut before = None;
        let mut seen = Vec::new();
        loop {
            let mut tx = bench.store.begin().await.unwrap();
            let page = tx.orders().list(&Scope::All, &filter, 3, before).await.unwrap();
            seen.extend(page.iter().map(|order| order.id));
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            // Newer ones do not move the pages.
            tx.orders().insert(&bench.order_of("third", at(1_000), 1), at(1_000)).await.unwrap();
        }
        assert_eq!(seen, ids);
    }
}
