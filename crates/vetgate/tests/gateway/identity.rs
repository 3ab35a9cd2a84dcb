//! An identity verification as a caller sees it, through a running gateway and with the vendor's own hooks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, until};

fn order(phone: &str) -> Value {
    json!({
        "subject": {
            "type": "person", "first_name": "Lucía", "last_name": "Prueba", "phone": phone, "email": "lucia@example.com",
        },
        "consent": { "obtained_at": "2026-01-05T10:00:00Z" },
        "checks": [{ "type": "identity_verification", "country": "CO" }],
    })
}

async fn the_check(world: &World, order: &str) -> Value {
    world.order(order).await["checks"][0].clone()
}

/// The check once the applicant is waited for.
async fn waiting(world: &World, order: &str) -> Value {
    world.until_status(order, &["action_required"]).await;
    the_check(world, order).await
}

#[tokio::test]
async fn an_applicant_is_sent_a_link_and_the_caller_gets_the_result() {
    let world = World::new().await;
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&order("+573001234501"), "first").await;
    let check = waiting(&world, &id).await;
    assert_eq!(check["provider"], "truora", "by the routes, nobody named a vendor");
    let action = &check["action"];
    assert_eq!(action["type"], "applicant_link");
    let link = action["url"].as_str().expect("a link").to_owned();
    let token = action["token"].as_str().expect("a token").to_owned();

    // Before it has expired, the link that is there is given again; the same request gets the same answer.
    let path = format!("v1/checks/{}/actions", check["id"].as_str().expect("an id"));
    let ask = json!({ "type": "resend_link" });
    for replayed in [false, true] {
        let (status, again, body) = world.send(&path, &ask, "resend-1").await;
        assert_eq!((status, again, &body["action"]), (200, replayed, action));
    }
    let (status, _, problem) = world.send(&path, &json!({ "type": "resend_link", "url": "x" }), "resend-2").await;
    assert_eq!(status, 422, "{problem}");
    let (status, _, problem) = world.send(&path, &json!({ "type": "call_them" }), "resend-3").await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(world.books("truora").calls_of("link"), 1);

    // Once it has, it leads nowhere.
    world.vendor("truora").control().advance(Duration::from_hours(3));
    assert_eq!(world.browse(&link).await, 403);

    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'check.acted'";
    assert_eq!(world.count(audited).await, 1, "the request that was carried out");
    assert!(!gateway.log().contains(&token), "a link is in no log");
}

#[tokio::test]
async fn a_verified_identity_is_shown_masked() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let id = world.post(&order("+573001234501"), "first").await;
    let check = waiting(&world, &id).await;
    assert_eq!(world.browse(check["action"]["url"].as_str().expect("a link")).await, 200);
    world.until_status(&id, &["completed"]).await;
    let check = the_check(&world, &id).await;
    assert_eq!((&check["outcome"], &check["action"]), (&json!("clear"), &Value::Null));
    let result = &check["result"];
    assert_eq!((&result["type"], &result["status"]), (&json!("identity"), &json!("success")));
    assert_eq!(result["methods"], json!(["document", "face"]));
    let document = &result["document"];
    assert_eq!((&document["number"], &document["date_of_birth"]), (&json!("******6701"), &json!("1990-**-**")));
    assert_eq!(document["expires_on"], "2031-01-31");
    let books = world.books("truora");
    assert_eq!(books.objects.len(), 1);
    assert_eq!(check["vendor"]["check_id"], books.objects[0].id.as_str());
    assert_eq!(check["vendor"]["order_id"], check["id"]);

    let path = format!("v1/checks/{}/actions", check["id"].as_str().expect("an id"));
    let (status, _, problem) = world.send(&path, &json!({ "type": "resend_link" }), "too-late").await;
    assert_eq!(status, 409, "{problem}");
}

#[tokio::test]
async fn an_override_at_the_vendor_arrives_by_its_hook() {
    let world = World::new().await;
    world.vendor("truora").control().set_behavior(json!({ "identity": { "override_ms": 60_000 } })).expect("a switch");
    let _gateway = world.start(&["serve"]).await;
    let id = world.post(&order("+573001234595"), "first").await;
    let check = waiting(&world, &id).await;
    world.browse(check["action"]["url"].as_str().expect("a link")).await;
    world.until_status(&id, &["completed"]).await;
    assert_eq!(the_check(&world, &id).await["outcome"], "clear");
    world.vendor("truora").control().advance(Duration::from_mins(2));
    let check = until("the result is revised", async || {
        Some(the_check(&world, &id).await).filter(|check| check["revision"] == 2)
    })
    .await;
    assert_eq!((&check["status"], &check["outcome"]), (&json!("completed"), &json!("consider")));
    assert_eq!(
        check["result"]["override"],
        json!({ "status": "failure", "instead_of": "success", "by": "***" }),
        "who decided it is a person, too"
    );
}
