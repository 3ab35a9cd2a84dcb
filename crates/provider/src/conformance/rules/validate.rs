//! What is refused before an order is accepted.

use domain::input::{
    BackgroundCheck, EducationVerification, EmploymentVerification, IdentityVerification, IncomeVerification,
};
use domain::{CheckInput, CheckSpec, CheckType, FieldError, FieldPlace, OrderInput};
use serde_json::{Map, Value};

use super::super::bench::{Bench, Sample, submission, told};
use crate::{ItemOutcome, Provider};

/// Leaves out each field of each sample in turn. Either that is refused with a pointer, or the vendor accepts it. And all
/// that is missing is named at once, without quoting what is there.
pub async fn every_missing_input_is_named(make: impl AsyncFn() -> Bench) {
    let first = make().await;
    for sample in first.samples.iter().cloned() {
        let whole = Input::of(&sample);
        let mut required = Vec::new();
        for place in whole.places() {
            let Some(lacking) = whole.without(&place) else { continue };
            let case = format!("{} without {place}", sample.name);
            let faults = lacking.faults(first.provider.as_ref(), &sample, &case);
            if !faults.is_empty() {
                required.push((place, faults));
                continue;
            }
            let (order, check) = lacking.read().expect("it was read before");
            let bench = make().await;
            let report = bench.submit(&submission([&Sample { order, check, ..sample.clone() }])).await;
            let outcome = &report.items[0];
            assert!(matches!(outcome, ItemOutcome::Accepted(_)), "{case}: validates, but: {}", told(outcome));
        }

        let mut bare = Input { whole: whole.whole.clone() };
        for (place, _) in required.iter().rev() {
            // What cannot be left out beside the others stays.
            bare = bare.without(place).unwrap_or(bare);
        }
        if required.is_empty() {
            continue;
        }
        let case = format!("{} without anything that is needed", sample.name);
        let named = bare.faults(first.provider.as_ref(), &sample, &case);
        for (place, faults) in &required {
            if bare.whole.pointer(place).is_some() {
                continue;
            }
            let covers = |fault: &FieldError| faults.iter().any(|single| begins(&pointer(single), &pointer(fault)));
            assert!(named.iter().any(covers), "{case}: does not name {place}; names {:?}", pointers(&named));
        }
    }
}

/// Whether a pointer is at or above another.
fn begins(pointer: &str, above: &str) -> bool {
    pointer.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn pointers(faults: &[FieldError]) -> Vec<String> {
    faults.iter().map(pointer).collect()
}

fn pointer(fault: &FieldError) -> String {
    match &fault.place {
        FieldPlace::Order(pointer) => format!("/order{pointer}"),
        FieldPlace::Check(pointer) => format!("/check{pointer}"),
    }
}

/// A sample's order and check as JSON.
struct Input {
    whole: Value,
}

impl Input {
    fn of(sample: &Sample) -> Self {
        let (order, check) = (serde_json::to_value(&sample.order), serde_json::to_value(&sample.check));
        let whole = [("order", order.expect("JSON")), ("check", check.expect("JSON"))];
        Self {
            whole: Value::Object(whole.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()),
        }
    }

    fn read(&self) -> Option<(OrderInput, CheckInput)> {
        Some((
            serde_json::from_value(self.whole["order"].clone()).ok()?,
            serde_json::from_value(self.whole["check"].clone()).ok()?,
        ))
    }

    /// Pointers to everything that is set, outer before inner.
    fn places(&self) -> Vec<String> {
        let mut places = Vec::new();
        walk(&self.whole, "", &mut places);
        places
    }

    /// The same with this left out; `None` where it cannot be, or where that changes nothing.
    fn without(&self, place: &str) -> Option<Self> {
        let (parent, key) = place.rsplit_once('/')?;
        let mut whole = self.whole.clone();
        match whole.pointer_mut(parent)? {
            Value::Object(fields) => {
                fields.remove(key)?;
            }
            Value::Array(values) => {
                let index = key.parse().ok().filter(|&index: &usize| index < values.len())?;
                values.remove(index);
            }
            _ => return None,
        }
        let lacking = Self { whole };
        lacking.read()?;
        Some(lacking)
    }

    /// What validation says; every fault must be fit to be shown.
    fn faults(&self, provider: &dyn Provider, sample: &Sample, case: &str) -> Vec<FieldError> {
        let (order, check) = self.read().expect("it was read before");
        let faults = provider.validate(&order, &check);
        for fault in &faults {
            let (FieldPlace::Order(pointer) | FieldPlace::Check(pointer)) = &fault.place;
            assert!(pointer.starts_with('/'), "{case}: {pointer:?} is no JSON Pointer to a field");
            assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "{case}: {fault:?} says nothing");
            sample.is_not_in(&format!("{fault:?}"));
        }
        faults
    }
}

fn walk(value: &Value, at: &str, places: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return,
    };
    for (key, child) in children.into_iter().filter(|(_, child)| !child.is_null()) {
        let place = format!("{at}/{key}");
        // The two halves themselves, and the vendor's own options, which are nobody's duty.
        if !matches!(place.as_str(), "/order" | "/check" | "/check/spec") {
            places.push(place.clone());
        }
        walk(child, &place, places);
    }
}

/// A kind of check that the vendor does not offer, or a country it is not offered in, is refused.
pub async fn what_the_vendor_does_not_offer_is_refused(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let sample = bench.plain();
    let refuses = |spec: CheckSpec, case: &str| {
        let check = CheckInput::new(spec, Map::new());
        assert!(!bench.provider.validate(&sample.order, &check).is_empty(), "{case} is accepted");
    };
    let nowhere = "AQ".to_owned();
    for kind in CheckType::ALL.iter().copied() {
        let spec = |country: String| match kind {
            CheckType::EmploymentVerification => CheckSpec::EmploymentVerification(EmploymentVerification::default()),
            CheckType::IncomeVerification => CheckSpec::IncomeVerification(IncomeVerification::default()),
            CheckType::EducationVerification => CheckSpec::EducationVerification(EducationVerification::default()),
            CheckType::BackgroundCheck => CheckSpec::BackgroundCheck(BackgroundCheck { country, ..Default::default() }),
            CheckType::IdentityVerification => {
                CheckSpec::IdentityVerification(IdentityVerification { country, flow: None })
            }
        };
        match bench.provider.descriptor().product(kind) {
            None => refuses(spec("CO".to_owned()), kind.as_str()),
            Some(product) if !product.countries.is_empty() => refuses(spec(nowhere.clone()), "a check in Antarctica"),
            Some(_) => {}
        }
    }
    let options = Map::from_iter([("no_such_option_anywhere".to_owned(), Value::Bool(true))]);
    let check = CheckInput::new(sample.check.spec.clone(), options);
    assert!(!bench.provider.validate(&sample.order, &check).is_empty(), "an unknown vendor option is accepted");
}
