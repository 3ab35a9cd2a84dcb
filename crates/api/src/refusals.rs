//! The error answers of an operation, as the OpenAPI document tells them.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use crate::problem::{Kind, MEDIA_TYPE};

/// What every operation under `/v1` can answer.
pub const ALWAYS: &[Kind] =
    &[Kind::Unauthenticated, Kind::Forbidden, Kind::RateLimited, Kind::Internal, Kind::Unavailable];

/// What every operation with a JSON body can answer.
pub const BODY: &[Kind] = &[
    Kind::Malformed,
    Kind::TooSlow,
    Kind::TooLarge,
    Kind::UnsupportedMediaType,
    Kind::Invalid,
    Kind::InProgress,
    Kind::KeyReused,
];

/// Names the kinds of problems that an operation can answer, beside what all answer, for its `responses(…)`.
macro_rules! refusals {
    ($name:ident: $($group:ident)|* $(; $($kind:ident),*)?) => {
        pub struct $name;
        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::response::Response>> {
                let groups: &[&[crate::problem::Kind]] = &[$(crate::refusals::$group,)* &[$($(crate::problem::Kind::$kind),*)?]];
                crate::refusals::responses(groups)
            }
        }
    };
}
pub(crate) use refusals;

/// Between the kinds that share a status, in the name of their answer.
const OR: &str = "_or_";

/// One answer per status, by its name: operations with the same refusals share them.
pub fn responses(groups: &[&[Kind]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in groups.iter().copied().flatten() {
        let kinds = by_status.entry(kind.status().as_u16()).or_default();
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    let by_name = by_status.into_iter().map(|(status, mut kinds)| {
        kinds.sort_unstable_by_key(|kind| Kind::ALL.iter().position(|known| known == kind));
        let name = kinds.iter().map(|kind| kind.slug()).collect::<Vec<_>>().join(OR);
        (status.to_string(), RefOr::Ref(Ref::from_response_name(name)))
    });
    by_name.collect()
}

/// Puts every answer that an operation names into the document.
pub fn register(document: &mut OpenApi) {
    let operations = document
        .paths
        .paths
        .values()
        .flat_map(|item| [&item.get, &item.post, &item.put, &item.patch, &item.delete].into_iter().flatten());
    let answers = operations.flat_map(|operation| operation.responses.responses.values());
    let names: BTreeSet<_> = answers
        .filter_map(|answer| match answer {
            RefOr::Ref(answer) => answer.ref_location.rsplit_once('/').map(|(_, name)| name.to_owned()),
            RefOr::T(_) => None,
        })
        .collect();
    let components = document.components.get_or_insert_default();
    for name in names {
        let kinds: Vec<_> =
            name.split(OR).filter_map(|slug| Kind::ALL.iter().copied().find(|kind| kind.slug() == slug)).collect();
        components.responses.insert(name, RefOr::T(response(&kinds)));
    }
}

fn response(kinds: &[Kind]) -> Response {
    let examples = kinds.iter().map(|kind| {
        let example = ExampleBuilder::new().summary(kind.title()).value(Some(crate::examples::problem(*kind)));
        (kind.slug().to_owned(), RefOr::T(example.build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
        .examples_from_iter(examples)
        .build();
    let description = kinds.iter().map(|kind| kind.meaning().trim()).collect::<Vec<_>>().join(" Or: ");
    let response = ResponseBuilder::new().description(description).content(MEDIA_TYPE, content);
    let waits = kinds
        .iter()
        .any(|kind| matches!(kind, Kind::RateLimited | Kind::Unavailable | Kind::VendorUnavailable | Kind::InProgress));
    if waits {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds to wait before asking again."))
            .build();
        return response.header("Retry-After", header).build();
    }
    response.build()
}
