//! An adapter at a simulator of its own, in some version.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{
    CheckId, CheckInput, CheckResult, Outcome, Reason, Reference, Standing, SubmissionId, VendorRef, VerificationResult,
};
use provider::call::Unlimited;
use provider::{
    Accepted, CallContext, CancelAnswer, Fetched, ItemOutcome, Provider as _, Share, Snapshot, Submission,
    SubmissionItem,
};
use sandbox::Running;
use sandbox::truework::Config;
use serde_json::Value;
use truework::{Settings, Truework, Version};
use uuid::Uuid;

use crate::bench::{order, settings, simulator};

pub struct Site {
    pub simulator: Running,
    pub adapter: Truework,
}

pub fn context(share: Share) -> CallContext {
    let ctx = CallContext::new(share, Duration::from_mins(1), Arc::new(Unlimited));
    if share == Share::Create { ctx.with_lease(Instant::now() + Duration::from_mins(2)) } else { ctx }
}

pub fn reference() -> Reference {
    Reference::first(CheckId::from_uuid(Uuid::now_v7()))
}

impl Site {
    /// With a key that is pinned to the version.
    pub async fn of(version: Version) -> Self {
        Self::with(version, |settings| settings).await
    }

    pub async fn with(version: Version, change: impl FnOnce(Settings) -> Settings) -> Self {
        let config = Config { pin: version.as_str().to_owned(), ..Config::default() };
        let simulator = simulator(config).await;
        let settings = settings(simulator.base_url(), &Config::default().api_key);
        let adapter = Truework::new(change(Settings { version, ..settings })).expect("good settings");
        Self { simulator, adapter }
    }

    /// The same account, spoken to in another version.
    pub fn speaking(&self, version: Version) -> Truework {
        let settings = settings(self.simulator.base_url(), &Config::default().api_key);
        Truework::new(Settings { version, ..settings }).expect("good settings")
    }

    pub fn switch(&self, switches: Value) {
        self.simulator.control().set_behavior(switches).expect("known switches");
    }

    pub fn advance(&self, by: Duration) {
        self.simulator.control().advance(by);
    }

    pub fn finish(&self) {
        self.advance(Duration::from_mins(1));
    }

    pub async fn submit(&self, reference: Reference, ssn: &str, check: CheckInput) -> ItemOutcome {
        let item = SubmissionItem { reference, order: Arc::new(order(ssn)), check: Arc::new(check), force_new: false };
        let submission =
            Submission { id: SubmissionId::from_uuid(Uuid::now_v7()), items: vec![item], joint: false, hook_url: None };
        self.adapter.submit(&context(Share::Create), &submission).await.items.swap_remove(0)
    }

    pub async fn accepted(&self, ssn: &str, check: &CheckInput) -> Accepted {
        match self.submit(reference(), ssn, check.clone()).await {
            ItemOutcome::Accepted(accepted) => *accepted,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub async fn look(&self, vendor: &VendorRef) -> Snapshot {
        found(&self.adapter, vendor).await
    }

    pub async fn cancel(&self, vendor: &VendorRef) -> CancelAnswer {
        let reason = Reason::new("withdrawn", "The candidate withdrew.");
        self.adapter.cancel(&context(Share::Poll), vendor, &reason).await.expect("an answer")
    }

    /// The end of a check that was let run.
    pub async fn result(&self, ssn: &str, check: &CheckInput) -> (Outcome, VerificationResult) {
        let accepted = self.accepted(ssn, check).await;
        self.finish();
        let snapshot = self.adapter.compare(check, self.look(&accepted.vendor).await);
        let Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), .. } = snapshot.standing
        else {
            panic!("not completed: {snapshot:?}");
        };
        (outcome, *result)
    }
}

pub async fn found(adapter: &Truework, vendor: &VendorRef) -> Snapshot {
    match adapter.fetch(&context(Share::Poll), vendor).await {
        Ok(Fetched::Found(snapshot)) => *snapshot,
        other => panic!("not found: {other:?}"),
    }
}
