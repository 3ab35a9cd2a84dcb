//! Truora: background checks of people, companies and vehicles in Latin America, through its Checks API; and identity
//! verification through Digital Identity, in `identity`.
//!
//! `wire` is the vendor's JSON, `client` the calls; `countries`, `inputs` and `validate` say what must be sent, `mapping`
//! and `outcome` what an answer means; `submit` classifies create calls, `locate` finds them again, `hooks` reads what
//! the vendor sends; `bulk` sends files of many checks, `continuous` has the vendor repeat them; `findings` and `attachments`
//! read what is beside a result, `passthrough` says which of the vendor's calls others may make; `identity` is another
//! product, with rooms of its own. `hook_log` reads the hooks that the vendor meant to send, `registration` asks it to;
//! `administration` and `custom_types` are what the account's owner sets up. What is known of the vendor and where it is
//! handled: `docs/vendors/truora.md`.

mod administration;
mod attachments;
mod bulk;
mod client;
mod continuous;
mod countries;
mod custom_types;
mod findings;
#[cfg(test)]
mod fixtures;
mod hook_log;
mod hooks;
mod host;
mod identity;
mod inputs;
mod links;
mod locate;
mod mapping;
mod outcome;
mod pages;
mod passthrough;
mod registration;
mod submit;
mod validate;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::case::Sightings;
use domain::{CheckInput, CheckType, FieldError, OrderInput, ProviderId, Reason, VendorRef};
use provider::{
    Actions, Administration, Bulk, ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Descriptor,
    DocumentRef, Evidence, Fetched, Findings, HookAuthentication, HookLog, HookNews, HookRefused, HookRequest,
    LocateQuery, Monitoring, Passthrough, ProbeFault, Product, Provider, Sought, Submission, SubmitReport, SweepQuery,
    Timing,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use crate::bulk::{file_of, outcomes_of};
pub use crate::hooks::UnsignedHooks;
pub use crate::identity::{IdentitySettings, Need};
pub use crate::links::FileHosts;
pub use crate::outcome::OutcomePolicy;
pub use crate::registration::{EVENTS, Registered, Registration, RegistrationFault, Registrations};
pub use crate::validate::OPTIONS;

use crate::bulk::Batches;
use crate::client::Client;
use crate::hooks::HookKeys;
use crate::host::Host;
use crate::identity::Identity;
use crate::wire::CheckEnvelope;

/// The word for this vendor in settings and the API.
pub const ID: &str = "truora";

/// One Truora account.
#[derive(Clone)]
pub struct Settings {
    /// The account's key, itself a JWT, sent as `Truora-API-Key`. Both key versions work.
    pub api_key: SecretString,
    /// Scheme and host of the Checks API: `https://api.checks.truora.com`.
    pub checks_url: Url,
    /// Scheme and host of the account API (rules, batches): `https://api.account.truora.com`.
    pub account_url: Url,
    /// The signing key of the account's hook or rule. Without it no signed hook is taken.
    pub hook_key: Option<SecretString>,
    pub unsigned_hooks: UnsignedHooks,
    pub outcome: OutcomePolicy,
    /// Where the vendor's links to files may lead.
    pub file_hosts: FileHosts,
    /// From so many like checks of one batch on they go as a file; 0: only where the caller asks for it.
    pub native_batch_min: usize,
    pub identity: IdentitySettings,
}

impl Settings {
    /// The account's key, with everything else as the vendor has it.
    ///
    /// # Panics
    ///
    /// Never: the vendor's addresses are URLs.
    pub fn new(api_key: SecretString) -> Self {
        let url = |text: &str| Url::parse(text).expect("a constant that is a URL");
        Self {
            api_key,
            checks_url: url("https://api.checks.truora.com"),
            account_url: url("https://api.account.truora.com"),
            hook_key: None,
            unsigned_hooks: UnsignedHooks::default(),
            outcome: OutcomePolicy::default(),
            file_hosts: FileHosts::default(),
            native_batch_min: 0,
            identity: IdentitySettings::default(),
        }
    }
}

/// What is wrong with an account's settings. Names the setting, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsFault {
    pub setting: &'static str,
    pub problem: &'static str,
}

/// One account at Truora.
pub struct Truora {
    client: Client,
    batches: Batches,
    identity: Identity,
    /// The Checks API, for what is no check.
    checks: Host,
    /// Rules, batches, and the log of hooks.
    account: Host,
    hook_keys: Option<HookKeys>,
    unsigned_hooks: UnsignedHooks,
    policy: OutcomePolicy,
    file_hosts: FileHosts,
    descriptor: Descriptor,
}

/// What a delete call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    Now,
    /// There was nothing (any more).
    Before,
}

impl Truora {
    pub fn new(settings: Settings) -> Result<Self, SettingsFault> {
        let fault = |setting, problem| SettingsFault { setting, problem };
        for (setting, url) in [
            ("checks_url", &settings.checks_url),
            ("account_url", &settings.account_url),
            ("identity_url", &settings.identity.url),
            ("identity_page_url", &settings.identity.page_url),
        ] {
            if !is_scheme_and_host(url) {
                return Err(fault(setting, "expected scheme and host only, such as https://api.checks.truora.com"));
            }
        }
        if let Some(problem) = settings.outcome.fault() {
            return Err(fault("outcome", problem));
        }
        // An empty key would accept what anybody signs.
        if settings.hook_key.as_ref().is_some_and(|key| key.expose_secret().trim().is_empty()) {
            return Err(fault("hook_key", "must not be empty; leave it out to take no hooks"));
        }
        let client = Client::new(settings.checks_url.clone(), &settings.api_key)
            .ok_or(fault("api_key", "must not be empty, and hold only what fits into a header"))?;
        let hook_keys = settings.hook_key.as_ref().map(HookKeys::new);
        let identity = Identity::new(&client, settings.account_url.clone(), settings.identity);
        let (account, files) = (settings.account_url.clone(), settings.file_hosts.clone());
        let batches = Batches::new(client.clone(), account, files, settings.native_batch_min);
        Ok(Self {
            checks: Host::new(client.clone(), settings.checks_url),
            account: Host::new(client.clone(), settings.account_url),
            client,
            batches,
            identity,
            hook_keys,
            unsigned_hooks: settings.unsigned_hooks,
            policy: settings.outcome,
            file_hosts: settings.file_hosts,
            descriptor: descriptor(),
        })
    }

    /// Erases a check at the vendor. Not a cancellation: what runs there and what it costs does not end by it.
    pub async fn erase(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Erased, CallError> {
        let answer = self.client.delete(ctx, &vendor.order_id).await?;
        Ok(client::found(answer)?.map_or(Erased::Before, |_| Erased::Now))
    }
}

fn is_scheme_and_host(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn descriptor() -> Descriptor {
    let background = Product {
        check_type: CheckType::BackgroundCheck,
        countries: countries::COUNTRIES.to_vec(),
        required_inputs: countries::ROWS.iter().map(countries::Row::describe).collect(),
    };
    let identity = Product {
        check_type: CheckType::IdentityVerification,
        countries: countries::COUNTRIES.to_vec(),
        required_inputs: vec!["person; flow, unless the account has a default one".to_owned()],
    };
    Descriptor {
        id: ProviderId::new(ID),
        display_name: "Truora",
        products: vec![background, identity],
        batch_size: 1,
        // Its DELETE erases; there is no way to stop a check.
        cancel: CancelSupport::No,
        hooks: HookAuthentication::SignedBody,
        reuses_objects: true,
        timing: Timing {
            settle: Duration::from_mins(2),
            timeout: Duration::from_secs(30),
            // A check takes two or three minutes as a rule.
            poll_min: Duration::from_secs(20),
            poll_max: Duration::from_mins(15),
            // None is published.
            rate: None,
        },
    }
}

#[async_trait]
impl Provider for Truora {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        if identity::spec(check).is_some() {
            return self.identity.faults(order, check);
        }
        validate::faults(order, check)
    }

    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport {
        let [item] = submission.items.as_slice() else {
            return submit::not_a_call(submission);
        };
        if identity::spec(&item.check).is_some() {
            return self.identity.submit(ctx, submission, item).await;
        }
        let Some(request) = mapping::request(item) else {
            return submit::not_a_call(submission);
        };
        let started = Instant::now();
        match self.client.create(ctx, &request.form, request.priority.as_deref()).await {
            Ok(answer) => {
                let outcome = submit::classify(&self.policy, item, &answer);
                SubmitReport::all(submission, &outcome, Evidence::of(&answer))
            }
            Err(error) => SubmitReport::of_error(submission, &error, started.elapsed()),
        }
    }

    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> Sightings {
        // A look for identities alone leaves the checks unread, and is complete without them.
        let is_of_checks = |sought: &Sought| identity::spec(&sought.check).is_none();
        let mut seen = if query.sought.is_empty() || query.sought.iter().any(is_of_checks) {
            locate::locate(&self.client, ctx, query).await
        } else {
            Sightings { complete: true, ..Sightings::default() }
        };
        self.identity.locate(ctx, query, &mut seen).await;
        seen
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> Sightings {
        let mut seen = locate::sweep(&self.client, ctx, query).await;
        self.identity.sweep(ctx, query, &mut seen).await;
        seen
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        if let Some(object) = identity::Object::of(vendor) {
            return self.identity.fetch(ctx, object).await;
        }
        let Some(answer) = client::found(self.client.get(ctx, &vendor.order_id).await?)? else {
            return Ok(Fetched::Missing);
        };
        let envelope: CheckEnvelope = answer.json()?;
        let check = envelope.check.ok_or(client::unreadable())?;
        if check.id.as_deref() != Some(vendor.order_id.as_str()) {
            return Err(client::unreadable());
        }
        if check.deleted == Some(true) {
            return Ok(Fetched::Missing);
        }
        Ok(Fetched::Found(Box::new(mapping::snapshot(&self.policy, &check, answer.body))))
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, _: &Reason) -> Result<CancelAnswer, CallError> {
        if let Some(object) = identity::Object::of(vendor) {
            return self.identity.cancel(ctx, object).await;
        }
        let why = "Truora cannot stop a check; its DELETE would erase the result and not the work.";
        Ok(CancelAnswer::Refused(Reason::new("not_cancelable", why)))
    }

    async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Result<ByteStream, CallError> {
        if let Some(place) = attachments::place(&document.locator) {
            return attachments::open(&self.client, &self.file_hosts, ctx, &place).await;
        }
        if let Some(stream) = self.identity.document(ctx, document).await {
            return stream;
        }
        let check_id = mapping::pdf_of(&document.locator).ok_or(client::bad_request())?;
        self.client.pdf(ctx, check_id).await
    }

    async fn documents(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Vec<DocumentRef>, CallError> {
        attachments::list(&self.client, ctx, &vendor.order_id).await
    }

    fn findings(&self) -> Option<&dyn Findings> {
        Some(self)
    }

    fn passthrough(&self) -> Option<&dyn Passthrough> {
        Some(self)
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        hooks::receive(self.hook_keys.as_ref(), self.unsigned_hooks, &self.policy, request)
    }

    fn administration(&self) -> Option<&dyn Administration> {
        Some(self)
    }

    fn hook_log(&self) -> Option<&dyn HookLog> {
        Some(self)
    }

    fn monitoring(&self) -> Option<&dyn Monitoring> {
        Some(self)
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(&self.batches)
    }

    fn actions(&self) -> Option<&dyn Actions> {
        Some(&self.identity)
    }

    /// Reads the first page of the list of checks.
    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        let answer = self.client.page(ctx, self.client.list_url()).await?;
        match answer.status.as_u16() {
            200 => match answer.json::<wire::CheckPage>()?.checks {
                Some(_) => Ok(()),
                None => Err(ProbeFault::Unexpected("a list of checks was expected".to_owned())),
            },
            401 => Err(ProbeFault::Credentials("the API key is wrong".to_owned())),
            403 if wire::ErrorBody::read(&answer.body).is_of_unknown_route() => {
                Err(ProbeFault::Unexpected("there is no Checks API at checks_url".to_owned()))
            }
            403 => Err(ProbeFault::Credentials("the API key has expired or lacks a permission".to_owned())),
            status => Err(ProbeFault::Unexpected(format!("it answered {status}"))),
        }
    }
}
