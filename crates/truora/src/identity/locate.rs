//! Finding processes: by the account that each belongs to, which is the reference of its check.
//!
//! The list and its filter are asked for each check in doubt. Whether the filter works is not taken for granted: rows of
//! other accounts are passed over. The earliest process of an account is the check's; a further one is an object by itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Listed, Sighting, Sightings};
use domain::{Reference, Timestamp, VendorRef};
use provider::{CallContext, CallError, Carries, LocateQuery, SweepQuery, vendor_id};
use url::Url;

use super::client::IdentityClient;
use super::spec;
use super::wire::{ProcessPage, Row};
use crate::client::{ok, unreadable};
use crate::pages::{Pages, PagingFault};

/// A process and when it began.
pub struct Found {
    pub id: String,
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("processes: {0}")]
    Call(#[from] CallError),
    #[error("processes: {0}")]
    Paging(#[from] PagingFault),
    #[error("processes: a page of the list holds no list")]
    NoList,
    #[error("processes: a row of the list has no id, or one that cannot be kept")]
    BadId,
}

/// Every row from here on, page by page.
async fn rows(client: &IdentityClient, ctx: &CallContext, first: Url, pages_read: &mut u32) -> Result<Vec<Row>, Fault> {
    let mut pages = Pages::from(first);
    let mut next = Some(pages.first().clone());
    let mut rows = Vec::new();
    while let Some(url) = next {
        let page: ProcessPage = ok(client.get(ctx, url).await?)?.json()?;
        *pages_read += 1;
        rows.extend(page.processes.ok_or(Fault::NoList)?);
        next = pages.follow(page.next.as_deref())?;
    }
    Ok(rows)
}

/// The processes of one check, the earliest first.
async fn of(
    client: &IdentityClient,
    ctx: &CallContext,
    reference: Reference,
    pages_read: &mut u32,
) -> Result<Vec<Found>, Fault> {
    let account_id = reference.to_string();
    let rows = rows(client, ctx, client.list_url(Some(&account_id)), pages_read).await?;
    let ours = rows.iter().filter(|row| row.account_id.as_deref() == Some(account_id.as_str()));
    let found: Result<Vec<_>, _> = ours.map(found).collect();
    let mut found = found?;
    sort(&mut found);
    Ok(found)
}

fn found(row: &Row) -> Result<Found, Fault> {
    let id = row.process_id.as_deref().and_then(vendor_id).ok_or(Fault::BadId)?;
    Ok(Found { id, created_at: row.created_at() })
}

/// The earliest first, and each once.
fn sort(found: &mut Vec<Found>) {
    found.sort_by(|one, other| {
        let key = |found: &Found| (found.created_at.is_none(), found.created_at);
        key(one).cmp(&key(other)).then_with(|| one.id.cmp(&other.id))
    });
    let mut ids = BTreeSet::new();
    found.retain(|process| ids.insert(process.id.clone()));
}

/// The same, for a look at one check.
pub async fn of_account(
    client: &IdentityClient,
    ctx: &CallContext,
    reference: Reference,
) -> Result<Vec<Found>, CallError> {
    of(client, ctx, reference, &mut 0).await.map_err(|fault| match fault {
        Fault::Call(error) => error,
        Fault::Paging(_) | Fault::NoList | Fault::BadId => unreadable(),
    })
}

/// Looks for the processes of every identity verification that is sought.
pub async fn locate(client: &IdentityClient, ctx: &CallContext, query: &LocateQuery, seen: &mut Sightings) {
    let calls_before = ctx.calls();
    for sought in query.sought.iter().filter(|sought| spec(&sought.check).is_some()) {
        match of(client, ctx, sought.reference, &mut seen.pages).await {
            Ok(found) => tell(sought.reference, found, seen),
            Err(fault) => missed(&fault, seen),
        }
    }
    seen.calls += ctx.calls() - calls_before;
}

/// Reads the whole list. What carries no reference of ours is dismissed.
pub async fn sweep(client: &IdentityClient, ctx: &CallContext, query: &SweepQuery, seen: &mut Sightings) {
    let calls_before = ctx.calls();
    match rows(client, ctx, client.list_url(None), &mut seen.pages).await {
        Ok(rows) => sort_out(&rows, query, seen),
        Err(fault) => missed(&fault, seen),
    }
    seen.calls += ctx.calls() - calls_before;
}

fn sort_out(rows: &[Row], query: &SweepQuery, seen: &mut Sightings) {
    let mut ours: BTreeMap<Reference, Vec<Found>> = BTreeMap::new();
    for row in rows {
        let process = match found(row) {
            Ok(process) => process,
            Err(fault) => {
                missed(&fault, seen);
                continue;
            }
        };
        if let Carries::Ours(reference) = Carries::read(row.account_id.as_deref()) {
            // Of all times: which of an account's processes is the first is not seen from those of a day.
            ours.entry(reference).or_default().push(process);
        } else if is_of_the_time(process.created_at, query) && !query.settled.contains(&process.id) {
            seen.objects += 1;
            seen.listed.push(Listed { id: process.id.clone(), created_at: process.created_at });
            seen.dismissed.push(process.id);
        }
    }
    for (reference, mut found) in ours {
        sort(&mut found);
        let mut told = Sightings::default();
        tell(reference, found, &mut told);
        let is_new = |sighting: &Sighting| {
            is_of_the_time(sighting.created_at, query) && !query.settled.contains(&sighting.vendor.order_id)
        };
        seen.objects += told.objects;
        seen.listed.extend(told.listed.into_iter().filter(|row| is_of_the_time(row.created_at, query)));
        seen.found.extend(told.found.into_iter().filter(is_new));
    }
}

fn is_of_the_time(created_at: Option<Timestamp>, query: &SweepQuery) -> bool {
    created_at.is_none_or(|at| (query.since..=query.until).contains(&at))
}

/// The first is the check's part; whatever else there is, is one too many.
fn tell(reference: Reference, found: Vec<Found>, seen: &mut Sightings) {
    for (at, process) in found.into_iter().enumerate() {
        let vendor = if at == 0 {
            VendorRef { order_id: reference.to_string(), check_id: Some(process.id) }
        } else {
            VendorRef::order(process.id)
        };
        seen.objects += 1;
        seen.listed.push(Listed { id: vendor.order_id.clone(), created_at: process.created_at });
        seen.found.push(Sighting { reference, vendor, created_at: process.created_at });
    }
}

fn missed(fault: &Fault, seen: &mut Sightings) {
    seen.complete = false;
    seen.incomplete_because.get_or_insert_with(|| fault.to_string());
}
