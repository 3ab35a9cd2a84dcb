//! Identity verification through Digital Identity: the applicant follows a link and shows who they are.
//!
//! **What is bound.** A create makes a *link* and nothing else: a token that says which flow to go through and for which of
//! the subject's accounts (`account_id`). A *process* begins when the applicant opens it. The check is therefore bound to the
//! account id, which is its own reference, stable from before the call; the process becomes its part once it is seen.
//!
//! **What a lost answer means.** Nobody has a link whose answer was lost, so nobody can open it: there is no process, and
//! another link does no harm. It is `Unknown`, then sent again, all the same: that nobody was told of the link is the
//! vendor's word, and a look whether there is a process costs one call. What must never be doubled is the process.
//!
//! **What an expired link means.** Nothing: the check waits on, and a new link can be asked for ([`Actions`]). It is made
//! only while the old one is over and no process has begun, so that the applicant cannot begin twice.
//!
//! **A second process** of the same account is no part of the check: looks and sweeps tell of it as an object of its own
//! that carries the reference.

mod client;
mod declined;
mod hooks;
mod locate;
mod mapping;
mod validate;
mod wire;

use std::time::Instant;

use async_trait::async_trait;
use domain::case::Sightings;
use domain::input::IdentityVerification;
use domain::{ActionAnswer, AfterAbsence, CheckInput, CheckSpec, FieldError, OrderInput, Reason, Reference, VendorRef};
use http::StatusCode;
use provider::{
    Accepted, Acted, Actions, ByteStream, CallContext, CallError, CancelAnswer, DocumentRef, Evidence, Fetched,
    ItemOutcome, LocateQuery, Snapshot, Submission, SubmissionItem, SubmitReport, SweepQuery, VendorAnswer, vendor_id,
};
use url::Url;

use self::client::IdentityClient;
use self::wire::{Created, Process};
use crate::client::{bad_request, found, unreadable};
use crate::submit;

pub(crate) use self::hooks::news;

/// Digital Identity's part of an account's settings.
#[derive(Clone)]
pub struct IdentitySettings {
    /// Scheme and host of the Digital Identity API: `https://api.identity.truora.com`.
    pub url: Url,
    /// Where applicants go: `https://identity.truora.com`.
    pub page_url: Url,
    /// The flow that checks go through which name none. Flows are made in the vendor's dashboard.
    pub flow: Option<String>,
    /// Where the applicant is sent afterwards.
    pub redirect_url: Option<Url>,
    /// What the flows need to know of the subject beforehand.
    pub needs: Vec<Need>,
}

impl Default for IdentitySettings {
    fn default() -> Self {
        let url = |text: &str| Url::parse(text).expect("a constant that is a URL");
        Self {
            url: url("https://api.identity.truora.com"),
            page_url: url("https://identity.truora.com"),
            flow: None,
            redirect_url: None,
            needs: Vec::new(),
        }
    }
}

/// Something of the subject that a flow verifies and does not ask the applicant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Phone,
    Email,
}

impl Need {
    /// Each with its word in the settings.
    pub const ALL: [(&'static str, Self); 2] = [("phone", Self::Phone), ("email", Self::Email)];
}

/// Digital Identity of one account.
pub(crate) struct Identity {
    client: IdentityClient,
    settings: IdentitySettings,
}

/// What a vendor's object of a check is here, by its id.
#[derive(Clone, Copy)]
pub(crate) enum Object<'v> {
    /// The subject's account, which is a check's reference, with the process that belongs to it once one is known.
    Account(Reference, Option<&'v str>),
    /// A process by its own id: a further one of an account, or one that an operator names.
    Process(&'v str),
}

impl<'v> Object<'v> {
    /// `None`: it is a background check's.
    pub fn of(vendor: &'v VendorRef) -> Option<Self> {
        if let Ok(reference) = vendor.order_id.parse() {
            return Some(Self::Account(reference, vendor.check_id.as_deref()));
        }
        vendor.order_id.starts_with("IDP").then_some(Self::Process(&vendor.order_id))
    }
}

/// The identity verification of a check, if it is one.
pub(crate) const fn spec(check: &CheckInput) -> Option<&IdentityVerification> {
    if let CheckSpec::IdentityVerification(spec) = &check.spec { Some(spec) } else { None }
}

/// The flow that a check goes through: its own, or the account's.
fn flow_of(check: &CheckInput, settings: &IdentitySettings) -> Option<String> {
    let own = spec(check)?.flow.as_ref().or(settings.flow.as_ref())?;
    vendor_id(own.trim())
}

impl Identity {
    pub fn new(client: &crate::client::Client, account_url: Url, settings: IdentitySettings) -> Self {
        let client = IdentityClient::new(client.clone(), account_url, settings.url.clone());
        Self { client, settings }
    }

    pub fn faults(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        validate::faults(order, check, &self.settings)
    }

    /// Makes a link.
    pub async fn submit(&self, ctx: &CallContext, submission: &Submission, item: &SubmissionItem) -> SubmitReport {
        let Some(form) = mapping::request(item, &self.settings) else {
            return submit::not_a_call(submission);
        };
        let started = Instant::now();
        match self.client.create(ctx, &form).await {
            Ok(answer) => {
                let outcome = self.classify(item, &answer);
                let mut evidence = Evidence::of(&answer);
                if matches!(outcome, ItemOutcome::Accepted(_)) {
                    // It is the link itself, and proves nothing that the action does not.
                    evidence.answer = domain::Sensitive::default();
                }
                SubmitReport::all(submission, &outcome, evidence)
            }
            Err(error) => SubmitReport::of_error(submission, &error, started.elapsed()),
        }
    }

    /// As the table in [`submit`] has it; only what a 2xx says is read differently.
    fn classify(&self, item: &SubmissionItem, answer: &VendorAnswer) -> ItemOutcome {
        if !matches!(answer.status.as_u16(), 200..=203) {
            return submit::refusal(answer);
        }
        match self.link(answer) {
            Some(snapshot) => ItemOutcome::Accepted(Box::new(Accepted {
                vendor: VendorRef::order(item.reference.to_string()),
                provisional: false,
                reused: false,
                carries: snapshot.carries,
                snapshot: Some(snapshot),
            })),
            None => ItemOutcome::Unknown {
                why: Reason::new("answer_unreadable", "The vendor's answer holds no link that could be read."),
                then: AfterAbsence::Resend,
            },
        }
    }

    /// The link that a create was answered with. A token is a JWT: anything else would lead the applicant nowhere.
    fn link(&self, answer: &VendorAnswer) -> Option<Snapshot> {
        let token = answer.json::<Created>().ok()?.api_key?;
        let is_token = token.len() <= 8 * 1024
            && token.split('.').count() == 3
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        is_token.then(|| mapping::waiting(&self.settings.page_url, &token, answer))
    }

    pub async fn fetch(&self, ctx: &CallContext, object: Object<'_>) -> Result<Fetched, CallError> {
        match object {
            Object::Account(reference, Some(process)) => self.process(ctx, process, Some(reference)).await,
            Object::Account(reference, None) => match self.first_process(ctx, reference).await? {
                Some(process) => self.process(ctx, &process, Some(reference)).await,
                None => Ok(Fetched::NotBegun),
            },
            Object::Process(process) => self.process(ctx, process, None).await,
        }
    }

    /// The earliest process of a check's account.
    async fn first_process(&self, ctx: &CallContext, reference: Reference) -> Result<Option<String>, CallError> {
        let rows = locate::of_account(&self.client, ctx, reference).await?;
        Ok(rows.into_iter().next().map(|row| row.id))
    }

    /// Reads a process. Before it has ended, it may have no result that could be asked for.
    async fn process(&self, ctx: &CallContext, id: &str, reference: Option<Reference>) -> Result<Fetched, CallError> {
        let result = self.client.get(ctx, self.client.process_url(id, &["result"])?).await?;
        let answer = match found(result)? {
            Some(answer) => answer,
            None => match found(self.client.get(ctx, self.client.process_url(id, &[])?).await?)? {
                Some(answer) => answer,
                None => return Ok(Fetched::Missing),
            },
        };
        let process: Process = answer.json()?;
        let ours = reference.map(|reference| reference.to_string());
        let is_it = process.id.as_deref() == Some(id)
            && (ours.is_none() || process.account_id.is_none() || process.account_id == ours);
        if !is_it {
            return Err(unreadable());
        }
        Ok(Fetched::Found(Box::new(mapping::snapshot(&process, answer.body))))
    }

    /// A process cannot be stopped. Where there is none, there is nothing to stop.
    pub async fn cancel(&self, ctx: &CallContext, object: Object<'_>) -> Result<CancelAnswer, CallError> {
        if let Object::Account(reference, None) = object
            && self.first_process(ctx, reference).await?.is_none()
        {
            return Ok(CancelAnswer::AlreadyEnded);
        }
        let why = "Truora cannot stop a process that the applicant has begun.";
        Ok(CancelAnswer::Refused(Reason::new("not_cancelable", why)))
    }

    /// The printed report of a process; `None`: the document is another's.
    pub async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Option<Result<ByteStream, CallError>> {
        let process = mapping::pdf_of(&document.locator)?;
        Some(self.client.pdf(ctx, process).await)
    }

    /// Looks for the processes of the checks that are sought, and adds what it sees.
    pub async fn locate(&self, ctx: &CallContext, query: &LocateQuery, seen: &mut Sightings) {
        locate::locate(&self.client, ctx, query, seen).await;
    }

    /// The same for all processes, where the settings say that the account has any.
    pub async fn sweep(&self, ctx: &CallContext, query: &SweepQuery, seen: &mut Sightings) {
        if self.settings.flow.is_some() {
            locate::sweep(&self.client, ctx, query, seen).await;
        }
    }
}

#[async_trait]
impl Actions for Identity {
    fn takes(&self, check: &CheckInput, answer: &ActionAnswer) -> bool {
        match answer {
            ActionAnswer::ResendLink {} => spec(check).is_some(),
        }
    }

    async fn act(
        &self,
        ctx: &CallContext,
        item: &SubmissionItem,
        vendor: &VendorRef,
        answer: &ActionAnswer,
    ) -> Result<Acted, CallError> {
        let ActionAnswer::ResendLink {} = answer;
        let object = Object::of(vendor).ok_or(bad_request())?;
        match self.fetch(ctx, object).await? {
            Fetched::NotBegun => {}
            // The applicant has begun: another link could only begin a second time.
            Fetched::Found(snapshot) => return Ok(Acted::Seen(snapshot)),
            Fetched::Missing => {
                let why = "The vendor does not show the process that had begun; order the check again.";
                return Ok(Acted::Refused(Reason::new("missing", why)));
            }
        }
        let form = mapping::request(item, &self.settings).ok_or(bad_request())?;
        let answer = self.client.create(ctx, &form).await?;
        if matches!(answer.status.as_u16(), 200..=203) {
            return self.link(&answer).map(|snapshot| Acted::Seen(Box::new(snapshot))).ok_or(unreadable());
        }
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
            let why = "The vendor refuses to make another link for this check; its flow may be gone.";
            return Ok(Acted::Refused(Reason::new("vendor_refused", why)));
        }
        Err(CallError::Lost { why: provider::LostReason::Status(answer.status.as_u16()) })
    }
}
