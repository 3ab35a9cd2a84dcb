//! The create call and what its end proves.
//!
//! There is no idempotency key, and equal references are taken twice, so a create is never repeated on a guess. A batch
//! is many creates at once behind one call: one that throws fails the call, those made already stay, and those still
//! under way are made *after* the error was answered. [`TABLE`] says what each answer proves; calls without an answer
//! are not sent (nothing was written) or unknown (anything else). An order with several searches ([`joint`]) is a single
//! create in which, as in a batch, a fault of one check meets all.

mod joint;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::{AfterAbsence, Reason, VendorRef};
use futures::{StreamExt as _, stream};
use provider::{
    Accepted, CallContext, CallError, Carries, Evidence, ItemOutcome, Submission, SubmissionItem, SubmitReport,
    VendorAnswer, vendor_id,
};

use crate::client::{Client, NoAnswer};
use crate::mapping::order::{HookPlace, Search, new_order, search};
use crate::releases::{Fault, Releases};
use crate::settings::AccountSettings;
use crate::tokens::TokenFault;
use crate::wire;

/// The most bytes sent in a batch; orders beyond it wait for the next call. The vendor names no limit. A single order
/// may be larger: it can hold a PDF of 10 MB.
const MOST_OF_A_BATCH: usize = 1024 * 1024;

/// So many releases are uploaded at a time.
const UPLOADS_AT_ONCE: usize = 4;

/// What stands around the orders of a batch; between them there are commas.
const BATCH: (&[u8], &[u8]) = (br#"{"orders":["#, b"]}");

/// What a status proves about what was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The ids are in the answer, if it can be read and does not contradict itself.
    Read,
    /// Nothing was made.
    NothingMade,
    /// Nothing. What is absent is sent again.
    NoneResend,
    /// Nothing. What is absent failed: the vendor refused it.
    NoneFail,
}

/// A line of the classification.
pub struct Line {
    pub from: u16,
    pub to: u16,
    pub single: Proof,
    /// For a batch, and for an order with several searches: what is refused may be another check.
    pub several: Proof,
    pub because: &'static str,
}

const fn line(from: u16, to: u16, single: Proof, several: Proof, because: &'static str) -> Line {
    Line { from, to, single, several, because }
}

/// What each status proves; the first line that fits counts.
pub const TABLE: &[Line] = &[
    line(
        200,
        299,
        Proof::Read,
        Proof::Read,
        "Whether a create answers 200 or 201 is not documented; any success holds the ids.",
    ),
    line(
        401,
        401,
        Proof::NothingMade,
        Proof::NothingMade,
        "The token is looked at before anything else. A fetched one is replaced, once, and the call made again at once; where there is none better it is made again later.",
    ),
    line(
        400,
        400,
        Proof::NoneFail,
        Proof::NoneResend,
        "A throw inside one create answers 400 too, and in a batch its siblings go on. Of several sent again singly, the faulty one shows itself.",
    ),
    line(
        413,
        413,
        Proof::NoneFail,
        Proof::NoneResend,
        "Most likely nothing was read, but no page says so. Several can be too large where each alone is not.",
    ),
    line(
        422,
        422,
        Proof::NoneFail,
        Proof::NoneResend,
        "Listed by one page, without saying when it is checked; as 400.",
    ),
    line(
        429,
        429,
        Proof::NoneResend,
        Proof::NoneResend,
        "No page says where a rate limit is applied: it could be met within a batch's creates.",
    ),
    line(
        100,
        599,
        Proof::NoneResend,
        Proof::NoneResend,
        "Not documented for creates (403, 404, 409, redirects), or from something in between (5xx) after the work was begun.",
    ),
];

/// What a create call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// One order with one search.
    Order,
    /// One order with a search for each check.
    Searches,
    /// Several orders.
    Batch,
}

fn proof(status: u16, carried: Carried) -> Proof {
    TABLE
        .iter()
        .find(|line| (line.from..=line.to).contains(&status))
        .map_or(Proof::NoneResend, |line| if carried == Carried::Order { line.single } else { line.several })
}

/// Makes the create call, once. Releases are uploaded before, where they are not to stand in the orders.
pub async fn submit(
    client: &Client,
    settings: &AccountSettings,
    releases: Option<&Releases>,
    ctx: &CallContext,
    submission: &Submission,
) -> SubmitReport {
    let hook = hook_place(settings, submission);
    if submission.joint {
        return joint::submit(client, settings, hook.as_ref(), releases, ctx, submission).await;
    }
    let mut building = Vec::with_capacity(submission.items.len());
    for item in &submission.items {
        building.push(build(client, settings, hook.as_ref(), releases, ctx, item));
    }
    let built: Vec<Result<Vec<u8>, Unsent>> = stream::iter(building).buffered(UPLOADS_AT_ONCE).collect().await;
    let mut outcomes = Vec::with_capacity(built.len());
    let mut sent: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut size = BATCH.0.len() + BATCH.1.len();
    let mut evidence = Evidence::default();
    for (at, body) in built.into_iter().enumerate() {
        outcomes.push(match body {
            Err(unsent) => {
                evidence.status = evidence.status.or_else(|| unsent.status());
                unsent.outcome()
            }
            // Its real outcome is filled in below.
            Ok(body) if sent.is_empty() || size + body.len() < MOST_OF_A_BATCH => {
                size += body.len() + 1;
                sent.push((at, body));
                next_call()
            }
            Ok(_) => next_call(),
        });
    }
    let carried = if sent.len() > 1 { Carried::Batch } else { Carried::Order };
    let (places, mut bodies): (Vec<usize>, Vec<Vec<u8>>) = sent.into_iter().unzip();
    let begun = Instant::now();
    let answer = match bodies.len() {
        0 => return SubmitReport { items: outcomes, evidence },
        1 => client.create_order(ctx, bodies.swap_remove(0)).await,
        _ => client.create_batch(ctx, batch_body(&bodies)).await,
    };
    let evidence = evidence_of(&answer, begun);
    for (at, outcome) in places.iter().zip(classify(answer, places.len(), carried)) {
        outcomes[*at] = outcome;
    }
    SubmitReport { items: outcomes, evidence }
}

fn evidence_of(answer: &Result<VendorAnswer, NoAnswer>, begun: Instant) -> Evidence {
    match answer {
        Ok(answer) | Err(NoAnswer::TokenEnded(answer)) => Evidence::of(answer),
        // The status is the token endpoint's: what keeps an account from calling is seen by it.
        Err(NoAnswer::Token(fault)) => {
            Evidence { status: fault.status(), took: begun.elapsed(), ..Evidence::default() }
        }
        Err(NoAnswer::Call(_)) => Evidence { took: begun.elapsed(), ..Evidence::default() },
    }
}

/// The order as it is sent, with its release at the vendor.
async fn build(
    client: &Client,
    settings: &AccountSettings,
    hook: Option<&HookPlace<'_>>,
    releases: Option<&Releases>,
    ctx: &CallContext,
    item: &SubmissionItem,
) -> Result<Vec<u8>, Unsent> {
    let search = search(item, &settings.environment, hook).map_err(Unsent::Unbuildable)?;
    finish(client, vec![search], hook, releases, ctx, item).await
}

/// The same of searches that are ready, about the person of this item.
async fn finish(
    client: &Client,
    searches: Vec<Search>,
    hook: Option<&HookPlace<'_>>,
    releases: Option<&Releases>,
    ctx: &CallContext,
    item: &SubmissionItem,
) -> Result<Vec<u8>, Unsent> {
    let mut order = new_order(&item.order, searches, hook).map_err(Unsent::Unbuildable)?;
    if let Some(releases) = releases
        && let Some(uri) = releases.upload(client, ctx, item).await.map_err(Unsent::Release)?
    {
        order.applicant.signed_release_file_url = Some(uri);
    }
    serde_json::to_vec(&order).map_err(|_| Unsent::Unbuildable(unwritable()))
}

/// Why an order did not get into the create call.
enum Unsent {
    Unbuildable(Reason),
    Release(Fault),
}

impl Unsent {
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Unbuildable(_) => None,
            Self::Release(fault) => fault.status(),
        }
    }

    fn outcome(self) -> ItemOutcome {
        match self {
            Self::Unbuildable(reason) => ItemOutcome::Rejected(reason),
            Self::Release(fault) => {
                let (why, retry_after) = fault.reason();
                ItemOutcome::NotSent { why, retry_after }
            }
        }
    }
}

/// Hooks that nobody could verify are not asked for, nor are any that the vendor would refuse: it takes `https` only.
fn hook_place<'a>(settings: &'a AccountSettings, submission: &'a Submission) -> Option<HookPlace<'a>> {
    let url = submission.hook_url.as_ref()?;
    let taken = url.scheme() == "https" || !settings.environment.is_production();
    taken.then_some(HookPlace { url, secret: settings.hook_secret.as_ref()? })
}

fn batch_body(orders: &[Vec<u8>]) -> Vec<u8> {
    [BATCH.0, &orders.join(&b','), BATCH.1].concat()
}

fn unwritable() -> Reason {
    Reason::new("incomplete_input", "The order cannot be written as JSON; it was never sent.")
}

/// Too much for one call.
fn next_call() -> ItemOutcome {
    let why = Reason::new("batch_full", "The batch was full by size; it goes with the next call.");
    // At once: each call takes one at least, so that there is an end to it.
    ItemOutcome::NotSent { why, retry_after: Some(Duration::ZERO) }
}

/// One outcome for each check that was sent.
fn classify(answer: Result<VendorAnswer, NoAnswer>, count: usize, carried: Carried) -> Vec<ItemOutcome> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(NoAnswer::Token(fault)) => return vec![without_token(&fault); count],
        Err(NoAnswer::TokenEnded(_)) => {
            let why =
                Reason::new("token_ended", "Theary refused the token, as one that has ended; a new one is fetched.");
            // At once: the new token is not replaced in its turn.
            return vec![ItemOutcome::NotSent { why, retry_after: Some(Duration::ZERO) }; count];
        }
        Err(NoAnswer::Call(CallError::NotSent { why, retry_after })) => {
            let why = Reason::new(why.code(), CallError::NotSent { why, retry_after }.to_string());
            return vec![ItemOutcome::NotSent { why, retry_after }; count];
        }
        Err(NoAnswer::Call(CallError::Lost { why })) => {
            return vec![unknown(why.code(), CallError::Lost { why }.to_string()); count];
        }
    };
    let status = answer.status.as_u16();
    // The vendor's own sentences name fields and quote values alike; they stay in the evidence.
    let said = || format!("Theary answered {status}.");
    match proof(status, carried) {
        Proof::Read => match carried {
            Carried::Order => vec![read_single(&answer)],
            Carried::Searches => joint::read(&answer, count),
            Carried::Batch => read_batch(&answer, count),
        },
        Proof::NothingMade => {
            let why = Reason::new("credentials_refused", said());
            vec![ItemOutcome::NotSent { why, retry_after: answer.retry_after() }; count]
        }
        Proof::NoneResend => vec![unknown("unexpected_status", said()); count],
        Proof::NoneFail => {
            let why = Reason::new("vendor_refused", said());
            vec![ItemOutcome::Unknown { why: why.clone(), then: AfterAbsence::Fail { reason: why } }; count]
        }
    }
}

/// Nothing was sent to the orders, however the token call ended.
fn without_token(fault: &TokenFault) -> ItemOutcome {
    let retry_after = match fault {
        TokenFault::Call(CallError::NotSent { retry_after, .. }) => *retry_after,
        _ => None,
    };
    ItemOutcome::NotSent { why: Reason::new(fault.code(), format!("Not sent: {fault}.")), retry_after }
}

fn unknown(code: &str, message: String) -> ItemOutcome {
    ItemOutcome::Unknown { why: Reason::new(code, message), then: AfterAbsence::Resend }
}

fn unreadable() -> ItemOutcome {
    unknown("answer_unreadable", "Theary answered with success, and the answer cannot be read.".to_owned())
}

fn contradictory(what: &str) -> ItemOutcome {
    unknown("contradictory_answer", format!("Theary's answer contradicts itself: {what}."))
}

fn read_single(answer: &VendorAnswer) -> ItemOutcome {
    match answer.json::<wire::Created>() {
        Err(_) => unreadable(),
        Ok(created) => accepted(created, false)
            .unwrap_or_else(|| contradictory("success is false, or there is no order id that could be kept")),
    }
}

/// Results come in the order of the input, without a word that says which is which, so all of them are provisional; and
/// if anything does not add up none is believed.
fn read_batch(answer: &VendorAnswer, count: usize) -> Vec<ItemOutcome> {
    let Ok(wire::BatchCreated { success, orders_created, orders: Some(orders) }) = answer.json() else {
        return vec![unreadable(); count];
    };
    if success == Some(false) {
        return vec![contradictory("success is false"); count];
    }
    let listed = orders.len();
    if listed != count || orders_created.is_some_and(|created| usize::try_from(created) != Ok(count)) {
        let created = orders_created.map_or_else(|| "none".to_owned(), |created| created.to_string());
        let what = format!("{count} orders were sent, {created} counted, {listed} listed");
        return vec![contradictory(&what); count];
    }
    let ids = || orders.iter().filter_map(|created| created.verification_order_id.as_deref());
    let searches = || orders.iter().flat_map(|created| &created.search_ids).map(String::as_str);
    if !are_distinct(ids()) || !are_distinct(searches()) {
        return vec![contradictory("it names an order or a search twice"); count];
    }
    let outcomes: Option<Vec<ItemOutcome>> = orders.into_iter().map(|created| accepted(created, true)).collect();
    outcomes.unwrap_or_else(|| vec![contradictory("not every order in it has an id that could be kept"); count])
}

fn are_distinct<'a>(ids: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = BTreeSet::new();
    ids.into_iter().all(|id| seen.insert(id))
}

/// The one search's id is taken over only where there is exactly one; else the first look learns it.
fn accepted(created: wire::Created, provisional: bool) -> Option<ItemOutcome> {
    if created.success == Some(false) {
        return None;
    }
    let order_id = vendor_id(&created.verification_order_id?)?;
    let check_id = <[String; 1]>::try_from(created.search_ids).ok().and_then(|[id]| wire::search_id(&id));
    let vendor = VendorRef { order_id, check_id };
    let carries = Carries::Nothing;
    Some(ItemOutcome::Accepted(Box::new(Accepted { vendor, provisional, reused: false, carries, snapshot: None })))
}

#[cfg(test)]
mod tests;
