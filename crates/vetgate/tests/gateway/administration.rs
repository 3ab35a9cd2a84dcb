//! A vendor account's own things, through a gateway process and by commands, against the simulator.

use domain::TenantId;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use vetgate::token::{Claims, mint};

use crate::support::{SECRET, World, client, until};

/// An operator's request. Gives status and body.
async fn ask(world: &World, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let scopes = "providers:read providers:manage audit:read orders:write orders:read tenants:all";
    let tenant = TenantId::new("acme");
    let claims =
        Claims { subject: "ops", tenant: &tenant, scopes, ttl: Duration::from_mins(5), issuer: None, audience: None };
    let token = mint(&SecretString::from(SECRET), &claims).expect("a token");
    let request = client().request(method.parse().expect("a method"), world.url(path)).bearer_auth(token);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_custom_type_is_made_and_ordered_by() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let base = "v1/providers/truora";
    let weights = json!({ "criminal_record": 0.75, "traffic_fines": 0.25 });
    let drivers = json!({ "country": "CO", "name": "drivers", "weights": weights });
    let made = ask(&world, "POST", &format!("{base}/custom-types"), Some(drivers.clone())).await;
    assert_eq!(made, (201, drivers.clone()));
    assert_eq!(ask(&world, "POST", &format!("{base}/custom-types"), Some(drivers.clone())).await.0, 409);
    assert_eq!(ask(&world, "GET", &format!("{base}/custom-types"), None).await.1["data"], json!([drivers]));
    let half = json!({ "weights": { "criminal_record": 0.5 } });
    let (status, refused) = ask(&world, "PUT", &format!("{base}/custom-types/CO/drivers"), Some(half)).await;
    assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!("/weights")), "{refused}");

    let mut order = world.new_order(&["truora"]);
    order["checks"][0]["custom_type"] = json!("drivers");
    let id = world.post(&order, "first").await;
    world.until_status(&id, &["completed"]).await;

    let (status, sources) = ask(&world, "GET", &format!("{base}/sources?country=CO"), None).await;
    assert_eq!((status, sources["data"][0]["hourly_status"].as_array().map(Vec::len)), (200, Some(24)));
    let set = json!({ "credentials": { "username": "ejemplo", "password": "muy secreto" } });
    assert_eq!(ask(&world, "PUT", &format!("{base}/credentials/DBI7"), Some(set)).await.0, 200);
    let listed = ask(&world, "GET", &format!("{base}/credentials"), None).await.1;
    assert_eq!(listed["data"], json!([{ "database_id": "DBI7" }]));
    assert_eq!(ask(&world, "DELETE", &format!("{base}/credentials/DBI7"), None).await.0, 204);
    let change = json!({ "names_matching": "exact", "max_duration": "48h" });
    assert_eq!(ask(&world, "PATCH", &format!("{base}/settings"), Some(change)).await.0, 200);
    assert_eq!(ask(&world, "DELETE", &format!("{base}/custom-types/CO/drivers"), None).await.0, 204);
    let (status, refused) = ask(&world, "GET", "v1/providers/theary/custom-types", None).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("not_supported")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registered_hook_brings_news_of_a_check_without_a_look() {
    let mut world = World::new().await;
    let public = world.url("").to_string();
    world.variables.insert("VETGATE_PUBLIC_URL".into(), public);
    // Only hooks can tell within the test's patience, and only those of the rule.
    world.variables.insert("VETGATE_TRUORA__POLL_MIN".into(), "1h".into());
    world.variables.insert("VETGATE_TRUORA__POLL_MAX".into(), "1h".into());
    world.variables.insert("VETGATE_RECONCILE__CATCH_UP".into(), "off".into());
    let truora = world.vendor("truora").control();
    truora.set_behavior(json!({ "hooks": { "target": null }, "rules_show_key": true })).expect("switches");
    let _gateway = world.start(&["serve"]).await;

    let printed = world.call(&["providers", "truora", "register-hook", "--print"]).await;
    assert_eq!(printed.code, Some(0), "{printed:#?}");
    assert!(printed.line("URL").ends_with("/vendor-hooks/truora"), "{printed:#?}");
    assert_eq!(world.books("truora").calls_of("rules"), 0, "nobody was called");

    let made = world.call(&["providers", "truora", "register-hook", "--json"]).await.json();
    assert_eq!((&made["rules"][0]["state"], &made["not_offered"][0]), (&json!("made"), &json!("checks.check.delayed")));
    assert_eq!(made["signing_key"], world.variables["VETGATE_TRUORA__HOOK_KEY"].as_str());
    let again = world.call(&["providers", "truora", "register-hook"]).await;
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert!(again.line("checks.check.finished").ends_with("unchanged"), "{again:#?}");
    assert!(!again.printed.contains(&world.variables["VETGATE_TRUORA__HOOK_KEY"]), "the key is shown once");

    let id = world.post(&world.new_order(&["truora"]), "first").await;
    world.until_status(&id, &["completed"]).await;
    assert_eq!(world.books("truora").calls_of("get"), 0, "told by the rule's hook");

    let listed = world.call(&["providers", "list"]).await;
    assert!(
        listed.line("truora").contains("closed") && listed.line("truora").contains("/vendor-hooks/truora"),
        "{listed:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_vendor_refuses_it_is_said_what_to_do_by_hand() {
    let mut world = World::new().await;
    let no_address = world.call(&["providers", "truora", "register-hook"]).await;
    assert!(no_address.code == Some(1) && no_address.told.contains("public_url"), "{no_address:#?}");
    world.variables.insert("VETGATE_PUBLIC_URL".into(), "https://gate.example.com".into());
    world.vendor("truora").control().set_behavior(json!({ "rules_api": false })).expect("a switch");
    let refused = world.call(&["providers", "truora", "register-hook"]).await;
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.told.contains("lacks a permission"), "{refused:#?}");
    refused.line("https://gate.example.com/vendor-hooks/truora");
    let unknown = world.call(&["providers", "truora", "register-hook", "--account", "mexico"]).await;
    assert!(unknown.code == Some(2) && unknown.told.contains("Known: default"), "{unknown:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsigned_hook_is_a_hint_where_the_settings_say_so_and_fills_nothing() {
    let mut world = World::new().await;
    world.variables.insert("VETGATE_TRUORA__UNSIGNED_HOOKS".into(), "hint".into());
    world.variables.insert("VETGATE_TRUORA__POLL_MIN".into(), "1h".into());
    world.variables.insert("VETGATE_TRUORA__POLL_MAX".into(), "1h".into());
    world.variables.insert("VETGATE_RECONCILE__CATCH_UP".into(), "off".into());
    let truora = world.vendor("truora").control();
    truora.set_behavior(json!({ "hooks": { "target": null } })).expect("a switch");
    let _gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&["truora"]), "first").await;
    let check = until("the check is at the vendor", async || {
        world.order(&id).await["checks"][0]["vendor"]["order_id"].as_str().map(str::to_owned)
    })
    .await;
    let tell = async |body: Value| {
        let request = client().post(world.url("vendor-hooks/truora")).json(&body);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(tell(json!({ "check_id": "CHKnobody" })).await, 200, "whether it is known is not told");
    assert_eq!(tell(json!({ "check": "nothing" })).await, 401);
    assert_eq!(world.count("SELECT count(*) FROM inbox").await, 0, "strangers fill nothing");
    truora.advance(Duration::from_mins(5));
    // What it claims is not used: the check is looked at.
    let claim = json!({ "events": [{ "event_type": "check", "event_action": "finished",
                                     "object": { "check_id": check, "status": "error" } }] });
    assert_eq!(tell(claim).await, 200);
    world.until_status(&id, &["completed"]).await;
    assert_eq!(world.order(&id).await["checks"][0]["vendor"]["status"], "completed");
    assert_eq!(world.count("SELECT count(*) FROM inbox").await, 0, "nothing of a hint is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_was_away_reads_what_it_missed_when_it_starts() {
    let mut world = World::new().await;
    world.variables.insert("VETGATE_TRUORA__POLL_MIN".into(), "1h".into());
    world.variables.insert("VETGATE_TRUORA__POLL_MAX".into(), "1h".into());
    let truora = world.vendor("truora").control();
    // Hooks go where nobody is.
    truora.set_behavior(json!({ "hooks": { "target": "http://127.0.0.1:1/", "attempts": 1 } })).expect("switches");
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&["truora"]), "first").await;
    world.until_status(&id, &["in_progress"]).await;
    gateway.kill();
    truora.advance(Duration::from_mins(5));
    let _gateway = world.start(&["serve"]).await;
    world.until_status(&id, &["completed"]).await;
    assert_eq!(world.books("truora").calls_of("get"), 0, "read in the log, without a look");
}
