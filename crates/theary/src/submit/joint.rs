//! Several checks of one person as one order with a search for each.
//!
//! Such a create has two more ways to go wrong than that of a single search: it can die between its searches, and a
//! refusal does not say which of them it is about. So a refusal proves as little as a batch's does, and an answer that
//! names another number of searches than were sent is not believed. Which search is whose is not read off the answer at
//! all: `searchIds` stand in no promised order, and the references stand in the searches.

use std::time::Instant;

use domain::VendorRef;
use provider::{
    Accepted, CallContext, Carries, Evidence, ItemOutcome, Submission, SubmitReport, VendorAnswer, vendor_id,
};

use super::{Carried, are_distinct, classify, contradictory, evidence_of, finish, unreadable};
use crate::client::Client;
use crate::mapping::order::{HookPlace, search};
use crate::releases::Releases;
use crate::settings::AccountSettings;
use crate::wire;

/// Makes the create call, once.
pub(super) async fn submit(
    client: &Client,
    settings: &AccountSettings,
    hook: Option<&HookPlace<'_>>,
    releases: Option<&Releases>,
    ctx: &CallContext,
    submission: &Submission,
) -> SubmitReport {
    let (mut searches, mut unfit) = (Vec::with_capacity(submission.items.len()), Vec::new());
    for (at, item) in submission.items.iter().enumerate() {
        match search(item, &settings.environment, hook) {
            Ok(search) => searches.push(search),
            Err(reason) => unfit.push((at, ItemOutcome::Rejected(reason))),
        }
    }
    let count = searches.len();
    let (sent, evidence) = match submission.items.first().filter(|_| count > 0) {
        None => (Vec::new(), Evidence::default()),
        // The person and the release are the same for all of them.
        Some(first) => match finish(client, searches, hook, releases, ctx, first).await {
            Err(unsent) => {
                let evidence = Evidence { status: unsent.status(), ..Evidence::default() };
                (vec![unsent.outcome(); count], evidence)
            }
            Ok(body) => {
                let begun = Instant::now();
                let answer = client.create_order(ctx, body).await;
                let evidence = evidence_of(&answer, begun);
                let carried = if count > 1 { Carried::Searches } else { Carried::Order };
                (classify(answer, count, carried), evidence)
            }
        },
    };
    let mut items = sent;
    for (at, outcome) in unfit {
        items.insert(at, outcome);
    }
    SubmitReport { items, evidence }
}

/// The order is known for each of them; that it holds each one's search, the first look has yet to see.
pub(super) fn read(answer: &VendorAnswer, count: usize) -> Vec<ItemOutcome> {
    let Ok(created) = answer.json::<wire::Created>() else { return vec![unreadable(); count] };
    if created.success == Some(false) {
        return vec![contradictory("success is false"); count];
    }
    let listed = created.search_ids.len();
    if listed != count || !are_distinct(created.search_ids.iter().map(String::as_str)) {
        let what = format!("{count} searches were sent, {listed} listed, or one of them twice");
        return vec![contradictory(&what); count];
    }
    let Some(order_id) = created.verification_order_id.as_deref().and_then(vendor_id) else {
        return vec![contradictory("there is no order id that could be kept"); count];
    };
    let accepted = Accepted {
        vendor: VendorRef::order(order_id),
        provisional: true,
        reused: false,
        carries: Carries::Nothing,
        snapshot: None,
    };
    vec![ItemOutcome::Accepted(Box::new(accepted)); count]
}
