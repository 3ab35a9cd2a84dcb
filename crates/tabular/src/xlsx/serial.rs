//! Dates as spreadsheets keep them: days since an epoch, and the time as a fraction.

use time::{Date, Duration, Time};

/// The last day that there is, 31 December 9999, counted from 1900.
const LAST_DAY: f64 = 2_958_465.0;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// `YYYY-MM-DD`, with a time part RFC 3339 in UTC, or `HH:MM:SS` where there is no day. None for what is no date.
pub(super) fn text(serial: f64, from_1904: bool) -> Option<String> {
    if !(0.0..=LAST_DAY + 1.0).contains(&serial) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "judged just above")]
    let seconds = (serial * 86_400.0).round() as i64;
    let (days, seconds) = (seconds / SECONDS_OF_A_DAY, seconds % SECONDS_OF_A_DAY);
    let time = Time::MIDNIGHT + Duration::seconds(seconds);
    let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if days == 0 && seconds != 0 {
        return Some(clock);
    }
    let date = day(days, from_1904)?;
    Some(if seconds == 0 { date.to_string() } else { format!("{date}T{clock}Z") })
}

fn day(days: i64, from_1904: bool) -> Option<Date> {
    let epoch = match days {
        _ if from_1904 => time::macros::date!(1904 - 01 - 01),
        // 1900 was no leap year, but it is one here.
        0 | 60 => return None,
        1..60 => time::macros::date!(1899 - 12 - 31),
        _ => time::macros::date!(1899 - 12 - 30),
    };
    epoch.checked_add(Duration::days(days))
}

/// The same from ISO 8601 text, which cells of type `d` hold. None for what is no date.
pub(super) fn from_iso(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = Date::parse(date, &format).ok()?;
    let time = time.trim_end_matches('Z');
    let clock = time.split('.').next().unwrap_or_default();
    if clock.is_empty() || clock == "00:00:00" || clock == "00:00" {
        return Some(date.to_string());
    }
    let format = time::macros::format_description!("[hour]:[minute]:[second]");
    let clock = Time::parse(clock, &format).ok()?;
    Some(format!("{date}T{:02}:{:02}:{:02}Z", clock.hour(), clock.minute(), clock.second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_days_since_1900_or_1904() {
        for (serial, date) in [
            (1.0, Some("1900-01-01")),
            (59.0, Some("1900-02-28")),
            (60.0, None),
            (61.0, Some("1900-03-01")),
            (33_000.0, Some("1990-05-07")),
            (45_292.0, Some("2024-01-01")),
            (45_292.5, Some("2024-01-01T12:00:00Z")),
            (45_292.999_999_99, Some("2024-01-02")),
            (0.25, Some("06:00:00")),
            (0.0, None),
            (2_958_465.0, Some("9999-12-31")),
            (2_958_466.0, None),
            (-1.0, None),
            (1e300, None),
            (f64::NAN, None),
        ] {
            assert_eq!(text(serial, false).as_deref(), date, "{serial}");
        }
        assert_eq!(text(0.0, true).as_deref(), Some("1904-01-01"));
        assert_eq!(text(43_830.0, true).as_deref(), Some("2024-01-01"));
        assert_eq!(text(2_958_465.0, true), None);
    }

    #[test]
    fn iso_dates_keep_a_time_only_if_there_is_one() {
        for (text, date) in [
            ("2024-01-05", Some("2024-01-05")),
            ("2024-01-05T00:00:00", Some("2024-01-05")),
            ("2024-01-05T07:30:00.000Z", Some("2024-01-05T07:30:00Z")),
            ("2024-02-30", None),
            ("5 January", None),
        ] {
            assert_eq!(from_iso(text).as_deref(), date, "{text}");
        }
    }
}
