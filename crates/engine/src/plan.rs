//! Who is sent next, and in which calls. Pure.
//!
//! Each batch is a lane, and all single orders are one. The free calls of an account are shared over the lanes that have
//! something to send, so that a batch of thousands holds up neither a single order nor a small batch.

pub mod files;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use domain::{AccountKey, BatchId, OrderId, TenantId};

/// A batch's lane, or (`None`) that of all single orders.
pub type LaneKey = Option<BatchId>;

/// Shares `calls` over the lanes as evenly as it goes. Where they do not come out even, those behind `last` have the odd
/// ones; with more lanes than calls the others get nothing, and their turn in the next round. Gives the shares above
/// zero, and the lane behind which the next round begins.
pub fn shares(lanes: &[LaneKey], calls: usize, last: Option<LaneKey>) -> (Vec<(LaneKey, usize)>, Option<LaneKey>) {
    let mut lanes = lanes.to_vec();
    lanes.sort_unstable();
    lanes.dedup();
    if lanes.is_empty() {
        return (Vec::new(), last);
    }
    let behind = last.map_or(0, |last| lanes.partition_point(|lane| *lane <= last));
    lanes.rotate_left(behind);
    let (each, odd) = (calls / lanes.len(), calls % lanes.len());
    let last = odd.checked_sub(1).map(|at| lanes[at]).or(last);
    let shares = lanes.into_iter().enumerate().map(|(at, lane)| (lane, each + usize::from(at < odd)));
    (shares.filter(|(_, share)| *share > 0).collect(), last)
}

/// The lane of each account that had the last odd call, in this process.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountKey, LaneKey>>);

impl Turns {
    /// Shares the account's calls, going on where its last round ended.
    pub(crate) fn share(&self, account: &AccountKey, lanes: &[LaneKey], calls: usize) -> Vec<(LaneKey, usize)> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (shares, last) = shares(lanes, calls, turns.get(account).copied());
        if let Some(last) = last {
            turns.insert(account.clone(), last);
        }
        shares
    }
}

/// A check that is due to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub batch: LaneKey,
    pub tenant: TenantId,
    /// It was never sent: no call may have reached the vendor yet.
    pub fresh: bool,
    /// It may share the vendor's object with what else of this order says so.
    pub joins: Option<OrderId>,
}

/// One create call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub checks: Vec<usize>,
    /// They are of one order, and become one object of the vendor's.
    pub joint: bool,
}

/// Which checks go in which call, by their index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calls {
    pub calls: Vec<Call>,
    /// What has to wait, since there would be more calls than allowed.
    pub surplus: Vec<usize>,
}

/// Makes at most `most` calls. One carries up to `batch_size` checks of one batch (and so of one tenant) that were never
/// sent, or, however many, those of one order that join and were never sent; everything else goes singly, so that a doubt
/// about it stays small. Lanes take turns, each the longest due first.
pub fn calls(due: &[Due], batch_size: usize, most: usize) -> Calls {
    let mut lanes: BTreeMap<LaneKey, VecDeque<Call>> = BTreeMap::new();
    // The call of each batch that has room left, by its place in the lane.
    let mut open: BTreeMap<(BatchId, &TenantId), usize> = BTreeMap::new();
    // Those that join, by their order. One that has nobody to join goes as any other does.
    let mut together: BTreeMap<OrderId, Vec<usize>> = BTreeMap::new();
    for (at, check) in due.iter().enumerate() {
        if let Some(order) = check.joins.filter(|_| check.fresh) {
            together.entry(order).or_default().push(at);
        }
    }
    together.retain(|_, checks| checks.len() > 1);
    for (at, check) in due.iter().enumerate() {
        let lane = lanes.entry(check.batch).or_default();
        if let Some(checks) = check.joins.filter(|_| check.fresh).and_then(|order| together.get(&order)) {
            if checks.first() == Some(&at) {
                lane.push_back(Call { checks: checks.clone(), joint: true });
            }
            continue;
        }
        let Some(batch) = check.batch.filter(|_| check.fresh && batch_size > 1) else {
            lane.push_back(Call { checks: vec![at], joint: false });
            continue;
        };
        let place = *open.entry((batch, &check.tenant)).or_insert(lane.len());
        match lane.get_mut(place) {
            Some(call) => call.checks.push(at),
            None => lane.push_back(Call { checks: vec![at], joint: false }),
        }
        if lane.get(place).is_some_and(|call| call.checks.len() >= batch_size) {
            open.remove(&(batch, &check.tenant));
        }
    }
    let mut planned = Calls::default();
    while lanes.values().any(|lane| !lane.is_empty()) {
        for call in lanes.values_mut().filter_map(VecDeque::pop_front) {
            if planned.calls.len() < most {
                planned.calls.push(call);
            } else {
                planned.surplus.extend(call.checks);
            }
        }
    }
    planned
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn batch(number: u8) -> LaneKey {
        (number > 0).then(|| BatchId::from_uuid(Uuid::from_u128(u128::from(number))))
    }

    fn due(number: u8, fresh: bool) -> Due {
        Due { batch: batch(number), tenant: TenantId::new(format!("t{}", number % 2)), fresh, joins: None }
    }

    /// Of this order, and joins.
    fn joining(number: u8, fresh: bool, order: u8) -> Due {
        let order = OrderId::from_uuid(Uuid::from_u128(u128::from(number) * 100 + u128::from(order)));
        Due { joins: Some(order), ..due(number, fresh) }
    }

    fn places(planned: &Calls) -> Vec<Vec<usize>> {
        planned.calls.iter().map(|call| call.checks.clone()).collect()
    }

    #[test]
    fn a_single_order_has_its_share_beside_a_batch() {
        let (shares, _) = shares(&[None, batch(1)], 8, None);
        assert_eq!(shares, [(None, 4), (batch(1), 4)]);
    }

    #[test]
    fn with_more_lanes_than_calls_each_has_its_turn() {
        let lanes: Vec<_> = (0..5).map(batch).collect();
        let (mut last, mut turns) = (None, Vec::new());
        for _ in 0..5 {
            let (round, next) = shares(&lanes, 2, last);
            turns.extend(round);
            last = next;
        }
        let twice: Vec<_> = lanes.iter().chain(&lanes).map(|lane| (*lane, 1)).collect();
        assert_eq!(turns, twice);
    }

    #[test]
    fn what_was_sent_before_goes_singly() {
        let checks = [due(1, true), due(1, false), due(1, true), due(0, true), due(0, true), due(1, true)];
        let planned = calls(&checks, 2, 10);
        assert_eq!(places(&planned), [vec![3], vec![0, 2], vec![4], vec![1], vec![5]]);
        assert!(planned.surplus.is_empty());
    }

    #[test]
    fn resends_of_a_batch_that_make_too_many_calls_are_given_back() {
        let mut checks = vec![due(1, false); 20];
        checks.push(due(0, true));
        let planned = calls(&checks, 10, 4);
        assert_eq!(places(&planned), [vec![20], vec![0], vec![1], vec![2]]);
        assert_eq!(planned.surplus, (3..20).collect::<Vec<_>>());
    }

    #[test]
    fn what_joins_is_a_call_of_its_own() {
        let checks = [
            joining(1, true, 1),
            due(1, true),
            joining(1, true, 2),
            joining(1, true, 1),
            joining(1, false, 1),
            due(1, true),
            joining(0, true, 1),
        ];
        let planned = calls(&checks, 10, 10);
        assert_eq!(places(&planned), [vec![6], vec![0, 3], vec![1, 2, 5], vec![4]]);
        let joint: Vec<_> = planned.calls.iter().map(|call| call.joint).collect();
        assert_eq!(joint, [false, true, false, false], "one that has nobody to join goes as any other");
    }

    prop_compose! {
        fn some_checks()(
            checks in prop::collection::vec((0_u8..5, prop::bool::weighted(0.7), prop::option::weighted(0.4, 0_u8..8)), 0..120)
        ) -> Vec<Due> {
            let check = |(number, fresh, order)| match order {
                Some(order) => joining(number, fresh, order),
                None => due(number, fresh),
            };
            checks.into_iter().map(check).collect()
        }
    }

    /// How many checks of the same order could share its object.
    fn could_join(checks: &[Due], at: usize) -> usize {
        let one = &checks[at];
        let joins = |other: &&Due| one.fresh && other.fresh && other.joins.is_some() && other.joins == one.joins;
        checks.iter().filter(joins).count()
    }

    proptest! {
        #[test]
        fn every_check_is_in_one_call_or_waits(checks in some_checks(), size in 1_usize..12, most in 1_usize..20) {
            let planned = calls(&checks, size, most);
            let mut all: Vec<usize> = places(&planned).concat();
            all.extend(&planned.surplus);
            all.sort_unstable();
            prop_assert_eq!(all, (0..checks.len()).collect::<Vec<_>>());
            prop_assert!(planned.calls.len() <= most);
            prop_assert!(planned.surplus.is_empty() || planned.calls.len() == most);
            for Call { checks: call, joint } in &planned.calls {
                let first = &checks[call[0]];
                if *joint {
                    prop_assert!(call.len() > 1 && call.iter().all(|at| checks[*at] == *first) && first.fresh);
                    prop_assert_eq!(call.len(), could_join(&checks, call[0]), "all of the order, and nobody else");
                    continue;
                }
                prop_assert!(call.iter().all(|at| could_join(&checks, *at) < 2), "who can join does");
                prop_assert!((1..=size).contains(&call.len()));
                let alike = |at: &usize| {
                    let Due { batch, tenant, fresh, .. } = &checks[*at];
                    *fresh && batch.is_some() && (batch, tenant) == (&first.batch, &first.tenant)
                };
                prop_assert!(call.len() == 1 || call.iter().all(alike));
            }
        }

        #[test]
        fn no_more_calls_than_needed(checks in some_checks(), size in 1_usize..12) {
            let planned = calls(&checks, size, usize::MAX);
            let mut needed = 0;
            for number in 0..5 {
                let of_lane = (0..checks.len()).filter(|at| checks[*at].batch == batch(number));
                let (joint, others): (Vec<_>, Vec<_>) = of_lane.partition(|at| could_join(&checks, *at) > 1);
                needed += joint.iter().map(|at| checks[*at].joins).collect::<BTreeSet<_>>().len();
                let (fresh, others): (Vec<_>, Vec<_>) =
                    others.into_iter().partition(|at| checks[*at].fresh && number > 0);
                needed += fresh.len().div_ceil(size) + others.len();
            }
            prop_assert_eq!(planned.calls.len(), needed);
        }

        #[test]
        fn nobody_waits_while_another_lane_has_more(checks in some_checks(), size in 1_usize..12, most in 1_usize..20) {
            let planned = calls(&checks, size, most);
            let count = |lane: LaneKey| planned.calls.iter().filter(|call| checks[call.checks[0]].batch == lane).count();
            let waiting: BTreeSet<_> = planned.surplus.iter().map(|at| checks[*at].batch).collect();
            for lane in waiting {
                for number in 0..5 {
                    prop_assert!(count(lane) + 1 >= count(batch(number)));
                }
            }
        }

        #[test]
        fn shares_are_even_and_spend_every_call(count in 1_u8..9, calls in 0_usize..30, last in 0_u8..12) {
            let lanes: Vec<_> = (0..count).map(batch).collect();
            let (shares, _) = shares(&lanes, calls, Some(batch(last)));
            prop_assert_eq!(shares.iter().map(|(_, share)| share).sum::<usize>(), calls);
            let (most, lanes) = (shares.iter().map(|(_, share)| *share).max().unwrap_or(0), lanes.len());
            prop_assert!(most <= calls.div_ceil(lanes));
            prop_assert_eq!(shares.len(), lanes.min(calls));
        }

        #[test]
        fn every_lane_has_a_turn_within_one_round_of_all(count in 1_u8..9, calls in 1_usize..9, last in 0_u8..12) {
            let lanes: Vec<_> = (0..count).map(batch).collect();
            let (mut last, mut served) = (Some(batch(last)), BTreeSet::new());
            for _ in 0..lanes.len().div_ceil(calls) {
                let (round, next) = shares(&lanes, calls, last);
                served.extend(round.into_iter().map(|(lane, _)| lane));
                last = next;
            }
            prop_assert_eq!(served.len(), lanes.len());
        }
    }
}
