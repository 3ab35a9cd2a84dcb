//! Looking at an object, and reading its documents.

use domain::VendorRef;
use futures::StreamExt as _;

use super::super::bench::{Bench, LONG, context};
use super::super::faults;
use crate::{ByteStream, Fetched, Share};

/// What the vendor does not know is missing; ids that no vendor would hand out reach no other object.
pub async fn an_unknown_object_is_missing(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let (_, accepted) = bench.order(bench.plain()).await;
    let known = accepted.vendor.order_id;
    let unknown = VendorRef::order(other_than(&known));
    let fetched = bench.fetch(&unknown).await;
    assert!(matches!(fetched, Ok(Fetched::Missing)), "an unknown id: {fetched:?}");

    let before = bench.control.books().await;
    for strange in [
        "",
        ".",
        "..",
        "../..",
        &format!("../{known}"),
        &format!("{known}/.."),
        "a b",
        "ü/?x=1#y",
        "%2e%2e",
        "\r\nx: y",
    ] {
        let fetched = bench.fetch(&VendorRef::order(strange)).await;
        assert!(!matches!(fetched, Ok(Fetched::Found(_))), "{strange:?} was found");
    }
    assert_eq!(bench.control.books().await.objects, before.objects, "a strange id changed something");
}

/// The id with its last letter or digit changed: of the right form, and unknown.
fn other_than(id: &str) -> String {
    let mut letters: Vec<char> = id.chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = if *last == '0' { '1' } else { '0' };
    }
    letters.into_iter().collect()
}

/// A look without a readable answer is an error: neither a state nor a proof that the object is gone.
pub async fn a_failed_fetch_is_an_error(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let sample = bench.plain();
    let (_, accepted) = bench.order(sample).await;
    let before = bench.control.books().await;
    bench.look(sample, &accepted.vendor).await;
    let steps = bench.control.books().await.calls_since(&before);

    for spoiled in faults::of_any_answer() {
        let ctx = context(Share::Poll, spoiled.timeout());
        bench.control.arm(&spoiled.on("any", 0)).await;
        let fetched = bench.provider.fetch(&ctx, &accepted.vendor).await;
        bench.control.clear_faults().await;
        assert!(fetched.is_err(), "{}: {fetched:?}", spoiled.name);
        // Where a look takes several calls, none of them alone may make the object seem gone.
        for operation in steps.keys().filter(|_| steps.len() > 1) {
            bench.control.arm(&spoiled.on(operation, 0)).await;
            let fetched = bench.provider.fetch(&ctx, &accepted.vendor).await;
            bench.control.clear_faults().await;
            assert!(!matches!(fetched, Ok(Fetched::Missing)), "{operation}, {}: missing", spoiled.name);
        }
    }
    bench.look(sample, &accepted.vendor).await;
}

/// Every document that a snapshot names can be read; one that breaks off ends in an error, not in a shorter document.
pub async fn documents_are_read(make: impl AsyncFn() -> Bench) {
    for sample in make().await.samples {
        let bench = make().await;
        let (_, accepted) = bench.order(&sample).await;
        let snapshot = bench.settle(&sample, &accepted.vendor).await;
        for document in &snapshot.documents {
            let case = format!("{}, {} {}", sample.name, document.kind, document.filename);
            sample.is_not_in(&format!("{document:?}"));
            let bytes = bench.provider.document(&context(Share::Poll, LONG), document).await;
            let whole = read(bytes.unwrap_or_else(|error| panic!("{case}: {error}"))).await;
            let whole = whole.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(!whole.is_empty(), "{case}: empty");

            for fault in ["drop_before", "truncate", "status_before", "rate_limit", "flood"] {
                bench.control.arm(&serde_json::json!({ "on": "any", "fault": fault, "times": 1000 })).await;
                let spoiled = match bench.provider.document(&context(Share::Poll, LONG), document).await {
                    Ok(bytes) => read(bytes).await,
                    Err(error) => Err(error),
                };
                bench.control.clear_faults().await;
                assert!(spoiled.is_err(), "{case}, {fault}: read without an error");
            }
        }
    }
}

async fn read(mut bytes: ByteStream) -> Result<Vec<u8>, crate::CallError> {
    let mut whole = Vec::new();
    while let Some(chunk) = bytes.next().await {
        whole.extend_from_slice(&chunk?);
    }
    Ok(whole)
}
