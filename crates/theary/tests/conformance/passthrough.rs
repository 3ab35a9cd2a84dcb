//! Calls of others through the gateway: reads only.

use provider::{PassRefusal, PassedBody, PassedCall, Provider as _, Share};
use serde_json::{Value, json};

use crate::bench::{World, jobs};

fn call(method: &str, path: &str) -> PassedCall {
    let method = method.parse().expect("a method");
    let query = vec![("page".to_owned(), "1".to_owned()), ("limit".to_owned(), "10".to_owned())];
    PassedCall { method, path: path.to_owned(), query, body: PassedBody::None }
}

#[tokio::test]
async fn reads_are_passed_and_nothing_else() {
    let world = World::with(json!({})).await;
    world.submit(&jobs(1), None).await;
    let passthrough = world.theary.passthrough().expect("it passes calls on");
    let answer = passthrough.pass(&World::ctx(Share::LookUp), &call("GET", "/orders")).await.expect("an answer");
    let body: Value = answer.json().expect("json");
    assert_eq!((answer.status.as_u16(), body["data"].as_array().map(Vec::len)), (200, Some(1)), "{body}");

    for path in ["/orders", "/batches"] {
        assert_eq!(passthrough.judge(&call("POST", path)), Err(PassRefusal::Creates), "{path}");
    }
    for (method, path) in [("DELETE", "/orders/1"), ("GET", "/files/release-form/generate-upload-url")] {
        let judged = passthrough.judge(&call(method, path));
        assert!(matches!(judged, Err(PassRefusal::Unknown { .. })), "{method} {path}: {judged:?}");
        assert!(passthrough.pass(&World::ctx(Share::LookUp), &call(method, path)).await.is_err());
    }
}
