//! What becomes of the vendors' hooks on their way.

use std::time::Duration;

use domain::{Clock as _, Timestamp};
use engine::Engine;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::post_room::{Letter, PostRoom};
use crate::tally::{Invariant, Report};
use crate::world::World;

pub struct Mail {
    room: PostRoom,
    random: StdRng,
    /// Held back until then, so that others overtake them.
    held: Vec<(Timestamp, Letter)>,
}

impl Mail {
    pub fn new(room: PostRoom, seed: u64) -> Self {
        Self { room, random: StdRng::seed_from_u64(seed), held: Vec::new() }
    }

    pub fn is_delivered(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes in what has come, and delivers it: to any process, late, twice, or not at all.
    pub async fn deliver(&mut self, engines: &[Engine], world: &World, report: &mut Report) {
        let now = world.clock.now();
        for letter in self.room.collect() {
            match self.random.random_range(0..10) {
                0 => report.tallies.inject("hook lost", 1),
                1 => {
                    report.tallies.inject("hook twice", 1);
                    self.held.push((now + Duration::from_secs(self.random.random_range(0..120)), letter.clone()));
                    self.held.push((now, letter));
                }
                2 | 3 => {
                    report.tallies.inject("hook late", 1);
                    self.held.push((now + Duration::from_secs(self.random.random_range(1..600)), letter));
                }
                4 => {
                    report.tallies.inject("hook forged", 1);
                    let forged = letter.clone().forged().received_at(now);
                    let taken = world.engine.receive_hook(&letter.account, forged).await;
                    report
                        .examine(Invariant::ForgeryRefused, taken.is_err(), || format!("taken for {}", letter.account));
                    self.held.push((now, letter));
                }
                _ => self.held.push((now, letter)),
            }
        }
        let due: Vec<Letter> = self.held.extract_if(.., |(at, _)| *at <= now).map(|(_, letter)| letter).collect();
        for letter in due {
            let engine = engines.choose(&mut self.random).expect("a process");
            let account = letter.account.clone();
            match engine.receive_hook(&account, letter.received_at(now)).await {
                Ok(()) => report.tallies.came("hooks taken in", 1),
                // A vendor's signature that is too old by then.
                Err(_) => report.tallies.came("hooks refused", 1),
            }
        }
    }
}
