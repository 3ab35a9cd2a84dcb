//! A vendor as callers see it.

use domain::{CheckType, ProviderId, TenantId, Timestamp};
use engine::Providers;
use provider::{CancelSupport, HookAuthentication};
use serde::Serialize;
use store::{AccountStatus, Circuit};
use utoipa::ToSchema;

/// What a vendor can do, and how it is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderView {
    #[schema(examples("theary"))]
    id: ProviderId,
    name: &'static str,
    /// Whether it is set up on this gateway.
    enabled: bool,
    /// Why it is not.
    #[schema(required)]
    off_reason: Option<String>,
    products: Vec<ProductView>,
    /// The most checks that one create call carries.
    #[schema(required)]
    batch_size: Option<usize>,
    /// Whether the vendor can stop a check.
    #[schema(required)]
    can_cancel: Option<bool>,
    #[schema(required)]
    hook_authentication: Option<HookAuthenticationView>,
    /// The accounts that are open to the caller.
    accounts: Vec<AccountView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
struct ProductView {
    check_type: CheckType,
    /// ISO 3166-1 alpha-2, or `ALL`; empty: not bound to countries.
    countries: Vec<&'static str>,
    /// What the vendor demands, one line per rule.
    required_inputs: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookAuthentication)]
enum HookAuthenticationView {
    /// The whole body is signed: its content counts.
    SignedBody,
    /// A static token: the content only says what to fetch.
    StaticToken,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProviderAccount)]
struct AccountView {
    id: String,
    /// Set while nothing is sent to the vendor by an operator's decision.
    #[schema(required)]
    paused: Option<PausedView>,
    circuit: CircuitView,
    #[schema(required)]
    circuit_until: Option<Timestamp>,
    /// Set while the vendor asked for a rest.
    #[schema(required)]
    rest_until: Option<Timestamp>,
    /// Requests a second; `null`: not limited.
    #[schema(required)]
    rate: Option<f64>,
    #[schema(required)]
    last_error: Option<LastErrorView>,
    /// The address to paste into the vendor's dashboard.
    #[schema(required, format = "uri")]
    hook_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Pause)]
struct PausedView {
    at: Timestamp,
    by: String,
    #[schema(required)]
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Circuit)]
enum CircuitView {
    /// Calls go through.
    Closed,
    /// The vendor failed too often; nothing is sent.
    Open,
    /// A few calls try whether it is back.
    HalfOpen,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProviderError)]
struct LastErrorView {
    code: String,
    at: Timestamp,
}

impl ProviderView {
    /// `tenant`: whose accounts are shown; `None`: everybody's.
    pub fn of(providers: &Providers, id: &ProviderId, statuses: &[AccountStatus], tenant: Option<&TenantId>) -> Self {
        let descriptor = providers.accounts_of(id).next().map(|account| account.provider.descriptor());
        let products = descriptor.map(|descriptor| descriptor.products.as_slice()).unwrap_or_default();
        let open = providers.accounts_of(id).filter(|account| tenant.is_none_or(|tenant| account.is_open_to(tenant)));
        Self {
            id: id.clone(),
            name: providers.display_name(id).unwrap_or_default(),
            enabled: descriptor.is_some(),
            off_reason: providers.off(id).map(str::to_owned),
            products: products
                .iter()
                .map(|product| ProductView {
                    check_type: product.check_type,
                    countries: product.countries.clone(),
                    required_inputs: product.required_inputs.clone(),
                })
                .collect(),
            batch_size: descriptor.map(|descriptor| descriptor.batch_size),
            can_cancel: descriptor.map(|descriptor| descriptor.cancel == CancelSupport::Yes),
            hook_authentication: descriptor.map(|descriptor| match descriptor.hooks {
                HookAuthentication::SignedBody => HookAuthenticationView::SignedBody,
                HookAuthentication::StaticToken => HookAuthenticationView::StaticToken,
            }),
            accounts: open
                .map(|account| {
                    let status = statuses.iter().find(|status| status.key == account.key);
                    AccountView::of(account, status)
                })
                .collect(),
        }
    }
}

impl AccountView {
    fn of(account: &engine::Account, status: Option<&AccountStatus>) -> Self {
        Self {
            id: account.key.account.clone(),
            paused: status.and_then(|status| status.paused.as_ref()).map(|paused| PausedView {
                at: paused.at,
                by: paused.by.clone(),
                reason: paused.reason.clone(),
            }),
            circuit: match status.map(|status| &status.circuit) {
                None | Some(Circuit::Closed) => CircuitView::Closed,
                Some(Circuit::Open) => CircuitView::Open,
                Some(Circuit::HalfOpen) => CircuitView::HalfOpen,
            },
            circuit_until: status.and_then(|status| status.circuit_until),
            rest_until: status.and_then(|status| status.rest_until),
            rate: account.timing.rate,
            last_error: status
                .and_then(|status| status.last_error.as_ref())
                .map(|(code, at)| LastErrorView { code: code.clone(), at: *at }),
            hook_url: account.hook_url.as_ref().map(ToString::to_string),
        }
    }
}
