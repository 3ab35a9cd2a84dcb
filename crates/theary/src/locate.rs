//! Finding our orders again: the list of the account, then the searches of every order that could be ours.
//!
//! The list carries no reference and the vendor has no filter, so each candidate's searches are read. Only an exactly
//! equal `externalSearchId` says that an order is ours; names only decide which candidate is read first.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::case::{Listed, LookAlike, Sighting, Sightings};
use domain::{CheckSpec, Reference, VendorRef};
use futures::{StreamExt as _, future, stream};
use provider::{CallContext, CallError, LocateQuery, LostReason, Sought, vendor_id};

use crate::client::Client;
use crate::listing::{self, Row};
use crate::wire;

/// So many candidates are read at a time.
const AT_ONCE: usize = 8;

/// After so many failures the vendor is left in peace until the next scan.
const MOST_FAILURES: u32 = 3;

pub async fn locate(client: &Client, ctx: &CallContext, query: &LocateQuery) -> Sightings {
    let calls_before = ctx.calls();
    let listing = listing::read(client, ctx, query.since, query.started_at).await;
    let mut seen = Sightings {
        complete: true,
        stopped_early: listing.stopped_early,
        pages: listing.pages,
        objects: u32::try_from(listing.rows.len()).unwrap_or(u32::MAX),
        ..Sightings::default()
    };
    if let Some(missing) = listing.missing {
        incomplete(&mut seen, missing);
    }
    let in_window = |row: &Row| row.created_at.is_none_or(|at| (query.since..=query.until).contains(&at));
    let window: Vec<Row> = listing.rows.into_iter().filter(in_window).collect();
    seen.listed = window.iter().map(|row| Listed { id: row.id.clone(), created_at: row.created_at }).collect();
    let candidates = in_likely_order(window, query);

    let failures = AtomicU32::new(0);
    let mut readings = stream::iter(candidates)
        // Calls under way are waited for all the same: each of them counts.
        .take_while(|_| future::ready(failures.load(Ordering::Relaxed) < MOST_FAILURES))
        .map(async |row| {
            let searches = searches(client, ctx, &row.id).await;
            (row, searches)
        })
        .buffered(AT_ONCE);
    let mut bare = 0;
    while let Some((row, searches)) = readings.next().await {
        match searches {
            Ok(searches) => note(&mut seen, query, &row, judge(&row, &searches, query), &mut bare),
            Err(error) => {
                let so_far = failures.fetch_add(1, Ordering::Relaxed) + 1;
                incomplete(&mut seen, format!("the searches of {so_far} or more listed orders: {error}"));
            }
        }
    }
    if bare > 0 {
        incomplete(&mut seen, format!("{bare} orders of that time are listed without their searches yet"));
    }
    seen.calls = ctx.calls() - calls_before;
    seen
}

fn incomplete(seen: &mut Sightings, because: String) {
    seen.complete = false;
    seen.incomplete_because = Some(because);
}

/// Those that agree in name first, so that a scan that fails half-way has most likely seen ours.
fn in_likely_order(window: Vec<Row>, query: &LocateQuery) -> Vec<Row> {
    let names: BTreeSet<(String, String)> = query.sought.iter().filter_map(name_of).collect();
    let is_likely = |row: &Row| {
        let name = row.first_name.as_deref().zip(row.last_name.as_deref());
        name.is_some_and(|(first, last)| names.contains(&(plain(first), plain(last))))
    };
    let open = window.into_iter().filter(|row| !query.settled.contains(&row.id));
    let (mut likely, others): (Vec<Row>, Vec<Row>) = open.partition(is_likely);
    likely.extend(others);
    likely
}

/// An order's searches. Of an order that is listed and cannot be found by its id, there are none yet.
async fn searches(client: &Client, ctx: &CallContext, id: &str) -> Result<Vec<wire::Search>, CallError> {
    let answer = client.searches(ctx, id).await?;
    match answer.status.as_u16() {
        404 => Ok(Vec::new()),
        200..=299 => Ok(answer.json::<wire::Searches>()?.into_vec()),
        status => Err(CallError::Lost { why: LostReason::Status(status) }),
    }
}

/// What an order's searches say about whose it is.
enum Verdict {
    /// No searches (yet): nothing can be said.
    Empty,
    /// Ours, and looked for.
    Ours(Vec<Sighting>),
    /// Of our form, and not looked for: another check's, maybe one whose doubt is not known yet.
    OfOurForm,
    /// Every search carries a reference, and none is of our form.
    Foreign,
    /// Some search carries no reference at all.
    Bare(Vec<LookAlike>),
}

fn judge(row: &Row, searches: &[wire::Search], query: &LocateQuery) -> Verdict {
    if searches.is_empty() {
        return Verdict::Empty;
    }
    let ours = |search: &wire::Search| search.external_search_id.as_deref()?.parse::<Reference>().ok();
    let found: Vec<Sighting> = searches
        .iter()
        .filter_map(|search| {
            let reference = ours(search)?;
            query.sought.iter().any(|sought| sought.reference == reference).then(|| Sighting {
                reference,
                vendor: VendorRef { order_id: row.id.clone(), check_id: search.id.as_deref().and_then(vendor_id) },
                created_at: row.created_at,
            })
        })
        .collect();
    if !found.is_empty() {
        return Verdict::Ours(found);
    }
    if searches.iter().any(|search| ours(search).is_some()) {
        return Verdict::OfOurForm;
    }
    if searches.iter().all(|search| search.external_search_id.is_some()) {
        return Verdict::Foreign;
    }
    let nowhere = searches.iter().all(|search| search.external_search_id.is_none());
    let look_alikes = query.sought.iter().filter(|_| nowhere).filter_map(|sought| {
        let agrees_in = searches.iter().find_map(|search| likeness(row, search, sought))?;
        let (reference, vendor_order_id, created_at) = (sought.reference, row.id.clone(), row.created_at);
        Some(LookAlike { reference, vendor_order_id, created_at, agrees_in })
    });
    Verdict::Bare(look_alikes.collect())
}

fn note(seen: &mut Sightings, query: &LocateQuery, row: &Row, verdict: Verdict, bare: &mut u32) {
    match verdict {
        // It could be ours: read again by the next scan, and nothing counts as absent until then.
        Verdict::Empty => *bare += 1,
        Verdict::Ours(found) => {
            seen.echoes = true;
            seen.found.extend(found);
        }
        // Not dismissed: the check it belongs to may come into doubt yet, and must be able to find it then.
        Verdict::OfOurForm => seen.echoes = true,
        Verdict::Foreign => seen.dismissed.push(row.id.clone()),
        Verdict::Bare(look_alikes) => {
            // A reference may still be to come while the window is open; a look-alike is shown by every scan.
            if look_alikes.is_empty() && query.started_at > query.until {
                seen.dismissed.push(row.id.clone());
            }
            seen.look_alikes.extend(look_alikes);
        }
    }
}

/// For comparing what people typed.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn name_of(sought: &Sought) -> Option<(String, String)> {
    let person = sought.order.subject.as_person()?;
    Some((plain(person.first_name.as_deref()?), plain(person.last_name.as_deref()?)))
}

/// The names of the fields in which a search without a reference agrees with a check; `None` if any differs. What the
/// vendor does not show cannot differ.
fn likeness(row: &Row, search: &wire::Search, sought: &Sought) -> Option<Vec<String>> {
    let person = sought.order.subject.as_person()?;
    let applicant = search.applicant.clone().unwrap_or_default();
    let (search_type, entity, start, end) = match &sought.check.spec {
        CheckSpec::EmploymentVerification(check) => {
            let employer = check.employer.as_ref().map(|employer| employer.name.as_str());
            ("EMPLOYMENT", employer, check.start_date, check.end_date)
        }
        CheckSpec::EducationVerification(check) => {
            ("EDUCATION", Some(check.institution.name.as_str()), None, check.graduation_date)
        }
        _ => return None,
    };
    let hiring = sought.order.position.as_ref().and_then(|position| position.company.as_deref());
    let mut agrees = Vec::new();
    let mut compare = |field: &str, theirs: Option<&str>, ours: &[Option<&str>]| {
        let ours: Vec<String> = ours.iter().copied().flatten().map(plain).collect();
        let Some(theirs) = theirs.map(plain).filter(|_| !ours.is_empty()) else { return true };
        let same = ours.contains(&theirs);
        if same {
            agrees.push(field.to_owned());
        }
        same
    };
    let first = applicant.first_name.as_deref().or(row.first_name.as_deref());
    let last = applicant.last_name.as_deref().or(row.last_name.as_deref());
    let (start, end) = (start.map(|date| date.to_string()), end.map(|date| date.to_string()));
    // Dates come with or without a time of day.
    let day = |text: &Option<String>| text.as_deref().map(|text| text.get(..10).unwrap_or(text).to_owned());
    let (starts, ends) = (day(&search.start_date), day(&search.end_date));
    let alike = compare("first_name", first, &[person.first_name.as_deref()])
        && compare("last_name", last, &[person.last_name.as_deref()])
        && compare("search_type", search.kind.as_deref(), &[Some(search_type)])
        // No page says whether a search's entity is the one asked about or the hiring one.
        && compare("entity", search.entity_name.as_deref(), &[entity, hiring])
        && compare("start_date", starts.as_deref(), &[start.as_deref()])
        && compare("end_date", ends.as_deref(), &[end.as_deref()]);
    alike.then_some(agrees)
}

#[cfg(test)]
mod tests;
