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
const PATIENCE: Duration = Duration::from_hours(7 * 24);

/// The longest that the clock is moved at once: simulators look at their own work whenever they are called.
const JUMP: Duration = Duration::from_mins(1);

/// Runs one schedule.
pub async fn schedule(seed: u64, options: &Options) -> Report {
    let options = options.clone();
    // Of its own: a schedule that panics is a finding, and the next one goes on.
    let run = std::panic::AssertUnwindSafe(async move { Course::begin(seed).await.run(&options).await });
    match run.catch_unwind().await {
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
            settle: Duration::from_secs(random.random_range(30..300)),
            timeout: Duration::from_millis(600),
            cancel_duplicates: if random.random_bool(0.3) { CancelDuplicates::Auto } else { CancelDuplicates::Ask },
            batch_size: random.random_range(2..=10),
            hooks: random.random_bool(0.6).then(|| room.address().clone()),
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
        self.count_faults();
        self.judge().await;
        self.report
    }

    /// Does what is due, in every process, until there is nothing more.
    async fn work(&mut self) {
        loop {
            self.mail.deliver(&self.engines, &self.world, &mut self.report).await;
            let works = futures::future::join_all(self.engines.iter().map(work)).await;
            let mut done = 0;
            for worked in works {
                match worked {
                    Ok(count) => done += count,
                    // What a worker does then: it rests, and goes on.
                    Err(error) if error.is_transient() => self.report.tallies.came("workers held up", 1),
                    Err(error) => self.report.examine(Invariant::WorkersGoOn, false, || error.to_string()),
                }
            }
            self.report.examine(Invariant::WorkersGoOn, true, String::new);
            if done == 0 {
                return;
            }
        }
    }

    /// Lets everything run until nothing happens any more.
    async fn settle(&mut self) {
        let give_up = self.world.clock.now() + PATIENCE;
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
            if self.world.clock.now() > give_up {
                // What is still open is found when it is judged.
                return;
            }
            self.report.tallies.came("jumps of the clock", 1);
            self.world.jump(Duration::from_millis(20)..=JUMP).await;
        }
    }

    /// Lets each vendor's standing sweep go over everything, with nothing in its way.
    async fn sweep(&mut self) {
        for vendor in VENDORS {
            self.world.vendor(vendor).control().clear_faults();
        }
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
