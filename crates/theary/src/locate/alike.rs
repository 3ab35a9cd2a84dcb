//! Orders without any reference that agree with a sought check in all that can be seen: evidence for a person.

use std::collections::HashMap;
use std::slice;

use domain::{CheckSpec, Date, Reference};
use provider::Sought;

use super::LookAlike;
use crate::listing::Row;
use crate::wire;

/// So many look-alikes of one check are kept. A person needs a few to see that something is odd, and in an account that
/// gives no references back every order of one applicant is like every check on them.
const MOST_OF_ONE_CHECK: usize = 20;

/// What the sought checks say of themselves, by the applicant's name.
pub struct Claims {
    all: Vec<Claim>,
    by_name: HashMap<Name, Vec<usize>>,
    /// Those without a whole name: they can be like anybody's.
    unnamed: Vec<usize>,
}

type Name = (String, String);

/// A sought check as it could be shown by the vendor, made plain for comparing.
struct Claim {
    reference: Reference,
    first_name: Option<String>,
    last_name: Option<String>,
    search_type: String,
    /// No page says whether a search's entity is the one asked about or the hiring one.
    entities: Vec<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    /// How many look-alikes of it were kept.
    kept: usize,
}

/// A search without a reference, made plain for comparing. What the vendor does not show cannot differ.
struct Shown {
    first_name: Option<String>,
    last_name: Option<String>,
    search_type: Option<String>,
    entity: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
}

impl Claims {
    pub fn of(sought: &[Sought]) -> Self {
        let mut claims = Self { all: Vec::new(), by_name: HashMap::new(), unnamed: Vec::new() };
        for claim in sought.iter().filter_map(Claim::of) {
            let at = claims.all.len();
            match claim.first_name.clone().zip(claim.last_name.clone()) {
                Some(name) => claims.by_name.entry(name).or_default().push(at),
                None => claims.unnamed.push(at),
            }
            claims.all.push(claim);
        }
        claims
    }

    /// Whether a sought check is about somebody of that name.
    pub fn know_name_of(&self, row: &Row) -> bool {
        let name = row.first_name.as_deref().zip(row.last_name.as_deref());
        name.is_some_and(|(first, last)| self.by_name.contains_key(&(plain(first), plain(last))))
    }

    /// Whether the order is like any sought check. Keeps what it is like.
    pub fn compare(&mut self, row: &Row, searches: &[wire::Search], kept: &mut Vec<LookAlike>) -> bool {
        let shown: Vec<Shown> = searches.iter().map(|search| Shown::of(row, search)).collect();
        let mut is_alike = false;
        for at in self.possible(&shown) {
            let claim = &mut self.all[at];
            if claim.kept == MOST_OF_ONE_CHECK && is_alike {
                continue;
            }
            let Some(agrees_in) = shown.iter().find_map(|shown| claim.agreement(shown)) else { continue };
            is_alike = true;
            if claim.kept < MOST_OF_ONE_CHECK {
                claim.kept += 1;
                let (reference, vendor_order_id, created_at) = (claim.reference, row.id.clone(), row.created_at);
                kept.push(LookAlike { reference, vendor_order_id, created_at, agrees_in });
            }
        }
        is_alike
    }

    /// The claims that the order can be like: by name, where all of its searches show one.
    fn possible(&self, shown: &[Shown]) -> Vec<usize> {
        let name = |shown: &Shown| shown.first_name.clone().zip(shown.last_name.clone());
        let Some(mut names) = shown.iter().map(name).collect::<Option<Vec<Name>>>() else {
            return (0..self.all.len()).collect();
        };
        names.sort_unstable();
        names.dedup();
        let of_that_name = names.iter().filter_map(|name| self.by_name.get(name)).flatten();
        of_that_name.chain(&self.unnamed).copied().collect()
    }
}

impl Claim {
    fn of(sought: &Sought) -> Option<Self> {
        let person = sought.order.subject.as_person()?;
        let (search_type, entity, start, end) = match &sought.check.spec {
            CheckSpec::EmploymentVerification(check) => {
                let employer = check.employer.as_ref().map(|employer| employer.name.as_str());
                ("employment", employer, check.start_date, check.end_date)
            }
            CheckSpec::EducationVerification(check) => {
                ("education", Some(check.institution.name.as_str()), None, check.graduation_date)
            }
            _ => return None,
        };
        let hiring = sought.order.position.as_ref().and_then(|position| position.company.as_deref());
        let date = |date: Option<Date>| date.map(|date| date.to_string());
        Some(Self {
            reference: sought.reference,
            first_name: person.first_name.as_deref().map(plain),
            last_name: person.last_name.as_deref().map(plain),
            search_type: search_type.to_owned(),
            entities: [entity, hiring].into_iter().flatten().map(plain).collect(),
            start_date: date(start),
            end_date: date(end),
            kept: 0,
        })
    }

    /// The names of the fields in which a search agrees; `None` if any differs.
    fn agreement(&self, shown: &Shown) -> Option<Vec<String>> {
        let fields = [
            ("first_name", &shown.first_name, self.first_name.as_slice()),
            ("last_name", &shown.last_name, self.last_name.as_slice()),
            ("search_type", &shown.search_type, slice::from_ref(&self.search_type)),
            ("entity", &shown.entity, &self.entities),
            ("start_date", &shown.start_date, self.start_date.as_slice()),
            ("end_date", &shown.end_date, self.end_date.as_slice()),
        ];
        let mut agrees_in = Vec::new();
        for (field, theirs, ours) in fields {
            let Some(theirs) = theirs.as_ref().filter(|_| !ours.is_empty()) else { continue };
            if !ours.contains(theirs) {
                return None;
            }
            agrees_in.push(field.to_owned());
        }
        Some(agrees_in)
    }
}

impl Shown {
    fn of(row: &Row, search: &wire::Search) -> Self {
        let applicant = search.applicant.as_ref();
        let first = applicant.and_then(|applicant| applicant.first_name.as_deref());
        let last = applicant.and_then(|applicant| applicant.last_name.as_deref());
        // Dates come with or without a time of day.
        let day = |text: &Option<String>| text.as_deref().map(|text| text.get(..10).unwrap_or(text).to_owned());
        Self {
            first_name: first.or(row.first_name.as_deref()).map(plain),
            last_name: last.or(row.last_name.as_deref()).map(plain),
            search_type: search.kind.as_deref().map(plain),
            entity: search.entity_name.as_deref().map(plain),
            start_date: day(&search.start_date),
            end_date: day(&search.end_date),
        }
    }
}

/// For comparing what people typed.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
