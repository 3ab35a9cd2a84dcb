//! The suite that every adapter passes.

mod bench;

use std::sync::Arc;

use domain::{CheckInput, Outcome, Timestamp};
use http::{HeaderMap, HeaderValue};
use provider::HookRequest;
use provider::conformance::{self, Bench, Control, Ends, HookSamples, Sample};
use sandbox::truework::Config;
use truework::Truework;

use bench::{HOOK_TOKEN, adapter, employment, income, order, settings, simulator};

async fn make() -> Bench {
    let simulator = simulator(Config::default()).await;
    let base_url = simulator.base_url().clone();
    Bench {
        provider: Arc::new(adapter(&base_url)),
        with_bad_credentials: Arc::new(Truework::new(settings(&base_url, "tw_sk_test_bad")).expect("good settings")),
        unreachable: Arc::new(adapter(&conformance::nowhere())),
        control: Control::at(base_url),
        samples: samples(),
        hooks: hooks(),
        rate_limit_is_proof: true,
        keep: Box::new(simulator),
    }
}

fn samples() -> Vec<Sample> {
    let sample = |name, ssn, check: CheckInput, ends| Sample { name, order: order(ssn), check, ends };
    let there = || employment("Fake Company");
    vec![
        sample("as claimed", "000-00-0000", there(), Ends::Completed(Outcome::Clear)),
        sample("at another employer", "000-00-0000", employment("Bakery"), Ends::Completed(Outcome::Consider)),
        sample(
            "income with analytics",
            "000000000",
            income(Some("Fake Company"), true),
            Ends::Completed(Outcome::Clear),
        ),
        sample("a search with two reports", "000-00-0007", income(None, true), Ends::Completed(Outcome::Clear)),
        sample("canceled", "000-01-0000", there(), Ends::Canceled),
        sample("action required", "000-03-0000", there(), Ends::Waiting),
        sample("invalid", "000-99-0001", there(), Ends::Failed),
        sample("no match", "000-99-0003", there(), Ends::Completed(Outcome::Unresolved)),
        sample("never employed there", "000-99-0005", there(), Ends::Completed(Outcome::Consider)),
        sample("employer refused", "000-99-0008", there(), Ends::Canceled),
        sample("a failed document check", "000-99-0009", there(), Ends::Completed(Outcome::Consider)),
    ]
}

fn hooks() -> HookSamples {
    const BODY: &str = r#"{"version": "2023-10-30", "hook": {"id": 1, "event": "order.completed", "target": "https://x.example",
        "triggered_at": "2026-11-20T10:00:00Z"}, "data": {"order_id": "order-1", "metadata": {}}}"#;
    let hook = |token: &'static str| {
        let headers =
            HeaderMap::from_iter([("x-truework-token".parse().expect("a name"), HeaderValue::from_static(token))]);
        HookRequest { headers, body: BODY.into(), received_at: Timestamp::EPOCH }
    };
    HookSamples {
        authentic: vec![hook(HOOK_TOKEN), hook("an-older-token")],
        forged: vec![hook(""), hook("sandbox-truework-hook-toke"), hook("sandbox-truework-hook-token2")],
    }
}

provider::conformance_suite!(make);
