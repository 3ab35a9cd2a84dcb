//! What orders can be filtered by.

use std::collections::BTreeMap;

use domain::{BatchId, CheckStatus, CheckType, IdentifierType, OrderStatus, Outcome, ProviderId, Timestamp};
use serde::Deserialize;
use store::{IdentifierFilter, OrderFilter};
use utoipa::{IntoParams, ToSchema};

use crate::draft;
use crate::faults::Faults;
use crate::query::Query;

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct OrderParams {
    status: Option<OrderStatus>,
    /// At least one check stands so. With `provider` and `check_type`, one and the same check.
    check_status: Option<CheckStatus>,
    #[param(example = "theary")]
    provider: Option<String>,
    check_type: Option<CheckType>,
    outcome: Option<Outcome>,
    #[param(example = "ATS-4711")]
    external_id: Option<String>,
    batch_id: Option<BatchId>,
    /// This time or later.
    created_after: Option<Timestamp>,
    /// Before this time.
    created_before: Option<Timestamp>,
}

/// Takes the filters off the query, also each `metadata.<key>`.
pub fn of_query(query: &mut Query) -> OrderFilter {
    OrderFilter {
        status: query.parsed("status", "an order's status", OrderStatus::parse),
        check_status: query.parsed("check_status", "a check's status", CheckStatus::parse),
        provider: query.text("provider").map(ProviderId::new),
        check_type: query.parsed("check_type", "a type of check", CheckType::parse),
        outcome: query.parsed("outcome", "clear, consider or unresolved", Outcome::parse),
        external_id: query.text("external_id"),
        batch_id: query.id("batch_id"),
        created_after: query.time("created_after"),
        created_before: query.time("created_before"),
        metadata: query.prefixed("metadata."),
        ..OrderFilter::default()
    }
}

/// The filters of a search.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderSearch)]
pub struct SearchRequest {
    status: Option<OrderStatus>,
    /// At least one check stands so. With `provider` and `check_type`, one and the same check.
    check_status: Option<CheckStatus>,
    #[schema(value_type = Option<String>)]
    provider: Option<ProviderId>,
    check_type: Option<CheckType>,
    outcome: Option<Outcome>,
    external_id: Option<String>,
    batch_id: Option<BatchId>,
    /// This time or later.
    created_after: Option<Timestamp>,
    /// Before this time.
    created_before: Option<Timestamp>,
    /// All of these pairs.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    subject: Option<SubjectSearch>,
    /// How many entries to give; 50 where omitted.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What is known of the subject. All of it must fit, exactly but for case, accents and punctuation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectSearch {
    email: Option<String>,
    identifier: Option<IdentifierSearch>,
    last_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifierSearch {
    #[serde(rename = "type")]
    kind: IdentifierType,
    /// ISO 3166-1 alpha-2.
    country: String,
    value: String,
}

/// The filter that a search asks for.
pub fn of_search(search: SearchRequest, faults: &mut Faults) -> OrderFilter {
    let subject = search.subject.unwrap_or(SubjectSearch { email: None, identifier: None, last_name: None });
    let identifier = subject.identifier.map(|wanted| {
        if !draft::is_country(&wanted.country) {
            let detail = "Expected a country as ISO 3166-1 alpha-2 in upper case, such as US.";
            faults.push("/subject/identifier/country", "invalid", detail);
        }
        IdentifierFilter { kind: wanted.kind, country: wanted.country, value: wanted.value }
    });
    OrderFilter {
        status: search.status,
        check_status: search.check_status,
        provider: search.provider,
        check_type: search.check_type,
        outcome: search.outcome,
        external_id: search.external_id,
        batch_id: search.batch_id,
        created_after: search.created_after,
        created_before: search.created_before,
        metadata: search.metadata.into_iter().collect(),
        email: subject.email,
        identifier,
        last_name: subject.last_name,
    }
}
