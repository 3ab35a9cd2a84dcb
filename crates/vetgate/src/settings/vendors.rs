//! The vendors' part of the settings: accounts, credentials, timings.
//!
//! A vendor's plain keys (`theary.token`) define its account `default`, which is open to every tenant; each
//! `[[theary.accounts]]` defines a further one. Both are read by the same lines, into the adapter's own settings.

use std::time::Duration;

use domain::{AccountKey, TenantId};
use provider::Timing;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::keys::Keys;

/// One vendor's part.
pub struct VendorSettings<V: Vendor> {
    /// None: the vendor is off.
    pub accounts: Vec<AccountSettings<V>>,
    pub timing: TimingSettings,
    /// Set: sending is stopped, or not, whatever an operator said before.
    pub paused: Option<bool>,
}

/// One account of a vendor.
pub struct AccountSettings<V: Vendor> {
    pub id: String,
    /// Who may use it; `None`: every tenant.
    pub tenants: Option<Vec<TenantId>>,
    pub adapter: V::Adapter,
}

/// What is laid over the adapter's own timing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimingSettings {
    pub settle: Option<Duration>,
    pub timeout: Option<Duration>,
    pub poll_min: Option<Duration>,
    pub poll_max: Option<Duration>,
    pub rate: Option<f64>,
}

impl TimingSettings {
    pub fn over(&self, own: Timing) -> Timing {
        let poll_min = self.poll_min.unwrap_or(own.poll_min);
        Timing {
            settle: self.settle.unwrap_or(own.settle),
            timeout: self.timeout.unwrap_or(own.timeout),
            poll_min,
            poll_max: self.poll_max.unwrap_or(own.poll_max).max(poll_min),
            rate: self.rate.or(own.rate),
        }
    }
}

/// How a vendor's account is read.
pub trait Vendor: Sized {
    /// The adapter's settings.
    type Adapter;
    /// The word for it in settings and the API.
    const ID: &'static str;
    /// The key without which there is no account.
    const CREDENTIAL: &'static str;

    /// Whether the table at this path holds credentials, be they whole or not.
    fn has_credentials(keys: &Keys, table: &str) -> bool {
        keys.is_set(&format!("{table}.{}", Self::CREDENTIAL))
    }

    /// Reads the account at this path. `base` is where keys stand that an account may leave out: those of the vendor's
    /// plain account. `None`: no credentials, or a fault.
    fn take(keys: &mut Keys, at: &Place<'_>) -> Option<Self::Adapter>;
}

/// Where an account's keys stand.
pub struct Place<'p> {
    path: &'p str,
    /// The vendor's plain keys, for those that a further account leaves out.
    plain: Option<&'p str>,
}

impl Place<'_> {
    /// The path of an account's own key.
    fn own(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// The path of a key that a further account shares with the plain one, unless it has its own.
    fn shared(&self, keys: &Keys, key: &str) -> String {
        match self.plain {
            Some(plain) if !keys.is_set(&self.own(key)) => format!("{plain}.{key}"),
            _ => self.own(key),
        }
    }
}

/// Reads a vendor's part.
pub fn take<V: Vendor>(keys: &mut Keys) -> VendorSettings<V> {
    let vendor = V::ID;
    let timing = take_timing(keys, vendor);
    let paused = keys.value(&format!("{vendor}.paused"), None, "true or false");
    let mut accounts: Vec<AccountSettings<V>> = Vec::new();
    if let Some(adapter) = V::take(keys, &Place { path: vendor, plain: None }) {
        accounts.push(AccountSettings { id: AccountKey::DEFAULT.to_owned(), tenants: None, adapter });
    }
    let list = format!("{vendor}.accounts");
    for table in keys.tables(&list) {
        let id = take_id(keys, &table, &accounts);
        let tenants = take_tenants(keys, &table);
        if !V::has_credentials(keys, &table) {
            keys.fault(
                &format!("{table}.{}", V::CREDENTIAL),
                "is not set; an account needs credentials of its own. Set it, or remove the account.",
            );
        }
        let adapter = V::take(keys, &Place { path: &table, plain: Some(vendor) });
        if let (Some(id), Some(adapter)) = (id, adapter) {
            accounts.push(AccountSettings { id, tenants, adapter });
        }
    }
    // Read where nothing is, so that the keys of an account are known without one.
    let nowhere = Keys::probe(&list);
    let _ = (keys.text(&format!("{nowhere}.id"), None), take_tenants(keys, &nowhere));
    let _ = V::take(keys, &Place { path: &nowhere, plain: None });
    VendorSettings { accounts, timing, paused }
}

fn take_id<V: Vendor>(keys: &mut Keys, table: &str, earlier: &[AccountSettings<V>]) -> Option<String> {
    let path = format!("{table}.id");
    let id = keys.text(&path, None);
    let is_plain =
        |id: &str| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match id {
        None if !keys.is_set(&path) => keys.fault(&path, "is not set. Give the account a name of its own."),
        None => {}
        Some(id) if !is_plain(&id) => {
            keys.fault(&path, "must be 1 to 64 letters, digits, - or _; it is part of the hooks' address.");
        }
        Some(id) if earlier.iter().any(|account| account.id == id) => {
            keys.fault(&path, format!("there is another account \"{id}\". Give each its own name."));
        }
        Some(id) => return Some(id),
    }
    None
}

fn take_tenants(keys: &mut Keys, table: &str) -> Option<Vec<TenantId>> {
    Some(keys.list(&format!("{table}.tenants"))?.into_iter().map(TenantId::new).collect())
}

fn take_timing(keys: &mut Keys, vendor: &str) -> TimingSettings {
    let timing = TimingSettings {
        settle: keys.duration(&format!("{vendor}.settle")),
        timeout: keys.duration(&format!("{vendor}.timeout")),
        poll_min: keys.duration(&format!("{vendor}.poll_min")),
        poll_max: keys.duration(&format!("{vendor}.poll_max")),
        rate: take_rate(keys, &format!("{vendor}.rate")),
    };
    if let (Some(min), Some(max)) = (timing.poll_min, timing.poll_max)
        && min > max
    {
        keys.fault(&format!("{vendor}.poll_max"), "is shorter than poll_min. Make it as long, or longer.");
    }
    timing
}

/// Requests a second.
pub fn take_rate(keys: &mut Keys, path: &str) -> Option<f64> {
    const EXPECTED: &str = "requests a second as a number above zero, such as 10 or 0.5";
    let rate: f64 = keys.value(path, None, EXPECTED)?;
    if rate.is_finite() && rate > 0.0 {
        return Some(rate);
    }
    keys.fault(path, format!("expected {EXPECTED}."));
    None
}

pub struct Truora;

impl Vendor for Truora {
    type Adapter = truora::Settings;
    const ID: &'static str = truora::ID;
    const CREDENTIAL: &'static str = "api_key";

    fn take(keys: &mut Keys, at: &Place<'_>) -> Option<truora::Settings> {
        let api_key = keys.secret(&at.own("api_key"));
        let checks_url = keys.host(&at.shared(keys, "checks_url"), "https://api.checks.truora.com");
        let account_url = keys.host(&at.shared(keys, "account_url"), "https://api.account.truora.com");
        let hook_key = keys.secret(&at.own("hook_key"));
        let unsigned_path = at.shared(keys, "unsigned_hooks");
        let choices = [("refuse", truora::UnsignedHooks::Refuse), ("hint", truora::UnsignedHooks::Hint)];
        let unsigned_hooks = keys.word(&unsigned_path, "refuse", &choices);
        let file_hosts = keys.list(&at.shared(keys, "file_hosts")).map(truora::FileHosts::new);
        let batch_path = at.shared(keys, "native_batch_min");
        let native_batch_min: Option<usize> = keys.value(&batch_path, Some("0"), "a whole number from 0 to 1000");
        if native_batch_min.is_some_and(|min| min > 1_000) {
            keys.fault(&batch_path, "expected a whole number from 0 to 1000.");
        }
        let identity = take_identity(keys, at);
        let outcome = (at.plain.is_none() && !at.path.ends_with(']')).then(|| take_outcome(keys, at));
        let outcome = outcome.flatten();
        Some(truora::Settings {
            checks_url: checks_url?,
            account_url: account_url?,
            hook_key,
            unsigned_hooks: unsigned_hooks?,
            outcome: outcome.unwrap_or_default(),
            file_hosts: file_hosts.unwrap_or_default(),
            native_batch_min: native_batch_min?,
            identity: identity?,
            ..truora::Settings::new(api_key?)
        })
    }
}

/// Where applicants are sent to show who they are, and through which flow.
fn take_identity(keys: &mut Keys, at: &Place<'_>) -> Option<truora::IdentitySettings> {
    let url = keys.host(&at.shared(keys, "identity_url"), "https://api.identity.truora.com");
    let page_url = keys.host(&at.shared(keys, "identity_page_url"), "https://identity.truora.com");
    let flow = keys.text(&at.shared(keys, "identity_flow"), None);
    let redirect_url = keys.url(&at.shared(keys, "identity_redirect_url"), None);
    let needs_path = at.shared(keys, "identity_needs");
    let mut needs = Vec::new();
    for word in keys.list(&needs_path).unwrap_or_default() {
        match truora::Need::ALL.into_iter().find(|(known, _)| *known == word) {
            Some((_, need)) => needs.push(need),
            None => keys.fault(&needs_path, format!("\"{word}\" is not known here: expected phone or email.")),
        }
    }
    Some(truora::IdentitySettings { url: url?, page_url: page_url?, flow, redirect_url, needs })
}

/// How a report becomes an outcome. The same for every account.
fn take_outcome(keys: &mut Keys, at: &Place<'_>) -> Option<truora::OutcomePolicy> {
    let policy = truora::OutcomePolicy::default();
    let mut share = |key: &str, default: f64| {
        let path = at.own(&format!("outcome.{key}"));
        let value: f64 = keys.value(&path, Some(&default.to_string()), "a number from 0 to 1")?;
        if !(0.0..=1.0).contains(&value) {
            keys.fault(&path, "expected a number from 0 to 1.");
        }
        Some(value)
    };
    let clear_score = share("clear_score", policy.clear_score);
    let clear_dataset_score = share("clear_dataset_score", policy.clear_dataset_score);
    let max_failed_share = share("max_failed_share", policy.max_failed_share);
    let advisory = keys.list(&at.own("outcome.advisory_datasets"));
    let require_identity = at.own("outcome.require_identity");
    let require_identity = keys.value(&require_identity, Some(&policy.require_identity.to_string()), "true or false");
    Some(truora::OutcomePolicy {
        clear_score: clear_score?,
        clear_dataset_score: clear_dataset_score?,
        advisory_datasets: advisory.unwrap_or(policy.advisory_datasets),
        max_failed_share: max_failed_share?,
        require_identity: require_identity?,
    })
}

pub struct Theary;

/// The one host whose orders reach real employers and schools without being told so.
const THEARY_PRODUCTION: &str = "api.theary.ai";

impl Vendor for Theary {
    type Adapter = theary::AccountSettings;
    const ID: &'static str = theary::ID;
    const CREDENTIAL: &'static str = "token";

    fn has_credentials(keys: &Keys, table: &str) -> bool {
        ["token", "client_id", "client_secret"].iter().any(|key| keys.is_set(&format!("{table}.{key}")))
    }

    fn take(keys: &mut Keys, at: &Place<'_>) -> Option<theary::AccountSettings> {
        let base_url = keys.host(&at.shared(keys, "base_url"), "https://api.theary.ai");
        let credentials = take_credentials(keys, at, base_url.as_ref());
        let hook_secret = keys.secret(&at.own("hook_secret"));
        let upload_hosts = keys.list(&at.shared(keys, "upload_hosts"));
        let batch_path = at.shared(keys, "batch_size");
        let default = theary::AccountSettings::DEFAULT_BATCH_SIZE.to_string();
        let batch_size: Option<usize> = keys.value(&batch_path, Some(&default), "a whole number from 1 to 100");
        if batch_size.is_some_and(|size| !(1..=100).contains(&size)) {
            keys.fault(&batch_path, "expected a whole number from 1 to 100.");
        }
        let environment = take_environment(keys, at, base_url.as_ref(), credentials.is_some());
        Some(theary::AccountSettings {
            credentials: credentials?,
            base_url: base_url?,
            hook_secret,
            environment: environment?,
            upload_hosts: upload_hosts.map(theary::UploadHosts::new),
            batch_size: batch_size?,
        })
    }
}

/// Either a ready token or a client that fetches its own.
fn take_credentials(keys: &mut Keys, at: &Place<'_>, base_url: Option<&Url>) -> Option<theary::Credentials> {
    let (token_path, id_path, secret_path) = (at.own("token"), at.own("client_id"), at.own("client_secret"));
    let token = keys.secret(&token_path);
    let client_id = keys.secret(&id_path);
    let client_secret = keys.secret(&secret_path);
    let own = base_url.and_then(Url::host_str).and_then(theary::OAuthClient::place_of);
    let (url_path, audience_path) = (at.shared(keys, "token_url"), at.shared(keys, "audience"));
    // Asked for without a default: they depend on the host.
    let token_url = match keys.text(&url_path, None) {
        None => own.and_then(|(url, _)| url.parse().ok()),
        Some(_) => keys.url(&url_path, None),
    };
    let audience = keys.text(&audience_path, None).or_else(|| own.map(|(_, audience)| audience.to_owned()));
    if keys.is_set(&token_path) && (keys.is_set(&id_path) || keys.is_set(&secret_path)) {
        keys.fault(&token_path, "is set beside client_id or client_secret. Keep the token, or the client; not both.");
        return None;
    }
    if let Some(token) = token {
        return Some(theary::Credentials::Token(token));
    }
    for (given, missing) in [(&id_path, &secret_path), (&secret_path, &id_path)] {
        if keys.is_set(given) && !keys.is_set(missing) {
            keys.fault(missing, "is not set; a client needs client_id and client_secret. Set it, or remove the other.");
        }
    }
    let (client_id, client_secret) = (client_id?, client_secret?);
    for (path, is_known) in [(&url_path, token_url.is_some()), (&audience_path, audience.is_some())] {
        if !is_known && !keys.is_set(path) {
            keys.fault(path, "is not set, and is known by itself for Theary's own hosts only. Set it as Theary says.");
        }
    }
    Some(theary::Credentials::Client(theary::OAuthClient {
        client_id: client_id.expose_secret().to_owned(),
        client_secret,
        token_url: token_url?,
        audience: audience?,
    }))
}

/// Whether real employers are contacted: only where it is said, or at the production host.
fn take_environment(
    keys: &mut Keys,
    at: &Place<'_>,
    base_url: Option<&Url>,
    has_credentials: bool,
) -> Option<theary::Environment> {
    let path = at.shared(keys, "environment");
    let said = keys.is_set(&path);
    // Asked for without a default: it depends on the host.
    let word = keys.text(&path, None);
    let qa_path = at.shared(keys, "qa_email");
    let qa_email = keys.text(&qa_path, None);
    if qa_email.as_ref().is_some_and(|email| !email.contains('@')) {
        keys.fault(&qa_path, "expected an e-mail address.");
        return None;
    }
    let is_production = match word.as_deref() {
        Some("production") => true,
        Some("sandbox") => false,
        Some(other) => {
            keys.fault(&path, format!("\"{other}\" is not known here: expected production or sandbox."));
            return None;
        }
        None if said => return None,
        None => base_url?.host_str() == Some(THEARY_PRODUCTION),
    };
    match (is_production, qa_email) {
        (true, _) => Some(theary::Environment::Production),
        (false, Some(qa_email)) => Some(theary::Environment::Sandbox { qa_email }),
        (false, None) => {
            if has_credentials {
                keys.fault(
                    &qa_path,
                    "is not set, and this is not Theary's production host: the real employers and schools of every order would be \
                     contacted. Set it to an address of yours that gets everything instead.",
                );
            }
            None
        }
    }
}

pub struct Truework;

impl Vendor for Truework {
    type Adapter = truework::Settings;
    const ID: &'static str = truework::ID;
    const CREDENTIAL: &'static str = "api_key";

    fn take(keys: &mut Keys, at: &Place<'_>) -> Option<truework::Settings> {
        let api_key = keys.secret(&at.own("api_key"));
        let base_url = keys.host(&at.shared(keys, "base_url"), "https://api.truework.com");
        let version_path = at.shared(keys, "version");
        let versions: Vec<_> = truework::Version::ALL.iter().map(|version| (version.as_str(), *version)).collect();
        let version = keys.word(&version_path, truework::Version::default().as_str(), &versions);
        let hook_path = at.own("hook_token");
        // Several while one is replaced by another.
        let hook_tokens = keys.list(&hook_path).unwrap_or_default();
        if hook_tokens.iter().any(|token| super::keys::is_placeholder(token)) {
            keys.fault(&hook_path, "is still the example's value. Put the real one there, or leave the key out.");
        }
        let modes: Vec<_> = truework::SignatureMode::ALL.iter().map(|mode| (mode.as_str(), *mode)).collect();
        let signature_path = at.shared(keys, "signature");
        let signature = keys.word(&signature_path, truework::SignatureMode::default().as_str(), &modes);
        let published = base_url.as_ref().map(truework::SignatureKey::published_for).unwrap_or_default();
        let signature_keys = take_signature_keys(keys, at, published);
        Some(truework::Settings {
            version: version?,
            signature: signature?,
            signature_keys: signature_keys?,
            hook_tokens: hook_tokens.into_iter().map(SecretString::from).collect(),
            ..truework::Settings::new(base_url?, api_key?)
        })
    }
}

/// The keys that Truework publishes for the host, unless others are named. `None`: one of them is no key.
fn take_signature_keys(
    keys: &mut Keys,
    at: &Place<'_>,
    published: Vec<truework::SignatureKey>,
) -> Option<Vec<truework::SignatureKey>> {
    let path = at.shared(keys, "signature_keys");
    let Some(named) = keys.list(&path) else { return Some(published) };
    let mut read = Vec::new();
    for (place, key) in named.iter().enumerate() {
        match key.parse() {
            Ok(key) => read.push(key),
            Err(fault) => keys.fault(&path, format!("number {} cannot be read: {fault}.", place + 1)),
        }
    }
    (read.len() == named.len()).then_some(read)
}
