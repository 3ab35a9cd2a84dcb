//! Looking at one search of an order that several checks may share.
//!
//! Each check sees the search that carries its own reference and nothing else of the order: not what the order as a whole
//! says, not what its other searches say, and never a search by its place or because it is the only one left.

use bytes::Bytes;
use domain::observation::Standing;
use domain::{Action, ActionKind, Reference, Sensitive, VendorRef};
use provider::{CallContext, CallError, Carries, Part, Snapshot, native_status};
use serde_json::Value;

use crate::client::Client;
use crate::fetch::{found, of_search};
use crate::mapping::standing;
use crate::wire;

/// One call, and one more for the order while the search is open.
pub async fn fetch(
    client: &Client,
    ctx: &CallContext,
    vendor: &VendorRef,
    reference: Reference,
) -> Result<Part, CallError> {
    let Some(answer) = found(client.searches(ctx, &vendor.order_id).await?)? else { return Ok(Part::Missing) };
    let all: Vec<Value> = answer.json::<wire::RawSearches>()?.into_vec();
    let searches = answer.json::<wire::Searches>()?.into_vec();
    let snapshot = match Ours::among(&searches, vendor.check_id.as_deref(), reference) {
        Ours::None => return Ok(Part::NotShown(Box::new(not_shown()))),
        Ours::Several(places) => several_of_one(places.iter().map(|at| &searches[*at]), reference),
        Ours::One(at) => of_search(&searches[at], searches[at].carries(), vendor, alone(all.get(at))),
    };
    if snapshot.standing.is_final() {
        return Ok(Part::Found(Box::new(snapshot)));
    }
    let Some(answer) = found(client.order(ctx, &vendor.order_id).await?)? else { return Ok(Part::Missing) };
    let order: wire::Order = answer.json()?;
    Ok(Part::Found(Box::new(beside(snapshot, &order))))
}

/// Which of an order's searches is a check's.
#[derive(Debug, PartialEq)]
enum Ours {
    None,
    /// By its place.
    One(usize),
    /// The vendor made more than one of a search, as one page could be read.
    Several(Vec<usize>),
}

impl Ours {
    /// The one with the reference; of several, the one that is known already. One that is known and carries no reference
    /// stays ours: it was learnt by its reference, or as the only one of a create.
    fn among(searches: &[wire::Search], known: Option<&str>, reference: Reference) -> Self {
        let known = known.and_then(wire::search_id);
        let is_known =
            |search: &wire::Search| known.is_some() && search.id.as_deref().and_then(wire::search_id) == known;
        let carrying: Vec<usize> =
            (0..searches.len()).filter(|at| searches[*at].carries() == Carries::Ours(reference)).collect();
        match carrying.as_slice() {
            [] => {
                let bare = |search: &wire::Search| is_known(search) && search.carries() == Carries::Nothing;
                searches.iter().position(bare).map_or(Self::None, Self::One)
            }
            [one] => Self::One(*one),
            several => match several.iter().find(|at| is_known(&searches[**at])) {
                Some(one) => Self::One(*one),
                None => Self::Several(carrying),
            },
        }
    }
}

/// The one search as the vendor wrote it: the others are other checks'.
fn alone(search: Option<&Value>) -> Bytes {
    search.and_then(|search| serde_json::to_vec(search).ok()).unwrap_or_default().into()
}

/// While none of them has ended nothing is lost; then only a person can tell which of them is about our record.
fn several_of_one<'a>(mut searches: impl Iterator<Item = &'a wire::Search>, reference: Reference) -> Snapshot {
    let is_open = |search: &wire::Search| matches!(standing::of_search(search), Standing::Working { .. });
    let standing = if searches.all(is_open) {
        Standing::Working { estimated_completion_at: None }
    } else {
        waits("Theary made several searches of this check, and which of them is about its record is not shown.")
    };
    snapshot(Carries::Ours(reference), "several searches", standing)
}

fn not_shown() -> Snapshot {
    snapshot(
        Carries::Nothing,
        "no search",
        waits("Theary's order does not show which of its searches is this check's."),
    )
}

fn waits(what: &str) -> Standing {
    let message = format!("{what} Look in Theary's dashboard and decide by what is there.");
    Standing::Waiting { action: Action::of(ActionKind::Human, &message) }
}

fn snapshot(carries: Carries, native: &str, standing: Standing) -> Snapshot {
    Snapshot {
        part_id: None,
        carries,
        vendor_time: None,
        native_status: native_status(native),
        standing,
        documents: Vec::new(),
        payload: Sensitive::default(),
    }
}

/// What the order as a whole says does not end a search that it shares with others. Where it contradicts the search, a
/// person must ask.
fn beside(search: Snapshot, order: &wire::Order) -> Snapshot {
    let status = order.status.as_deref().unwrap_or_default();
    if !standing::of_order(status).is_final() || !matches!(search.standing, Standing::Working { .. }) {
        return search;
    }
    let message =
        "Theary has ended the order without ending this search: ask for it to be taken up again, or order anew.";
    let standing = Standing::Waiting { action: Action::of(ActionKind::Human, message) };
    Snapshot { native_status: native_status(status), standing, vendor_time: None, ..search }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn searches(body: Value) -> Vec<wire::Search> {
        serde_json::from_value(body).expect("searches")
    }

    #[test]
    fn only_the_reference_says_whose_a_search_is() {
        let (one, two) = (crate::samples::reference(1), crate::samples::reference(2));
        let with = |id: &str, reference: Option<Reference>| json!({"id": id, "externalSearchId": reference.map(|reference| reference.to_string())});
        let (a, b, bare) = (with("a", Some(one)), with("b", Some(two)), with("c", None));
        for (case, body, known, expected) in [
            ("by the reference", json!([b, a]), None, Some(1)),
            ("whatever else is known", json!([b, a]), Some("b"), Some(1)),
            ("another's is never ours", json!([b]), None, None),
            ("nor if it is the known one", json!([b]), Some("b"), None),
            ("the only one says nothing by that", json!([bare]), None, None),
            ("known, and shows none", json!([b, bare]), Some("search_c"), None),
            ("known and bare", json!([b, bare]), Some("c"), Some(1)),
            ("none", json!([]), Some("a"), None),
        ] {
            let searches = searches(body);
            let expected = expected.map_or(Ours::None, Ours::One);
            assert_eq!(Ours::among(&searches, known, one), expected, "{case}");
        }
    }

    #[test]
    fn of_several_with_one_reference_only_the_known_one_is_taken() {
        let one = crate::samples::reference(1);
        let reference = one.to_string();
        let twice = |status: &str| {
            searches(json!([
                {"id": "a", "externalSearchId": reference, "searchStatus": "IN_PROGRESS"},
                {"id": "b", "externalSearchId": reference, "searchStatus": status}
            ]))
        };
        let (open, ended) = (twice("IN_PROGRESS"), twice("COMPLETED"));
        assert_eq!(Ours::among(&open, Some("b"), one), Ours::One(1));
        for (searches, waits) in [(open, false), (ended, true)] {
            let Ours::Several(places) = Ours::among(&searches, None, one) else { panic!("several") };
            let snapshot = several_of_one(places.iter().map(|at| &searches[*at]), one);
            assert_eq!(matches!(snapshot.standing, Standing::Waiting { .. }), waits);
            assert_eq!(
                (snapshot.part_id, snapshot.carries),
                (None, Carries::Ours(one)),
                "the order is ours for certain"
            );
        }
    }

    #[test]
    fn an_order_that_ended_does_not_end_a_search_that_did_not() {
        let search = searches(json!([{"id": "s", "searchStatus": "IN_PROGRESS"}])).remove(0);
        let seen = || of_search(&search, Carries::Nothing, &VendorRef::order("ord_1"), Bytes::new());
        let order = |status: &str| wire::Order { status: Some(status.to_owned()), ..wire::Order::default() };
        for status in ["pending", "in_progress", "completed", "odd"] {
            assert_eq!(beside(seen(), &order(status)).native_status, "IN_PROGRESS", "{status}");
        }
        for status in ["failed", "cancelled"] {
            let snapshot = beside(seen(), &order(status));
            assert!(matches!(snapshot.standing, Standing::Waiting { .. }), "{status}");
            assert_eq!(snapshot.part_id.as_deref(), Some("s"));
        }
    }
}
