//! What the routes of a vendor account's own things share: which account is meant, who may touch it, and how refusals are
//! told.

use domain::{AccountKey, ProviderId};
use engine::{Account, AdministrationError};
use http::Uri;
use provider::{AdministrationFault, CallError, Objection};

use super::get::known;
use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Fault, Kind, Place, Problem};
use crate::query::Query;
use crate::scope::Scope;

/// The account that is meant, where its name is all that the query may have.
pub fn account_of_query<S>(app: &App, caller: &Caller<S>, path: Vec<String>, uri: &Uri) -> Result<Account, Problem> {
    let mut query = Query::of(uri);
    let name = query.text("account");
    query.end()?;
    account(app, caller, path, name.as_deref(), in_query)
}

/// The account that is meant: the named one, else the caller's own, else `default`. Refuses callers whose tenant shares it
/// with others, unless they may act for all.
pub fn account<S>(
    app: &App,
    caller: &Caller<S>,
    path: Vec<String>,
    name: Option<&str>,
    place: impl FnOnce() -> Place,
) -> Result<Account, Problem> {
    let id = known(app, path)?;
    let account = chosen(app, caller, &id, name, place)?;
    if account.provider.administration().is_none() {
        return Err(nothing_to_set_up(&id));
    }
    Ok(account)
}

/// The same, whatever the vendor offers.
pub fn chosen<S>(
    app: &App,
    caller: &Caller<S>,
    id: &ProviderId,
    name: Option<&str>,
    place: impl FnOnce() -> Place,
) -> Result<Account, Problem> {
    let providers = app.engine().providers();
    if let Some(reason) = providers.off(id) {
        return Err(Problem::parameter("provider", "provider_off", format!("{id} is off on this gateway: {reason}")));
    }
    let visible: Vec<_> = providers
        .accounts_of(id)
        .filter(|account| caller.may(Scope::TenantsAll) || account.is_open_to(caller.tenant()))
        .collect();
    let chosen = match name {
        Some(name) => visible.iter().find(|account| account.key.account == name),
        None => by_itself(caller, &visible),
    };
    let Some(account) = chosen else { return Err(unknown(id, name, &visible, place())) };
    if !caller.owns(account) {
        caller.must(Scope::TenantsAll)?;
    }
    Ok((*account).clone())
}

fn by_itself<'v, 'a, S>(caller: &Caller<S>, visible: &'v [&'a Account]) -> Option<&'v &'a Account> {
    let own = visible.iter().find(|account| caller.owns(account));
    own.or_else(|| visible.iter().find(|account| account.key.account == AccountKey::DEFAULT)).or(match visible {
        [only] => Some(only),
        _ => None,
    })
}

fn unknown(id: &ProviderId, name: Option<&str>, visible: &[&Account], place: Place) -> Problem {
    let names = visible.iter().map(|account| account.key.account.as_str()).collect::<Vec<_>>().join(", ");
    let fault = match name {
        _ if names.is_empty() => {
            Fault::new(place, "unknown_account", format!("No account of {id} is open to this tenant."))
        }
        Some(_) => Fault::new(place, "unknown_account", format!("There is no such account here. Known: {names}.")),
        None => Fault::new(place, "required", format!("Name one of the accounts: {names}.")),
    };
    Problem::invalid(vec![fault])
}

fn nothing_to_set_up(id: &ProviderId) -> Problem {
    let detail = format!("{id} has nothing of the kind that could be seen or set up through this gateway.");
    Problem::parameter("provider", "not_supported", detail)
}

pub fn in_query() -> Place {
    Place::Parameter("account".to_owned())
}

pub fn in_body() -> Place {
    Place::Pointer("/account".to_owned())
}

/// `what`: what is not found, or exists. `places`: where in the request each objection's part stands.
pub fn refused(error: AdministrationError, what: &str, places: impl Fn(&str) -> Place) -> Problem {
    let fault = match error {
        AdministrationError::NotOffered => {
            return Problem::parameter("provider", "not_supported", "The vendor has nothing of the kind.");
        }
        AdministrationError::Store(error) => return error.into(),
        AdministrationError::Vendor(fault) => fault,
    };
    let unavailable = |detail: String| Problem::new(Kind::VendorUnavailable, detail);
    match fault {
        AdministrationFault::NotFound => Problem::not_found(what),
        AdministrationFault::Exists => Problem::new(Kind::Conflict, format!("There is such a {what} already.")),
        AdministrationFault::Refused(objections) => Problem::invalid(
            objections
                .into_iter()
                .map(|Objection { pointer, code, detail }| Fault::new(places(&pointer), code, detail))
                .collect(),
        ),
        AdministrationFault::Denied(why) => {
            unavailable(format!("The vendor refuses the gateway's account: {why}. Nothing was changed."))
        }
        AdministrationFault::NotDone(error) => {
            let problem = unavailable(format!("The vendor could not be asked ({error}). Nothing was changed."));
            match error {
                CallError::NotSent { retry_after: Some(wait), .. } => problem.retry_after(wait),
                _ => problem,
            }
        }
        AdministrationFault::Unclear(seen) => {
            unavailable(format!("It is not known whether the vendor did it: its answer was lost, and {seen}."))
        }
    }
}

/// Objections lead into the body as they are.
pub fn into_body(pointer: &str) -> Place {
    Place::Pointer(pointer.to_owned())
}

/// The one part that requests without a body name.
pub fn into_parameters(pointer: &str) -> Place {
    Place::Parameter(pointer.trim_start_matches('/').to_owned())
}
