//! What the subject claimed, held against what the vendor found. Pure.
//!
//! The vendor reports and compares nothing, so this is where `clear` and `consider` come from. Names are compared with
//! tolerance, dates to a month. What was not claimed is not compared; what was claimed and not reported is never clear.

use std::collections::BTreeSet;

use domain::result::{Discrepancy, Employment, Facts};
use domain::{CheckInput, Date, Outcome, Reason, Verdict, VerificationResult};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::found::Found;
use crate::request::Asked;

/// How far a reported day may be from the claimed one. People remember months, payrolls keep days.
const DAYS: i64 = 31;

/// How alike two employer names must be to be the same but for spelling.
const ALIKE: f64 = 0.88;

pub struct Claim<'a> {
    employer: Option<&'a str>,
    title: Option<&'a str>,
    start: Option<Date>,
    end: Option<Date>,
}

impl<'a> Claim<'a> {
    /// `None` for products that the vendor does not have.
    pub fn of(check: &'a CheckInput) -> Option<Self> {
        let asked = Asked::of(check)?;
        Some(Self {
            employer: asked.employer.map(|employer| employer.name.as_str()),
            title: asked.title,
            start: asked.start_date,
            end: asked.end_date,
        })
    }

    pub fn facts(&self) -> Facts {
        Facts {
            employer: self.employer.map(str::to_owned),
            title: self.title.map(str::to_owned),
            start_date: self.start.map(|date| date.to_string()),
            end_date: self.end.map(|date| date.to_string()),
            ..Facts::default()
        }
    }
}

pub struct Judged {
    pub outcome: Outcome,
    pub result: VerificationResult,
    pub reason: Option<Reason>,
}

impl Judged {
    /// Takes the outcome down and says why, unless something worse was said already.
    pub fn worsen(&mut self, outcome: Outcome, code: &str, message: &str) {
        if self.outcome != Outcome::Consider {
            self.outcome = outcome;
            self.reason = Some(Reason::new(code, message));
        }
    }
}

/// Chooses the employment that was meant, and says what agrees and what does not. The others are `further`.
pub fn judge(claim: Option<&Claim>, found: Vec<Found>) -> Judged {
    let claimed = claim.map(Claim::facts);
    let nothing = |outcome, code, message| Judged {
        outcome,
        result: VerificationResult {
            verdict: Some(Verdict::NoRecord),
            claimed: claimed.clone(),
            ..VerificationResult::default()
        },
        reason: Some(Reason::new(code, message)),
    };
    if found.is_empty() {
        return nothing(Outcome::Unresolved, "no_report", "Truework completed it without any report.");
    }
    if found.iter().all(|employment| employment.never_employed) {
        let mut judged = nothing(Outcome::Consider, "non_employee", "The source has no record of the person there.");
        let source = found.into_iter().next().unwrap_or_default();
        judged.result.verified = Some(source.facts);
        judged.result.respondent = source.respondent;
        judged.result.comments = source.comments;
        judged.result.as_of = source.as_of;
        judged.result.details = source.details;
        return judged;
    }
    let mut real: Vec<Found> = found.into_iter().filter(|employment| !employment.never_employed).collect();
    // The newest first; a stable sort keeps the vendor's order (active before ended) within a day.
    real.sort_by(|a, b| b.facts.start_date.cmp(&a.facts.start_date));
    let no_claim = Claim { employer: None, title: None, start: None, end: None };
    let comparisons = real.iter().map(|employment| Comparison::of(claim.unwrap_or(&no_claim), employment));
    let Some((place, comparison)) = comparisons.enumerate().min_by_key(|(place, comparison)| comparison.rank(*place))
    else {
        return nothing(Outcome::Unresolved, "no_report", "Truework completed it without any report.");
    };
    let mut meant = real.remove(place);
    show_what_agrees(claim.unwrap_or(&no_claim), &mut meant);
    let disputed = meant.disputed;
    let (verdict, outcome, reason) =
        if claim.is_some() { comparison.verdict() } else { (None, Outcome::Unresolved, Some(not_compared())) };
    let mut judged = Judged {
        outcome,
        reason,
        result: VerificationResult {
            verdict,
            claimed,
            discrepancies: comparison.differs,
            verified: Some(meant.facts),
            income: meant.income,
            further: real
                .into_iter()
                .map(|other| Employment { facts: other.facts, income: other.income, details: other.details })
                .collect(),
            respondent: meant.respondent,
            comments: meant.comments,
            as_of: meant.as_of,
            details: meant.details,
            ..VerificationResult::default()
        },
    };
    if disputed && claim.is_some() {
        judged.worsen(Outcome::Consider, "disputed", "The report is disputed, and the dispute is open.");
    }
    judged
}

/// Of several days and titles, the result shows those that the claim agrees with.
fn show_what_agrees(claim: &Claim, meant: &mut Found) {
    if let Some(day) = claim.start.and_then(|claimed| meant.starts.iter().find(|day| near(claimed, day))) {
        meant.facts.start_date = Some(day.clone());
    }
    if let Some(title) = claim.title.and_then(|claimed| meant.titles.iter().find(|title| same_title(claimed, title))) {
        meant.facts.title = Some(title.clone());
    }
}

fn not_compared() -> Reason {
    Reason::new("not_compared", "The report was not held against what the subject claimed.")
}

/// One employment beside the claim.
#[derive(Default)]
struct Comparison {
    /// 0: the employer's name is the claimed one; 1: but for spelling; 2: another's.
    employer_distance: u8,
    agrees: Vec<&'static str>,
    differs: Vec<Discrepancy>,
    not_reported: Vec<&'static str>,
}

impl Comparison {
    fn of(claim: &Claim, employment: &Found) -> Self {
        let mut comparison = Self::default();
        let facts = &employment.facts;
        if let Some(claimed) = claim.employer {
            let reported: Vec<&str> = facts.employer.as_deref().into_iter().collect();
            comparison.employer_distance = reported.iter().map(|name| distance(claimed, name)).min().unwrap_or(1);
            comparison.field("employer", claimed, &reported, |name| distance(claimed, name) < 2);
        }
        if let Some(claimed) = claim.title {
            let reported: Vec<&str> = employment.titles.iter().map(String::as_str).collect();
            comparison.field("title", claimed, &reported, |title| same_title(claimed, title));
        }
        if let Some(claimed) = claim.start {
            let reported: Vec<&str> = employment.starts.iter().map(String::as_str).collect();
            comparison.field("start_date", &claimed.to_string(), &reported, |day| near(claimed, day));
        }
        if let Some(claimed) = claim.end {
            let reported: Vec<&str> = facts.end_date.as_deref().into_iter().collect();
            let still_there =
                reported.is_empty() && facts.employment_status.as_deref().is_some_and(|s| s.starts_with("active"));
            if still_there {
                comparison.differ("end_date", &claimed.to_string(), None);
            } else {
                comparison.field("end_date", &claimed.to_string(), &reported, |day| near(claimed, day));
            }
        }
        comparison
    }

    fn field(&mut self, name: &'static str, claimed: &str, reported: &[&str], agrees: impl Fn(&str) -> bool) {
        match reported {
            [] => self.not_reported.push(name),
            _ if reported.iter().any(|value| agrees(value)) => self.agrees.push(name),
            [first, ..] => self.differ(name, claimed, Some(first)),
        }
    }

    fn differ(&mut self, name: &str, claimed: &str, reported: Option<&str>) {
        self.differs.push(Discrepancy {
            field: name.to_owned(),
            claimed: Some(claimed.to_owned()),
            verified: reported.map(str::to_owned),
        });
    }

    /// The lower, the likelier the employment is the one that was meant.
    fn rank(&self, place: usize) -> (u8, usize, usize, usize) {
        (self.employer_distance, self.differs.len(), self.not_reported.len(), place)
    }

    fn verdict(&self) -> (Option<Verdict>, Outcome, Option<Reason>) {
        if !self.differs.is_empty() {
            let fields: Vec<&str> = self.differs.iter().map(|differs| differs.field.as_str()).collect();
            let message = format!("Claimed and reported differ in: {}.", fields.join(", "));
            return (Some(Verdict::Discrepancy), Outcome::Consider, Some(Reason::new("discrepancy", message)));
        }
        if !self.not_reported.is_empty() {
            let message = format!("Claimed, but not reported: {}.", self.not_reported.join(", "));
            let verdict = if self.agrees.is_empty() { Verdict::UnableToVerify } else { Verdict::Verified };
            return (Some(verdict), Outcome::Unresolved, Some(Reason::new("not_reported", message)));
        }
        (Some(Verdict::Verified), Outcome::Clear, None)
    }
}

/// Words that say what form a company has, not which one it is.
const LEGAL_FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "llc",
    "llp",
    "lp",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "plc",
    "the",
];

fn distance(claimed: &str, reported: &str) -> u8 {
    let (ours, theirs) = (company_words(claimed), company_words(reported));
    let (joined_ours, joined_theirs) = (ours.concat(), theirs.concat());
    if joined_ours == joined_theirs {
        return 0;
    }
    // `Acme` and `Acme Holdings`; the shorter name has to be whole.
    let begins = !ours.is_empty() && !theirs.is_empty() && (ours.starts_with(&theirs) || theirs.starts_with(&ours));
    if begins || strsim::normalized_levenshtein(&joined_ours, &joined_theirs) >= ALIKE { 1 } else { 2 }
}

fn company_words(name: &str) -> Vec<String> {
    let all = words(name);
    let telling: Vec<String> = all.iter().filter(|word| !LEGAL_FORMS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// The short forms of titles that mean the same as the long ones.
const TITLE_WORDS: &[(&str, &str)] = &[
    ("sr", "senior"),
    ("jr", "junior"),
    ("mgr", "manager"),
    ("eng", "engineer"),
    ("engr", "engineer"),
    ("dev", "developer"),
    ("dir", "director"),
    ("asst", "assistant"),
    ("assoc", "associate"),
    ("exec", "executive"),
    ("rep", "representative"),
    ("admin", "administrator"),
    ("vp", "vicepresident"),
];

/// The same words in any order. Fewer or more words are another title: a claimed `Senior` matters.
fn same_title(claimed: &str, reported: &str) -> bool {
    title_words(claimed) == title_words(reported)
}

fn title_words(title: &str) -> BTreeSet<String> {
    let joined = words(title).join(" ").replace("vice president", "vicepresident");
    let long = |word: &str| {
        let known = TITLE_WORDS.iter().find(|(short, _)| *short == word);
        known.map_or(word, |(_, long)| long).to_owned()
    };
    joined.split(' ').filter(|word| !matches!(*word, "of" | "the" | "and")).map(long).collect()
}

/// Lower-case letters and digits without accents; `&` is `and`, apostrophes and dots join.
fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’' | '.'))
        .flat_map(char::to_lowercase)
        .collect();
    let split = plain.replace('&', " and ");
    split.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Within a month. A source that gives only year and month means any day of it.
fn near(claimed: Date, reported: &str) -> bool {
    let day: Option<Date> = reported.parse().ok().or_else(|| format!("{reported}-01").parse().ok());
    day.is_some_and(|day| (day.get() - claimed.get()).whole_days().abs() <= DAYS)
}

#[cfg(test)]
mod tests;
