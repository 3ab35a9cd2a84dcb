//! The schemas of an order's body, where the contract tells its parts apart by `type`.
//!
//! They are put together from the domain's own: each variant is the domain's object with the fields that the contract
//! adds. Composing them with `allOf` would not do, since those objects take no unknown fields.

use std::borrow::Cow;

use domain::input::{
    BackgroundCheck, EducationVerification, EmploymentVerification, IdentityVerification, IncomeVerification,
};
use domain::{Company, Consent, Person, Position, Purpose, Vehicle};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Discriminator, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::draft::{LONGEST_EXTERNAL_ID, LONGEST_METADATA_VALUE, MOST_PROVIDERS};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// The body of a new order. It is read by [`draft`](crate::draft); this type only documents it.
pub struct OrderRequest;

/// The subject of a new order.
pub struct SubjectRequest;

/// A check of a new order.
pub struct CheckRequest;

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn optional(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn to(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn known<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
    to(&T::name())
}

/// The object of `T` with a `type` that says which it is, under a name of its own.
fn tagged<T: ToSchema>(tag: &str, name: &str, more: impl Fn(&mut Object), schemas: &mut Schemas) -> RefOr<Schema> {
    T::schemas(schemas);
    if let RefOr::T(Schema::Object(mut object)) = T::schema() {
        object.properties.insert("type".to_owned(), text().enum_values(Some([tag])).into());
        object.required.insert(0, "type".to_owned());
        more(&mut object);
        schemas.push((name.to_owned(), RefOr::T(Schema::Object(object))));
    }
    to(name)
}

fn one_of(description: &str, variants: &[(&str, &str)]) -> RefOr<Schema> {
    let mapping = variants.iter().map(|(tag, name)| (*tag, format!("#/components/schemas/{name}")));
    let union = OneOfBuilder::new()
        .description(Some(description))
        .discriminator(Some(Discriminator::with_mapping("type", mapping)));
    RefOr::T(variants.iter().fold(union, |union, (_, name)| union.item(to(name))).build().into())
}

const SUBJECTS: &[(&str, &str)] =
    &[("person", "PersonSubject"), ("company", "CompanySubject"), ("vehicle", "VehicleSubject")];

impl PartialSchema for SubjectRequest {
    fn schema() -> RefOr<Schema> {
        one_of("Whom or what an order is about.", SUBJECTS)
    }
}

impl ToSchema for SubjectRequest {
    fn name() -> Cow<'static, str> {
        "Subject".into()
    }

    fn schemas(schemas: &mut Schemas) {
        let nothing = |_: &mut Object| {};
        tagged::<Person>(SUBJECTS[0].0, SUBJECTS[0].1, nothing, schemas);
        tagged::<Company>(SUBJECTS[1].0, SUBJECTS[1].1, nothing, schemas);
        tagged::<Vehicle>(SUBJECTS[2].0, SUBJECTS[2].1, nothing, schemas);
        // A vehicle's driver is a person without a type.
        known::<Person>(schemas);
    }
}

const CHECKS: &[(&str, &str)] = &[
    ("employment_verification", "EmploymentVerificationCheck"),
    ("income_verification", "IncomeVerificationCheck"),
    ("education_verification", "EducationVerificationCheck"),
    ("background_check", "BackgroundCheckCheck"),
    ("identity_verification", "IdentityVerificationCheck"),
];

impl PartialSchema for CheckRequest {
    fn schema() -> RefOr<Schema> {
        one_of("What is to be found out.", CHECKS)
    }
}

impl ToSchema for CheckRequest {
    fn name() -> Cow<'static, str> {
        "NewCheck".into()
    }

    fn schemas(schemas: &mut Schemas) {
        tagged::<EmploymentVerification>(CHECKS[0].0, CHECKS[0].1, routed, schemas);
        tagged::<IncomeVerification>(CHECKS[1].0, CHECKS[1].1, routed, schemas);
        tagged::<EducationVerification>(CHECKS[2].0, CHECKS[2].1, routed, schemas);
        tagged::<BackgroundCheck>(CHECKS[3].0, CHECKS[3].1, routed, schemas);
        tagged::<IdentityVerification>(CHECKS[4].0, CHECKS[4].1, routed, schemas);
    }
}

/// The fields that every check may carry.
fn routed(object: &mut Object) {
    let provider = providers(
        "The vendor, with a product where it has some (`truework:employer-search`), or a list of them that are tried in turn: \
         where one finds no record, cannot find out or refuses, the next has its turn. With a list, `vendor_options` \
         holds an object for each vendor, under its name. Absent: the order's, else the configured route.",
    );
    let account = optional(Type::String).description(Some("The vendor account, where there are several."));
    let options = optional(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some("Fields of the vendor's own, from an allow-list per vendor: see the vendor's page. Theary also takes `one_order`: \
             with `true` the checks of one order that say so share one order of the vendor's, each with a search of its own."));
    object.properties.insert("provider".to_owned(), provider);
    object.properties.insert("account".to_owned(), account.into());
    object.properties.insert("vendor_options".to_owned(), options.into());
}

/// One provider's name, or a list of them.
fn providers(description: &str) -> RefOr<Schema> {
    let list = ArrayBuilder::new().items(text()).min_items(Some(1)).max_items(Some(MOST_PROVIDERS));
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let one_of = OneOfBuilder::new().item(text()).item(list).item(null).description(Some(description));
    RefOr::T(one_of.build().into())
}

impl PartialSchema for OrderRequest {
    fn schema() -> RefOr<Schema> {
        let checks = ArrayBuilder::new().items(to(&CheckRequest::name())).min_items(Some(1)).max_items(Some(20));
        let metadata = optional(Type::Object)
            .additional_properties(Some(text().max_length(Some(LONGEST_METADATA_VALUE))))
            .max_properties(Some(50))
            .description(Some("The caller's own pairs: keys of at most 40 characters."));
        let external_id = optional(Type::String).min_length(Some(1)).max_length(Some(LONGEST_EXTERNAL_ID)).description(
            Some("The caller's own id for it. Not unique: duplicates are allowed, and can be filtered by."),
        );
        let order = ObjectBuilder::new()
            .description(Some("A new order. Texts hold at most 1,000 characters, and no control characters."))
            .property("external_id", external_id)
            .property("subject", to(&SubjectRequest::name()))
            .required("subject")
            .property("position", to(&Position::name()))
            .property("purpose", to(&Purpose::name()))
            .property("consent", to(&Consent::name()))
            .required("consent")
            .property("provider", providers("The vendor, or the vendors in turn, of every check that names none."))
            .property("checks", checks)
            .required("checks")
            .property("metadata", metadata)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(order.build().into())
    }
}

impl ToSchema for OrderRequest {
    fn name() -> Cow<'static, str> {
        "NewOrder".into()
    }

    fn schemas(schemas: &mut Schemas) {
        known::<SubjectRequest>(schemas);
        known::<Position>(schemas);
        known::<Purpose>(schemas);
        known::<Consent>(schemas);
        known::<CheckRequest>(schemas);
    }
}
