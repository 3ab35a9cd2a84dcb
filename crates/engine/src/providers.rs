//! The vendor accounts of this gateway, and which of them carries out a check.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, CheckDraft, CheckInput, CheckType, FieldError, OrderInput, ProviderId, TenantId};
use provider::{Provider, Timing};
use url::Url;

/// One account at one vendor, as the settings define it.
#[derive(Clone)]
pub struct Account {
    pub key: AccountKey,
    pub provider: Arc<dyn Provider>,
    /// The adapter's defaults with the settings laid over them.
    pub timing: Timing,
    /// A settle window from the settings, in place of what the adapter says of each kind of check.
    pub settle: Option<Duration>,
    /// Who may use it; `None`: every tenant.
    pub tenants: Option<Vec<TenantId>>,
    /// Where the vendor can send its hooks for this account.
    pub hook_url: Option<Url>,
    /// The most create calls at once.
    pub max_in_flight: usize,
}

impl Account {
    /// How long an object of this check may take to appear after a lost create call: as the settings say, else as the
    /// vendor is known to need for this kind of check.
    pub fn settle_window(&self, check: &CheckInput) -> Duration {
        self.settle.unwrap_or_else(|| self.provider.settle_window(check))
    }

    pub fn is_open_to(&self, tenant: &TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
    }
}

/// Vendors in the order in which they are tried for a kind of check, and a country where one is named.
#[derive(Debug, Clone)]
pub struct Route {
    pub check_type: CheckType,
    pub country: Option<String>,
    pub providers: Vec<ProviderId>,
}

/// A vendor that this gateway knows and has no credentials for.
#[derive(Debug, Clone)]
struct Off {
    display_name: &'static str,
    reason: String,
}

/// Every vendor account, by its key.
#[derive(Clone, Default)]
pub struct Providers {
    accounts: BTreeMap<AccountKey, Account>,
    off: BTreeMap<ProviderId, Off>,
    routes: Vec<Route>,
}

impl Providers {
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    pub fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.accounts.get(key)
    }

    /// Every vendor, those that are off as well.
    pub fn ids(&self) -> Vec<&ProviderId> {
        let mut ids: Vec<_> = self.accounts.keys().map(|key| &key.provider).chain(self.off.keys()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Why a vendor is off, if it is.
    pub fn off(&self, id: &ProviderId) -> Option<&str> {
        self.off.get(id).map(|off| off.reason.as_str())
    }

    /// A vendor's own name.
    pub fn display_name(&self, id: &ProviderId) -> Option<&'static str> {
        let on = self.accounts_of(id).next().map(|account| account.provider.descriptor().display_name);
        on.or_else(|| self.off.get(id).map(|off| off.display_name))
    }

    pub fn accounts_of<'a>(&'a self, id: &'a ProviderId) -> impl Iterator<Item = &'a Account> {
        self.accounts.values().filter(move |account| account.key.provider == *id)
    }

    /// The account that carries out a check, and everything its vendor finds wrong with it.
    ///
    /// The check's own wish comes first, then the order's, then the routes. Where a route names several vendors, the
    /// first that would take the check as it is gets it; if none would, the first one's objections are told.
    pub(crate) fn choose<'a>(
        &'a self,
        tenant: &TenantId,
        wish: Option<&'a ProviderId>,
        order: &OrderInput,
        check: &'a CheckDraft,
    ) -> Result<&'a Account, Vec<FieldError>> {
        let input = check.input.expose();
        let kind = input.spec.kind();
        let candidates = match check.provider.as_ref().or(wish) {
            Some(id) => vec![self.named(tenant, id, check, kind)?],
            None => self.routed(tenant, kind, input.spec.country(), check.account.as_deref())?,
        };
        let mut first = None;
        for account in candidates {
            let objections = account.provider.validate(order, input);
            if objections.is_empty() {
                return Ok(account);
            }
            first.get_or_insert(objections);
        }
        Err(first.unwrap_or_default())
    }

    fn named<'a>(
        &'a self,
        tenant: &TenantId,
        id: &'a ProviderId,
        check: &CheckDraft,
        kind: CheckType,
    ) -> Result<&'a Account, Vec<FieldError>> {
        let fault = |pointer, code, detail| Err(vec![FieldError::check(pointer, code, detail)]);
        if let Some(reason) = self.off(id) {
            return fault("/provider", "provider_off", format!("{id} is off on this gateway: {reason}"));
        }
        let Some(any) = self.accounts_of(id).next() else {
            let known = self.ids().iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
            return fault(
                "/provider",
                "unknown_provider",
                format!("There is no such provider. Choose one of: {known}."),
            );
        };
        if any.provider.descriptor().product(kind).is_none() {
            return fault("/provider", "not_supported", format!("{id} does not offer {kind}."));
        }
        match self.open_account(tenant, id, check.account.as_deref()) {
            Some(account) => Ok(account),
            None => {
                fault("/account", "unknown_account", format!("No account of {id} by that name is open to this tenant."))
            }
        }
    }

    fn open_account<'a>(&'a self, tenant: &TenantId, id: &'a ProviderId, name: Option<&str>) -> Option<&'a Account> {
        let mut open = self.accounts_of(id).filter(|account| account.is_open_to(tenant));
        match name {
            Some(name) => open.find(|account| account.key.account == name),
            // A tenant's own account comes before the one that is open to all.
            None => open.min_by_key(|account| (account.tenants.is_none(), account.key.clone())),
        }
    }

    fn routed(
        &self,
        tenant: &TenantId,
        kind: CheckType,
        country: Option<&str>,
        name: Option<&str>,
    ) -> Result<Vec<&Account>, Vec<FieldError>> {
        let route = self
            .routes
            .iter()
            .filter(|route| route.check_type == kind)
            .filter(|route| route.country.is_none() || route.country.as_deref() == country)
            .max_by_key(|route| route.country.is_some());
        let ids: Vec<&ProviderId> = route.map_or_else(|| self.ids(), |route| route.providers.iter().collect());
        let open: Vec<_> = ids
            .into_iter()
            .filter_map(|id| self.open_account(tenant, id, name))
            .filter(|account| account.provider.descriptor().product(kind).is_some())
            .collect();
        if open.is_empty() {
            let off: Vec<_> = self.off.iter().map(|(id, off)| format!("{id} ({})", off.reason)).collect();
            let hint =
                if off.is_empty() { String::new() } else { format!(" Off on this gateway: {}.", off.join("; ")) };
            let detail = format!("No vendor that is set up here for this tenant offers {kind}.{hint}");
            return Err(vec![FieldError::check("/type", "not_supported", detail)]);
        }
        Ok(open)
    }
}

/// Collects accounts, vendors that are off, and routes.
#[derive(Default)]
pub struct Builder(Providers);

impl Builder {
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.0.accounts.insert(account.key.clone(), account);
        self
    }

    /// A vendor without credentials: its checks are refused with the reason.
    #[must_use]
    pub fn off(mut self, id: ProviderId, display_name: &'static str, reason: impl Into<String>) -> Self {
        self.0.off.insert(id, Off { display_name, reason: reason.into() });
        self
    }

    #[must_use]
    pub fn route(mut self, check_type: CheckType, country: Option<String>, providers: Vec<ProviderId>) -> Self {
        self.0.routes.push(Route { check_type, country, providers });
        self
    }

    pub fn build(self) -> Providers {
        self.0
    }
}
