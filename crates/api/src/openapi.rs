//! The OpenAPI document, made from the same routes that serve.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, Tag};
use utoipa::{Modify, OpenApi as _};

use crate::problem::{Fault, Place, ProblemBody};
use crate::scope::Scope;

/// What the document holds beside the operations.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ProblemBody<'static>, Fault, Place)), modifiers(&Base))]
struct Frame;

struct Base;

const TAGS: &[(&str, &str)] = &[
    ("orders", "Everything a caller wants known about one subject. Answers are masked."),
    ("batches", "Many orders that are accepted together, all of them or none, and watched and canceled together."),
    ("monitors", "Orders that are run again and again, and what changed between their runs."),
    ("checks", "One product about the subject, fulfilled by exactly one vendor at a time."),
    ("reconciliation", "Create calls whose outcome is unknown, and how they are settled."),
    ("providers", "The vendors behind the gateway and how they are doing."),
    ("vendor hooks", "What vendors call. Authenticated as each vendor does it."),
    ("audit", "Who read, decided and changed what."),
    ("health", "For orchestrators and load balancers."),
    ("problems", "What each kind of error answer means."),
];

const DESCRIPTION: &str = "\
One API in front of every background-check vendor.

**Auth.** `Authorization: Bearer <JWT>` with the claims `sub`, `tenant`, `scope` (space-separated) and `exp`. The scopes \
that an operation needs stand beside it. Another tenant's objects are not found.

**Errors** are problem details (RFC 9457); `type` leads to a page that explains the kind, and `errors` names every fault \
with a JSON Pointer into the body.

**Idempotency-Key**, optional on every POST that makes or changes something: the same key with the same body gives the \
stored answer again, with `idempotent-replayed: true`, for 24 hours. On searches it is without effect.

**Lists** take `limit` (1 to 200) and `cursor`, and give `next_cursor`.

**Limits**, where set, show in `RateLimit-Policy` and `RateLimit`; beyond them the answer is 429 with `Retry-After`.

**Times** are RFC 3339 in UTC, dates `YYYY-MM-DD`, countries ISO 3166-1 alpha-2, money a decimal string with an ISO 4217 \
currency.";

/// The whole contract.
pub fn openapi() -> OpenApi {
    crate::router::documented().1
}

/// The document without operations.
pub fn frame() -> OpenApi {
    Frame::openapi()
}

impl Modify for Base {
    fn modify(&self, document: &mut OpenApi) {
        document.info = InfoBuilder::new()
            .title("vetgate")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(DESCRIPTION))
            .contact(Some(ContactBuilder::new().name(Some("vetgate")).build()))
            .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
            .build();
        document.tags = Some(
            TAGS.iter()
                .map(|(name, text)| {
                    let mut tag = Tag::new(*name);
                    tag.description = Some((*text).to_owned());
                    tag
                })
                .collect(),
        );
        let scopes = Scope::ALL.iter().map(|scope| format!("* `{}`: {}", scope.as_str(), scope.meaning().trim()));
        let text = format!("A JWT. Scopes:\n\n{}", scopes.collect::<Vec<_>>().join("\n"));
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some(text);
        if let Some(components) = &mut document.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        }
    }
}

#[cfg(test)]
mod tests;
