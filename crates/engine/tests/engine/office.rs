//! A gateway whose only vendor is the [`Clerk`].

use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, BatchId, Check, Clock as _, OrderDraft, OrderId, ProviderId, TenantId};
use engine::{Account, Engine, EngineSettings, OsEntropy, Providers};
use provider::{BulkStage, Provider as _};
use secrecy::SecretString;
use store::{Store, Vault};
use trials::TestClock;

use crate::clerk::Clerk;
use crate::world::{World, checks_of, draft};

pub struct Office {
    pub world: World,
    pub clerk: Clerk,
    pub engine: Engine,
    pub account: Account,
}

impl Office {
    pub async fn open() -> Self {
        Self::with(1_000, Some(3)).await
    }

    pub async fn with(most_rows: usize, used_from: Option<usize>) -> Self {
        let world = World::new().await;
        let clerk = Clerk::new(world.clock.clone(), most_rows, used_from);
        let timing = clerk.descriptor().timing;
        let account = Account {
            key: AccountKey::default_of(ProviderId::new("clerk")),
            provider: Arc::new(clerk.clone()),
            timing,
            settle: None,
            tenants: None,
            hook_url: None,
            max_in_flight: 8,
        };
        let engine = gateway(&world, &account).await;
        engine.store().register_accounts(std::slice::from_ref(&account.key)).await.expect("registered");
        Self { world, clerk, engine, account }
    }

    /// Another process of the gateway.
    pub async fn another(&self) -> Engine {
        gateway(&self.world, &self.account).await
    }

    pub fn clock(&self) -> &TestClock {
        &self.world.clock
    }

    pub async fn batch(&self, drafts: impl IntoIterator<Item = OrderDraft>) -> BatchId {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let mut intake = self.engine.open_batch(&TenantId::new("acme"), None);
        let id = intake.id();
        for draft in drafts {
            intake.add(&mut tx, draft).await.expect("an order that is accepted");
        }
        intake.finish(&mut tx).await.expect("written");
        tx.save().await.expect("saved");
        id
    }

    pub async fn people(&self, count: u32) -> BatchId {
        self.batch((0..count).map(person)).await
    }

    pub async fn accept(&self, draft: OrderDraft) -> OrderId {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        let order = self.engine.accept(&mut tx, &TenantId::new("acme"), draft).await.expect("accepted");
        tx.save().await.expect("saved");
        order.id
    }

    pub async fn order(&self, id: OrderId) -> domain::Order {
        self.world.order(id).await
    }

    pub async fn whole_batch(&self, id: BatchId) -> domain::Batch {
        self.world.batch(id).await
    }

    pub async fn cases(&self) -> Vec<domain::Case> {
        self.world.cases().await
    }

    pub async fn checks(&self, batch: BatchId) -> Vec<Check> {
        checks_of(&self.world, batch).await
    }

    pub async fn files(&self, batch: BatchId) -> Vec<store::StoredFile> {
        let mut tx = self.engine.store().begin().await.expect("a transaction");
        tx.vendor_files().of_batch(batch, 100).await.expect("read")
    }

    pub async fn work(&self) {
        while trials::world::work(&self.engine).await.expect("the workers work") > 0 {}
    }

    /// Works until `done`, moving the clock to whatever falls due next.
    pub async fn until(&self, limit: Duration, what: &str, mut done: impl AsyncFnMut() -> bool) {
        let give_up = self.clock().now() + limit;
        loop {
            self.work().await;
            if done().await {
                return;
            }
            let now = self.clock().now();
            assert!(now < give_up, "{what}: not within {limit:?}");
            let due = self.engine.store().next_due(now).await.expect("read").unwrap_or(now + Duration::from_mins(1));
            self.clock().advance(due.since(now).clamp(Duration::from_millis(100), Duration::from_hours(1)));
        }
    }

    /// Makes one step of every file, with the clock at its due time.
    pub async fn until_stage(&self, batch: BatchId, stage: BulkStage) {
        for _ in 0..100 {
            if self.files(batch).await.iter().any(|file| file.stage >= stage) {
                return;
            }
            if self.engine.files(&self.account).await.expect("the files go on") == 0 {
                self.clock().advance(Duration::from_secs(10));
            }
        }
        panic!("the file never came to {stage:?}");
    }

    pub async fn until_ended(&self, batch: BatchId) {
        self.until(Duration::from_hours(24), "the batch has ended", async || {
            self.whole_batch(batch).await.completed_at.is_some()
        })
        .await;
    }

    /// The vendor has exactly one object for each check, and it is the one that is bound.
    pub async fn assert_one_to_one(&self, batch: BatchId) {
        for check in self.checks(batch).await {
            let ours = check.state.binding().map(|binding| binding.vendor.order_id.clone());
            let books = self.clerk.books();
            let theirs = books.of(check.reference());
            assert_eq!(theirs, Vec::from_iter(ours.as_deref()), "{} is {}", check.reference(), check.status());
        }
    }
}

async fn gateway(world: &World, account: &Account) -> Engine {
    let vault = Vault::parse("test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key");
    let url = SecretString::from(world.database_url().to_owned());
    let store = Store::connect(&url, 8, vault, Arc::new(OsEntropy)).await.expect("connected");
    let providers = Providers::builder().account(account.clone()).build();
    Engine::new(store, providers, Arc::new(world.clock.clone()), Arc::new(OsEntropy), EngineSettings::default())
}

/// An order about the person with this number.
pub fn person(number: u32) -> OrderDraft {
    let mut draft = draft("truora", number);
    draft.checks[0].providers = domain::Wish::parse("clerk").into_iter().collect();
    draft
}

/// The same, and the caller asks for a file.
pub fn asking(number: u32) -> OrderDraft {
    let mut draft = person(number);
    let mut input = draft.checks[0].input.expose().clone();
    input.vendor_options.insert("file".into(), true.into());
    draft.checks[0].input = input.into();
    draft
}
