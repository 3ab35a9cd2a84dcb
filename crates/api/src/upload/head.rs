//! What an upload says for all of its rows.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};
use tabular::Format;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::draft::LONGEST_EXTERNAL_ID;
use crate::faults::Faults;
use crate::problem::Problem;
use crate::query::Query;
use crate::{section, texts};

/// The most bytes of `defaults` as JSON: they are copied under every row.
pub const MOST_DEFAULTS: usize = 64 * 1024;

/// What becomes of an upload with rows that are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// Nothing is accepted.
    #[default]
    Reject,
    /// The valid rows are accepted; the batch lists the others.
    Skip,
}

impl OnInvalid {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "reject" => Some(Self::Reject),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// How an upload is to be taken.
#[derive(Debug, Default, PartialEq)]
pub struct Head {
    pub external_id: Option<String>,
    pub on_invalid: OnInvalid,
}

/// What the address says of it.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub external_id: Option<String>,
    pub on_invalid: Option<OnInvalid>,
}

/// What the body says of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    external_id: Option<String>,
    defaults: Option<Map<String, Value>>,
    on_invalid: Option<OnInvalid>,
}

impl Given {
    /// Takes it off the query.
    pub fn of(query: &mut Query) -> Self {
        let external_id = query.text("external_id");
        if external_id.as_deref().is_some_and(|id| id.is_empty() || id.chars().count() > LONGEST_EXTERNAL_ID) {
            let detail = format!("Expected 1 to {LONGEST_EXTERNAL_ID} characters.");
            query.faults.parameter("external_id", "invalid", detail);
        }
        Self { external_id, on_invalid: query.parsed("on_invalid", "reject or skip", OnInvalid::parse) }
    }

    /// How the upload is to be taken if its body says nothing of that.
    pub fn alone(self) -> Head {
        Head { external_id: self.external_id, on_invalid: self.on_invalid.unwrap_or_default() }
    }

    /// Adds what the body says, with the defaults of its rows.
    pub fn with(self, said: Map<String, Value>, mut faults: Faults) -> Result<(Head, Map<String, Value>), Problem> {
        let said: Option<Said> = section::parse(Value::Object(said), "", &mut faults);
        if let Some(said) = &said {
            if let Some(id) = &said.external_id {
                if id.is_empty() {
                    faults.push("/external_id", "invalid", "Leave it out, or give it at least one character.");
                }
                texts::one(id, "/external_id", LONGEST_EXTERNAL_ID, &mut faults);
            }
            if said.defaults.as_ref().is_some_and(|defaults| size(defaults) > MOST_DEFAULTS) {
                let detail = format!("At most {} KiB are taken.", MOST_DEFAULTS / 1024);
                faults.push("/defaults", "too_long", detail);
            }
            let twice = "It is in the address already; say it once.";
            if said.external_id.is_some() && self.external_id.is_some() {
                faults.push("/external_id", "repeated", twice);
            }
            if said.on_invalid.is_some() && self.on_invalid.is_some() {
                faults.push("/on_invalid", "repeated", twice);
            }
        }
        faults.settle()?;
        let said = said.ok_or_else(|| Problem::internal(&"an upload's head could not be read, without a fault"))?;
        let head = Head {
            external_id: self.external_id.or(said.external_id),
            on_invalid: self.on_invalid.or(said.on_invalid).unwrap_or_default(),
        };
        Ok((head, said.defaults.unwrap_or_default()))
    }
}

fn size(defaults: &Map<String, Value>) -> usize {
    serde_json::to_vec(defaults).map_or(usize::MAX, |json| json.len())
}

/// The JSON body of a new batch. It is read by [`orders`](super::orders); this type only documents it.
pub struct BatchRequest;

/// A file of a spreadsheet program. Bytes, for which there is no schema.
pub struct Workbook;

impl PartialSchema for Workbook {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some("An Excel workbook."));
        RefOr::T(bytes.content_media_type(Format::Xlsx.media_type()).build().into())
    }
}

impl ToSchema for Workbook {}

impl PartialSchema for BatchRequest {
    fn schema() -> RefOr<Schema> {
        let optional = |kind| ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]));
        let free = |object: ObjectBuilder| object.additional_properties(Some(AdditionalProperties::FreeForm(true)));
        let external_id = optional(Type::String)
            .min_length(Some(1))
            .max_length(Some(LONGEST_EXTERNAL_ID))
            .description(Some("The caller's own id for the batch. Not unique."));
        let defaults = free(optional(Type::Object)).description(Some(
            "Fields of an order that are put under each of `orders`: what an order says itself wins, also where it says \
             `null`; objects merge, and so do the elements of arrays at the same position. At most 64 KiB.",
        ));
        let order = free(ObjectBuilder::new().schema_type(Type::Object)).description(Some(
            "With the defaults under it, a new order as `createOrder` takes it, but that consent documents are given by \
             `url` only.",
        ));
        let orders = ArrayBuilder::new().items(order).min_items(Some(1)).max_items(Some(super::MOST_ORDERS));
        let on_invalid = RefOr::Ref(Ref::from_schema_name("OnInvalid"));
        let batch = ObjectBuilder::new()
            .description(Some("A new batch. Larger ones come as NDJSON, CSV or xlsx."))
            .property("external_id", external_id)
            .property("defaults", defaults)
            .property("orders", orders)
            .required("orders")
            .property("on_invalid", on_invalid)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(batch.build().into())
    }
}

impl ToSchema for BatchRequest {
    fn name() -> Cow<'static, str> {
        "NewBatch".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((OnInvalid::name().into_owned(), OnInvalid::schema()));
    }
}
