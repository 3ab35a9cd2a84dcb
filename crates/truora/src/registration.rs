//! Has the vendor send its hooks here: a rule for each event, with one HTTP action (`/v1/bre/rules` at the account host).
//!
//! Doing it again changes nothing, or mends what differs. Of these calls only names are documented, so nothing is taken
//! on trust: what was written is read again, and a rule that does not stand as asked is a failure.
//!
//! The action has no body template of its own: with one the vendor sends plain JSON that nobody signed.

use http::Method;
use provider::http::read_json;
use provider::{AdministrationFault, CallContext, Objection};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::Truora;
use crate::host::{Host, Payload, Wrote, read, wrote};
use crate::pages::Pages;

/// What is listened to. That the second can be had through the API is not documented.
pub const EVENTS: [&str; 2] = ["checks.check.finished", "checks.check.delayed"];

/// Before the event in a rule's name. By it a rule is found again.
const NAME: &str = "vetgate";
/// A condition in JSON logic that always holds.
const ALWAYS: &str = r#"{"==":[1,1]}"#;
/// The most pages of rules or actions that are read.
const MOST_PAGES: usize = 100;

/// One event's rule as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub event: &'static str,
    pub rule_id: String,
    pub what: Registration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    Made,
    Mended,
    /// It stood as it should.
    Unchanged,
}

/// What came of it.
pub struct Registrations {
    pub rules: Vec<Registered>,
    /// Events that the vendor makes no rule for.
    pub not_offered: Vec<&'static str>,
    /// The key that signs, where an answer showed it. It is shown once.
    pub signing_key: Option<SecretString>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationFault {
    #[error(transparent)]
    Vendor(#[from] AdministrationFault),
    #[error("the vendor does not show the rule as it was asked for")]
    NotAsAsked,
    #[error("the vendor's answer cannot be read")]
    Unreadable,
}

impl Truora {
    /// Has the account's hooks sent to this address.
    pub async fn register_hook(&self, ctx: &CallContext, target: &Url) -> Result<Registrations, RegistrationFault> {
        let mut done = Registrations { rules: Vec::new(), not_offered: Vec::new(), signing_key: None };
        let desk = Desk { host: &self.account, ctx, target };
        for event in EVENTS {
            match desk.register(event, &mut done.signing_key).await {
                Ok(rule) => done.rules.push(rule),
                Err(RegistrationFault::Vendor(AdministrationFault::Refused(_))) if event != EVENTS[0] => {
                    done.not_offered.push(event);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(done)
    }
}

struct Desk<'a> {
    host: &'a Host,
    ctx: &'a CallContext,
    target: &'a Url,
}

impl Desk<'_> {
    async fn register(
        &self,
        event: &'static str,
        signing_key: &mut Option<SecretString>,
    ) -> Result<Registered, RegistrationFault> {
        let name = format!("{NAME} {event}");
        let known = self.find_rule(event, &name).await?;
        let is_new = known.is_none();
        let rule_id =
            if let Some(rule_id) = known { rule_id } else { self.make_rule(event, &name, signing_key).await? };
        let path = ["v1", "bre", "rules", &rule_id, "actions"];
        let actions = self.list(&path, "actions").await?;
        let what = if actions.iter().any(|action| self.is_as_asked(action)) {
            Registration::Unchanged
        } else {
            self.write_action(&path, actions.iter().find(|action| action["type"] == "http_request"), signing_key)
                .await?;
            if !self.list(&path, "actions").await?.iter().any(|action| self.is_as_asked(action)) {
                return Err(RegistrationFault::NotAsAsked);
            }
            Registration::Mended
        };
        Ok(Registered { event, rule_id, what: if is_new { Registration::Made } else { what } })
    }

    async fn find_rule(&self, event: &str, name: &str) -> Result<Option<String>, RegistrationFault> {
        let rules = self.list(&["v1", "bre", "rules"], "rules").await?;
        let ours = rules.iter().find(|rule| rule["name"] == name && rule["event_type"] == event);
        Ok(ours.and_then(|rule| id(rule, "rule_id")))
    }

    async fn make_rule(
        &self,
        event: &str,
        name: &str,
        signing_key: &mut Option<SecretString>,
    ) -> Result<String, RegistrationFault> {
        let form = [("name", name), ("event_type", event), ("condition", ALWAYS)];
        let answer = self.write(Method::POST, &["v1", "bre", "rules"], &form).await?;
        keep_key(&answer, signing_key);
        if let Some(rule_id) = id(&answer, "rule_id").or_else(|| id(&answer["rule"], "rule_id")) {
            return Ok(rule_id);
        }
        // The answer was lost, or has another form: the rule is looked for by its name.
        self.find_rule(event, name).await?.ok_or(RegistrationFault::NotAsAsked)
    }

    async fn write_action(
        &self,
        path: &[&str],
        wrong: Option<&Value>,
        signing_key: &mut Option<SecretString>,
    ) -> Result<(), RegistrationFault> {
        // JSON in a text, as a rule's condition is.
        let config = json!({ "url": self.target.as_str(), "http_method": "POST" }).to_string();
        let form = [("name", NAME), ("type", "http_request"), ("status", "enabled"), ("config", config.as_str())];
        let answer = match wrong.and_then(|action| id(action, "action_id")) {
            Some(action_id) => self.write(Method::PUT, &[path, &[&action_id]].concat(), &form).await?,
            None => self.write(Method::POST, path, &form).await?,
        };
        keep_key(&answer, signing_key);
        Ok(())
    }

    fn is_as_asked(&self, action: &Value) -> bool {
        let config = config(action);
        action["type"] == "http_request"
            && action["status"] == "enabled"
            && config["url"].as_str().and_then(|url| url.parse::<Url>().ok()).as_ref() == Some(self.target)
            && config["http_method"].as_str().is_none_or(|method| method == "POST")
            && config["body_template"].as_str().is_none_or(str::is_empty)
    }

    /// Every entry of a list.
    async fn list(&self, path: &[&str], key: &str) -> Result<Vec<Value>, RegistrationFault> {
        let first = self.host.url(path, &[]).map_err(AdministrationFault::NotDone)?;
        let mut pages = Pages::from(first.clone());
        let mut next = Some(first);
        let mut entries = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(url) = next else { return Ok(entries) };
            let answer = read(self.host.get(self.ctx, url).await)?;
            let mut page: Value = read_json(&answer.body).ok_or(RegistrationFault::Unreadable)?;
            match page[key].take() {
                Value::Array(rows) => entries.extend(rows),
                Value::Null if page.get(key).is_some() => {}
                _ => return Err(RegistrationFault::Unreadable),
            }
            next = pages.follow(page["next"].as_str()).map_err(|_| RegistrationFault::Unreadable)?;
        }
        Err(RegistrationFault::Unreadable)
    }

    /// The answer; nothing where it was lost: what is so will be seen.
    async fn write(&self, method: Method, path: &[&str], form: &[(&str, &str)]) -> Result<Value, RegistrationFault> {
        let url = self.host.url(path, &[]).map_err(AdministrationFault::NotDone)?;
        let form: Vec<_> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let answer = self.host.send(self.ctx, method, url, Payload::Form(&form)).await;
        let refusal = |said: &str| Objection::new("", "refused_by_vendor", said);
        match wrote(answer, refusal)? {
            Wrote::Done(answer) => Ok(read_json(&answer.body).unwrap_or_default()),
            Wrote::Lost => Ok(Value::Null),
        }
    }
}

fn id(value: &Value, key: &str) -> Option<String> {
    provider::vendor_id(value[key].as_str()?)
}

/// An action's settings: an object, or a text that holds one.
fn config(action: &Value) -> Value {
    match &action["config"] {
        Value::String(text) => read_json(text.as_bytes()).unwrap_or_default(),
        config => config.clone(),
    }
}

/// Keeps the signing key where an answer has one, wherever it stands.
fn keep_key(answer: &Value, kept: &mut Option<SecretString>) {
    let places = ["", "/rule", "/action", "/config", "/action/config"];
    let found = places.iter().find_map(|place| answer.pointer(place)?["signing_key"].as_str());
    if let Some(key) = found.filter(|key| !key.trim().is_empty()) {
        *kept = Some(SecretString::from(key));
    }
}
