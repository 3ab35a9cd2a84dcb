//! Continuous checks: the vendor repeats a check by itself, and its history names each repetition.
//!
//! * There is no idempotency key and no reference of ours: after a lost answer the list is read through for those of our
//!   check, and the end date tells ours from another monitor's.
//! * `score_status` and `changes` are not read: the runs' own results are compared, by the rule that holds for every vendor.
//! * The end date cannot be changed.
//! * Whether types of the account's own may be repeated is not documented: they are ordered again by the gateway instead.
//! * The `version` of its hooks is left as it is: it must be the key's own, which nobody tells us, and of a hook only the
//!   id is used.
//!
//! | answer to the create call | class |
//! |---|---|
//! | no connection, over budget, lease too short; 401; 403 about the key or the route; 429 | `NotSent` |
//! | 200, 201 with an id, of our check | `Made` |
//! | 400, 404, 422 in the service's own words | `Refused`, and looked for all the same |
//! | everything else | `Unknown` |

use async_trait::async_trait;
use domain::{CheckInput, CheckSpec, Date, Frequency, FrequencyUnit, OrderInput, Reason, VendorRef};
use http::{Method, StatusCode};
use provider::{
    CallContext, CallError, LostReason, MonitorChange, MonitorCreated, MonitorUpdated, Monitoring, VendorAnswer,
    VendorMonitor, VendorRun, vendor_id,
};
use serde::Deserialize;
use serde_json::Value;

use crate::Truora;
use crate::client::{self, Client, unreadable};
use crate::pages::{MOST_PAGES, Pages};
use crate::wire::{self, ErrorBody};

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Continuous {
    #[serde(rename = "continuous_check_id")]
    id: Option<String>,
    /// The check that it began with, or its latest run: which of the two is not documented.
    check: Option<NamedCheck>,
    frequency: Option<String>,
    end_date: Option<String>,
    next_run_date: Option<String>,
    status: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct NamedCheck {
    check_id: Option<String>,
    previous_check: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    /// Create, get and update answer with the object bare; other services of the vendor wrap theirs.
    continuous_check: Option<Continuous>,
    #[serde(flatten)]
    bare: Continuous,
}

#[derive(Deserialize)]
struct Page {
    continuous_checks: Option<Vec<Continuous>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct HistoryPage {
    history: Option<Vec<Entry>>,
    next: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    check_id: Option<String>,
    creation_date: Option<Value>,
}

impl Envelope {
    fn read(answer: &VendorAnswer) -> Result<Continuous, CallError> {
        let envelope: Self = answer.json()?;
        Ok(envelope.continuous_check.unwrap_or(envelope.bare))
    }
}

impl Continuous {
    fn monitor(self) -> Option<VendorMonitor> {
        Some(VendorMonitor {
            id: vendor_id(self.id.as_deref()?)?,
            check_id: self.check.and_then(|check| vendor_id(check.check_id.as_deref()?)),
            frequency: self.frequency.as_deref().and_then(ours),
            end_date: self.end_date.as_deref().and_then(wire::date),
            enabled: match self.status.as_deref() {
                Some("enabled") => true,
                Some("disabled") => false,
                _ => return None,
            },
            next_run_at: self.next_run_date.as_deref().and_then(wire::timestamp),
        })
    }

    fn is_of(&self, check_id: &str) -> bool {
        let names = |id: &Option<String>| id.as_deref() == Some(check_id);
        self.check.as_ref().is_some_and(|check| names(&check.check_id) || names(&check.previous_check))
    }
}

/// `daily`, `1w`, …
fn ours(text: &str) -> Option<Frequency> {
    if let "daily" | "weekly" | "monthly" | "yearly" = text {
        return text.parse().ok();
    }
    format!("P{}", text.to_ascii_uppercase()).parse().ok()
}

fn theirs(frequency: Frequency) -> String {
    let unit = match frequency.unit() {
        FrequencyUnit::Day => 'd',
        FrequencyUnit::Week => 'w',
        FrequencyUnit::Month => 'm',
        FrequencyUnit::Year => 'y',
    };
    format!("{}{unit}", frequency.every())
}

/// What the answer to a create call proves.
fn classify(check_id: &str, answer: &VendorAnswer) -> MonitorCreated {
    let error = ErrorBody::read(&answer.body);
    let status = answer.status.as_u16();
    let sentence = || match error.code {
        Some(code) => format!("The vendor answered {status}, with its code {code}."),
        None => format!("The vendor answered {status}."),
    };
    let not_sent =
        |code: &str| MonitorCreated::NotSent { why: Reason::new(code, sentence()), retry_after: answer.retry_after() };
    match status {
        200 | 201 => {
            let made = Envelope::read(answer).ok().filter(|made| made.check.is_none() || made.is_of(check_id));
            match made.and_then(Continuous::monitor) {
                Some(monitor) => MonitorCreated::Made(monitor),
                None => {
                    MonitorCreated::Unknown(Reason::new("answer_unreadable", "The vendor's answer could not be read."))
                }
            }
        }
        400 | 404 | 422 if error.is_the_services_own() => {
            MonitorCreated::Refused(Reason::new("vendor_refused", sentence()))
        }
        401 => not_sent("credentials_refused"),
        403 if error.is_of_unknown_route() => not_sent("wrong_address"),
        403 if is_about_the_key(&error) => not_sent("credentials_refused"),
        429 => not_sent("rate_limited"),
        _ => MonitorCreated::Unknown(Reason::new("unexpected_status", sentence())),
    }
}

fn is_about_the_key(error: &ErrorBody) -> bool {
    let message = error.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    ["explicit deny", "api key", "permission"].iter().any(|word| message.contains(word))
}

#[async_trait]
impl Monitoring for Truora {
    fn takes(&self, _: &OrderInput, check: &CheckInput, _: Frequency) -> bool {
        matches!(&check.spec, CheckSpec::BackgroundCheck(spec) if spec.custom_type.is_none())
    }

    async fn create(
        &self,
        ctx: &CallContext,
        check: &VendorRef,
        frequency: Frequency,
        end_date: Date,
    ) -> MonitorCreated {
        let form = [
            ("check_id", check.order_id.clone()),
            ("frequency", theirs(frequency)),
            ("end_date", end_date.to_string()),
        ];
        let url = match self.client.continuous_url(None, &[]) {
            Ok(url) => self.client.write(ctx, Method::POST, url, &form).await,
            Err(error) => Err(error),
        };
        match url {
            Ok(answer) => classify(&check.order_id, &answer),
            Err(CallError::NotSent { why, retry_after }) => {
                MonitorCreated::NotSent { why: Reason::new(why.code(), why.to_string()), retry_after }
            }
            Err(CallError::Lost { why }) => MonitorCreated::Unknown(Reason::new(why.code(), why.to_string())),
        }
    }

    async fn find(&self, ctx: &CallContext, check: &VendorRef) -> Result<Vec<VendorMonitor>, CallError> {
        let read = |page: Page| Some((page.continuous_checks?, page.next));
        let all: Vec<Continuous> =
            walk(&self.client, ctx, Pages::from(self.client.continuous_url(None, &[])?), read).await?;
        let mut found = Vec::new();
        for continuous in all.into_iter().filter(|continuous| continuous.is_of(&check.order_id)) {
            // One of ours that cannot be read must not count as absent.
            found.push(continuous.monitor().ok_or(unreadable())?);
        }
        Ok(found)
    }

    async fn get(&self, ctx: &CallContext, id: &str) -> Result<Option<VendorMonitor>, CallError> {
        let url = self.client.continuous_url(Some(id), &[])?;
        let Some(answer) = client::found(self.client.read(ctx, url).await?)? else { return Ok(None) };
        let monitor = Envelope::read(&answer)?.monitor().filter(|monitor| monitor.id == id);
        monitor.ok_or(unreadable()).map(Some)
    }

    async fn update(&self, ctx: &CallContext, id: &str, change: MonitorChange) -> Result<MonitorUpdated, CallError> {
        let status = if change.enabled { "enabled" } else { "disabled" };
        let form = [("frequency", theirs(change.frequency)), ("status", status.to_owned())];
        let answer = self.client.write(ctx, Method::PUT, self.client.continuous_url(Some(id), &[])?, &form).await?;
        let error = ErrorBody::read(&answer.body);
        match answer.status {
            StatusCode::OK => {
                let monitor =
                    Envelope::read(&answer)?.monitor().filter(|monitor| monitor.id == id).ok_or(unreadable())?;
                Ok(MonitorUpdated::Changed(monitor))
            }
            StatusCode::NOT_FOUND if error.is_the_services_own() => Ok(MonitorUpdated::Missing),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if error.is_the_services_own() => {
                let why = format!("The vendor answered {}.", answer.status.as_u16());
                Ok(MonitorUpdated::Refused(Reason::new("vendor_refused", why)))
            }
            status => Err(CallError::Lost { why: LostReason::Status(status.as_u16()) }),
        }
    }

    async fn runs(&self, ctx: &CallContext, id: &str) -> Result<Vec<VendorRun>, CallError> {
        let read = |page: HistoryPage| Some((page.history?, page.next));
        let pages = Pages::from(self.client.continuous_url(Some(id), &["history"])?);
        let entries: Vec<Entry> = walk(&self.client, ctx, pages, read).await?;
        let run = |entry: Entry| {
            let made_at = entry.creation_date.as_ref().and_then(Value::as_str).and_then(wire::timestamp);
            // Entries without a check are printed in the documents; they tell of no run.
            Some(VendorRun { vendor: VendorRef::order(vendor_id(entry.check_id.as_deref()?)?), made_at })
        };
        let mut runs: Vec<_> = entries.into_iter().filter_map(run).collect();
        // Their order is not documented.
        runs.sort_by(|one, other| (one.made_at, &one.vendor).cmp(&(other.made_at, &other.vendor)));
        runs.dedup_by(|one, other| one.vendor == other.vendor);
        Ok(runs)
    }
}

/// Every row of a list.
async fn walk<P: serde::de::DeserializeOwned, T>(
    client: &Client,
    ctx: &CallContext,
    mut pages: Pages,
    read: impl Fn(P) -> Option<(Vec<T>, Option<String>)> + Send,
) -> Result<Vec<T>, CallError> {
    let mut rows = Vec::new();
    let mut next = Some(pages.first().clone());
    for _ in 0..MOST_PAGES {
        let Some(url) = next else { return Ok(rows) };
        let (more, link) = read(client::ok(client.page(ctx, url).await?)?.json()?).ok_or(unreadable())?;
        rows.extend(more);
        next = pages.follow(link.as_deref()).map_err(|_| unreadable())?;
    }
    Err(CallError::Lost { why: LostReason::TooLarge })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_read_in_either_form_and_written_in_one() {
        for (text, period) in [("daily", "P1D"), ("1w", "P1W"), ("30D", "P30D"), ("2m", "P2M"), ("yearly", "P1Y")] {
            assert_eq!(ours(text).map(|frequency| frequency.to_string()).as_deref(), Some(period), "{text}");
        }
        assert_eq!(theirs("P2W".parse().expect("a frequency")), "2w");
        for text in ["", "w", "0w", "1h", "P1W"] {
            assert_eq!(ours(text), None, "{text}");
        }
    }
}
