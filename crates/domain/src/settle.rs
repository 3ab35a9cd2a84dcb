//! When a doubt is settled: the rule by which reconciliation binds, gives up, or asks a person.
//!
//! A doubled check contacts an employer twice and costs money; a delay does not. So whatever is not proven waits.
//!
//! Some objects never show a reference (a reverification): what they were made of and when is all there is. Then the only
//! object that fits is the one, once two scans agree that there is no other. Of several nobody can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::case::{Case, CaseItem, ItemState, ScanReport, Sighting};
use crate::id::Reference;
use crate::observation::VendorRef;
use crate::result::Reason;
use crate::time::Timestamp;

/// How far the vendor's clock may be from ours.
pub const SKEW: Duration = Duration::from_mins(5);

/// What the evidence says about one item of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Not enough is known; look again.
    Wait,
    /// It exists. The earliest object is the check's; the others are duplicates.
    Bind { vendor: VendorRef, duplicates: Vec<VendorRef> },
    /// It does not exist: the settle window is over and two complete, equal scans after it saw nothing.
    Absent,
    /// A person must look.
    Review(Reason),
    /// It was sent again, and the scan after that is over. More objects than the bound one are duplicates; `possible` ones
    /// where nothing shows whose they are.
    LateScanned { duplicates: Vec<VendorRef>, possible: Vec<VendorRef> },
}

/// What the scans of an account say about one case: read once, asked for each of its items.
pub struct Evidence<'a> {
    window_ends_at: Timestamp,
    deadline: Timestamp,
    /// What was seen to carry a reference of the case.
    found: BTreeMap<Reference, Vec<&'a Sighting>>,
    /// What could be an item's, and whether it fits.
    candidates: BTreeMap<Reference, BTreeMap<&'a str, bool>>,
    unrecognizable: BTreeSet<Reference>,
    /// When the latest complete scan began.
    last_complete: Option<Timestamp>,
    /// How many scans began after the settle window.
    after: usize,
    absence: Absence<'a>,
}

/// What the scans after the settle window prove of absence.
enum Absence<'a> {
    /// Fewer than two of them are complete; whether the latest is none of these.
    TooFew { still_fails: bool },
    /// The latest two complete ones differ.
    Unequal,
    /// They list the same; the last of them.
    Equal(&'a ScanReport),
}

impl<'a> Evidence<'a> {
    /// `scans` are the scans of the account since the case was opened, oldest first.
    pub fn of(case: &Case, scans: &'a [ScanReport]) -> Self {
        let mut found: BTreeMap<_, Vec<_>> = case.items.iter().map(|item| (item.reference, Vec::new())).collect();
        for sighting in scans.iter().flat_map(|scan| &scan.seen.found) {
            if let Some(found) = found.get_mut(&sighting.reference) {
                found.push(sighting);
            }
        }
        let mut candidates: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for candidate in scans.iter().flat_map(|scan| &scan.seen.candidates) {
            if found.contains_key(&candidate.reference) && may_be_of(case, candidate.created_at) {
                let of_item = candidates.entry(candidate.reference).or_default();
                *of_item.entry(candidate.vendor_order_id.as_str()).or_default() |= candidate.fits;
            }
        }
        let complete = |scan: &&ScanReport| scan.seen.complete;
        let after: Vec<_> = scans.iter().filter(|scan| scan.started_at >= case.window_ends_at).collect();
        let conclusive: Vec<_> = after.iter().copied().filter(complete).collect();
        let absence = match conclusive.as_slice() {
            [.., before, last] if listed(case, before) == listed(case, last) => Absence::Equal(last),
            [.., _, _] => Absence::Unequal,
            _ => Absence::TooFew { still_fails: after.last().is_some_and(|scan| !scan.seen.complete) },
        };
        Self {
            window_ends_at: case.window_ends_at,
            deadline: case.deadline,
            found,
            candidates,
            unrecognizable: scans.iter().flat_map(|scan| &scan.seen.unrecognizable).copied().collect(),
            last_complete: scans.iter().filter(complete).map(|scan| scan.started_at).max(),
            after: after.len(),
            absence,
        }
    }

    /// The objects that could be an item's. Those of them that fulfil a check are to be taken out before anything is judged.
    pub fn candidates(&self) -> BTreeSet<String> {
        self.candidates.values().flat_map(BTreeMap::keys).map(|id| (*id).to_owned()).collect()
    }

    /// The same without candidates that fulfil a check, whichever that is.
    #[must_use]
    pub fn without(mut self, held: &BTreeSet<String>) -> Self {
        for candidates in self.candidates.values_mut() {
            candidates.retain(|id, _| !held.contains(*id));
        }
        self
    }

    /// Judges one item of the case. `echoes` says whether the account was ever seen to give back a reference of ours.
    pub fn settle(&self, item: &CaseItem, echoes: bool, now: Timestamp) -> Finding {
        let found = self.found(item);
        if let (ItemState::Bound | ItemState::Duplicate | ItemState::Absent, Some(late_scan_at)) =
            (item.state, item.late_scan_at)
        {
            if self.last_complete.is_none_or(|last| last < late_scan_at) {
                return Finding::Wait;
            }
            let duplicates = found
                .into_iter()
                .filter(|vendor| item.bound.as_ref().is_none_or(|bound| bound.order_id != vendor.order_id));
            let possible = self.fitting(item).into_iter().map(VendorRef::order);
            return Finding::LateScanned { duplicates: duplicates.collect(), possible: possible.collect() };
        }
        if !matches!(item.state, ItemState::Unknown | ItemState::Proven) {
            return Finding::Wait;
        }
        if let Some((first, rest)) = found.split_first() {
            return Finding::Bind { vendor: first.clone(), duplicates: rest.to_vec() };
        }
        // Once a person was asked, only finding it settles it: nothing is sent again behind their back.
        if now < self.window_ends_at || item.review.is_some() {
            return Finding::Wait;
        }
        let fitting = self.fitting(item);
        if fitting.len() > 1 {
            return Finding::Review(cannot_be_told_apart());
        }
        if fitting.is_empty() && self.may_be_hidden(item) {
            return Finding::Review(not_recognizable());
        }
        // Late is only who was given two chances: after an outage the first good scan is followed by a second.
        let is_late = now >= self.deadline && self.after >= 2;
        let last = match self.absence {
            Absence::TooFew { still_fails: true } if is_late => return Finding::Review(no_complete_scan()),
            Absence::Unequal if is_late => return Finding::Review(unequal_scans()),
            Absence::TooFew { .. } | Absence::Unequal => return Finding::Wait,
            Absence::Equal(last) => last,
        };
        if let Some(only) = fitting.first() {
            return Finding::Bind { vendor: VendorRef::order(*only), duplicates: Vec::new() };
        }
        if item.state == ItemState::Proven {
            return Finding::Review(proven_but_not_found());
        }
        if !echoes && last.seen.look_alikes.iter().any(|alike| alike.reference == item.reference) {
            return Finding::Review(look_alike());
        }
        Finding::Absent
    }

    /// The objects that show no reference and that they were made of what the item asked for.
    fn fitting(&self, item: &CaseItem) -> Vec<&'a str> {
        let candidates = self.candidates.get(&item.reference).into_iter().flatten();
        candidates.filter(|(_, fits)| **fits).map(|(id, _)| *id).collect()
    }

    /// Whether its object may be there without anything that shows it.
    fn may_be_hidden(&self, item: &CaseItem) -> bool {
        let has_candidates = self.candidates.get(&item.reference).is_some_and(|candidates| !candidates.is_empty());
        has_candidates || self.unrecognizable.contains(&item.reference)
    }

    /// The vendor's objects that carry the item's reference, earliest first.
    fn found(&self, item: &CaseItem) -> Vec<VendorRef> {
        let mut sightings = self.found.get(&item.reference).cloned().unwrap_or_default();
        sightings.sort_by_key(|sighting| (sighting.created_at.is_none(), sighting.created_at, &sighting.vendor));
        let mut orders = BTreeSet::new();
        sightings.retain(|sighting| orders.insert(&sighting.vendor.order_id));
        sightings.into_iter().map(|sighting| sighting.vendor.clone()).collect()
    }
}

/// What a scan listed of the time in question. Newer rows of a busy account do not count.
fn listed<'a>(case: &Case, scan: &'a ScanReport) -> BTreeSet<&'a str> {
    let window = case.sent_at - SKEW..=case.window_ends_at;
    let in_window = |at: Option<Timestamp>| at.is_none_or(|at| window.contains(&at));
    scan.seen.listed.iter().filter(|row| in_window(row.created_at)).map(|row| row.id.as_str()).collect()
}

/// Whether an object of that time can be what the case's call has made.
fn may_be_of(case: &Case, created_at: Option<Timestamp>) -> bool {
    created_at.is_none_or(|at| (case.sent_at - SKEW..=case.window_ends_at + SKEW).contains(&at))
}

fn no_complete_scan() -> Reason {
    Reason::new(
        "no_complete_scan",
        "The vendor's orders could not be read completely in time. Look in the vendor's dashboard for the reference, then bind, resend or fail.",
    )
}

fn unequal_scans() -> Reason {
    Reason::new(
        "unequal_scans",
        "The vendor's list of the time in question keeps changing. Look in the vendor's dashboard for the reference, then bind, resend or fail.",
    )
}

fn proven_but_not_found() -> Reason {
    Reason::new(
        "proven_but_not_found",
        "The vendor sent news with this reference, but no order with it can be found. Find the order in the vendor's dashboard and bind it.",
    )
}

fn look_alike() -> Reason {
    Reason::new(
        "look_alike",
        "The vendor has an order that agrees in what can be seen, without any reference. Compare it, then bind it, or resend if it is another's.",
    )
}

fn cannot_be_told_apart() -> Reason {
    Reason::new(
        "cannot_be_told_apart",
        "The vendor has several objects that could be this one, and they show no reference. Compare them, bind the right one, or resend if none is.",
    )
}

fn not_recognizable() -> Reason {
    Reason::new(
        "not_recognizable",
        "The vendor's list does not show which object would be this one. Look in the vendor's dashboard, then bind, resend or fail.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::{AfterAbsence, Candidate, CaseState, Listed, LookAlike, Sightings};
    use crate::id::{CaseId, CheckId, OrderId, Reference, ScanId, SubmissionId};
    use crate::party::{AccountKey, ProviderId, TenantId};
    use uuid::Uuid;

    fn settle(case: &Case, item: &CaseItem, scans: &[ScanReport], echoes: bool, now: Timestamp) -> Finding {
        Evidence::of(case, scans).settle(item, echoes, now)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(10_000 + seconds)
    }

    fn case() -> Case {
        Case {
            id: CaseId::from_uuid(Uuid::nil()),
            tenant: TenantId::new("t"),
            account: AccountKey::default_of(ProviderId::new("v")),
            submission: SubmissionId::from_uuid(Uuid::nil()),
            state: CaseState::Open,
            why: Reason::new("timeout", ""),
            sent_at: at(0),
            window_ends_at: at(100),
            deadline: at(500),
            next_scan_at: None,
            opened_at: at(10),
            resolved_at: None,
            items: vec![item()],
        }
    }

    fn item() -> CaseItem {
        CaseItem {
            check_id: CheckId::from_uuid(Uuid::nil()),
            order_id: OrderId::from_uuid(Uuid::nil()),
            reference: Reference::first(CheckId::from_uuid(Uuid::nil())),
            state: ItemState::Unknown,
            after_absence: AfterAbsence::Resend,
            bound: None,
            duplicates: Vec::new(),
            review: None,
            resent_at: None,
            late_scan_at: None,
            late_scanned: false,
        }
    }

    fn scan(started: u64, seen: Sightings) -> ScanReport {
        ScanReport {
            id: ScanId::from_uuid(Uuid::nil()),
            account: case().account,
            started_at: at(started),
            ended_at: at(started),
            seen,
        }
    }

    fn complete() -> Sightings {
        Sightings { complete: true, ..Sightings::default() }
    }

    fn with_found(ids: &[(&str, u64)]) -> Sightings {
        let found = ids.iter().map(|(id, created)| Sighting {
            reference: item().reference,
            vendor: VendorRef::order(*id),
            created_at: Some(at(*created)),
        });
        Sightings { found: found.collect(), ..complete() }
    }

    #[test]
    fn one_hit_binds_at_once_even_from_an_incomplete_scan() {
        let seen = Sightings { complete: false, ..with_found(&[("a", 1)]) };
        assert_eq!(
            settle(&case(), &item(), &[scan(20, seen)], true, at(21)),
            Finding::Bind { vendor: VendorRef::order("a"), duplicates: vec![] }
        );
    }

    #[test]
    fn of_several_hits_the_earliest_binds() {
        let finding = settle(&case(), &item(), &[scan(20, with_found(&[("late", 9), ("early", 1)]))], true, at(21));
        assert_eq!(
            finding,
            Finding::Bind { vendor: VendorRef::order("early"), duplicates: vec![VendorRef::order("late")] }
        );
    }

    #[test]
    fn nothing_is_absent_before_the_window_is_over_and_two_scans_after_it_agree() {
        let scans = [scan(20, complete()), scan(60, complete()), scan(101, complete()), scan(110, complete())];
        assert_eq!(settle(&case(), &item(), &scans[..2], true, at(99)), Finding::Wait);
        assert_eq!(settle(&case(), &item(), &scans[..2], true, at(100)), Finding::Wait);
        assert_eq!(settle(&case(), &item(), &scans[..3], true, at(105)), Finding::Wait);
        assert_eq!(settle(&case(), &item(), &scans, true, at(111)), Finding::Absent);
    }

    #[test]
    fn incomplete_scans_never_show_absence() {
        let scans: Vec<_> = (101..140).map(|at| scan(at, Sightings { complete: false, ..complete() })).collect();
        assert_eq!(settle(&case(), &item(), &scans, true, at(150)), Finding::Wait);
        assert!(
            matches!(settle(&case(), &item(), &scans, true, at(500)), Finding::Review(reason) if reason.code == "no_complete_scan")
        );
    }

    #[test]
    fn scans_that_disagree_within_the_window_do_not_count_but_newer_rows_do_not_matter() {
        let listing = |rows: &[(&str, u64)]| Sightings {
            listed: rows
                .iter()
                .map(|(id, created)| Listed { id: (*id).into(), created_at: Some(at(*created)) })
                .collect(),
            ..complete()
        };
        let drifting = [scan(101, listing(&[("x", 5)])), scan(110, listing(&[("x", 5), ("y", 90)]))];
        assert_eq!(settle(&case(), &item(), &drifting, true, at(111)), Finding::Wait);
        let busy = [scan(101, listing(&[("x", 5)])), scan(110, listing(&[("x", 5), ("new", 105)]))];
        assert_eq!(settle(&case(), &item(), &busy, true, at(111)), Finding::Absent);
    }

    #[test]
    fn a_look_alike_holds_the_resend_only_where_references_are_not_given_back() {
        let alike = LookAlike {
            reference: item().reference,
            vendor_order_id: "x".into(),
            created_at: Some(at(1)),
            agrees_in: vec!["last_name".into()],
        };
        let seen = Sightings { look_alikes: vec![alike], ..complete() };
        let scans = [scan(101, seen.clone()), scan(110, seen)];
        assert!(
            matches!(settle(&case(), &item(), &scans, false, at(111)), Finding::Review(reason) if reason.code == "look_alike")
        );
        assert_eq!(settle(&case(), &item(), &scans, true, at(111)), Finding::Absent);
    }

    #[test]
    fn what_a_person_was_asked_about_is_not_sent_again_by_itself() {
        let asked = CaseItem { review: Some(look_alike()), ..item() };
        let scans = [scan(101, complete()), scan(110, complete())];
        assert_eq!(settle(&case(), &asked, &scans, true, at(111)), Finding::Wait);
        assert!(matches!(
            settle(&case(), &asked, &[scan(120, with_found(&[("a", 1)]))], true, at(121)),
            Finding::Bind { .. }
        ));
    }

    #[test]
    fn after_an_outage_longer_than_the_deadline_two_good_scans_still_settle_it() {
        let failed = Sightings { complete: false, ..complete() };
        let scans = [scan(101, failed), scan(600, complete()), scan(610, complete())];
        assert_eq!(settle(&case(), &item(), &scans[..2], true, at(601)), Finding::Wait);
        assert_eq!(settle(&case(), &item(), &scans, true, at(611)), Finding::Absent);
    }

    #[test]
    fn what_is_proven_is_never_absent() {
        let proven = CaseItem { state: ItemState::Proven, ..item() };
        let scans = [scan(101, complete()), scan(110, complete())];
        assert!(
            matches!(settle(&case(), &proven, &scans, true, at(111)), Finding::Review(reason) if reason.code == "proven_but_not_found")
        );
    }

    #[test]
    fn after_a_resend_one_complete_scan_looks_for_the_first_one_coming_late() {
        let resent = CaseItem {
            state: ItemState::Bound,
            bound: Some(VendorRef::order("second")),
            resent_at: Some(at(200)),
            late_scan_at: Some(at(230)),
            ..item()
        };
        assert_eq!(settle(&case(), &resent, &[scan(150, complete())], true, at(210)), Finding::Wait);
        // A scan that another case asked for right after the resend is too early to show anything. What counts is the
        // window of the call that sent it again: the one in doubt took its hundred seconds.
        let early = [scan(150, complete()), scan(220, complete())];
        assert_eq!(settle(&case(), &resent, &early, true, at(221)), Finding::Wait);
        let late = [scan(150, complete()), scan(230, with_found(&[("first", 2), ("second", 199)]))];
        assert_eq!(
            settle(&case(), &resent, &late, true, at(231)),
            Finding::LateScanned { duplicates: vec![VendorRef::order("first")], possible: vec![] }
        );
    }

    fn with_candidates(of: &[(&str, u64, bool)]) -> Sightings {
        let candidates = of.iter().map(|(id, created, fits)| Candidate {
            reference: item().reference,
            vendor_order_id: (*id).to_owned(),
            created_at: Some(at(*created)),
            fits: *fits,
        });
        Sightings { candidates: candidates.collect(), ..complete() }
    }

    fn review_of(finding: Finding) -> Option<String> {
        if let Finding::Review(reason) = finding { Some(reason.code) } else { None }
    }

    #[test]
    fn the_only_object_that_fits_binds_once_two_scans_agree_that_there_is_no_other() {
        let seen = with_candidates(&[("a", 1, true), ("other", 2, false)]);
        let scans = [scan(20, seen.clone()), scan(101, seen.clone()), scan(110, seen)];
        for echoes in [true, false] {
            assert_eq!(settle(&case(), &item(), &scans[..1], echoes, at(21)), Finding::Wait, "the window is open");
            assert_eq!(settle(&case(), &item(), &scans[..2], echoes, at(102)), Finding::Wait);
            let bind = Finding::Bind { vendor: VendorRef::order("a"), duplicates: vec![] };
            assert_eq!(settle(&case(), &item(), &scans, echoes, at(111)), bind);
        }
        let asked = CaseItem { review: Some(no_complete_scan()), ..item() };
        assert_eq!(settle(&case(), &asked, &scans, true, at(111)), Finding::Wait, "a person was asked");
    }

    #[test]
    fn of_several_that_fit_nobody_can_tell_also_where_references_are_given_back() {
        let scans = [scan(20, with_candidates(&[("a", 1, true)])), scan(101, with_candidates(&[("b", 2, true)]))];
        let finding = settle(&case(), &item(), &scans, true, at(102));
        assert_eq!(review_of(finding).as_deref(), Some("cannot_be_told_apart"));
        // One of them fulfils another check.
        let agreeing = [scans[0].clone(), scans[1].clone(), scan(110, with_candidates(&[("b", 2, true)]))];
        let evidence = Evidence::of(&case(), &agreeing);
        assert_eq!(evidence.candidates(), ["a", "b"].map(str::to_owned).into());
        let finding = evidence.without(&["a".to_owned()].into()).settle(&item(), true, at(111));
        assert_eq!(finding, Finding::Bind { vendor: VendorRef::order("b"), duplicates: vec![] });
    }

    #[test]
    fn what_may_be_there_and_cannot_be_recognized_is_for_a_person() {
        let unseen = Sightings { unrecognizable: vec![item().reference], ..complete() };
        for seen in [unseen, with_candidates(&[("x", 1, false)])] {
            let scans = [scan(101, seen)];
            assert_eq!(settle(&case(), &item(), &scans, true, at(99)), Finding::Wait);
            let finding = settle(&case(), &item(), &scans, true, at(102));
            assert_eq!(review_of(finding).as_deref(), Some("not_recognizable"));
        }
    }

    #[test]
    fn an_object_of_another_time_is_no_candidate() {
        let (skew, window) = (SKEW.as_secs(), 100);
        for (created, is_candidate) in [(window + skew, true), (window + skew + 1, false)] {
            let seen = with_candidates(&[("a", created, true)]);
            let scans = [scan(101, seen.clone()), scan(110, seen)];
            let binds = matches!(settle(&case(), &item(), &scans, true, at(111)), Finding::Bind { .. });
            assert_eq!(binds, is_candidate, "{created}");
        }
    }

    #[test]
    fn what_fits_beside_the_bound_one_is_only_possibly_a_duplicate() {
        let bound = Some(VendorRef::order("second"));
        let resent = CaseItem {
            state: ItemState::Bound,
            bound,
            resent_at: Some(at(200)),
            late_scan_at: Some(at(220)),
            ..item()
        };
        let scans = [scan(301, with_candidates(&[("first", 2, true), ("second", 100, true)]))];
        let evidence = Evidence::of(&case(), &scans).without(&["second".to_owned()].into());
        let finding = evidence.settle(&resent, true, at(302));
        assert_eq!(finding, Finding::LateScanned { duplicates: vec![], possible: vec![VendorRef::order("first")] });
    }

    proptest! {
        /// Whatever scans see in whatever order: with an object about that could be the item's, it is never absent, and of
        /// two that fit none is bound.
        #[test]
        fn a_candidate_is_never_absence_and_never_a_guess(
            scans in proptest::collection::vec(
                (0_u64..800, any::<bool>(), proptest::collection::vec((0_usize..3, any::<bool>()), 0..4)), 1..8),
            echoes: bool,
            now in 0_u64..900,
        ) {
            let mut scans: Vec<_> = scans.into_iter().map(|(started, complete, seen)| {
                let seen: Vec<_> = seen.into_iter().map(|(id, fits)| (["a", "b", "c"][id], 1, fits)).collect();
                scan(started, Sightings { complete, ..with_candidates(&seen) })
            }).collect();
            scans.sort_by_key(|scan| scan.started_at);
            let seen = |fits: bool| -> BTreeSet<&str> {
                let all = scans.iter().flat_map(|scan| &scan.seen.candidates).filter(|one| one.fits || !fits);
                all.map(|one| one.vendor_order_id.as_str()).collect()
            };
            match settle(&case(), &item(), &scans, echoes, at(now)) {
                Finding::Absent => prop_assert!(seen(false).is_empty()),
                Finding::Bind { vendor, duplicates } => {
                    prop_assert_eq!(seen(true), BTreeSet::from([vendor.order_id.as_str()]));
                    prop_assert!(duplicates.is_empty() && now >= 100);
                }
                _ => {}
            }
        }
    }
}
