//! The suite that every adapter passes: in every version of the vendor's API, and whatever its simulator is switched to. Which
//! switches are turned, and where those are tested that cannot be turned here, is held by `switches.rs`.

#[path = "../bench/mod.rs"]
mod bench;
mod switches;

use std::sync::Arc;

use domain::{CheckInput, Outcome, Timestamp};
use http::{HeaderMap, HeaderValue};
use provider::HookRequest;
use provider::conformance::{self, Bench, Control, Ends, HookSamples, Sample};
use sandbox::truework::Config;
use serde_json::{Value, json};
use truework::{Settings, Truework, Version};
use url::Url;

use bench::{HOOK_TOKEN, direct, employment, income, order, settings, simulator};

async fn make(version: Version, switches: Value) -> Bench {
    let simulator = simulator(Config { pin: version.as_str().to_owned(), ..Config::default() }).await;
    let is_plain = switches == json!({});
    simulator.control().set_behavior(switches).expect("known switches");
    let base_url = simulator.base_url().clone();
    let adapter = |base_url: &Url, key: &str| {
        Truework::new(Settings { version, ..settings(base_url, key) }).expect("good settings")
    };
    let key = Config::default().api_key;
    Bench {
        provider: Arc::new(adapter(&base_url, &key)),
        with_bad_credentials: Arc::new(adapter(&base_url, "tw_sk_test_bad")),
        unreachable: Arc::new(adapter(&conformance::nowhere(), &key)),
        control: Control::at(base_url),
        // Under switches the endings that differ in how they are told are enough.
        samples: samples(version).into_iter().filter(|sample| is_plain || TELLING.contains(&sample.name)).collect(),
        hooks: hooks(),
        rate_limit_is_proof: true,
        keep: Box::new(simulator),
    }
}

const TELLING: &[&str] = &[
    "as claimed",
    "a search with two reports",
    "action required",
    "a search that finds nothing",
    "employer refused",
    "a full report",
    "direct, two employers",
];

fn samples(version: Version) -> Vec<Sample> {
    let sample = |name, ssn, check: CheckInput, ends| Sample { name, order: order(ssn), check, ends };
    let there = || employment("Fake Company");
    let mut samples = vec![
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
        sample("a search that finds nothing", "000-99-0003", income(None, false), Ends::Completed(Outcome::Unresolved)),
        sample("never employed there", "000-99-0005", there(), Ends::Completed(Outcome::Consider)),
        sample("employer refused", "000-99-0008", there(), Ends::Canceled),
        sample("a failed document check", "000-99-0009", there(), Ends::Completed(Outcome::Consider)),
        sample("a full report", "000-99-0012", there(), Ends::Completed(Outcome::Clear)),
    ];
    if version.has_orders() {
        let direct = || direct(income(Some("Fake Company"), false));
        samples.extend([
            sample("no match", "000-99-0003", there(), Ends::Completed(Outcome::Unresolved)),
            sample("direct, two employers", "000-00-0007", direct(), Ends::Completed(Outcome::Clear)),
            sample("direct, nobody signs in", "000-20-0000", direct(), Ends::Waiting),
            sample("direct, one employer refused", "000-99-0010", direct(), Ends::Completed(Outcome::Unresolved)),
        ]);
    } else {
        // An employer that was named, and a cancellation without a reason: nothing says that nothing was found.
        samples.push(sample("no match", "000-99-0003", there(), Ends::Canceled));
    }
    samples
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

/// The vendor at its barest.
fn bare() -> Value {
    json!({
        "omit_empty": true, "plain_words": true, "hide_search_key": true, "empty_cancel": true, "sign": "no",
        "address_form": "lines", "session_links": false, "hooks_without_order_id": true, "older_hooks": true,
        "misspell_action_required": false, "absent_path": 406, "reverify_status": 200,
    })
}

/// The vendor at its most awkward.
fn awkward() -> Value {
    json!({
        "newest_first": false, "max_limit": 7, "ignore_search_key": true, "new_fields": true, "number_amounts": true,
        "address_form": "object", "cancel_ended_status": 403, "completion_dates": true, "sign": "wrong",
        "two_day_rule": true, "hide_parent": true, "approval_ms": 0, "search_ms": 5, "absent_path": 501,
        "echo_employer": true,
    })
}

/// What only versions with a search key can bear.
fn forgetful() -> Value {
    json!({ "loose_search_key": true, "hide_metadata": true, "completion_dates": true, "sign_in_ms": 0, "work_ms": 0 })
}

macro_rules! suites {
    ($($name:ident: $version:ident, $switches:expr;)+) => {$(
        mod $name {
            use super::*;

            async fn make() -> Bench {
                super::make(Version::$version, $switches).await
            }

            provider::conformance_suite!(make);
        }
    )+};
}

suites! {
    newest: V2023_10_30, json!({});
    newest_bare: V2023_10_30, bare();
    newest_awkward: V2023_10_30, awkward();
    newest_forgetful: V2023_10_30, forgetful();
    middle: V2022_08_01, json!({});
    middle_bare: V2022_08_01, bare();
    middle_awkward: V2022_08_01, awkward();
    oldest: V2020_12_07, json!({});
    oldest_bare: V2020_12_07, bare();
    oldest_awkward: V2020_12_07, awkward();
}
