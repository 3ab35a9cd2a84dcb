//! Theary's `X-Event-Id` is not signed: it can neither repeat news nor suppress any.

use domain::{CheckStatus, EventType, Outcome};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::HookRequest;
use serde_json::{Value, json};
use sha2::Sha256;
use store::Scope;

use crate::world::{World, draft};

/// A hook as the vendor signs it, under this id.
fn hook(world: &World, event_id: &str, event: &str, minute: u32, data: &Value) -> HookRequest {
    let body =
        json!({ "event": event, "occurredAt": format!("2026-11-21T09:{minute:02}:00Z"), "data": data }).to_string();
    let secret = sandbox::theary::Config::default().hook_secret;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body.as_bytes());
    let mut headers = HeaderMap::new();
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    headers.insert("x-webhook-signature", signature.parse().expect("a header"));
    headers.insert("x-event-id", event_id.parse().expect("a header"));
    HookRequest { headers, body: body.into(), received_at: world.engine.now() }
}

async fn take(world: &World, hook: HookRequest) {
    world.engine.receive_hook(&world.account("theary").key, hook).await.expect("authentic");
    world.engine.read_inbox().await.expect("read");
}

/// The kinds of notes in the timeline, and how often a completion was told.
async fn told(world: &World, id: domain::OrderId) -> (Vec<String>, usize) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    let events: Vec<_> = events.into_iter().map(|stored| stored.event).collect();
    let notes = events.iter().filter(|event| event.kind == EventType::CheckNotification);
    let notes = notes.map(|event| event.data["notification"].as_str().expect("a word").to_owned()).collect();
    let completed = events.iter().filter(|event| event.kind == EventType::CheckCompleted).count();
    (notes, completed)
}

#[tokio::test]
async fn another_id_repeats_no_news_and_a_used_one_hides_none() {
    let world = World::new().await;
    let id = world.accept(draft("theary", 0)).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    let check = world.order(id).await.checks.remove(0);
    let reference = check.reference().to_string();
    let search = check.state.binding().and_then(|binding| binding.vendor.check_id.clone()).expect("a search");
    let note = |kind: &str| json!({ "searchId": search, "externalSearchId": reference, "notificationType": kind });

    let plan = note("CONTACT_PLAN");
    // The vendor tries again under the same id, sends to a second target under another, and somebody replays it.
    for event_id in ["id-1", "id-1", "id-2", "id-3"] {
        take(&world, hook(&world, event_id, "verification.notification", 1, &plan)).await;
    }
    assert_eq!(told(&world, id).await.0, ["CONTACT_PLAN"]);

    // Other news under an id that was used: of the same moment, and the result itself.
    take(&world, hook(&world, "id-1", "verification.notification", 1, &note("OUTBOUND_ATTEMPT"))).await;
    assert_eq!(told(&world, id).await.0, ["CONTACT_PLAN", "OUTBOUND_ATTEMPT"]);
    let result = json!({
        "searchId": search, "externalSearchId": reference,
        "verificationResult": { "id": "r", "outcome": "VERIFIED", "discrepancy": true }
    });
    for event_id in ["id-1", "id-1", "id-9"] {
        take(&world, hook(&world, event_id, "verification.completed", 2, &result)).await;
    }
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.state.outcome()), (CheckStatus::Completed, Some(Outcome::Consider)));
    assert_eq!((told(&world, id).await.1, check.state.revision()), (1, 1));
}
