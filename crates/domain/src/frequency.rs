//! How often something is repeated.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::time::{Date, Timestamp};

/// The longest time between two runs, in the unit's own number.
const MOST: u16 = 366;

/// How often a monitor runs: a number of days, weeks, months or years. Written as an ISO 8601 period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frequency {
    /// 1 to 366.
    every: u16,
    unit: FrequencyUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrequencyUnit {
    Day,
    Week,
    Month,
    Year,
}

impl FrequencyUnit {
    const fn letter(self) -> char {
        match self {
            Self::Day => 'D',
            Self::Week => 'W',
            Self::Month => 'M',
            Self::Year => 'Y',
        }
    }

    const fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'D' => Self::Day,
            'W' => Self::Week,
            'M' => Self::Month,
            'Y' => Self::Year,
            _ => return None,
        })
    }
}

/// Why a text is no frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected daily, weekly, monthly, yearly, or a period of one unit from P1D to P366Y, such as P2W")]
pub struct FrequencyError;

impl Frequency {
    /// `None` if there is no such frequency.
    pub const fn new(every: u16, unit: FrequencyUnit) -> Option<Self> {
        if every == 0 || every > MOST { None } else { Some(Self { every, unit }) }
    }

    pub const fn every(self) -> u16 {
        self.every
    }

    pub const fn unit(self) -> FrequencyUnit {
        self.unit
    }

    /// The day so many periods after this one. The last day of a month stands for days that it does not have.
    pub fn add_to(self, date: Date, periods: u32) -> Date {
        let count = i64::from(self.every) * i64::from(periods);
        let date = date.get();
        let moved = match self.unit {
            FrequencyUnit::Day => date.checked_add(time::Duration::days(count)),
            FrequencyUnit::Week => date.checked_add(time::Duration::weeks(count)),
            FrequencyUnit::Month => add_months(date, count),
            FrequencyUnit::Year => add_months(date, count.saturating_mul(12)),
        };
        Date::new(moved.unwrap_or(time::Date::MAX))
    }

    /// The first time after `now` that lies a whole number of periods after `anchor`. What was missed in between is not
    /// made up for.
    pub fn next(self, anchor: Timestamp, now: Timestamp) -> Timestamp {
        let at = |periods| anchor.on(self.add_to(anchor.date(), periods));
        // No unit is shorter than this, so the guess is not too far by more than a few.
        let shortest = Duration::from_hours(24) * u32::from(self.every);
        let shortest = match self.unit {
            FrequencyUnit::Day => shortest,
            FrequencyUnit::Week => shortest * 7,
            FrequencyUnit::Month => shortest * 28,
            FrequencyUnit::Year => shortest * 365,
        };
        let longest_guess = now.since(anchor).as_secs() / shortest.as_secs().max(1) + 1;
        let (mut low, mut high) = (1, u32::try_from(longest_guess).unwrap_or(u32::MAX - 1).max(1));
        while at(high) <= now && high < u32::MAX / 2 {
            high *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle) > now { high = middle } else { low = middle + 1 }
        }
        at(low)
    }
}

fn add_months(date: time::Date, months: i64) -> Option<time::Date> {
    let whole = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + months;
    let year = i32::try_from(whole.div_euclid(12)).ok()?;
    let month = time::Month::try_from(u8::try_from(whole.rem_euclid(12) + 1).ok()?).ok()?;
    time::Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}{}", self.every, self.unit.letter())
    }
}

impl FromStr for Frequency {
    type Err = FrequencyError;
    fn from_str(text: &str) -> Result<Self, FrequencyError> {
        let period = match text {
            "daily" => "P1D",
            "weekly" => "P1W",
            "monthly" => "P1M",
            "yearly" => "P1Y",
            other => other,
        };
        let (number, letter) = period
            .strip_prefix('P')
            .and_then(|rest| Some((rest.get(..rest.len().checked_sub(1)?)?, rest.chars().last()?)))
            .ok_or(FrequencyError)?;
        let every = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let every = every.and_then(|number| number.parse().ok()).ok_or(FrequencyError)?;
        Self::new(every, FrequencyUnit::of(letter).ok_or(FrequencyError)?).ok_or(FrequencyError)
    }
}

impl Serialize for Frequency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Frequency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Frequency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("An ISO 8601 period of one unit; `daily`, `weekly`, `monthly` and `yearly` are taken for `P1D`, `P1W`, `P1M` and `P1Y`."))
            .pattern(Some("^(daily|weekly|monthly|yearly|P[1-9][0-9]{0,2}[DWMY])$"))
            .examples(["P1M"])
            .into()
    }
}
impl ToSchema for Frequency {}

impl Timestamp {
    /// The same time of another day.
    fn on(self, date: Date) -> Self {
        Self::new(OffsetDateTime::new_utc(date.get(), self.get().time()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn every(text: &str) -> Frequency {
        text.parse().expect("a frequency")
    }

    #[test]
    fn frequencies_are_words_or_periods_of_one_unit() {
        for (text, written) in
            [("daily", "P1D"), ("weekly", "P1W"), ("P2W", "P2W"), ("P366D", "P366D"), ("yearly", "P1Y")]
        {
            assert_eq!(every(text).to_string(), written);
        }
        for text in
            ["", "P", "PD", "P0D", "P367D", "P-1D", "P+1D", "1W", "P1H", "PT1H", "P1M2D", "Weekly", "P1.5W", "P1é"]
        {
            assert_eq!(text.parse::<Frequency>(), Err(FrequencyError), "{text}");
        }
    }

    #[test]
    fn months_end_on_their_last_day_and_the_anchor_is_kept() {
        let anchor = at("2026-01-31T10:00:00Z");
        assert_eq!(every("monthly").next(anchor, anchor), at("2026-02-28T10:00:00Z"));
        assert_eq!(every("monthly").next(anchor, at("2026-02-28T10:00:00Z")), at("2026-03-31T10:00:00Z"));
        assert_eq!(
            every("yearly").next(at("2028-02-29T00:00:00Z"), at("2028-03-01T00:00:00Z")),
            at("2029-02-28T00:00:00Z")
        );
    }

    #[test]
    fn what_was_missed_is_one_run() {
        let anchor = at("2026-01-01T10:00:00Z");
        assert_eq!(every("daily").next(anchor, at("2026-01-05T11:00:00Z")), at("2026-01-06T10:00:00Z"));
        assert_eq!(every("P2W").next(anchor, at("2026-03-01T00:00:00Z")), at("2026-03-12T10:00:00Z"));
    }

    proptest! {
        #[test]
        fn the_next_time_is_the_first_one_after_now(
            number in 1_u16..=366, unit in 0_usize..4, days in 0_u64..20_000, seconds in 0_u64..86_400,
        ) {
            let unit = [FrequencyUnit::Day, FrequencyUnit::Week, FrequencyUnit::Month, FrequencyUnit::Year][unit];
            let frequency = Frequency::new(number, unit).expect("a frequency");
            prop_assert_eq!(frequency.to_string().parse(), Ok(frequency));
            let anchor = at("2026-01-31T10:00:00Z");
            let now = anchor + Duration::from_secs(days * 86_400 + seconds);
            let next = frequency.next(anchor, now);
            prop_assert!(next > now);
            let before = (1..30_000).map(|n| anchor.on(frequency.add_to(anchor.date(), n))).take_while(|at| *at < next).last();
            prop_assert!(before.is_none_or(|before| before <= now));
        }
    }
}
