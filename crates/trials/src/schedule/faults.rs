//! What the vendors do badly.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::Course;
use crate::world::VENDORS;

const KINDS: [FaultKind; 9] = [
    FaultKind::DropBefore,
    FaultKind::DropAfter,
    FaultKind::StatusBefore,
    FaultKind::StatusAfter,
    FaultKind::Truncate,
    FaultKind::Halve,
    FaultKind::Garbage,
    FaultKind::Stall,
    FaultKind::RateLimit,
];

const OPERATIONS: [&str; 9] = ["create", "create", "create", "create", "list", "get", "searches", "cancel", "any"];

impl Course {
    /// How the vendors are from the beginning.
    pub(super) fn set_the_scene(&mut self) {
        // Quick work: what is followed for hours is not what these schedules are about.
        let complete = self.random.random_range(10_000..400_000);
        self.switch("theary", json!({ "start_after_ms": 5_000, "complete_after_ms": complete }));
        for _ in 0..self.random.random_range(0..4) {
            self.arm_something();
        }
        for _ in 0..self.random.random_range(0..5) {
            self.change_a_habit();
        }
        if self.random.random_bool(0.4) {
            self.make_strangers();
        }
    }

    pub(super) fn arm_something(&mut self) {
        let vendor = *["theary", "theary", "truora", "truework"].choose(&mut self.random).expect("vendors");
        let fault = fault(&mut self.random);
        self.arm_fault(vendor, fault);
    }

    pub(super) fn arm_fault(&mut self, vendor: &str, fault: Fault) {
        // Counted as armed; what was never met is taken off when it is disarmed.
        self.report.tallies.inject(name(&fault), fault.times.into());
        self.world.vendor(vendor).control().arm(fault);
    }

    /// Takes back what was armed and never met, and takes it off the count.
    pub(super) fn disarm(&mut self) {
        for vendor in VENDORS {
            let control = self.world.vendor(vendor).control();
            for fault in control.armed() {
                if let Some(count) = self.report.tallies.injected.get_mut(&name(&fault)) {
                    *count = count.saturating_sub(fault.times.into());
                }
            }
            control.clear_faults();
        }
        self.report.tallies.injected.retain(|_, times| *times > 0);
    }

    /// Throws a switch of a simulator.
    pub(super) fn change_a_habit(&mut self) {
        let settle = u64::try_from(self.settings.settle.as_millis()).expect("minutes");
        let random = &mut self.random;
        // Mostly what comes late comes within the settle window. Where it does not, duplicates are made, and must be found.
        let late = if random.random_bool(0.75) { random.random_range(0..settle * 9 / 10) } else { settle * 3 / 2 };
        let status = *[400, 422, 500, 503].choose(random).expect("statuses");
        let throw = json!({
            "batch_throw_at": random.random_range(0..6), "batch_throw_status": status,
            "siblings_after_error_ms": late, "siblings_before_error": random.random_range(0..4),
        });
        let throw_at_once = json!({ "batch_throw_at": random.random_range(0..6), "siblings_after_error_ms": 0 });
        let choices = [
            ("theary", "batch: one throws, siblings come late", throw),
            ("theary", "batch: one throws, siblings come first", throw_at_once),
            ("theary", "batch: no throw any more", json!({ "batch_throw_at": null, "batch_throw_every": null })),
            (
                "theary",
                "batch: every second throws",
                json!({ "batch_throw_every": 2, "siblings_after_error_ms": late }),
            ),
            ("theary", "batch: orders left out", json!({ "batch_omits": random.random_range(0..3) })),
            ("theary", "batch: an order named twice", json!({ "batch_repeats_id": random.random_bool(0.7) })),
            ("theary", "batch: an older order named", json!({ "batch_names_older": random.random_bool(0.7) })),
            ("theary", "batch: success denied", json!({ "batch_denies": random.random_bool(0.7) })),
            ("theary", "batch: miscounted", json!({ "batch_miscounts": random.random_bool(0.5) })),
            ("theary", "batch: answer shuffled", json!({ "batch_shuffle": random.random_bool(0.7) })),
            ("theary", "batch: too many", json!({ "batch_cap": random.random_range(1..8) })),
            ("theary", "batch: validated first", json!({ "batch_validates_first": random.random_bool(0.5) })),
            ("theary", "list lags", json!({ "list_lag_ms": late })),
            ("theary", "list unordered", json!({ "unordered": random.random_bool(0.7) })),
            // Pages that hold fewer than are made while they are read would never end.
            ("theary", "list drifts down", json!({ "strangers_per_list": random.random_range(0..3), "list_cap": 40 })),
            ("theary", "list drifts up", json!({ "vanish_per_list": random.random_range(0..2) })),
            (
                "theary",
                "list in small pages",
                json!({ "list_cap": random.random_range(3..20), "strangers_per_list": 0 }),
            ),
            ("theary", "list without totals", json!({ "no_pagination": random.random_bool(0.7) })),
            ("theary", "searches lag", json!({ "searches_lag_ms": late.min(settle / 2) })),
            ("theary", "searches shown one by one", json!({ "searches_apart_ms": late.min(settle / 2) })),
            (
                "theary",
                "searches: a create dies between them",
                json!({ "create_dies_after": random.random_bool(0.7).then_some(1) }),
            ),
            ("theary", "searches left out", json!({ "create_leaves_out": random.random_range(0..2) })),
            ("theary", "searches wrapped", json!({ "searches_wrapped": random.random_bool(0.5) })),
            ("theary", "deleted orders vanish", json!({ "deleted_vanish": true })),
            ("theary", "ids are bare", json!({ "bare_ids": random.random_bool(0.5) })),
            ("truework", "list lags", json!({ "list_lag_ms": late })),
            ("truework", "search key not filtered", json!({ "ignore_search_key": random.random_bool(0.7) })),
            ("truework", "list in small pages", json!({ "max_limit": random.random_range(2..10) })),
            ("truora", "list lags", json!({ "list_lag_ms": late })),
            ("truora", "list oldest first", json!({ "oldest_first": random.random_bool(0.7) })),
            ("truora", "list in small pages", json!({ "page_size": random.random_range(2..10) })),
        ];
        // Batches are what these schedules are most about.
        let of_batches = random.random_bool(0.5);
        let choices: Vec<_> =
            choices.into_iter().filter(|(_, what, _)| what.starts_with("batch") == of_batches).collect();
        let (vendor, what, switches) = choices.choose(random).expect("switches").clone();
        // Back to what is right: nothing that was made to fail.
        let is_off = |value: &Value| value.as_u64() == Some(0) || matches!(value, Value::Null | Value::Bool(false));
        let goes_wrong = switches.as_object().is_some_and(|switches| !switches.values().all(is_off));
        self.switch(vendor, switches);
        self.report.tallies.inject(format!("{vendor} {what}"), goes_wrong.into());
    }

    /// The list moves no more while it is read.
    pub(super) fn stand_still(&self) {
        self.switch("theary", json!({ "strangers_per_list": 0, "vanish_per_list": 0 }));
    }

    /// Nothing is hidden, late or in the way any more.
    pub(super) fn calm(&self) {
        self.stand_still();
        self.switch("theary", json!({ "list_lag_ms": 0, "searches_lag_ms": 0, "searches_apart_ms": 0 }));
        self.switch("truework", json!({ "list_lag_ms": 0 }));
        self.switch("truora", json!({ "list_lag_ms": 0 }));
    }

    fn switch(&self, vendor: &str, switches: Value) {
        self.world.vendor(vendor).control().set_behavior(switches).expect("a switch");
    }
}

fn fault(random: &mut StdRng) -> Fault {
    let on = *OPERATIONS.choose(random).expect("operations");
    let kind = *KINDS.choose(random).expect("kinds");
    let status = *[500, 502, 503, 504].choose(random).expect("statuses");
    Fault::new(on, kind).status(status).times(random.random_range(1..3)).skip(random.random_range(0..3))
}

fn name(fault: &Fault) -> String {
    let kind = serde_json::to_value(fault.fault).ok();
    format!("{} {}", fault.on, kind.as_ref().and_then(Value::as_str).unwrap_or_default())
}
