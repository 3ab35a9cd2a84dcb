//! What is particular to this vendor, over sockets.

mod administration;
mod continuous;
mod countries;
mod documents;
mod findings;
mod hooks;
mod identity;
mod lists;
mod log;
mod objects;
mod passthrough;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{CheckId, CheckInput, OrderInput, Reference, SubmissionId, Timestamp, VendorRef};
use provider::call::Unlimited;
use provider::{
    Accepted, CallContext, ItemOutcome, LocateQuery, Provider as _, Share, Sought, Submission, SubmissionItem,
};
use sandbox::truora::Config;
use sandbox::{Running, SimClock};
use serde_json::{Value, json};
use truora::Truora;
use uuid::Uuid;

use crate::support::{check, order, truora};

/// An adapter at a simulator of its own.
struct Site {
    simulator: Running,
    truora: Truora,
}

impl Site {
    async fn start() -> Self {
        let config = Config::default();
        let simulator = sandbox::truora::start(0, SimClock::wall(), config.clone()).await.expect("a simulator");
        let truora = truora(simulator.base_url(), &config.api_key, &config.hook_key);
        Self { simulator, truora }
    }

    async fn with(behavior: Value) -> Self {
        let site = Self::start().await;
        site.behave(behavior);
        site
    }

    fn behave(&self, behavior: Value) {
        self.simulator.control().set_behavior(behavior).expect("known switches");
    }

    fn advance(&self, seconds: u64) {
        self.simulator.control().advance(Duration::from_secs(seconds));
    }

    /// A check that has ended.
    async fn finished(&self, number: &str) -> VendorRef {
        let accepted = self.order(&in_colombia(number)).await;
        self.advance(60);
        accepted.vendor
    }

    async fn submit(&self, item: &SubmissionItem) -> ItemOutcome {
        let submission = Submission {
            id: SubmissionId::from_uuid(Uuid::now_v7()),
            items: vec![item.clone()],
            joint: false,
            hook_url: None,
        };
        let mut report = self.truora.submit(&context(Share::Create), &submission).await;
        report.items.swap_remove(0)
    }

    async fn order(&self, item: &SubmissionItem) -> Accepted {
        match self.submit(item).await {
            ItemOutcome::Accepted(accepted) => *accepted,
            other => panic!("not accepted: {other:?}"),
        }
    }
}

fn context(share: Share) -> CallContext {
    let timeout = Duration::from_secs(30);
    CallContext::new(share, timeout, Arc::new(Unlimited)).with_lease(Instant::now() + timeout * 2)
}

#[expect(clippy::disallowed_methods, reason = "the simulator runs by the wall clock")]
fn now() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::now_utc())
}

fn item(subject: &Value, fields: &Value) -> SubmissionItem {
    item_of(order(subject), check(fields))
}

fn item_of(order: OrderInput, check: CheckInput) -> SubmissionItem {
    SubmissionItem {
        reference: Reference::first(CheckId::from_uuid(Uuid::now_v7())),
        order: Arc::new(order),
        check: Arc::new(check),
        force_new: false,
    }
}

fn in_colombia(number: &str) -> SubmissionItem {
    item(&crate::support::colombian(number), &json!({ "country": "CO" }))
}

/// Another check of the same subject.
fn again(item: &SubmissionItem) -> SubmissionItem {
    SubmissionItem { reference: Reference::first(CheckId::from_uuid(Uuid::now_v7())), ..item.clone() }
}

fn query(item: &SubmissionItem) -> LocateQuery {
    let sent_at = now();
    let sought =
        Sought { reference: item.reference, sent_at, order: Arc::clone(&item.order), check: Arc::clone(&item.check) };
    LocateQuery {
        sought: vec![sought],
        since: sent_at - Duration::from_mins(5),
        until: sent_at + Duration::from_mins(2),
        started_at: sent_at,
        settled: BTreeSet::new(),
    }
}

/// The vendor's own words, past the adapter.
#[expect(clippy::disallowed_methods, reason = "a look at the simulator itself")]
async fn raw(url: url::Url) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let asked = client.get(url).header("Truora-API-Key", Config::default().api_key);
    let body = asked.send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}
