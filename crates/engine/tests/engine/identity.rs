//! Identity verifications from the link to the result: lost answers, links that expire, applicants who come late, and books
//! that show one process per check, whatever happened.

use std::time::Duration;

use domain::input::IdentityVerification;
use domain::{
    Action, ActionAnswer, CaseState, Check, CheckInput, CheckResult, CheckSpec, CheckStatus, EventType, ItemState,
    OrderDraft, OrderId, Outcome, Subject,
};
use engine::ActError;
use http::{HeaderMap, StatusCode};
use provider::{HookRequest, VendorHttp, VendorRequest};
use sandbox::{Fault, FaultKind};
use sqlx::{Connection as _, PgConnection};
use store::Scope;

use crate::world::{Options, World, draft};

/// An identity verification of somebody whose phone number, by its last digits, chooses how it ends.
fn applicant(phone: &str) -> OrderDraft {
    let mut draft = draft("truora", 0);
    let mut input = draft.input.expose().clone();
    if let Subject::Person(person) = &mut input.subject {
        person.phone = Some(phone.to_owned());
    }
    draft.input = input.into();
    let spec = CheckSpec::IdentityVerification(IdentityVerification { country: "CO".into(), flow: None });
    draft.checks[0].input = CheckInput::new(spec, serde_json::Map::new()).into();
    draft
}

async fn the_check(world: &World, id: OrderId) -> Check {
    world.order(id).await.checks.remove(0)
}

/// Works until the applicant has a link.
async fn link_of(world: &World, id: OrderId) -> Action {
    world
        .work_until(Duration::from_hours(2), "a link is made", async || {
            the_check(world, id).await.status() == CheckStatus::ActionRequired
        })
        .await;
    the_check(world, id).await.state.action().expect("an action").clone()
}

async fn open(action: &Action) -> StatusCode {
    use provider::call::Unlimited;
    let budget = std::sync::Arc::new(Unlimited);
    let ctx = provider::CallContext::new(provider::Share::Poll, Duration::from_secs(10), budget);
    let url = action.url.as_deref().expect("a link").parse().expect("a URL");
    let request = VendorRequest::new(http::Method::GET, url);
    VendorHttp::new().send(&ctx, request).await.expect("a page").status
}

async fn resend(world: &World, check: &Check) -> Result<Check, ActError> {
    let order = world.engine.act(&Scope::All, check.id, &ActionAnswer::ResendLink {}).await?;
    Ok(order.expect("an order").checks.remove(0))
}

fn token_of(check: &Check) -> Option<String> {
    check.state.action().and_then(|action| action.token.clone())
}

/// Asserts that the vendor has one process of the check, and that it is the one bound here.
fn assert_one_process(world: &World, check: &Check) {
    let books = world.books("truora");
    let reference = check.reference().to_string();
    let theirs: Vec<_> = books.with_reference(&reference).map(|process| process.id.clone()).collect();
    let vendor = &check.state.binding().expect("bound").vendor;
    assert_eq!(vendor.order_id, reference);
    assert_eq!(theirs, Vec::from_iter(vendor.check_id.clone()), "theirs, ours");
}

#[tokio::test]
async fn an_applicant_opens_the_link_and_is_verified() {
    let world = World::new().await;
    let id = world.accept(applicant("+573001234501")).await;
    let link = link_of(&world, id).await;
    assert!(link.is_live_link(world.engine.now()));
    // Nothing happens until the applicant comes.
    world.clock.advance(Duration::from_mins(90));
    while world.work().await > 0 {}
    let check = the_check(&world, id).await;
    assert_eq!(token_of(&check), link.token, "the link stays while nobody has begun");
    assert!(world.books("truora").objects.is_empty());

    assert_eq!(open(&link).await, StatusCode::OK);
    world.work_until_settled(&[id]).await;
    let check = the_check(&world, id).await;
    assert_eq!((check.status(), check.state.outcome()), (CheckStatus::Completed, Some(Outcome::Clear)));
    assert!(matches!(check.state.result(), Some(CheckResult::Identity(_))));
    assert!(check.state.action().is_none());
    assert_one_process(&world, &check);
    assert!(world.cases().await.is_empty());

    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let documents = tx.documents().list(&Scope::All, id).await.expect("read");
    assert_eq!(documents.len(), 1, "the report is a document");
}

#[tokio::test]
async fn a_lost_link_is_looked_for_and_then_made_again() {
    for kind in [FaultKind::DropAfter, FaultKind::DropBefore, FaultKind::Truncate, FaultKind::Garbage] {
        let world = World::new().await;
        world.vendor("truora").control().arm(Fault::new("link", kind));
        let id = world.accept(applicant("+573001234501")).await;
        let link = link_of(&world, id).await;
        let check = the_check(&world, id).await;
        assert_eq!(check.state.sends, 2, "{kind:?}");
        assert_eq!(world.books("truora").calls_of("link"), 2, "{kind:?}");
        open(&link).await;
        world.work_until_settled(&[id]).await;
        let check = the_check(&world, id).await;
        assert_eq!(check.status(), CheckStatus::Completed, "{kind:?}");
        assert_one_process(&world, &check);
        world
            .work_until(Duration::from_hours(1), "the case is closed", async || {
                world.cases().await.iter().all(|case| case.state == CaseState::Resolved)
            })
            .await;
        let case = world.cases().await.remove(0);
        assert_ne!(case.items[0].state, ItemState::Duplicate, "{kind:?}: there is one process");
    }
}

#[tokio::test]
async fn a_process_of_a_lost_link_is_found_and_no_other_link_is_made() {
    // Nobody can have the link of a lost answer, but should the process be there all the same, it is the check's.
    let world = World::new().await;
    let id = world.accept(applicant("+573001234501")).await;
    let account = world.account("truora");
    let other = world.another(&Options::default()).await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    let link = the_check(&world, id).await.state.action().expect("a link").clone();
    let lost = world.accept(applicant("+573001234501")).await;
    other.forget_a_ticket(&account).await;
    let reference = the_check(&world, lost).await.reference().to_string();
    assert_eq!(begin_as(&world, &reference).await, StatusCode::OK);
    open(&link).await;
    world.work_until_settled(&[id, lost]).await;
    let check = the_check(&world, lost).await;
    assert_eq!((check.status(), check.state.sends), (CheckStatus::Completed, 1), "found, not sent again");
    assert_one_process(&world, &check);
}

/// Makes a link for an account behind the gateway's back, and opens it.
async fn begin_as(world: &World, account_id: &str) -> StatusCode {
    let base = world.vendor("truora").base_url();
    let config = sandbox::truora::Config::default();
    let form = format!(
        "key_type=web&grant=digital-identity&api_key_version=1&country=ALL&flow_id={}&account_id={account_id}",
        sandbox::truora::IDENTITY_FLOW
    );
    let budget = std::sync::Arc::new(provider::call::Unlimited);
    let ctx = provider::CallContext::new(provider::Share::Create, Duration::from_secs(10), budget);
    let request = VendorRequest::new(http::Method::POST, base.join("v1/api-keys").expect("a URL"))
        .header(http::HeaderName::from_static("truora-api-key"), config.api_key.parse().expect("a header"))
        .body("application/x-www-form-urlencoded", form);
    let answer = VendorHttp::new().send(&ctx, request).await.expect("an answer");
    let answer: serde_json::Value = answer.json().expect("JSON");
    let mut page = base.clone();
    page.query_pairs_mut().append_pair("token", answer["api_key"].as_str().expect("a token"));
    VendorHttp::new().send(&ctx, VendorRequest::new(http::Method::GET, page)).await.expect("a page").status
}

#[tokio::test]
async fn an_expired_link_waits_for_a_new_one() {
    let world = World::new().await;
    let id = world.accept(applicant("+573001234501")).await;
    let first = link_of(&world, id).await;
    let check = the_check(&world, id).await;
    let same = resend(&world, &check).await.expect("the link");
    assert_eq!(token_of(&same), first.token, "one that works is given again");
    assert_eq!(world.books("truora").calls_of("link"), 1);

    world.clock.advance(Duration::from_hours(3));
    while world.work().await > 0 {}
    assert_eq!(open(&first).await, StatusCode::FORBIDDEN);
    assert_eq!(the_check(&world, id).await.status(), CheckStatus::ActionRequired, "it waits on");

    // Two callers at the same time get the same one.
    let (one, two) = tokio::join!(resend(&world, &check), resend(&world, &check));
    let (one, two) = (one.expect("a link"), two.expect("a link"));
    let second = one.state.action().expect("a link").clone();
    assert_eq!(token_of(&two), second.token);
    assert_ne!(second.token, first.token);

    assert_eq!(open(&second).await, StatusCode::OK);
    let begun = resend(&world, &check).await.expect("how it stands");
    assert_eq!(token_of(&begun), second.token, "it works still: whoever lost it may go on with it");
    world.clock.advance(Duration::from_hours(3));
    let begun = resend(&world, &check).await.expect("how it stands");
    assert_ne!(begun.status(), CheckStatus::ActionRequired, "begun, so no other is made");
    world.work_until_settled(&[id]).await;
    assert_one_process(&world, &the_check(&world, id).await);
    let ended = resend(&world, &check).await;
    assert!(matches!(&ended, Err(ActError::Refused(why)) if why.code == "no_action"), "{:?}", ended.err());
}

#[tokio::test]
async fn a_lost_answer_to_a_new_link_changes_nothing_and_can_be_asked_for_again() {
    let world = World::new().await;
    let id = world.accept(applicant("+573001234501")).await;
    let first = link_of(&world, id).await;
    world.clock.advance(Duration::from_hours(3));
    world.vendor("truora").control().arm(Fault::new("link", FaultKind::DropAfter));
    let check = the_check(&world, id).await;
    assert!(matches!(resend(&world, &check).await, Err(ActError::Vendor(_))));
    assert_eq!(token_of(&the_check(&world, id).await), first.token);
    let second = resend(&world, &check).await.expect("a link").state.action().expect("a link").clone();
    open(&second).await;
    world.work_until_settled(&[id]).await;
    assert_one_process(&world, &the_check(&world, id).await);
}

#[tokio::test]
async fn an_override_revises_the_result_when_its_hook_comes() {
    let world = World::new().await;
    let id = world.accept(applicant("+573001234594")).await;
    open(&link_of(&world, id).await).await;
    world.work_until_settled(&[id]).await;
    let check = the_check(&world, id).await;
    assert_eq!(check.state.outcome(), Some(Outcome::Consider));
    assert_eq!(check.state.status_reason().map(|why| why.code.as_str()), Some("identity_declined"));

    world.clock.advance(Duration::from_mins(5));
    deliver(&world, &check, "status_overridden").await;
    world
        .work_until(Duration::from_hours(1), "the result is revised", async || {
            the_check(&world, id).await.state.outcome() == Some(Outcome::Clear)
        })
        .await;
    let check = the_check(&world, id).await;
    assert_eq!((check.status(), check.state.revision()), (CheckStatus::Completed, 2));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    assert!(events.iter().any(|event| event.event.kind == EventType::CheckRevised));
}

/// Delivers a signed hook about the check's process, as the vendor words it.
async fn deliver(world: &World, check: &Check, action: &str) {
    let vendor = check.state.binding().expect("bound").vendor.clone();
    let now = world.engine.now();
    let claims = serde_json::json!({
        "iss": "Truora", "iat": now.get().unix_timestamp(),
        "events": [{
            "id": format!("HKE-{action}"), "event_type": "digital_identity.identity_process", "event_action": action,
            "object": { "identity_process_id": vendor.check_id, "account_id": vendor.order_id },
        }],
    });
    let body = sign(&claims, &sandbox::truora::Config::default().hook_key);
    let request = HookRequest { headers: HeaderMap::new(), body: body.into(), received_at: now };
    world.engine.receive_hook(&check.account, request).await.expect("taken");
}

fn sign(claims: &serde_json::Value, key: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let header = serde_json::json!({ "alg": "HS256", "typ": "JWT" });
    let signed = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn what_nobody_has_begun_is_canceled_and_what_runs_is_not() {
    let world = World::new().await;
    let waiting = world.accept(applicant("+573001234501")).await;
    let running = world.accept(applicant("+573001234592")).await;
    link_of(&world, waiting).await;
    let link = link_of(&world, running).await;
    open(&link).await;
    for id in [waiting, running] {
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let reason = domain::Reason::new("caller", "The candidate withdrew.");
        world.engine.cancel(&mut tx, &Scope::All, id, reason).await.expect("noted");
        tx.save().await.expect("saved");
    }
    world.work_until_settled(&[waiting, running]).await;
    assert_eq!(the_check(&world, waiting).await.status(), CheckStatus::Canceled);
    let running = the_check(&world, running).await;
    assert_eq!(running.status(), CheckStatus::Completed, "a process that runs cannot be stopped");
    assert_one_process(&world, &running);
}

#[tokio::test]
async fn the_link_is_in_no_event() {
    let world = World::new().await;
    let id = world.accept(applicant("+573001234501")).await;
    let token = link_of(&world, id).await.token.expect("a token");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    let told: Vec<_> = events.iter().map(|event| serde_json::to_string(&event.event.data).expect("JSON")).collect();
    assert!(
        !told.is_empty() && told.iter().all(|event| !event.contains(&token) && !event.contains("http")),
        "{told:?}"
    );
    // Nor anywhere in the clear in the database, as text or as bytes.
    let mut raw = PgConnection::connect(world.database_url()).await.expect("connected");
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut raw).await.expect("read");
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        for needle in [token.clone(), hex::encode(&token)] {
            let count = format!("SELECT count(*) FROM \"{table}\" t WHERE position($1 in t::text) > 0");
            let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(needle);
            let rows: i64 = count.fetch_one(&mut raw).await.expect("counted");
            assert_eq!(rows, 0, "{table}");
        }
    }
}
