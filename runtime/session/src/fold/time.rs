//! Times as clients read them.

/// The last millisecond that RFC 3339 can write: of the year 9999. An id's 48 bits reach somewhat further.
const UNIX_MS_MAX: u64 = 253_402_300_799_999;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;
/// Days in four hundred years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// A time in milliseconds since 1970 (UTC) as RFC 3339 with milliseconds: `2026-11-21T09:30:00.125Z`.
///
/// Later times than the year 9999 are given as its last millisecond.
#[must_use]
pub fn rfc3339(unix_ms: u64) -> String {
    let unix_ms = unix_ms.min(UNIX_MS_MAX);
    let (year, month, day) = date(unix_ms / 86_400_000);
    let (hour, minute) = (unix_ms / 3_600_000 % 24, unix_ms / 60_000 % 60);
    let (second, milli) = (unix_ms / 1000 % 60, unix_ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Year, month and day of a day since 1970: Howard Hinnant's `civil_from_days`, for days that are not negative.
///
/// Years are counted from March, so that the leap day is a year's last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}
