//! A vendor's own calls, made through the gateway by somebody who knows them.
//!
//! An adapter lists what is passed. Everything else is refused before anything is sent: above all what creates, since an
//! order that the gateway does not know of could never be reconciled.

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use crate::call::{CallContext, CallError};
use crate::http::VendorAnswer;

/// The longest path.
const LONGEST_PATH: usize = 300;

/// The part of an adapter that passes calls on.
#[async_trait]
pub trait Passthrough: Send + Sync {
    /// Whether the call is passed. Pure.
    fn judge(&self, call: &PassedCall) -> Result<Passed, PassRefusal>;

    /// Makes the call, once, and gives the vendor's answer whatever its status. What is not passed is not sent.
    async fn pass(&self, ctx: &CallContext, call: &PassedCall) -> Result<VendorAnswer, CallError>;
}

/// A call as it was asked for. May hold personal data and secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct PassedCall {
    pub method: Method,
    /// Below the vendor's address: `/v1/checks/CHK…`.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: PassedBody,
}

#[derive(Clone)]
pub enum PassedBody {
    None,
    Form(Vec<(String, String)>),
    Json(Value),
}

/// A call that is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The path without the ids in it, for the audit log.
    pub template: &'static str,
    /// It may change something at the vendor, so it must not be repeated unseen.
    pub changes: bool,
    /// The vendor's object that it erases, which nothing here may need any more.
    pub erases: Option<String>,
}

/// Why a call is not passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassRefusal {
    #[error(
        "Expected a path such as /v1/things/1: without scheme, host, query or trailing slash, of letters, digits, `-`, `_` and `.` only."
    )]
    Path,
    #[error(
        "This call creates something at the vendor that no order here would know of, and that could never be reconciled. Use /v1/orders or /v1/batches."
    )]
    Creates,
    #[error("This call is not passed: {0}")]
    Withheld(&'static str),
    #[error("This call is not passed. Passed are: {}.", .passed.join(", "))]
    Unknown { passed: Vec<String> },
}

/// What is done about a kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Reads,
    Changes,
    /// Erases the object that the first id in the path names.
    Erases,
    Creates,
    /// Not passed, for this reason.
    Withheld(&'static str),
}

/// A line of an adapter's list. In the template `{…}` stands for one segment.
#[derive(Debug)]
pub struct Rule {
    pub method: Method,
    pub template: &'static str,
    pub verdict: Verdict,
}

/// Judges a call by the first rule that is about it. The order of the rules counts: `/v1/a/b` goes before `/v1/a/{id}`.
pub fn judge(rules: &'static [Rule], call: &PassedCall) -> Result<Passed, PassRefusal> {
    let segments = segments(&call.path).ok_or(PassRefusal::Path)?;
    let fits = |rule: &&Rule| rule.method == call.method && is_of(rule.template, &segments);
    let Some(rule) = rules.iter().find(fits) else {
        let is_passed = |rule: &&Rule| matches!(rule.verdict, Verdict::Reads | Verdict::Changes | Verdict::Erases);
        let passed = rules.iter().filter(is_passed).map(|rule| format!("{} {}", rule.method, rule.template));
        return Err(PassRefusal::Unknown { passed: passed.collect() });
    };
    let named = rule.template.split('/').skip(1).position(is_placeholder).map(|at| segments[at].to_owned());
    match rule.verdict {
        Verdict::Reads => Ok(Passed { template: rule.template, changes: false, erases: None }),
        Verdict::Changes => Ok(Passed { template: rule.template, changes: true, erases: None }),
        Verdict::Erases => Ok(Passed { template: rule.template, changes: true, erases: named }),
        Verdict::Creates => Err(PassRefusal::Creates),
        Verdict::Withheld(why) => Err(PassRefusal::Withheld(why)),
    }
}

/// The segments of a path, if it is one that every server on the way reads alike. Nothing in it is encoded, so nothing can
/// turn into a slash or a dot later.
fn segments(path: &str) -> Option<Vec<&str>> {
    let rest = path.strip_prefix('/').filter(|rest| rest.len() < LONGEST_PATH)?;
    let is_plain = |segment: &&str| {
        !matches!(*segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let segments: Vec<_> = rest.split('/').collect();
    segments.iter().all(is_plain).then_some(segments)
}

fn is_of(template: &str, segments: &[&str]) -> bool {
    let parts: Vec<_> = template.split('/').skip(1).collect();
    parts.len() == segments.len()
        && parts.iter().zip(segments).all(|(part, segment)| is_placeholder(part) || part == segment)
}

fn is_placeholder(part: &str) -> bool {
    part.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULES: &[Rule] = &[
        Rule { method: Method::GET, template: "/v1/things/all", verdict: Verdict::Withheld("it is long.") },
        Rule { method: Method::GET, template: "/v1/things/{id}", verdict: Verdict::Reads },
        Rule { method: Method::DELETE, template: "/v1/things/{id}", verdict: Verdict::Erases },
        Rule { method: Method::POST, template: "/v1/things", verdict: Verdict::Creates },
        Rule { method: Method::PUT, template: "/v1/settings", verdict: Verdict::Changes },
    ];

    fn judged(method: &str, path: &str) -> Result<Passed, PassRefusal> {
        let method = method.parse().expect("a method");
        judge(RULES, &PassedCall { method, path: path.to_owned(), query: Vec::new(), body: PassedBody::None })
    }

    #[test]
    fn calls_are_judged_by_the_first_rule_about_them() {
        let passed = |template, changes, erases: Option<&str>| {
            Ok(Passed { template, changes, erases: erases.map(str::to_owned) })
        };
        assert_eq!(judged("GET", "/v1/things/T-1"), passed("/v1/things/{id}", false, None));
        assert_eq!(judged("PUT", "/v1/settings"), passed("/v1/settings", true, None));
        assert_eq!(judged("DELETE", "/v1/things/T-1"), passed("/v1/things/{id}", true, Some("T-1")));
        assert_eq!(judged("GET", "/v1/things/all"), Err(PassRefusal::Withheld("it is long.")));
        assert_eq!(judged("POST", "/v1/things"), Err(PassRefusal::Creates));
        for (method, path) in [("PATCH", "/v1/settings"), ("GET", "/v1/settings"), ("GET", "/v1/things/1/more")] {
            assert!(matches!(judged(method, path), Err(PassRefusal::Unknown { .. })), "{method} {path}");
        }
        let told = judged("GET", "/v2").expect_err("unknown").to_string();
        assert!(
            told.contains("DELETE /v1/things/{id}") && !told.contains("POST") && !told.contains("things/all"),
            "{told}"
        );
    }

    #[test]
    fn a_path_is_read_alike_by_everybody() {
        for path in [
            "",
            "/",
            "v1/settings",
            "//evil.example/v1",
            "/v1//settings",
            "/v1/settings/",
            "/v1/./settings",
            "/v1/things/..",
            "/v1/things/../settings",
            "/v1/things/%2e%2e",
            "/v1/things/a%2Fb",
            "/v1/things/a%252Fb",
            "/v1\\settings",
            "/v1/settings?x=1",
            "/v1/settings#x",
            "/v1/settings;x",
            "https://evil.example/v1/settings",
            "/v1/things/é",
            "/v1/things/a b",
            "/v1/things/a\u{0}",
            "/v1/things/@evil.example",
            "/v1/things/a:80",
        ] {
            assert_eq!(judged("GET", path), Err(PassRefusal::Path), "{path:?}");
        }
        assert_eq!(judged("GET", &format!("/v1/things/{}", "a".repeat(300))), Err(PassRefusal::Path));
    }
}
