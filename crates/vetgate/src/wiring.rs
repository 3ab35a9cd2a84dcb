//! From settings to the parts of a gateway. The one place that knows every vendor.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use domain::{AccountKey, CheckType, ProviderId, Wish};
use engine::{Account, Engine, OsEntropy, Providers, Route, SystemClock};
use provider::{Provider, VendorHttp};
use store::{Store, StoreError};
use url::Url;

use crate::settings::vendors::{TimingSettings, Vendor, VendorSettings};
use crate::settings::{Fault, Needs, Settings, SettingsError};

/// The most create calls at once and account.
const MAX_IN_FLIGHT: usize = 16;

/// Who is asked in which order, where neither check nor order names a vendor.
const ROUTES: [(CheckType, &[&str]); 5] = [
    (CheckType::EmploymentVerification, &[truework::ID, theary::ID]),
    (CheckType::IncomeVerification, &[truework::ID]),
    (CheckType::EducationVerification, &[theary::ID]),
    (CheckType::BackgroundCheck, &[truora::ID]),
    (CheckType::IdentityVerification, &[truora::ID]),
];

/// Who pauses a vendor by the settings, as it is noted.
pub const PAUSED_BY: &str = "settings";

/// Every account of the settings, every vendor that is off, and the routes.
pub fn providers(settings: &Settings) -> Result<Providers, SettingsError> {
    let mut builder = Providers::builder();
    let mut faults = Vec::new();
    let url = settings.public_url.as_ref();
    builder = add(builder, &mut faults, url, "Truora", &settings.truora, |own, _| truora::Truora::new(own));
    let http = VendorHttp::new();
    builder = add(builder, &mut faults, url, "Theary", &settings.theary, |own, _| {
        Ok::<_, Infallible>(theary::Theary::new(own, http.clone()))
    });
    builder = add(builder, &mut faults, url, "Truework", &settings.truework, |mut own, timing| {
        own.timing = timing.over(own.timing);
        truework::Truework::new(own)
    });
    for (check_type, providers) in ROUTES {
        let providers = providers.iter().filter_map(|name| Wish::parse(name)).collect();
        builder = builder.route(Route { check_type, country: None, providers, waterfall: false });
    }
    for route in &settings.routes {
        builder = builder.route(route.clone());
    }
    if faults.is_empty() { Ok(builder.build()) } else { Err(SettingsError(faults)) }
}

fn add<V: Vendor, P: Provider + 'static, E: Display>(
    mut builder: engine::providers::Builder,
    faults: &mut Vec<Fault>,
    public_url: Option<&Url>,
    display_name: &'static str,
    vendor: &VendorSettings<V>,
    make: impl Fn(V::Adapter, &TimingSettings) -> Result<P, E>,
) -> engine::providers::Builder
where
    V::Adapter: Clone,
{
    let id = ProviderId::new(V::ID);
    if vendor.accounts.is_empty() {
        let credential = format!("{}.{}", V::ID, V::CREDENTIAL);
        let variable = crate::settings::keys::variable(&credential);
        return builder.off(id, display_name, format!("no credentials are set ({credential}, or {variable})"));
    }
    for account in &vendor.accounts {
        let provider = match make(account.adapter.clone(), &vendor.timing) {
            Ok(provider) => provider,
            Err(error) => {
                let place = format!("{} (account {})", V::ID, account.id);
                faults.push(Fault { place, problem: format!("{error}.") });
                continue;
            }
        };
        let timing = vendor.timing.over(provider.descriptor().timing);
        builder = builder.account(Account {
            key: AccountKey::new(id.clone(), account.id.clone()),
            provider: Arc::new(provider),
            timing,
            settle: vendor.timing.settle,
            tenants: account.tenants.clone(),
            hook_url: public_url.and_then(|url| hook_url(url, V::ID, &account.id)),
            max_in_flight: MAX_IN_FLIGHT,
        });
    }
    builder
}

/// Where a vendor sends its hooks for an account.
fn hook_url(public_url: &Url, provider: &str, account: &str) -> Option<Url> {
    let mut url = public_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["vendor-hooks", provider]);
    if account != AccountKey::DEFAULT {
        url.path_segments_mut().ok()?.push(account);
    }
    Some(url)
}

/// Opens the database.
pub async fn store(settings: &Settings, needs: Needs) -> Result<Store, StoreError> {
    Store::connect(&needs.database_url, settings.database.max_connections, needs.vault, Arc::new(OsEntropy)).await
}

/// The engine over this database.
pub fn engine(settings: &Settings, store: Store, providers: Providers) -> Engine {
    Engine::new(store, providers, Arc::new(SystemClock), Arc::new(OsEntropy), settings.engine.clone())
}

/// Pauses and resumes vendors as the settings say. What an operator paused is left alone where they say nothing.
pub async fn apply_pauses(settings: &Settings, engine: &Engine) -> Result<(), StoreError> {
    let said = [
        (truora::ID, settings.truora.paused, settings.truora.accounts.is_empty()),
        (theary::ID, settings.theary.paused, settings.theary.accounts.is_empty()),
        (truework::ID, settings.truework.paused, settings.truework.accounts.is_empty()),
    ];
    let keys: Vec<_> = engine.providers().accounts().map(|account| account.key.clone()).collect();
    engine.store().register_accounts(&keys).await?;
    let statuses = engine.store().accounts().await?;
    for (id, paused, is_off) in said {
        let id = ProviderId::new(id);
        let by = statuses.iter().find(|status| status.key.provider == id).and_then(|status| status.paused.as_ref());
        let by_settings = by.is_some_and(|paused| paused.by == PAUSED_BY);
        let mut tx = engine.store().begin().await?;
        match paused {
            _ if is_off => continue,
            Some(true) if by.is_none() => {
                let reason = Some(format!("{id}.paused is set"));
                engine.pause(&mut tx, &id, PAUSED_BY, reason).await?;
            }
            Some(false) if by.is_some() => engine.resume(&mut tx, &id, PAUSED_BY).await?,
            // The setting was taken out.
            None if by_settings => engine.resume(&mut tx, &id, PAUSED_BY).await?,
            _ => continue,
        }
        tx.save().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_an_account_have_an_address_of_their_own() {
        let at = |base: &str, account| hook_url(&base.parse().unwrap(), "theary", account).unwrap().to_string();
        assert_eq!(at("https://gate.example.com", "default"), "https://gate.example.com/vendor-hooks/theary");
        assert_eq!(at("https://example.com/gate/", "eu"), "https://example.com/gate/vendor-hooks/theary/eu");
    }
}
