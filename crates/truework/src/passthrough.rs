//! The vendor's calls that others may make through the gateway: reads.

use async_trait::async_trait;
use http::Method;
use provider::passthrough::{self, Rule, Verdict};
use provider::{CallContext, CallError, PassRefusal, Passed, PassedCall, Passthrough, VendorAnswer};

use crate::Truework;
use crate::client::bad_request;

/// Below the address of the API.
static RULES: &[Rule] = &[
    Rule { method: Method::POST, template: "/orders/target-employer", verdict: Verdict::Creates },
    Rule { method: Method::POST, template: "/orders/employer-search", verdict: Verdict::Creates },
    Rule { method: Method::POST, template: "/orders/truework-direct", verdict: Verdict::Creates },
    Rule { method: Method::POST, template: "/orders/reverification", verdict: Verdict::Creates },
    Rule { method: Method::GET, template: "/orders", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/orders/{id}/events", verdict: Verdict::Reads },
    Rule { method: Method::GET, template: "/reports/{id}", verdict: Verdict::Reads },
];

#[async_trait]
impl Passthrough for Truework {
    fn judge(&self, call: &PassedCall) -> Result<Passed, PassRefusal> {
        passthrough::judge(RULES, call)
    }

    async fn pass(&self, ctx: &CallContext, call: &PassedCall) -> Result<VendorAnswer, CallError> {
        self.judge(call).map_err(|_| bad_request())?;
        self.client.read(ctx, &call.path, &call.query).await
    }
}
