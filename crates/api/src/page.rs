//! Pages: newest first, by opaque cursors that stay right while new rows come in.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::query::Query;

const DEFAULT: u32 = 50;
const MOST: u32 = 200;

/// Read by hand, so that its faults are told with the others; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct PageParams {
    /// How many entries to give.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before. Opaque.
    #[param(example = "b3JkAAAAAAAAAAAAAAAAAAAAAA")]
    cursor: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Uuid>,
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    /// Give this as `cursor` for the next page; `null` on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl Page {
    /// Takes `limit` and `cursor` off the query. `kind` is the prefix of the listed ids: a cursor of another list is
    /// refused.
    pub fn of(query: &mut Query, kind: &str) -> Self {
        let limit = query.parsed("limit", "a number from 1 to 200", limit_of_text);
        let after = query.parsed("cursor", "the next_cursor of the page before", |text| decode(kind, text));
        Self { limit: limit.unwrap_or(DEFAULT), after }
    }

    /// The same from a body's fields.
    pub fn of_fields(limit: Option<u64>, cursor: Option<&str>, kind: &str, faults: &mut crate::faults::Faults) -> Self {
        let limit =
            limit.map_or(Some(DEFAULT), |limit| u32::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit)));
        if limit.is_none() {
            faults.push("/limit", "invalid", "Expected a number from 1 to 200.");
        }
        let after = cursor.and_then(|cursor| {
            let after = decode(kind, cursor);
            if after.is_none() {
                faults.push("/cursor", "invalid", "Expected the next_cursor of the page before.");
            }
            after
        });
        Self { limit: limit.unwrap_or(DEFAULT), after }
    }

    /// One more than is given: it tells whether there is a next page.
    pub const fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// Makes the page of what was fetched.
    pub fn list<T, U>(
        &self,
        mut fetched: Vec<T>,
        kind: &str,
        id: impl Fn(&T) -> Uuid,
        view: impl FnMut(T) -> U,
    ) -> List<U> {
        let limit = self.limit as usize;
        let has_more = fetched.len() > limit;
        fetched.truncate(limit);
        let next_cursor = fetched.last().filter(|_| has_more).map(|last| encode(kind, id(last)));
        List { data: fetched.into_iter().map(view).collect(), next_cursor }
    }
}

fn limit_of_text(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
        .filter(|limit| (1..=MOST).contains(limit))
}

fn encode(kind: &str, id: Uuid) -> String {
    let mut bytes = kind.as_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(kind: &str, text: &str) -> Option<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    Uuid::from_slice(bytes.strip_prefix(kind.as_bytes())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_are_of_one_list_only() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
        let cursor = encode("ord", id);
        assert_eq!(decode("ord", &cursor), Some(id));
        for foreign in [cursor.as_str(), "", "=", "b3Jk", "AAAA"] {
            assert_eq!(decode("rec", foreign), None);
        }
    }

    #[test]
    fn limits_are_numbers_from_1_to_200() {
        for (text, limit) in [
            ("1", Some(1)),
            ("200", Some(200)),
            ("0", None),
            ("201", None),
            ("+5", None),
            ("", None),
            ("-1", None),
            ("99999999999", None),
        ] {
            assert_eq!(limit_of_text(text), limit, "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = Page { limit: 2, after: None };
        let list = |count: u128| page.list((0..count).map(Uuid::from_u128).collect(), "ord", |id| *id, |id| id);
        assert_eq!(list(2).next_cursor, None);
        let next = list(3).next_cursor.expect("a next page");
        assert_eq!((decode("ord", &next), list(3).data.len()), (Some(Uuid::from_u128(1)), 2));
    }
}
