//! The vendor accounts of this gateway, and which of them carries out a check.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, CheckDraft, CheckInput, CheckType, FieldError, Leg, OrderInput, ProviderId, TenantId, Wish};
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

    /// Whose the account is, where it is one tenant's alone.
    pub fn sole_tenant(&self) -> Option<&TenantId> {
        match self.tenants.as_deref() {
            Some([tenant]) => Some(tenant),
            _ => None,
        }
    }

    pub fn is_open_to(&self, tenant: &TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
    }
}

/// Vendors in the order in which they are asked for a kind of check, and a country where one is named.
#[derive(Debug, Clone)]
pub struct Route {
    pub check_type: CheckType,
    pub country: Option<String>,
    pub providers: Vec<Wish>,
    /// Whether those behind the first that can do it are tried too, when it finds nothing.
    pub waterfall: bool,
}

/// Who carries out a check.
pub(crate) struct Chosen {
    pub first: Leg,
    /// Who is tried behind it, in turn.
    pub more: Vec<Leg>,
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

    /// The vendors that carry out a check, and everything that they find wrong with it.
    ///
    /// The check's own wish comes first, then the order's, then the routes. Whoever names several vendors wants all of
    /// them to be able to do it. A route's vendors that cannot do it as it is are passed over; if none can, the first
    /// one's objections are told.
    pub(crate) fn choose(
        &self,
        tenant: &TenantId,
        wishes: &[Wish],
        order: &OrderInput,
        check: &CheckDraft,
    ) -> Result<Chosen, Vec<FieldError>> {
        let wishes = if check.providers.is_empty() { wishes } else { &check.providers };
        let mut legs = if wishes.is_empty() {
            self.routed_legs(tenant, order, check)?
        } else {
            self.wished_legs(tenant, wishes, order, check)?
        };
        let more = legs.split_off(1.min(legs.len()));
        match legs.pop() {
            Some(first) => Ok(Chosen { first, more }),
            None => Err(vec![FieldError::check("/provider", "required", "Name at least one provider.")]),
        }
    }

    fn wished_legs(
        &self,
        tenant: &TenantId,
        wishes: &[Wish],
        order: &OrderInput,
        check: &CheckDraft,
    ) -> Result<Vec<Leg>, Vec<FieldError>> {
        let input = check.input.expose();
        if wishes.len() > 1 && check.account.is_some() {
            let detail = "An account belongs to one provider; leave it out where several are named.";
            return Err(vec![FieldError::check("/account", "not_supported", detail)]);
        }
        let (mut legs, mut faults) = (Vec::with_capacity(wishes.len()), Vec::new());
        if wishes.len() > 1 {
            faults.extend(options_of_others(wishes, input));
        }
        for wish in wishes {
            match self.wished_leg(tenant, wish, wishes.len() > 1, order, check) {
                Ok(leg) => legs.push(leg),
                Err(objections) => faults.extend(objections),
            }
        }
        if faults.is_empty() { Ok(legs) } else { Err(faults) }
    }

    fn wished_leg(
        &self,
        tenant: &TenantId,
        wish: &Wish,
        is_one_of_several: bool,
        order: &OrderInput,
        check: &CheckDraft,
    ) -> Result<Leg, Vec<FieldError>> {
        let mut input = check.input.expose().clone();
        let account = self.named(tenant, &wish.provider, check, input.spec.kind())?;
        if is_one_of_several {
            input.vendor_options = options_for(&wish.provider, &input);
        }
        if let Some(product) = &wish.product {
            input = as_product(account, product, &input).map_err(|fault| vec![fault])?;
        }
        let objections = account.provider.validate(order, &input);
        if objections.is_empty() {
            return Ok(Leg { account: account.key.clone(), product: wish.product.clone(), input });
        }
        Err(objections)
    }

    fn routed_legs(
        &self,
        tenant: &TenantId,
        order: &OrderInput,
        check: &CheckDraft,
    ) -> Result<Vec<Leg>, Vec<FieldError>> {
        let input = check.input.expose();
        let kind = input.spec.kind();
        let route = self.route(kind, input.spec.country());
        let candidates = self.routed(tenant, kind, route, check.account.as_deref())?;
        let (mut legs, mut first) = (Vec::new(), None);
        for (account, product) in candidates {
            let input = match product {
                Some(product) => as_product(account, product, input),
                None => Ok(input.clone()),
            };
            let judged = input.map_err(|fault| vec![fault]).and_then(|input| {
                let objections = account.provider.validate(order, &input);
                if objections.is_empty() { Ok(input) } else { Err(objections) }
            });
            match judged {
                Ok(input) => {
                    legs.push(Leg { account: account.key.clone(), product: product.map(str::to_owned), input });
                }
                Err(objections) => _ = first.get_or_insert(objections),
            }
            if !legs.is_empty() && route.is_none_or(|route| !route.waterfall) {
                break;
            }
        }
        match first {
            Some(objections) if legs.is_empty() => Err(objections),
            _ => Ok(legs),
        }
    }

    /// The route for a kind of check: the one for its country comes before the one for all.
    fn route(&self, kind: CheckType, country: Option<&str>) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| route.check_type == kind)
            .filter(|route| route.country.is_none() || route.country.as_deref() == country)
            .max_by_key(|route| route.country.is_some())
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

    fn routed<'a>(
        &'a self,
        tenant: &TenantId,
        kind: CheckType,
        route: Option<&'a Route>,
        name: Option<&str>,
    ) -> Result<Vec<(&'a Account, Option<&'a str>)>, Vec<FieldError>> {
        let all = || self.ids().into_iter().map(|id| (id, None)).collect();
        let wished =
            |route: &'a Route| route.providers.iter().map(|wish| (&wish.provider, wish.product.as_deref())).collect();
        let ids: Vec<(&ProviderId, Option<&str>)> = route.map_or_else(all, wished);
        let open: Vec<_> = ids
            .into_iter()
            .filter_map(|(id, product)| Some((self.open_account(tenant, id, name)?, product)))
            .filter(|(account, _)| account.provider.descriptor().product(kind).is_some())
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

fn as_product(account: &Account, product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
    let (id, known) = (&account.key.provider, account.provider.products());
    if known.contains(&product) {
        return account.provider.as_product(product, check);
    }
    let known = known.iter().map(|name| format!("{id}:{name}")).collect::<Vec<_>>();
    let hint = if known.is_empty() { format!("Name {id} alone.") } else { format!("It has {}.", known.join(", ")) };
    let detail = format!("{id} has no product \"{}\". {hint}", product.escape_debug());
    Err(FieldError::check("/provider", "unknown_product", detail))
}

/// Where several vendors are named, the options of each stand under its name.
fn options_for(id: &ProviderId, check: &CheckInput) -> serde_json::Map<String, serde_json::Value> {
    check.vendor_options.get(id.as_str()).and_then(|options| options.as_object()).cloned().unwrap_or_default()
}

fn options_of_others<'a>(wishes: &'a [Wish], check: &'a CheckInput) -> impl Iterator<Item = FieldError> + 'a {
    check.vendor_options.iter().filter_map(|(key, value)| {
        let named = wishes.iter().any(|wish| wish.provider.as_str() == key);
        let detail = "Where several providers are named, vendor_options holds an object for each, under its name.";
        (!named || !value.is_object()).then(|| FieldError::check("/vendor_options", "invalid", detail))
    })
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

    /// A later route for the same kind and country stands in for an earlier one.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.0.routes.retain(|other| (other.check_type, &other.country) != (route.check_type, &route.country));
        self.0.routes.push(route);
        self
    }

    pub fn build(self) -> Providers {
        self.0
    }
}
