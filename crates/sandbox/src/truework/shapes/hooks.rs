use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::tests::{Site, body};
use super::Shapes;

/// Where hooks arrive.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, received) = mpsc::unbounded_channel();
    let take = post(async move |body: Bytes| {
        _ = sender.send(serde_json::from_slice(&body).expect("JSON"));
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/hooks", take)).await });
    (url, received)
}

#[tokio::test]
async fn every_hook_is_what_the_contract_promises() {
    let shapes = Shapes::read();
    let direct = |ssn: &str| {
        json!({ "targets": [{
            "type": "employment-income", "permissible_purpose": "employment", "use_case": "background",
            "first_name": "Jane", "last_name": "Sample", "social_security_number": ssn, "date_of_birth": "1990-05-15",
            "contact_email": "jane@example.com", "companies": [{ "name": "Asked Inc", "action": "verify" }],
        }] })
    };
    let target = "orders/target-employer";
    for (path, order, mut expected) in [
        (target, body("000-00-0000"), vec!["processing", "completed", "order.completed"]),
        (target, body("000-01-0000"), vec!["processing", "canceled", "order.completed"]),
        (target, body("000-03-0000"), vec!["processing", "action-requred"]),
        (target, body("000-99-0001"), vec!["processing", "invalid"]),
        (
            "orders/truework-direct",
            direct("000-00-0000"),
            vec!["pending-approval", "processing", "completed", "order.completed"],
        ),
    ] {
        let site = Site::new().await;
        let (url, mut received) = receiver().await;
        site.switch(json!({ "hooks": { "target": url } }));
        let (status, made) = site.create(path, &order).await;
        assert_eq!(status, 201, "{made}");
        site.advance(60);
        let mut told = Vec::new();
        for _ in &expected {
            let hook = received.recv().await.expect("a hook");
            let is_end = hook["hook"]["event"] == "order.completed";
            shapes.hold(&hook, if is_end { "OrderCompleted" } else { "StateChange" });
            assert_eq!((&hook["version"], &hook["data"]["order_id"]), (&json!("2023-10-30"), &made["id"]));
            let word = if is_end { "order.completed" } else { hook["data"]["state"].as_str().expect("a state") };
            told.push(word.to_owned());
        }
        told.sort();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }
}
