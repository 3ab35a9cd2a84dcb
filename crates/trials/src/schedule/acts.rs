//! What happens in a schedule.

use std::time::Duration;

use domain::{BatchId, OrderDraft, OrderId, ProviderId, Reason, TenantId};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;
use store::Scope;

use super::{Course, Options};
use crate::drafts::{draft_of, in_one_order, with_ssn};
use crate::polls::for_polls;
use crate::world::{VENDORS, orders_of, work};

/// Whose orders these are. A create call never carries two tenants' checks.
const TENANTS: [&str; 2] = ["acme", "globex"];

/// The ends of an SSN by which Theary's simulator ends a search otherwise than well: with a discrepancy, without a record,
/// canceled by the vendor, and thrown out by the create itself.
const ODD_ENDS: [&str; 4] = ["0002", "0003", "0007", "0098"];

impl Course {
    pub(super) async fn act(&mut self, options: &Options) {
        match self.random.random_range(0..100) {
            0..24 => self.order().await,
            24..48 => self.batch(options.batch_orders).await,
            48..60 => self.arm_something(),
            60..68 => self.change_a_habit(),
            68..74 => self.work().await,
            74..82 => self.die_in_the_middle().await,
            82..85 => self.die_before_the_call().await,
            85..89 => self.cancel_an_order().await,
            89..92 => self.cancel_a_batch().await,
            92..94 => self.make_strangers(),
            94..96 => self.pause_a_vendor().await,
            _ => self.world.clock.advance(Duration::from_secs(self.random.random_range(1..90))),
        }
    }

    fn tenant(&mut self) -> TenantId {
        TenantId::new(*TENANTS.choose(&mut self.random).expect("tenants"))
    }

    pub(super) async fn order(&mut self) {
        let (tenant, draft) = (self.tenant(), self.draft(false));
        let engine = self.engines.choose(&mut self.random).expect("a process");
        let mut tx = engine.store().begin().await.expect("a transaction");
        let order = engine.accept(&mut tx, &tenant, draft).await.expect("an order that is accepted");
        tx.save().await.expect("saved");
        self.orders.push(order.id);
        self.report.tallies.came("orders", 1);
    }

    pub(super) async fn batch(&mut self, most: u32) {
        let tenant = self.tenant();
        let count = self.random.random_range(2..=most.max(2));
        let only_theary = self.random.random_bool(0.6);
        let drafts: Vec<OrderDraft> = (0..count).map(|_| self.draft(only_theary)).collect();
        let engine = self.engines.choose(&mut self.random).expect("a process");
        let mut tx = engine.store().begin().await.expect("a transaction");
        let mut intake = engine.open_batch(&tenant, None);
        let id = intake.id();
        for draft in drafts {
            intake.add(&mut tx, draft).await.expect("an order that is accepted");
        }
        intake.finish(&mut tx).await.expect("written");
        if self.random.random_bool(0.1) {
            // The process dies before the commit: nothing of it is left, and nothing was answered.
            drop(tx);
            self.report.tallies.inject("batch lost before its commit", 1);
            return;
        }
        tx.save().await.expect("saved");
        let orders = self.ids_of(id).await;
        self.orders.extend(orders);
        self.batches.push(id);
        self.report.tallies.came("batches", 1);
        self.report.tallies.came("orders", count.into());
    }

    async fn ids_of(&self, batch: BatchId) -> Vec<OrderId> {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        orders_of(&mut tx, batch).await.iter().map(|order| order.id).collect()
    }

    /// An order of a person of their own.
    fn draft(&mut self, only_theary: bool) -> OrderDraft {
        self.number += 1;
        let mut vendors: Vec<&str> = VENDORS.into_iter().filter(|_| self.random.random_bool(0.4)).collect();
        if only_theary || vendors.is_empty() {
            vendors = vec!["theary"];
        }
        let mut draft = draft_of(&vendors, self.number);
        if vendors.contains(&"theary") && self.number.is_multiple_of(3) {
            self.report.tallies.came("orders of several searches", 1);
            draft = in_one_order(draft, self.number);
        }
        if vendors == ["theary"] && self.random.random_bool(0.15) {
            let end = ODD_ENDS.choose(&mut self.random).expect("ends");
            return with_ssn(draft, &format!("900-10-{end}"));
        }
        draft
    }

    /// A process is killed after so many steps; another takes its place.
    async fn die_in_the_middle(&mut self) {
        let at = self.random.random_range(0..self.engines.len());
        let steps = self.random.random_range(1..50);
        let engine = self.engines.remove(at);
        // What its calls had sent is with the vendors, what its transactions had not committed is nowhere.
        if for_polls(steps, work(&engine)).await.is_none() {
            self.report.tallies.inject("process killed at work", 1);
        }
        self.bury(engine).await;
    }

    /// A process is killed between recording a call and making it.
    async fn die_before_the_call(&mut self) {
        let at = self.random.random_range(0..self.engines.len());
        let engine = self.engines.remove(at);
        let vendor = VENDORS.choose(&mut self.random).expect("vendors");
        engine.forget_a_ticket(&self.world.account(vendor)).await;
        self.report.tallies.inject("process killed before its call", 1);
        self.bury(engine).await;
    }

    async fn bury(&mut self, dead: engine::Engine) {
        drop(dead);
        let next = self.another().await;
        self.engines.push(next);
    }

    async fn cancel_an_order(&mut self) {
        let Some(id) = self.orders.choose(&mut self.random).copied() else { return };
        let engine = self.engines.choose(&mut self.random).expect("a process");
        let mut tx = engine.store().begin().await.expect("a transaction");
        engine.cancel(&mut tx, &Scope::All, id, Reason::new("caller", "no longer needed")).await.expect("noted");
        tx.save().await.expect("saved");
        self.note_canceled(&[id]).await;
        self.report.tallies.inject("order canceled", 1);
    }

    async fn cancel_a_batch(&mut self) {
        let Some(id) = self.batches.choose(&mut self.random).copied() else { return };
        let engine = self.engines.choose(&mut self.random).expect("a process");
        let mut tx = engine.store().begin().await.expect("a transaction");
        engine.cancel_batch(&mut tx, &Scope::All, id, Reason::new("caller", "no longer needed")).await.expect("noted");
        tx.save().await.expect("saved");
        let orders = self.ids_of(id).await;
        self.note_canceled(&orders).await;
        self.report.tallies.inject("batch canceled", 1);
    }

    async fn note_canceled(&mut self, orders: &[OrderId]) {
        let on_the_wire = self.world.wire.count();
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        for order in tx.orders().get_many(&Scope::All, orders).await.expect("read") {
            for check in order.checks {
                self.canceled.entry(check.id).or_insert(on_the_wire);
            }
        }
    }

    pub(super) fn make_strangers(&mut self) {
        let vendor = VENDORS.choose(&mut self.random).expect("vendors");
        let count = self.random.random_range(1..12);
        let kind = ["mixed", "bare", "foreign", "other"].choose(&mut self.random).expect("kinds");
        self.world.vendor(vendor).control().make_strangers(count, &json!({ "kind": kind }));
        self.report.tallies.inject("look-alikes of other clients", count as u64);
    }

    async fn pause_a_vendor(&mut self) {
        let vendor = ProviderId::new(*VENDORS.choose(&mut self.random).expect("vendors"));
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        self.world.engine.pause(&mut tx, &vendor, "ops", None).await.expect("paused");
        tx.save().await.expect("saved");
        self.report.tallies.inject("vendor paused", 1);
    }
}
