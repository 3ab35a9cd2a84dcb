//! Looking at an order, stopping it, and trying the credentials.

use bytes::Bytes;
use domain::{Reason, Sensitive, VendorRef};
use provider::{
    CallContext, CallError, CancelAnswer, Carries, Fetched, LostReason, ProbeFault, Snapshot, VendorAnswer,
    native_status,
};

use crate::client::Client;
use crate::mapping::standing;
use crate::tokens::TokenFault;
use crate::wire;

/// The searches say nearly everything; the order itself is read only while its search is not final, since an order
/// can be given up as a whole.
pub async fn fetch(client: &Client, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
    let Some(answer) = found(client.searches(ctx, &vendor.order_id).await?)? else {
        return Ok(Fetched::Missing);
    };
    let searches = answer.json::<wire::Searches>()?.into_vec();
    let ours = choose(&searches, vendor.check_id.as_deref());
    let carries = carried(&searches, ours);
    let by_search = ours.map(|search| of_search(search, carries, vendor, answer.body.clone()));
    if let Some(snapshot) = by_search.as_ref().filter(|snapshot| snapshot.standing.is_final()) {
        return Ok(Fetched::Found(Box::new(snapshot.clone())));
    }
    let Some(answer) = found(client.order(ctx, &vendor.order_id).await?)? else {
        return Ok(Fetched::Missing);
    };
    let order: wire::Order = answer.json()?;
    Ok(Fetched::Found(Box::new(with_order(by_search, carries, &order, vendor, answer.body))))
}

/// `None`: the vendor does not know the order.
pub fn found(answer: VendorAnswer) -> Result<Option<VendorAnswer>, CallError> {
    match answer.status.as_u16() {
        404 if wire::is_not_found(&answer) => Ok(None),
        200..=299 => Ok(Some(answer)),
        status => Err(CallError::Lost { why: LostReason::Status(status) }),
    }
}

/// Our one search: the one we know, else the only one, else the only one that carries a reference of our form.
fn choose<'a>(searches: &'a [wire::Search], known: Option<&str>) -> Option<&'a wire::Search> {
    let only = |mut found: Vec<&'a wire::Search>| if found.len() == 1 { found.pop() } else { None };
    let id_of = |search: &wire::Search| search.id.as_deref().and_then(wire::search_id);
    known
        .and_then(wire::search_id)
        .and_then(|known| searches.iter().find(|search| id_of(search).as_ref() == Some(&known)))
        .or_else(|| only(searches.iter().collect()))
        .or_else(|| only(searches.iter().filter(|search| search.carries().ours().is_some()).collect()))
}

/// Whose the order is, by all of its searches: ours says more than another's, and another's more than none. An order that
/// was bound by its position only is confirmed by this, or shown to be another check's.
fn carried(searches: &[wire::Search], chosen: Option<&wire::Search>) -> Carries {
    let all = || chosen.into_iter().chain(searches).map(wire::Search::carries);
    all()
        .find(|carries| carries.ours().is_some())
        .or_else(|| all().find(|carries| *carries == Carries::Foreign))
        .unwrap_or_default()
}

pub fn of_search(search: &wire::Search, carries: Carries, vendor: &VendorRef, payload: Bytes) -> Snapshot {
    Snapshot {
        // An id once learnt stays.
        part_id: vendor.check_id.clone().or_else(|| search.id.as_deref().and_then(wire::search_id)),
        carries,
        vendor_time: standing::time_of_search(search),
        native_status: native_status(search.status.as_deref().unwrap_or_default()),
        standing: standing::of_search(search),
        documents: Vec::new(),
        payload: Sensitive::new(payload),
    }
}

/// What the order says counts where it has ended and the search has not, and where there is no search to be seen.
fn with_order(
    by_search: Option<Snapshot>,
    carries: Carries,
    order: &wire::Order,
    vendor: &VendorRef,
    payload: Bytes,
) -> Snapshot {
    let status = order.status.clone().unwrap_or_default();
    let standing = standing::of_order(&status);
    match by_search {
        Some(snapshot) if !standing.is_final() => snapshot,
        seen => Snapshot {
            part_id: vendor.check_id.clone().or_else(|| seen.as_ref()?.part_id.clone()),
            carries,
            vendor_time: order.completed_at.as_ref().or(order.updated_at.as_ref()).and_then(|at| at.parse().ok()),
            native_status: native_status(&status),
            standing,
            documents: Vec::new(),
            payload: Sensitive::new(payload),
        },
    }
}

/// `DELETE /orders/{id}`: cancels what is open and leaves what is finished. Asked again it answers 404.
pub async fn cancel(client: &Client, ctx: &CallContext, vendor: &VendorRef) -> Result<CancelAnswer, CallError> {
    let answer = client.delete_order(ctx, &vendor.order_id).await?;
    match answer.status.as_u16() {
        200..=299 => {
            // What cannot be read is no consent. Asked again, the vendor says 404 if it had done it.
            let deleted: wire::Deleted = answer.json()?;
            Ok(match (deleted.success, deleted.affected_searches) {
                (Some(false), _) => refused(&answer),
                (_, Some(0)) => CancelAnswer::AlreadyEnded,
                _ => CancelAnswer::Agreed,
            })
        }
        404 if wire::is_not_found(&answer) => Ok(CancelAnswer::AlreadyEnded),
        400 | 409 | 422 => Ok(refused(&answer)),
        status => Err(CallError::Lost { why: LostReason::Status(status) }),
    }
}

fn refused(answer: &VendorAnswer) -> CancelAnswer {
    // Not in the vendor's words: they may quote what the order holds.
    let why = format!("Theary answered {} and does not cancel the order.", answer.status.as_u16());
    CancelAnswer::Refused(Reason::new("cancel_refused", why))
}

/// The smallest list there is: unlike `/health` it shows that the token is good. That a token names no tenant is told
/// before, and whatever the list says: only some of the vendor's routes refuse it.
pub async fn probe(client: &Client, ctx: &CallContext) -> Result<(), ProbeFault> {
    let token = client.token(ctx).await.map_err(|fault| match &fault {
        TokenFault::Refused(_) => ProbeFault::Credentials(fault.to_string()),
        TokenFault::Call(_) => ProbeFault::Unreachable(fault.to_string()),
        TokenFault::Status(_) | TokenFault::Unreadable => ProbeFault::Unexpected(fault.to_string()),
    })?;
    if token.names_tenant() == Some(false) {
        return Err(ProbeFault::Credentials(NO_TENANT.to_owned()));
    }
    let answer = client.list_orders(ctx, 1, 1).await?;
    match answer.status.as_u16() {
        200..=299 => match answer.json::<wire::OrderPage>() {
            Ok(wire::OrderPage { data: Some(_), .. }) => Ok(()),
            _ => Err(ProbeFault::Unexpected("the list of orders cannot be read; is the base URL right?".to_owned())),
        },
        status @ (401 | 403) => Err(ProbeFault::Credentials(format!(
            "it answers {status}; is the token good, and is there a tenant in it?"
        ))),
        status => Err(ProbeFault::Unexpected(format!("status {status}"))),
    }
}

const NO_TENANT: &str = "the token holds no `tenant` claim, without which Theary refuses calls; have Theary add the claim to \
                         the tokens of this account";

#[cfg(test)]
mod tests {
    use super::*;
    use domain::observation::Standing;
    use serde_json::{Value, json};

    fn searches(body: Value) -> Vec<wire::Search> {
        serde_json::from_value(body).expect("searches")
    }

    fn chosen(body: Value, known: Option<&str>) -> Option<String> {
        choose(&searches(body), known).and_then(|search| search.id.clone())
    }

    #[test]
    fn our_search_is_found_among_others() {
        let ours = crate::samples::reference(1).to_string();
        let two = json!([{"id": "a"}, {"id": "b", "externalSearchId": ours}]);
        assert_eq!(chosen(two.clone(), Some("a")).as_deref(), Some("a"), "the known one");
        assert_eq!(chosen(two.clone(), None).as_deref(), Some("b"), "the one of our form");
        assert_eq!(chosen(two, Some("gone")).as_deref(), Some("b"));
        assert_eq!(chosen(json!([{"id": "a"}]), Some("search_a")).as_deref(), Some("a"), "the only one");
        assert_eq!(chosen(json!([{"id": "a"}, {"id": "b"}]), None), None, "never a guess");
        assert_eq!(chosen(json!([]), Some("a")), None);
    }

    #[test]
    fn whose_an_order_is_all_of_its_searches_say() {
        let (one, two) = (crate::samples::reference(1), crate::samples::reference(2));
        let (ours, other) = (one.to_string(), two.to_string());
        let with = |id: &str, reference: Option<&str>| json!({"id": id, "externalSearchId": reference});
        let (a, b, c) = (with("a", Some(&ours)), with("b", Some(&other)), with("c", Some("theirs-7")));
        let bare = with("d", None);
        for (case, body, known, expected) in [
            ("the known one", json!([b, a]), Some("a"), Carries::Ours(one)),
            ("the known one is another's", json!([a, b]), Some("b"), Carries::Ours(two)),
            ("the known one carries none", json!([bare, a]), Some("d"), Carries::Ours(one)),
            ("the known one is foreign", json!([c, b]), Some("c"), Carries::Ours(two)),
            ("ours among foreign ones", json!([c, a, bare]), None, Carries::Ours(one)),
            ("the known one is gone", json!([c, b, bare]), Some("gone"), Carries::Ours(two)),
            ("two of ours", json!([b, a]), None, Carries::Ours(two)),
            ("foreign, and none chosen", json!([bare, c]), None, Carries::Foreign),
            ("foreign, and one without", json!([bare, c]), Some("d"), Carries::Foreign),
            ("nearly ours", json!([with("a", Some(&ours.to_uppercase()))]), None, Carries::Foreign),
            ("none at all", json!([bare, bare]), Some("d"), Carries::Nothing),
            ("no searches", json!([]), Some("d"), Carries::Nothing),
        ] {
            let searches = searches(body);
            assert_eq!(carried(&searches, choose(&searches, known)), expected, "{case}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_not_learnt() {
        let vendor = VendorRef::order("ord_1");
        for id in ["x".repeat(4_096), "s\u{1}".to_owned(), "s ".to_owned()] {
            let search = searches(json!([{"id": id, "searchStatus": "s".repeat(5_000)}])).remove(0);
            let snapshot = of_search(&search, Carries::Nothing, &vendor, Bytes::new());
            assert_eq!((snapshot.part_id, snapshot.native_status.len()), (None, 100), "{id:?}");
            let known = VendorRef { check_id: Some("s".to_owned()), ..vendor.clone() };
            assert_eq!(of_search(&search, Carries::Nothing, &known, Bytes::new()).part_id.as_deref(), Some("s"));
        }
    }

    #[test]
    fn a_refused_cancellation_is_told_in_our_words() {
        let answer = VendorAnswer {
            status: http::StatusCode::CONFLICT,
            headers: http::HeaderMap::new(),
            body: Bytes::from_static(br#"{"message":"Ada Sample is being called"}"#),
            took: std::time::Duration::ZERO,
        };
        let CancelAnswer::Refused(reason) = refused(&answer) else { panic!("refused") };
        assert_eq!(reason.message, "Theary answered 409 and does not cancel the order.");
    }

    #[test]
    fn an_order_that_ended_as_a_whole_ends_its_search() {
        let vendor = VendorRef::order("ord_1");
        let order = |status: &str| wire::Order { status: Some(status.to_owned()), ..wire::Order::default() };
        let search = searches(json!([{"id": "s", "searchStatus": "IN_PROGRESS"}])).remove(0);
        let seen = || Some(of_search(&search, Carries::Nothing, &vendor, Bytes::new()));
        for (status, native) in
            [("in_progress", "IN_PROGRESS"), ("odd", "IN_PROGRESS"), ("failed", "failed"), ("cancelled", "cancelled")]
        {
            let snapshot = with_order(seen(), Carries::Nothing, &order(status), &vendor, Bytes::new());
            assert_eq!((snapshot.native_status.as_str(), snapshot.part_id.as_deref()), (native, Some("s")), "{status}");
        }
        let alone = with_order(None, Carries::Foreign, &order("pending"), &vendor, Bytes::new());
        assert!(matches!(alone.standing, Standing::Working { .. }) && alone.carries == Carries::Foreign);
    }
}
