//! What the account's owner sets up: custom types, settings, logins for databases; and how the sources are doing.
//!
//! No document says what a create of an existing type does, and an update of an unknown one is refused like any other
//! fault. So the account is looked at before, and after an answer that was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Sensitive, Timestamp};
use http::Method;
use provider::http::read_json;
use provider::{
    Administration, AdministrationFault, CallContext, CallError, CustomType, LostReason, NamesMatching, Objection,
    SettingsChange, Source, SourceHour, VendorAnswer, native_status, vendor_id,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::custom_types;
use crate::host::{Host, Payload, Wrote, read, wrote};
use crate::{Truora, countries};

const HOUR: Duration = Duration::from_hours(1);
const SHORTEST_MAX: Duration = Duration::from_mins(15);
const LONGEST_MAX: Duration = Duration::from_hours(168);

fn unreadable() -> AdministrationFault {
    AdministrationFault::NotDone(CallError::Lost { why: LostReason::Unreadable })
}

#[async_trait]
impl Administration for Truora {
    async fn sources(
        &self,
        ctx: &CallContext,
        country: &str,
        now: Timestamp,
    ) -> Result<Vec<Source>, AdministrationFault> {
        if !countries::COUNTRIES.contains(&country) {
            let detail = format!("Truora searches in {}.", countries::COUNTRIES.join(", "));
            return Err(AdministrationFault::Refused(vec![Objection::new("/country", "not_supported", detail)]));
        }
        let (at, offset) = (now.get().unix_timestamp().to_string(), last_hour_offset(now).to_string());
        // The odd case of the third is the vendor's.
        let query = [("country", country), ("unixTimestampSeconds", &at), ("unixtimezoneOffsetSeconds", &offset)];
        let url = self.checks.url(&["v1", "health"], &query).map_err(AdministrationFault::NotDone)?;
        let answer = read(self.checks.get(ctx, url).await)?;
        let databases: Vec<Database> = read_json(&answer.body).ok_or_else(unreadable)?;
        Ok(databases.into_iter().filter_map(|database| database.source(now)).collect())
    }

    async fn custom_types(&self, ctx: &CallContext) -> Result<Vec<CustomType>, AdministrationFault> {
        list(&self.checks, ctx).await
    }

    async fn create_custom_type(
        &self,
        ctx: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault> {
        must_be_right(wanted)?;
        if custom_types::find(&list(&self.checks, ctx).await?, &wanted.country, &wanted.name).is_some() {
            return Err(AdministrationFault::Exists);
        }
        match write_type(&self.checks, ctx, Method::POST, wanted).await? {
            Look::AsAsked(made) => Ok(made),
            // Somebody else made it in the same moment.
            Look::Otherwise => Err(AdministrationFault::Exists),
            Look::Absent => {
                Err(AdministrationFault::Unclear("the vendor does not show the type. It may still come; look again"))
            }
            Look::Unknown => Err(AdministrationFault::Unclear("the type could not be looked for either")),
        }
    }

    async fn replace_custom_type(
        &self,
        ctx: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault> {
        must_be_right(wanted)?;
        if custom_types::find(&list(&self.checks, ctx).await?, &wanted.country, &wanted.name).is_none() {
            return Err(AdministrationFault::NotFound);
        }
        match write_type(&self.checks, ctx, Method::PUT, wanted).await? {
            Look::AsAsked(made) => Ok(made),
            Look::Otherwise => Err(AdministrationFault::Unclear("the vendor shows other weights. Look again")),
            Look::Absent => Err(AdministrationFault::NotFound),
            Look::Unknown => Err(AdministrationFault::Unclear("the type could not be looked for either")),
        }
    }

    async fn delete_custom_type(
        &self,
        ctx: &CallContext,
        country: &str,
        name: &str,
    ) -> Result<(), AdministrationFault> {
        if custom_types::find(&list(&self.checks, ctx).await?, country, name).is_none() {
            return Err(AdministrationFault::NotFound);
        }
        let url = self.checks.url(&["v1", "config"], &[("country", country), ("type", name)]);
        let url = url.map_err(AdministrationFault::NotDone)?;
        let answer = self.checks.send(ctx, Method::DELETE, url, Payload::Nothing).await;
        if let Wrote::Done(_) = wrote(answer, custom_types::refusal)? {
            return Ok(());
        }
        match list(&self.checks, ctx).await {
            Ok(types) if custom_types::find(&types, country, name).is_none() => Ok(()),
            Ok(_) => Err(AdministrationFault::Unclear("the vendor still shows the type. Look again")),
            Err(_) => Err(AdministrationFault::Unclear("the type could not be looked for either")),
        }
    }

    async fn change_settings(&self, ctx: &CallContext, change: &SettingsChange) -> Result<(), AdministrationFault> {
        let form = settings_form(change).map_err(|objection| AdministrationFault::Refused(vec![objection]))?;
        let url = self.checks.url(&["v1", "settings"], &[]).map_err(AdministrationFault::NotDone)?;
        let answer = self.checks.send(ctx, Method::POST, url, Payload::Form(&form)).await;
        match wrote(answer, settings_refusal)? {
            Wrote::Done(_) => Ok(()),
            Wrote::Lost => {
                Err(AdministrationFault::Unclear("the vendor cannot be asked for its settings. Send them again"))
            }
        }
    }

    async fn credentials(&self, ctx: &CallContext) -> Result<Vec<String>, AdministrationFault> {
        let url = self.checks.url(&["v1", "config", "credentials"], &[]).map_err(AdministrationFault::NotDone)?;
        let answer = match read(self.checks.get(ctx, url).await) {
            Err(AdministrationFault::NotFound) => return Ok(Vec::new()),
            answer => answer?,
        };
        let body: Value = read_json(&answer.body).ok_or_else(unreadable)?;
        let mut ids = BTreeSet::new();
        database_ids(&body, &mut ids);
        Ok(ids.into_iter().collect())
    }

    async fn put_credentials(
        &self,
        ctx: &CallContext,
        database_id: &str,
        secrets: &Sensitive<BTreeMap<String, String>>,
    ) -> Result<(), AdministrationFault> {
        let url = self.credentials_url(database_id)?;
        let pairs = secrets.expose().iter().map(|(name, secret)| (name.clone(), Value::from(secret.as_str())));
        // The one call that takes JSON.
        let body = Value::Object(pairs.collect::<Map<_, _>>());
        let answer = self.checks.send(ctx, Method::POST, url, Payload::Json(&body)).await;
        // Not the vendor's own sentence: it may quote what was sent.
        let refusal = |_: &str| {
            let detail = "Truora refuses them: the database takes no credentials, or others.";
            Objection::new("/credentials", "refused_by_vendor", detail)
        };
        match wrote(answer, refusal)? {
            Wrote::Done(_) => Ok(()),
            Wrote::Lost => {
                Err(AdministrationFault::Unclear("which credentials the vendor has cannot be asked. Send them again"))
            }
        }
    }

    async fn delete_credentials(&self, ctx: &CallContext, database_id: &str) -> Result<(), AdministrationFault> {
        let url = self.credentials_url(database_id)?;
        let answer = self.checks.send(ctx, Method::DELETE, url, Payload::Nothing).await;
        let refusal = |_: &str| Objection::new("", "refused_by_vendor", "Truora refuses to delete them.");
        if let Wrote::Done(_) = wrote(answer, refusal)? {
            return Ok(());
        }
        match self.credentials(ctx).await {
            Ok(ids) if !ids.iter().any(|id| id == database_id) => Ok(()),
            Ok(_) => Err(AdministrationFault::Unclear("the vendor still shows them. Look again")),
            Err(_) => Err(AdministrationFault::Unclear("they could not be looked for either")),
        }
    }
}

impl Truora {
    fn credentials_url(&self, database_id: &str) -> Result<url::Url, AdministrationFault> {
        let id = vendor_id(database_id).ok_or(AdministrationFault::NotFound)?;
        self.checks.url(&["v1", "config", "credentials", &id], &[]).map_err(|_| AdministrationFault::NotFound)
    }
}

/// The offset of the time zone in which it is the day's last hour. Whether the 24 hours of an answer are the asked day's
/// or the last ones is not documented; in that zone they are the same.
fn last_hour_offset(now: Timestamp) -> i64 {
    let hour = i64::from(now.get().hour());
    let ahead = 23 - hour;
    // Zones reach from 12 hours behind to 14 ahead.
    3_600 * if ahead > 14 { ahead - 24 } else { ahead }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Database {
    #[serde(rename = "database_id")]
    id: Option<String>,
    #[serde(rename = "database_name")]
    name: Option<String>,
    data_sets: Option<Vec<String>>,
    hourly_status: Option<Vec<String>>,
}

impl Database {
    fn source(self, now: Timestamp) -> Option<Source> {
        let id = vendor_id(self.id.as_deref()?)?;
        let into_hour = now.get().unix_timestamp().rem_euclid(3_600).unsigned_abs();
        let last = now - Duration::from_secs(into_hour) - Duration::from_nanos(now.get().nanosecond().into());
        let states = self.hourly_status.unwrap_or_default();
        let count = states.len();
        let hour = |(index, status): (usize, String)| {
            let back = u32::try_from(count - 1 - index).unwrap_or(u32::MAX);
            SourceHour { at: last - HOUR.saturating_mul(back), status: native_status(&status) }
        };
        Some(Source {
            id,
            name: self.name.unwrap_or_default(),
            datasets: self.data_sets.unwrap_or_default(),
            hours: states.into_iter().enumerate().map(hour).collect(),
        })
    }
}

fn must_be_right(wanted: &CustomType) -> Result<(), AdministrationFault> {
    let objections = custom_types::objections(wanted);
    if objections.is_empty() { Ok(()) } else { Err(AdministrationFault::Refused(objections)) }
}

async fn list(host: &Host, ctx: &CallContext) -> Result<Vec<CustomType>, AdministrationFault> {
    let url = host.url(&["v1", "config"], &[]).map_err(AdministrationFault::NotDone)?;
    match read(host.get(ctx, url).await) {
        Ok(answer) => custom_types::read(&answer.body).ok_or_else(unreadable),
        Err(AdministrationFault::NotFound) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// How a type stands at the vendor after a call that should have written it.
enum Look {
    AsAsked(CustomType),
    Otherwise,
    Absent,
    Unknown,
}

async fn write_type(
    host: &Host,
    ctx: &CallContext,
    method: Method,
    wanted: &CustomType,
) -> Result<Look, AdministrationFault> {
    let url = host.url(&["v1", "config"], &[]).map_err(AdministrationFault::NotDone)?;
    let answer = host.send(ctx, method, url, Payload::Form(&custom_types::form(wanted))).await;
    if let Wrote::Done(answer) = wrote(answer, custom_types::refusal)?
        && let Some(look @ Look::AsAsked(_)) = look(&answer, wanted)
    {
        return Ok(look);
    }
    // The answer was lost, or does not show what was asked.
    Ok(match list(host, ctx).await {
        Ok(types) => judge(&types, wanted),
        Err(_) => Look::Unknown,
    })
}

fn look(answer: &VendorAnswer, wanted: &CustomType) -> Option<Look> {
    custom_types::read(&answer.body).map(|types| judge(&types, wanted))
}

fn judge(types: &[CustomType], wanted: &CustomType) -> Look {
    match custom_types::find(types, &wanted.country, &wanted.name) {
        Some(has) if custom_types::is_as_asked(has, wanted) => Look::AsAsked(has.clone()),
        Some(_) => Look::Otherwise,
        None => Look::Absent,
    }
}

fn settings_form(change: &SettingsChange) -> Result<Vec<(String, String)>, Objection> {
    let mut form = Vec::new();
    let mut put = |name: &str, value: String| form.push((name.to_owned(), value));
    if let Some(matching) = change.names_matching {
        let word = match matching {
            NamesMatching::Soft => "soft",
            NamesMatching::Exact => "exact",
        };
        put("names_matching_type", word.to_owned());
    }
    if let Some(retries) = change.retries {
        put("retries", retries.to_string());
    }
    if let Some(longest) = change.max_duration {
        let minutes = longest.as_secs() / 60;
        if !(SHORTEST_MAX..=LONGEST_MAX).contains(&longest) || Duration::from_mins(minutes) != longest {
            let detail = "Expected whole minutes or hours from 15m to 168h, such as 48h.";
            return Err(Objection::new("/max_duration", "invalid", detail));
        }
        put("max_duration", if minutes % 60 == 0 { format!("{}h", minutes / 60) } else { format!("{minutes}m") });
    }
    if form.is_empty() {
        return Err(Objection::new("", "required", "Name at least one setting to change."));
    }
    Ok(form)
}

fn settings_refusal(said: &str) -> Objection {
    let fields = [("names_matching", "/names_matching"), ("retries", "/retries"), ("duration", "/max_duration")];
    let pointer = fields.iter().find(|(word, _)| said.contains(word)).map_or("", |(_, pointer)| pointer);
    Objection::new(
        pointer,
        "refused_by_vendor",
        "Truora refuses it. Its words stay with it: compare with its documents or its dashboard.",
    )
}

/// Every database that the list of credentials names, in whatever form: it is not documented. Nothing else is read of it.
fn database_ids(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| database_ids(item, ids)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "database_id" {
                    ids.extend(value.as_str().and_then(vendor_id));
                } else if name.starts_with("DBI") {
                    ids.extend(vendor_id(name));
                } else {
                    database_ids(value, ids);
                }
            }
        }
        Value::String(text) if text.starts_with("DBI") => ids.extend(vendor_id(text)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_time_zone_is_one_in_which_the_day_ends_with_this_hour() {
        for hour in 0..24 {
            let now = Timestamp::EPOCH + Duration::from_secs(1_790_000_000 / 86_400 * 86_400 + hour * 3_600 + 59);
            let offset = last_hour_offset(now);
            assert!((-12 * 3_600..=14 * 3_600).contains(&offset), "{hour}: {offset}");
            assert_eq!((now.get().unix_timestamp() + offset).rem_euclid(86_400) / 3_600, 23);
        }
    }

    #[test]
    fn hours_count_back_from_the_present_one() {
        let now: Timestamp = "2026-11-21T09:16:03.5Z".parse().expect("a time");
        let states = vec!["operational".to_owned(); 24];
        let database = Database { id: Some("DBI1".to_owned()), hourly_status: Some(states), ..Database::default() };
        let hours = database.source(now).expect("a source").hours;
        let at = |hour: &SourceHour| hour.at.to_string();
        assert_eq!(hours.first().map(at).as_deref(), Some("2026-11-20T10:00:00Z"));
        assert_eq!(hours.last().map(at).as_deref(), Some("2026-11-21T09:00:00Z"));
        assert!(Database::default().source(now).is_none(), "nobody could name it");
    }

    #[test]
    fn settings_are_written_as_the_vendor_reads_them() {
        let form = |max: Duration| {
            let change = SettingsChange {
                names_matching: Some(NamesMatching::Exact),
                retries: Some(false),
                max_duration: Some(max),
            };
            let form = settings_form(&change).map_err(|objection| objection.pointer)?;
            Ok::<_, String>(
                form.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
            )
        };
        let written = |max: &str| Ok(format!("names_matching_type=exact&retries=false&max_duration={max}"));
        assert_eq!(form(Duration::from_hours(48)), written("48h"));
        assert_eq!(form(Duration::from_mins(90)), written("90m"));
        for bad in [Duration::from_mins(14), Duration::from_hours(169), Duration::from_secs(3_601)] {
            assert_eq!(form(bad), Err("/max_duration".to_owned()));
        }
        assert_eq!(settings_form(&SettingsChange::default()).map_err(|objection| objection.code), Err("required"));
    }

    #[test]
    fn databases_are_found_whatever_form_the_list_has() {
        for list in [
            json!({ "credentials": [{ "database_id": "DBI1", "username": "DBA" }, { "database_id": "DBI2" }] }),
            json!([{ "database_id": "DBI2" }, { "database_id": "DBI1", "secrets": ["x"] }]),
            json!({ "DBI1": { "password": "DBIsecret" }, "DBI2": {} }),
            json!({ "databases": ["DBI1", "DBI2"] }),
        ] {
            let mut ids = BTreeSet::new();
            database_ids(&list, &mut ids);
            assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["DBI1", "DBI2"], "{list}");
        }
    }
}
