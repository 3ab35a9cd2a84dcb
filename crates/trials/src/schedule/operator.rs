//! People who decide what the machine must not.

use std::collections::BTreeSet;

use domain::{Case, CaseState, Clock as _, ItemState};
use engine::{Choice, Resolution, ResolveError};
use rand::RngExt as _;
use store::Scope;

use super::Course;

impl Course {
    /// Somebody looks into the vendor's dashboard and decides; now and then wrongly. False: nothing waits for people.
    pub(super) async fn decide_what_waits(&mut self) -> bool {
        let cases = self.world.cases().await;
        let mut waits = false;
        for case in cases.iter().filter(|case| case.state == CaseState::NeedsReview) {
            waits = true;
            self.decide(case).await;
        }
        // Some duplicates are canceled by hand, too.
        for case in cases.iter().filter(|case| case.state == CaseState::Resolved) {
            let duplicates: Vec<String> =
                case.items.iter().flat_map(|item| &item.duplicates).map(|vendor| vendor.order_id.clone()).collect();
            if !duplicates.is_empty() && self.operator.random_bool(0.5) {
                waits |= self.carry_out(case, Vec::new(), duplicates).await;
            }
        }
        waits
    }

    async fn decide(&mut self, case: &Case) {
        let books = self.world.books(case.account.provider.as_str());
        let mut taken = BTreeSet::new();
        let mut items = Vec::new();
        let open = |item: &&domain::CaseItem| {
            item.review.is_some() && matches!(item.state, ItemState::Unknown | ItemState::Proven)
        };
        for item in case.items.iter().filter(open) {
            let reference = item.reference.to_string();
            let theirs = books.with_reference(&reference).find(|object| taken.insert(object.id.clone()));
            let choice = match theirs {
                Some(object) if self.operator.random_bool(0.85) => Choice::Bind { vendor_order_id: object.id.clone() },
                _ if self.operator.random_bool(0.8) => Choice::Resend,
                _ => Choice::Fail,
            };
            items.push((item.check_id, choice));
        }
        self.carry_out(case, items, Vec::new()).await;
    }

    async fn carry_out(
        &mut self,
        case: &Case,
        items: Vec<(domain::CheckId, Choice)>,
        cancel_vendor_orders: Vec<String>,
    ) -> bool {
        let now = self.world.clock.now();
        let resolution =
            Resolution { items, cancel_vendor_orders, note: Some("seen in the dashboard".into()), actor: "ops".into() };
        let engine = &self.world.engine;
        let decided = async {
            let Some(vetted) = engine.vet(&Scope::All, case.id, &resolution).await? else { return Ok(false) };
            let mut tx = engine.store().begin().await?;
            engine.resolve(&mut tx, &Scope::All, case.id, &resolution, &vetted).await?;
            tx.save().await?;
            Ok::<_, ResolveError>(true)
        };
        let Ok(decided) = decided.await else {
            // The vendor failed the look, or refused to show it. They try again another day.
            self.report.tallies.came("decisions refused", 1);
            return true;
        };
        let resent = resolution.items.iter().filter(|(_, choice)| *choice == Choice::Resend);
        self.resent_by_hand.extend(resent.map(|(check, _)| (*check, now)));
        self.report.tallies.came("decisions of operators", 1);
        decided
    }
}
