//! A gateway with a real adapter at its simulator, for what a made-up vendor cannot show.

use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, CheckType, Clock as _, ProviderId, TenantId};
use engine::{Account, Providers};
use provider::Provider as _;
use sandbox::truora::Config;
use sandbox::{Running, SimClock};
use secrecy::SecretString;
use serde_json::{Value, json};
use truora::{FileHosts, Settings, Truora};

use crate::gateway::{Answer, Fictive, Gateway, TENANT, TestClock, VENDOR};

/// A tenant with an account of its own at Truora, beside one that is open to all, and a vendor that gives nothing beside
/// results.
pub struct Site {
    pub gateway: Gateway,
    pub simulator: Running,
}

impl Site {
    pub async fn start(behavior: Value) -> Self {
        Self::with(behavior, |_| {}).await
    }

    pub async fn with(behavior: Value, change: impl FnOnce(&mut api::Settings)) -> Self {
        let (clock, config) = (TestClock::new(), Config::default());
        let time = Arc::clone(&clock);
        let simulated = SimClock::of(Arc::new(move || time.now().get()));
        let simulator = sandbox::truora::start(0, simulated, config.clone()).await.expect("a simulator");
        let url = simulator.base_url().clone();
        let adapter = Arc::new(
            Truora::new(Settings {
                checks_url: url.clone(),
                account_url: url.clone(),
                file_hosts: FileHosts::new(url.host_str().map(str::to_owned)),
                ..Settings::new(SecretString::from(config.api_key))
            })
            .expect("settings"),
        );
        let account = |name: &str, tenants: Option<Vec<TenantId>>| Account {
            key: AccountKey::new(ProviderId::new(truora::ID), name),
            provider: adapter.clone(),
            timing: adapter.descriptor().timing,
            settle: None,
            tenants,
            hook_url: None,
            max_in_flight: 1,
        };
        let closed = Arc::new(Fictive::closed(&[CheckType::EmploymentVerification]));
        let providers = Providers::builder()
            .account(account(AccountKey::DEFAULT, None))
            .account(account("own", Some(vec![TenantId::new(TENANT)])))
            .account(Account {
                key: AccountKey::default_of(ProviderId::new(VENDOR)),
                provider: closed.clone(),
                timing: closed.descriptor().timing,
                ..account("own", Some(vec![TenantId::new(TENANT)]))
            })
            .off(ProviderId::new("sleeping"), "Sleeping", "no credentials are set")
            .build();
        let gateway = Gateway::of(providers, clock, change).await;
        let site = Self { gateway, simulator };
        site.behave(behavior);
        site
    }

    pub fn behave(&self, behavior: Value) {
        self.simulator.control().set_behavior(behavior).expect("known switches");
    }

    pub fn calls_of(&self, operation: &str) -> u64 {
        self.simulator.control().books().calls_of(operation)
    }

    /// An order that was sent to the vendor.
    pub async fn sent(&self, number: &str) -> Value {
        let order = self.gateway.order(&colombian(number)).await;
        for account in self.gateway.engine.providers().accounts() {
            self.gateway.engine.dispatch(account, 50).await.expect("dispatched");
        }
        order
    }

    /// Lets the vendor's work and the tokens' time go on, and looks at an order.
    pub async fn later(&self, order: &Value, by: Duration) -> Value {
        self.gateway.clock.advance(by);
        self.call("POST", &format!("/v1/orders/{}/refresh", text(&order["id"])), None).await.body
    }

    /// An order whose check is completed.
    pub async fn completed(&self, number: &str) -> Value {
        let order = self.sent(number).await;
        let order = self.later(&order, Duration::from_secs(30)).await;
        assert_eq!(order["status"], "completed", "{order}");
        self.gateway.clock.advance(Duration::from_secs(5));
        order
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.gateway.call(method, path, body).await
    }

    /// As somebody of the tenant with these scopes only.
    pub async fn get_as(&self, scopes: &[&str], path: &str) -> Answer {
        self.gateway.call_as(&self.gateway.token(scopes), "GET", path, None).await
    }

    /// What is on record of this action, newest first.
    pub async fn audited(&self, action: &str) -> Vec<Value> {
        let log = self.gateway.call("GET", "/v1/audit?limit=200", None).await.body;
        let entries = log["data"].as_array().expect("entries").iter();
        entries.filter(|entry| entry["action"] == action).cloned().collect()
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// How a Colombian's check ends, the last digits of the number say.
pub fn colombian(number: &str) -> Value {
    json!({
        "subject": {
            "type": "person", "first_name": "Lucía", "last_name": "Prueba", "date_of_birth": "1990-05-15",
            "identifiers": [{"type": "national_id", "country": "CO", "value": number, "issued_on": "2008-06-01"}]
        },
        "consent": {"obtained_at": "2026-11-20T10:00:00Z"},
        "checks": [{"type": "background_check", "country": "CO"}]
    })
}
