//! Which of the vendor's calls others may make through the gateway.
//!
//! Reads of checks, the account's own settings, and erasing what nobody here needs. Not passed are calls that make checks,
//! now or later, and calls whose answers hold keys or links that open files for whoever holds them.

use async_trait::async_trait;
use http::Method;
use provider::passthrough::{self, Rule, Verdict};
use provider::{CallContext, CallError, PassRefusal, Passed, PassedCall, Passthrough, VendorAnswer};

use crate::{Truora, client};

const LINKS: &str = "its answer holds links that open files without a key; use /v1/orders/{id}/documents";
const KEYS: &str = "its answer holds keys";
const STOPS: &str = "it stops rows that orders here may wait for; use POST /v1/batches/{id}/cancel";
const LATER: &str = "it can make the vendor create checks later";

const fn rule(method: Method, template: &'static str, verdict: Verdict) -> Rule {
    Rule { method, template, verdict }
}

/// Host and calls. A path is looked for at the host that has it, so a caller never names one.
static CHECKS: &[Rule] = &[
    rule(Method::POST, "/v1/checks", Verdict::Creates),
    rule(Method::GET, "/v1/checks", Verdict::Reads),
    rule(Method::GET, "/v1/checks/{check_id}", Verdict::Reads),
    rule(Method::DELETE, "/v1/checks/{check_id}", Verdict::Erases),
    rule(Method::GET, "/v1/checks/{check_id}/details", Verdict::Reads),
    rule(Method::GET, "/v1/checks/{check_id}/summarize", Verdict::Reads),
    rule(Method::GET, "/v1/checks/{check_id}/variables", Verdict::Reads),
    rule(Method::GET, "/v1/checks/{check_id}/attachments", Verdict::Withheld(LINKS)),
    rule(Method::POST, "/v1/checks/{check_id}/pdf", Verdict::Changes),
    rule(Method::GET, "/v1/checks/{check_id}/pdf", Verdict::Reads),
    rule(Method::GET, "/v1/health", Verdict::Reads),
    rule(Method::GET, "/v1/config", Verdict::Reads),
    rule(Method::POST, "/v1/config", Verdict::Changes),
    rule(Method::PUT, "/v1/config", Verdict::Changes),
    rule(Method::DELETE, "/v1/config", Verdict::Changes),
    rule(Method::POST, "/v1/settings", Verdict::Changes),
    // What the list holds beside ids is not documented.
    rule(Method::GET, "/v1/config/credentials", Verdict::Withheld(KEYS)),
    rule(Method::POST, "/v1/config/credentials/{database_id}", Verdict::Withheld(KEYS)),
    rule(Method::DELETE, "/v1/config/credentials/{database_id}", Verdict::Withheld(KEYS)),
    rule(Method::POST, "/v1/continuous-checks", Verdict::Creates),
    // Enabled again, or more often, it makes checks.
    rule(Method::PUT, "/v1/continuous-checks/{continuous_check_id}", Verdict::Withheld(LATER)),
    rule(Method::GET, "/v1/continuous-checks", Verdict::Reads),
    rule(Method::GET, "/v1/continuous-checks/{continuous_check_id}", Verdict::Reads),
    rule(Method::GET, "/v1/continuous-checks/{continuous_check_id}/history", Verdict::Reads),
    // Of the vendor's other products; their hosts are not called at all.
    rule(Method::POST, "/v1/validations", Verdict::Creates),
    rule(Method::POST, "/v1/processes", Verdict::Creates),
    rule(Method::POST, "/v1/enrollments", Verdict::Creates),
    rule(Method::POST, "/v1/accounts", Verdict::Creates),
    rule(Method::POST, "/v1/web-integration/{flow_id}/process-access-link", Verdict::Creates),
];

static ACCOUNT: &[Rule] = &[
    rule(Method::POST, "/v1/batches", Verdict::Creates),
    rule(Method::POST, "/v1/batches/{batch_id}/start", Verdict::Creates),
    rule(Method::GET, "/v1/batches/{batch_id}", Verdict::Reads),
    rule(Method::PUT, "/v1/batches/{batch_id}", Verdict::Withheld(STOPS)),
    rule(Method::POST, "/v1/batches/{batch_id}/report", Verdict::Changes),
    rule(Method::GET, "/v1/batches/{batch_id}/report", Verdict::Withheld(LINKS)),
    rule(Method::GET, "/v1/bre/rules", Verdict::Reads),
    rule(Method::GET, "/v1/bre/rules/{rule_id}", Verdict::Reads),
    rule(Method::DELETE, "/v1/bre/rules/{rule_id}", Verdict::Changes),
    rule(Method::GET, "/v1/bre/variables-spec", Verdict::Reads),
    // An action can be to create a check, and holds the headers it calls with.
    rule(Method::POST, "/v1/bre/rules/{rule_id}/actions", Verdict::Withheld(LATER)),
    rule(Method::PUT, "/v1/bre/rules/{rule_id}/actions/{action_id}", Verdict::Withheld(LATER)),
    rule(Method::GET, "/v1/bre/rules/{rule_id}/actions", Verdict::Withheld(KEYS)),
    rule(Method::GET, "/v1/hooks", Verdict::Withheld(KEYS)),
    rule(Method::GET, "/v1/hooks/events", Verdict::Reads),
    rule(Method::GET, "/v1/hooks/events/{idempotency_key}", Verdict::Reads),
    rule(Method::POST, "/v1/api-keys", Verdict::Withheld(KEYS)),
];

#[async_trait]
impl Passthrough for Truora {
    fn judge(&self, call: &PassedCall) -> Result<Passed, PassRefusal> {
        match (passthrough::judge(CHECKS, call), passthrough::judge(ACCOUNT, call)) {
            (Err(PassRefusal::Unknown { passed }), Err(PassRefusal::Unknown { passed: more })) => {
                Err(PassRefusal::Unknown { passed: [passed, more].concat() })
            }
            (Err(PassRefusal::Unknown { .. }), judged) | (judged, _) => judged,
        }
    }

    async fn pass(&self, ctx: &CallContext, call: &PassedCall) -> Result<VendorAnswer, CallError> {
        self.judge(call).map_err(|_| client::bad_request())?;
        let is_of_account = passthrough::judge(ACCOUNT, call).is_ok();
        let host = if is_of_account { &self.account } else { &self.checks };
        self.client.pass(ctx, host.base(), call).await
    }
}
