//! Random orders and batches under random faults, then a comparison of books. A schedule is made from its seed alone.
//!
//! A schedule is a row of acts: something is ordered, a fault is armed, a process dies. Then everything is let run until
//! nothing happens any more, people decide what waits for them, and every promise is held against the simulators' books
//! and against what [`Wire`](crate::watch::Wire) saw being sent.

mod acts;
mod faults;
mod judge;
mod mail;
mod operator;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BatchId, CaseState, CheckId, Clock as _, OrderId, Timestamp};
use engine::{CancelDuplicates, Engine};
use futures::FutureExt as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::{CaseFilter, Scope};

use self::mail::Mail;
use crate::post_room::PostRoom;
use crate::tally::{Invariant, Report};
use crate::world::{self, VENDORS, World, is_settled, work};

/// How large schedules are.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most acts of one.
    pub acts: u32,
    /// The most orders of a batch.
    pub batch_orders: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { acts: 10, batch_orders: 14 }
    }
}

/// So long, by the clock of the trial, everything may take.
const PATIENCE: Duration = Duration::from_hours(24);

/// The longest that the clock is moved at once: simulators look at their own work whenever they are called. What takes
/// hours is waited for in larger steps.
const JUMPS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(20)];

/// After so many jumps other clients make no more orders: with each page that is read they make some, and with each scan
/// there are more pages.
const DRIFT: u32 = 12;

/// Far more rounds than there is work for at one moment.
const MOST_ROUNDS: u32 = 2_000;

/// Runs one schedule.
pub async fn schedule(seed: u64, options: &Options) -> Report {
    let options = options.clone();
    // Of its own: a schedule that panics is a finding, and the next one goes on.
    let run = async move { Box::pin(Course::begin(seed).await.run(&options)).await };
    match std::panic::AssertUnwindSafe(run).catch_unwind().await {
        Ok(report) => report,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let mut report = Report { seed, ..Report::default() };
            report.examine(Invariant::WorkersGoOn, false, || format!("it panicked: {}", said.unwrap_or_default()));
            report
        }
    }
}

/// A schedule on its way.
struct Course {
    random: StdRng,
    /// What else is left to chance draws from a row of its own, so that it does not depend on when a hook comes in.
    operator: StdRng,
    mail: Mail,
    settings: world::Options,
    world: World,
    /// The processes. One that dies is replaced.
    engines: Vec<Engine>,
    orders: Vec<OrderId>,
    batches: Vec<BatchId>,
    /// Checks whose cancel is noted, with how much was on the wire by then.
    canceled: BTreeMap<CheckId, usize>,
    /// Checks that an operator had sent again, and when.
    resent_by_hand: Vec<(CheckId, Timestamp)>,
    number: u32,
    births: u64,
    report: Report,
}

impl Course {
    async fn begin(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let room = PostRoom::open().await.expect("a port for hooks");
        let settings = world::Options {
            // In half of them a vendor's own files are used.
            native_batch_min: if random.random_bool(0.5) { 3 } else { 0 },
            truework_version: truework::Version::default(),
            settle: Duration::from_secs(random.random_range(30..300)),
            timeout: Duration::from_millis(600),
            cancel_duplicates: if random.random_bool(0.3) { CancelDuplicates::Auto } else { CancelDuplicates::Ask },
            batch_size: random.random_range(2..=10),
            hooks: random.random_bool(0.6).then(|| room.address().clone()),
            routes: Vec::new(),
            seed: Some(seed),
        };
        let world = World::with(settings.clone()).await;
        let mut course = Self {
            operator: StdRng::seed_from_u64(seed ^ 0x0BE7A),
            mail: Mail::new(room, seed ^ 0x3A17),
            engines: vec![world.engine.clone()],
            random,
            settings,
            world,
            orders: Vec::new(),
            batches: Vec::new(),
            canceled: BTreeMap::new(),
            resent_by_hand: Vec::new(),
            number: 0,
            births: 0,
            report: Report { seed, ..Report::default() },
        };
        if course.random.random_bool(0.5) {
            let second = course.another().await;
            course.engines.push(second);
            course.report.tallies.inject("a second process", 1);
        }
        course
    }

    /// Another process on the same database, with ids of its own.
    async fn another(&mut self) -> Engine {
        self.births += 1;
        let seed = self.report.seed ^ (self.births << 48);
        self.world.another(&world::Options { seed: Some(seed), ..self.settings.clone() }).await
    }

    async fn run(mut self, options: &Options) -> Report {
        self.set_the_scene();
        for _ in 0..self.random.random_range(options.acts / 2..=options.acts) {
            self.act(options).await;
            self.examine_batches().await;
        }
        if self.orders.is_empty() {
            self.order().await;
        }
        self.resume_all().await;
        self.settle().await;
        // People decide; what they have sent again is in the vendors' hands, and may need them once more.
        for _ in 0..3 {
            if !self.decide_what_waits().await {
                break;
            }
            self.settle().await;
        }
        self.sweep().await;
        self.judge().await;
        self.report
    }

    /// Does what is due, in every process, until there is nothing more.
    async fn work(&mut self) {
        for _ in 0..MOST_ROUNDS {
            self.mail.deliver(&self.engines, &self.world, &mut self.report).await;
            let works = futures::future::join_all(self.engines.iter().map(work)).await;
            let mut done = 0;
            for worked in works {
                match worked {
                    Ok(count) => {
                        done += count;
                        self.report.examine(Invariant::WorkersGoOn, true, String::new);
                    }
                    // What a worker does then: it rests, and goes on.
                    Err(error) if error.is_transient() => self.report.tallies.came("workers held up", 1),
                    Err(error) => self.report.examine(Invariant::WorkersGoOn, false, || error.to_string()),
                }
            }
            if done == 0 {
                self.report.examine(Invariant::WorkersRest, true, String::new);
                return;
            }
        }
        self.report.examine(Invariant::WorkersRest, false, || "they go on and on at one moment".into());
    }

    /// Lets everything run until nothing happens any more.
    async fn settle(&mut self) {
        let begun = self.world.clock.now();
        let mut jumps = 0;
        let mut open = self.orders.clone();
        loop {
            self.work().await;
            let mut tx = self.world.engine.store().begin().await.expect("a transaction");
            let orders = tx.orders().get_many(&Scope::All, &open).await.expect("read");
            open = orders
                .iter()
                .filter(|order| !order.checks.iter().all(|check| is_settled(check.status())))
                .map(|order| order.id)
                .collect();
            let filter = CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() };
            let no_case_is_open = tx.cases().list(&Scope::All, &filter, 1, None).await.expect("read").is_empty();
            drop(tx);
            if open.is_empty() && no_case_is_open && self.mail.is_delivered() {
                return;
            }
            let waited = self.world.clock.now().since(begun);
            if waited > PATIENCE {
                // What is still open is found when it is judged.
                return;
            }
            jumps += 1;
            if jumps == DRIFT {
                self.stand_still();
            }
            let longest = if waited < Duration::from_hours(1) { JUMPS[0] } else { JUMPS[1] };
            self.report.tallies.came("jumps of the clock", 1);
            self.world.jump(Duration::from_millis(20)..=longest).await;
        }
    }

    /// Lets each vendor's standing sweep go over everything, with nothing in its way.
    async fn sweep(&mut self) {
        self.disarm();
        self.calm();
        for _ in 0..3 {
            self.world.clock.advance(Duration::from_hours(25));
            self.work().await;
        }
    }

    async fn resume_all(&mut self) {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        for vendor in VENDORS {
            self.world.engine.resume(&mut tx, &domain::ProviderId::new(vendor), "ops").await.expect("resumed");
        }
        tx.save().await.expect("saved");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provider::call::Unlimited;
    use provider::{CallContext, Share, Submission, SubmissionItem};
    use sandbox::{Fault, FaultKind};

    use super::*;

    /// A schedule in which one order was carried out, and nothing failed.
    async fn carried_out() -> Course {
        let mut course = Course::begin(1).await;
        course.order().await;
        course.settle().await;
        course
    }

    async fn judged(mut course: Course) -> Report {
        course.judge().await;
        course.report
    }

    #[tokio::test]
    async fn what_went_well_is_examined_and_found_good() {
        let report = judged(carried_out().await).await;
        assert_eq!(report.violations, Vec::<String>::new());
        let examined = |invariant| report.tallies.invariant(invariant).examined;
        assert!(examined(Invariant::CheckEnds) > 0 && examined(Invariant::ObjectKnown) > 0, "{}", report.tallies);
    }

    #[tokio::test]
    async fn a_check_that_is_sent_a_second_time_is_noticed_on_both_sides() {
        let course = carried_out().await;
        let order = course.world.order(course.orders[0]).await;
        let check = &order.checks[0];
        let account = course.world.engine.providers().account(&check.account).expect("an account");
        let item = SubmissionItem {
            reference: check.reference(),
            order: Arc::new(order.input.expose().clone()),
            check: Arc::new(check.input.expose().clone()),
            force_new: true,
        };
        let id = domain::SubmissionId::generate(&course.world.clock, &engine::OsEntropy);
        let ctx = CallContext::new(Share::Create, Duration::from_secs(5), Arc::new(Unlimited));
        account
            .provider
            .submit(&ctx, &Submission { id, items: vec![item.clone()], joint: false, hook_url: None })
            .await;
        account.provider.submit(&ctx, &Submission { id, items: vec![item], joint: false, hook_url: None }).await;
        let report = judged(course).await;
        let violated = |invariant| report.tallies.invariant(invariant).violated;
        assert!(violated(Invariant::ObjectKnown) > 0, "{}", report.tallies);
        assert!(violated(Invariant::SettleRule) > 0, "{}", report.tallies);
    }

    #[tokio::test]
    async fn what_is_sent_after_it_was_canceled_is_noticed() {
        let mut course = carried_out().await;
        let id = course.orders[0];
        let check = course.world.order(id).await.checks[0].id;
        course.canceled.insert(check, 0);
        let report = judged(course).await;
        assert!(report.tallies.invariant(Invariant::CanceledStays).violated > 0, "{}", report.tallies);
    }

    #[tokio::test]
    async fn only_what_was_met_counts_as_made_to_fail() {
        let mut course = Course::begin(1).await;
        course.report.tallies.injected.clear();
        course.arm_fault("theary", Fault::new("document", FaultKind::Stall).times(2));
        course.arm_fault("theary", Fault::new("create", FaultKind::DropBefore).times(2));
        let theary = course.world.account("theary");
        course.world.accept(crate::draft("theary", 1)).await;
        course.world.engine.dispatch(&theary, 50).await.expect("dispatched");
        course.disarm();
        assert_eq!(course.report.tallies.injected, BTreeMap::from([("create drop_before".to_owned(), 1)]));
        assert!(course.world.vendor("theary").control().armed().is_empty());
    }

    #[tokio::test]
    async fn what_has_not_ended_is_noticed() {
        let mut course = Course::begin(1).await;
        course.batch(4).await;
        course.batch(4).await;
        course.order().await;
        let report = judged(course).await;
        assert!(report.tallies.invariant(Invariant::CheckEnds).violated > 0, "{}", report.tallies);
        assert_eq!(report.tallies.invariant(Invariant::BatchEnds).violated, 0, "no batch says that it has ended");
    }
}
