//! What was provably not sent is called so, and nothing else.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::super::bench::{Bench, LONG, Watched, context, now, submission, told};
use super::lost::finds_what_the_books_hold;
use crate::{CallContext, ItemOutcome, ProbeFault, Provider, Share};

async fn is_not_sent(bench: &Bench, provider: &dyn Provider, ctx: &CallContext, case: &str) {
    let report = provider.submit(ctx, &submission([bench.plain()])).await;
    assert_eq!(report.items.len(), 1, "{case}: one outcome per item");
    assert!(matches!(report.items[0], ItemOutcome::NotSent { .. }), "{case}: {}", told(&report.items[0]));
    let books = bench.control.books().await;
    assert!(books.objects.is_empty(), "{case}: something was made: {:?}", books.objects);
}

/// Where no connection is made, nothing was sent.
pub async fn a_refused_connection_is_not_sent(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    is_not_sent(&bench, bench.unreachable.as_ref(), &context(Share::Create, LONG), "nobody listens").await;
}

/// A worker whose lease is nearly over must not send: another may have taken the work over.
pub async fn a_short_lease_is_not_sent(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let ctx = context(Share::Create, LONG).with_lease(Instant::now() + LONG / 2);
    is_not_sent(&bench, bench.provider.as_ref(), &ctx, "half of the time-out is left").await;
    assert_eq!(bench.control.books().await.calls_of("create"), 0, "a create call was made under a lease too short");
}

/// 429 means that the account rests; and that nothing was made, or where that is not proven, that it must be looked for.
pub async fn a_rate_limit_is_not_sent_and_pauses_the_account(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    bench.control.arm(&json!({ "on": "create", "fault": "rate_limit", "retry_after": 7 })).await;
    let budget = Arc::new(Watched::default());
    let ctx = CallContext::new(Share::Create, LONG, budget.clone()).with_lease(Instant::now() + LONG * 2);
    if bench.rate_limit_is_proof {
        is_not_sent(&bench, bench.provider.as_ref(), &ctx, "429").await;
    } else {
        let (t0, submission) = (now(), submission([bench.plain()]));
        let report = bench.provider.submit(&ctx, &submission).await;
        let [ItemOutcome::Unknown { .. }] = report.items.as_slice() else {
            panic!("429: {:?}", report.items.iter().map(told).collect::<Vec<_>>());
        };
        finds_what_the_books_hold(&bench, &submission, t0, "429").await;
    }
    assert_eq!(bench.control.books().await.calls_of("create"), 1, "a create call is made exactly once");
    assert!(budget.rests().iter().any(|rest| rest.as_secs() == 7), "the account does not rest: {:?}", budget.rests());
}

/// A vendor that refuses the credentials has done nothing.
pub async fn bad_credentials_are_not_sent(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let ctx = context(Share::Create, LONG);
    is_not_sent(&bench, bench.with_bad_credentials.as_ref(), &ctx, "bad credentials").await;
}

/// A probe tells a good account from a refused and an unreachable one, and makes nothing.
pub async fn a_probe_tells_what_is_wrong(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let ctx = context(Share::LookUp, LONG);
    let probed = bench.provider.probe(&ctx).await;
    assert!(probed.is_ok(), "a good account: {probed:?}");
    let probed = bench.with_bad_credentials.probe(&ctx).await;
    assert!(matches!(probed, Err(ProbeFault::Credentials(_))), "bad credentials: {probed:?}");
    let probed = bench.unreachable.probe(&ctx).await;
    assert!(matches!(probed, Err(ProbeFault::Unreachable(_))), "nobody listens: {probed:?}");
    bench.control.arm(&json!({ "on": "any", "fault": "garbage", "times": 10 })).await;
    let probed = bench.provider.probe(&ctx).await;
    assert!(!matches!(probed, Err(ProbeFault::Credentials(_))), "garbage for an answer: {probed:?}");
    assert!(bench.control.books().await.objects.is_empty(), "a probe made something");
}
