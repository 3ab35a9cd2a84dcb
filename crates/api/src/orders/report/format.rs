//! In which form a report is given: the caller's `Accept` says.

use headers_accept::Accept;
use http::HeaderMap;
use http::header::ACCEPT;
use mediatype::{MediaType, names};

/// A form that a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Html,
    Pdf,
}

/// The first of equals is given.
const ALL: [(Format, MediaType<'_>); 3] = [
    (Format::Json, MediaType::new(names::APPLICATION, names::JSON)),
    (Format::Html, MediaType::new(names::TEXT, names::HTML)),
    (Format::Pdf, MediaType::new(names::APPLICATION, names::PDF)),
];

impl Format {
    /// The form that the caller likes best (RFC 9110, section 12.5.1); whoever does not say takes anything. `None`: none of
    /// them will do.
    pub fn wished(headers: &HeaderMap) -> Option<Self> {
        let said: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).collect();
        let said = said.join(",");
        if said.trim().is_empty() {
            return Some(Self::Json);
        }
        let accept: Accept = said.parse().ok()?;
        let types = ALL.map(|(_, media_type)| media_type);
        let best = accept.negotiate(&types)?;
        ALL.iter().find(|(_, media_type)| media_type == best).map(|(format, _)| *format)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wished(accept: &'static str) -> Option<Format> {
        Format::wished(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn whoever_does_not_say_gets_json() {
        assert_eq!(Format::wished(&HeaderMap::new()), Some(Format::Json));
        for accept in ["", "*/*", "application/*", "application/json", "Application/JSON; q=0.5", "text/csv, */*;q=0.1"]
        {
            assert_eq!(wished(accept), Some(Format::Json), "{accept:?}");
        }
    }

    #[test]
    fn the_best_liked_is_given() {
        for (accept, format) in [
            ("text/html", Format::Html),
            ("text/*", Format::Html),
            ("application/pdf", Format::Pdf),
            ("application/pdf, */*;q=0.1", Format::Pdf),
            ("application/json;q=0.1, application/pdf;q=0.2, text/html;q=0.15", Format::Pdf),
            ("application/json;q=0, */*", Format::Html),
            ("application/*;q=0.9, text/html", Format::Html),
            ("application/json;q=0.2, application/*;q=0.8", Format::Pdf),
            // What a browser says.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Format::Html),
        ] {
            assert_eq!(wished(accept), Some(format), "{accept:?}");
        }
        let twice = [(ACCEPT, HeaderValue::from_static("text/csv")), (ACCEPT, HeaderValue::from_static("text/html"))];
        let mut headers = HeaderMap::new();
        headers.extend(twice.into_iter().map(|(name, value)| (Some(name), value)));
        headers.append(ACCEPT, HeaderValue::from_static("text/csv"));
        assert_eq!(Format::wished(&headers), Some(Format::Html));
    }

    #[test]
    fn what_is_refused_is_not_given() {
        for accept in ["text/csv", "application/pdf;q=0", "*/*;q=0", "text/html;q=0.000", "image/*", "what is this?"] {
            assert_eq!(wished(accept), None, "{accept:?}");
        }
    }
}
