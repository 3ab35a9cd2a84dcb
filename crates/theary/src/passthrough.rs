//! The vendor's calls that others may make through the gateway: reads.

use async_trait::async_trait;
use http::Method;
use provider::passthrough::{self, Rule, Verdict};
use provider::{CallContext, CallError, PassRefusal, Passed, PassedCall, Passthrough, VendorAnswer};

use crate::Theary;
use crate::client::bad_request;

/// Below `/background-check/v1`.
static RULES: &[Rule] = &[
    Rule { method: Method::POST, template: "/orders", verdict: Verdict::Creates },
    Rule { method: Method::POST, template: "/batches", verdict: Verdict::Creates },
    Rule { method: Method::GET, template: "/orders", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}/searches", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}/searches/{search_id}", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}/events", verdict: Verdict::Reads },
];

#[async_trait]
impl Passthrough for Theary {
    fn judge(&self, call: &PassedCall) -> Result<Passed, PassRefusal> {
        passthrough::judge(RULES, call)
    }

    async fn pass(&self, ctx: &CallContext, call: &PassedCall) -> Result<VendorAnswer, CallError> {
        self.judge(call).map_err(|_| bad_request())?;
        self.client.read_path(ctx, &call.path, &call.query).await
    }
}
