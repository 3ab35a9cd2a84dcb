//! A vendor's own products, named by callers and by routes.

use domain::{ActionKind, CheckDraft, CheckStatus, CheckType, OrderDraft, Outcome, TenantId, Wish};
use engine::Route;
use engine::accept::AcceptError;
use serde_json::{Value, json};
use trials::drafts::with_ssn;

use crate::world::{Options, World, draft};

/// Of the simulators. Truework Direct: nobody signs in; no match. Truework: completed; Theary: no record.
const NOBODY: &str = "000-20-0000";
const NO_MATCH: &str = "000-99-0003";
const ONLY_AT_TRUEWORK: &str = "000-00-0003";

fn order(ssn: &str, providers: &[&str], options: Value) -> OrderDraft {
    let mut draft = with_ssn(draft("truework", 0), ssn);
    set(&mut draft.checks[0], providers, options);
    draft
}

fn set(check: &mut CheckDraft, providers: &[&str], options: Value) {
    let mut input = check.input.expose().clone();
    input.vendor_options = serde_json::from_value(options).expect("an object");
    check.input = input.into();
    check.providers = providers.iter().filter_map(|name| Wish::parse(name)).collect();
}

async fn objections(world: &World, draft: OrderDraft) -> Vec<(String, String)> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let refused = world.engine.accept(&mut tx, &TenantId::new("acme"), draft).await;
    let Err(AcceptError::Invalid(faults)) = refused else { panic!("not refused") };
    faults.into_iter().map(|(pointer, fault)| (pointer, fault.code.to_string())).collect()
}

fn made(world: &World) -> (usize, usize) {
    (world.books("truework").objects.len(), world.books("theary").objects.len())
}

#[tokio::test]
async fn a_direct_order_is_made_by_its_name_as_by_its_option() {
    for (name, options) in [("truework:direct", json!({})), ("truework", json!({ "direct": true }))] {
        let world = World::new().await;
        let id = world.accept(order(NOBODY, &[name], options)).await;
        world.work().await;
        let check = world.order(id).await.checks.remove(0);
        let action = check.state.action().expect("an action");
        assert_eq!((check.status(), action.kind), (CheckStatus::ActionRequired, ActionKind::ApplicantLink), "{name}");
        assert!(action.url.is_some() && action.token.is_some());
    }
}

#[tokio::test]
async fn a_product_that_the_options_contradict_is_refused() {
    let world = World::new().await;
    let at = |pointer: &str| format!("/checks/0{pointer}");
    for (name, options, pointer, code) in [
        ("truework:direct", json!({ "direct": false }), "/vendor_options/direct", "contradicts_provider"),
        ("truework:direct", json!({ "direct": 1 }), "/vendor_options/direct", "invalid"),
        ("truework:employer-search", json!({ "direct": true }), "/vendor_options/direct", "contradicts_provider"),
        ("truework:target-employer", json!({ "direct": true }), "/vendor_options/direct", "contradicts_provider"),
        (
            "truework:direct",
            json!({ "employer_filter": "any-employers" }),
            "/vendor_options/employer_filter",
            "not_supported",
        ),
        (
            "truework:direct",
            json!({ "allowed_verification_methods": ["instant"] }),
            "/vendor_options/allowed_verification_methods",
            "not_supported",
        ),
        ("truework:payroll", json!({}), "/provider", "unknown_product"),
    ] {
        let told = objections(&world, order(NOBODY, &[name], options.clone())).await;
        assert_eq!(told, [(at(pointer), code.to_owned())], "{name} {options}");
    }
    // The options that a direct order has still apply.
    world.accept(order(NOBODY, &["truework:direct"], json!({ "use_case": "lending" }))).await;
}

#[tokio::test]
async fn a_waterfall_can_begin_with_a_direct_order() {
    let world = World::new().await;
    let options = json!({ "truework": { "use_case": "background" } });
    let id = world.accept(order(NO_MATCH, &["truework:direct", "theary"], options)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.account.provider.as_str(), check.status()), ("theary", CheckStatus::Completed));
    assert_eq!(check.state.tried[0].state.native_status(), Some("canceled"));
    assert_eq!(made(&world), (1, 1));
}

#[tokio::test]
async fn a_waterfall_can_end_with_a_direct_order() {
    let world = World::new().await;
    let id = world.accept(order(ONLY_AT_TRUEWORK, &["theary", "truework:direct"], json!({}))).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.account.provider.as_str(), check.attempt), ("truework", 2));
    assert_eq!(
        (check.status(), check.state.outcome()),
        (CheckStatus::Completed, Some(Outcome::Consider)),
        "another title"
    );
    assert_eq!(check.state.tried.len(), 1, "Theary had no record");
    assert_eq!(made(&world), (1, 1));
}

#[tokio::test]
async fn a_route_can_lead_to_a_product() {
    let route = |providers: &[&str], waterfall| Route {
        check_type: CheckType::EmploymentVerification,
        country: None,
        providers: providers.iter().filter_map(|name| Wish::parse(name)).collect(),
        waterfall,
    };
    let routes = vec![route(&["truework:direct"], false)];
    let world = World::with(Options { routes, ..Options::default() }).await;
    let id = world.accept(order(NOBODY, &[], json!({}))).await;
    world.work().await;
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::ActionRequired);
    let told = objections(&world, order(NOBODY, &[], json!({ "direct": false }))).await;
    assert_eq!(told, [("/checks/0/vendor_options/direct".to_owned(), "contradicts_provider".to_owned())]);

    // Theary knows no such option; what it objects to passes it over.
    let routes = vec![route(&["theary", "truework:employer-search", "truework:direct"], true)];
    let world = World::with(Options { routes, ..Options::default() }).await;
    let id = world.accept(order(NO_MATCH, &[], json!({ "direct": true }))).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.state.outcome(), check.state.tried.len()), (Some(Outcome::Unresolved), 0));
    assert_eq!(made(&world), (1, 0), "but for the direct order nobody takes the option");
}
