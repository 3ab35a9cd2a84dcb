//! Adding amounts up, to the last digit.

use std::collections::BTreeMap;

use crate::input::Money;
use crate::result::{CheckResult, VerificationResult};

/// The most digits that an amount is added up with; what has more is no amount.
const MOST_DIGITS: usize = 19;

impl Money {
    /// The sum of all, for each currency by itself, in the currencies' order. `None`: one of them is no decimal number, or
    /// the sum has no room.
    pub fn totals<'m>(all: impl IntoIterator<Item = &'m Self>) -> Option<Vec<Self>> {
        let mut totals: BTreeMap<&str, Decimal> = BTreeMap::new();
        for money in all {
            let amount = Decimal::parse(&money.amount)?;
            let total = totals.entry(&money.currency).or_insert(Decimal::ZERO);
            *total = total.plus(amount)?;
        }
        let total = |(currency, amount): (&str, Decimal)| Self { amount: amount.text(), currency: currency.to_owned() };
        Some(totals.into_iter().map(total).collect())
    }
}

impl VerificationResult {
    /// What the vendor tells as its price: of the whole, or of its inquiries together where it tells the price of each.
    /// A quote, charged only for what is completed. What is no decimal number is none.
    pub fn quote(&self) -> Option<Money> {
        if let Some(price) = &self.price {
            return Decimal::parse(&price.amount).map(|_| price.clone());
        }
        match Money::totals(self.inquiries.iter().filter_map(|inquiry| inquiry.price.as_ref()))?.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }
}

impl CheckResult {
    /// What the vendor tells as its price, if it tells one.
    pub fn quote(&self) -> Option<Money> {
        if let Self::Verification(found) = self { found.quote() } else { None }
    }
}

/// A decimal number: so many units of the last place.
#[derive(Clone, Copy)]
struct Decimal {
    units: i128,
    /// How many places are behind the point.
    places: usize,
}

impl Decimal {
    const ZERO: Self = Self { units: 0, places: 0 };

    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (digits, is_negative) = whole.strip_prefix('-').map_or((whole, false), |digits| (digits, true));
        let has_point_and_no_more = text.ends_with('.');
        let all = format!("{digits}{fraction}");
        let is_number = !digits.is_empty() && !has_point_and_no_more && all.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || all.len() > MOST_DIGITS {
            return None;
        }
        let units: i128 = all.parse().ok()?;
        Some(Self { units: if is_negative { -units } else { units }, places: fraction.len() })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        Some(Self { units: self.at(places)?.checked_add(other.at(places)?)?, places })
    }

    /// The units of a place further behind the point.
    fn at(self, places: usize) -> Option<i128> {
        let shift = u32::try_from(places.checked_sub(self.places)?).ok()?;
        self.units.checked_mul(10_i128.checked_pow(shift)?)
    }

    fn text(self) -> String {
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = self.places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.places);
        let sign = if self.units < 0 { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::result::Inquiry;

    fn money(amount: &str, currency: &str) -> Money {
        Money { amount: amount.to_owned(), currency: currency.to_owned() }
    }

    fn total(amounts: &[&str]) -> Option<String> {
        let all: Vec<_> = amounts.iter().map(|amount| money(amount, "USD")).collect();
        Some(Money::totals(&all)?.first()?.amount.clone())
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(total(&["0.1", "0.2"]).as_deref(), Some("0.3"));
        assert_eq!(total(&["42.95", "23.00", "39.9500"]).as_deref(), Some("105.9000"));
        assert_eq!(total(&["1", "-1.05"]).as_deref(), Some("-0.05"));
        assert_eq!(total(&["-0.05", "0.05"]).as_deref(), Some("0.00"));
        assert_eq!(total(&["999999999999999.9999", "0.0001"]).as_deref(), Some("1000000000000000.0000"));
        assert_eq!(total(&["7"]).as_deref(), Some("7"));
    }

    #[test]
    fn what_is_no_number_has_no_sum() {
        for amount in ["", "-", ".5", "5.", "1,00", "+1", "1e3", "--1", "1.-2", "٣", &"9".repeat(20)] {
            assert_eq!(total(&["1.00", amount]), None, "{amount:?}");
        }
    }

    #[test]
    fn each_currency_has_a_sum_of_its_own() {
        let all = [money("1.50", "USD"), money("2", "EUR"), money("0.50", "USD")];
        assert_eq!(Money::totals(&all), Some(vec![money("2", "EUR"), money("2.00", "USD")]));
        assert_eq!(Money::totals([]), Some(Vec::new()));
    }

    #[test]
    fn a_quote_is_of_the_whole_or_of_its_parts_and_never_guessed() {
        let inquiry = |price: Option<Money>| Inquiry { price, ..Inquiry::default() };
        let result = |price: Option<Money>, inquiries: &[Option<Money>]| VerificationResult {
            price,
            inquiries: inquiries.iter().cloned().map(inquiry).collect(),
            ..VerificationResult::default()
        };
        let usd = |amount| Some(money(amount, "USD"));
        assert_eq!(result(None, &[]).quote(), None);
        assert_eq!(result(None, &[None]).quote(), None);
        assert_eq!(result(usd("42.95"), &[usd("1.00")]).quote(), usd("42.95"));
        assert_eq!(result(usd("on request"), &[]).quote(), None);
        assert_eq!(result(None, &[usd("42.95"), None, usd("23.00")]).quote(), usd("65.95"));
        assert_eq!(result(None, &[usd("42.95"), Some(money("1.00", "EUR"))]).quote(), None);
    }

    proptest! {
        /// In cents, where whole numbers are exact.
        #[test]
        fn a_sum_is_that_of_the_cents(cents in proptest::collection::vec(-1_000_000_000_i64..1_000_000_000, 1..20)) {
            let written = |cents: i64| {
                let sign = if cents < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            };
            let all: Vec<_> = cents.iter().map(|&cents| money(&written(cents), "USD")).collect();
            let totals = Money::totals(&all).expect("a sum");
            prop_assert_eq!(totals, vec![money(&written(cents.iter().sum()), "USD")]);
        }
    }
}
