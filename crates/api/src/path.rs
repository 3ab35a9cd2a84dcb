//! Ids in addresses.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::problem::Problem;

/// The first id of the path. What is no id of its kind cannot be found.
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let not_found = || Problem::not_found("object: that is no id of this kind");
        // Not even the encoding of an address is our caller's word for anything.
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| not_found())?;
        let text = params.iter().next().map(|(_, value)| value.to_owned()).ok_or_else(not_found)?;
        text.parse().map(Self).map_err(|_| not_found())
    }
}

/// The most bytes of a text in a path: more names nothing that there is.
const LONGEST: usize = 200;

/// The texts of the path, in their order. What is too long, or holds control characters, names nothing.
pub struct PathTexts(pub Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found("object"))?;
        let texts: Vec<_> = params.iter().map(|(_, value)| value.to_owned()).collect();
        if texts.iter().any(|text| text.len() > LONGEST || text.chars().any(char::is_control)) {
            return Err(Problem::not_found("object"));
        }
        Ok(Self(texts))
    }
}
