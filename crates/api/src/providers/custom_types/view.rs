//! A custom type as callers see and write it.

use std::collections::BTreeMap;

use provider::CustomType;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// A check type of a vendor account's own, to be named as a background check's `custom_type`.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomType)]
pub struct CustomTypeView {
    /// ISO 3166-1 alpha-2, or `ALL`.
    #[schema(examples("CO"))]
    country: String,
    name: String,
    /// How much each data set counts in the score: from 0 (searched, without weight) to 1, adding up to 1. What is left out
    /// is not searched.
    weights: BTreeMap<String, f64>,
}

impl CustomTypeView {
    pub fn of(known: CustomType) -> Self {
        Self { country: known.country, name: known.name, weights: known.weights }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes")]
pub struct AccountParams {
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
}
