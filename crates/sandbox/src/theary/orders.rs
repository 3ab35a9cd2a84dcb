//! What the vendor holds: orders and their searches, and how they move on by themselves.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::habits::Habits;
use crate::books::BookEntry;
use crate::clock::{SimClock, rfc3339};

/// How a search will end: by the last four digits of the applicant's SSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Completed {
        outcome: &'static str,
        discrepancy: bool,
    },
    /// Handed to a person for good.
    Reassigned,
    /// Handed to a person, then verified after as long again.
    ReassignedThenVerified,
    Cancelled,
    OrderFailed,
    Never,
}

impl Fate {
    /// By the last four digits of the record's employer or institution, where they mean something, else by the SSN's.
    fn of(ssn: &str, record: &Value) -> Self {
        let name = record["employerName"].as_str().or_else(|| record["institutionName"].as_str()).unwrap_or_default();
        let verified = Self::Completed { outcome: "VERIFIED", discrepancy: false };
        Self::named(name).or_else(|| Self::named(ssn)).unwrap_or(verified)
    }

    fn named(text: &str) -> Option<Self> {
        let completed = |outcome| Self::Completed { outcome, discrepancy: false };
        Some(match text.get(text.len().saturating_sub(4)..).unwrap_or_default() {
            "0002" => Self::Completed { outcome: "VERIFIED", discrepancy: true },
            "0003" => completed("NO_RECORD"),
            "0004" => completed("WRONG_ORG"),
            "0005" => completed("UNABLE_TO_VERIFY"),
            "0006" => Self::Reassigned,
            "0007" => Self::Cancelled,
            "0008" => Self::OrderFailed,
            "0009" => Self::Never,
            "0010" => completed("THIRD_PARTY"),
            "0011" => Self::ReassignedThenVerified,
            _ => return None,
        })
    }
}

/// An SSN that makes the create itself throw, after the shape of the request was found good.
pub fn throws(order: &Value) -> bool {
    order["applicant"]["ssn"].as_str().is_some_and(|ssn| ssn.ends_with("0098"))
}

/// What happened to a search, for its hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A `verification.notification` of this type.
    Note(&'static str),
    ActionRequired,
    Completed,
    /// `verification.completed` of a search that a delete ended.
    Canceled,
}

/// What is told of the work after the contact plan; the first one by default, all of them on demand.
const NOTES_ON_THE_WAY: &[&str] = &[
    "OUTBOUND_ATTEMPT",
    "INBOUND_MESSAGE",
    "INBOUND_RECEIVED_DETAIL",
    "THIRD_PARTY_RECORD",
    "ADDITIONAL_RESEARCH_NOTE",
    "AGENT_INTERVENTION",
];

pub struct Search {
    pub id: String,
    pub reference: Option<String>,
    pub kind: String,
    pub record: Value,
    pub config: Value,
    pub status: &'static str,
    pub updated_at: OffsetDateTime,
    pub completed_at: Option<OffsetDateTime>,
    pub outcome: Option<(&'static str, bool)>,
    pub verification_id: String,
    result_id: String,
    told: Vec<Happening>,
    fate: Fate,
    /// Its place among the order's searches, by which each is shown and ends later than the one before.
    place: u32,
}

pub struct Order {
    pub id: String,
    pub tenant: String,
    /// The body it was made from.
    pub body: Value,
    pub searches: Vec<Search>,
    pub status: &'static str,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub completed_at: Option<OffsetDateTime>,
    pub deleted: bool,
    pub canceled: bool,
    pub stranger: bool,
    /// A place in a list without an order.
    pub shuffle: u128,
    quiet: Option<Quiet>,
}

/// Until then nothing happens to an order by itself, as long as the habits are these.
struct Quiet {
    start_after_ms: u64,
    complete_after_ms: u64,
    complete_apart_ms: u64,
    until: OffsetDateTime,
}

impl Quiet {
    fn holds(&self, now: OffsetDateTime, habits: &Habits) -> bool {
        let same = self.start_after_ms == habits.start_after_ms
            && self.complete_after_ms == habits.complete_after_ms
            && self.complete_apart_ms == habits.complete_apart_ms;
        same && now < self.until
    }
}

fn new_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

pub fn new_id(prefix: &str, habits: &Habits) -> String {
    if habits.bare_ids { new_uuid().to_string() } else { format!("{prefix}_{}", new_uuid()) }
}

impl Order {
    /// Makes an order of a body that was found good.
    pub fn new(body: &Value, tenant: &str, habits: &Habits, now: OffsetDateTime, stranger: bool) -> Self {
        Self {
            id: new_id("ord", habits),
            tenant: tenant.to_owned(),
            searches: searches(body, habits, now),
            body: body.clone(),
            status: "pending",
            created_at: now,
            updated_at: now,
            completed_at: None,
            deleted: false,
            canceled: false,
            stranger,
            shuffle: rand::random(),
            quiet: None,
        }
    }

    /// Lets the time that went by take effect. Gives what happened, by search.
    pub fn progress(&mut self, clock: &SimClock, now: OffsetDateTime, habits: &Habits) -> Vec<(usize, Happening)> {
        let mut happened = Vec::new();
        if self.has_ended() || self.quiet.as_ref().is_some_and(|quiet| quiet.holds(now, habits)) {
            return happened;
        }
        let worked = clock.worked(self.created_at, now);
        let (start, end) =
            (Duration::from_millis(habits.start_after_ms), Duration::from_millis(habits.complete_after_ms));
        let half_way = start + end.saturating_sub(start) / 2;
        let apart = Duration::from_millis(habits.complete_apart_ms);
        let ends = self.searches.iter().map(|search| end + apart * search.place);
        let steps = ends.flat_map(|end| [end, end * 2]).chain([start, half_way]);
        let next = steps.filter(|step| *step > worked).min();
        self.quiet = next.and_then(|step| clock.when_worked(self.created_at, step)).map(|until| Quiet {
            start_after_ms: habits.start_after_ms,
            complete_after_ms: habits.complete_after_ms,
            complete_apart_ms: habits.complete_apart_ms,
            until,
        });
        if worked < start {
            return happened;
        }
        if self.status == "pending" {
            self.status = "in_progress";
            self.updated_at = now;
        }
        for (at, search) in self.searches.iter_mut().enumerate() {
            let mut tell = |search: &mut Search, what: Happening| {
                if !search.told.contains(&what) {
                    search.told.push(what);
                    happened.push((at, what));
                }
            };
            if !matches!(search.status, "IN_PROGRESS" | "REASSIGNED") {
                continue;
            }
            let end = end + apart * search.place;
            tell(search, Happening::Note("CONTACT_PLAN"));
            if worked >= half_way {
                let notes = if habits.all_notifications { NOTES_ON_THE_WAY } else { &NOTES_ON_THE_WAY[..1] };
                for note in notes {
                    tell(search, Happening::Note(note));
                }
            }
            if worked < end {
                continue;
            }
            match search.fate {
                Fate::Completed { outcome, discrepancy } => {
                    search.end("COMPLETED", Some((outcome, discrepancy)), now);
                    tell(search, Happening::Completed);
                }
                Fate::ReassignedThenVerified if worked >= end * 2 => {
                    search.end("COMPLETED", Some(("VERIFIED", false)), now);
                    tell(search, Happening::Completed);
                }
                Fate::Reassigned | Fate::ReassignedThenVerified => {
                    if search.status == "IN_PROGRESS" && !habits.action_keeps_status {
                        search.status = "REASSIGNED";
                        search.updated_at = now;
                    }
                    tell(search, Happening::ActionRequired);
                }
                Fate::Cancelled => search.end("CANCELLED", None, now),
                Fate::OrderFailed => {
                    self.status = "failed";
                    self.updated_at = now;
                }
                Fate::Never => {}
            }
        }
        if self.status != "failed" && self.searches.iter().all(|search| search.completed_at.is_some()) {
            let none_ended_well = self.searches.iter().all(|search| search.status == "CANCELLED");
            self.status = if none_ended_well { "cancelled" } else { "completed" };
            self.updated_at = now;
            self.completed_at = Some(now);
        }
        happened
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.status, "completed" | "cancelled" | "failed")
    }

    /// Cancels what is open and leaves what is finished. Gives the number of searches that it changed.
    pub fn delete(&mut self, now: OffsetDateTime) -> usize {
        let open = self.searches.iter_mut().filter(|search| search.completed_at.is_none());
        let affected = open.map(|search| search.end("CANCELLED", None, now)).count();
        self.deleted = true;
        if affected > 0 {
            self.canceled = true;
            self.status = "cancelled";
            self.updated_at = now;
        }
        affected
    }

    pub fn book_entry(&self) -> BookEntry {
        BookEntry {
            id: self.id.clone(),
            // Without the prefix that some answers show and others do not.
            parts: self.searches.iter().map(|search| bare(&search.id).to_owned()).collect(),
            references: self.searches.iter().filter_map(|search| search.reference.clone()).collect(),
            state: self.status.to_owned(),
            created_at: rfc3339(self.created_at),
            canceled: self.canceled,
            stranger: self.stranger,
        }
    }

    /// A row of the list: no reference, no searches, no SSN.
    pub fn as_row(&self) -> Value {
        let applicant = &self.body["applicant"];
        json!({
            "id": self.id,
            "status": self.status,
            "applicant": {"firstName": applicant["firstName"], "lastName": applicant["lastName"]},
            "entityName": self.body["businessContext"]["entityName"],
            "jobTitle": self.body["businessContext"]["appliedJobTitle"],
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(self.updated_at),
        })
    }

    pub fn as_order(&self) -> Value {
        let mut order = self.as_row();
        order["applicant"] = self.applicant();
        let record = self.searches.first().map_or(Value::Null, |search| search.record.clone());
        order["employmentDates"] = json!({"startDate": record["startDate"], "endDate": record["endDate"]});
        let types =
            self.searches.iter().map(|search| json!({"searchType": search.kind, "searchTitle": search.title()}));
        order["searchTypes"] = types.collect();
        order["completedAt"] = self.completed_at.map(rfc3339).into();
        order
    }

    /// The applicant as every answer shows them: with the SSN masked.
    fn applicant(&self) -> Value {
        let applicant = &self.body["applicant"];
        let ssn = applicant["ssn"].as_str().unwrap_or_default();
        let masked = format!("***-**-{}", ssn.get(ssn.len().saturating_sub(4)..).unwrap_or_default());
        json!({
            "firstName": applicant["firstName"], "lastName": applicant["lastName"], "ssn": masked,
            "email": applicant["email"], "phone": applicant["phone"],
        })
    }

    /// Those that are shown already.
    pub fn as_searches(&self, habits: &Habits, now: OffsetDateTime) -> Vec<Value> {
        let lag = |search: &Search| {
            Duration::from_millis(habits.searches_lag_ms)
                + Duration::from_millis(habits.searches_apart_ms) * search.place
        };
        let is_shown = |search: &&Search| self.created_at + lag(search) <= now;
        self.searches.iter().filter(is_shown).map(|search| self.as_search(search, habits)).collect()
    }

    pub fn as_search(&self, search: &Search, habits: &Habits) -> Value {
        let record = &search.record;
        let entity = if search.kind == "EDUCATION" { &record["institutionName"] } else { &record["employerName"] };
        let end = if search.kind == "EDUCATION" { &record["graduationDate"] } else { &record["endDate"] };
        let mut results: Vec<Value> = search
            .outcome
            .map(|(outcome, _)| {
                json!({
                    "id": search.result_id, "outcome": outcome, "resultDetails": "See the closing report.",
                    "submittedAt": search.completed_at.map(rfc3339),
                })
            })
            .into_iter()
            .collect();
        let result = if habits.results_swapped { results.pop().into() } else { json!(results) };
        json!({
            "id": search.shown_id(habits),
            "orderId": self.id,
            "applicantId": format!("applicant-{}", self.id),
            "externalSearchId": search.shown_reference(habits),
            "searchType": search.kind,
            "searchStatus": search.status,
            "searchTitle": search.title(),
            "entityName": entity,
            "entityLocation": record["employerLocation"],
            "startDate": record["startDate"],
            "endDate": end,
            "additionalComments": null,
            "completedAt": search.completed_at.map(rfc3339),
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(search.updated_at),
            "applicant": self.applicant(),
            "verificationResult": result,
        })
    }
}

/// A search's id without its prefix.
pub fn bare(id: &str) -> &str {
    id.strip_prefix("search_").unwrap_or(id)
}

impl Search {
    /// As GETs and hooks show it; the create's answer shows it as it is.
    pub fn shown_id(&self, habits: &Habits) -> &str {
        if habits.bare_search_ids { bare(&self.id) } else { &self.id }
    }

    pub fn shown_reference(&self, habits: &Habits) -> Option<&str> {
        self.reference.as_deref().filter(|_| !habits.drop_external_ids)
    }

    fn title(&self) -> &'static str {
        if self.kind == "EDUCATION" { "Education Verification" } else { "Employment Verification" }
    }

    fn end(&mut self, status: &'static str, outcome: Option<(&'static str, bool)>, now: OffsetDateTime) {
        self.status = status;
        self.outcome = outcome;
        self.updated_at = now;
        self.completed_at = Some(now);
    }

    /// The result as a hook tells it: one object, with everything in it.
    pub fn full_result(&self) -> Value {
        let (outcome, discrepancy) = self.outcome.unwrap_or(("UNABLE_TO_VERIFY", false));
        let record = &self.record;
        let found = outcome == "VERIFIED";
        let verified = |value: &Value| if found { value.clone() } else { Value::Null };
        let mut result = json!({
            "id": self.result_id, "outcome": outcome, "discrepancy": discrepancy,
            "comments": if discrepancy { "Not all facts agree." } else { "Closed." },
        });
        if self.kind == "EDUCATION" {
            let degree = if discrepancy { json!("No degree") } else { verified(&record["qualification"]) };
            result["educationVerification"] = json!({
                "providedInstitutionName": record["institutionName"], "providedQualification": record["qualification"],
                "providedFieldOfStudy": record["fieldOfStudy"], "providedGraduationDate": record["graduationDate"],
                "verifiedInstitutionName": verified(&record["institutionName"]), "verifiedQualification": degree,
                "verifiedFieldOfStudy": verified(&record["fieldOfStudy"]),
                "verifiedGraduationDate": verified(&record["graduationDate"]),
            });
        } else {
            let title = if discrepancy { json!("Intern") } else { verified(&record["position"]) };
            result["employmentVerification"] = json!({
                "providedCompanyName": record["employerName"], "providedPosition": record["position"],
                "providedStartDate": record["startDate"], "providedEndDate": record["endDate"],
                "verifiedCompanyName": verified(&record["employerName"]), "verifiedPosition": title,
                "verifiedStartDate": verified(&record["startDate"]), "verifiedEndDate": verified(&record["endDate"]),
                "verifiedRehire": verified(&json!("Yes")), "verifierFirstName": "Vera", "verifierLastName": "Fier",
                "verifierPosition": "HR",
            });
        }
        result
    }
}

/// How many searches a body makes.
pub fn count(body: &Value) -> usize {
    body["searchTypes"].as_array().map_or(0, Vec::len)
}

/// One search per entry of `searchTypes`, paired by index with the records of its type.
fn searches(body: &Value, habits: &Habits, now: OffsetDateTime) -> Vec<Search> {
    let mut used = [0_usize; 2];
    let mut searches = Vec::new();
    for entry in body["searchTypes"].as_array().into_iter().flatten() {
        let kind = entry["searchType"].as_str().unwrap_or_default();
        let education = kind == "EDUCATION";
        let records = body["history"][if education { "education" } else { "employment" }].as_array();
        let records: Vec<Value> = records.cloned().unwrap_or_default();
        let own: Vec<Value> = if habits.search_per_record {
            records
        } else {
            let at = &mut used[usize::from(education)];
            *at += 1;
            vec![records.get(*at - 1).cloned().unwrap_or_default()]
        };
        // A search's own config replaces the order's default wholly, even an empty one.
        let config = entry.get("searchConfig").or_else(|| body.get("defaultSearchConfig")).cloned().unwrap_or_default();
        let ssn = body["applicant"]["ssn"].as_str().unwrap_or_default();
        let first = searches.len();
        searches.extend(own.into_iter().enumerate().map(|(at, record)| Search {
            fate: Fate::of(ssn, &record),
            place: u32::try_from(first + at).unwrap_or(u32::MAX),
            id: new_id("search", habits),
            reference: entry["externalSearchId"].as_str().map(str::to_owned),
            kind: kind.to_owned(),
            record,
            config: config.clone(),
            status: "IN_PROGRESS",
            updated_at: now,
            completed_at: None,
            outcome: None,
            verification_id: new_uuid().to_string(),
            result_id: new_uuid().to_string(),
            told: Vec::new(),
        }));
    }
    searches
}
